"""Printed packs: the same numbers on page, CSV and PDF; as a reader's software finds them: order, headings, furniture,
bookmarks, links; and everything of a meeting as one file. Three clicks make them.

One scheme's packs are printed once, by the button and its jobs, for all tests here.
"""

import copy
import functools
import io
import re
from datetime import timedelta
from types import SimpleNamespace

import pdfua
import pikepdf
import pytest
from django.test import override_settings
from django.urls import reverse
from pypdf import PdfReader

from reviews import documents, tables
from reviews.models import Audience, ReviewPack
from reviews.services import agenda, meetings, minutes, packs
from stockport_hubs import pdf
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.jobs import services as jobs
from tests import promises
from tests.pack_reading import check_everywhere_the_same, expected, missing, pages, pdf_text
from tests.pack_scene import ALL, BOTH, get, signed_in
from tests.review_scene import Scene
from tests.test_pack_sizes import seconds
from tests.test_pdf import elements, scopes

pytestmark = [pytest.mark.django_db, pytest.mark.prints, pytest.mark.sqlite]
PRINT = pdf.from_html
HEADINGS = ("/H1", "/H2", "/H3")


@pytest.fixture(scope="module")
def printed(request, once):
    """The three packs of a meeting, its minutes, and all of it in one file: as the manager gets them from home."""
    scene = Scene(75 if promises.full(request.config) else 12)
    scene.trouble()
    with override_settings(CLOCK=scene.at.replace(tzinfo=None)), pytest.MonkeyPatch.context() as printing:
        # Printed again is not printed anew: the same HTML gives the same bytes, says test_pdf.py.
        printing.setattr(pdf, "from_html", functools.cache(PRINT))
        made = SimpleNamespace(scene=scene, people=len(scene.people), clicks=0)
        client, meeting = signed_in(scene.manager), reverse("reviews:meeting", args=[scene.meeting.pk])
        assert f'href="{meeting}"' in client.get(reverse("home")).content.decode()
        made.clicks += 1
        button = reverse("reviews:pack_build", args=[scene.meeting.pk])
        assert f'action="{button}"' in client.get(meeting).content.decode()
        made.clicks += 1
        before = seconds()
        progress = client.post(button).url  # it refreshes by itself, and leads back when the packs are there
        jobs.pump()
        page = client.get(progress, follow=True)
        assert page.redirect_chain[-1][0] == f"{meeting}#packs"
        made.seconds = seconds() - before
        made.packs = {each.audience: each for each in ReviewPack.objects.all()}
        file = reverse("reviews:pack_pdf", args=[made.packs[Audience.LEAVING_CARE].pk])
        assert f'href="{file}"' in page.content.decode()
        made.clicks += 1
        assert client.get(file).content == bytes(made.packs[Audience.LEAVING_CARE].pdf)
        agree_minutes(scene)
        answer = client.get(reverse("reviews:print_all", args=[scene.meeting.pk]))
        made.all = (answer.content, answer["Content-Disposition"])
        made.verbs = list(AuditEvent.objects.order_by("id").values_list("verb", flat=True))[-3:]
        made.minutes = minutes.to_pdf(scene.meeting.minutes.content)
        yield made


def agree_minutes(scene: Scene) -> None:
    """The meeting is held, and something was said."""
    said = {"by": scene.manager, "at": scene.meeting.starts_at + timedelta(hours=2)}
    agenda.add(meeting=scene.meeting, title="A second freezer", note="", **said)
    for row in scene.meeting.attendance.all():
        meetings.mark_attendance(attendance=row, came=True, **said)
    for state in ("held", "minutes_agreed"):
        meetings.move(meeting=scene.meeting, state=state, **said)


@pytest.fixture
def scene(printed, db) -> Scene:
    return copy.deepcopy(printed.scene)


