"""Every change of a paid week's state, and closures as they move weeks or leave them."""

from datetime import date, timedelta
from itertools import product

import pytest

from pantry import money
from pantry.models import PaidWeek
from pantry.services import by_hand, journal, memberships, places
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK
from tests.factories import World, moment

pytestmark = pytest.mark.django_db

FIRST = date(2026, 4, 6)
WEEKS = [FIRST + WEEK * n for n in range(60)]
ON = WEEKS[9] + timedelta(days=2)
STATES = PaidWeek.State.values


@pytest.fixture
def world():
    return World(hold_after_weeks_without_collection=0)


def of_state(w: World, state: str) -> PaidWeek:
    """The last week of a member, in this state, through the services."""
    if state == "reversed":
        week = by_hand.self_pay_week(
            membership=w.join(agreement=None), week=FIRST, pence=350, by=w.volunteer, at=moment(FIRST)
        )
        by_hand.reverse_week(paid_week=week, by=w.volunteer, at=moment(FIRST))
        return week
    member = w.join()
    if state == "parked":
        memberships.pause(membership=member, on=ON, by=w.advisor, at=moment(ON))
    elif state == "credited":
        w.leave(member, ON)
    return member.paid_weeks.order_by("position").last()


def park(w, week):
    memberships.pause(membership=week.membership, on=ON, by=w.advisor, at=moment(ON))


def date_again(w, week):
    memberships.resume(membership=week.membership, on=ON, by=w.advisor, at=moment(ON, "09:30"))


def credit(w, week):
    w.leave(week.membership, ON)


def reverse(w, week):
    by_hand.reverse_week(paid_week=week, by=w.volunteer, at=moment(ON))


VERBS = {"parked": park, "dated": date_again, "credited": credit, "reversed": reverse}
ALLOWED = {("dated", "parked"), ("dated", "credited"), ("parked", "dated"), ("parked", "credited")}


PAIRS = list(product(STATES, repeat=2))


@pytest.mark.parametrize(("before", "after"), PAIRS, ids=map("-".join, PAIRS))
def test_every_pair_of_states_of_a_bought_week(world, before, after):
    week = of_state(world, before)
    if (before, after) in ALLOWED:
        VERBS[after](world, week)
        week.refresh_from_db()
        assert week.state == after
    elif before == "reversed" and after in ("parked", "credited"):  # the member goes on, the week stays given back
        VERBS[after](world, week)
        week.refresh_from_db()
        assert week.state == "reversed"
    else:
        with pytest.raises(Refused, match="^(Member 1|Only a week|This week).*[.]$"):
            VERBS[after](world, week)
        week.refresh_from_db()
        assert week.state == before
    assert journal.check(ON) == []


def test_a_week_the_member_paid_is_given_back(world):
    week = by_hand.self_pay_week(
        membership=world.join(agreement=None), week=FIRST, pence=350, by=world.volunteer, at=moment(FIRST)
    )
    reverse(world, week)
    week.refresh_from_db()
    assert week.state == "reversed"


# -- collected, missed, closed are derived -----------------------------------------------------------------------------


def figures(w: World, day: date) -> tuple[int, int, int, int]:
    found = money.position(w.agreement, day)
    return found.collected_weeks, found.missed_weeks, found.closed_weeks, found.to_come_weeks


def close(w: World, from_on: date, until_on: date, on: date):
    return places.announce_closure(
        pantry=w.pantry, from_on=from_on, until_on=until_on, reason="Flood", by=w.pantry_manager, at=moment(on)
    )


def test_a_week_is_missed_once_its_sunday_has_passed_without_a_collection(world):
    member = world.join()
    world.collect(member, WEEKS[0] + timedelta(days=2))
    assert figures(world, WEEKS[1] + timedelta(days=6)) == (1, 0, 0, 25)
    assert figures(world, WEEKS[2]) == (1, 1, 0, 24)


def test_a_closure_told_late_closes_weeks_that_have_begun_and_never_moves_them(world):
    member = world.join()
    on = WEEKS[2] + timedelta(days=3)
    before = list(member.paid_weeks.order_by("position").values_list("week", flat=True))
    assert figures(world, WEEKS[3]) == (0, 3, 0, 23)
    closure = close(world, WEEKS[1], WEEKS[2] + timedelta(days=6), on)
    assert closure.members_moved == 0
    assert list(member.paid_weeks.order_by("position").values_list("week", flat=True)) == before
    assert figures(world, WEEKS[3]) == (0, 1, 2, 23)
    assert journal.check(on) == []
    places.withdraw_closure(closure=closure, by=world.pantry_manager, at=moment(on, "17:00"))  # a slip of the same day
    assert figures(world, WEEKS[3]) == (0, 3, 0, 23)


def test_a_week_with_a_collection_is_used_whatever_is_closed_later(world):
    member = world.join()
    world.collect(member, WEEKS[0] + timedelta(days=2))
    close(world, WEEKS[0], WEEKS[0] + timedelta(days=6), WEEKS[0] + timedelta(days=4))
    assert figures(world, WEEKS[1]) == (1, 0, 0, 25)


def test_days_more_than_28_back_keep_their_record(world):
    with pytest.raises(Refused, match="A closure starts up to 28 days back"):
        close(world, ON - timedelta(days=29), ON, ON)
    assert close(world, ON - timedelta(days=28), ON, ON).pk


def test_a_closure_that_began_before_today_stays(world):
    closure = close(world, ON - timedelta(days=3), ON, ON)
    with pytest.raises(Refused, match="has begun and stays on record"):
        places.withdraw_closure(closure=closure, by=world.pantry_manager, at=moment(ON + timedelta(days=1)))
