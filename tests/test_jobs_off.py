"""Promise M6: jobs off for 1, 8, 40 and 200 days leave exactly the blocks of daily runs, once, oldest first."""

from datetime import date, timedelta

import pytest
from django.db import transaction

from pantry.models import Membership, PrepaidBlock, RenewalDecision
from pantry.services import journal, renewals
from stockport_hubs.core.weeks import WEEK
from tests import factories
from tests.factories import World, moment

pytestmark = [pytest.mark.django_db, pytest.mark.promise("M6")]

FIRST, DUE = date(2026, 4, 6), date(2026, 9, 7)


@pytest.fixture
def world():
    """Five members who join a week or a month apart; one never collects again, one is only paid for until a day."""
    w = World(hold_after_weeks_without_collection=6)
    members = [w.join(date(2026, 4, 2) + n * WEEK) for n in (0, 1, 2, 5)]
    w.join(date(2026, 4, 2), funded_until=date(2027, 2, 1))
    for member in members[:3]:
        for n in (20, 46):
            w.collect(member, FIRST + n * WEEK + timedelta(days=2))
    factories.tariff(w.pantry, date(2026, 10, 12), 450)
    return w


def bought() -> tuple[list, list]:
    """What stands at the end: blocks with their price, first and last Monday; decisions with their reasons."""
    blocks = PrepaidBlock.objects.order_by("membership__number", "block_no")
    weeks = [sorted(week.week for week in block.paid_weeks.all() if week.week) for block in blocks]
    facts = list(blocks.values_list("membership__number", "block_no", "starts_on", "weekly_pence"))
    decisions = RenewalDecision.objects.order_by("membership__number", "block_no")
    return (
        [(*fact, found[0], found[-1], len(found)) for fact, found in zip(facts, weeks, strict=True)],
        list(decisions.values_list("membership__number", "block_no", "due_on", "outcome", "reasons")),
    )


def run(on: date, times: int = 1) -> list[tuple[int, int]]:
    """(member, block) in the order decided, by sweeps ten minutes apart."""
    order: list[tuple[int, int]] = []
    for n in range(times):
        at = moment(on) + timedelta(minutes=10 * n)
        renewals.sweep(on=on, at=at, job="t", report=lambda some: order.extend((d.number, d.block_no) for d in some))
    return order


def daily(until: date) -> tuple[list, list]:
    """What daily runs leave, every ten minutes on the first due day; taken back afterwards."""
    with transaction.atomic():
        day = DUE - timedelta(days=2)
        while day <= until:
            run(day, 24 if day == DUE else 1)
            day += timedelta(days=1)
        found = bought()
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize(("days", "decisions"), [(1, 2), (8, 3), (40, 5), (200, 8)])
def test_jobs_off_for_days_leave_what_daily_runs_leave(world, days, decisions):
    on = DUE + timedelta(days=days)
    expected = daily(on)
    assert len(expected[1]) == decisions
    order = run(on)
    assert bought() == expected
    due = {(number, block_no): day for number, block_no, day, *_ in expected[1]}
    firsts = [each for each in order if each[1] == 2]
    assert firsts == sorted(firsts, key=lambda each: (due[each], each[0]))  # oldest first
    assert len(order) == len(set(order)) == len(due)
    assert run(on, 3) == []  # once
    for member in Membership.objects.all():
        weeks = sorted(week for week in member.paid_weeks.values_list("week", flat=True) if week)
        assert weeks == [weeks[0] + n * WEEK for n in range(len(weeks))]  # contiguous: nothing is closed here
    assert journal.check(on) == []


def test_past_the_bounds_a_third_block_at_once_is_held(world):
    on = DUE + timedelta(days=400)
    run(on)
    outcomes = RenewalDecision.objects.filter(membership__number=1).order_by("block_no")
    assert list(outcomes.values_list("block_no", "outcome", "reasons")) == [
        (2, "renewed", []),
        (3, "renewed", []),
        (4, "held", ["no_collection", "third_at_once"]),
    ]
    assert run(on + timedelta(days=1), 3) == []
