"""The top-up setting: a price rise reaches weeks that are bought and not yet used, once, to the penny, as at a day."""

from datetime import date, timedelta

import pytest
from django.db import connection, transaction

from pantry import money
from pantry.models import Account, Budget, EarlierPrice, JournalEntry, JournalLine, PaidWeek, Tariff, TopUp
from pantry.services import by_hand, journal, memberships, renewals, tariffs
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core import triggers
from stockport_hubs.core.weeks import WEEK
from tests import factories
from tests.factories import World, moment
from tests.test_places import refusal

pytestmark = pytest.mark.django_db
FIRST = date(2026, 4, 6)
AGREED = date(2026, 5, 6)  # the Wednesday of week 5
WEEK_14 = FIRST + 13 * WEEK


@pytest.fixture
def world():
    return World(tops_up_price_rises=True, hold_after_weeks_without_collection=0, renews_automatically=False)


def proposed(w: World, weekly: int = 450, from_week: date = WEEK_14, on: date = AGREED) -> Tariff:
    how = {"pantry": w.pantry, "from_week": from_week, "weekly_pence": weekly, "joining_pence": 1000}
    return tariffs.propose_tariff(**how, by=w.pantry_manager, at=moment(on))


def agree(w: World, tariff: Tariff, on: date = AGREED) -> Tariff:
    return tariffs.agree_tariff(tariff=tariff, by=w.finance, at=moment(on))


def rise(w: World, weekly: int = 450, from_week: date = WEEK_14, on: date = AGREED) -> Tariff:
    return agree(w, proposed(w, weekly, from_week, on), on)


def prices(member) -> list[tuple[int, int]]:
    """(pence, weeks at it), in the order of the weeks."""
    found: list[tuple[int, int]] = []
    for pence in member.paid_weeks.order_by("block__block_no", "position").values_list("pence", flat=True):
        if found and found[-1][0] == pence:
            found[-1] = (pence, found[-1][1] + 1)
        else:
            found.append((pence, 1))
    return found


def lines(source_id) -> dict[str, int]:
    return dict(JournalLine.objects.filter(source_id=source_id).values_list("account", "pence"))


def committed(w: World) -> int:
    return Budget.objects.get(agreement=w.agreement, committed_pence__gt=0).committed_pence


# -- what is raised ----------------------------------------------------------------------------------------------------


def test_a_rise_is_paid_once_for_each_agreement_drawn_and_committed(world):
    one, other = world.join(), world.join()
    unfunded = world.join(agreement=None)
    tariff = rise(world)
    assert prices(one) == prices(other) == [(350, 13), (450, 13)]
    assert not unfunded.paid_weeks.exists()
    made = TopUp.objects.get()
    assert (made.tariff, made.agreement, made.on) == (tariff, world.agreement, AGREED)
    assert (made.pence, made.from_pool_pence, made.weeks.count()) == (2600, 0, 26)
    assert lines(made.pk) == {"advance": -2600, "weeks": 2600}
    entry = JournalEntry.objects.get(kind="top_up")
    assert (entry.agreement, entry.effective_on, entry.by) == (world.agreement, AGREED, world.finance)
    assert committed(world) == 2 * 10_100 + 2600
    event = AuditEvent.objects.get(verb="pantry.weeks.topped_up")
    assert (event.by, event.target_id) == (world.finance, made.pk)
    assert set(event.subjects.values_list("subject_id", flat=True)) == {one.pk, other.pk}
    assert journal.check(AGREED) == []


def test_credit_is_spent_first_and_only_the_rest_is_committed(world):
    leaver = world.join()
    world.join()
    world.leave(leaver, FIRST + 25 * WEEK - timedelta(days=1) - 21 * WEEK)  # 22 weeks: £77.00 of credit
    before = committed(world)
    rise(world, weekly=950)
    made = TopUp.objects.get()
    assert (made.pence, made.from_pool_pence) == (7800, 7700)
    assert lines(made.pk) == {"advance": -100, "pool": -7700, "weeks": 7800}
    assert (committed(world), world.agreement.pool.balance_pence) == (before + 100, 0)
    assert journal.check(AGREED) == []


