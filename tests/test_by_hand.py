"""Blocks by hand, goodwill, weeks the member pays for; taking back a stop or self-pay."""

from datetime import date, timedelta
from itertools import product

import pytest

from pantry.models import Collection, JournalEntry, Membership, PrepaidBlock, RenewalDecision
from pantry.services import by_hand, collections, journal, memberships, renewals
from stockport_hubs.core.errors import NotYours, Refused
from stockport_hubs.core.weeks import WEEK
from tests import factories
from tests.factories import World, moment

pytestmark = pytest.mark.django_db

FIRST, DUE, NEXT = date(2026, 4, 6), date(2026, 9, 7), date(2026, 10, 5)
WEEKS = [FIRST + WEEK * n for n in range(80)]
ON = WEEKS[9] + timedelta(days=2)


@pytest.fixture
def world():
    return World(hold_after_weeks_without_collection=0)


@pytest.fixture
def held(world) -> RenewalDecision:
    member = world.join()
    Membership.objects.filter(pk=member.pk).update(stop_renewal=True)
    renewals.sweep(on=DUE, at=moment(DUE), job="test")
    return member.renewal_decisions.get()


def decide(w: World, decision: RenewalDecision, outcome: str, on: date = DUE, **more) -> RenewalDecision:
    return renewals.decide(decision=decision, outcome=outcome, by=w.manager, at=moment(on), **more)


def take_back(w: World, decision: RenewalDecision, on: date, by=None) -> RenewalDecision:
    return renewals.take_back(decision=decision, by=by or w.manager, at=moment(on))


def weeks_of(block: PrepaidBlock) -> list[date | None]:
    return list(block.paid_weeks.order_by("position").values_list("week", flat=True))


# -- every change of a renewal decision --------------------------------------------------------------------------------

TO = {
    "renewed": lambda w, d: decide(w, d, "renewed"),
    "self_pay": lambda w, d: decide(w, d, "self_pay"),
    "stopped": lambda w, d: decide(w, d, "stopped"),
    "held": lambda w, d: take_back(w, d, DUE),
}
ALLOWED = {("held", "renewed"), ("held", "self_pay"), ("held", "stopped"), ("self_pay", "held"), ("stopped", "held")}


PAIRS = list(product(TO, repeat=2))


@pytest.mark.parametrize(("before", "after"), PAIRS, ids=map("-".join, PAIRS))
def test_every_pair_of_outcomes_is_made_or_refused_in_words(world, held, before, after):
    if before != "held":
        TO[before](world, held)
    if (before, after) in ALLOWED:
        TO[after](world, held)
        held.refresh_from_db()
        assert held.outcome == after
    else:
        blocks = PrepaidBlock.objects.count()
        with pytest.raises(Refused, match="^(Already|A bought block stays).*[.]$"):
            TO[after](world, held)
        held.refresh_from_db()
        assert (held.outcome, PrepaidBlock.objects.count()) == (before, blocks)
    assert journal.check(DUE) == []


def test_who_was_to_pay_and_does_not_any_more_is_held_again_for_the_same_reasons(world, held):
    decide(world, held, "self_pay", self_pay_from=NEXT)
    take_back(world, held, NEXT - timedelta(days=1))
    held.refresh_from_db()
    assert (held.outcome, held.reasons, held.decided_by) == ("held", ["flagged"], world.manager)
    assert Membership.objects.get().self_pay_from is None
    decide(world, held, "renewed", NEXT - timedelta(days=1))
    assert held.membership.blocks.count() == 2


@pytest.mark.parametrize("outcome", ["self_pay", "stopped"])
def test_a_decision_that_took_effect_stays(world, held, outcome):
    decide(world, held, outcome)
    assert not renewals.can_take_back(RenewalDecision.objects.get(), world.manager, NEXT)
    with pytest.raises(Refused, match="It took effect on 5 October 2026. Weeks can be bought on the member’s page."):
        take_back(world, held, NEXT)


def test_a_decision_made_late_is_taken_back_on_its_own_day_until_a_week_is_paid(world, held):
    late = NEXT + 2 * WEEK
    decide(world, held, "self_pay", late)
    assert renewals.can_take_back(RenewalDecision.objects.get(), world.manager, late)
    by_hand.self_pay_week(membership=held.membership, week=late, pence=350, by=world.volunteer, at=moment(late))
    with pytest.raises(Refused, match="Weeks have been paid for since"):
        take_back(world, held, late)


def test_who_may_take_back(world, held):
    decide(world, held, "stopped")
    with pytest.raises(Refused, match="Only a leaving care manager"):
        take_back(world, held, DUE, world.finance)
    with pytest.raises(NotYours):
        take_back(world, held, DUE, factories.user("leaving_care_manager"))
    world.leave(held.membership, DUE)
    with pytest.raises(Refused, match="left on 7 September 2026, so nothing is renewed"):
        take_back(world, held, DUE)


def test_a_manager_renews_for_fewer_weeks(world, held):
    decide(world, held, "renewed", weeks=4)
    block = held.membership.blocks.get(block_no=2)
    assert (weeks_of(block), block.price_pence) == (WEEKS[26:30], 1400)
    assert Membership.objects.get().next_due_on == WEEKS[30] - timedelta(days=28)
    assert journal.check(DUE) == []


@pytest.mark.parametrize("weeks", [0, 27])
def test_a_block_has_1_to_26_weeks(world, held, weeks):
    with pytest.raises(Refused, match="1 to 26 weeks"):
        decide(world, held, "renewed", weeks=weeks)
    with pytest.raises(Refused, match="1 to 26 weeks"):
        by_hand.buy(membership=world.join(), weeks=weeks, by=world.manager, at=moment(ON))


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_what_is_held_is_decided_with_the_renewals(world, held):
    with pytest.raises(Refused, match="Block 2 is held. Decide it with the renewals."):
        by_hand.buy(membership=held.membership, by=world.manager, at=moment(DUE))


