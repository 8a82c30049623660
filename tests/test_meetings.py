"""Review meetings: planned, listed, held, minuted, with actions; who may read and who may work on them."""

from datetime import date, timedelta
from itertools import product

import pytest
from django.test import Client
from django.urls import reverse

from reviews import rules
from reviews.models import Action, ReviewMeeting
from reviews.services import meetings
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.factories import moment

pytestmark = pytest.mark.sqlite  # pages and files: one database is enough

DAY = date(2026, 4, 15)


@pytest.fixture
def world(db):
    return factories.World()


def plan(world, day: date = DAY, **more) -> ReviewMeeting:
    given = {
        "agreement": world.agreement,
        "starts_at": moment(day, "14:00"),
        "where": "Room 1",
        "period_from": day - timedelta(days=90),
        "period_to": day - timedelta(days=3),
        "by": world.manager,
        "at": moment(day - timedelta(days=21)),
    }
    return meetings.plan(**given | more)


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user, name: str, *args):
    return signed_in(user).get(reverse(f"reviews:{name}", args=args))


def days(**given) -> dict:
    """Day fields as they are posted."""
    return {f"{name}_{part}": getattr(day, part) for name, day in given.items() for part in ("day", "month", "year")}


# -- rules -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "previous, expected",
    [
        (None, (date(2025, 10, 13), date(2026, 4, 12))),
        (date(2026, 1, 11), (date(2026, 1, 12), date(2026, 4, 12))),
        (date(2026, 4, 12), (date(2025, 10, 13), date(2026, 4, 12))),
    ],
)
def test_the_usual_period_runs_from_the_last_meeting_or_26_weeks_to_last_sunday(previous, expected):
    assert rules.usual_period(DAY, previous) == expected


def test_26_weeks_are_the_usual_period():
    first, last = rules.usual_period(DAY, None)
    assert (last - first).days + 1 == 26 * 7


@pytest.mark.parametrize("today, expected", [(date(2026, 4, 1), date(2026, 4, 1)), (date(2026, 5, 1), DAY)])
def test_figures_are_told_as_at_the_end_of_the_period_or_today(today, expected):
    assert rules.figures_as_at(DAY, today) == expected


# -- services ----------------------------------------------------------------------------------------------------------


def test_planning_writes_a_meeting_and_its_audit_row(world):
    made = plan(world)
    assert (made.state, made.planned_by, made.where) == ("planned", world.manager, "Room 1")
    assert AuditEvent.objects.filter(verb="reviews.meeting.planned", target_id=made.pk).count() == 1


@pytest.mark.parametrize(
    "period, sentence",
    [
        ((DAY, DAY - timedelta(days=1)), "The period must end on or after the day it begins."),
        (
            (DAY + timedelta(days=1), DAY + timedelta(days=9)),
            "The period must begin before the meeting: a meeting looks back.",
        ),
        ((DAY - timedelta(days=1200), DAY), "The period can be three years at most."),
    ],
)
def test_a_period_out_of_order_is_refused(world, period, sentence):
    with pytest.raises(Refused, match=sentence):
        plan(world, period_from=period[0], period_to=period[1])


MEETING_PAIRS = {
    ("planned", "agenda_out"),
    ("planned", "held"),
    ("agenda_out", "held"),
    ("held", "minutes_agreed"),
}
PAIRS = list(product(rules.MEETING_MOVES, repeat=2))


@pytest.mark.parametrize(("here", "there"), PAIRS, ids=map("-".join, PAIRS))
def test_every_pair_of_states_of_a_meeting(world, here, there):
    made, later = plan(world), moment(DAY, "17:00")
    ReviewMeeting.objects.filter(pk=made.pk).update(state=here)
    if (here, there) in MEETING_PAIRS:
        assert meetings.move(meeting=made, state=there, by=world.manager, at=later).state == there
    else:
        with pytest.raises(Refused, match="cannot become"):
            meetings.move(meeting=made, state=there, by=world.manager, at=later)
        assert ReviewMeeting.objects.get().state == here
    assert {(a, b) for a, then in rules.MEETING_MOVES.items() for b in then} == MEETING_PAIRS


def test_a_meeting_is_held_on_its_day_at_the_earliest(world):
    made = plan(world)
    with pytest.raises(Refused, match="The meeting is on 15 April 2026. From that day it can be marked as held."):
        meetings.move(meeting=made, state="held", by=world.manager, at=moment(DAY - timedelta(days=1)))


def test_minutes_wait_until_it_is_known_who_came(world):
    made = plan(world)
    row = meetings.invite(meeting=made, name="Ash Sample", organisation=world.council, by=world.manager, at=moment(DAY))
    held = meetings.move(meeting=made, state="held", by=world.manager, at=moment(DAY))
    with pytest.raises(Refused, match="Say of everyone on the list whether they came."):
        meetings.move(meeting=held, state="minutes_agreed", by=world.manager, at=moment(DAY))
    meetings.mark_attendance(attendance=row, came=False, by=world.manager, at=moment(DAY))
    agreed = meetings.move(meeting=held, state="minutes_agreed", by=world.manager, at=moment(DAY))
    assert agreed.state == "minutes_agreed"


def test_the_list_holds_each_name_once_and_both_organisations_only(world):
    made, more = plan(world), {"by": world.manager, "at": moment(DAY)}
    meetings.invite(meeting=made, name="Ash Sample", organisation=world.council, **more)
    with pytest.raises(Refused, match="is on the list already"):
        meetings.invite(meeting=made, name="Ash Sample", organisation=world.council, **more)
    with pytest.raises(Refused, match="Choose one of the two organisations"):
        meetings.invite(meeting=made, name="Bo Sample", organisation=factories.council(), **more)
    assert list(made.attendance.values_list("name", flat=True)) == ["Ash Sample"]


