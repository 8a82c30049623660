"""What a pack is made of: sections with sentences, tables and charts; the same objects become page, PDF and CSV."""

import csv
import io
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils import formats

from reviews.words import NOT_SHOWN
from stockport_hubs.charts.shapes import Bars, Columns
from stockport_hubs.core import money
from stockport_hubs.core.spreadsheets import plain_pounds, safe

CHANGES = ("change", "change_pence")
MOST = 60  # pantries, or advisors, of a table on a page and in print
LISTED = 200  # rows of a list there


@dataclass(frozen=True)
class Cell:
    """A value and how it reads. `key` names the figure, so that a page can lead to the people behind it."""

    value: Any
    kind: str = "text"  # text, count, pence, percent, day, mark, change and change_pence (with their sign)
    key: str = ""

    @property
    def shown(self) -> str:
        """On a page and in a PDF."""
        if self.value is None:
            return {"day": "no date", "percent": "–", "text": ""}.get(self.kind, NOT_SHOWN)
        if self.kind == "count":
            return f"{self.value:,}"
        if self.kind == "pence":
            return money.pounds(self.value)
        if self.kind == "percent":
            return f"{self.value}%"
        if self.kind in CHANGES:
            size = money.pounds(abs(self.value)) if self.kind == "change_pence" else f"{abs(self.value):,}"
            return f"{'+' if self.value > 0 else '−' if self.value < 0 else ''}{size}"
        if self.kind == "day":
            return formats.date_format(_day(self.value), "j M Y")
        return str(self.value)

    @property
    def plain(self) -> str:
        """In CSV: numbers without signs of money, ISO dates, and no text a spreadsheet would run."""
        if self.value is None:
            return NOT_SHOWN if self.kind in ("count", "pence") else ""
        if self.kind in ("pence", "change_pence"):
            return plain_pounds(self.value)
        if self.kind in ("count", "percent", "change"):
            return str(self.value)
        return safe(str(self.value))

    @property
    def is_numeric(self) -> bool:
        return self.kind in ("count", "pence", "percent", *CHANGES)


@dataclass(frozen=True)
class Table:
    """Rows under column names; the first cell of a row is its header. `is_grid` marks the wide member × week grid,
    `guarded` a table whose small counts are hidden for this audience. `seen`: what a page and print show of a long
    table (`cut`); the files hold all its rows."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()
    note: str = ""
    is_grid: bool = False
    guarded: bool = False
    seen: tuple[tuple[Cell, ...], ...] = ()

    @property
    def in_view(self) -> tuple[tuple[Cell, ...], ...]:
        """The rows of a page, and in print."""
        return self.seen or self.rows

    @property
    def shape(self) -> str:
        """narrow: few columns, so that a number stays near its name; short: kept on one page."""
        if self.is_grid:
            return "grid"
        narrow = len(self.columns) <= 3 and not any(len(cell.shown) > 40 for row in self.in_view for cell in row)
        return " ".join(name for name, holds in (("narrow", narrow), ("short", len(self.in_view) <= 15)) if holds)

    @property
    def heads(self) -> list[tuple[str, bool]]:
        """(column name, numeric) by the kinds of the column's cells."""
        numeric = {n for row in self.in_view for n, cell in enumerate(row) if cell.is_numeric}
        return [(name, n in numeric) for n, name in enumerate(self.columns)]

    @property
    def is_compact(self) -> bool:
        """A few numbers beside a name: a table on a phone too, where others turn into cards."""
        cells = [cell for row in self.in_view for cell in row[1:]]
        few = not self.is_grid and 2 <= len(self.columns) <= 6 and cells[:1] and cells[0].is_numeric
        return bool(few) and all(cell.is_numeric or len(cell.shown) < 8 for cell in cells)

    @property
    def labelled(self) -> list[list[tuple[str, Cell]]]:
        """Rows as (column name, cell) pairs, for tables that turn into cards on a phone."""
        return [list(zip(self.columns, row, strict=True)) for row in self.in_view]

    @property
    def labelled_total(self) -> list[tuple[str, Cell]]:
        return list(zip(self.columns, self.total, strict=True))


@dataclass(frozen=True)
class Section:
    """One heading of a pack: sentences, a chart with its table, tables. `empty` says why there is nothing."""

    slug: str
    title: str
    sentences: tuple[str, ...] = ()
    chart: Bars | Columns | None = None
    tables: tuple[Table, ...] = ()
    empty: str = ""


@dataclass(frozen=True)
class Point:
    """One line of page 1: a large number, its name, and a sentence."""

    number: str
    name: str
    sentence: str
    key: str = ""


@dataclass
class Document:
    """A whole pack: what is said on top, page 1 in words, then the sections. `decisions` is None where nothing is
    decided: in a look back on a year."""

    title: str
    facts: list[tuple[str, str]]
    points: list[Point]
    decisions: list[str] | None
    sections: list[Section] = field(default_factory=list)


def first(name: str, columns: tuple[str, ...], rows: tuple[tuple[Cell, ...], ...]) -> Table:
    """A list in its order, of which a page and the paper show the first `LISTED`."""
    if len(rows) <= LISTED:
        return Table(name, columns, rows)
    note = f"The first {LISTED} of {len(rows):,} are shown; the CSV has all."
    return Table(name, columns, rows, note=note, seen=rows[:LISTED])


def cut(found: list[dict], key: str) -> tuple[list[dict], list[dict]]:
    """(the `MOST` with the most of a number, the others) of a list too long for a page, each in its order; of a shorter
    one everything."""
    if len(found) <= MOST:
        return found, []
    greatest = sorted(found, key=lambda each: each[key], reverse=True)[:MOST]
    kept = {id(each) for each in greatest}
    return [each for each in found if id(each) in kept], [each for each in found if id(each) not in kept]


def count(value: int | None, key: str = "") -> Cell:
    return Cell(value, "count", key)


def pence(value: int | None) -> Cell:
    return Cell(value, "pence")


def percent(part: int | None, whole: int | None) -> Cell:
    """Whole per cent, halves up; nothing of nothing is no percentage, and of hidden counts it is hidden."""
    if part is None or whole is None:
        return count(None)
    return Cell((200 * part + whole) // (2 * whole) if whole else None, "percent")


def day(value: str | date | None) -> Cell:
    return Cell(value, "day")


def to_csv(document: Document) -> str:
    """Every table of the document, one below the other: its caption, its columns, its rows."""
    out = io.StringIO()
    write = csv.writer(out).writerow
    write([safe(document.title)])
    for name, value in document.facts:
        write([safe(name), safe(value)])
    write([])
    write(["Summary"])
    for point in document.points:
        write([safe(point.name), safe(point.number), safe(point.sentence)])
    for section in document.sections:
        for table in section.tables:
            write([])
            write([safe(f"{section.title}: {table.caption}")])
            write([safe(name) for name in table.columns])
            for row in (*table.rows, *([table.total] if table.total else [])):
                write([cell.plain for cell in row])
    return out.getvalue()


def _day(value: str | date) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value
