"""The numbers printed in packs, read back out of PDF, page, CSV and workbook, against a count of raw rows of its own:
at three dates, and after later edits, which leave an old edition as it was and are explained by the new one."""

import csv
import io
import re
from datetime import date, datetime, timedelta

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from reviews import documents, workbooks
from reviews.cohort import STAGES
from reviews.definitions import DEFINITIONS
from reviews.models import Audience, ReviewPack
from reviews.services import packs
from tests import factories
from tests.pack_scene import get
from tests.review_scene import FIRST_WEEK, PERIOD, WEEK, Scene
from tests.test_figures import recount

pytestmark = [pytest.mark.django_db, pytest.mark.prints, pytest.mark.sqlite]
DATES = [date(2026, 4, 15), date(2026, 5, 12), PERIOD[1]]


def built(scene, audience: str, on: date) -> ReviewPack:
    at = max(factories.moment(on, "12:00"), scene.at) if on >= PERIOD[1] else factories.moment(on, "12:00")
    return packs.build(meeting=scene.meeting, audience=audience, by=scene.manager, at=at)()


def lines(pack: ReviewPack) -> list[str]:
    """The lines of the PDF's text, blanks made one."""
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(bytes(pack.pdf))).pages)
    return [" ".join(line.split()) for line in text.splitlines()]


def after(printed: list[str], words: str) -> int:
    """The number behind the words of a row; wherever they stand it is the same."""
    found = [re.fullmatch(rf"{re.escape(words)} ([\d,]+)( .*)?", line) for line in printed]
    (number,) = {int(each[1].replace(",", "")) for each in found if each}
    return number


def read_out(printed: list[str]) -> dict:
    """What the pages say, in the shape of `recount`."""
    day = r"\d{1,2} [A-Z][a-z]{2} \d{4}"
    weeks = [re.fullmatch(rf"({day}) (\d+) (\d+) (\d+) .*", line) for line in printed]
    return {
        "funnel": {key: after(printed, DEFINITIONS[key].name) for key in STAGES},
        "answers": {key: after(printed, DEFINITIONS[key].name) for key in ("declined", "no_reply", "unanswered")},
        "weeks": [
            (datetime.strptime(found[1], "%d %b %Y").date(), *(int(each) for each in found.groups()[1:]))  # noqa: DTZ007
            for found in weeks
            if found
        ],
        "members": {
            key: after(printed, DEFINITIONS[key].name) for key in ("open", "ended", "came_last4", "lapsing", "lapsed")
        },
        "left": round(100 * float(next(line for line in printed if line.startswith("Left £"))[6:].replace(",", ""))),
    }


def raw(scene, on: date) -> dict:
    counted = recount(scene, on)
    return {key: number for key, number in counted.items() if key != "barriers"}


@pytest.mark.slow
@pytest.mark.promise("M7")
def test_printed_numbers_equal_a_count_of_raw_rows_at_three_dates_and_after_later_edits(sized, figures):
    scene = Scene(sized(12, 72))
    scene.trouble()
    kept = {on: built(scene, Audience.LEAVING_CARE, on) for on in DATES}
    for on, pack in kept.items():
        assert read_out(lines(pack)) == raw(scene, on), on
    before = {on: bytes(pack.pdf) for on, pack in kept.items()}
    # Entered later, and of days that the editions have told of already.
    counted = raw(scene, DATES[-1])
    scene.collect(scene.members[5], FIRST_WEEK + 2 * WEEK + timedelta(days=2))
    scene.collect(scene.members[5], FIRST_WEEK + 11 * WEEK + timedelta(days=2))
    latest = built(scene, Audience.LEAVING_CARE, DATES[-1])
    now = raw(scene, DATES[-1])
    assert read_out(lines(latest)) == now != counted
    assert {on: bytes(ReviewPack.objects.get(pk=pack.pk).pdf) for on, pack in kept.items()} == before
    # What moved, and nothing else: what was there + what changed = what is there.
    changed = latest.figures["changed"]
    told = {row["what"]: (row["was"], row["now"]) for row in changed["rows"]}
    assert changed["edition"] == kept[DATES[-1]].edition
    cohort = "The cohort, step by step"
    moved = {
        f"{cohort}, {DEFINITIONS[key].name}, Young people": (
            str(counted["funnel"][key]),
            str(now["funnel"][key]),
        )
        for key in now["funnel"]
        if now["funnel"][key] != counted["funnel"][key]
    }
    assert (
        moved
        and {what: pair for what, pair in told.items() if what.startswith(cohort) and what.endswith("people")} == moved
    )
    for week, could, paid, came in now["weeks"]:
        (was,) = [each for each in counted["weeks"] if each[0] == week]
        said = f"Take-up by week, {week.day} {week:%b %Y}, Came"
        assert told.get(said) == ((str(was[3]), str(came)) if was[3] != came else None)
        assert (could, paid) == was[1:3]
    assert "What changed since edition" in " ".join(lines(latest))
    figures(f"{len(scene.people)} people, {len(DATES)} dates, {len(told)} figures moved and explained")


