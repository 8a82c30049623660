"""The printing process: tagged, the same bytes twice, no network, no files, and limits that end in a sentence."""

import io
import os
import re
import socket
import subprocess
import sys
import threading

import pikepdf
import pytest

from stockport_hubs import pdf
from stockport_hubs.core.errors import Refused

pytestmark = [pytest.mark.prints, pytest.mark.sqlite]  # the database does not matter

PAGE = (
    "<!DOCTYPE html><html lang='en-GB'><head><meta charset='utf-8'><title>A pack</title></head><body><h1>A pack</h1>"
    "{}<table><thead><tr><th>Week</th><th>Came</th></tr></thead>"
    "<tbody><tr><th>6 April</th><td>5</td></tr></tbody></table>"
    "</body></html>"
)


@pytest.fixture(scope="module")
def printed() -> bytes:
    return pdf.from_html(PAGE.format(""))


def elements(document: bytes):
    """(kind, attributes) of every element of the structure tree, in reading order."""

    def walk(element):
        yield str(element.get("/S", "")), element.get("/A")
        kids = element.get("/K")
        for kid in list(kids) if isinstance(kids, pikepdf.Array) else [kids]:
            if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
                yield from walk(kid)

    with pikepdf.open(io.BytesIO(document)) as opened:
        yield from list(walk(opened.Root.StructTreeRoot))


def scopes(document: bytes) -> list[str]:
    """The scope of each header cell; "none" where there is none."""
    found = []
    for kind, attributes in elements(document):
        if kind == "/TH":
            each = list(attributes) if isinstance(attributes, pikepdf.Array) else [attributes]
            found.append(next((str(a["/Scope"]) for a in each if a is not None and "/Scope" in a), "none"))
    return found


def test_the_same_document_gives_the_same_bytes(printed):
    assert pdf.from_html(PAGE.format("")) == printed


def test_title_language_and_marks_are_there(printed):
    with pikepdf.open(io.BytesIO(printed)) as opened:
        root = opened.Root
        assert (str(root.Lang), bool(root.MarkInfo.Marked)) == ("en-GB", True)
        assert str(opened.docinfo["/Title"]) == "A pack"
        assert bool(root.ViewerPreferences.DisplayDocTitle) is True
        assert re.search(r"pdfuaid:part(>|=.)1\b", root.Metadata.read_bytes().decode())


def test_every_header_cell_has_its_scope(printed):
    assert scopes(printed) == ["/Column", "/Column", "/Row"]


def test_a_header_cell_without_scope_would_be_found(printed):
    with pikepdf.open(io.BytesIO(printed)) as opened:
        row = opened.Root.StructTreeRoot
        stack = [row]
        while stack:
            element = stack.pop()
            if str(element.get("/S", "")) == "/TH":
                del element["/A"]
                break
            kids = element.get("/K")
            kids = list(kids) if isinstance(kids, pikepdf.Array) else [kids]
            stack += [kid for kid in kids if isinstance(kid, pikepdf.Dictionary)]
        out = io.BytesIO()
        opened.save(out)
    assert "none" in scopes(out.getvalue())


class Listener:
    """A server that counts who connects."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.seen = self.socket.getsockname()[1], 0
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.seen += 1
            connection.close()

    def close(self):
        # Closing alone leaves a thread waiting in accept().
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(5)


@pytest.fixture
def listener():
    made = Listener()
    yield made
    made.close()


HOSTILE = [
    '<img src="http://127.0.0.1:{port}/a" alt="x">',
    '<link rel="stylesheet" href="http://127.0.0.1:{port}/b.css">',
    "<style>@import url(http://127.0.0.1:{port}/c); h1 {{ background: url(http://127.0.0.1:{port}/d) }}</style>",
    "<style>@font-face {{ font-family: x; src: url(http://127.0.0.1:{port}/e) }} h1 {{ font-family: x }}</style>",
    '<object data="http://127.0.0.1:{port}/f"></object><embed src="http://127.0.0.1:{port}/g">',
    '<svg><title>x</title><image href="http://127.0.0.1:{port}/h"/><use href="http://127.0.0.1:{port}/i#x"/></svg>',
    '<a rel="attachment" href="http://127.0.0.1:{port}/j">x</a>',
    '<base href="http://127.0.0.1:{port}/"><img src="k" alt="x">',
    '<img src="HTTP://127.0.0.1:{port}/l" alt="x"><img src="//127.0.0.1:{port}/m" alt="x">',
]


@pytest.mark.parametrize("markup", HOSTILE)
def test_the_printing_process_opens_no_address(listener, markup):
    assert pdf.from_html(PAGE.format(markup.format(port=listener.port))).startswith(b"%PDF-")
    assert listener.seen == 0


def test_the_listener_would_see_a_request(listener):
    """The control: WeasyPrint's own fetcher does ask for the address."""
    code = "import sys; from weasyprint import HTML; HTML(string=sys.argv[1]).write_pdf()"
    page = PAGE.format(HOSTILE[0].format(port=listener.port))
    subprocess.run([sys.executable, "-c", code, page], check=True, capture_output=True)
    assert listener.seen >= 1


def test_no_file_of_the_machine_is_embedded(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret of the machine")
    picture = tmp_path / "picture.svg"
    picture.write_text('<svg xmlns="http://www.w3.org/2000/svg"><title>t</title><text y="9">secretwords</text></svg>')
    markup = f'<a rel="attachment" href="file://{secret}">x</a><img alt="x" src="file://{picture}">'
    with pikepdf.open(io.BytesIO(pdf.from_html(PAGE.format(markup)))) as opened:
        assert "/Names" not in opened.Root or "/EmbeddedFiles" not in opened.Root.Names
        assert not opened.attachments
        page = opened.pages[0]
        assert "/XObject" not in page.Resources or not list(page.Resources.XObject.keys())


def test_too_little_memory_ends_in_a_sentence():
    with pytest.raises(Refused, match="too big to print"):
        pdf.from_html(PAGE.format("<p>word</p>" * 20_000), memory_mib=200)


def test_too_much_time_ends_in_a_sentence():
    with pytest.raises(Refused, match="took too long"):
        pdf.from_html(PAGE.format("<p>word</p>" * 50_000), seconds=1)


def test_without_pango_the_job_says_what_is_missing(monkeypatch, tmp_path):
    """The library is hidden from the child: what it finds under that name is no library."""
    fake = tmp_path / "child.py"
    fake.write_text(
        "import ctypes.util, sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'weasyprint': raise OSError('cannot load library libpango-1.0-0')\n"
        "sys.meta_path.insert(0, Hidden())\n" + pdf.CHILD.read_text()
    )
    monkeypatch.setattr(pdf, "CHILD", fake)
    with pytest.raises(Refused, match="PDF packs need the Pango libraries"):
        pdf.from_html(PAGE.format(""))


def test_a_child_that_breaks_tells_nothing_of_the_document(monkeypatch, tmp_path):
    broken = tmp_path / "child.py"
    broken.write_text("import sys\nsys.stderr.write(sys.stdin.read())\nsys.exit(7)\n")
    monkeypatch.setattr(pdf, "CHILD", broken)
    with pytest.raises(pdf.Failed) as failure:
        pdf.from_html("a name of a young person")
    assert str(failure.value) == "The printing process ended with 7."


def test_the_child_is_its_own_process_and_leaves_none_behind(printed):
    assert "weasyprint" not in sys.modules
    children = subprocess.run(["ps", "-o", "args=", "--ppid", str(os.getpid())], capture_output=True, text=True).stdout
    assert str(pdf.CHILD) not in children
