"""The advisor's desk: the list searched, filtered, sorted; "I spoke to them"; what has happened; the strip of weeks."""

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from careleavers.models import Conversation
from careleavers.services import allocations, conversations, people
from referrals import attendance
from referrals import services as referrals
from reviews import timeline
from reviews.services import barriers
from stockport_hubs.accounts.models import Role
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK
from stockport_hubs.home import caseload_page
from tests import factories
from tests.factories import moment
from tests.test_introductions import AT, THURSDAY, agree, introduce, person

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
LATER = date(2026, 5, 14)  # weeks have been missed


@pytest.fixture(autouse=True)
def clock(settings):
    settings.CLOCK = AT
    return lambda at: setattr(settings, "CLOCK", at)


@pytest.fixture
def world():
    made = factories.World()
    made.colleague = factories.user(Role.PERSONAL_ADVISOR, made.council, name="Cleo Colleague")
    return made


def member(world, name="Ash", **more):
    """(young person, introduction, membership)."""
    care_leaver = person(world, name=name, **more)
    referral = introduce(world, care_leaver)
    return care_leaver, referral, referrals.accept(referral=referral, by=world.pantry_manager, at=AT)


def names(client, **asked) -> list[str]:
    page = client.get("/", asked).content.decode()
    return re.findall(r'<th scope="row"[^>]*><a [^>]*>(\w+) Quillfeather</a>', page)


# -- the list ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def caseload(world, clock, client):
    """Five people: came last week, never came, in between, waiting, new; and one covered."""
    for name, came_on in [("Ada", date(2026, 5, 6)), ("Bo", None), ("Cy", date(2026, 4, 15))]:
        made = member(world, name)[2]
        if came_on:
            world.collect(made, came_on)
    introduce(world, person(world, name="Di"))
    person(world, name="Ed")
    covered = person(world, name="Flo", advisor=world.colleague)
    allocations.give_cover(
        care_leaver=covered, advisor=world.advisor, from_on=LATER, until_on=LATER + WEEK, by=world.manager, at=AT
    )
    clock(moment(LATER))
    client.force_login(world.advisor)
    return covered


def test_the_list_is_in_the_order_asked_for(client, caseload):
    assert names(client) == ["Bo", "Cy", "Ed", "Flo", "Ada", "Di"]
    assert names(client, sort="name") == ["Ada", "Bo", "Cy", "Di", "Ed", "Flo"]
    assert names(client, sort="last")[:3] == ["Bo", "Cy", "Ada"]
    assert set(names(client, sort="left")[:3]) == {"Ada", "Bo", "Cy"}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"show": "not_seen"}, ["Bo", "Cy"]),
        ({"show": "needs"}, ["Bo", "Cy", "Ed", "Flo", "Ada", "Di"]),
        ({"show": "agreement"}, ["Ed", "Flo"]),
        ({"show": "waiting"}, ["Di"]),
        ({"show": "cover"}, ["Flo"]),
        ({"q": "bo"}, ["Bo"]),
        ({"q": "bo", "show": "cover"}, []),
    ],
)
def test_the_list_is_searched_and_filtered(client, caseload, asked, found):
    assert names(client, **asked) == found
    assert ("Nobody fits" in client.get("/", asked).content.decode()) == (found == [])


def test_cover_is_shown_as_cover_and_ends(client, caseload, clock):
    page = client.get("/").content.decode()
    assert page.count(">Cover</strong>") == 1 and names(client, show="cover") == ["Flo"]
    clock(moment(LATER + 2 * WEEK))
    assert "Flo" not in client.get("/").content.decode()


def test_more_people_than_are_looked_at_together_stand_by_name(client, caseload, monkeypatch):
    assert len(names(client)) == 6  # the statement of a first page is written with its usual length
    monkeypatch.setattr(caseload_page, "AT_ONCE", 2)
    monkeypatch.setattr("referrals.caseload.A_PAGE", 4)
    assert names(client) == names(client, page="1") == ["Ada", "Bo", "Cy", "Di"]
    assert client.get("/").content.decode().count(">Cover</strong>") == 0
    assert client.get("/", {"page": 2}).content.decode().count(">Cover</strong>") == 1
    assert names(client, page="2") == ["Ed", "Flo"]
    assert "With more than 200 young people" in client.get("/", {"page": 1}).content.decode()
    assert names(client, q="cy") == ["Cy"]
    with CaptureQueriesContext(connection) as queries:
        client.get("/")
    asked = [each["sql"] for each in queries if each["sql"].startswith('SELECT "careleavers_careleaver"."id"')]
    assert len(asked) == 1, "the rows of the first page, once"


# -- I spoke to them ---------------------------------------------------------------------------------------------------


def test_one_click_says_that_somebody_spoke_to_them_and_quiets_the_nudge_for_two_weeks(client, world, clock):
    care_leaver, _, made = member(world)
    world.collect(made, date(2026, 4, 15))
    clock(moment(LATER))
    client.force_login(world.advisor)
    assert "Not seen for 3 weeks</strong>" in client.get("/").content.decode()
    spoke = reverse("careleavers:spoke", args=[care_leaver.pk])
    answer = client.post(spoke, {"back": "home"}, follow=True).content.decode()
    assert "you spoke to Ash today" in answer and "Not seen for 3 weeks, spoken to 14 May" in answer
    assert "Say what is in the way" in answer and spoke not in answer
    client.post(spoke)
    assert Conversation.objects.count() == 1
    clock(moment(LATER + 2 * WEEK))
    again = client.get("/").content.decode()
    assert "Not seen for 5 weeks</strong>" in again and "govuk-tag--red" in again and spoke in again


