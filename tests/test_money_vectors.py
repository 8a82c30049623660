"""The rulebook's figures, to the penny and the day: buying, renewing, leaving, and where the money then is."""

from datetime import date, time, timedelta
from uuid import uuid4

import pytest

from pantry import money
from pantry.models import (
    Account,
    Closure,
    Collection,
    JournalEntry,
    JournalLine,
    Membership,
    PaidWeek,
    PantrySession,
    PrepaidBlock,
)
from pantry.services import blocks, journal, renewals, tariffs
from stockport_hubs.core.weeks import WEEK
from tests import factories
from tests.factories import World, moment

pytestmark = [pytest.mark.django_db, pytest.mark.vectors]

MONDAY_ONLY = (0, time(10), time(12))
FIRST, DUE, NEXT = date(2026, 4, 6), date(2026, 9, 7), date(2026, 10, 5)


def world(*sessions, **more) -> World:
    """Nobody is held for want of collections here."""
    return World(*sessions, hold_after_weeks_without_collection=0, **more)


def renew(on: date, job: str = "test") -> renewals.Sweep:
    return renewals.sweep(on=on, at=moment(on), job=job)


def weeks_of(block: PrepaidBlock) -> list[date]:
    return list(block.paid_weeks.order_by("position").values_list("week", flat=True))


def balance(account: str) -> int:
    return sum(JournalLine.objects.filter(account=account).values_list("pence", flat=True))


# -- buying ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("weekly", "first", "following"), [(350, 10100, 9100), (450, 12700, 11700)])
def test_the_first_block_has_the_joining_fee_and_the_next_has_not(weekly, first, following):
    member = world(weekly=weekly).join()
    renew(DUE)
    assert [(b.block_no, b.joining_pence, b.price_pence) for b in member.blocks.all()] == [
        (1, 1000, first),
        (2, 0, following),
    ]
    assert journal.check(DUE) == []


def test_75_joins_are_75_blocks_1950_weeks_and_7575_pounds():
    w = world()
    for _ in range(75):
        w.join()
    assert PrepaidBlock.objects.count() == 75
    assert PaidWeek.objects.count() == 1950
    assert (balance(Account.JOINING), balance(Account.WEEKS)) == (75_000, 682_500)
    assert balance(Account.ADVANCE) == -757_500
    assert list(Membership.objects.order_by("number").values_list("number", flat=True)) == list(range(1, 76))
    assert journal.check(FIRST) == []


def test_51_joins_draw_5151_of_7575_pounds_paid_in_advance_and_leave_2424():
    w = world()
    on = date(2026, 4, 1)
    journal.pay_in_advance(agreement=w.agreement, pence=757_500, on=on, by=w.finance, at=moment(on))
    for _ in range(51):
        w.join()
    found = money.position(w.agreement, FIRST)
    assert (found.paid_in_advance_pence, found.drawn_pence, found.left_pence) == (757_500, 515_100, 242_400)
    assert balance(Account.COUNCIL) == -757_500


def test_a_block_is_26_weeks_of_one_member_at_one_price():
    member = world().join()
    [block] = member.blocks.all()
    assert weeks_of(block) == [FIRST + WEEK * n for n in range(26)]
    assert set(block.paid_weeks.values_list("membership", "pantry", "pence", "state")) == {
        (member.pk, member.places.get().pantry_id, 350, "dated")
    }


@pytest.mark.parametrize(
    ("left", "joins", "fee"),
    [
        (date(2026, 6, 10), date(2027, 6, 9), 0),
        (date(2026, 6, 10), date(2027, 6, 10), 0),
        (date(2026, 6, 10), date(2027, 6, 11), 1000),
    ],
)
def test_rejoining_within_12_months_costs_no_joining_fee(left, joins, fee):
    w = world()
    before = w.join()
    w.leave(before, left)
    again = w.join(joins, previous=before)
    [block] = again.blocks.all()
    assert (block.block_no, block.joining_pence) == (1, fee)


# -- weeks and renewal -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "first", "due", "following"),
    [
        (factories.WEDNESDAY, FIRST, DUE, NEXT),
        # Bank holidays 6 April, 4 May, 25 May, 31 August.
        (MONDAY_ONLY, date(2026, 4, 13), date(2026, 10, 5), date(2026, 11, 2)),
    ],
)
def test_the_next_block_starts_on_the_next_open_week_and_is_due_28_days_before(session, first, due, following):
    w = world(session)
    member = w.join()
    assert (weeks_of(member.blocks.get())[0], member.next_due_on) == (first, due)
    renew(due - timedelta(days=1))
    assert member.blocks.count() == 1
    assert renew(due).renewed == 1
    assert member.blocks.get(block_no=2).starts_on == following


def test_a_closure_announced_the_day_after_the_next_block_was_bought_moves_both():
    w = world()
    member = w.join()
    renew(DUE)
    day_after = DUE + timedelta(days=1)
    closure = Closure.objects.create(
        pantry=w.pantry,
        from_on=date(2026, 9, 14),
        until_on=date(2026, 9, 20),
        reason="Boiler",
        announced_at=moment(day_after),
        announced_by=w.pantry_manager,
    )
    assert blocks.redate_after_closure(closure=closure, by=w.pantry_manager, at=moment(day_after)) == 1
    first, second = member.blocks.all()
    open_weeks = [FIRST + WEEK * n for n in range(53) if FIRST + WEEK * n != date(2026, 9, 14)]
    assert weeks_of(first) == open_weeks[:26]  # the last of them is now Mon 5 Oct
    assert weeks_of(second) == open_weeks[26:]
    assert (weeks_of(first)[-1], weeks_of(second)[0]) == (date(2026, 10, 5), date(2026, 10, 12))
    member.refresh_from_db()
    assert member.next_due_on == open_weeks[-1] + WEEK - timedelta(days=28)
    assert (first.price_pence, second.price_pence) == (10100, 9100)
    assert journal.check(day_after) == []


