"""OC3 by its published rules, CSV files as they come, and our own template; read alone, nothing is stored."""

import io
from datetime import date

import pytest
from openpyxl import load_workbook

from careleavers import importing
from careleavers.importing.template import COLUMNS, template_xlsx
from stockport_hubs.core.errors import Refused
from tests.lists import OC3, PERSON, csv_file, list_9, oc3, template, workbook

pytestmark = pytest.mark.sqlite  # no database at all: once
TODAY = date(2021, 4, 12)
GROWN, SEVENTEEN = "07/08/2002", "13/04/2003"
SOUND = ("A1", GROWN, "YES", "F1", "U1")


def read(content, name="list.csv"):
    return importing.read(content, name=name, today=TODAY)


def row(*cells):
    [found] = read(oc3(cells)).rows
    return found


def test_a_sound_row_is_read_and_activity_is_left_out():
    sheet = read(oc3(SOUND))
    assert (sheet.layout, sheet.read, sheet.dropped) == ("oc3", OC3, [])
    [found] = sheet.rows
    assert (found.reference, found.problems, found.warnings) == ("A1", [], [])
    home = {"accommodation": "U", "accommodation_suitable": True}
    assert found.facts == {"born_on": date(2002, 8, 7), "in_touch": "YES", **home}
    assert found.defaults == {"eligibility": "former_relevant"}


@pytest.mark.parametrize("born, eligibility", [(SEVENTEEN, "relevant"), ("12/04/2003", "former_relevant")])
def test_eligibility_of_somebody_new_follows_from_the_age(born, eligibility):
    assert row("A1", born, "YES", "F1", "U1").defaults == {"eligibility": eligibility}


@pytest.mark.parametrize(
    "cells",
    [
        ("A1", GROWN, "", "", ""),
        ("A1", GROWN, "DIED", "0", "0"),
        ("A1", GROWN, "RHOM", "0", "0"),
        ("A1", GROWN, "NO", "0", "0"),
        ("A1", GROWN, "REFU", "G5", "R2"),
        ("A1", GROWN, "NREQ", "P4", "K1"),
        ("A1", GROWN, "yes", "f2", "x2"),
        ("A1", GROWN, "YES", "G4", "Z1"),
        ("A1", GROWN, "YES", "G6", "S2"),
    ],
)
def test_what_the_rules_allow_is_taken(cells):
    assert row(*cells).problems == []


@pytest.mark.parametrize(
    "cells, problems",
    [
        (("", GROWN, "YES", "F1", "U1"), [("CHILD", "is empty")]),
        (("A1", "", "YES", "F1", "U1"), [("DOB", "is empty")]),
        (("A1", "2002-08-07", "YES", "F1", "U1"), [("DOB", "is not a date written dd/mm/yyyy")]),
        (("A1", "7/8/2002", "YES", "F1", "U1"), [("DOB", "is not a date written dd/mm/yyyy")]),
        (("A1", "31/02/2002", "YES", "F1", "U1"), [("DOB", "is not a date, such as 27/03/2003")]),
        (("A1", "13/04/2021", "YES", "F1", "U1"), [("DOB", "is not in the past")]),
        (("A1", GROWN, "Y", "F1", "U1"), [("IN_TOUCH", "is none of YES, NO, DIED, REFU, NREQ, RHOM")]),
        (("A1", GROWN, "YES", "F9", "U1"), [("ACTIV", "is no activity code, such as F1, P2, G4 or 0")]),
        (("A1", GROWN, "YES", "F3", "U1"), [("ACTIV", "F3 is no longer used: it has become F4 or F5")]),
        (("A1", GROWN, "YES", "F1", "A1"), [("ACCOM", "is no accommodation code, such as U1, or 0")]),
        (("A1", GROWN, "YES", "F1", "U"), [("ACCOM", "is no accommodation code, such as U1, or 0")]),
        (("A1", GROWN, "YES", "F1", "U3"), [("ACCOM", "is no accommodation code, such as U1, or 0")]),
        (("A1", GROWN, "YES", "F1", "S1"), [("ACCOM", "S is never suitable: it must be S2")]),
        (("A1", GROWN, "YES", "F1", "X1"), [("ACCOM", "X is never suitable: it must be X2")]),
        (("A1", GROWN, "YES", "0", "U1"), [("ACTIV", "must not be 0 where IN_TOUCH is YES")]),
        (("A1", GROWN, "YES", "F1", "0"), [("ACCOM", "must not be 0 where IN_TOUCH is YES")]),
        (("A1", GROWN, "DIED", "F1", "0"), [("ACTIV", "must be 0 where IN_TOUCH is DIED")]),
        (("A1", GROWN, "DIED", "0", "U1"), [("ACCOM", "must be 0 where IN_TOUCH is DIED")]),
        (
            ("A1", GROWN, "RHOM", "F1", "U1"),
            [("ACTIV", "must be 0 where IN_TOUCH is RHOM"), ("ACCOM", "must be 0 where IN_TOUCH is RHOM")],
        ),
        (("A1", GROWN, "", "F1", "U1"), [("IN_TOUCH", "is empty: all three are filled in, or none")]),
        (("A1", GROWN, "NO", "", ""), [(c, "is empty: all three are filled in, or none") for c in OC3[3:]]),
        (
            ("A1", SEVENTEEN, "YES", "F1", "Z1"),
            [("ACCOM", "must not be Z at 17: former foster carers are from 18")],
        ),
    ],
)
def test_what_breaks_a_rule_names_its_column_and_the_reason(cells, problems):
    assert row(*cells).problems == problems


