"""What was entered since a moment, and had happened before it: then, since, now."""

from pantry.models import EntryKind
from reviews.definitions import DEFINITIONS
from reviews.sections.movement import STEPS
from reviews.tables import Cell, Section, Table, count, day, pence
from reviews.words import is_ours, moment, plural, said

KINDS = {
    **{kind: name for kind, (name, _) in STEPS.items()},
    "joined": "Joined",
    "collected": "Collection entered",
    "undone": "Collection undone",
    "closure": "Closure announced",
    "reopened": "Closure withdrawn",
    **dict(EntryKind.choices),
}
MONEY = {
    "paid_in_advance_pence": "Paid in advance",
    "drawn_pence": "Drawn for blocks",
    "left_pence": "Left",
    "in_pool_pence": "Credit in the pool",
    "joining_pence": "Joining fees",
    "bought_pence": "Weeks bought",
    "credited_pence": "Weeks credited",
}


def section(frozen: dict) -> Section:
    got = frozen["entered"]
    title = f"Entered since {moment(got['known_at'])}"
    told = f"Both are told as at {said(got['as_at'])}: what was known then, and what has been entered since."
    if not got["count"]:
        return Section("entered", title, empty=f"Nothing that had happened by {said(got['as_at'])} was entered later.")
    listed = got["entries"]
    note = (
        f"The latest {len(listed):,} of {got['count']:,} entries are listed; the sums are of all."
        if len(listed) < got["count"]
        else ""
    )
    named = is_ours(frozen)
    columns = ("What", "Happened on", "Entered", "Member", *(["Name"] if named else []), "Pantry", "Amount")
    rows = tuple(
        (
            Cell(KINDS[each["kind"]]),
            day(each["on"]),
            day(each["recorded_at"][:10]),
            Cell(str(each.get("number", ""))),
            *([Cell(each.get("name", ""))] if named else []),
            Cell(each.get("pantry", "")),
            pence(each["pence"]) if "pence" in each else Cell(""),
        )
        for each in listed
    )
    sums = [(DEFINITIONS[key].name, then, now) for key, (then, now) in got["members"].items()]
    sums = [("Weeks members could come", *got["could"]), ("Collections", *got["came"]), *sums]
    heads = ("", "As known then", "Entered since", "Now")
    made = [
        Table("Attendance", heads, tuple(_row(name, then, now, count) for name, then, now in sums)),
        Table(
            "Money of the agreement",
            heads,
            tuple(_row(MONEY[key], then, now, pence) for key, (then, now) in got["money"].items()),
        ),
    ]
    if got["weeks"]:
        made.append(Table("Weeks that read differently now", WEEKS, tuple(_week(each) for each in got["weeks"])))
    made.append(Table("Each entry", columns, rows, note=note))
    sentence = f"{plural(got['count'], 'entry', 'entries')}. {told}"
    return Section("entered", title, (sentence,), None, tuple(made))


WEEKS = ("Week from", "Could come, then", "Now", "Came, then", "Entered since", "Came now")


def _row(name: str, then: int, now: int, cell) -> tuple[Cell, ...]:
    kind = "change" if cell is count else "change_pence"
    return Cell(name), cell(then), Cell(now - then, kind), cell(now)


def _week(each: dict) -> tuple[Cell, ...]:
    (could_then, could_now), (came_then, came_now) = each["could"], each["came"]
    return (
        day(each["week"]),
        count(could_then),
        count(could_now),
        count(came_then),
        Cell(came_now - came_then, "change"),
        count(came_now),
    )
