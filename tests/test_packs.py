"""Packs: frozen editions whose page, CSV and PDF say the same numbers; who gets which; nothing hostile gets out."""

import csv
import hashlib
import io
import re
from html.parser import HTMLParser

import pdfua
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from reviews import documents, sections, tables
from reviews.models import Audience, ReviewPack
from reviews.services import packs
from stockport_hubs import pdf
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.models import AppendOnlyError
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job
from tests import factories
from tests.review_scene import HOSTILE, PERIOD, Scene
from tests.test_pdf import Listener, scopes

pytestmark = pytest.mark.sqlite  # pages and files: once

BOTH = [Audience.LEAVING_CARE, Audience.STOCKPORT_HOMES]
ALL = [*BOTH, Audience.CORPORATE_PARENTS]
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


@pytest.fixture
def scene(db):
    made = Scene(12)
    made.trouble()
    return made


def make(scene, audience: str) -> ReviewPack:
    return packs.build(meeting=scene.meeting, audience=audience, by=scene.manager, at=scene.at)()


def unprinted(scene, audience: str) -> ReviewPack:
    """An edition with a stand-in for the PDF: for what is not about printing, which takes seconds."""
    frozen = packs.freeze(scene.meeting, audience, made_by="Someone", at=scene.at)
    return ReviewPack.objects.create(
        meeting=scene.meeting,
        audience=audience,
        edition=frozen["edition"],
        as_at=scene.at,
        made_by=scene.manager,
        figures=frozen,
        pdf=b"%PDF-",
        sha256="0",
    )


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def get(user, name: str, pack: ReviewPack):
    return signed_in(user).get(reverse(f"reviews:{name}", args=[pack.pk]))


# -- asking and building -----------------------------------------------------------------------------------------------


def test_the_button_makes_every_pack_for_the_council_and_their_own_for_stockport_homes(scene):
    for user, expected in ((scene.manager, ALL), (scene.pantry_manager, [Audience.STOCKPORT_HOMES])):
        answer = signed_in(user).post(reverse("reviews:pack_build", args=[scene.meeting.pk]))
        asked = list(Job.objects.filter(asked_by=user).order_by("created_at"))
        assert [job.ids["audience"] for job in asked] == expected
        assert answer.url.startswith(reverse("jobs:progress", args=[Job.objects.get(pk=asked[-1].pk).pk]))
        jobs.pump()
    made = ReviewPack.objects.order_by("audience", "edition").values_list("audience", "edition", "made_by")
    assert list(made) == [
        ("corporate-parents", 1, scene.manager.pk),
        ("leaving-care", 1, scene.manager.pk),
        ("stockport-homes", 1, scene.manager.pk),
        ("stockport-homes", 2, scene.pantry_manager.pk),
    ]
    page = signed_in(scene.manager).get(reverse("reviews:meeting", args=[scene.meeting.pk])).content.decode()
    assert "Leaving Care Team, edition 1" in page and "Stockport Homes, edition 2" in page


def test_the_meeting_is_shown_when_the_last_pack_is_made_whichever_that_is(scene):
    client = signed_in(scene.manager)
    page = client.post(reverse("reviews:pack_build", args=[scene.meeting.pk])).url
    first, *rest, last = Job.objects.filter(asked_by=scene.manager).order_by("created_at")
    Job.objects.filter(pk__in=[job.pk for job in rest]).update(done_at=scene.at, progress=100)
    Job.objects.filter(pk=last.pk).update(done_at=scene.at, progress=100)
    waiting = client.get(page, follow=True)
    assert waiting.redirect_chain[-1][0].startswith(reverse("jobs:progress", args=[first.pk]))
    assert waiting.status_code == 200
    Job.objects.filter(pk=first.pk).update(done_at=scene.at, progress=100)
    shown = client.get(page, follow=True)
    assert shown.redirect_chain[-1][0] == reverse("reviews:meeting", args=[scene.meeting.pk]) + "#packs"


def test_asked_twice_before_it_is_made_is_one_job(scene):
    first = packs.ask(meeting=scene.meeting, by=scene.manager, at=scene.at)
    assert packs.ask(meeting=scene.meeting, by=scene.manager, at=scene.at) == first
    assert Job.objects.filter(kind=packs.KIND).count() == 3