def test_after_a_stop_weeks_are_bought_by_hand_and_renew_again(world, held):
    decide(world, held, "stopped")
    Membership.objects.update(stop_renewal=False)
    on = WEEKS[30] + timedelta(days=1)
    block = by_hand.buy(membership=held.membership, by=world.manager, at=moment(on))
    assert (block.block_no, weeks_of(block)) == (3, WEEKS[30:56])
    assert Membership.objects.get().next_due_on == WEEKS[56] - timedelta(days=28)
    assert journal.check(on) == []


def test_goodwill_is_a_block_of_its_own_at_nothing(world):
    member = world.join()
    block = by_hand.give(membership=member, weeks=3, by=world.manager, at=moment(ON))
    assert (block.block_no, block.source, block.price_pence, weeks_of(block)) == (2, "goodwill", 0, WEEKS[26:29])
    assert JournalEntry.objects.filter(kind="purchase").count() == 1
    member.refresh_from_db()
    assert member.next_due_on == WEEKS[29] - timedelta(days=28)
    assert renewals.sweep(on=WEEKS[25], at=moment(WEEKS[25]), job="test").renewed == 1
    assert weeks_of(member.blocks.get(block_no=3)) == WEEKS[29:55]
    assert world.leave(member, WEEKS[26]) == 26 * 350  # goodwill is worth nothing
    assert journal.check(WEEKS[26]) == []


@pytest.mark.parametrize("state", ["pending", "paused", "ended"])
def test_no_weeks_are_given_to_who_is_not_open(world, state):
    if state == "pending":
        member = memberships.add_pending(
            pantry=world.pantry, preferred_name="", by=world.pantry_manager, at=moment(FIRST)
        )
    else:
        member = world.join()
    if state == "paused":
        memberships.pause(membership=member, on=ON, by=world.advisor, at=moment(ON))
    elif state == "ended":
        world.leave(member, ON)
    with pytest.raises(Refused, match="waiting to be confirmed|is paused|left on 10 June 2026"):
        by_hand.give(membership=member, weeks=1, by=world.manager, at=moment(ON))


# -- the member pays ---------------------------------------------------------------------------------------------------


def pay(w: World, member: Membership, week: date):
    """Comes on the week's Wednesday and pays."""
    return w.collect(member, week + timedelta(days=2)).paid_week


def test_a_week_the_member_pays_is_a_paid_week_without_a_journal_entry(world, held):
    decide(world, held, "self_pay", self_pay_from=NEXT)
    entries = JournalEntry.objects.count()
    week = pay(world, held.membership, NEXT)
    assert (week.week, week.pence, week.block.source, week.block.agreement) == (NEXT, 350, "self_pay", None)
    assert (week.block.block_no, JournalEntry.objects.count()) == (3, entries)
    assert world.leave(held.membership, NEXT + timedelta(days=2)) == 0
    assert journal.check(NEXT + WEEK) == []


@pytest.mark.parametrize(
    ("week", "words"),
    [
        (NEXT - WEEK, "An agreement pays for Member 1 in the week of 28 September 2026, so nothing is to pay."),
        (NEXT, "The week of 5 October 2026 is paid for already."),
    ],
    ids=["paid-by-the-agreement", "paid-already"],
)
def test_a_week_is_paid_once_and_by_one(world, held, week, words):
    decide(world, held, "self_pay", self_pay_from=NEXT)
    pay(world, held.membership, NEXT)
    with pytest.raises(Refused, match=words):
        by_hand.self_pay_week(membership=held.membership, week=week, pence=350, by=world.volunteer, at=moment(week))


def test_a_week_given_back_is_free_again(world):
    member = world.join(agreement=None)
    week = pay(world, member, FIRST)
    taken = Collection.objects.get()
    collections.void(collection=taken, reason="Wrong day", by=world.pantry_manager, at=moment(FIRST + WEEK))
    with pytest.raises(Refused, match="given back already"):
        by_hand.reverse_week(paid_week=week, by=world.volunteer, at=moment(ON))
    assert pay(world, member, FIRST).block.block_no == 2
    assert journal.check(ON) == []


def test_a_bought_week_is_not_given_back_at_the_counter(world):
    week = world.join().paid_weeks.first()
    with pytest.raises(Refused, match="The others are credited when they leave"):
        by_hand.reverse_week(paid_week=week, by=world.volunteer, at=moment(ON))


def test_who_paid_for_themselves_is_funded_around_the_weeks_they_paid(world):
    member = world.join(agreement=None)
    pay(world, member, FIRST)
    memberships.fund(
        membership=member, agreement=world.agreement, by=world.manager, at=moment(date(2026, 4, 8), "11:00")
    )
    block = member.blocks.get(source="funded")
    assert (block.block_no, weeks_of(block)) == (2, WEEKS[1:27])
    assert journal.check(ON) == []


def test_who_paid_for_themselves_is_bought_a_block_again(world, held):
    decide(world, held, "self_pay", self_pay_from=NEXT)
    pay(world, held.membership, NEXT)
    block = by_hand.buy(membership=held.membership, by=world.manager, at=moment(NEXT + WEEK))
    assert weeks_of(block) == WEEKS[27:53]
    member = Membership.objects.get()
    assert (member.self_pay_from, member.next_due_on) == (None, WEEKS[53] - timedelta(days=28))
