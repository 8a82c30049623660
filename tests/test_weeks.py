"""Open and closed weeks, the first week, and weeks that move."""

from datetime import date, time, timedelta

import pytest

from pantry import calendar, rules
from pantry.calendar import WeekCalendar
from pantry.models import Closure, OpeningHours, Pantry
from pantry.services import blocks, journal, places, renewals
from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK
from tests import factories
from tests.factories import World, moment

pytestmark = [pytest.mark.django_db, pytest.mark.vectors]

MONDAY, WEDNESDAY, THURSDAY, SATURDAY = ((day, time(10), time(12)) for day in (0, 2, 3, 5))
FIRST = date(2026, 4, 6)


def closure(pantry: Pantry, from_on: date, until_on: date, **more) -> Closure:
    by = factories.user("pantry_manager", pantry.operator)
    return Closure.objects.create(
        pantry=pantry,
        from_on=from_on,
        until_on=until_on,
        reason="Repairs",
        announced_at=moment(date(2026, 3, 2)),
        announced_by=by,
        **more,
    )


def closed(pantry: Pantry, week: date) -> bool:
    return WeekCalendar.for_pantries([pantry]).is_closed(pantry.pk, week)


# -- bank holidays -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2020, "1 Jan, 10 Apr, 13 Apr, 8 May, 25 May, 31 Aug, 25 Dec, 28 Dec"),
        (2021, "1 Jan, 2 Apr, 5 Apr, 3 May, 31 May, 30 Aug, 27 Dec, 28 Dec"),
        (2022, "3 Jan, 15 Apr, 18 Apr, 2 May, 2 Jun, 3 Jun, 29 Aug, 19 Sep, 26 Dec, 27 Dec"),
        (2026, "1 Jan, 3 Apr, 6 Apr, 4 May, 25 May, 31 Aug, 25 Dec, 28 Dec"),
        (2027, "1 Jan, 26 Mar, 29 Mar, 3 May, 31 May, 30 Aug, 27 Dec, 28 Dec"),
    ],
)
def test_bank_holidays_of_england_are_weekdays_with_the_substitute_not_the_day_itself(year, days):
    assert ", ".join(f"{day:%-d %b}" for day in sorted(calendar.bank_holidays(year))) == days


def test_a_saturday_boxing_day_is_no_bank_holiday_for_a_saturday_pantry():
    pantry = factories.pantry(None, SATURDAY)
    assert WeekCalendar.for_pantries([pantry]).sessions(pantry.pk, date(2026, 12, 26)) == [(time(10), time(12))]


# -- closed weeks ------------------------------------------------------------------------------------------------------


def test_a_week_is_closed_when_every_session_planned_in_it_is_closed():
    monday_only, both = factories.pantry(None, MONDAY), factories.pantry(None, MONDAY, WEDNESDAY)
    assert closed(monday_only, FIRST)  # Easter Monday
    assert not closed(both, FIRST)
    closure(both, date(2026, 4, 8), date(2026, 4, 8))
    assert closed(both, FIRST)


def test_a_withdrawn_closure_closes_nothing():
    pantry = factories.pantry(None, WEDNESDAY)
    closure(pantry, FIRST, FIRST + timedelta(days=6), withdrawn_at=moment(date(2026, 3, 3)))
    assert not closed(pantry, FIRST)


def test_bank_holidays_close_nothing_at_a_pantry_that_stays_open_on_them():
    assert not closed(factories.pantry(None, MONDAY, closes_on_bank_holidays=False), FIRST)


def test_last_years_weeks_are_judged_by_last_years_hours():
    pantry = factories.pantry(None, MONDAY)
    OpeningHours.objects.update(until_on=date(2026, 12, 31))
    OpeningHours.objects.create(pantry=pantry, weekday=2, opens=time(10), closes=time(12), from_on=date(2027, 1, 1))
    assert closed(pantry, FIRST)
    assert not closed(pantry, date(2027, 3, 29))  # Easter Monday 2027, but open on Wednesday


def test_hours_that_have_ended_open_no_week():
    pantry = factories.pantry(None, WEDNESDAY)
    OpeningHours.objects.update(until_on=date(2026, 12, 31))
    OpeningHours.objects.create(pantry=pantry, weekday=0, opens=time(10), closes=time(12), from_on=date(2027, 1, 1))
    assert not closed(pantry, FIRST)  # Easter Monday 2026, but open on Wednesday
    assert closed(pantry, date(2027, 3, 29))


