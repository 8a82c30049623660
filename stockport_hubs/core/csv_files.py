"""Opens a CSV file from outside: its encoding and its separator are found out, and nothing that is not text is read."""

import codecs
import csv
import io
from collections.abc import Iterator

from stockport_hubs.core.errors import Refused
from stockport_hubs.core.workbooks import MAX_COLUMNS, MAX_LINES, OLD_EXCEL

WORKBOOKS = (b"PK", OLD_EXCEL)  # .xlsx, and .xls or a file with a password
SEPARATORS = ",;\t|"


def is_workbook(content: bytes) -> bool:
    """By its first bytes: names of files say little."""
    return content.startswith(WORKBOOKS)


class CsvFile:
    """The lines of a CSV file, by the same calls as a Workbook's sheets."""

    def __init__(self, content: bytes, name: str) -> None:
        self.name, self.text = name, _text(content, name)
        first = next((line for line in self.text.splitlines() if line.strip()), "")
        self.separator = max(SEPARATORS, key=first.count)

    def lines(self, title: str) -> Iterator[tuple[int, tuple]]:
        """(number, cells) of each line that holds something."""
        reader = csv.reader(io.StringIO(self.text, newline=""), delimiter=self.separator, strict=True)
        try:
            for cells in reader:
                if reader.line_num > MAX_LINES:
                    raise Refused(f"{self.name} goes on past line {MAX_LINES:,}. Delete the empty lines below.")
                if any(cell.strip() for cell in cells):
                    yield reader.line_num, tuple(cells[:MAX_COLUMNS])
        except csv.Error:
            raise Refused(
                f"Line {reader.line_num:,} of {self.name} cannot be read: a quotation mark is missing or too many. "
                "Open it in a spreadsheet program and save it as CSV again."
            )


def _text(content: bytes, name: str) -> str:
    """UTF-8, UTF-16 with its mark, or what Windows writes; Refused when it is no text."""
    if not content.strip():
        raise Refused(f"{name} is empty. Choose the file with the list.")
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ["utf-16"] if marked else ["utf-8-sig", "cp1252"]:
        try:
            found = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in found:
            return found
    raise Refused(
        f"{name} is neither an Excel workbook (.xlsx) nor a CSV file that can be read. Open it in a spreadsheet "
        "program, save it as .xlsx or as “CSV UTF-8” and try again."
    )
