"""Joining, confirming who turned up, and beginning to pay for a member: their own rows and the money that follows."""

from collections.abc import Iterable
from datetime import date, datetime, time

from django.db import transaction
from django.db.models import Max

from pantry import rules
from pantry.calendar import WeekCalendar
from pantry.models import FundingAgreement, Membership, Pantry, Place, PrepaidBlock, SharedNeed
from pantry.services import blocks, paid_weeks
from pantry.services.memberships import leaving, states
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import LONDON, WEEK, london_date, monday, sunday

State = Membership.State


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
    pantry, on = _locked(pantry), london_date(at)
    calendar = WeekCalendar.for_pantries([pantry])
    first = calendar.first_week(pantry.pk, at, first_week)
    previous = _earlier(previous, pantry)
    membership = _create(
        pantry,
        State.OPEN,
        preferred_name,
        needs,
        by=by,
        at=at,
        first_week=first,
        previous=previous,
        agreement=agreement,
        funded_until=funded_until,
    )
    block = None
    if agreement:
        block = _first_block(membership, agreement, pantry, calendar, first, on=on, at=at, by=by, with_fee=True)
    _record("joined", membership, block, by, at)
    return membership


@transaction.atomic
def add_pending(
    *, pantry: Pantry, preferred_name: str, by: User, at: datetime, needs: Iterable[tuple[str, str]] = ()
) -> Membership:
    """Someone who turned up by themselves: a member who waits to be confirmed, unfunded, from this week on."""
    pantry, on = _locked(pantry), london_date(at)
    today = datetime.combine(on, time(0), LONDON)  # they are here, whether or not the session has opened
    first = WeekCalendar.for_pantries([pantry]).first_week(pantry.pk, today)
    membership = _create(pantry, State.PENDING, preferred_name, needs, by=by, at=at, first_week=first)
    _record("turned_up", membership, None, by, at)
    return membership


@transaction.atomic
def confirm(
    *,
    membership: Membership,
    by: User,
    at: datetime,
    agreement: FundingAgreement | None = None,
    first_week: date | None = None,
    funded_until: date | None = None,
    previous: Membership | None = None,
) -> Membership:
    """A pending membership opens: block 1 with the joining fee when an agreement pays, else the member pays each week.

    `first_week` is the Monday from which it pays, up to 8 weeks ahead; also back to the week they turned up in, 28 days
    at most: what they collected since then is linked.
    """
    membership = blocks.locked(membership.pk)
    if membership.state == State.PAUSED:
        raise Refused(f"{membership} has been confirmed: it is paused.")
    states.check_can_become(membership, State.OPEN)
    on = london_date(at)
    pantry = blocks.home(membership, monday(on))
    membership.previous = _earlier(previous, pantry)
    membership.agreement, membership.funded_until = agreement, funded_until
    states.write_move(membership, State.OPEN, on, by=by, at=at)
    membership.save(update_fields=["state", "previous", "agreement", "funded_until"])
    block = None
    if agreement:
        calendar = WeekCalendar.for_pantries([pantry])
        start = _paid_from(membership, calendar, pantry, first_week, at)
        block = _first_block(membership, agreement, pantry, calendar, start, on=on, at=at, by=by, with_fee=True)
    _record("confirmed", membership, block, by, at)
    return membership


def _paid_from(membership, calendar: WeekCalendar, pantry: Pantry, wanted: date | None, at: datetime) -> date:
    today = london_date(at)
    if wanted is None or monday(wanted) >= monday(today):
        return max(membership.first_week, calendar.first_week(pantry.pk, at, wanted))
    earliest = max(membership.first_week, monday(today - rules.LATE))
    if monday(wanted) < earliest:
        raise Refused(f"Weeks can be paid for from {earliest:%-d %B %Y} on. Choose that Monday or a later one.")
    return monday(wanted)


@transaction.atomic
def not_confirmed(
    *, membership: Membership, by: User, at: datetime, reason: str = Membership.EndReason.LEFT
) -> Membership:
    """A pending membership ends without having opened. `reason` is a Membership.EndReason; why is not known here."""
    membership = blocks.locked(membership.pk)
    if membership.state != State.PENDING:
        states.check_can_become(membership, State.PENDING)
    leaving.end(membership, london_date(at), reason, by=by, at=at)
    return membership


