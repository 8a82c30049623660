"""Why a week was missed: kept for weeks that were, by the pantry manager, for nobody at the counter to read."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pantry.models import MissedWeek
from pantry.services import memberships, missed
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK
from tests.counter_scene import WEDNESDAY, Counter, at
from tests.factories import moment

pytestmark = pytest.mark.django_db
FIRST = date(2026, 4, 6)
ON = WEDNESDAY + 3 * WEEK  # collected, missed, missed, and this week


@pytest.fixture
def counter():
    return Counter()


@pytest.fixture
def member(counter):
    made = counter.join()
    counter.record(made)
    return made


def say(counter, member, week: date, reason: str, by=None, on: date = ON):
    by = by or counter.pantry_manager
    return missed.say(membership=member, reasons={week: reason}, by=by, at=moment(on))


def kept() -> list[tuple]:
    return list(MissedWeek.objects.order_by("week").values_list("week", "reason"))


@pytest.mark.parametrize("reason", MissedWeek.Reason.values)
def test_each_reason_is_kept_changed_and_taken_away(counter, member, reason):
    say(counter, member, FIRST + WEEK, reason)
    assert kept() == [(FIRST + WEEK, reason)]
    say(counter, member, FIRST + WEEK, "told_us")
    assert kept() == [(FIRST + WEEK, "told_us")]
    say(counter, member, FIRST + WEEK, "")
    assert kept() == []
    event = AuditEvent.objects.filter(verb="pantry.missed_week.explained").first()
    assert (event.by, [s.subject_id for s in event.subjects.all()]) == (counter.pantry_manager, [member.pk])
    assert event.detail == {"weeks": ["2026-04-13"]}


@pytest.mark.parametrize("week", [FIRST, FIRST + 3 * WEEK, FIRST - WEEK, FIRST + 40 * WEEK])
def test_a_week_that_is_not_missed_is_refused(counter, member, week):
    with pytest.raises(Refused, match="Member 1 has not missed the week of"):
        say(counter, member, week, "planned")
    assert kept() == []


def test_a_paused_week_and_an_unpaid_one_are_not_missed(counter, member):
    memberships.pause(membership=member, on=WEDNESDAY, by=counter.advisor, at=moment(WEDNESDAY, "17:00"))
    for each in (member, counter.other()):
        with pytest.raises(Refused, match="has not missed the week"):
            say(counter, each, FIRST + WEEK, "planned")


def test_only_the_pantrys_own_manager_says(counter, member):
    for by in (counter.volunteer, counter.manager, Counter().pantry_manager):
        with pytest.raises(Refused, match="The pantry manager records why"):
            say(counter, member, FIRST + WEEK, "planned", by=by)


def test_the_manager_chooses_on_the_members_page_and_no_volunteer_sees_it(counter, member, client):
    url, back = (reverse(f"pantry:{name}", args=[member.pk]) for name in ("member_missed", "member"))
    client.force_login(counter.pantry_manager)
    with at(ON):
        assert url in client.get(back).content.decode()
        page = client.get(url).content.decode()
        assert [page.count(f"Week of {day} April 2026") for day in (6, 13, 20, 27)] == [0, 1, 1, 0]
        wrong = client.post(url, {"week_20260413": "nonsense"})
        assert (wrong.status_code, kept()) == (200, [])
        assert client.post(url, {"week_20260413": "told_us", "week_20260420": ""}).url == back
        assert kept() == [(FIRST + WEEK, "told_us")]
        assert '<option value="told_us" selected' in client.get(url).content.decode()
        client.force_login(counter.volunteer)
        assert client.get(url).status_code in (403, 404)
        session = reverse("pantry:session", args=[counter.open(ON).pk])
        assert "Told us" not in client.get(session, {"q": member.number}).content.decode()


def test_nothing_missed_is_said(counter, client):
    client.force_login(counter.pantry_manager)
    with at():
        page = client.get(reverse("pantry:member_missed", args=[counter.join().pk])).content.decode()
    assert "No week has been missed in the last 26." in page


def test_the_page_asks_the_same_questions_however_many_weeks(counter, member, client):
    client.force_login(counter.pantry_manager)
    counts = []
    for n in (2, 20):
        with at(WEDNESDAY + n * WEEK), CaptureQueriesContext(connection) as asked:
            client.get(reverse("pantry:member_missed", args=[member.pk]))
        counts.append(len(asked))
    assert counts[0] == counts[1]
