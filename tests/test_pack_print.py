"""Printed packs as a reader's software finds them: order, headings, furniture, bookmarks, links; and everything of a
meeting as one file. What is printed opens nothing but its own files, whatever stands in the fields."""

import io
import re
import shutil
import subprocess
import sys

import pdfua
import pikepdf
import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from reviews import documents
from reviews.models import Audience, ReviewPack
from reviews.services import packs
from stockport_hubs import pdf
from stockport_hubs.audit.models import AuditEvent
from tests.review_scene import Scene
from tests.test_pdf import elements, scopes

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
HEADINGS = ("/H1", "/H2", "/H3")


def make(scene, audience: str) -> ReviewPack:
    return packs.build(meeting=scene.meeting, audience=audience, by=scene.manager, at=scene.at)()


@pytest.fixture(scope="module")
def printed(django_db_setup, django_db_blocker) -> dict:
    """Bytes and figures of the two kinds of print: a whole pack and the summary; nothing of it stays."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        scene = Scene(12)
        scene.trouble()
        kept = {}
        for audience in (Audience.LEAVING_CARE, Audience.CORPORATE_PARENTS):
            pack = make(scene, audience)
            kept[audience] = (bytes(pack.pdf), pack.figures)
        everything = Client()
        everything.force_login(scene.manager)
        answer = everything.get(reverse("reviews:print_all", args=[scene.meeting.pk]))
        kept["all"] = (answer.content, answer["Content-Disposition"])
        kept["verbs"] = list(AuditEvent.objects.order_by("id").values_list("verb", flat=True))[-2:]
        transaction.set_rollback(True)
    return kept


def marked(document: pikepdf.Pdf, page) -> list[tuple[str, int | None]]:
    """(tag, number) of each piece of text a page draws, in the order of drawing; no tag: ("", None)."""
    found, stack = [], []
    for operands, operator in pikepdf.parse_content_stream(page):
        name = str(operator)
        if name in ("BDC", "BMC"):
            number = operands[1].get("/MCID") if name == "BDC" and isinstance(operands[1], pikepdf.Dictionary) else None
            stack.append((str(operands[0]), None if number is None else int(number)))
        elif name == "EMC":
            stack.pop()
        elif name in ("Tj", "TJ", "'"):
            found.append(stack[-1] if stack else ("", None))
    return found


def in_the_tree(document: pikepdf.Pdf, but: tuple[str, ...] = ()) -> dict:
    """Page → numbers of marked content in the order in which the tags read them; `but`: kinds that are left out."""
    found: dict = {}

    def walk(element, page):
        page = element.get("/Pg", page)
        kids = element.get("/K")
        for kid in list(kids) if isinstance(kids, pikepdf.Array) else [kids]:
            if isinstance(kid, int):
                found.setdefault(page.objgen, []).append(int(kid))
            elif isinstance(kid, pikepdf.Dictionary) and "/MCID" in kid:
                found.setdefault(kid.get("/Pg", page).objgen, []).append(int(kid.MCID))
            elif isinstance(kid, pikepdf.Dictionary) and "/S" in kid and str(kid.S) not in but:
                walk(kid, page)

    walk(document.Root.StructTreeRoot, None)
    return found


@pytest.mark.parametrize("audience", [Audience.LEAVING_CARE, Audience.CORPORATE_PARENTS])
def test_all_text_is_read_in_the_order_of_the_page_or_is_page_furniture(printed, audience):
    with pikepdf.open(io.BytesIO(printed[audience][0])) as document:
        read, read_outside_lists = in_the_tree(document), in_the_tree(document, but=("/L", "/Figure"))
        for page in document.pages:
            texts = marked(document, page)
            furniture = {n for n, (tag, _) in enumerate(texts) if tag == "/Artifact"}
            numbers = [number for n, (_, number) in enumerate(texts) if n not in furniture]
            assert None not in numbers and {tag for tag, _ in texts} >= {"/Artifact"}
            assert len(furniture) >= 3  # the head, the foot, the page's number
            assert set(numbers) <= set(read[page.objgen])
            outside = read_outside_lists[page.objgen]  # marks of lists and charts are drawn after the words of a page
            in_order = [number for number in outside if number in numbers]
            assert in_order == [number for number in dict.fromkeys(numbers) if number in outside]


@pytest.mark.parametrize("audience", [Audience.LEAVING_CARE, Audience.CORPORATE_PARENTS])
def test_headings_go_down_one_step_at_a_time_and_every_header_cell_has_its_scope(printed, audience):
    content, figures = printed[audience]
    levels = [HEADINGS.index(kind) + 1 for kind, _ in elements(content) if kind in HEADINGS]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    named = 2 + (audience == Audience.LEAVING_CARE) + len(documents.document(figures, printed=True).sections)
    assert levels.count(2) == named
    assert set(scopes(content)) == {"/Column", "/Row"}


def flat(outline, depth=0) -> list[tuple[int, object]]:
    found = []
    for each in outline:
        found += flat(each, depth + 1) if isinstance(each, list) else [(depth, each)]
    return found


def test_bookmarks_and_the_contents_lead_to_the_pages_they_name(printed):
    content, figures = printed[Audience.LEAVING_CARE]
    reader = PdfReader(io.BytesIO(content))
    titles = [section.title for section in documents.document(figures, printed=True).sections]
    marks = {mark.title: reader.get_destination_page_number(mark) for _, mark in flat(reader.outline)}
    texts = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert all(title in marks and title in texts[marks[title]] for title in titles)
    # The contents: a line for each section with its page, and a link to that page.
    contents = texts[marks["Contents"]]
    for title in titles:
        said = re.search(rf"{re.escape(title)} ?[. ]* (\d+)", contents)
        assert said and int(said[1]) == marks[title] + 1, title
    named = reader.named_destinations
    page = reader.pages[marks["Contents"]]
    links = [note.get_object() for note in page["/Annots"]]
    led = [reader.get_destination_page_number(named[str(link["/Dest"])]) for link in links]
    assert list(dict.fromkeys(led)) == list(dict.fromkeys(marks[title] for title in titles))
    assert sorted(set(str(link["/Dest"]) for link in links)) == sorted(
        section.slug for section in documents.document(figures, printed=True).sections
    )
    assert all(str(link["/Contents"]).startswith("Go to ") for link in links)


def test_everything_of_a_meeting_is_one_tagged_file_with_bookmarks(printed, tmp_path):
    content, name = printed["all"]
    assert name == 'attachment; filename="review-meeting-2026-05-31.pdf"'
    path = tmp_path / "all.pdf"
    path.write_bytes(content)
    assert [(each.rule_id, each.message) for each in pdfua.validate(path).findings] == []
    reader = PdfReader(path)
    parts = [PdfReader(io.BytesIO(printed[each][0])) for each in (Audience.LEAVING_CARE, Audience.CORPORATE_PARENTS)]
    assert len(reader.pages) == sum(len(part.pages) for part in parts)
    tops = [(mark.title, reader.get_destination_page_number(mark)) for depth, mark in flat(reader.outline) if not depth]
    assert tops == [
        ("Review pack for the Leaving Care Team, edition 1", 0),
        ("Summary for corporate parents, edition 1", len(parts[0].pages)),
    ]
    below = [mark.title for depth, mark in flat(reader.outline) if depth]
    assert below == [mark.title for part in parts for _, mark in flat(part.outline)]
    assert scopes(content) == [
        scope for each in (Audience.LEAVING_CARE, Audience.CORPORATE_PARENTS) for scope in scopes(printed[each][0])
    ]
    with pikepdf.open(path) as document:
        assert str(document.docinfo["/Title"]) == "Review meeting of 10 June 2026"
        read = in_the_tree(document)
        for page in document.pages:
            drawn = {number for tag, number in marked(document, page) if tag != "/Artifact"}
            assert drawn <= set(read[page.objgen])
        keys = [kid for kid in pikepdf.NumberTree(document.Root.StructTreeRoot.ParentTree)]
        assert keys == list(range(document.Root.StructTreeRoot.ParentTreeNextKey))
    assert printed["verbs"] == ["reviews.pack.downloaded"] * 2


def test_nothing_to_print_leads_back_to_the_meeting():
    scene = Scene(0)
    client = Client()
    client.force_login(scene.pantry_manager)
    answer = client.get(reverse("reviews:print_all", args=[scene.meeting.pk]), follow=True)
    assert "There is nothing to print yet. Make the packs first." in answer.content.decode()


# -- hostile text ------------------------------------------------------------------------------------------------------

ADDRESSES = [
    "http://127.0.0.1:9/{n}",
    "//127.0.0.1:9/{n}",
    "file:///etc/passwd?{n}",
    "ftp://127.0.0.1:9/{n}",
    "\\\\host\\{n}",
]
SHAPES = [
    '<img src="{a}" alt="x">',
    '"><script src="{a}"></script>',
    "<style>@import url({a}); * {{ background: url({a}) }}</style>",
    '<link rel="attachment" href="{a}"><base href="{a}">',
    '<object data="{a}"></object><iframe src="{a}"></iframe>',
    "{{% include '{a}' %}}{{{{ frozen }}}}{{% load {a} %}}",
    "'><svg><image href='{a}'/><use href='{a}#x'/></svg>",
    "<!--#include file='{a}'--><?xml-stylesheet href='{a}'?>",
    "<!DOCTYPE x [<!ENTITY e SYSTEM '{a}'>]>&e;",
    "url({a}) attr(href) content: url({a}); \u202e\u0000\u200b\U0001f4a5 Ω 漢字 عربي",
    "data:text/html,<img src={a}>",
    '=HYPERLINK("{a}")',
    "\\x3cimg src={a}\\x3e%00%0d%0a{a}",
    "</td></tr></table></section></body></html><img src={a}>",
    "<meta http-equiv=refresh content='0;url={a}'><a rel=attachment href={a}>x</a>",
    "<math href={a}><annotation-xml encoding='text/html'><img src={a}>",
    "<input type=image src={a}><video poster={a}><audio src={a}>",
    "@font-face {{ src: url({a}) }} <style>@font-face {{ font-family: x; src: url({a}) }}</style>",
    "<table background={a}><td background={a}><body background={a}>",
    "<img srcset='{a} 1x' src={a}><picture><source srcset={a}></picture>",
]
HOSTILE = [shape.format(a=address.format(n=n)) for n, shape in enumerate(SHAPES) for address in ADDRESSES]
OPENED = re.compile(r'(?:open|openat)\(.*?"([^"]*)".*?\) = \d+')
SCRATCH = re.compile(r"^/tmp/\w{8,}(\.\w+)*$")  # its own files of a moment, whose names are random
FONTS = re.compile(r"/.*(fonts?|fontconfig)/")


def hostile_html(values: list[str]) -> str:
    """The pack as it is printed, with one of the values after the other in every field that holds text."""
    scene = Scene(12)
    scene.trouble()
    frozen = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="x", at=scene.at)
    used = iter(values * 40)

    def poisoned(found, key=""):
        if isinstance(found, dict):
            return {name: poisoned(each, name) for name, each in found.items()}
        if isinstance(found, list):
            return [poisoned(each, key) for each in found]
        free = key in (
            "agreement",
            "funder",
            "operator",
            "where",
            "name",
            "organisation",
            "made_by",
            "about",
            "owner",
            "what",
        )
        return next(used) if free and isinstance(found, str) else found

    from django.template.loader import render_to_string

    poisoned_ = poisoned(frozen) | {"actions": poisoned([dict(frozen["actions"][0]) for _ in values])}
    made = documents.document(poisoned_, printed=True)
    return render_to_string(
        "reviews/pack_print.html", {"frozen": poisoned_, "pack": made, "audience": values[0], "contents": True}
    )


def opened_by_printing(html: str) -> tuple[set[str], list[str]]:
    """Files the printing process and its threads opened, and its calls for sockets, as the system saw them."""
    command = [sys.executable, "-I", str(pdf.CHILD), "2000", "120"]
    seen = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=open,openat,socket,connect,execve", *command],
        input=html.encode(),
        capture_output=True,
        timeout=180,
        cwd="/",
    )
    assert seen.stdout.startswith(b"%PDF-")
    calls = seen.stderr.decode(errors="replace").splitlines()
    opened = {SCRATCH.sub("/tmp/own", found[1]) for line in calls if (found := OPENED.search(line))}
    asked = [line for line in calls if re.search(r"\b(socket|connect)\(", line)]
    return opened, asked


@pytest.mark.skipif(not shutil.which("strace"), reason="the system's calls are watched with strace")
def test_a_hundred_hostile_values_open_no_file_and_no_socket(tmp_path):
    assert len(HOSTILE) == len(set(HOSTILE)) == 100
    html = hostile_html(HOSTILE)
    assert all(value.split("<")[0][:10] in html or "&lt;" in html for value in HOSTILE)
    opened, sockets = opened_by_printing(html)
    plain, none = opened_by_printing(
        "<!DOCTYPE html><html lang='en-GB'><title>x</title><h1>x</h1><table><tr><td>x</table>"
    )
    assert sockets == none == []
    # Letters of other scripts need fonts; nothing else is opened that a document of one word does not open.
    assert [path for path in sorted(opened - plain) if not FONTS.match(path)] == []
    assert str(pdf.CHILD.with_name("pack.css")) in plain and not any("passwd" in path for path in opened - plain)


def test_what_watches_the_printing_would_see_a_file(tmp_path):
    """The control: a document that a less careful fetcher is asked for opens the file it names."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"x")
    code = "import sys; from weasyprint import HTML; HTML(string=sys.argv[1]).write_pdf(sys.stdout.buffer)"
    command = [sys.executable, "-c", code, f'<img src="file://{secret}">']
    seen = subprocess.run(["strace", "-f", "-qq", "-e", "trace=openat", *command], capture_output=True, timeout=120)
    lines = seen.stderr.decode(errors="replace").splitlines()
    assert str(secret) in {found[1] for line in lines if (found := OPENED.search(line))}


