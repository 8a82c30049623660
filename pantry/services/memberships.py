"""Joining and leaving: the member's own rows, and the money that follows from them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from pantry import rules
from pantry.calendar import WeekCalendar
from pantry.models import (
    Account,
    Collection,
    EntryKind,
    FundingAgreement,
    Membership,
    MembershipMove,
    PaidWeek,
    Pantry,
    Place,
    PrepaidBlock,
    RenewalDecision,
    SharedNeed,
)
from pantry.services import blocks, funds, journal
from pantry.services.journal import Leg, Posting
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK, london_date, monday, sunday


@transaction.atomic
def join(
    *,
    pantry: Pantry,
    preferred_name: str,
    by: User,
    at: datetime,
    needs: Iterable[tuple[str, str]] = (),
    agreement: FundingAgreement | None = None,
    first_week: date | None = None,
    funded_until: date | None = None,
    previous: Membership | None = None,
) -> Membership:
    """A new open membership with its number, place and needs and, when an agreement pays, block 1 with its weeks.

    `first_week` is the wanted Monday. Where `funded_until` falls inside block 1, the block runs out.
    """
    # The pantry's lock keeps a closure announced meanwhile from missing this member, the operator's gives the number.
    rows = Pantry.objects.select_for_update(of=("self", "operator"), no_key=True).select_related("operator")
    pantry, on = rows.get(pk=pantry.pk), london_date(at)
    calendar = WeekCalendar.for_pantries([pantry])
    first = calendar.first_week(pantry.pk, at, first_week)
    if pantry.closing_on and pantry.closing_on <= first:
        raise Refused(f"{pantry.name} closes for good on {pantry.closing_on:%-d %B %Y}. Choose another pantry.")
    previous = blocks.locked(previous.pk) if previous else None
    _check_can_follow(previous, pantry)
    same_operator = Membership.objects.filter(operator=pantry.operator)
    membership = Membership.objects.create(
        operator=pantry.operator,
        number=(same_operator.aggregate(n=Max("number"))["n"] or 0) + 1,
        preferred_name=preferred_name,
        state=Membership.State.OPEN,
        joined_on=on,
        first_week=first,
        previous=previous,
        agreement=agreement,
        funded_until=funded_until,
        created_at=at,
    )
    MembershipMove.objects.create(membership=membership, state=membership.state, on=on, by=by, recorded_at=at)
    Place.objects.create(membership=membership, pantry=pantry, from_week=first)
    needs = dict.fromkeys(needs)
    SharedNeed.objects.bulk_create(SharedNeed(membership=membership, kind=k, value=v) for k, v in needs)
    block = None
    if agreement:
        block = _first_block(membership, agreement, pantry, calendar, on=on, at=at, by=by, with_fee=True)
    subjects = [(audit.MEMBERSHIP, membership.pk)]
    detail = {"block": str(block.pk)} if block else {}
    audit.record("pantry.membership.joined", at=at, by=by, target=membership, subjects=subjects, detail=detail)
    return membership


@transaction.atomic
def fund(
    *,
    membership: Membership,
    agreement: FundingAgreement,
    by: User,
    at: datetime,
    first_week: date | None = None,
    funded_until: date | None = None,
) -> PrepaidBlock:
    """An agreement begins to pay for someone who is a member already: a first block without a joining fee."""
    membership = blocks.locked(membership.pk)
    if membership.agreement is not None:
        raise Refused(f"{membership} is paid for already.")
    membership.agreement, membership.funded_until, membership.self_pay_from = agreement, funded_until, None
    membership.save(update_fields=["agreement", "funded_until", "self_pay_from"])
    blocks.check_can_buy(membership)
    pantry = blocks.home(membership, monday(london_date(at)))
    calendar = WeekCalendar.for_pantries([pantry])
    first = max(membership.first_week, calendar.first_week(pantry.pk, at, first_week))
    block = _first_block(
        membership, agreement, pantry, calendar, on=london_date(at), at=at, by=by, first=first, with_fee=False
    )
    audit.record("pantry.membership.funded", at=at, by=by, target=block, subjects=[(audit.MEMBERSHIP, membership.pk)])
    return block


def _first_block(
    membership, agreement, pantry, calendar, *, on, at, by, with_fee, first: date | None = None
) -> PrepaidBlock:
    start = first or membership.first_week
    _check_can_pay(agreement, membership, pantry, start)
    if membership.funded_until is not None and membership.funded_until < start:
        raise Refused(
            f"Funding ends on {membership.funded_until:%-d %B %Y}, before the week of {start:%-d %B %Y} begins. "
            "Nothing can be bought; the member can join and pay each week."
        )
    weeks = calendar.next_open_weeks(pantry.pk, start, agreement.block_weeks)
    block = blocks.buy_one(
        membership=membership,
        agreement=agreement,
        pantry=pantry,
        block_no=1,
        weeks=weeks,
        on=on,
        at=at,
        by=by,
        with_fee=with_fee,
        previous_left_on=membership.previous.ended_on if membership.previous else None,
    )
    membership.next_due_on = rules.due_on(calendar.next_open_week(pantry.pk, weeks[-1] + WEEK))
    membership.save(update_fields=["next_due_on"])
    return block


def _check_can_follow(previous: Membership | None, pantry: Pantry) -> None:
    if previous is None:
        return
    if previous.operator_id != pantry.operator_id:
        raise Refused("The earlier membership was with another organisation. Leave it out.")
    if previous.state != Membership.State.ENDED:
        raise Refused(f"{previous} has not ended, so nothing new is needed.")
    if previous.end_reason == Membership.EndReason.DIED:
        raise Refused(f"{previous} cannot join again. Check the number.")
    open_again = Membership.objects.filter(previous=previous).exclude(state=Membership.State.ENDED).first()
    if open_again:
        raise Refused(f"{previous} has joined again already, as {open_again}.")


def _check_can_pay(agreement: FundingAgreement, membership: Membership, pantry: Pantry, first: date) -> None:
    if agreement.operator_id != pantry.operator_id:
        raise Refused(f"{agreement.name} does not pay for {pantry.name}. Choose a pantry of its operator.")
    if sunday(first) < agreement.starts_on:
        raise Refused(f"{agreement.name} starts on {agreement.starts_on:%-d %B %Y}. Choose a first week from then on.")
    if agreement.ends_on and agreement.ends_on < first:
        raise Refused(f"{agreement.name} ended on {agreement.ends_on:%-d %B %Y}. Choose another agreement.")
    had = blocks.funded_before({membership.pk: membership.previous_id})[membership.pk]
    if agreement.blocks_per_person is not None and had >= agreement.blocks_per_person:
        raise Refused(f"{agreement.name} buys {agreement.blocks_per_person} for one person, and that has been used.")


@transaction.atomic
def leave(*, membership: Membership, on: date, reason: str, by: User, at: datetime) -> int:
    """The membership ends; paid weeks whose Monday is later are credited to the agreement's pool. Gives that credit.

    `reason` is a Membership.EndReason; `on` is the leaving day, up to 28 days back.
    """
    membership = blocks.locked(membership.pk)
    _check_can_leave(membership, on, london_date(at))
    credited = _credit(membership, on, at=at, by=by)
    held = RenewalDecision.objects.filter(membership=membership, outcome=RenewalDecision.Outcome.HELD)
    held.update(outcome=RenewalDecision.Outcome.STOPPED, decided_by=by, decided_at=at, note="The membership ended")
    for place in Place.objects.filter(membership=membership, to_week__isnull=True):
        place.from_week = min(place.from_week, monday(on))  # a place that never began ends in the week of leaving
        place.to_week = sunday(on)
        place.save(update_fields=["from_week", "to_week"])
    membership.state, membership.ended_on = Membership.State.ENDED, on
    membership.end_reason, membership.next_due_on = Membership.EndReason(reason), None
    membership.save(update_fields=["state", "ended_on", "end_reason", "next_due_on"])
    MembershipMove.objects.create(membership=membership, state=membership.state, on=on, by=by, recorded_at=at)
    subjects = [(audit.MEMBERSHIP, membership.pk)]
    audit.record("pantry.membership.ended", at=at, by=by, target=membership, subjects=subjects)
    return credited


def _check_can_leave(membership: Membership, on: date, today: date) -> None:
    if membership.state == Membership.State.ENDED:
        raise Refused(f"{membership} left on {membership.ended_on:%-d %B %Y} already.")
    if on > today:
        raise Refused("The leaving day has not come yet. Record it on the day, or enter an earlier one.")
    if on < membership.joined_on:
        raise Refused(f"{membership} joined on {membership.joined_on:%-d %B %Y} and cannot have left before.")
    if on < today - rules.LATE_LEAVING:
        raise Refused("The leaving day can be up to 28 days back. Enter a day within the last 28 days.")
    later = Collection.objects.counted().filter(membership=membership, on__gt=on).order_by("on").last()
    if later:
        raise Refused(f"{membership} collected on {later.on:%-d %B %Y}. The leaving day cannot be before that.")


def _credit(membership: Membership, on: date, *, at: datetime, by: User) -> int:
    """Credit the weeks after a day: one entry for each agreement, a line for each block and pantry."""
    later = PaidWeek.objects.later_than(on).filter(membership=membership).select_related("block")
    by_block: dict[PrepaidBlock, dict[UUID, int]] = defaultdict(lambda: defaultdict(int))
    ids = []
    for week in later.order_by("block__block_no", "position"):
        ids.append(week.pk)
        by_block[week.block][week.pantry_id] += week.pence
    PaidWeek.objects.filter(pk__in=ids).update(state=PaidWeek.State.CREDITED)
    PrepaidBlock.objects.filter(pk__in=[block.pk for block in by_block]).update(ended_on=on)
    legs: dict[UUID, list[Leg]] = defaultdict(list)
    credits: dict[UUID, int] = defaultdict(int)
    for block, pantries in by_block.items():
        if block.agreement_id is None:  # paid by the member
            continue
        for n, (pantry_id, pence) in enumerate(pantries.items(), 1):
            legs[block.agreement_id].append(Leg(Account.WEEKS, -pence, "credit", block.pk, f"weeks {n}", pantry_id))
        total = sum(pantries.values())
        legs[block.agreement_id].append(Leg(Account.POOL, total, "credit", block.pk, "pool"))
        credits[block.agreement_id] += total
    for agreement_id in sorted(credits):
        funds.give_back(agreement_id, credits[agreement_id])
    journal.post([Posting(EntryKind.CREDIT, key, on, each) for key, each in legs.items()], at=at, by=by)
    return sum(credits.values())