def test_what_somebody_else_asked_for_is_made_once_and_leads_to_no_page_of_theirs(scene):
    packs.ask(meeting=scene.meeting, by=scene.manager, at=scene.at)
    assert not packs.under_way(scene.meeting, scene.pantry_manager)
    url = reverse("reviews:pack_build", args=[scene.meeting.pk])
    answer = signed_in(scene.pantry_manager).post(url, follow=True)
    assert answer.status_code == 200 and "Somebody asked for it before you did." in answer.content.decode()
    assert set(Job.objects.filter(kind=packs.KIND).values_list("asked_by", flat=True)) == {scene.manager.pk}


def test_a_failed_job_is_tried_again_when_asked_again(scene, monkeypatch, tmp_path):
    broken = tmp_path / "child.py"
    broken.write_text("import sys\nsys.exit(3)\n")
    monkeypatch.setattr(pdf, "CHILD", broken)
    asked = packs.ask(meeting=scene.meeting, by=scene.pantry_manager, at=scene.at)
    jobs.pump()
    page = signed_in(scene.pantry_manager).get(reverse("reviews:meeting", args=[scene.meeting.pk]))
    assert "PDF packs need the Pango libraries" in page.content.decode()
    monkeypatch.undo()
    assert packs.ask(meeting=scene.meeting, by=scene.pantry_manager, at=scene.at) == asked
    jobs.pump()
    assert ReviewPack.objects.get().audience == Audience.STOCKPORT_HOMES


def test_an_edition_keeps_what_it_said_and_the_next_one_says_what_is_new(scene):
    first = make(scene, Audience.LEAVING_CARE)
    before = (bytes(first.pdf), first.sha256, get(scene.manager, "pack", first).content.count(b"Person1 Sample1"))
    scene.collect(scene.members[5], PERIOD[1])
    scene.barrier("childcare", care_leaver=scene.people[1])
    second = make(scene, Audience.LEAVING_CARE)
    kept = ReviewPack.objects.get(pk=first.pk)
    after = (bytes(kept.pdf), kept.sha256, get(scene.manager, "pack", kept).content.count(b"Person1 Sample1"))
    assert after == before and hashlib.sha256(before[0]).hexdigest() == before[1]
    assert (second.edition, second.figures["members"]["lapsed"]) == (2, first.figures["members"]["lapsed"] - 1)
    with pytest.raises(AppendOnlyError):
        kept.save()


def test_the_same_figures_give_the_same_bytes(scene):
    frozen = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="Someone", at=scene.at)
    assert packs.to_pdf(frozen) == packs.to_pdf(frozen)


def test_the_pack_compares_with_the_meeting_before(scene):
    from reviews.services import meetings

    earlier = meetings.plan(
        agreement=scene.agreement,
        starts_at=factories.moment(PERIOD[0].replace(month=4, day=15), "14:00"),
        where="",
        period_from=PERIOD[0],
        period_to=PERIOD[0].replace(month=4, day=12),
        by=scene.manager,
        at=scene.at,
    )
    frozen = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="Someone", at=scene.at)
    assert frozen["previous"]["met_on"] == earlier.starts_at.date().isoformat()
    joined = next(point for point in documents.document(frozen).points if point.name == "Joined")
    assert (
        joined.sentence == "of 8 young people introduced joined a pantry, the same as at the meeting of 15 April 2026."
    )


# -- the same numbers everywhere ---------------------------------------------------------------------------------------


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


def pdf_text(pack: ReviewPack) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(bytes(pack.pdf))).pages)


def missing(expected: list[str], text: str) -> list[str]:
    """Numbers that do not stand in the text as often as expected."""
    have = numbers(text)
    return [number for number in set(expected) if have.count(number) < expected.count(number)]


@pytest.mark.parametrize("audience", BOTH)
def test_page_csv_and_pdf_say_the_same_numbers(scene, audience):
    pack = make(scene, audience)
    document = documents.document(pack.figures)
    expected = [number for row in table_numbers(document, "shown") for number in row if numbers(number)]
    expected = [numbers(number)[0] for number in expected]
    expected += [number for point in document.points for number in numbers(f"{point.number} {point.sentence}")]
    assert len(expected) > 120
    reader = Text()
    reader.feed(get(scene.manager, "pack", pack).content.decode())
    assert missing(expected, " ".join(reader.found)) == []
    assert missing(expected, pdf_text(pack)) == []
    cells = [
        cell for row in csv.reader(io.StringIO(get(scene.manager, "pack_csv", pack).content.decode())) for cell in row
    ]
    assert missing(expected, "\n".join(cells)) == []


