"""The Annex A List 9 import: both layouts, aliases, all or nothing, hostile files."""

import zipfile
from datetime import UTC, date, datetime

import pytest
from django.core.management import CommandError, call_command

from careleavers import importing
from careleavers.importing import rows as import_rows
from careleavers.models import CareLeaver, CohortPlace
from careleavers.services import people
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core import workbooks
from stockport_hubs.core.errors import Refused
from tests.lists import NEW, OLD, PERSON, excel_day, oc3, workbook

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
NOW = datetime(2021, 4, 12, 9, 0, tzinfo=UTC)
TODAY = date(2021, 4, 12)


@pytest.fixture
def council(settings):
    settings.CLOCK = NOW
    return Organisation.objects.create(name="Invented Council", kind="council")


@pytest.fixture
def advisor(council):
    return User.objects.create(
        email="ann@example.org", name="Ann Advisor", role=Role.PERSONAL_ADVISOR, organisation=council, invited_at=NOW
    )


@pytest.fixture
def book(tmp_path):
    """`book(headings, *people)`: the path of a workbook; a person is a dict that changes PERSON."""

    def make(headings=NEW, *changes, sheet="List 9", above=0, name="list.xlsx"):
        path = tmp_path / name
        path.write_bytes(
            workbook(headings, *(PERSON | change for change in changes or ({},)), sheet=sheet, above=above)
        )
        return path

    return make


def run(capsys, path, *flags):
    """(lines printed, the sentence it ended with)."""
    try:
        call_command("import_care_leavers", str(path), *flags)
        ended = ""
    except CommandError as error:
        ended = str(error)
    return capsys.readouterr().out.splitlines(), ended


def facts(person):
    return {
        "reference": person.reference, "born_on": person.born_on, "team": person.team,
        "eligibility": person.eligibility, "in_touch": person.in_touch, "accommodation": person.accommodation,
        "accommodation_suitable": person.accommodation_suitable, "imported_advisor": person.imported_advisor,
        "pathway_plan_review_on": person.pathway_plan_review_on,
    }  # fmt: skip


def read(path):
    return importing.read(path.read_bytes(), name=path.name, today=TODAY)


def the_row(path):
    return read(path).rows[0]


# -- what is read ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headings, advisor_named, reviewed", [(OLD, "Wil Worker", None), (NEW, "Ann Advisor", date(2021, 3, 1))]
)
def test_both_layouts_are_read_and_the_rest_is_dropped_by_name(
    council, book, capsys, headings, advisor_named, reviewed
):
    lines, ended = run(capsys, book(headings), "--apply")
    assert (lines[-1], ended) == ("1 rows: 1 new, 0 changed, 0 unchanged, 0 refused", "")
    person = CareLeaver.objects.get()
    assert facts(person) == {
        "reference": "1001", "born_on": date(2002, 8, 7), "team": "Care Leavers Team", "eligibility": "former_relevant",
        "in_touch": "YES", "accommodation": "U", "accommodation_suitable": True, "imported_advisor": advisor_named,
        "pathway_plan_review_on": reviewed,
    }  # fmt: skip
    dropped = next(line for line in lines if line.startswith("Dropped"))
    not_read = ["Gender", "Ethnicity", "Age", "Does the Child have a Disability", "Activity Status"]
    not_read += [NEW[5], "Allocated Worker", "Latest Date of Contact"] if headings is NEW else []
    assert sorted(dropped.removeprefix("Dropped, not read: ").split(", ")) == sorted(", ".join(not_read).split(", "))
    stored = [str(value) for row in CareLeaver.objects.values() for value in row.values()]
    assert [value for value in [*stored, *lines] if "SECRET" in value] == []


def test_headings_and_sheet_are_found_whatever_their_spelling(council, book):
    spelt = {"Child Unique ID": "CHILD  unique-Id", "Date of Birth": "dob ", "Eligibility Category": "ELIGIBILITY"}
    path = book([spelt.get(h, h) for h in OLD], sheet=" LIST_09 Care leavers", above=2)
    sheet = read(path)
    assert [row.problems for row in sheet.rows] == [
        [("CHILD unique-Id", "is empty"), ("dob", "is empty"), ("ELIGIBILITY", "is empty")]
    ]
    assert sheet.rows[0].number == 4
    with pytest.raises(Refused, match="There is no sheet"):
        read(book(OLD, sheet="List 90"))


