"""Disagreements climb the protocol's ladder, rung by rung; every move and every refusal."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from careleavers.models import CareLeaver
from reviews import rules
from reviews.models import AgendaItem, Disagreement, Rung
from reviews.services import agenda, barriers, disagreements, meetings
from reviews.wording import LooksLikeAName
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.factories import moment

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
DAY = date(2026, 6, 10)
AT = moment(DAY, "14:00")
TEAM, HEADS = ["team_leader", "options_leader", "panel"], ["head_housing", "head_care"]


@pytest.fixture
def world():
    return factories.World()


def opened(world, **more) -> Disagreement:
    given = {
        "agreement": world.agreement,
        "about": "Opening after college",
        "council_position": "Open later",
        "operator_position": "",
        "who": ["pantry_manager", "advisor"],
        "on": DAY,
        "by": world.manager,
        "at": AT,
    }
    return disagreements.open_one(**given | more)


def up(world, found, rung, who, **more):
    given = {"outcome": "No agreement", "on": DAY, "by": world.pantry_manager, "at": AT}
    return disagreements.take_up(disagreement=found, rung=rung, who=who, **given | more)


def test_a_disagreement_goes_up_two_rungs_and_is_settled(world):
    found = opened(world)
    up(world, found, Rung.TEAM_LEADERS, TEAM)
    up(world, found, Rung.HEADS, HEADS, outcome="One evening a month", on=DAY)
    disagreements.settle(disagreement=found, on=DAY, outcome="One evening a month", by=world.manager, at=AT)
    found.refresh_from_db()
    assert (found.rung, found.settled_on, found.outcome) == (3, DAY, "One evening a month")
    assert [(step.rung, step.who_labels, step.by) for step in found.steps.all()] == [
        (1, "Personal advisor, Pantry manager", world.manager),
        (2, "Leaving Care Team Leader, Housing Options Team Leader, 16+ Accommodation Panel", world.pantry_manager),
        (
            3,
            "Head of Homelessness and Rehousing, Head of Social Care and Commissioning",
            world.pantry_manager,
        ),
    ]
    verbs = AuditEvent.objects.filter(target_id=found.pk).order_by("pk").values_list("verb", flat=True)
    assert [verb.rpartition(".")[2] for verb in verbs] == ["opened", "taken_up", "taken_up", "settled"]


@pytest.mark.parametrize("here", list(Rung))
@pytest.mark.parametrize("there", list(Rung))
def test_every_pair_of_rungs(world, here, there):
    found = opened(world)
    Disagreement.objects.filter(pk=found.pk).update(rung=here)
    who = {Rung.WORKERS: ["advisor"], Rung.TEAM_LEADERS: TEAM, Rung.HEADS: HEADS}[there]
    if there in rules.next_rungs(here):
        more = {"skipped_because": "The panel does not meet in August"} if there > here + 1 else {}
        assert up(world, found, there, who, **more).rung == there
    else:
        with pytest.raises(Refused, match="there is no higher rung|It goes up, not down"):
            up(world, found, there, who)


def test_no_rung_is_left_out_without_a_reason(world):
    found = opened(world)
    with pytest.raises(Refused, match="“Team leaders and the fortnightly panel” is left out. No rung is left out"):
        up(world, found, Rung.HEADS, HEADS, skipped_because="  ")
    step = up(world, found, Rung.HEADS, HEADS, skipped_because="The panel does not meet in August")
    assert step.skipped_because == "The panel does not meet in August"
    assert up(world, opened(world), Rung.TEAM_LEADERS, TEAM, skipped_because="None was").skipped_because == ""


def test_what_is_refused_says_why(world):
    with pytest.raises(Refused, match="Say what at least one of the two organisations holds"):
        opened(world, council_position=" ")
    with pytest.raises(Refused, match="The day must not be in the future"):
        opened(world, on=DAY + timedelta(days=1))
    with pytest.raises(Refused, match="Say which roles talked about it: Personal advisor, "):
        opened(world, who=["head_care"])
    found = opened(world)
    with pytest.raises(Refused, match="Say which roles talked about it: Leaving Care Team Leader"):
        up(world, found, Rung.TEAM_LEADERS, [])
    with pytest.raises(Refused, match="must not be before 10 June 2026"):
        up(world, found, Rung.TEAM_LEADERS, TEAM, on=DAY - timedelta(days=1))
    with pytest.raises(Refused, match="Say how it was settled"):
        disagreements.settle(disagreement=found, on=DAY, outcome=" ", by=world.manager, at=AT)
    disagreements.settle(disagreement=found, on=DAY, outcome="Agreed", by=world.manager, at=AT)
    for again in (
        lambda: up(world, found, Rung.TEAM_LEADERS, TEAM),
        lambda: disagreements.settle(disagreement=found, on=DAY, outcome="x", by=world.manager, at=AT),
        lambda: disagreements.state_position(disagreement=found, position="x", by=world.manager, at=AT),
    ):
        with pytest.raises(Refused, match="is settled and stays as it was"):
            again()


def test_each_organisation_states_its_own_position(world):
    found = opened(world, operator_position="Theirs")
    disagreements.state_position(disagreement=found, position="Open at five", by=world.manager, at=AT)
    disagreements.state_position(disagreement=found, position="No volunteers", by=world.pantry_manager, at=AT)
    found.refresh_from_db()
    assert (found.council_position, found.operator_position) == ("Open at five", "No volunteers")


def test_a_disagreement_holds_no_young_persons_barrier_and_no_name(world):
    person = CareLeaver.objects.create(
        council=world.council, reference="R-00001", preferred_name="Ash", surname="Sample", created_at=AT,
        born_on=date(2004, 1, 1), eligibility="former_relevant",
    )  # fmt: skip
    theirs = barriers.raise_barrier(
        council=world.council, care_leaver=person, pantry=None, category="stigma", note="", owner=world.advisor,
        due_on=None, raised_on=DAY, by=world.advisor, at=AT,
    )  # fmt: skip
    with pytest.raises(Refused, match="stays with the Leaving Care Team"):
        opened(world, barrier=theirs)
    with pytest.raises(Refused, match="it names a young person"):
        opened(world, about="The place of Ash Sample", names_nobody=True)
    with pytest.raises(LooksLikeAName):
        up(world, opened(world), Rung.TEAM_LEADERS, TEAM, outcome="Told Ash", by=world.manager)


def test_it_is_on_every_agenda_until_it_is_settled(world):
    found = opened(world)

    def titles(n: int) -> list[str]:
        day = DAY + timedelta(weeks=n)
        made = meetings.plan(
            agreement=world.agreement, starts_at=moment(day), where="", period_from=DAY - timedelta(days=9),
            period_to=DAY, by=world.manager, at=AT,
        )  # fmt: skip
        agenda.fill(meeting=made, by=world.manager, at=moment(day))
        return list(AgendaItem.objects.filter(meeting=made, kind="disagreement").values_list("title", flat=True))

    assert (titles(1), titles(2)) == (["Opening after college"],) * 2
    disagreements.settle(disagreement=found, on=DAY, outcome="Agreed", by=world.manager, at=AT)
    assert titles(3) == []


@pytest.mark.sqlite
def test_managers_work_on_it_advisors_read_it_and_nobody_else_sees_it(world, settings):
    found = opened(world)
    client, page = Client(), reverse("reviews:disagreement", args=[found.pk])
    seen = {}
    for user in (world.manager, world.pantry_manager, world.advisor, world.finance, world.volunteer):
        client.force_login(user)
        answer = client.get(page)
        seen[user.role] = (answer.status_code, b"Take it up" in answer.content)
    assert seen == {
        Role.LEAVING_CARE_MANAGER: (200, True),
        Role.PANTRY_MANAGER: (200, True),
        Role.PERSONAL_ADVISOR: (200, False),
        Role.FINANCE_OFFICER: (403, False),
        Role.PANTRY_VOLUNTEER: (403, False),
    }
    assert not Disagreement.objects.for_user(world.finance).exists()
    client.force_login(world.pantry_manager)
    take_up = reverse("reviews:disagreement_take_up", args=[found.pk])
    day = {"on_day": DAY.day, "on_month": DAY.month, "on_year": DAY.year}
    refused = client.post(take_up, {"rung": "3", "who": HEADS, "outcome": "x", **day}).content.decode()
    assert "No rung is left out without a reason" in refused
    assert client.post(take_up, {"rung": "2", "who": TEAM, "outcome": "x", **day}).url == page
    settle = reverse("reviews:disagreement_settle", args=[found.pk])
    assert client.post(settle, {"outcome": "Agreed", **day}).url == page
    assert client.get(settle).url == page
    said = client.get(reverse("reviews:disagreements")).content.decode()
    assert "Opening after college" in said and "Not settled" not in said


@pytest.mark.sqlite
def test_one_begins_where_it_came_up(world):
    client = Client()
    client.force_login(world.pantry_manager)
    barrier = barriers.raise_barrier(
        council=world.council, care_leaver=None, pantry=world.pantry, category="hours", note="", owner=world.manager,
        due_on=None, raised_on=DAY, by=world.manager, at=AT,
    )  # fmt: skip
    add = f"{reverse('reviews:disagreement_add')}?barrier={barrier.pk}"
    assert f"{world.pantry.name}: Opening hours clash" in client.get(add).content.decode()
    day = {"on_day": DAY.day, "on_month": DAY.month, "on_year": DAY.year}
    sent = {"agreement": world.agreement.pk, "about": "Hours", "council_position": "x", "who": ["advisor"], **day}
    client.post(add, sent)
    assert Disagreement.objects.get().barrier == barrier
    for wrong in ("barrier=x", f"hold={barrier.pk}", f"item={barrier.pk}"):
        assert client.get(f"{reverse('reviews:disagreement_add')}?{wrong}").status_code == 404