def test_what_has_begun_waits_was_given_or_belongs_to_another_agreement_keeps_its_price(world):
    began, paused, given = world.join(), world.join(), world.join()
    theirs = factories.agreement(of=world.operator)
    locked = world.join(agreement=theirs)
    by_hand.give(membership=given, weeks=2, by=world.manager, at=moment(FIRST - timedelta(days=3)))
    memberships.pause(membership=paused, on=FIRST, by=world.advisor, at=moment(FIRST))
    tuesday = FIRST + 4 * WEEK + timedelta(days=1)
    rise(world, from_week=FIRST + 4 * WEEK, on=tuesday)  # the Monday of this week has come: it is used
    assert prices(began) == [(350, 5), (450, 21)]
    assert prices(given) == [(350, 5), (450, 21), (0, 2)]
    assert prices(paused) == prices(locked) == [(350, 26)]
    memberships.resume(membership=paused, on=tuesday, by=world.advisor, at=moment(tuesday))
    assert prices(paused) == [(350, 26)]
    assert journal.check(tuesday) == []


def test_a_fall_a_first_price_and_the_same_price_change_nothing(world):
    member = world.join()
    world.agreement.tops_up_price_rises = False
    world.agreement.save()
    rise(world)  # to £4.50, without the setting
    world.agreement.tops_up_price_rises = True
    world.agreement.save()
    rise(world, weekly=400, from_week=WEEK_14 + WEEK)  # more than was paid, less than the price before
    rise(world, weekly=350, from_week=WEEK_14 - WEEK)
    new = factories.pantry(world.operator, weekly=None)
    tariffs.agree_tariff(
        tariff=tariffs.propose_tariff(
            pantry=new,
            from_week=FIRST,
            weekly_pence=900,
            joining_pence=0,
            by=world.pantry_manager,
            at=moment(AGREED),
        ),
        by=world.finance,
        at=moment(AGREED),
    )
    assert prices(member) == [(350, 26)]
    assert not TopUp.objects.exists()


def test_two_rises_one_after_another_are_each_paid_from_the_price_before(world):
    member = world.join()
    rise(world, weekly=400, from_week=FIRST + 9 * WEEK)
    rise(world, weekly=450, on=AGREED + WEEK)
    assert prices(member) == [(350, 9), (400, 4), (450, 13)]
    assert sorted(TopUp.objects.values_list("on", "pence")) == [(AGREED, 17 * 50), (AGREED + WEEK, 13 * 50)]
    assert journal.check(AGREED + WEEK) == []
    found = [money.position(world.agreement, day).bought_pence for day in days(AGREED, AGREED + WEEK)]
    assert found == [9100, 9950, 9950, 10_600]


def test_where_a_later_price_is_agreed_already_its_own_holds(world):
    member = world.join()
    rise(world, weekly=400, from_week=FIRST + 19 * WEEK)
    rise(world, weekly=450)
    assert prices(member) == [(350, 13), (450, 6), (400, 7)]
    assert journal.check(AGREED) == []


def days(*those: date) -> list[date]:
    """The day before each, and each."""
    return [day for each in those for day in (each - timedelta(days=1), each)]


def test_a_block_bought_after_the_price_was_agreed_costs_the_same(world):
    before = world.join()
    rise(world, on=FIRST - timedelta(days=4))
    after = world.join()
    assert prices(before) == prices(after) == [(350, 13), (450, 13)]
    assert list(TopUp.objects.values_list("pence", flat=True)) == [1300, 1300]
    assert committed(world) == 2 * (10_100 + 1300)
    assert money.position(world.agreement, FIRST).bought_pence == 2 * (9100 + 1300)
    assert journal.check(FIRST) == []


def test_a_renewal_reaches_into_prices_agreed_already_and_its_budget_holds_them(world):
    world.agreement.renews_automatically = True
    world.agreement.save()
    member = world.join()
    rise(world, weekly=450, from_week=FIRST + 30 * WEEK)
    rise(world, weekly=400, from_week=FIRST + 40 * WEEK)  # in force later, and more than the block's own
    assert prices(member) == [(350, 26)]
    due, extra = date(2026, 9, 7), 10 * 100 + 12 * 50
    budget = Budget.objects.filter(agreement=world.agreement, committed_pence__gt=0)
    budget.update(limit_pence=10_100 + 9100 + extra - 1)
    with transaction.atomic():
        assert renewals.sweep(on=due, at=moment(due), job="test").held == 1
        assert member.renewal_decisions.get().reasons == ["budget"]
        transaction.set_rollback(True)
    budget.update(limit_pence=10_100 + 9100 + extra)
    world.agreement.daily_limit_pence = 9100
    world.agreement.save()
    said: list[renewals.Decided] = []
    assert renewals.sweep(on=due, at=moment(due), job="test", report=said.extend).renewed == 1
    assert [(each.price_pence, each.top_up_pence) for each in said] == [(9100, extra)]
    assert prices(member) == [(350, 30), (450, 10), (400, 12)]
    assert committed(world) == 10_100 + 9100 + extra
    entry = JournalEntry.objects.filter(kind="top_up").first()
    assert (entry.job, entry.by, entry.effective_on) == ("test", None, due)
    assert journal.check(due) == []


