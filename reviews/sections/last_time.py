"""What the meeting before agreed, and what became of it."""

from reviews.tables import Cell, Section, Table, day
from reviews.words import said

TITLE = "What became of the last meeting"


def section(frozen: dict) -> Section:
    got = frozen["last_time"]
    if got is None:
        return Section("last-time", TITLE, empty="This is the first meeting about this agreement.")
    rows = tuple((Cell(each["what"]), Cell(each["owner"]), day(each["due_on"]), _became(each)) for each in got["rows"])
    if not rows:
        return Section("last-time", TITLE, empty=f"The meeting of {said(got['met_on'])} agreed no action.")
    return Section(
        "last-time",
        TITLE,
        tables=(Table(f"Agreed on {said(got['met_on'])}", ("What", "Owner", "Due", "What became of it"), rows),),
    )


def _became(each: dict) -> Cell:
    return Cell(f"Done on {said(each['done_on'], 'j M Y')}" if each["done_on"] else "Still to do")
