"""CSV that a spreadsheet opens as what it is: no text that would be run, UTF-8 with the mark by which it is known."""

import csv
import io
import unicodedata
from collections.abc import Iterable

from django.http import HttpResponse

LIVE_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(text: str) -> str:
    """A spreadsheet runs what begins like a formula, some also after blanks or in full-width signs; an apostrophe keeps
    it text."""
    plain = unicodedata.normalize("NFKC", text)
    return f"'{text}" if plain.startswith(LIVE_BEGINNINGS) or plain.lstrip().startswith(LIVE_BEGINNINGS) else text


def plain_pounds(pence: int) -> str:
    """-1234.50: a number, without signs of money."""
    sign, pence = ("-", -pence) if pence < 0 else ("", pence)
    return f"{sign}{pence // 100}.{pence % 100:02d}"


class Pounds(int):
    """Pence that a file says as pounds."""


def to_csv(rows: Iterable[Iterable[object]]) -> str:
    """Text is made safe, `Pounds` are pounds, other numbers stay."""
    out = io.StringIO()
    write = csv.writer(out).writerow
    for row in rows:
        write([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: object) -> str:
    if isinstance(value, Pounds):
        return plain_pounds(value)
    return str(value) if isinstance(value, int) else safe(str(value))


def download(text: str, name: str) -> HttpResponse:
    """The file `name`.csv."""
    response = HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