@pytest.mark.parametrize(
    "column, cell, field, value",
    [
        ("Child Unique ID", 1001.0, "reference", "1001"),
        ("Child Unique ID", " AB/12-3 ", "reference", "AB/12-3"),
        ("Date of Birth", "7/8/2002", "born_on", date(2002, 8, 7)),
        ("Date of Birth", "2002-08-07 00:00:00", "born_on", date(2002, 8, 7)),
        ("Date of Birth", 37475, "born_on", date(2002, 8, 7)),
        ("Eligibility Category", "b) Former relevant child", "eligibility", "former_relevant"),
        ("Eligibility Category", "FORMER RELEVANT", "eligibility", "former_relevant"),
        ("Eligibility Category", "a)Relevant child", "eligibility", "relevant"),
        ("Eligibility Category", "c) Qualifying care leaver", "eligibility", "qualifying"),
        ("Eligibility Category", "d) Eligible child", "eligibility", "eligible"),
        ("LA in Touch", "a) Yes", "in_touch", "YES"),
        ("LA in Touch", "N", "in_touch", "NO"),
        ("LA in Touch", True, "in_touch", "YES"),
        ("LA in Touch", "b) No", "in_touch", "NO"),
        ("LA in Touch", "No longer requires services", "in_touch", "NREQ"),
        ("LA in Touch", "c) Died", "in_touch", "DIED"),
        ("LA in Touch", "d) REFU (young person refuses contact)", "in_touch", "REFU"),
        ("LA in Touch", "RHOM", "in_touch", "RHOM"),
        ("Type of Accommodation", "U: Independent living", "accommodation", "U"),
        ("Type of Accommodation", "U1", "accommodation", "U"),
        ("Type of Accommodation", "z - With former foster carers", "accommodation", "Z"),
        ("Type of Accommodation", "Supported lodgings", "accommodation", "E"),
        ("Type of Accommodation", "In Custody", "accommodation", "X"),
        ("Type of Accommodation", 0, "accommodation", "0"),
        ("Suitability of Accommodation", "b) Unsuitable", "accommodation_suitable", False),
        ("Suitability of Accommodation", "Not  suitable", "accommodation_suitable", False),
        ("Suitability of Accommodation", 1, "accommodation_suitable", True),
    ],
)  # fmt: skip
def test_values_are_read_as_real_files_spell_them(book, column, cell, field, value):
    row = the_row(book(NEW, {column: cell}))
    assert row.problems == []
    assert (row.reference if field == "reference" else row.facts[field]) == value


