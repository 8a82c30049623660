"""The printing process: HTML on stdin, PDF on stdout. Started by `stockport_hubs.pdf.render`, never imported.

The only importer of WeasyPrint. Arguments: memory limit in MiB, time limit in seconds.
"""

import ctypes
import io
import re
import resource
import signal
import sys
from pathlib import Path

STYLESHEET = Path(__file__).with_name("pack.css")
NO_PANGO, NO_MEMORY = 3, 4
PR_SET_PDEATHSIG = 1
MARKED = rb"/\w+\s*<</MCID (\d+)>>\s*BDC"


def limit(memory_mib: int, seconds: int) -> None:
    """Memory, processor time, no core file, and no life after the job that started us."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_mib << 20, memory_mib << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def to_pdf(html: str) -> bytes:
    """PDF/UA-1 with tags; anything the document asks for from elsewhere is refused."""
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    class OnlyData(URLFetcher):
        """data: addresses hold their own content; every other address is refused before anything is opened."""

        def fetch(self, url, headers=None):
            if not url.lower().startswith("data:"):
                raise ValueError("Documents open no addresses.")
            return super().fetch(url, headers)

    fetcher, fonts = OnlyData(), FontConfiguration()
    css = CSS(string=STYLESHEET.read_text(encoding="utf-8"), url_fetcher=fetcher, font_config=fonts)
    document = HTML(string=html, base_url=None, url_fetcher=fetcher)
    return document.write_pdf(stylesheets=[css], font_config=fonts, pdf_variant="pdf/ua-1", pdf_tags=True)


def for_readers(pdf: bytes) -> bytes:
    """What WeasyPrint leaves out: every header cell says whether it heads a column or a row, a link says in words where
    it leads, and what stands in the margins of a page is marked as its furniture."""
    import pikepdf

    with pikepdf.open(io.BytesIO(pdf)) as document:
        root = document.Root.get("/StructTreeRoot")
        waiting = [(root, "")] if root is not None else []
        read: dict[tuple[int, int], set[int]] = {}  # page → its pieces of text that the tags read
        while waiting:
            element, section = waiting.pop()
            _note_text(element, read)
            kind = str(element.get("/S", ""))
            if kind in ("/THead", "/TBody", "/TFoot", "/Table"):
                section = kind
            if kind == "/TH" and not _has_scope(element):
                scope = pikepdf.Name.Column if section == "/THead" else pikepdf.Name.Row
                table = pikepdf.Dictionary(O=pikepdf.Name.Table, Scope=scope)
                known = element.get("/A")
                if known is None:
                    element.A = table
                elif isinstance(known, pikepdf.Array):
                    known.append(table)
                else:
                    element.A = pikepdf.Array([known, table])
            waiting += [(child, section) for child in _children(element)]
        numbers = pikepdf.NumberTree(root.ParentTree) if root is not None else {}
        for page in document.pages:
            _mark_furniture(document, page, read.get(page.obj.objgen, set()), numbers)
            for note in page.get("/Annots", []):
                if "/Dest" in note and isinstance(note.Dest, pikepdf.String):
                    note.Contents = pikepdf.String(f"Go to {str(note.Dest).replace('-', ' ')}")
        out = io.BytesIO()
        document.save(out, deterministic_id=True)
    return out.getvalue()


def _note_text(element, read: dict[tuple[int, int], set[int]]) -> None:
    import pikepdf

    kids = element.get("/K")
    for kid in list(kids) if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, int):
            read.setdefault(element.Pg.objgen, set()).add(int(kid))
        elif isinstance(kid, pikepdf.Dictionary) and "/MCID" in kid:
            read.setdefault(kid.get("/Pg", element.get("/Pg")).objgen, set()).add(int(kid.MCID))


def _mark_furniture(document, page, read: set[int], numbers) -> None:
    """Text of a page that no tag reads is what WeasyPrint put into its margins: title, maker, number of the page."""
    import pikepdf

    known = numbers[int(page.StructParents)] if "/StructParents" in page else []

    def mark(found: re.Match) -> bytes:
        number = int(found[1])
        if number in read:
            return found[0]
        if number < len(known):
            known[number] = None
        return b"/Artifact <</Type /Pagination>> BDC"

    parts = page.Contents if isinstance(page.Contents, pikepdf.Array) else [page.Contents]
    content = b"\n".join(part.read_bytes() for part in parts)
    page.Contents = document.make_stream(re.sub(MARKED, mark, content))


def _attributes(element) -> list:
    import pikepdf

    known = element.get("/A")
    if known is None:
        return []
    return list(known) if isinstance(known, pikepdf.Array) else [known]


def _has_scope(element) -> bool:
    return any("/Scope" in each for each in _attributes(element))


def _children(element) -> list:
    import pikepdf

    kids = element.get("/K")
    if kids is None:
        return []
    kids = list(kids) if isinstance(kids, pikepdf.Array) else [kids]
    return [kid for kid in kids if isinstance(kid, pikepdf.Dictionary) and "/S" in kid]


def main() -> int:
    limit(int(sys.argv[1]), int(sys.argv[2]))
    html = sys.stdin.buffer.read().decode()
    try:
        import weasyprint  # noqa: F401
    except OSError:  # a shared library it loads by name is not there
        return NO_PANGO
    try:
        pdf = for_readers(to_pdf(html))
    except MemoryError:
        return NO_MEMORY
    sys.stdout.buffer.write(pdf)
    return 0


if __name__ == "__main__":
    sys.exit(main())