def test_a_held_meeting_keeps_its_time_and_period(world):
    made = plan(world)
    held = meetings.move(meeting=made, state="held", by=world.manager, at=moment(DAY))
    with pytest.raises(Refused, match="This meeting has been held."):
        meetings.edit(
            meeting=held,
            starts_at=held.starts_at,
            where="Elsewhere",
            period_from=held.period_from,
            period_to=held.period_to,
            by=world.manager,
            at=moment(DAY),
        )


def test_an_action_needs_an_owner_of_the_two_organisations(world):
    made, more = plan(world), {"due_on": DAY, "by": world.manager, "at": moment(DAY)}
    for owner in (world.manager, world.advisor, world.pantry_manager):
        meetings.add_action(meeting=made, what="Ring the hall", owner=owner, **more)
    stranger = factories.user(Role.LEAVING_CARE_MANAGER)
    for owner in (stranger, world.volunteer, world.finance):
        with pytest.raises(Refused, match="is of neither organisation"):
            meetings.add_action(meeting=made, what="Ring the hall", owner=owner, **more)
    assert made.actions.count() == 3


# -- pages -------------------------------------------------------------------------------------------------------------


def test_both_managers_plan_and_work_on_a_meeting_in_the_browser(world):
    manager, theirs = signed_in(world.manager), signed_in(world.pantry_manager)
    today = clock.today()
    period = days(on=today, period_from=today - timedelta(days=60), period_to=today - timedelta(days=1))
    form = {"agreement": str(world.agreement.pk), "starts": "14:00", "where": "Room 2", **period}
    answer = manager.post(reverse("reviews:meeting_add"), form)
    made = ReviewMeeting.objects.get()
    assert (answer.status_code, answer.url) == (302, reverse("reviews:meeting", args=[made.pk]))
    theirs.post(
        reverse("reviews:meeting_invite", args=[made.pk]),
        {"name": "Bo Sample", "organisation": str(world.operator.pk)},
    )
    row = made.attendance.get()
    theirs.post(reverse("reviews:meeting_attendance", args=[made.pk]), {f"came-{row.pk}": "yes"})
    due = days(due_on=today + timedelta(days=7))
    action = {"what": "Ring the hall", "owner": str(world.pantry_manager.pk), **due}
    manager.post(reverse("reviews:meeting_action", args=[made.pk]), action)
    theirs.post(reverse("reviews:action_mark", args=[Action.objects.get().pk]), {"done": "yes"})
    manager.post(reverse("reviews:meeting_move", args=[made.pk]), {"state": "held"})
    made.refresh_from_db()
    row.refresh_from_db()
    assert (made.state, row.came, Action.objects.get().done_on) == ("held", True, today)
    text = manager.get(reverse("reviews:meeting", args=[made.pk])).content.decode()
    assert "Bo Sample" in text and "Ring the hall" in text


def test_a_refusal_is_said_on_the_page(world):
    made = plan(world, day=clock.today() + timedelta(days=10))
    answer = signed_in(world.manager).post(
        reverse("reviews:meeting_move", args=[made.pk]), {"state": "held"}, follow=True
    )
    assert "From that day it can be marked as held." in answer.content.decode()


@pytest.mark.parametrize("name", ["meeting_add", "meeting_edit", "meeting_invite", "meeting_action"])
def test_forms_show_and_explain_what_is_missing(world, name):
    args = [] if name == "meeting_add" else [plan(world).pk]
    client = signed_in(world.manager)
    assert client.get(reverse(f"reviews:{name}", args=args)).status_code == 200
    answer = client.post(reverse(f"reviews:{name}", args=args), {"save": "Save"})
    assert answer.status_code == 200 and "There is a problem" in answer.content.decode()


def test_advisors_read_meetings_and_do_not_change_them(world):
    made = plan(world)
    text = page(world.advisor, "meeting", made.pk).content.decode()
    assert "Room 1" in text and "Make the packs" not in text and '<form method="post" action="/reviews' not in text
    assert page(world.advisor, "meeting_edit", made.pk).status_code == 403


@pytest.mark.parametrize("role", [Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER, Role.PERSONAL_ADVISOR])
def test_another_organisations_meeting_is_not_found(world, role):
    made = plan(world)
    stranger = factories.user(role)
    assert page(stranger, "meeting", made.pk).status_code == 404
    assert made.starts_at.strftime("%Y") not in page(stranger, "meetings").content.decode()


def test_empty_pages_say_what_to_do(world):
    stranger = factories.user(Role.LEAVING_CARE_MANAGER)
    assert "No review meeting has been planned yet" in page(stranger, "meetings").content.decode()
    assert "There is no funding agreement yet" in page(stranger, "meeting_add").content.decode()
    assert "Nobody is on the list yet" in page(world.manager, "meeting", plan(world).pk).content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_query_counts_do_not_grow(world, rows, django_assert_num_queries):
    for n in range(rows):
        made = plan(world, day=DAY + timedelta(days=n))
    for n in range(rows):
        more = {"by": world.manager, "at": moment(DAY)}
        meetings.invite(meeting=made, name=f"Person {n}", organisation=world.council, **more)
        meetings.add_action(meeting=made, what="Ring", owner=world.manager, due_on=DAY, **more)
    client = signed_in(world.manager)
    client.get(reverse("reviews:meetings"))
    with django_assert_num_queries(8):
        client.get(reverse("reviews:meetings"))
    with django_assert_num_queries(10):
        client.get(reverse("reviews:meeting", args=[made.pk]))
