"""How a membership ends, and how a name is taken away again."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from pantry import rules
from pantry.models import (
    Account,
    Collection,
    EarlierPrice,
    EntryKind,
    Membership,
    PaidWeek,
    Place,
    PrepaidBlock,
    RenewalDecision,
)
from pantry.services import blocks, funds, journal
from pantry.services.journal import Leg, Posting
from pantry.services.memberships import states
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date, monday, sunday

State = Membership.State
EndReason = Membership.EndReason


@transaction.atomic
def leave(*, membership: Membership, on: date, reason: str, by: User, at: datetime, two_agreed: bool = False) -> int:
    """The membership ends; paid weeks whose Monday is later are credited to the agreement's pool. Gives that credit.

    `reason` is a Membership.EndReason; `on` is the leaving day, up to 28 days back, or further where `two_agreed`.
    A death goes through `died`.
    """
    if reason == EndReason.DIED:
        return died(membership=membership, on=on, by=by, at=at)
    membership = blocks.locked(membership.pk)
    states.check_can_become(membership, State.ENDED)
    states.check_day(membership, on, london_date(at), "leaving", two_agreed=two_agreed)
    states.check_no_collection_after(membership, on, "leaving")
    return end(membership, on, reason, by=by, at=at)


@transaction.atomic
def died(*, membership: Membership, on: date, at: datetime, by: User | None = None, job: str = "") -> int:
    """Everything stops at once and later weeks are credited; never refused for being late, or for what was recorded
    since. Gives the credit, in pence.

    The membership ends on the day itself, or where that is later on the last day with a collection or 28 days back:
    crediting further back needs a second person.
    """
    membership, today = blocks.locked(membership.pk), london_date(at)
    if on > today:
        raise Refused("That day has not come yet. Enter the day it happened.")
    if membership.state == State.ENDED:
        if membership.end_reason != EndReason.DIED:
            membership.end_reason = EndReason.DIED
            membership.save(update_fields=["end_reason"])
            _record(membership, by, job, at)
        return 0
    last = Collection.objects.counted().filter(membership=membership).order_by("on").last()
    moved = membership.moves.order_by("on").last()
    since = [membership.joined_on, today - rules.LATE, *([last.on] if last else []), *([moved.on] if moved else [])]
    return end(membership, max(on, *since), EndReason.DIED, by=by, job=job, at=at)


@transaction.atomic
def hide(*, membership: Membership, at: datetime, by: User | None = None, job: str = "") -> Membership:
    """The agreement to share is withdrawn: name and needs are gone, the membership goes on under its number alone."""
    membership = blocks.locked(membership.pk)
    membership.preferred_name = ""
    membership.save(update_fields=["preferred_name"])
    membership.needs.all().delete()
    subjects = [(audit.MEMBERSHIP, membership.pk)]
    audit.record("pantry.membership.hidden", at=at, by=by, job=job, target=membership, subjects=subjects)
    return membership


def end(membership: Membership, on: date, reason: str, *, at: datetime, by: User | None = None, job: str = "") -> int:
    """The rows and the credit of an ending; the membership is locked and may end."""
    credited = _credit(membership, on, at=at, by=by, job=job)
    held = RenewalDecision.objects.filter(membership=membership, outcome=RenewalDecision.Outcome.HELD)
    held.update(outcome=RenewalDecision.Outcome.STOPPED, decided_by=by, decided_at=at, note="The membership ended")
    _close_places(membership, on)
    states.write_move(membership, State.ENDED, on, by=by, at=at)
    membership.ended_on, membership.end_reason, membership.next_due_on = on, EndReason(reason), None
    membership.save(update_fields=["state", "ended_on", "end_reason", "next_due_on"])
    _record(membership, by, job, at)
    return credited


def _record(membership: Membership, by: User | None, job: str, at: datetime) -> None:
    subjects = [(audit.MEMBERSHIP, membership.pk)]
    audit.record("pantry.membership.ended", at=at, by=by, job=job, target=membership, subjects=subjects)


def _close_places(membership: Membership, on: date) -> None:
    """The place of the last week ends with it; a move that never began is gone."""
    first, *moves = Place.objects.filter(membership=membership).order_by("from_week")
    for place in moves:
        if place.from_week > sunday(on):
            place.delete()
    last = Place.objects.filter(membership=membership).order_by("from_week").last() or first
    last.from_week = min(last.from_week, monday(on))  # a place that never began ends in the week of leaving
    last.to_week = sunday(on)
    last.save(update_fields=["from_week", "to_week"])


def _credit(membership: Membership, on: date, *, at: datetime, by: User | None, job: str) -> int:
    """Credit the weeks after a day: one entry for each agreement, a line for each block and pantry.

    What was topped up after that day is credited on the day of the top-up: as at each day between, the journal gives
    back what had been paid by then.
    """
    later = PaidWeek.objects.later_than(on).filter(membership=membership).select_related("block")
    weeks = list(later.order_by("block__block_no", "position"))
    blocks_of = {week.block_id: week.block for week in weeks}
    PaidWeek.objects.filter(pk__in=[week.pk for week in weeks]).update(state=PaidWeek.State.CREDITED, credited_on=on)
    PrepaidBlock.objects.filter(pk__in=blocks_of).update(ended_on=on)
    sums: dict[tuple[PrepaidBlock, date], dict[UUID, int]] = defaultdict(lambda: defaultdict(int))
    for week, day, pence in _paid_on(weeks, on):
        sums[blocks_of[week.block_id], day][week.pantry_id] += pence
    legs: dict[tuple[UUID, date], list[Leg]] = defaultdict(list)
    credits: dict[UUID, int] = defaultdict(int)
    for (block, day), pantries in sums.items():
        if block.agreement_id is None:  # paid by the member
            continue
        topped_up = "" if day == on else f" {day:%y%m%d}"
        for n, (pantry_id, pence) in enumerate(pantries.items(), 1):
            leg = Leg(Account.WEEKS, -pence, "credit", block.pk, f"weeks {n}{topped_up}", pantry_id)
            legs[block.agreement_id, day].append(leg)
        total = sum(pantries.values())
        legs[block.agreement_id, day].append(Leg(Account.POOL, total, "credit", block.pk, f"pool{topped_up}"))
        credits[block.agreement_id] += total
    for agreement_id in sorted(credits):
        funds.give_back(agreement_id, credits[agreement_id])
    entries = [Posting(EntryKind.CREDIT, agreement_id, day, each) for (agreement_id, day), each in legs.items()]
    journal.post(entries, at=at, by=by, job=job)
    return sum(credits.values())


def _paid_on(weeks: list[PaidWeek], on: date) -> Iterator[tuple[PaidWeek, date, int]]:
    """What was paid for each week by the end of a day, on that day; then each later top-up, on its own."""
    before: dict[int, list[EarlierPrice]] = defaultdict(list)
    since = EarlierPrice.objects.filter(paid_week__in=[week.pk for week in weeks], until_on__gt=on)
    for price in since.order_by("pence"):  # prices only rise
        before[price.paid_week_id].append(price)
    for week in weeks:
        days = [on, *(price.until_on for price in before[week.pk])]
        prices = [*(price.pence for price in before[week.pk]), week.pence]
        for n, day in enumerate(days):
            yield week, day, prices[n] - (prices[n - 1] if n else 0)