def test_an_edition_after_no_change_says_so_and_the_first_says_nothing(db):
    scene = Scene(12)
    first = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="x", at=scene.at)
    kept = {"meeting": scene.meeting, "as_at": scene.at, "made_by": scene.manager, "pdf": b"%PDF-", "sha256": "0"}
    for audience in Audience.values:
        frozen = packs.freeze(scene.meeting, audience, made_by="x", at=scene.at)
        ReviewPack.objects.create(audience=audience, edition=1, figures=frozen, **kept)
    again = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="x", at=scene.at)
    assert ("changed" in first, again["changed"]["rows"]) == (False, [])
    section = next(each for each in documents.document(again).sections if each.slug == "changes")
    assert section.empty == "No figure has changed since edition 1."
    # One more person joins: the summary does not say what its counts were.
    scene.collect(scene.members[5], FIRST_WEEK + 2 * WEEK + timedelta(days=2))
    summary = packs.freeze(scene.meeting, Audience.CORPORATE_PARENTS, made_by="x", at=scene.at)
    assert {row["was"] for row in summary["changed"]["rows"]} <= {"not shown"}


@pytest.mark.parametrize("audience", Audience.values)
def test_the_workbook_says_in_typed_cells_what_the_document_says(audience):
    scene = Scene(12)
    scene.trouble()
    frozen = packs.freeze(scene.meeting, audience, made_by="=cmd|' /C calc'!A0", at=scene.at)
    made = documents.document(frozen)
    book = load_workbook(io.BytesIO(workbooks.to_xlsx(made)))
    everything = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in everything} <= {"s", "n", "d"}  # no formula
    assert any(str(cell.value).startswith("=cmd") for cell in everything) or "made_by" not in str(made.facts)
    expected = [(section, table) for section in made.sections for table in section.tables]
    assert len(book.sheetnames) == len(expected) + 1
    for sheet, (section, table) in zip(book.worksheets[1:], expected, strict=True):
        rows = list(sheet.iter_rows())
        assert rows[0][0].value == f"{section.title}: {table.caption}"
        for found, wanted in zip(rows[2:], (*table.rows, *([table.total] if table.total else [])), strict=False):
            for cell, said in zip(found, wanted, strict=False):
                if said.value is None or said.kind in ("text", "mark"):
                    assert (cell.value or "") == said.shown
                elif said.kind == "pence" or said.kind == "percent":
                    assert (cell.data_type, round(cell.value * 100)) == ("n", said.value)
                elif said.kind == "day":
                    assert (cell.data_type, cell.value.date().isoformat()) == ("d", said.value)
                else:
                    assert (cell.data_type, cell.value) == ("n", said.value)


@pytest.mark.parametrize("name", ["Take-up [by: week]*", "x" * 40, "'quoted'", ""])
def test_names_of_sheets_are_what_excel_takes(name):
    taken: set[str] = set()
    made = [workbooks._name(name, taken) for _ in range(3)]
    assert len({each.lower() for each in made}) == 3
    assert all(0 < len(each) <= 31 and not re.search(r"[\[\]:*?/\\]", each) for each in made)


def test_the_summary_reads_the_same_on_page_pdf_csv_and_workbook():
    scene = Scene(36)
    scene.trouble({"hours": 6, "stigma": 2, "custody": 5})
    pack = built(scene, Audience.CORPORATE_PARENTS, PERIOD[1])
    made = documents.document(pack.figures)
    cells = [
        (cell.shown, cell.plain)
        for section in made.sections
        for table in section.tables
        for row in table.rows
        for cell in row
        if cell.is_numeric
    ]
    printed = " ".join(lines(pack))
    page = " ".join(re.sub(r"<[^>]+>", " ", get(scene.manager, "pack", pack).content.decode()).split())
    written = [
        cell for row in csv.reader(io.StringIO(get(scene.manager, "pack_csv", pack).content.decode())) for cell in row
    ]
    for shown, plain in cells:
        assert shown in printed and shown in page and plain in written
    for point in made.points:
        assert point.sentence in printed and point.sentence in page.replace("&#x27;", "'") and point.sentence in written
    assert len(PdfReader(io.BytesIO(bytes(pack.pdf))).pages) <= 2
    for told in ("custody", "Person1", "Sample1", "In custody"):
        assert told not in printed + page