def test_a_wrong_click_is_taken_back_on_its_day_by_who_clicked(client, world):
    care_leaver = person(world)
    conversations.spoke(care_leaver=care_leaver, by=world.advisor, at=AT)
    with pytest.raises(Refused, match="Only whoever recorded it"):
        conversations.take_back(care_leaver=care_leaver, by=world.manager, at=AT)
    with pytest.raises(Refused, match="Only whoever recorded it"):
        conversations.take_back(care_leaver=care_leaver, by=world.advisor, at=AT + timedelta(days=1))
    client.force_login(world.advisor)
    page = reverse("careleavers:detail", args=[care_leaver.pk])
    assert "Undo: nobody spoke to them" in client.get(page).content.decode()
    client.post(reverse("careleavers:spoke_take_back", args=[care_leaver.pk]))
    assert "I spoke to them" in client.get(page).content.decode()
    assert conversations.spoke(care_leaver=care_leaver, by=world.advisor, at=AT).taken_back_at is None
    people.edit(care_leaver=care_leaver, by=world.manager, at=AT, died_on=THURSDAY)
    with pytest.raises(Refused, match="has died"):
        conversations.spoke(care_leaver=care_leaver, by=world.advisor, at=AT)


# -- what has happened -------------------------------------------------------------------------------------------------


def test_what_has_happened_comes_from_every_part_the_latest_first(client, world, clock):
    care_leaver, referral, made = member(world)
    world.collect(made, date(2026, 4, 15))
    barriers.raise_barrier(
        council=world.council, care_leaver=care_leaver, pantry=None, category="hours", note="", owner=world.manager,
        due_on=date(2026, 6, 1), raised_on=date(2026, 4, 20), by=world.advisor, at=moment(date(2026, 4, 20)),
    )  # fmt: skip
    conversations.spoke(care_leaver=care_leaver, by=world.advisor, at=moment(date(2026, 4, 21)))
    referrals.pause(
        referral=referral, reason="away", on=date(2026, 4, 22), by=world.advisor, at=moment(date(2026, 4, 22))
    )
    number = referral.reference
    assert [(each.on, each.what) for each in timeline.of(care_leaver)] == [
        (date(2026, 4, 22), "Paused: away"),
        (date(2026, 4, 21), f"{world.advisor.name} spoke to them"),
        (date(2026, 4, 20), f"In the way: opening hours clash ({world.manager.name}, until 1 June 2026)"),
        (date(2026, 4, 15), "First collection"),
        (date(2026, 4, 9), f"Introduction {number}: accepted"),
        (date(2026, 4, 9), f"Introduction {number}: sent"),
        (date(2026, 4, 8), "Agreed to share, in person"),
        (date(2026, 3, 2), f"{world.advisor.name} is the personal advisor"),
    ]
    client.force_login(world.advisor)
    clock(moment(date(2026, 4, 23)))
    page = client.get(reverse("careleavers:detail", args=[care_leaver.pk])).content.decode()
    assert "What has happened" in page and "First collection" in page
    assert "Volunteers read" in page and "Allergy: milk" in page


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_of_a_member_asks_the_same_questions_however_much_there_is(
    client, world, clock, rows, django_assert_num_queries
):
    care_leaver, _, made = member(world)
    for n in range(rows):
        world.collect(made, date(2026, 4, 15) + n * WEEK)
        conversations.spoke(care_leaver=care_leaver, by=world.advisor, at=AT + timedelta(days=n))
        agree(world, care_leaver, on=date(2026, 4, 8))
    clock(moment(LATER))
    client.force_login(world.advisor)
    with django_assert_num_queries(43):
        client.get(reverse("careleavers:detail", args=[care_leaver.pk]))


# -- the strip ---------------------------------------------------------------------------------------------------------


def test_the_strip_shows_every_week_of_the_block_in_words_with_pauses_and_closures_between(world):
    _, referral, made = member(world)
    world.collect(made, date(2026, 4, 15))
    world.collect(made, date(2026, 4, 22))
    referrals.pause(
        referral=referral, reason="away", on=date(2026, 5, 5), by=world.advisor, at=moment(date(2026, 5, 5))
    )
    referrals.resume(referral=referral, on=date(2026, 5, 26), by=world.advisor, at=moment(date(2026, 5, 26)))
    referral.refresh_from_db()
    found = attendance.of(referral, date(2026, 5, 28))
    states = [week["state"] for week in found.weeks]
    assert states[:2] == ["collected", "collected"]
    assert "paused" in states and states[-1] == "to_come"
    mondays = [week["monday"] for week in found.weeks]
    assert mondays == [mondays[0] + n * WEEK for n in range(len(mondays))]
    assert sum(state != "paused" for state in states) == 26
    assert found.in_words.startswith("2 collected, ") and f"{states.count('paused')} paused" in found.in_words
