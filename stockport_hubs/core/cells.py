"""One cell of a list: how it is compared, and what it may hold."""

import re
from datetime import date, datetime, timedelta

from stockport_hubs.core.forms import YEARS

LIVE = ("=", "+", "@", "-", "|", "%")  # what a spreadsheet program may run when it stands first
NOTHING = {"", "-", "–", "."}
EXCEL_ERRORS = {"#N/A", "#REF", "#VALUE", "#NAME", "#DIV/0", "#NUM", "#NULL"}


class Problem(Exception):
    """Why a cell cannot be taken; the text never repeats a date or a name."""


def simple(value) -> str:
    """Letters and figures only, small: how headings and values are compared."""
    return re.sub(r"[^a-z0-9]", "", str(value if value is not None else "").casefold())


def text(value) -> str:
    """A cell as one printable line; whole numbers without ".0"."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())


def check_no_error(cell) -> None:
    """Refuses what Excel writes where a formula failed."""
    found = text(cell)
    if found.startswith("#") and found.rstrip("!?").upper() in EXCEL_ERRORS:
        raise Problem("holds an Excel error")


def words(longest: int):
    """A reader of a line of text: refuses what is too long, or what a spreadsheet program might run."""

    def reader(cell) -> str:
        found = text(cell)
        if found in NOTHING:
            return ""
        if found.startswith(LIVE):
            raise Problem(f"begins with “{found[0]}”, as a formula does")
        if len(found) > longest:
            raise Problem(f"is longer than {longest} characters")
        return found

    return reader


def reference(cell) -> str:
    found = text(cell)
    if len(found) > 40 or not re.fullmatch(r"(\w[\w./ -]*)?", found):
        raise Problem("is not an id: at most 40 letters, figures and - . / _, beginning with a letter or figure")
    return found


def day(cell) -> date | None:
    """A date cell, a day number, or text with the day first or the year first."""
    found = _day(cell)
    if found and found.year not in YEARS:
        raise Problem("is not a date of our time")
    return found


def _day(cell) -> date | None:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if 10_000 <= cell <= 60_000:
            return date(1899, 12, 30) + timedelta(days=int(cell))
        raise Problem("is not a date")
    typed = text(cell)
    if not typed:
        return None
    match = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T]00:00(?::00)?)?", typed)
    parts = match and (match[3], match[2], match[1])
    match = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]00:00(?::00)?)?", typed)
    parts = parts or (match and (match[1], match[2], match[3]))
    try:
        year, month, number = map(int, parts or ())
        return date(year, month, number)
    except ValueError:
        raise Problem("is not a date, such as 27/03/2003")
