"""The waiting lists: first come first in line, the reason and the place read alike by both sides."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from pantry.models import Pantry
from referrals import rules, services, waiting
from referrals.models import Referral
from tests import factories
from tests.factories import World
from tests.test_introductions import AT, introduce, refusal

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings):
    settings.CLOCK = AT.replace(tzinfo=None)
    return World()


def put(world, referral, hours: int = 0, **more) -> Referral:
    given = {"by": world.pantry_manager, "at": AT + timedelta(hours=hours), **more}
    services.put_on_waiting_list(referral=referral, **given)
    referral.refresh_from_db()
    return referral


def text(response) -> str:
    main = response.content.decode().partition('id="main-content">')[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_the_place_in_line_is_by_the_moment_of_being_put_on_it_in_each_pantry(world):
    elsewhere = factories.pantry(world.operator)
    first, second, other = introduce(world), introduce(world), introduce(world, pantry=elsewhere)
    put(world, second, 1)
    put(world, first, 2, reason="volunteers")
    put(world, other, 3, reason="other", note="The hall moves in May")
    found = waiting.waits(Referral.objects.all())
    assert {key: (each.place, each.since, each.reason) for key, each in found.items()} == {
        second.pk: (1, AT + timedelta(hours=1), "The pantry is full"),
        first.pk: (2, AT + timedelta(hours=2), "Not enough volunteers for more members"),
        other.pk: (1, AT + timedelta(hours=3), "Another reason, in the note"),
    }
    services.decline(referral=second, reason="full", by=world.pantry_manager, at=AT)
    assert waiting.waits([first])[first.pk].place == 1
    assert waiting.waits([second, introduce(world)]) == {}


@pytest.mark.sqlite
def test_a_reason_is_needed_and_another_reason_its_note(world):
    given = {"referral": introduce(world), "by": world.pantry_manager, "at": AT}
    said = refusal(services.put_on_waiting_list, reason="", **given)
    assert said == "Choose why they have to wait."
    assert refusal(services.put_on_waiting_list, reason="other", **given) == "Write your note."
    assert given["referral"].state == rules.SENT


@pytest.mark.sqlite
def test_both_sides_read_the_place_and_the_reason_and_the_council_no_other_line(world, client):
    colleague = factories.user(world.advisor.role, world.council)
    theirs = introduce(world)
    Referral.objects.filter(pk=theirs.pk).update(made_by=colleague)
    mine = introduce(world)
    put(world, theirs, -1)
    client.force_login(world.pantry_manager)
    answer = reverse("referrals:answer", args=[mine.pk])
    needs_note = client.post(answer, {"answer": "wait", "waiting_reason": "other"})
    assert "Write in the note why they have to wait" in text(needs_note)
    client.post(answer, {"answer": "wait", "waiting_reason": "needs"})
    detail, lists = reverse("referrals:detail", args=[mine.pk]), reverse("referrals:waiting")
    words = f"Number 2 in the pantry’s line since {AT.day} April 2026. The pantry arranges what they need."
    for user in (world.pantry_manager, world.advisor, world.manager):
        client.force_login(user)
        assert words in text(client.get(detail)), user.role
        assert f"2 {mine.reference}" in text(client.get(lists)), user.role
    client.force_login(world.pantry_manager)
    page = text(client.get(lists))
    assert page.index(theirs.reference) < page.index(mine.reference)
    assert mine.care_leaver.surname not in page and "0 members, and no limit." in page


def test_the_manager_is_told_when_there_is_room_for_somebody_who_waits(world, client):
    Pantry.objects.filter(pk=world.pantry.pk).update(capacity=1)
    world.pantry.refresh_from_db()
    member = world.join()
    waits, short = introduce(world), introduce(world)
    put(world, waits)
    put(world, short, reason="volunteers")
    client.force_login(world.pantry_manager)
    mine = Referral.objects.for_user(world.pantry_manager)
    assert list(waiting.with_room(mine)) == []
    assert "1 member of 1." in text(client.get(reverse("referrals:waiting")))
    world.leave(member, AT.date())
    assert list(waiting.with_room(mine)) == [waits]
    assert "there is room now" in text(client.get(reverse("referrals:waiting")))
    assert "1 waits for a place at a pantry that has room now." in text(client.get(reverse("home")))
    client.force_login(World().pantry_manager)
    assert "that has room now" not in text(client.get(reverse("home")))


@pytest.mark.sqlite
def test_nobody_waits_and_who_waits_elsewhere_is_not_shown(world, client):
    theirs = World()
    waits = put(theirs, introduce(theirs))
    client.force_login(theirs.advisor)
    assert waits.reference in text(client.get(reverse("referrals:waiting")))
    for user in (world.advisor, world.manager, world.pantry_manager):
        client.force_login(user)
        assert "Nobody waits for a place." in text(client.get(reverse("referrals:waiting"))), user.role


@pytest.mark.sqlite
@pytest.mark.parametrize("n", [1, 3])
def test_the_lists_ask_the_same_questions(world, client, django_assert_num_queries, n):
    for _ in range(n):
        put(world, introduce(world))
    for user, queries in ((world.pantry_manager, 11), (world.advisor, 9)):
        client.force_login(user)
        client.get(reverse("referrals:waiting"))
        with django_assert_num_queries(queries):
            client.get(reverse("referrals:waiting"))