@pytest.mark.parametrize(
    "column, cell, reason",
    [
        ("Child Unique ID", None, "is empty"),
        ("Child Unique ID", "a|b", "is not an id"),
        ("Date of Birth", None, "is empty"),
        ("Date of Birth", "31/02/2002", "is not a date"),
        ("Date of Birth", 5, "is not a date"),
        ("Date of Birth", excel_day(2021, 4, 12), "is not in the past"),
        ("Eligibility Category", None, "is empty"),
        ("Eligibility Category", "nonsense", "is not a value of this list"),
        ("LA in Touch", "perhaps", "is not a value of this list"),
        ("Type of Accommodation", "A: Attic", "is not a kind of accommodation"),
        ("Suitability of Accommodation", "perhaps", "neither suitable nor unsuitable"),
        ("Allocated Team", "#N/A", "holds an Excel error"),
    ],
)
def test_what_cannot_be_read_names_row_column_and_reason(council, book, capsys, column, cell, reason):
    path = book(NEW, {"Child Unique ID": 1}, {"Child Unique ID": 2, column: cell})
    lines, ended = run(capsys, path, "--apply")
    refused = next(line for line in lines if line.startswith("row 3 "))
    assert "refused: " in refused and column in refused and reason in refused
    assert lines[-1] == "2 rows: 1 new, 0 changed, 0 unchanged, 1 refused"
    assert ended.startswith("Nothing was saved.")
    assert (CareLeaver.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_an_id_that_stands_twice_is_refused(council, book, capsys):
    lines, _ = run(capsys, book(NEW, {}, {}), "--apply")
    assert [line for line in lines if "is also in row 2" in line] != []


def test_ages_out_of_range_warn_and_do_not_refuse(book):
    path = book(NEW, *({"Child Unique ID": n, "Date of Birth": excel_day(*born)} for n, born in
                       enumerate([(1996, 4, 12), (1996, 4, 13), (2005, 4, 12), (2005, 4, 13)])))  # fmt: skip
    rows = read(path).rows
    assert [row.warnings for row in rows] == [["25 or older: support has ended"], [], [], ["younger than 16"]]
    assert [row.problems for row in rows] == [[], [], [], []]


def test_blank_lines_are_passed_over(book):
    blank = dict.fromkeys(PERSON)
    assert [row.number for row in read(book(NEW, {}, blank, {"Child Unique ID": 2})).rows] == [
        2,
        4,
    ]


# -- what becomes of it ------------------------------------------------------------------------------------------------


def test_a_warning_is_said_once_when_a_list_is_saved(council, tmp_path, capsys):
    path = tmp_path / "list.csv"
    path.write_bytes(oc3(["1", "07/08/2002", "", "", ""]))
    lines, _ = run(capsys, path, "--apply")
    assert "row 2  1  new (warning: the file holds no eligibility: taken from the age)" in lines


def test_a_preview_saves_nothing_and_says_so(council, advisor, book, capsys):
    lines, ended = run(capsys, book(NEW, {}, {"Child Unique ID": 2, "Allocated Personal Advisor": "Nobody Known"}))
    assert lines[3:] == [
        "row 2  1001  new: allocated to the advisor named",
        "row 3  2  new",
        "Without an advisor known here: 1. They wait on the leaving care manager's list “To allocate”.",
        "Without a name: 2. The file holds none; each new young person waits for a preferred name.",
        "Nothing is saved: this is a preview. Add --apply to save.",
        "2 rows: 2 new, 0 changed, 0 unchanged, 0 refused",
    ]
    assert (ended, CareLeaver.objects.count(), AuditEvent.objects.count()) == ("", 0, 0)


def test_applying_twice_changes_nothing_the_second_time(council, advisor, book, capsys):
    path = book(NEW, {}, {"Child Unique ID": 2, "Allocated Personal Advisor": None})
    assert run(capsys, path, "--apply")[0][-1] == "2 rows: 2 new, 0 changed, 0 unchanged, 0 refused"
    assert run(capsys, path, "--apply")[0][-1] == "2 rows: 0 new, 0 changed, 2 unchanged, 0 refused"
    event = AuditEvent.objects.get()
    assert (event.verb, event.job, event.subjects.count()) == ("careleavers.people.imported", "import_care_leavers", 2)
    assert {key: event.detail[key] for key in ("new", "changed", "unchanged")} == {
        "new": 2,
        "changed": 0,
        "unchanged": 0,
    }
    assert CohortPlace.objects.count() == 0
    first, second = CareLeaver.objects.order_by("-reference")
    assert [person.is_waiting_for_name for person in (first, second)] == [True, True]
    assert [a.advisor for a in second.allocations.all()] == [advisor]
    assert list(CareLeaver.objects.to_allocate(TODAY)) == [first]


@pytest.mark.parametrize("named", ["Ann Advisor", "ann  ADVISOR", "Ann@Example.org"])
def test_the_advisor_is_found_by_name_or_e_mail(council, advisor, book, capsys, named):
    run(capsys, book(NEW, {"Allocated Personal Advisor": named}), "--apply")
    assert CareLeaver.objects.get().allocations.get().advisor == advisor


def test_a_name_two_advisors_have_is_nobodys(council, advisor, book, capsys):
    User.objects.create(
        email="ann2@example.org", name="Ann Advisor", role=advisor.role, organisation=council, invited_at=NOW
    )
    run(capsys, book(), "--apply")
    person = CareLeaver.objects.get()
    assert (person.allocations.count(), person.imported_advisor) == (0, "Ann Advisor")


def test_what_changed_is_named_and_a_blank_cell_erases_nothing(council, book, capsys):
    run(capsys, book(), "--apply")
    person = CareLeaver.objects.get()
    people.name(care_leaver=person, preferred_name="Robin", by=_manager(council), at=NOW)
    changed = {"Allocated Team": "Other Team", "Type of Accommodation": "K", "Latest Pathway Plan Review Date": None}
    lines, _ = run(capsys, book(NEW, changed | {"LA in Touch": ""}), "--apply")
    assert lines[3] == "row 2  1001  changed: team, accommodation"
    person.refresh_from_db()
    assert (person.team, person.accommodation, person.in_touch) == ("Other Team", "K", "YES")
    assert (person.pathway_plan_review_on, person.preferred_name) == (date(2021, 3, 1), "Robin")


def _manager(council):
    return User.objects.create(
        email="m@example.org", name="Mia", role=Role.LEAVING_CARE_MANAGER, organisation=council, invited_at=NOW
    )


def test_the_import_never_moves_a_young_person_to_another_advisor(council, advisor, book, capsys):
    run(capsys, book(), "--apply")
    User.objects.create(email="oli@example.org", name="Oli", role=advisor.role, organisation=council, invited_at=NOW)
    lines, _ = run(capsys, book(NEW, {"Allocated Personal Advisor": "Oli"}), "--apply")
    assert lines[3] == "row 2  1001  changed: advisor named in the file"
    assert CareLeaver.objects.get().allocations.get().advisor == advisor


def test_who_died_is_not_allocated_and_not_brought_back(council, advisor, book, capsys):
    lines, _ = run(capsys, book(NEW, {"LA in Touch": "Died"}), "--apply")
    person = CareLeaver.objects.get()
    assert (person.has_died, person.died_on, person.allocations.count()) == (True, None, 0)
    assert [line for line in lines if line.startswith("Without an advisor")] == []
    lines, ended = run(capsys, book(), "--apply")
    assert ("recorded here as died" in lines[3], ended[:18]) == (True, "Nothing was saved.")


def test_the_number_of_queries_does_not_grow_with_the_rows(council, advisor, book, django_assert_num_queries):
    from careleavers.services import imports

    for count in (1, 40):
        path = book(NEW, *({"Child Unique ID": 5000 + count * 100 + n} for n in range(count)))
        rows = read(path).rows
        with django_assert_num_queries(15):
            imports.apply(council=council, rows=rows, file_hash="x", job="test", at=NOW)


# -- files that are not what they say ----------------------------------------------------------------------------------


def repack(path, changes):
    """Write the workbook again with parts replaced or added."""
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in (parts | changes).items():
            new.writestr(name, content)
    return path


BOMB = b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'
LATE_BOMB = b'<?xml version="1.0"?><!--' + b"x" * 70_000 + b"-->" + BOMB[21:]


def hostile(kind, book, tmp_path):
    path = tmp_path / "hostile.xlsx"
    if kind == "missing":
        return path
    if kind in ("text", "old", "truncated", "large", "empty"):
        content = {"text": b"not a workbook", "old": b"\xd0\xcf\x11\xe0" + b"0" * 600, "empty": b"",
                   "truncated": book().read_bytes()[:900],
                   "large": b"PK" + b"0" * workbooks.MAX_BYTES}[kind]  # fmt: skip
        path.write_bytes(content)
        return path
    changes = {
        "zip": {"[Content_Types].xml": b""},
        "unpacks": {"xl/media/zeros.bin": b"0" * (workbooks.MAX_UNPACKED + 1)},
        "parts": {f"xl/media/{n}": b"" for n in range(workbooks.MAX_PARTS)},
        "doctype": {"xl/worksheets/sheet2.xml": BOMB},
        "late doctype": {"xl/worksheets/sheet2.xml": LATE_BOMB},
        "broken": {"xl/worksheets/sheet2.xml": b"<worksheet><sheetData><row"},
        "workbook": {"xl/workbook.xml": b"<nonsense/>"},
    }[kind]
    return repack(book(), changes)


@pytest.mark.parametrize(
    "kind, words",
    [
        ("missing", "There is no file"),
        ("text", "has no line of headings with CHILD, DOB"),
        ("empty", "hostile.xlsx is empty"),
        ("truncated", "not an Excel workbook"),
        ("old", "in the old .xls format"),
        ("large", "larger than 5 MB"),
        ("zip", "not an Excel workbook"),
        ("unpacks", "far more than a list of people"),
        ("parts", "far more than a list of people"),
        ("doctype", "no spreadsheet program writes"),
        ("late doctype", "not an Excel workbook"),
        ("broken", "not an Excel workbook"),
        ("workbook", "There is no sheet"),
    ],
)
def test_a_hostile_file_is_refused_politely(council, book, capsys, tmp_path, kind, words):
    lines, ended = run(capsys, hostile(kind, book, tmp_path), "--apply")
    assert (lines, words in ended) == ([], True), ended
    assert CareLeaver.objects.count() == 0


def test_other_workbooks_are_refused_with_what_is_missing(council, book, capsys):
    for path, words in [
        (
            book(OLD, sheet="Sheet1", name="a.xlsx"),
            "There is no sheet “List 9” or “Young people” in a.xlsx. It holds: List 8, Sheet1.",
        ),
        (book(OLD[1:], name="b.xlsx"), "has no line of headings with Child Unique ID"),
        (book([*OLD, "DOB"]), "Two columns of 'List 9' are headed like “DOB”"),
    ]:
        assert words in run(capsys, path)[1]


def test_a_sheet_that_claims_a_million_lines_is_left(council, book, capsys):
    far = b"""<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">
    <dimension ref="A1:XFD1048576"/><sheetData>
    <row r="1048576"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>"""
    assert "past line 20,000" in run(capsys, repack(book(), {"xl/worksheets/sheet2.xml": far}))[1]


def test_more_than_five_thousand_rows_are_refused(council, book, capsys, monkeypatch):
    monkeypatch.setattr(import_rows, "MAX_ROWS", 3)
    three = [{"Child Unique ID": n} for n in range(1, 4)]
    assert run(capsys, book(NEW, *three))[1] == ""
    assert "more than 3 young people" in run(capsys, book(NEW, *three, {}))[1]


def test_the_command_needs_a_council(book, capsys):
    assert "There is no council yet" in run(capsys, book())[1]
    for name in ("One", "Two"):
        Organisation.objects.create(name=name, kind="council")
    assert "Known: One, Two." in run(capsys, book())[1]
    assert run(capsys, book(), "--organisation", "two", "--apply")[1] == ""
    assert CareLeaver.objects.get().council.name == "Two"