def test_a_number_that_is_one_off_is_found(scene):
    """The control of the test above."""
    pack = make(scene, Audience.LEAVING_CARE)
    pack.figures["money"]["left_pence"] += 1
    pack.figures["weeks"][3]["came"] += 97
    document = documents.document(pack.figures)
    expected = [numbers(number)[0] for row in table_numbers(document, "shown") for number in row if numbers(number)]
    found = missing(expected, pdf_text(pack))
    left = pack.figures["money"]["left_pence"]
    assert f"{left // 100}.{left % 100:02d}" in found and str(pack.figures["weeks"][3]["came"]) in found


def test_a_hidden_count_reads_the_same_on_page_csv_and_pdf(scene):
    pack = make(scene, Audience.STOCKPORT_HOMES)
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
    printed = " ".join(pdf_text(pack).split())
    notes = len(re.findall(r"(worked out, are|\(number|is) not shown", printed))
    cells = [page.count(">not shown<"), len(re.findall(r",not shown\b", written)), printed.count("not shown") - notes]
    assert cells == [hidden, hidden, hidden]


def test_the_pack_for_stockport_homes_holds_no_name(scene):
    pack = make(scene, Audience.STOCKPORT_HOMES)
    everything = pdf_text(pack) + get(scene.manager, "pack", pack).content.decode() + str(pack.figures)
    for n in range(12):
        assert not re.search(rf"\b(Person|Sample){n}\b", everything)
    assert "Person0 Sample0" in pdf_text(make(scene, Audience.LEAVING_CARE))


# -- who gets which ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pack", "pack_pdf", "pack_csv", "pack_xlsx"])
def test_each_organisation_gets_its_own_pack_and_no_other(scene, name):
    ours, theirs = (unprinted(scene, audience) for audience in BOTH)
    summary = unprinted(scene, Audience.CORPORATE_PARENTS)
    status = {
        (user.role, pack.audience): get(user, name, pack).status_code
        for user in (scene.manager, scene.pantry_manager, scene.advisor, scene.volunteer, scene.finance)
        for pack in (ours, theirs, summary)
    }
    stranger, their_stranger = factories.user(Role.LEAVING_CARE_MANAGER), factories.user(Role.PANTRY_MANAGER)
    assert status == {
        **{(Role.LEAVING_CARE_MANAGER, audience): 200 for audience in ALL},
        **{(Role.PANTRY_VOLUNTEER, audience): 403 for audience in ALL},
        **{
            (role, audience): 404
            for role in (Role.PANTRY_MANAGER, Role.PERSONAL_ADVISOR, Role.FINANCE_OFFICER)
            for audience in ALL
        },
        (Role.PANTRY_MANAGER, Audience.STOCKPORT_HOMES): 200,
    }
    assert {
        get(user, name, pack).status_code for user in (stranger, their_stranger) for pack in (ours, theirs, summary)
    } == {404}


def test_every_look_and_download_is_audited_with_the_people_it_shows(scene):
    ours, theirs = (make(scene, audience) for audience in BOTH)
    for name, pack in (("pack", ours), ("pack_pdf", ours), ("pack_csv", theirs)):
        get(scene.manager, name, pack)
    events = AuditEvent.objects.filter(target_id__in=[ours.pk, theirs.pk]).order_by("id")
    told = [
        (event.verb, event.subjects.count(), set(event.subjects.values_list("kind", flat=True))) for event in events
    ]
    named, numbered = len(ours.figures["shown_people"]), len(theirs.figures["shown_members"])
    assert (named >= 7, numbered) == (True, 7)
    assert told == [
        ("reviews.pack.made", named, {"careleaver"}),
        ("reviews.pack.made", numbered, {"membership"}),
        ("reviews.pack.viewed", named, {"careleaver"}),
        ("reviews.pack.downloaded", named, {"careleaver"}),
        ("reviews.pack.downloaded", numbered, {"membership"}),
    ]


def test_file_names_are_neutral(scene):
    names = {get(scene.manager, "pack_pdf", unprinted(scene, audience))["Content-Disposition"] for audience in ALL}
    assert names == {
        'attachment; filename="review-pack-2026-05-31-council-edition-1.pdf"',
        'attachment; filename="review-pack-2026-05-31-operator-edition-1.pdf"',
        'attachment; filename="review-pack-2026-05-31-summary-edition-1.pdf"',
    }


# -- hostile text, emptiness, size -------------------------------------------------------------------------------------