def test_a_price_that_rises_in_week_14_of_a_block_changes_nothing_in_it():
    w = world()
    member = w.join()
    factories.tariff(w.pantry, FIRST + 13 * WEEK, 450)
    assert set(member.blocks.get().paid_weeks.values_list("pence", flat=True)) == {350}
    renew(DUE)
    assert member.blocks.get(block_no=2).price_pence == 11700
    assert journal.check(DUE) == []


def test_the_same_rise_with_the_top_up_setting_costs_13_pounds():
    w = world(tops_up_price_rises=True)
    member = w.join()
    agreed = date(2026, 6, 17)
    tariffs.agree_tariff(
        tariff=tariffs.propose_tariff(
            pantry=w.pantry,
            from_week=FIRST + 13 * WEEK,
            weekly_pence=450,
            joining_pence=1000,
            by=w.pantry_manager,
            at=moment(agreed),
        ),
        by=w.finance,
        at=moment(agreed),
    )
    found = list(member.paid_weeks.order_by("week").values_list("pence", flat=True))
    assert found == 13 * [350] + 13 * [450]
    assert [money.position(w.agreement, day).bought_pence for day in (agreed - timedelta(days=1), agreed)] == [
        9100,
        9100 + 1300,
    ]
    assert balance(Account.ADVANCE) == -10_100 - 1300
    assert journal.check(agreed) == []


# -- leaving -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("leaves", "credited"),
    [
        (date(2026, 6, 10), 5600),  # Wednesday of week 10: 16 weeks are left
        (date(2026, 6, 7), 5950),  # after 9 weeks
        (date(2026, 6, 8), 5600),  # a week is used once its Monday has come
        (date(2026, 4, 4), 9100),  # before the first week: the fee is not returned
        (date(2026, 10, 4), 0),  # after 26 weeks
    ],
)
def test_leaving_credits_the_weeks_whose_monday_is_later(leaves, credited):
    w = world(renews_automatically=False)
    member = w.join()
    assert w.leave(member, leaves) == credited
    assert w.agreement.pool.balance_pence == credited == balance(Account.POOL)
    assert PaidWeek.objects.filter(state="credited").count() * 350 == credited
    assert journal.check(leaves) == []


def test_leaving_with_the_next_block_bought_credits_both():
    w = world()
    member = w.join()
    renew(DUE)
    leaves = date(2026, 9, 20)
    assert w.leave(member, leaves) == 700 + 9100 == 9800
    credits = JournalEntry.objects.get(kind="credit").lines
    assert sorted(credits.values_list("account", "pence")) == [
        ("pool", 700),
        ("pool", 9100),
        ("weeks", -9100),
        ("weeks", -700),
    ]
    assert journal.check(leaves) == []


def test_credit_of_59_50_against_a_block_of_117_pounds_leaves_57_50_to_pay():
    w = world()
    leaver, stayer = w.join(), w.join()
    factories.tariff(w.pantry, NEXT, 450)
    w.leave(leaver, date(2026, 6, 7))
    renew(DUE)
    block = stayer.blocks.get(block_no=2)
    assert (block.price_pence, block.from_pool_pence) == (11700, 5950)
    lines = JournalLine.objects.filter(source_id=block.pk)
    assert dict(lines.values_list("account", "pence")) == {"advance": -5750, "pool": -5950, "weeks": 11700}
    assert w.agreement.pool.balance_pence == 0
    assert journal.check(DUE) == []


def test_two_renewals_at_once_spend_the_credit_once():
    w = world()
    leaver, *stayers = [w.join() for _ in range(3)]
    w.leave(leaver, date(2026, 6, 7))
    assert renew(DUE).renewed == 2
    assert [m.blocks.get(block_no=2).from_pool_pence for m in stayers] == [5950, 0]
    assert w.agreement.pool.balance_pence == 0
    assert journal.check(DUE) == []


# -- where the money is ------------------------------------------------------------------------------------------------


def collect(w: World, member: Membership, week: date) -> None:
    """A counted collection on the Wednesday of a week."""
    on = week + timedelta(days=2)
    session, _ = PantrySession.objects.get_or_create(pantry=w.pantry, on=on, opens=time(10), closes=time(12))
    Collection.objects.create(
        key=uuid4(),
        membership=member,
        session=session,
        pantry=w.pantry,
        week=week,
        on=on,
        collected_at=moment(on, "10:30"),
        recorded_at=moment(on, "10:30"),
        recorded_by=w.volunteer,
        paid_week=member.paid_weeks.filter(week=week, state="dated").first(),
    )


def test_91_pounds_after_12_open_weeks_with_9_collections():
    w = world(joining=0)
    member = w.join()
    for n in range(9):
        collect(w, member, FIRST + n * WEEK)
    found = money.position(w.agreement, FIRST + 12 * WEEK)
    assert (found.bought_pence, found.joining_pence) == (9100, 0)
    assert (found.collected_pence, found.missed_pence, found.to_come_pence, found.credited_pence) == (
        3150,
        1050,
        4900,
        0,
    )


def test_a_block_from_4_january_2027_is_prepaid_by_45_50_at_31_march():
    w = world()
    w.join(date(2027, 1, 1))
    assert PrepaidBlock.objects.get().starts_on == date(2027, 1, 4)
    assert money.prepaid(w.agreement, date(2027, 3, 31)) == 13 * 350 == 4550
