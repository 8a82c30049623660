"""A document as a workbook: the summary, then a sheet for each table; typed cells, and nothing a spreadsheet runs."""

import io
import re
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from reviews.tables import Cell, Document, Table

FORMATS = {"count": "#,##0", "pence": "£#,##0.00", "percent": "0%", "day": "d mmm yyyy"} | {
    "change": "+#,##0;-#,##0;0",
    "change_pence": "+£#,##0.00;-£#,##0.00;£0.00",
}
LONGEST = 31  # of a sheet's name
NO_NAME = re.compile(r"[\[\]:*?/\\]")
WIDEST = 60


class Put(NamedTuple):
    """What a cell of a sheet holds: a value, its format (text has none), and whether it is a heading."""

    value: Any
    format: str = ""
    bold: bool = False


def to_xlsx(document: Document) -> bytes:
    """Every table of the document; counts, pounds, shares and days are numbers and dates, all else is text."""
    book = Workbook(write_only=True)
    names: set[str] = set()
    rows: list[list[Put]] = [[Put(document.title, bold=True)], []]
    rows += [[Put(name), Put(value)] for name, value in document.facts]
    rows += [[], [Put("Summary", bold=True)]]
    rows += [[Put(each.name), Put(each.number), Put(each.sentence)] for each in document.points]
    _sheet(book, _name("Summary", names), rows)
    for section in document.sections:
        for table in section.tables:
            name = _name(section.title if len(section.tables) == 1 else table.caption, names)
            _sheet(book, name, _rows(f"{section.title}: {table.caption}", table))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _rows(title: str, table: Table) -> list[list[Put]]:
    rows = [[Put(title, bold=True)], [Put(name, bold=True) for name in table.columns]]
    rows += [[_put(cell) for cell in row] for row in (*table.rows, *([table.total] if table.total else []))]
    return [*rows, [], [Put(table.note)]] if table.note else rows


def _put(cell: Cell) -> Put:
    value = cell.value
    if value is None or cell.kind not in FORMATS:
        return Put(cell.shown)
    if cell.kind in ("pence", "change_pence", "percent"):
        value = Decimal(value) / 100
    elif isinstance(value, str):
        value = date.fromisoformat(value)
    return Put(value, FORMATS[cell.kind])


def _sheet(book: Workbook, name: str, rows: list[list[Put]]) -> None:
    sheet = book.create_sheet(name)
    for n in range(max(len(row) for row in rows)):
        # The first row is the title, which may run on over the columns beside it.
        widest = max((len(str(row[n].value)) for row in rows[1:] if n < len(row)), default=0)
        sheet.column_dimensions[get_column_letter(n + 1)].width = min(max(widest, 8) + 2, WIDEST)
    for row in rows:
        sheet.append([_cell(sheet, put) for put in row])


def _cell(sheet, put: Put) -> WriteOnlyCell:
    if put.format:
        made = WriteOnlyCell(sheet, value=put.value)
        made.number_format = put.format
        return made
    made = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub(" ", put.value))
    made.data_type = "s"  # whatever the text begins with
    if put.bold:
        made.font = Font(bold=True)
    return made


def _name(wanted: str, taken: set[str]) -> str:
    """A sheet's name: short enough, without what Excel refuses, and no other's."""
    plain = NO_NAME.sub(" ", ILLEGAL_CHARACTERS_RE.sub(" ", wanted)).strip("' ") or "Table"
    name, n = plain[:LONGEST].strip("' "), 1
    while name.lower() in taken:
        n += 1
        name = f"{plain[: LONGEST - 4].strip()} ({n})"
    taken.add(name.lower())
    return name
