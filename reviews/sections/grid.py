"""Member by member, week by week."""

from dataclasses import replace

from reviews.tables import Cell, Section, Table, count
from reviews.words import is_ours, members, said

# One letter a week in the grid: frozen letter → (what is printed, what it means).
LETTERS = {
    "c": ("1", "came"),
    "m": ("0", "missed"),
    "t": ("·", "still to come"),
    "p": ("p", "paused"),
    "x": ("x", "closed"),
    "o": ("", "not a member yet, or any more"),
}
GRID_LIMIT = 200


def section(frozen: dict, printed: bool) -> Section:
    rows, made = frozen["grid"], Section("grid", "Member by member, week by week")
    if frozen.get("grid_members"):
        return replace(
            made, empty=f"The grid of {members(frozen['grid_members'])} is too large for a page; it is in the CSV."
        )
    if not rows or not frozen["weeks"]:
        return replace(made, empty="Nobody was a member in this period.")
    if printed and len(rows) > GRID_LIMIT:
        return replace(made, empty=f"The grid of {members(len(rows))} is too large to print; it is in the CSV.")
    return replace(made, tables=(_grid(frozen, rows, is_ours(frozen)),))


def _grid(frozen: dict, rows: list[dict], named: bool) -> Table:
    weeks = [said(each["week"], "j M") for each in frozen["weeks"]]
    who = ("Member", "Name") if named else ("Member",)

    def row(each: dict) -> tuple[Cell, ...]:
        letters = each["weeks"]
        came, could = letters.count("c"), sum(letters.count(letter) for letter in "cmt")
        first = (Cell(str(each["number"])), Cell(each.get("name", "")))[: len(who)]
        return (*first, *(Cell(LETTERS[letter][0], "mark") for letter in letters), count(came), count(could))

    key = ", ".join(f"{mark} {words}" for mark, words in LETTERS.values() if mark)
    return Table(
        "Each member and week",
        (*who, *weeks, "Came", "Of"),
        tuple(row(each) for each in rows),
        note=f"{key}, empty: {LETTERS['o'][1]}. “Of” counts the weeks in which the member could come.",
        is_grid=True,
    )