def test_a_week_without_planned_sessions_counts_as_open():
    pantry = factories.pantry(None, WEDNESDAY)
    OpeningHours.objects.all().delete()
    closure(pantry, FIRST, FIRST + timedelta(days=6))
    assert not closed(pantry, FIRST)


def test_the_next_open_weeks_pass_over_closed_and_taken_ones():
    pantry = factories.pantry(None, MONDAY)
    found = WeekCalendar.for_pantries([pantry]).next_open_weeks(pantry.pk, FIRST, 2, {date(2026, 4, 13)})
    assert found == [date(2026, 4, 20), date(2026, 4, 27)]


def test_a_pantry_closed_for_ever_is_refused_in_words():
    pantry = factories.pantry(None, WEDNESDAY)
    closure(pantry, FIRST, date(2099, 1, 1))
    with pytest.raises(Refused, match="no open week in the next ten years"):
        WeekCalendar.for_pantries([pantry]).next_open_week(pantry.pk, FIRST)


def test_reading_the_calendar_takes_the_same_queries_for_1_and_3_pantries(django_assert_num_queries):
    pantries = [factories.pantry() for _ in range(3)]
    for some in (pantries[:1], pantries):
        with django_assert_num_queries(2):
            WeekCalendar.for_pantries(some)


# -- the first week ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "on", "clock", "wanted", "first"),
    [
        (THURSDAY, date(2026, 4, 9), "18:00", None, date(2026, 4, 13)),
        (THURSDAY, date(2026, 4, 9), "09:59", None, date(2026, 4, 6)),
        (THURSDAY, date(2026, 4, 9), "10:00", None, date(2026, 4, 13)),  # it has opened already
        (MONDAY, date(2026, 4, 2), "09:00", None, date(2026, 4, 13)),  # Easter Monday is closed
        (MONDAY, date(2026, 4, 5), "23:30", None, date(2026, 4, 13)),
        (WEDNESDAY, date(2026, 4, 2), "09:00", date(2026, 5, 4), date(2026, 5, 4)),
        (WEDNESDAY, date(2026, 4, 2), "09:00", date(2026, 5, 25), date(2026, 5, 25)),  # 8 weeks ahead
        (MONDAY, date(2026, 4, 2), "09:00", date(2026, 5, 25), date(2026, 6, 1)),  # a closed wanted week
        (WEDNESDAY, date(2026, 4, 21), "09:00", date(2026, 4, 6), date(2026, 4, 20)),  # the wanted week has passed
    ],
)
def test_the_first_week(session, on, clock, wanted, first):
    pantry = factories.pantry(None, session)
    assert WeekCalendar.for_pantries([pantry]).first_week(pantry.pk, moment(on, clock), wanted) == first


def test_a_first_week_more_than_8_weeks_ahead_is_refused_with_the_latest():
    pantry = factories.pantry(None, WEDNESDAY)
    with pytest.raises(Refused, match="up to 8 weeks ahead: choose 25 May 2026 or an earlier Monday"):
        WeekCalendar.for_pantries([pantry]).first_week(pantry.pk, moment(date(2026, 4, 2)), date(2026, 6, 1))


@pytest.mark.parametrize(
    ("utc", "day", "week"),
    [
        ("2026-03-29T00:30", date(2026, 3, 29), date(2026, 3, 23)),
        ("2026-03-29T23:30", date(2026, 3, 30), date(2026, 3, 30)),  # 00:30 BST on Monday
        ("2026-10-24T23:30", date(2026, 10, 25), date(2026, 10, 19)),  # 00:30 BST
        ("2026-10-25T23:30", date(2026, 10, 25), date(2026, 10, 19)),  # 23:30 GMT
        ("2027-03-28T23:30", date(2027, 3, 29), date(2027, 3, 29)),
        ("2027-10-31T23:30", date(2027, 10, 31), date(2027, 10, 25)),
    ],
)
def test_weeks_are_those_of_the_london_date_across_clock_changes(utc, day, week):
    from datetime import UTC, datetime

    at = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert weeks.london_date(at) == day
    assert weeks.monday(weeks.london_date(at)) == week


