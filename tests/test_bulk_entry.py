"""A whole past session entered at once by the pantry manager: all of it, or nothing with each refusal named."""

import re
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from pantry.models import Collection
from pantry.services import bulk
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.counter_scene import WEDNESDAY, Counter, at
from tests.factories import moment

pytestmark = pytest.mark.django_db
TOMORROW = WEDNESDAY + timedelta(days=1)


@pytest.fixture
def counter():
    return Counter()


def enter(counter, members, **more):
    given = {"session": counter.session, "key": uuid.uuid4(), "by": counter.pantry_manager, "at": moment(TOMORROW)}
    return bulk.record(memberships=members, **(given | more))


def test_a_whole_session_is_entered_late_and_once(counter):
    members = [counter.join(), counter.other(), counter.other(pantry=factories.pantry(counter.operator))]
    key = uuid.uuid4()
    made = enter(counter, members, key=key)
    assert [c.membership for c in made] == members
    assert {(c.on, c.is_late, c.collected_at) for c in made} == {(WEDNESDAY, True, moment(WEDNESDAY, "10:00"))}
    assert [c.paid_pence for c in made] == [0, 1350, 1350]
    assert enter(counter, members, key=key) == made
    assert Collection.objects.count() == 3


def test_one_refusal_takes_everything_back_and_every_refusal_is_named(counter):
    fine, collected, left = counter.join(), counter.join(), counter.join()
    counter.record(collected)
    counter.leave(left, WEDNESDAY - timedelta(days=1))
    with pytest.raises(bulk.NotAll) as why:
        enter(counter, [left, fine, collected])
    assert why.value.reasons == [
        (collected.number, "Already collected this week. Collected on Wednesday 8 April 10:42 by Jo."),
        (left.number, "This membership has ended. Ask the pantry manager."),
    ]
    assert Collection.objects.get().membership == collected


def test_nobody_and_too_many_are_refused(counter, monkeypatch):
    with pytest.raises(Refused, match="Choose who came."):
        enter(counter, [])
    monkeypatch.setattr(bulk, "AT_ONCE", 1)
    with pytest.raises(Refused, match="Up to 1 collections can be entered at once."):
        enter(counter, [counter.join(), counter.join()])


def test_the_manager_ticks_types_numbers_and_is_told_who_stood_in_the_way(counter, client):
    ash, bay = counter.join(preferred_name="Ash"), counter.other(preferred_name="Bay")
    guest = counter.join(pantry=factories.pantry(counter.operator))
    strangers = Counter()
    theirs = [strangers.join() for _ in range(4)][-1].number  # a number nobody has here
    url = reverse("pantry:session_bulk", args=[counter.session.pk])

    def text(response) -> str:
        main = response.content.decode().partition('id="main-content">')[2].partition("</main>")[0]
        return " ".join(re.sub(r"<[^>]+>", " ", main).split())

    with at(TOMORROW):
        client.force_login(counter.pantry_manager)
        page = client.get(url)
        assert f"{ash.number} Ash" in text(page) and "It is marked as entered late." in text(page)
        key = uuid.uuid4()
        assert "Choose who came" in text(client.post(url, {"key": key}))
        typed = client.post(url, {"key": key, "numbers": f"x1, {theirs}, 9999"})
        assert f"No member has the number x1, {theirs}, 9999." in text(typed)
        counter.record(bay)
        sent = {"key": key, "people": [ash.pk, bay.pk], "numbers": guest.number}
        told = client.post(url, sent)
        assert told.status_code == 409
        assert f"{bay.number}: Already collected this week. Collected on Wednesday 8 April 10:42 by Jo." in text(told)
        assert Collection.objects.count() == 1
        done = client.post(url, sent | {"people": [ash.pk]}, follow=True)
        assert "Recorded: 2 collections." in text(done)
        assert set(Collection.objects.values_list("membership", flat=True)) == {ash.pk, bay.pk, guest.pk}
    with at(WEDNESDAY + timedelta(days=29)):
        client.force_login(counter.pantry_manager)
        assert "Nothing can be recorded in this session any more." in text(client.get(url))


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_of_a_whole_session_asks_the_same_questions(counter, client, django_assert_num_queries, rows):
    for _ in range(rows):
        counter.join()
    with at(TOMORROW):
        client.force_login(counter.pantry_manager)
        with django_assert_num_queries(8):
            client.get(reverse("pantry:session_bulk", args=[counter.session.pk]))
