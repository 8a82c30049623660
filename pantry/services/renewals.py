"""Renewals: decide the due ones in batches, buy or hold; then a leaving care manager decides what is held."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, time
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils import formats

from pantry import rules
from pantry.models import Membership, PrepaidBlock, RenewalDecision
from pantry.services import blocks, judging, paid_weeks
from pantry.services.blocks import Purchase
from pantry.services.funds import Funds
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import NotYours, Refused
from stockport_hubs.core.weeks import LONDON, is_monday, london_date

log = logging.getLogger(__name__)

BATCH = 200
Outcome = RenewalDecision.Outcome


@dataclass(frozen=True)
class Decided:
    """What was decided for one member; money in pence."""

    number: int
    block_no: int
    starts_on: date
    outcome: str
    price_pence: int = 0
    from_pool_pence: int = 0
    reasons: tuple[str, ...] = ()
    top_up_pence: int = 0


@dataclass
class Sweep:
    """What a sweep did. `already`: decisions it found made; `failed`: numbers of members it could not decide."""

    renewed: int = 0
    held: int = 0
    already: int = 0
    failed: list[int] = field(default_factory=list)


def sweep(
    *,
    on: date,
    at: datetime,
    by: User | None = None,
    job: str = "",
    dry_run: bool = False,
    report: Callable[[list[Decided]], None] = lambda decided: None,
) -> Sweep:
    """Decide every renewal due on or before a day, up to 200 members a transaction, until none is left.

    Two at once share the work (a member locked by one is skipped by the other); none for 200 days is harmless. A batch
    that fails is done one by one; a member who fails is named and left for the next sweep. `report` gets each batch.
    A dry run does everything in one transaction and takes it back.
    """
    done = Sweep()
    failed: dict[UUID, int] = {}
    with transaction.atomic() if dry_run else nullcontext():
        while (decided := _next_batch(on, at, by, job, failed)) is not None:
            done.renewed += sum(each.outcome == Outcome.RENEWED for each in decided)
            done.held += sum(each.outcome == Outcome.HELD for each in decided)
            report(decided)
        done.already = _decided(on, at) - done.renewed - done.held
        done.failed = sorted(failed.values())
        if dry_run:
            transaction.set_rollback(True)
    return done


def _decided(on: date, at: datetime) -> int:
    """How many decisions that were due by a day stand: about blocks that have not begun, or made today."""
    today = datetime.combine(london_date(at), time.min, LONDON)
    not_begun = Q(due_on__gt=on - rules.RENEWED_AHEAD)
    return RenewalDecision.objects.filter(not_begun | Q(decided_at__gte=today), due_on__lte=on).count()


def _next_batch(on: date, at: datetime, by, job: str, failed: dict[UUID, int]) -> list[Decided] | None:
    """Decide the next due members that are free; None when there are none."""
    taken: list[Membership] = []
    due = Membership.objects.due_on(on)
    try:
        with transaction.atomic():
            return _decide(due.exclude(pk__in=failed)[:BATCH], taken, on=on, at=at, by=by, job=job)
    except Exception as error:
        if not taken:
            raise
        log.warning("a batch of %s renewals failed, so they are done one by one: %s", len(taken), type(error).__name__)
    decided = []
    for membership in taken:
        try:
            with transaction.atomic():
                decided += _decide(due.filter(pk=membership.pk), [], on=on, at=at, by=by, job=job) or []
        except Exception as error:
            failed[membership.pk] = membership.number
            log.warning("the renewal of one member failed: %s", type(error).__name__)
    return decided


def _decide(rows, taken: list[Membership], *, on: date, at: datetime, by, job: str) -> list[Decided] | None:
    """Lock the members that are free, decide and write all of them. Lock order: memberships, budgets, pools."""
    skip = connection.features.has_select_for_update_skip_locked
    taken += rows.select_for_update(of=("self",), no_key=True, skip_locked=skip)
    if not taken:
        return None
    cases, not_due = judging.cases(taken, on)
    paid_weeks.set_due(not_due)  # their open weeks have changed since the day was noted
    funds = Funds({case.agreement.pk: case.agreement for case in cases}.values(), on)
    purchases: list[Purchase] = []
    decisions, decided = [], []
    for case in cases:
        reasons = case.reasons(funds[case.agreement.pk])
        credit = 0
        if not reasons:
            credit = funds[case.agreement.pk].draw(case.price_pence)
            purchases.append(_purchase(case, credit))
        outcome = Outcome.HELD if reasons else Outcome.RENEWED
        decisions.append(
            RenewalDecision(
                membership_id=case.membership.pk,
                member_number=case.membership.number,
                block_no=case.next.block_no,
                due_on=case.next.due_on,
                starts_on=case.weeks[0],
                outcome=outcome,
                reasons=reasons,
                decided_at=at,
                decided_by=by,
            )
        )
        price = 0 if reasons else case.price_pence
        number, block_no = case.membership.number, case.next.block_no
        top_up = 0 if reasons else case.top_up_pence
        decided.append(Decided(number, block_no, case.weeks[0], outcome, price, credit, tuple(reasons), top_up))
    written = blocks.write(purchases, on=on, at=at, by=by, job=job, funds=funds)
    bought = {block.membership_id: block for block in written}
    for decision in decisions:
        decision.block = bought.get(decision.membership_id)
    RenewalDecision.objects.bulk_create(decisions, batch_size=blocks.ROWS)
    funds.save()
    paid_weeks.write_due({case.membership.pk: _next_due(case, bought) for case in cases})
    _audit(decisions, at=at, by=by, job=job)
    return decided


def _purchase(case: judging.Case, credit: int) -> Purchase:
    return Purchase(
        membership_id=case.membership.pk,
        member_number=case.membership.number,
        block_no=case.next.block_no,
        agreement_id=case.agreement.pk,
        pantry_id=case.next.pantry_id,
        weeks=case.weeks,
        weekly_pence=case.weekly_pence,
        from_pool_pence=credit,
        later=case.later,
    )


def _next_due(case: judging.Case, bought: dict[UUID, PrepaidBlock]) -> date | None:
    """After a purchase the day of the next one; after a hold none, until a manager has decided."""
    return case.due_after if case.membership.pk in bought else None


def _audit(decisions: list[RenewalDecision], *, at: datetime, by, job: str) -> None:
    """One event for what was renewed, one for what was held, each naming its members."""
    for outcome in (Outcome.RENEWED, Outcome.HELD):
        subjects = [(audit.MEMBERSHIP, d.membership_id) for d in decisions if d.outcome == outcome]
        if subjects:
            audit.record(f"pantry.renewal.{outcome}", at=at, by=by, job=job, subjects=subjects)


@transaction.atomic
def decide(
    *,
    decision: RenewalDecision,
    outcome: str,
    by: User,
    at: datetime,
    note: str = "",
    self_pay_from: date | None = None,
    weeks: int | None = None,
) -> RenewalDecision:
    """A leaving care manager decides what was held: renewed (bought now, contiguous), self_pay from a Monday, stopped.

    `weeks` buys fewer than the agreement's block has. Whoever comes second is told who decided what, and when.
    """
    membership = blocks.locked(decision.membership_id)
    rows = RenewalDecision.objects.select_for_update(of=("self",), no_key=True).select_related("decided_by")
    decision = rows.get(pk=decision.pk)
    check_can_decide(decision, membership, by)
    if outcome == Outcome.RENEWED:
        decision.block = _renew_held(decision, membership, weeks, by=by, at=at)
        decision.starts_on = decision.block.starts_on
    elif outcome == Outcome.SELF_PAY:
        membership.self_pay_from = self_pay_from or decision.starts_on
        if not is_monday(membership.self_pay_from):
            raise Refused("The member pays from a Monday on. Choose the Monday of the first week to pay.")
        membership.save(update_fields=["self_pay_from"])
    elif outcome != Outcome.STOPPED:
        raise ValueError(f"A held renewal cannot become {outcome!r}.")
    decision.outcome, decision.note, decision.decided_by, decision.decided_at = Outcome(outcome), note, by, at
    decision.save(update_fields=["outcome", "note", "decided_by", "decided_at", "starts_on", "block"])
    paid_weeks.set_due([membership.pk])
    subjects = [(audit.MEMBERSHIP, membership.pk)]
    audit.record(f"pantry.renewal.{decision.outcome}", at=at, by=by, target=decision, subjects=subjects)
    return decision


def check_can_decide(decision: RenewalDecision, membership: Membership, by: User) -> None:
    """Refuse in words: not a manager of this funder, or decided already (by whom and when)."""
    if by.role != Role.LEAVING_CARE_MANAGER:
        raise Refused("Only a leaving care manager can decide a renewal that is held.")
    if membership.agreement is None or membership.agreement.funder_id != by.organisation_id:
        raise NotYours
    if decision.outcome != Outcome.HELD:
        raise Refused(said(decision))


def said(decision: RenewalDecision) -> str:
    """ "Already renewed by Jo Smith on 3 September 2026, 10:42." """
    words = {"renewed": "renewed", "self_pay": "switched to self-pay", "stopped": "stopped"}
    who = f"by {decision.decided_by}" if decision.decided_by else "by the renewal run"
    when = formats.date_format(decision.decided_at.astimezone(LONDON), "j F Y, H:i")
    return f"Already {words.get(decision.outcome, 'held')} {who} on {when}."


def check_can_take_back(decision: RenewalDecision, by: User, today: date) -> None:
    """Raises Refused with why a decision stands. A stop or self-pay is taken back until it has taken effect: before its
    Monday, and on the day on which it was made while the member has paid for no week."""
    if decision.outcome not in (Outcome.SELF_PAY, Outcome.STOPPED):
        raise Refused("A bought block stays. Its unused weeks are credited when the member leaves.")
    membership = decision.membership
    if membership.state == Membership.State.ENDED:
        raise Refused(f"{membership} left on {membership.ended_on:%-d %B %Y}, so nothing is renewed.")
    if by.role != Role.LEAVING_CARE_MANAGER:
        raise Refused("Only a leaving care manager can take a decision back.")
    start = membership.self_pay_from if decision.outcome == Outcome.SELF_PAY else decision.starts_on
    begun = start is None or start <= today
    if begun and london_date(decision.decided_at) != today:
        raise Refused(
            f"{said(decision)} It took effect on {start or decision.starts_on:%-d %B %Y}. "
            "Weeks can be bought on the member’s page."
        )
    if membership.blocks.filter(block_no__gte=decision.block_no).exists():
        raise Refused(f"{said(decision)} Weeks have been paid for since. Weeks can be bought on the member’s page.")


def can_take_back(decision: RenewalDecision, by: User, today: date) -> bool:
    """Whether check_can_take_back lets it pass."""
    try:
        check_can_take_back(decision, by, today)
    except Refused:
        return False
    return True


@transaction.atomic
def take_back(*, decision: RenewalDecision, by: User, at: datetime) -> RenewalDecision:
    """A stop or self-pay that has not taken effect is held again, for its reasons."""
    membership = blocks.locked(decision.membership_id)
    rows = RenewalDecision.objects.select_for_update(of=("self",), no_key=True).select_related("decided_by")
    decision = rows.get(pk=decision.pk)
    decision.membership = membership
    if membership.agreement is None or membership.agreement.funder_id != by.organisation_id:
        raise NotYours
    check_can_take_back(decision, by, london_date(at))
    membership.self_pay_from = None
    membership.save(update_fields=["self_pay_from"])
    decision.outcome, decision.note, decision.decided_by, decision.decided_at = Outcome.HELD, "", by, at
    decision.save(update_fields=["outcome", "note", "decided_by", "decided_at"])
    paid_weeks.set_due([membership.pk])
    subjects = [(audit.MEMBERSHIP, membership.pk)]
    audit.record("pantry.renewal.taken_back", at=at, by=by, target=decision, subjects=subjects)
    return decision


def _renew_held(
    decision: RenewalDecision, membership: Membership, n: int | None, *, by: User, at: datetime
) -> PrepaidBlock:
    """Buy the held block from the next free open week on, at the price in force there."""
    agreement = blocks.check_can_buy(membership)
    n = agreement.block_weeks if n is None else n
    if not 1 <= n <= 26:
        raise Refused("A block has 1 to 26 weeks.")
    ahead, calendar, pantries = paid_weeks.next_blocks([membership], undecided=False)
    if membership.pk not in ahead:
        raise Refused(f"{membership} has no place or waits with parked weeks, so no block can follow.")
    block = ahead[membership.pk]
    return blocks.buy_one(
        membership=membership,
        agreement=agreement,
        pantry=pantries[block.pantry_id],
        block_no=decision.block_no,
        weeks=calendar.next_open_weeks(block.pantry_id, block.starts_on, n, block.paused),
        on=london_date(at),
        at=at,
        by=by,
    )