def test_weeks_within_funding_are_those_that_are_over_by_its_last_day():
    three = [FIRST, FIRST + WEEK, FIRST + 2 * WEEK]
    assert rules.weeks_within(three, None) == three
    assert rules.weeks_within(three, date(2026, 4, 19)) == three[:2]
    assert rules.weeks_within(three, date(2026, 4, 18)) == three[:1]


# -- weeks that move ---------------------------------------------------------------------------------------------------


@pytest.fixture
def world():
    return World(WEDNESDAY, hold_after_weeks_without_collection=0)


def dated(member) -> list[date]:
    return list(member.paid_weeks.order_by("block__block_no", "position").values_list("week", flat=True))


def announce(w, from_on: date, until_on: date, on: date):
    return places.announce_closure(
        pantry=w.pantry, from_on=from_on, until_on=until_on, reason="Repairs", by=w.pantry_manager, at=moment(on)
    )


def test_a_week_that_has_begun_never_moves(world):
    member = world.join()
    on = date(2026, 4, 20)
    closure(world.pantry, date(2026, 4, 20), date(2026, 5, 3))
    assert blocks.redate(pantry=world.pantry, by=world.pantry_manager, at=moment(on)) == 1
    plain = [FIRST + WEEK * n for n in range(28)]
    assert dated(member) == [week for week in plain if week != date(2026, 4, 27)][:26]


def test_two_closures_and_a_week_taken_back_keep_every_week_once(world):
    members = [world.join() for _ in range(3)]
    assert announce(world, date(2026, 6, 8), date(2026, 6, 21), date(2026, 6, 1)).members_moved == 3
    moved = announce(world, date(2026, 7, 1), date(2026, 7, 1), date(2026, 6, 2))
    assert moved.members_moved == 3
    gone = {date(2026, 6, 8), date(2026, 6, 15), date(2026, 6, 29)}
    expected = [week for n in range(29) if (week := FIRST + WEEK * n) not in gone]
    assert [dated(member) for member in members] == [expected] * 3
    assert [m.paid_weeks.filter(state="dated").count() for m in members] == [26] * 3
    places.withdraw_closure(closure=moved, by=world.pantry_manager, at=moment(date(2026, 6, 3)))
    assert dated(members[0]) == expected  # what has moved stays
    assert journal.check(date(2026, 6, 3)) == []


def test_a_closure_after_the_last_week_moves_only_the_day_on_which_the_renewal_is_due(world):
    member = world.join()
    last = dated(member)
    moved = announce(world, date(2026, 10, 5), date(2026, 10, 11), date(2026, 8, 3))
    member.refresh_from_db()
    assert (moved.members_moved, dated(member), member.next_due_on) == (0, last, date(2026, 9, 14))
    places.withdraw_closure(closure=moved, by=world.pantry_manager, at=moment(date(2026, 8, 4)))
    member.refresh_from_db()
    assert member.next_due_on == date(2026, 9, 7)


def test_those_who_left_and_other_pantries_are_left_alone(world):
    leaver = world.join()
    world.leave(leaver, date(2026, 5, 1))
    other = factories.pantry(world.operator)
    elsewhere = world.join(pantry=other)
    before = dated(leaver), dated(elsewhere)
    assert announce(world, date(2026, 6, 8), date(2026, 6, 14), date(2026, 6, 1)).members_moved == 0
    assert (dated(leaver), dated(elsewhere)) == before


def test_moving_weeks_takes_the_same_queries_for_1_and_3_members(world, django_assert_num_queries):
    def queries() -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            places.preview_closure(
                pantry=world.pantry,
                from_on=date(2026, 6, 8),
                until_on=date(2026, 6, 14),
                reason="Repairs",
                by=world.pantry_manager,
                at=moment(date(2026, 6, 1)),
            )
        return len(captured)

    world.join()
    one = queries()
    world.join(), world.join()
    assert queries() == one


def test_a_renewal_is_due_by_the_calendar_even_where_the_noted_day_is_too_early(world):
    member = world.join()
    closure(world.pantry, date(2026, 10, 5), date(2026, 10, 11))  # announced behind the services' back
    assert journal.check(date(2026, 9, 7)) == [
        "Member 1: the next renewal is noted for 7 September 2026 and is due on 14 September 2026."
    ]
    on = date(2026, 9, 7)
    assert renewals.sweep(on=on, at=moment(on), job="test").renewed == 0
    member.refresh_from_db()
    assert member.next_due_on == date(2026, 9, 14)
