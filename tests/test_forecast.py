"""Looking ahead: hand-worked months, what runs out and when, what if a week cost more."""

from datetime import date

import pytest
import time_machine
from django.urls import reverse

from pantry import forecast
from pantry.models import Budget, Membership, PrepaidBlock
from pantry.services import journal, renewals
from stockport_hubs.core.weeks import WEEK
from tests import factories
from tests.factories import World, moment
from tests.test_places import as_user, text

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]

FIRST = date(2026, 4, 6)
JULY = date(2026, 7, 1)


@pytest.fixture
def world():
    """Three members since 6 April (next due on 7 September), one since 11 May (next due on 12 October)."""
    w = World(hold_after_weeks_without_collection=0)
    w.members = [w.join() for _ in range(3)] + [w.join(date(2026, 5, 7))]
    return w


def by_month(found: forecast.Forecast) -> dict[str, tuple[int, int]]:
    return {f"{m.first:%b %y}": (m.renewals, m.pence) for m in found.months if m.renewals}


def budget(world, limit: int | None) -> None:
    Budget.objects.filter(agreement=world.agreement).update(limit_pence=limit)


def test_expected_renewals_fall_in_the_month_they_are_due_each_bringing_on_the_next(world):
    found = forecast.of(world.agreement, JULY)
    # 26 weeks after 7 September: 8 March 2027; after 12 October: 12 April 2027.
    assert by_month(found) == {
        "Sep 26": (3, 27_300),
        "Oct 26": (1, 9100),
        "Mar 27": (3, 27_300),
        "Apr 27": (1, 9100),
    }
    assert (found.renewals, found.pence, found.not_counted) == (8, 72_800, 0)
    assert [m.first for m in (found.months[0], found.months[-1])] == [date(2026, 7, 1), date(2027, 6, 1)]
    assert (found.committed_pence, found.budget_left_pence, found.budget_out) == (4 * 10_100, None, None)


def test_it_says_in_which_week_the_budget_the_advance_and_the_credit_run_out(world):
    budget(world, 40_400 + 30_000)  # £404.00 committed: enough for three renewals in September, not for the fourth
    journal.pay_in_advance(agreement=world.agreement, pence=60_000, on=JULY, by=world.finance, at=moment(JULY))
    found = forecast.of(world.agreement, JULY)
    assert (found.budget_left_pence, found.budget_out) == (30_000, date(2026, 10, 12))
    # £600.00 − £404.00 = £196.00 left: used up by the three of 7 September.
    assert (found.advance_left_pence, found.advance_out, found.pool_out) == (19_600, date(2026, 9, 7), None)
    left = {f"{m.first:%b %y}": m.budget_left_pence for m in found.months}
    assert [left[month] for month in ("Jul 26", "Sep 26", "Oct 26", "Mar 27")] == [30_000, 2700, -6400, -33_700]
    assert left["Apr 27"] == 70_400 - 9100  # a new year with the same limit


def test_credit_is_spent_first_and_leaves_the_budget_alone(world):
    world.leave(world.members[0], date(2026, 6, 10))  # 16 × £3.50 = £56.00
    budget(world, 40_400 + 12_600)
    found = forecast.of(world.agreement, JULY)
    september = found.months[2]
    assert (september.renewals, september.pence, september.from_pool_pence) == (2, 18_200, 5600)
    assert (september.budget_left_pence, found.pool_out, found.budget_out) == (0, date(2026, 9, 7), date(2026, 10, 12))


def test_what_is_held_or_ends_is_told_apart(world):
    flagged, ends, paused, _ = world.members
    Membership.objects.filter(pk=flagged.pk).update(stop_renewal=True)
    Membership.objects.filter(pk=ends.pk).update(funded_until=date(2027, 4, 3))  # its block would end on 4 April
    renewals.sweep(on=date(2026, 9, 7), at=moment(date(2026, 9, 7)), job="test")
    found = forecast.of(world.agreement, date(2026, 9, 8))
    assert (found.held, found.held_pence) == (2, 18_200)
    assert by_month(found)["Oct 26"] == (1, 9100) and "Sep 26" not in by_month(found)
    Membership.objects.filter(pk=paused.pk).update(funded_until=date(2027, 6, 1))
    assert by_month(forecast.of(world.agreement, date(2026, 9, 8)))["Oct 26"] == (1, 9100)
    assert forecast.of(world.agreement, date(2026, 9, 8)).not_counted == 1  # of March 2027


def test_the_number_of_blocks_and_the_end_of_the_agreement_are_the_end(world):
    world.agreement.blocks_per_person = 2
    world.agreement.save()
    found = forecast.of(world.agreement, JULY)
    assert (by_month(found), found.not_counted) == ({"Sep 26": (3, 27_300), "Oct 26": (1, 9100)}, 4)
    world.agreement.blocks_per_person, world.agreement.ends_on = None, date(2026, 10, 31)
    world.agreement.save()
    found = forecast.of(world.agreement, JULY)
    assert (by_month(found), found.not_counted) == ({"Sep 26": (3, 27_300)}, 4)


def test_a_price_agreed_from_a_monday_on_holds_for_the_blocks_that_start_then(world):
    factories.tariff(world.pantry, date(2026, 11, 9), weekly=450)
    assert by_month(forecast.of(world.agreement, JULY)) == {
        "Sep 26": (3, 27_300),
        "Oct 26": (1, 11_700),  # starts on 9 November
        "Mar 27": (3, 35_100),
        "Apr 27": (1, 11_700),
    }
    world.agreement.tops_up_price_rises = True
    # Of 5 October's block 21 weeks lie from 9 November on: 3 × 21 × £1.00 more.
    assert by_month(forecast.of(world.agreement, JULY))["Sep 26"] == (3, 27_300 + 6300)


def test_what_if_a_week_cost_more(world, client):
    found, other = forecast.of(world.agreement, JULY), forecast.of(world.agreement, JULY, 450)
    assert (found.pence, other.pence) == (8 * 9100, 8 * 11_700)
    url = reverse("pantry:forecast", args=[world.agreement.pk])
    with time_machine.travel(moment(JULY), tick=False):
        as_user(client, world.finance)
        plain, beside = text(client.get(url)), text(client.get(url, {"weekly_pence": "4.50"}))
        assert "8 renewals, £728.00" in plain and "Not in these twelve months" in plain and "£936.00" not in plain
        assert "at £4.50 a week £936.00, more by £208.00" in beside
        assert "less by £208.00" in text(client.get(url, {"weekly_pence": "2.50"}))
        assert "must be an amount" in text(client.get(url, {"weekly_pence": "x"}))
        assert "<svg" in client.get(url).content.decode()


def test_it_equals_what_renewing_then_does(world):
    """The forecast of a day, beside the journal once those months have passed."""
    before = forecast.of(world.agreement, JULY)
    committed = 0
    for n in range(52):
        day = JULY + n * WEEK
        if day > date(2027, 6, 30):
            break
        renewals.sweep(on=day, at=moment(day), job="test")
    for block in PrepaidBlock.objects.filter(block_no__gt=1, bought_on__lte=date(2027, 6, 30)):
        committed += block.price_pence
    assert committed == before.pence


def test_queries_do_not_grow_with_members(world, django_assert_num_queries):
    for more in (0, 3):
        for n in range(more):
            world.join(date(2026, 5, 14 + n))
        with django_assert_num_queries(6):
            forecast.of(world.agreement, JULY)
