"""Reads the council's lists of young people: Annex A List 9 in both layouts, SSDA903 OC3, and our own template.

`read(content, name=..., today=...)` gives a Sheet: rows understood, or refused with row, column and reason. Nothing is
stored here. What the scheme does not need is left out unread: ethnicity, gender, disability and UASC (rules.md).
"""

import re
from datetime import date

from careleavers.importing import lists, oc3
from careleavers.importing.rows import MAX_ROWS, Layout, Row, Sheet, read_rows, simple
from stockport_hubs.core import workbooks
from stockport_hubs.core.cells import text
from stockport_hubs.core.csv_files import CsvFile, is_workbook
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.workbooks import MAX_BYTES, Workbook, too_large, unpacked

__all__ = ["LAYOUTS", "MAX_BYTES", "MAX_ROWS", "Layout", "Row", "Sheet", "check", "read", "too_large", "unpacked"]

LAYOUTS: dict[str, Layout] = {each.key: each for each in (lists.ANNEX_A, oc3.OC3, lists.TEMPLATE)}
LIST_9 = re.compile(r"list0?9(?!\d)|^(annexa)?careleavers$")
SHEETS = ((LIST_9, lists.ANNEX_A), (re.compile("^youngpeople"), lists.TEMPLATE), (re.compile("^oc3"), oc3.OC3))


def check(content: bytes, *, name: str) -> None:
    """Refuses what is too large, or unpacks to far more than a list; cheap, and nothing is parsed."""
    if len(content) > MAX_BYTES:
        raise too_large(name)
    if is_workbook(content):
        workbooks.check(content, name)


def read(content: bytes, *, name: str = "The file", today: date) -> Sheet:
    """The list in a file; Refused when there is none, or it cannot be read. `name` is for the refusal alone."""
    check(content, name=name)
    if not is_workbook(content):
        return read_rows(CsvFile(content, name), "", [oc3.OC3, lists.TEMPLATE], today)
    with Workbook(content, name) as book:
        for pattern, layout in SHEETS:
            found = [title for title in book.titles if pattern.search(simple(title))]
            if found:
                return read_rows(book, found[0], [layout], today)
        there = ", ".join(text(title)[:31] for title in book.titles[:20])
        raise Refused(f"There is no sheet “List 9” or “Young people” in {name}. It holds: {there}.")