def test_one_row_for_each_child():
    first, second = read(oc3(SOUND, SOUND)).rows
    assert (first.problems, second.problems) == ([], [("CHILD", "is also in row 2")])


def test_the_rules_of_oc3_judge_no_other_list():
    in_list_9 = {"Child Unique ID": "A1", "LA in Touch": "DIED", "Type of Accommodation": "S1", "Activity Status": "F3"}
    [found] = read(list_9(in_list_9)).rows
    assert (found.problems, found.facts["accommodation"]) == ([], "S")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_csv_is_read_in_the_encodings_and_with_the_separators_programs_write(encoding, separator):
    headings = ["Child Unique ID", "Date of Birth", "Eligibility Category", "Allocated Personal Advisor", "Ethnicity"]
    content = csv_file(headings, ["A1", GROWN, "Former relevant", "Zoë Ünal", "SECRET"], separator=separator)
    sheet = read(content.decode().encode(encoding))
    assert [(each.reference, each.advisor, each.problems) for each in sheet.rows] == [("A1", "Zoë Ünal", [])]
    assert sheet.dropped == ["Ethnicity"]


@pytest.mark.parametrize(
    "content, words",
    [
        (b"  \n", "is empty"),
        (b"CHILD,DOB\0", "neither an Excel workbook"),
        (b"\xff\xfe\x00", "neither an Excel workbook"),
        (b'CHILD,DOB,IN_TOUCH,ACTIV,ACCOM\n"A1,07/08/2002', "Line 2 of list.csv cannot be read"),
        (
            b"CHILD,DOB,IN_TOUCH\nA1,07/08/2002,YES",
            "has no line of headings with CHILD, DOB, IN_TOUCH, ACTIV and ACCOM",
        ),
        (b"\n" * 12 + b"CHILD,DOB,IN_TOUCH,ACTIV,ACCOM\n" + b"\n" * 20_001 + b"A1", "goes on past line 20,000"),
        (b"CHILD,CHILD,DOB,IN_TOUCH,ACTIV,ACCOM\n", "Two columns are headed like “CHILD”"),
        (b"x" * (importing.MAX_BYTES + 1), "larger than 5 MB"),
    ],
)
def test_a_csv_that_cannot_be_read_is_refused_in_words(content, words):
    with pytest.raises(Refused, match=words):
        read(content)


@pytest.mark.parametrize("start", ["=", "+", "@", "-1", "|", "%"])
def test_a_cell_that_begins_like_a_formula_is_refused(start):
    name = f"{start}HYPERLINK(1)"
    [found] = read(template(["A1", name, name, "07/08/2002", "Former relevant", None]), "list.xlsx").rows
    reason = f"begins with “{start[0]}”, as a formula does"
    assert found.problems == [("Preferred Name", reason), ("Surname", reason)]


def test_names_are_read_of_our_own_list_and_never_of_list_9():
    row = ["A1", " Robin ", "Vale", "07/08/2002", "Former relevant", "sk11aa"]
    [found] = read(template(row), "list.xlsx").rows
    assert (found.facts["preferred_name"], found.facts["surname"], found.facts["postcode"]) == (
        "Robin",
        "Vale",
        "SK1 1AA",
    )
    headings = [*PERSON, "Preferred Name", "Surname", "Postcode"]
    sheet = read(workbook(headings, PERSON | {"Preferred Name": "SECRET"}), "list.xlsx")
    assert {"Preferred Name", "Surname", "Postcode"} <= set(sheet.dropped)
    assert "SECRET" not in str(sheet.rows[0].facts)


def test_the_template_is_read_back_with_every_column_and_nobody_in_it():
    sheet = read(template_xlsx(), "young-people.xlsx")
    assert (sheet.layout, sheet.read, sheet.dropped, sheet.rows) == ("template", list(COLUMNS), [], [])
    book = load_workbook(io.BytesIO(template_xlsx()))
    assert {cell.data_type for page in book for line in page.iter_rows() for cell in line} <= {"s", "n", "inlineStr"}


def test_what_was_read_is_the_same_after_being_kept():
    for content in (oc3(SOUND, SOUND), list_9({}, {"Date of Birth": "x"})):
        sheet = read(content)
        assert importing.Sheet.from_plain(sheet.to_plain()) == sheet
