"""Numbers read back out of packs, to be held against each other: page, PDF, CSV, workbook."""

import csv
import functools
import io
import re
from html import unescape
from html.parser import HTMLParser

from openpyxl import load_workbook
from pypdf import PdfReader

from reviews import documents, tables
from reviews.models import ReviewPack
from tests.pack_scene import get

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


class Text(HTMLParser):
    """The words of the page's main part, links and tables included."""

    def __init__(self):
        super().__init__()
        self.found, self.skip = [], 0

    def handle_starttag(self, tag, attrs):
        self.skip += tag in ("svg", "title", "style")

    def handle_endtag(self, tag):
        self.skip -= tag in ("svg", "title", "style")

    def handle_data(self, data):
        if not self.skip:
            self.found.append(data)


def numbers(text: str) -> list[str]:
    """Every number, thousands marks taken out, as text with the pence where there are some."""
    return [found.replace(",", "") for found in NUMBER.findall(text)]


def table_numbers(document: tables.Document, attribute: str) -> list[list[str]]:
    """The numeric cells of every table but the grid, row by row."""
    return [
        [getattr(cell, attribute).replace("£", "").replace(",", "") for cell in row if cell.is_numeric]
        for section in document.sections
        for table in section.tables
        for row in (*table.rows, *([table.total] if table.total else []))
    ]


@functools.cache
def pages(content: bytes) -> list[str]:
    """The text of each page of a PDF; of what stands in for one, its headings, sentences and rows, a line each."""
    if content.startswith(b"%PDF-<"):
        rows = re.findall(r"(?s)<tr.*?</tr>|<p[ >].*?</p>|<h[123]>.*?</h[123]>", content.decode())
        return ["\n".join(unescape(" ".join(re.sub(r"<[^>]+>", " ", row).split())) for row in rows)]
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def pdf_text(pack: ReviewPack) -> str:
    return "\n".join(pages(bytes(pack.pdf)))


def missing(expected: list[str], text: str) -> list[str]:
    """Numbers that do not stand in the text as often as expected."""
    have = numbers(text)
    return [number for number in set(expected) if have.count(number) < expected.count(number)]


def expected(document: tables.Document) -> list[str]:
    """Every number of the tables, and of page 1."""
    shown = [number for row in table_numbers(document, "shown") for number in row if numbers(number)]
    points = [number for point in document.points for number in numbers(f"{point.number} {point.sentence}")]
    return [numbers(number)[0] for number in shown] + points


def check_everywhere_the_same(pack: ReviewPack, user) -> int:
    """What the frozen figures say stands on the page, in the PDF, in the CSV and in the workbook; how many numbers."""
    document = documents.document(pack.figures)
    wanted, reader = expected(document), Text()
    reader.feed(get(user, "pack", pack).content.decode())
    assert missing(wanted, " ".join(reader.found)) == []
    assert missing(wanted, pdf_text(pack)) == []
    rows = csv.reader(io.StringIO(get(user, "pack_csv", pack).content.decode()))
    assert missing(wanted, "\n".join(cell for row in rows for cell in row)) == []
    check_workbook(document, get(user, "pack_xlsx", pack).content)
    return len(wanted)


def check_workbook(document: tables.Document, content: bytes) -> None:
    """A sheet for each table, a typed cell for each of its cells."""
    book = load_workbook(io.BytesIO(content))
    wanted = [(section, table) for section in document.sections for table in section.tables]
    assert len(book.sheetnames) == len(wanted) + 1
    for sheet, (section, table) in zip(book.worksheets[1:], wanted, strict=True):
        rows = list(sheet.iter_rows())
        assert rows[0][0].value == f"{section.title}: {table.caption}"
        said = [*table.rows, *([table.total] if table.total else [])]
        assert len(rows) >= 2 + len(said)
        for found, row in zip(rows[2:], said, strict=False):
            for cell, each in zip(found, row, strict=False):
                if each.value is None or each.kind in ("text", "mark"):
                    assert (cell.value or "") == each.shown
                elif each.kind in ("pence", "percent"):
                    assert (cell.data_type, round(cell.value * 100)) == ("n", each.value)
                elif each.kind == "day":
                    assert (cell.data_type, cell.value.date().isoformat()) == ("d", each.value)
                else:
                    assert (cell.data_type, cell.value) == ("n", each.value)