@pytest.mark.promise("PK")
def test_three_clicks_and_ten_seconds_lead_from_the_managers_home_to_a_pack(printed, figures):
    figures(
        f"{printed.clicks} clicks; {printed.seconds:.1f} s of the processor for all three of {printed.people} people"
    )
    assert (printed.clicks, printed.seconds <= 10) == (3, True)


def test_the_same_figures_give_the_same_bytes(printed, monkeypatch):
    monkeypatch.setattr(pdf, "from_html", PRINT)  # again, and not what was kept
    pack = printed.packs[Audience.LEAVING_CARE]
    assert packs.to_pdf(pack.figures) == bytes(pack.pdf)


# -- the same numbers everywhere ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("audience", BOTH)
def test_page_csv_pdf_and_workbook_say_the_same_numbers(printed, scene, audience):
    assert check_everywhere_the_same(printed.packs[audience], scene.manager) > 120


def test_a_number_that_is_one_off_is_found(printed):
    """The control of the test above."""
    pack = printed.packs[Audience.LEAVING_CARE]
    figures = copy.deepcopy(pack.figures)
    figures["money"]["left_pence"] += 1
    figures["weeks"][3]["came"] += 97
    found = missing(expected(documents.document(figures)), pdf_text(pack))
    left = figures["money"]["left_pence"]
    assert f"{left // 100}.{left % 100:02d}" in found and str(figures["weeks"][3]["came"]) in found


def test_a_hidden_count_reads_the_same_on_page_csv_and_pdf(printed, scene):
    pack = printed.packs[Audience.STOCKPORT_HOMES]
    hidden = sum(
        1
        for section in documents.document(pack.figures).sections
        for table in section.tables
        for row in table.rows
        for cell in row
        if cell.shown == tables.NOT_SHOWN
    )
    assert hidden > 10
    page = get(scene.pantry_manager, "pack", pack).content.decode()
    written = get(scene.pantry_manager, "pack_csv", pack).content.decode()
    paper = " ".join(pdf_text(pack).split())
    notes = len(re.findall(r"(worked out, are|\(number|is) not shown", paper))
    cells = [page.count(">not shown<"), len(re.findall(r",not shown\b", written)), paper.count("not shown") - notes]
    assert cells == [hidden, hidden, hidden]


def test_the_pack_for_stockport_homes_holds_no_name(printed, scene):
    pack = printed.packs[Audience.STOCKPORT_HOMES]
    everything = pdf_text(pack) + get(scene.manager, "pack", pack).content.decode() + str(pack.figures)
    for n in range(12):
        assert not re.search(rf"\b(Person|Sample){n}\b", everything)
    assert "Person0 Sample0" in pdf_text(printed.packs[Audience.LEAVING_CARE])


# -- what a reader's software finds ------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("audience", ALL)
def test_all_text_is_read_in_the_order_of_the_page_or_is_page_furniture(printed, audience):
    with pikepdf.open(io.BytesIO(printed.packs[audience].pdf)) as document:
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


@pytest.mark.parametrize("audience", ALL)
def test_headings_go_down_one_step_at_a_time_and_every_header_cell_has_its_scope(printed, audience):
    content, figures = bytes(printed.packs[audience].pdf), printed.packs[audience].figures
    levels = [HEADINGS.index(kind) + 1 for kind, _ in elements(content) if kind in HEADINGS]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    sections = documents.document(figures, printed=True).sections
    assert levels.count(2) == 2 + (audience != Audience.CORPORATE_PARENTS) + len(sections)
    assert set(scopes(content)) == {"/Column", "/Row"}
    titles = str(PdfReader(io.BytesIO(content)).outline)
    assert [section.title for section in sections if section.title not in titles] == []


def flat(outline, depth=0) -> list[tuple[int, object]]:
    found = []
    for each in outline:
        found += flat(each, depth + 1) if isinstance(each, list) else [(depth, each)]
    return found