# -- Stockport Homes is also the landlord ------------------------------------------------------------------------------


def test_no_custody_health_or_safety_word_planted_anywhere_reaches_stockport_homes():
    """Words of the council's own fields: notes, outcomes, reasons, what was tried."""
    scene = Scene(12)
    scene.trouble({"custody": 7, "health": 6, "safety": 8, "hours": 6})
    planted = ["HMP Sampleton", "in custody", "epilepsy", "threatened by a neighbour"]
    from careleavers.models import CareLeaver, CohortMove
    from pantry.models import MembershipMove, RenewalDecision
    from referrals.models import Referral
    from reviews.models import Barrier, BarrierMove

    words = " ".join(planted)
    for model in (CareLeaver, CohortMove, MembershipMove, RenewalDecision, Referral, Barrier, BarrierMove):
        free = [
            field
            for field in model._meta.get_fields()
            if field.get_internal_type() in ("CharField", "TextField")
            and not field.choices
            and field.name not in ("reference", "preferred_name", "key")
        ]
        for row in model.objects.all():
            for field in free:
                setattr(row, field.attname, words[: field.max_length or 300])
            model.objects.filter(pk=row.pk).update(**{field.attname: getattr(row, field.attname) for field in free})
    client = Client()
    client.force_login(scene.pantry_manager)
    pack = make(scene, Audience.STOCKPORT_HOMES)
    texts = [" ".join(page.extract_text() for page in PdfReader(io.BytesIO(bytes(pack.pdf))).pages)]
    for name in ("pack", "pack_csv"):
        texts.append(client.get(reverse(f"reviews:{name}", args=[pack.pk])).content.decode())
    texts.append(str(pack.figures))
    for text in texts:
        for word in (*planted, "HMP", "ustody", "ealth or dis", "afety"):
            assert word not in text, word
    ours = str(packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="x", at=scene.at))
    assert "custody" in ours  # the words are there to be left out
