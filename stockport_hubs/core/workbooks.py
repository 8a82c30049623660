"""Opens a workbook from outside: size, unpacked size and kind are checked before any of it is parsed."""

import io
import warnings
import zipfile
from collections.abc import Iterator

from stockport_hubs.core.errors import Refused

MAX_BYTES = 5 * 1024 * 1024
MAX_UNPACKED = 60 * 1024 * 1024
MAX_PARTS = 500
MAX_COLUMNS = 60
MAX_LINES = 20_000  # blank lines included: a hostile sheet may claim a million
OLD_EXCEL = b"\xd0\xcf\x11\xe0"


class Workbook:
    """The sheets of an .xlsx file, read line by line; use it as a context manager."""

    def __init__(self, content: bytes, name: str) -> None:
        from openpyxl import DEFUSEDXML, load_workbook  # slow to load, and seldom wanted

        if not DEFUSEDXML:
            raise ImportError("openpyxl reads files from outside only with defusedxml installed")
        self.name, self._quiet = name, warnings.catch_warnings(action="ignore")  # what openpyxl leaves out unread
        self._quiet.__enter__()
        try:
            self._book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            self.titles = [sheet.title for sheet in self._book.worksheets]
        except Exception as error:
            self._quiet.__exit__(None, None, None)
            raise _unreadable(name, error)

    def lines(self, title: str) -> Iterator[tuple[int, tuple]]:
        """(number, cells) of each line that holds something; numbers as Excel shows them."""
        try:
            sheet = self._book[title]
            sheet.reset_dimensions()  # what the file says about its size is not to be believed
            for number, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True), start=1):
                if number > MAX_LINES:
                    raise Refused(f"The sheet {title!r} goes on past line {MAX_LINES:,}. Delete the empty lines below.")
                if any(cell is not None and str(cell).strip() for cell in cells):
                    yield number, cells
        except Refused:
            raise
        except Exception as error:
            raise _unreadable(self.name, error)

    def __enter__(self) -> "Workbook":
        return self

    def __exit__(self, *_) -> None:
        self._book.close()
        self._quiet.__exit__(None, None, None)


def check(content: bytes, name: str) -> None:
    """Refuses, in words, what is not an .xlsx file of a sensible size; unpacks no more than the head of each part."""
    if len(content) > MAX_BYTES:
        raise too_large(name)
    if content.startswith(OLD_EXCEL):
        raise Refused(f"{name} is protected by a password or in the old .xls format. Save it as a plain .xlsx file.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            # A part never gives more than the size it declares, so the sum bounds what can be unpacked.
            if len(parts) > MAX_PARTS or unpacked(content) > MAX_UNPACKED:
                raise Refused(f"{name} unpacks to far more than a list of people. It has not been opened.")
            if not any(part.filename == "[Content_Types].xml" for part in parts):
                raise Refused(f"{name} is not an Excel workbook (.xlsx).")
            if any("vbaproject" in part.filename.lower() for part in parts):
                raise Refused(f"{name} holds macros. It has not been opened: save it as .xlsx, without macros.")
            for part in parts:
                with archive.open(part) as opened:
                    if b"<!DOCTYPE" in opened.read(65_536):
                        raise Refused(f"{name} holds XML that no spreadsheet program writes. It has not been opened.")
    except Refused:
        raise
    except Exception as error:
        raise _unreadable(name, error)


def unpacked(content: bytes) -> int:
    """Bytes a workbook takes when it is unpacked, by its own list of parts; 0 for what is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return sum(part.file_size for part in archive.infolist())
    except Exception:  # whatever is wrong with it is said where it is opened
        return 0


def too_large(name: str) -> Refused:
    return Refused(f"{name} is larger than 5 MB. Save the list by itself in a new file.")


def _unreadable(name: str, error: Exception) -> Refused:
    # Only the kind of error: its text could hold what is in the file.
    return Refused(
        f"{name} is not an Excel workbook (.xlsx) that can be read ({type(error).__name__}). "
        "Open it in a spreadsheet program, save it as .xlsx and try again."
    )