def test_bookmarks_and_the_contents_lead_to_the_pages_they_name(printed):
    content, figures = bytes(printed.packs[Audience.LEAVING_CARE].pdf), printed.packs[Audience.LEAVING_CARE].figures
    reader = PdfReader(io.BytesIO(content))
    titles = [section.title for section in documents.document(figures, printed=True).sections]
    marks = {mark.title: reader.get_destination_page_number(mark) for _, mark in flat(reader.outline)}
    texts = [" ".join(page.split()) for page in pages(content)]
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


def findings(content: bytes, folder) -> list[tuple[str, str]]:
    """What the checker of PDF/UA has to say, errors and warnings."""
    path = folder / "checked.pdf"
    path.write_bytes(content)
    return [(each.rule_id, each.message) for each in pdfua.validate(path).findings]


def tops(content: bytes) -> list[tuple[str, int]]:
    """The bookmarks of the parts, with their pages."""
    reader = PdfReader(io.BytesIO(content))
    return [(mark.title, reader.get_destination_page_number(mark)) for depth, mark in flat(reader.outline) if not depth]


@pytest.mark.parametrize("audience", ALL)
def test_a_pack_is_tagged_as_pdf_ua_asks(printed, audience, tmp_path):
    assert findings(bytes(printed.packs[audience].pdf), tmp_path) == []


def test_everything_of_a_meeting_is_one_tagged_file_with_bookmarks(printed, tmp_path):
    content, name = printed.all
    assert name == 'attachment; filename="review-meeting-2026-05-31.pdf"'
    assert findings(content, tmp_path) == []
    reader = PdfReader(io.BytesIO(content))
    files = [*(bytes(printed.packs[audience].pdf) for audience in ALL), printed.minutes]
    parts = [PdfReader(io.BytesIO(each)) for each in files]
    starts = [sum(len(part.pages) for part in parts[:n]) for n in range(len(parts) + 1)]
    assert len(reader.pages) == starts.pop()
    names = [
        "Review pack for the Leaving Care Team",
        "Review pack for Stockport Homes",
        "Summary for corporate parents",
    ]
    assert tops(content) == list(zip([*(f"{each}, edition 1" for each in names), "Minutes"], starts, strict=True))
    below = [mark.title for depth, mark in flat(reader.outline) if depth]
    assert below == [mark.title for part in parts for _, mark in flat(part.outline)]
    assert scopes(content) == [scope for each in files for scope in scopes(each)]
    assert pages(content) == [page for each in files for page in pages(each)]  # and each says what it says alone
    assert "A second freezer" in pages(content)[starts[-1]]
    with pikepdf.open(io.BytesIO(content)) as document:
        assert str(document.docinfo["/Title"]) == "Review meeting of 10 June 2026"
        read = in_the_tree(document)
        for page in document.pages:
            drawn = {number for tag, number in marked(document, page) if tag != "/Artifact"}
            assert drawn <= set(read[page.objgen])
        keys = [kid for kid in pikepdf.NumberTree(document.Root.StructTreeRoot.ParentTree)]
        assert keys == list(range(document.Root.StructTreeRoot.ParentTreeNextKey))
    assert printed.verbs == ["reviews.pack.downloaded"] * 3


def test_stockport_homes_prints_its_own_pack_and_the_minutes(printed, scene, monkeypatch):
    monkeypatch.setattr(pdf, "from_html", lambda html, **limits: printed.minutes)
    answer = signed_in(scene.pantry_manager).get(reverse("reviews:print_all", args=[scene.meeting.pk]))
    assert [name for name, _ in tops(answer.content)] == ["Review pack for Stockport Homes, edition 1", "Minutes"]


def test_nothing_to_print_leads_back_to_the_meeting():
    scene = Scene(0)
    answer = signed_in(scene.pantry_manager).get(reverse("reviews:print_all", args=[scene.meeting.pk]), follow=True)
    assert "There is nothing to print yet. Make the packs first." in answer.content.decode()
