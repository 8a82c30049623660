"""What the meeting before decided and agreed to do, and what became of it."""

from reviews.tables import Cell, Section, Table, day
from reviews.words import said

TITLE = "Decisions from last time"


def section(frozen: dict) -> Section:
    got = frozen["last_time"]
    if got is None:
        return Section("last-time", TITLE, empty="This is the first meeting about this agreement.")
    met = said(got["met_on"])
    decided = tuple((Cell(each["title"]), Cell(each["decision"])) for each in got.get("decided", ()))
    rows = tuple((Cell(each["what"]), Cell(each["owner"]), day(each["due_on"]), _became(each)) for each in got["rows"])
    if not decided and not rows:
        return Section("last-time", TITLE, empty=f"The meeting of {met} decided nothing and agreed no action.")
    made = []
    if decided:
        made.append(Table(f"Decided on {met}", ("About", "Decision"), decided))
    if rows:
        made.append(Table("What was to be done, and what became of it", ("What", "Owner", "Due", "Now"), rows))
    return Section("last-time", TITLE, tables=tuple(made))


def _became(each: dict) -> Cell:
    return Cell(f"Done on {said(each['done_on'], 'j M Y')}" if each["done_on"] else "Still to do")