def _locked(pantry: Pantry) -> Pantry:
    """The pantry's lock keeps a closure announced meanwhile from missing a new member, the operator's gives numbers."""
    rows = Pantry.objects.select_for_update(of=("self", "operator"), no_key=True).select_related("operator")
    return rows.get(pk=pantry.pk)


def _create(pantry: Pantry, state: str, name: str, needs, *, by: User, at: datetime, first_week: date, **more):
    """The member's own rows: number, first move, place, needs."""
    if pantry.closing_on and pantry.closing_on <= first_week:
        raise Refused(f"{pantry.name} closes for good on {pantry.closing_on:%-d %B %Y}. Choose another pantry.")
    same_operator = Membership.objects.filter(operator=pantry.operator)
    membership = Membership.objects.create(
        operator=pantry.operator,
        number=(same_operator.aggregate(n=Max("number"))["n"] or 0) + 1,
        preferred_name=name,
        state=state,
        joined_on=london_date(at),
        first_week=first_week,
        created_at=at,
        **more,
    )
    states.write_move(membership, state, membership.joined_on, by=by, at=at)
    Place.objects.create(membership=membership, pantry=pantry, from_week=first_week)
    SharedNeed.objects.bulk_create(
        SharedNeed(membership=membership, kind=kind, value=value) for kind, value in dict.fromkeys(needs)
    )
    return membership


def _record(verb: str, membership: Membership, block: PrepaidBlock | None, by: User, at: datetime) -> None:
    subjects = [(audit.MEMBERSHIP, membership.pk)]
    detail = {"block": str(block.pk)} if block else {}
    audit.record(f"pantry.membership.{verb}", at=at, by=by, target=membership, subjects=subjects, detail=detail)


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
    if membership.state == State.PENDING:
        raise Refused(f"{membership} is waiting to be confirmed. Confirm it, and say who pays.")
    membership.agreement, membership.funded_until, membership.self_pay_from = agreement, funded_until, None
    membership.save(update_fields=["agreement", "funded_until", "self_pay_from"])
    blocks.check_can_buy(membership)
    pantry = blocks.home(membership, monday(london_date(at)))
    calendar = WeekCalendar.for_pantries([pantry])
    first = max(membership.first_week, calendar.first_week(pantry.pk, at, first_week))
    on = london_date(at)
    block = _first_block(membership, agreement, pantry, calendar, first, on=on, at=at, by=by, with_fee=False)
    paid_weeks.set_due([membership.pk])  # they may move, or have paused
    audit.record("pantry.membership.funded", at=at, by=by, target=block, subjects=[(audit.MEMBERSHIP, membership.pk)])
    return block


def _first_block(membership, agreement, pantry, calendar, start: date, *, on, at, by, with_fee) -> PrepaidBlock:
    """The first block an agreement buys; weeks the member has paid for are left alone."""
    _check_can_pay(agreement, membership, pantry, start)
    if membership.funded_until is not None and membership.funded_until < start:
        raise Refused(
            f"Funding ends on {membership.funded_until:%-d %B %Y}, before the week of {start:%-d %B %Y} begins. "
            "Nothing can be bought; the member can join and pay each week."
        )
    paid = set(membership.paid_weeks.dated().filter(week__gte=start).values_list("week", flat=True))
    weeks = calendar.next_open_weeks(pantry.pk, start, agreement.block_weeks, paid)
    block = blocks.buy_one(
        membership=membership,
        agreement=agreement,
        pantry=pantry,
        block_no=blocks.last_no(membership) + 1,
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


def _earlier(previous: Membership | None, pantry: Pantry) -> Membership | None:
    """The membership that a new one names, locked; refuses in words where nothing can follow it."""
    if previous is None:
        return None
    previous = blocks.locked(previous.pk)
    if previous.operator_id != pantry.operator_id:
        raise Refused("The earlier membership was with another organisation. Leave it out.")
    if previous.state != Membership.State.ENDED:
        raise Refused(f"{previous} has not ended, so nothing new is needed.")
    if previous.end_reason == Membership.EndReason.DIED:
        raise Refused(f"{previous} cannot join again. Check the number.")
    open_again = Membership.objects.filter(previous=previous).exclude(state=Membership.State.ENDED).first()
    if open_again:
        raise Refused(f"{previous} has joined again already, as {open_again}.")
    return previous


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
