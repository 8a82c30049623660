"""Weeks bought or given one by one: a block by hand, goodwill, and the week a member pays for at the counter."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Max

from pantry.calendar import WeekCalendar
from pantry.models import BlockSource, Membership, PaidWeek, PrepaidBlock, RenewalDecision
from pantry.services import blocks, histories, paid_weeks
from pantry.services.blocks import Purchase
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK, is_monday, london_date, monday

State = Membership.State


@transaction.atomic
def buy(*, membership: Membership, by: User, at: datetime, weeks: int | None = None) -> PrepaidBlock:
    """A block bought by hand ahead of its renewal: the agreement's number of weeks, or fewer, after those bought. Who
    has paid for themselves no longer does."""
    membership = blocks.locked(membership.pk)
    agreement = blocks.check_can_buy(membership)
    on = london_date(at)
    n = _number(agreement.block_weeks if weeks is None else weeks)
    held = RenewalDecision.objects.filter(membership=membership, outcome=RenewalDecision.Outcome.HELD).first()
    if held:
        raise Refused(f"Block {held.block_no} is held. Decide it with the renewals.")
    start, found = _weeks_after(membership, n, on)
    block = blocks.buy_one(
        membership=membership,
        agreement=agreement,
        pantry=blocks.home(membership, start),
        block_no=_free_no(membership),
        weeks=found,
        on=on,
        at=at,
        by=by,
    )
    if membership.self_pay_from:
        membership.self_pay_from = None
        membership.save(update_fields=["self_pay_from"])
    return _bought("bought", block, by, at)


@transaction.atomic
def give(*, membership: Membership, weeks: int, by: User, at: datetime) -> PrepaidBlock:
    """Goodwill: a block of its own of n weeks at £0.00 after those bought. Reached through `proposals` alone: two
    people agree it."""
    membership = blocks.locked(membership.pk)
    _check_runs(membership)
    n, on = _number(weeks), london_date(at)
    start, found = _weeks_after(membership, n, on)
    purchase = Purchase(
        membership_id=membership.pk,
        member_number=membership.number,
        block_no=_free_no(membership),
        agreement_id=membership.agreement_id,
        pantry_id=blocks.home(membership, start).pk,
        weeks=found,
        weekly_pence=0,
        source=BlockSource.GOODWILL,
    )
    [block] = blocks.write([purchase], on=on, at=at, by=by)
    return _bought("given", block, by, at)


@transaction.atomic
def self_pay_week(
    *, membership: Membership, week: date, pence: int, by: User, at: datetime, joining_pence: int = 0
) -> PaidWeek:
    """The member has paid for the week of that Monday at the counter: a block of one week whose funder is the member.

    No journal entry: it is not the council's money; the collection of the week holds what was taken and is linked.
    Whether they might shop was for the collection to ask: who has left since has paid for the day they came.
    """
    membership = blocks.locked(membership.pk)
    if not is_monday(week):
        raise ValueError("A week is named by its Monday.")
    if membership.agreement_id and not (membership.self_pay_from and membership.self_pay_from <= week):
        raise Refused(f"An agreement pays for {membership} in the week of {week:%-d %B %Y}, so nothing is to pay.")
    if PaidWeek.objects.dated().filter(membership=membership, week=week).exists():
        raise Refused(f"The week of {week:%-d %B %Y} is paid for already.")
    places = paid_weeks.places([membership.pk])[membership.pk]
    purchase = Purchase(
        membership_id=membership.pk,
        member_number=membership.number,
        block_no=_free_no(membership),
        agreement_id=None,
        pantry_id=paid_weeks.pantry_in(places, week) or places[-1].pantry_id,
        weeks=[week],
        weekly_pence=pence,
        joining_pence=joining_pence,
        source=BlockSource.SELF_PAY,
    )
    [block] = blocks.write([purchase], on=london_date(at), at=at, by=by)
    _bought("paid_by_member", block, by, at)
    return block.paid_weeks.get()


@transaction.atomic
def reverse_week(*, paid_week: PaidWeek, by: User, at: datetime) -> None:
    """What a member paid at the counter is given back with the collection that is undone: the week is free again."""
    membership = blocks.locked(paid_week.membership_id)
    paid_week = PaidWeek.objects.select_related("block").get(pk=paid_week.pk)
    if paid_week.block.source != BlockSource.SELF_PAY:
        raise Refused("Only a week the member paid for is given back here. The others are credited when they leave.")
    if paid_week.state == PaidWeek.State.REVERSED:
        raise Refused("This week has been given back already.")
    paid_week.state = PaidWeek.State.REVERSED
    paid_week.save(update_fields=["state"])
    paid_weeks.set_due([membership.pk])
    subjects = [(audit.MEMBERSHIP, membership.pk)]
    audit.record("pantry.block.given_back", at=at, by=by, target=paid_week.block, subjects=subjects)


def _number(weeks: int) -> int:
    if not 1 <= weeks <= 26:
        raise Refused("A block has 1 to 26 weeks.")
    return weeks


def _check_runs(membership: Membership) -> None:
    if membership.state == State.OPEN:
        return
    if membership.state == State.ENDED:
        raise Refused(f"{membership} left on {membership.ended_on:%-d %B %Y}, so no weeks can be added.")
    if membership.state == State.PENDING:
        raise Refused(f"{membership} is waiting to be confirmed. Confirm it first.")
    raise Refused(f"{membership} is paused. No weeks are added until the pause ends.")


def _free_no(membership: Membership) -> int:
    """The next block number that nothing has been decided about: decisions keep theirs."""
    decided = RenewalDecision.objects.filter(membership=membership).aggregate(n=Max("block_no"))["n"] or 0
    return max(blocks.last_no(membership), decided) + 1


def _weeks_after(membership: Membership, n: int, on: date) -> tuple[date, list[date]]:
    """(first Monday looked at, the n open weeks from then on) after the member's paid weeks."""
    last = PaidWeek.objects.dated().filter(membership=membership).aggregate(week=Max("week"))["week"]
    start = max(membership.first_week, monday(on), last + WEEK if last else monday(on))
    paused = histories.of([membership])[membership.pk].paused_weeks
    pantry = blocks.home(membership, start)
    return start, WeekCalendar.for_pantries([pantry]).next_open_weeks(pantry.pk, start, n, paused)


def _bought(verb: str, block: PrepaidBlock, by: User, at: datetime) -> PrepaidBlock:
    paid_weeks.set_due([block.membership_id])
    subjects = [(audit.MEMBERSHIP, block.membership_id)]
    audit.record(f"pantry.block.{verb}", at=at, by=by, target=block, subjects=subjects)
    return block
