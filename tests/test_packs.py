"""Packs: who asks for them, who gets which, what an edition keeps; hostile text, emptiness; the command."""

import csv
import hashlib
import io
import re
from copy import deepcopy

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from reviews import documents, sections, tables
from reviews.models import Audience, ReviewPack
from reviews.services import packs
from stockport_hubs import pdf
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.models import AppendOnlyError
from stockport_hubs.core.spreadsheets import LIVE_BEGINNINGS
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job
from tests import factories, pack_scene, promises
from tests.pack_scene import ALL, BOTH, get, make, signed_in
from tests.review_scene import HOSTILE, PERIOD, Scene

pytestmark = [pytest.mark.prints, pytest.mark.sqlite]  # pages and files: once
PRINT = pdf.from_html


@pytest.fixture(autouse=True)
def not_printed(request, monkeypatch):
    """What paper holds is in test_pack_print.py; `make proof` prints here as well."""
    if not promises.full(request.config):
        monkeypatch.setattr(pdf, "from_html", pack_scene.as_html)


@pytest.fixture(scope="module")
def known(once) -> Scene:
    made = Scene(12)
    made.trouble()
    return made


@pytest.fixture
def scene(known, db) -> Scene:
    return deepcopy(known)


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
    with monkeypatch.context() as without:
        without.setattr(pdf, "from_html", PRINT)
        without.setattr(pdf, "CHILD", broken)
        asked = packs.ask(meeting=scene.meeting, by=scene.pantry_manager, at=scene.at)
        jobs.pump()
    page = signed_in(scene.pantry_manager).get(reverse("reviews:meeting", args=[scene.meeting.pk]))
    assert "PDF packs need the Pango libraries" in page.content.decode()
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


# -- who gets which ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["pack", "pack_pdf", "pack_csv", "pack_xlsx"])
def test_each_organisation_gets_its_own_pack_and_no_other(scene, name):
    ours, theirs = (make(scene, audience) for audience in BOTH)
    summary = make(scene, Audience.CORPORATE_PARENTS)
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
    names = {get(scene.manager, "pack_pdf", make(scene, audience))["Content-Disposition"] for audience in ALL}
    assert names == {
        'attachment; filename="review-pack-2026-05-31-council-edition-1.pdf"',
        'attachment; filename="review-pack-2026-05-31-operator-edition-1.pdf"',
        'attachment; filename="review-pack-2026-05-31-summary-edition-1.pdf"',
    }


# -- hostile text, emptiness, size -------------------------------------------------------------------------------------


def test_hostile_text_in_every_field_is_words_on_the_page_and_in_print(db):
    """That the printing process opens nothing for it is in test_pack_hostile.py."""
    scene = Scene(12, text=HOSTILE.format(port=9))
    scene.trouble({"hours": 2, "other": 1})
    pack = make(scene, Audience.LEAVING_CARE)
    for text in (get(scene.manager, "pack", pack).content.decode(), bytes(pack.pdf).decode()):
        assert '<img src="http' not in text and "&lt;img" in text


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", " =1+1", "＝1+1"])
def test_no_cell_of_the_csv_begins_like_a_formula(scene, start):
    frozen = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by=start, at=scene.at)
    frozen["grid"][0]["name"] = frozen["barriers"]["rows"][0]["about"] = frozen["agreement"] = start
    frozen["invited"][0]["name"] = frozen["actions"][0]["what"] = frozen["by_pantry"][0]["name"] = start
    cells = [cell for row in csv.reader(io.StringIO(tables.to_csv(documents.document(frozen)))) for cell in row]
    assert sum(cell.startswith(f"'{start[0]}") for cell in cells) >= 5
    assert [cell for cell in cells if cell.startswith(LIVE_BEGINNINGS) and not re.fullmatch(r"-?[\d.]+", cell)] == []


@pytest.mark.promise("PK")
@pytest.mark.parametrize("people, audience", [(0, BOTH[0]), (0, BOTH[1]), (1, BOTH[1]), (75, BOTH[0])])
def test_packs_render_empty_with_one_and_with_75_people(db, people, audience, figures):
    scene = Scene(people)
    pack = make(scene, audience)
    page = " ".join(get(scene.manager, "pack", pack).content.decode().split())
    assert "In one minute" in page and f"{people} young" in page
    figures(f"{people} people, {audience}: {len(pack.pdf) // 1024} KiB")


def test_a_grid_beyond_200_members_goes_to_the_csv(scene):
    frozen = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="x", at=scene.at)
    frozen["grid"] = [dict(frozen["grid"][0], number=n) for n in range(201)]
    printed = documents.document(frozen, printed=True).sections[-1]
    assert printed.empty == "The grid of 201 members is too large to print; it is in the CSV."
    assert len(documents.document(frozen).sections[-1].tables[0].rows) == 201


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
        packs.build(meeting=scene.meeting, audience="everyone", by=scene.manager, now=lambda: scene.at)