def test_a_block_bought_across_a_coming_move_is_topped_up_where_it_is_bought_and_moves_at_that_price(world):
    member = world.join()
    elm = factories.pantry(world.operator, weekly=200)
    rise(world, from_week=FIRST + 28 * WEEK)
    may = moment(FIRST + 20 * WEEK)
    memberships.move(membership=member, pantry=elm, from_week=FIRST + 27 * WEEK, by=world.pantry_manager, at=may)
    block = by_hand.buy(membership=member, weeks=4, by=world.manager, at=may)
    assert (block.weekly_pence, block.topped_up_pence, prices(member)) == (350, 200, [(350, 28), (450, 2)])
    assert {row.pantry: row.bought_pence for row in money.by_pantry(world.agreement, FIRST + 20 * WEEK)} == {
        world.pantry: 27 * 350,
        elm: 350 + 2 * 450,
    }
    assert journal.check(FIRST + 20 * WEEK) == []


def test_buying_by_hand_beyond_the_budget_names_the_topped_up_cost(world):
    member = world.join()
    rise(world, from_week=FIRST + 28 * WEEK)
    Budget.objects.filter(agreement=world.agreement).update(limit_pence=10_100)
    said = refusal(by_hand.buy, membership=member, weeks=4, by=world.manager, at=moment(FIRST))
    assert said.startswith("The block costs £16.00 and the year’s budget of")


# -- as at -------------------------------------------------------------------------------------------------------------


def test_every_figure_as_at_the_day_before_stays_what_it_was(world):
    for _ in range(2):
        world.collect(world.join(), FIRST + timedelta(days=2))
    before = {day: money.statement(world.agreement, day) for day in (FIRST, AGREED - timedelta(days=1))}
    rise(world)
    assert {day: money.statement(world.agreement, day) for day in before} == before
    now = money.position(world.agreement, AGREED)
    assert (now.bought_pence, now.to_come_pence, now.recoverable_pence) == (18_200 + 2600, 15_400 + 2600, 14_700 + 2600)
    assert (now.collected_pence, now.missed_pence, now.drawn_pence) == (700, 2100, 20_200 + 2600)
    last = money.position(world.agreement, WEEK_14 + 13 * WEEK)
    assert (last.collected_pence, last.missed_pence) == (700, 18_200 + 2600 - 700)


def test_whoever_leaves_after_a_top_up_is_credited_the_raised_price(world):
    member = world.join()
    rise(world)
    assert world.leave(member, date(2026, 6, 10)) == 3 * 350 + 13 * 450
    now = money.position(world.agreement, date(2026, 6, 10))
    assert (now.bought_pence, now.credited_pence, now.in_pool_pence) == (10_400, 6900, 6900)
    assert journal.check(date(2026, 6, 10)) == []


def test_a_leaving_day_before_the_top_up_credits_its_part_on_the_day_it_was_paid(world):
    member = world.join()
    rise(world)
    rise(world, weekly=500, from_week=WEEK_14 + 3 * WEEK, on=AGREED + WEEK)
    left, told = AGREED - timedelta(days=2), AGREED + 2 * WEEK
    credited = memberships.leave(membership=member, on=left, reason="left", by=world.pantry_manager, at=moment(told))
    assert credited == 21 * 350 + 13 * 100 + 10 * 50
    for day in (left, *days(AGREED, AGREED + WEEK), told):
        found = money.position(world.agreement, day)
        assert found.in_pool_pence == found.credited_pence, day
        assert found.bought_pence + 1000 == found.drawn_pence
    credits = JournalEntry.objects.filter(kind="credit").order_by("effective_on")
    assert [(each.effective_on, each.lines.get(account=Account.POOL).pence) for each in credits] == [
        (left, 7350),
        (AGREED, 1300),
        (AGREED + WEEK, 500),
    ]
    assert journal.check(told) == []