def test_hostile_text_in_every_field_opens_nothing_and_runs_nothing(db):
    listener = Listener()
    try:
        scene = Scene(12, text=HOSTILE.format(port=listener.port))
        scene.trouble({"hours": 2, "other": 1})
        pack = make(scene, Audience.LEAVING_CARE)
        page = get(scene.manager, "pack", pack).content.decode()
        assert '<img src="http' not in page and "&lt;img" in page
        assert "<img" in pdf_text(pack)  # as words
        assert listener.seen == 0
    finally:
        listener.close()


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", " =1+1", "＝1+1"])
def test_no_cell_of_the_csv_begins_like_a_formula(scene, start):
    frozen = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by=start, at=scene.at)
    frozen["grid"][0]["name"] = frozen["barriers"]["rows"][0]["about"] = frozen["agreement"] = start
    frozen["invited"][0]["name"] = frozen["actions"][0]["what"] = frozen["by_pantry"][0]["name"] = start
    cells = [cell for row in csv.reader(io.StringIO(tables.to_csv(documents.document(frozen)))) for cell in row]
    assert sum(cell.startswith(f"'{start[0]}") for cell in cells) >= 5
    assert [
        cell for cell in cells if cell.startswith(tables.LIVE_BEGINNINGS) and not re.fullmatch(r"-?[\d.]+", cell)
    ] == []


@pytest.mark.parametrize("people, audience", [(0, BOTH[0]), (0, BOTH[1]), (1, BOTH[1]), (75, BOTH[0])])
def test_packs_render_empty_with_one_and_with_75_people(db, people, audience):
    scene = Scene(people)
    pack = make(scene, audience)
    assert get(scene.manager, "pack", pack).status_code == 200
    text = pdf_text(pack)
    assert "In one minute" in text and f"{people} young" in " ".join(text.split())


def test_a_pack_renders_with_the_longest_names(db):
    scene = Scene(12, text="Wolfeschlegelsteinhausenbergerdorff " * 9)
    scene.trouble()
    assert make(scene, Audience.LEAVING_CARE).pdf


def test_a_grid_beyond_200_members_goes_to_the_csv(scene):
    frozen = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="x", at=scene.at)
    frozen["grid"] = [dict(frozen["grid"][0], number=n) for n in range(201)]
    printed = documents.document(frozen, printed=True).sections[-1]
    assert printed.empty == "The grid of 201 members is too large to print; it is in the CSV."
    assert len(documents.document(frozen).sections[-1].tables[0].rows) == 201


# -- tags --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("audience", BOTH)
def test_the_pdf_is_tagged_as_pdf_ua_asks(scene, audience, tmp_path):
    pack = make(scene, audience)
    assert set(scopes(bytes(pack.pdf))) == {"/Column", "/Row"}
    path = tmp_path / "pack.pdf"
    path.write_bytes(bytes(pack.pdf))
    findings = [(finding.rule_id, finding.message) for finding in pdfua.validate(path).findings]
    assert findings == []
    titles = str(PdfReader(path).outline)
    for section in documents.document(pack.figures).sections:
        assert section.title in titles


def test_every_letter_of_the_grid_has_its_words():
    from reviews.audience import GRID_LETTERS

    assert set(GRID_LETTERS.values()) == set(sections.LETTERS)


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command_writes_the_pdf_and_stores_the_edition(scene, tmp_path, capsys):
    target = tmp_path / "pack.pdf"
    call_command("build_pack", meeting=str(scene.meeting.pk), audience="leaving-care", output=target)
    pack = ReviewPack.objects.get()
    assert target.read_bytes() == bytes(pack.pdf)
    assert capsys.readouterr().out == f"Leaving Care Team, edition 1, written to {target}\n"
    assert AuditEvent.objects.get(verb="reviews.pack.made").job == "build_pack"


@pytest.mark.parametrize(
    "meeting, audience, sentence",
    [
        ("x", "leaving-care", "There is no review meeting with the id x."),
        ("00000000-0000-0000-0000-000000000000", "leaving-care", "There is no review meeting with the id"),
    ],
)
def test_the_command_says_why_not(scene, tmp_path, meeting, audience, sentence):
    with pytest.raises(CommandError, match=sentence):
        call_command(
            "build_pack", meeting=meeting or str(scene.meeting.pk), audience=audience, output=tmp_path / "pack.pdf"
        )


def test_an_unknown_audience_is_refused(scene):
    with pytest.raises(Refused):
        packs.build(meeting=scene.meeting, audience="everyone", by=scene.manager, at=scene.at)
