"""Reads the opening position: running memberships from a spreadsheet, row by row, with row, column and reason.

What a line says is judged here; whether it fits what is there already, in `services.opening`.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from stockport_hubs.core.cells import Problem, check_no_error, day, reference, simple, text
from stockport_hubs.core.csv_files import CsvFile, is_workbook
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.workbooks import MAX_BYTES, Workbook, check, too_large

MAX_ROWS = 2_000
__all__ = ["COLUMNS", "MAX_BYTES", "Line", "read", "too_large"]
HEADING_LINES = 10  # headings stand in one of the first lines; some files have a title above
COLUMNS = {
    "reference": ("reference", {"reference", "ref", "councilreference"}),
    "pantry": ("pantry", {"pantry", "pantryname"}),
    "number": ("number", {"number", "membershipnumber", "membernumber", "memberno"}),
    "joined_on": ("joined on", {"joinedon", "joined", "datejoined"}),
    "weeks_left": ("weeks left", {"weeksleft", "weeksremaining", "weekstocome"}),
    "weekly_pence": ("pence per week", {"penceperweek", "penceaweek", "weeklypence"}),
    "funder": ("funder", {"funder", "fundedby", "agreement"}),
}


@dataclass
class Line:
    """One running membership as the spreadsheet has it; money in pence."""

    row: int
    reference: str = ""
    pantry: str = ""
    number: int = 0
    joined_on: str = ""  # ISO
    weeks_left: int = 0
    weekly_pence: int = 0
    funder: str = ""
    problems: list[tuple[str, str]] = field(default_factory=list)  # (column, reason)

    @property
    def pence(self) -> int:
        return self.weeks_left * self.weekly_pence

    @property
    def day(self) -> date | None:
        return date.fromisoformat(self.joined_on) if self.joined_on else None

    def refuse(self, column: str, reason: str) -> None:
        self.problems.append((COLUMNS[column][0], reason))

    def kept(self) -> dict[str, Any]:
        """As a proposal keeps it."""
        return {name: value for name, value in asdict(self).items() if name != "problems"}


def read(content: bytes, *, name: str = "The file") -> list[Line]:
    """The lines of the first sheet, or of CSV; Refused where it cannot be read or a column is missing. `name` is for
    the refusal alone."""
    if len(content) > MAX_BYTES:
        raise too_large(name)
    if not is_workbook(content):
        return _lines(CsvFile(content, name).lines(""), name)
    check(content, name)
    with Workbook(content, name) as book:
        if not book.titles:
            raise Refused(f"{name} holds no sheet.")
        return _lines(book.lines(book.titles[0]), name)


def _lines(lines: Iterator[tuple[int, tuple]], name: str) -> list[Line]:
    columns = _headings(name, lines)
    found: list[Line] = []
    for number, cells in lines:
        if len(found) == MAX_ROWS:
            raise Refused(f"{name} holds more than {MAX_ROWS:,} memberships. Split it into two files.")
        found.append(_line(number, {name: cells[n] if n < len(cells) else None for name, n in columns.items()}))
    if not found:
        raise Refused(f"{name} holds headings and no membership.")
    for column in ("reference", "number"):
        _refuse_twice(found, column)
    return found


def _headings(name: str, lines: Iterator[tuple[int, tuple]]) -> dict[str, int]:
    for number, cells in lines:
        columns: dict[str, int] = {}
        for n, cell in enumerate(cells):
            for column, (said, aliases) in COLUMNS.items():
                if simple(cell) in aliases:
                    if column in columns:
                        raise Refused(f"Two columns are headed “{said}”. Keep one of them.")
                    columns[column] = n
        if set(columns) == set(COLUMNS):
            return columns
        if len(columns) > 2:  # the line of headings, with some left out
            missing = ", ".join(said for column, (said, _) in COLUMNS.items() if column not in columns)
            raise Refused(f"{name} has no column headed {missing}.")
        if number >= HEADING_LINES:
            break
    raise Refused(f"{name} has no line of headings: {', '.join(said for said, _ in COLUMNS.values())}.")


def _line(number: int, cells: dict[str, Any]) -> Line:
    line = Line(number)
    for column, cell in cells.items():
        try:
            check_no_error(cell)
            if not text(cell):
                raise Problem("is empty")
            setattr(line, column, READERS[column](cell))
        except Problem as problem:
            line.refuse(column, str(problem))
    return line


def _refuse_twice(lines: list[Line], name: str) -> None:
    seen: dict[object, int] = {}
    for line in lines:
        said = getattr(line, name)
        if said and said in seen:
            line.refuse(name, f"is also in row {seen[said]}")
        elif said:
            seen[said] = line.row


def _whole(low: int, high: int, what: str) -> Callable[[object], int]:
    def read(cell) -> int:
        said = text(cell)
        if not (said.isascii() and said.isdigit()) or len(said) > 9 or not low <= int(said) <= high:
            raise Problem(f"must be {what}")
        return int(said)

    return read


def _joined(cell) -> str:
    found = day(cell)
    if found is None:
        raise Problem("is not a date, such as 27/03/2026")
    return found.isoformat()


READERS: dict[str, Callable[[Any], Any]] = {
    "reference": reference,
    "pantry": lambda cell: text(cell)[:120],
    "number": _whole(1, 99_999_999, "a membership number, such as 214"),
    "joined_on": _joined,
    "weeks_left": _whole(1, 26, "1 to 26 weeks. Who has none left is bought weeks on their page afterwards"),
    "weekly_pence": _whole(1, 10_000, "whole pence, such as 350 for £3.50"),
    "funder": lambda cell: text(cell)[:120],
}