def test_topped_up_weeks_move_wait_and_come_back_at_their_own_price(world):
    member = world.join()
    rise(world)
    elm = factories.pantry(world.operator)
    memberships.move(
        membership=member, pantry=elm, from_week=WEEK_14 - 5 * WEEK, by=world.pantry_manager, at=moment(AGREED)
    )
    memberships.pause(membership=member, on=AGREED, by=world.advisor, at=moment(AGREED))
    back = WEEK_14 + timedelta(days=1)
    memberships.resume(membership=member, on=back, by=world.advisor, at=moment(back))
    assert prices(member) == [(350, 13), (450, 13)]
    at = {row.pantry: row.bought_pence for row in money.by_pantry(world.agreement, back)}
    assert at == {world.pantry: 5 * 350, elm: 8 * 350 + 13 * 450}
    assert journal.check(back) == []


# -- refused and once --------------------------------------------------------------------------------------------------


def test_a_rise_the_budget_does_not_hold_is_refused_and_leaves_nothing(world):
    member = world.join()
    budget = Budget.objects.get(agreement=world.agreement, committed_pence__gt=0)
    budget.limit_pence = budget.committed_pence + 1200
    budget.save()
    tariff = proposed(world)
    rows = lambda: [model.objects.count() for model in (TopUp, EarlierPrice, JournalLine, AuditEvent)]  # noqa: E731
    before = rows()
    assert refusal(agree, w=world, tariff=tariff) == (
        f"Topping up 13 weeks of 1 member costs £13.00, and the year’s budget of {world.agreement.name} is £1.00 short "
        "of it. A leaving care manager can enter a larger budget on the agreement; then this price can be agreed."
    )
    tariff.refresh_from_db()
    assert (tariff.agreed_at, rows(), prices(member)) == (None, before, [(350, 26)])
    budget.limit_pence += 100
    budget.save()
    agree(world, tariff)
    assert (prices(member)[1], committed(world)) == ((450, 13), budget.limit_pence)


def test_another_councils_figures_are_not_in_a_refusal(world):
    world.join()
    Budget.objects.filter(agreement=world.agreement).update(limit_pence=10_100)
    outsider = factories.user("finance_officer")
    said = refusal(tariffs.agree_tariff, tariff=proposed(world), by=outsider, at=moment(AGREED))
    assert said == (
        "Another council tops up weeks at this pantry, and its budget does not hold this price. "
        "Its leaving care manager has to enter a larger budget first."
    )


def test_the_same_price_agreed_again_tops_up_nothing(world):
    world.join()
    tariff = rise(world)
    assert "agreed this price on 6 May 2026" in refusal(agree, w=world, tariff=tariff)
    assert TopUp.objects.count() == 1


PLANTS = {
    "journal": ("pantry_journalline SET pence = pence + 1 WHERE source_type = 'top_up' AND account = 'weeks'", 3),
    "balanced": (
        "pantry_journalline SET pence = pence + CASE account WHEN 'weeks' THEN 1 ELSE -1 END "
        "WHERE source_type = 'top_up'",
        3,
    ),
    "earlier price": (
        "pantry_earlierprice SET pence = pence - 1 WHERE id = (SELECT min(id) FROM pantry_earlierprice)",
        3,
    ),
    "top-up": ("pantry_topup SET pence = pence + 1", 4),
    "raised week": ("pantry_paidweek SET pence = 451 WHERE id = (SELECT max(id) FROM pantry_paidweek)", 3),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_a_penny_planted_in_a_top_up_is_named(world, plant):
    world.join()
    rise(world)
    assert journal.check(AGREED) == []
    change, sentences = PLANTS[plant]
    triggers.remove()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {change}")
        assert cursor.rowcount >= 1
    triggers.install()
    found = journal.check(AGREED)
    assert len(found) == sentences, found


def test_a_renewal_after_a_top_up_has_the_new_price_and_nothing_to_top_up(world):
    world.agreement.renews_automatically = True
    world.agreement.save()
    member = world.join()
    rise(world)
    due = date(2026, 9, 7)
    assert renewals.sweep(on=due, at=moment(due), job="test").renewed == 1
    assert prices(member) == [(350, 13), (450, 39)]
    assert (TopUp.objects.count(), PaidWeek.objects.filter(block__block_no=2).count()) == (1, 26)
    assert journal.check(due) == []
