"""What two people put right by hand: weeks credited, entries of the journal, entries reversed.

Reached through `proposals` alone, which sees to the second person.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Sum

from pantry.models import (
    Account,
    Collection,
    EntryKind,
    FundingAgreement,
    JournalEntry,
    JournalLine,
    Membership,
    PaidWeek,
)
from pantry.services import blocks, funds, journal, paid_weeks
from pantry.services.journal import Leg, Posting
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import money
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date, spoken

SIX_DAYS = timedelta(days=6)

# What may be entered by hand: which account it leaves and which it reaches, and what it says.
WAYS = {
    "advance_back": (Account.ADVANCE, Account.COUNCIL, "Money paid in advance has been paid back to the council"),
    "credit_back": (Account.POOL, Account.COUNCIL, "Credit has been paid out to the council"),
    "credit_to_advance": (Account.POOL, Account.ADVANCE, "Credit becomes money paid in advance"),
}
REVERSIBLE = (EntryKind.PAYMENT, EntryKind.BY_HAND)


def creditable(membership: Membership, on: date) -> list[PaidWeek]:
    """The weeks that may be credited by hand, in order: an agreement paid for them, they are over, and nobody came."""
    came = Collection.objects.counted().filter(membership=membership).values("week")
    rows = PaidWeek.objects.dated().filter(
        membership=membership, week__lt=on - SIX_DAYS, block__agreement__isnull=False, pence__gt=0
    )
    return list(rows.exclude(week__in=came).select_related("block", "pantry").order_by("week"))


@transaction.atomic
def credit_weeks(*, membership: Membership, weeks: Iterable[date], by: User, at: datetime) -> int:
    """Weeks that are over and were not collected go back to the pool of the agreement that paid for them. Gives the
    credit; the membership goes on as it was."""
    membership, on = blocks.locked(membership.pk), london_date(at)
    there = {week.week: week for week in creditable(membership, on)}
    chosen = sorted(set(weeks))
    if not chosen:
        raise Refused("Choose at least one week.")
    for week in chosen:
        if week not in there:
            raise Refused(
                f"The week of {spoken(week)} cannot be credited: it is not over, was collected, was not paid for by an "
                "agreement, or has been credited already."
            )
    rows = [there[week] for week in chosen]
    PaidWeek.objects.filter(pk__in=[row.pk for row in rows]).update(state=PaidWeek.State.CREDITED, credited_on=on)
    sums: dict[tuple[UUID, UUID, UUID], int] = defaultdict(int)
    for row in rows:
        assert row.block.agreement_id is not None
        sums[row.block.agreement_id, row.block_id, row.pantry_id] += row.pence
    lines = JournalLine.objects.filter(source_type="credit", source_id__in={key[1] for key in sums}).order_by()
    posted = dict(lines.values_list("source_id").annotate(n=Count("pk")))
    legs: dict[UUID, list[Leg]] = defaultdict(list)
    for (agreement_id, block_id, pantry_id), pence in sums.items():
        n = posted[block_id] = posted.get(block_id, 0) + 1
        legs[agreement_id] += [
            Leg(Account.WEEKS, -pence, "credit", block_id, f"weeks by hand {n}", pantry_id),
            Leg(Account.POOL, pence, "credit", block_id, f"pool by hand {n}"),
        ]
    for agreement_id in sorted(legs):
        funds.give_back(agreement_id, sum(leg.pence for leg in legs[agreement_id] if leg.account == Account.POOL))
    journal.post([Posting(EntryKind.CREDIT, key, on, each) for key, each in legs.items()], at=at, by=by)
    paid_weeks.set_due([membership.pk])
    subjects = [(audit.MEMBERSHIP, membership.pk)]
    audit.record("pantry.weeks.credited", at=at, by=by, target=membership, subjects=subjects)
    return sum(sums.values())


@transaction.atomic
def enter(
    *, agreement: FundingAgreement, source: UUID, way: str, pence: int, on: date, invoice: str, by: User, at: datetime
) -> JournalEntry:
    """An entry in one of the WAYS; `source` is the proposal two people have agreed, so that it posts once."""
    agreement = FundingAgreement.objects.select_for_update(no_key=True).get(pk=agreement.pk)
    out, into, _ = WAYS[way]
    if pence <= 0:
        raise Refused("Enter an amount of more than £0.00.")
    if on > london_date(at):
        raise Refused("That day has not come yet. Enter the day it happened.")
    if on < agreement.starts_on:
        raise Refused(f"{agreement} starts on {spoken(agreement.starts_on)}. Enter that day or a later one.")
    if out == Account.ADVANCE and pence > (left := _held(agreement, Account.ADVANCE)):
        raise Refused(f"{money.pounds(left)} is left of what was paid in advance, so {money.pounds(pence)} cannot go.")
    if out == Account.POOL and not funds.take(agreement.pk, pence):
        credit = money.pounds(_held(agreement, Account.POOL))
        raise Refused(f"There is {credit} of credit, so {money.pounds(pence)} cannot be taken from it.")
    legs = [Leg(out, -pence, "by_hand", source, out), Leg(into, pence, "by_hand", source, into)]
    posting = Posting(EntryKind.BY_HAND, agreement.pk, on, legs, {"invoice": invoice})
    [entry] = journal.post([posting], at=at, by=by)
    audit.record("pantry.entry.made", at=at, by=by, target=entry)
    return entry


def check_can_reverse(entry: JournalEntry) -> None:
    """Raises Refused with why an entry is not reversed by hand."""
    if entry.kind not in REVERSIBLE:
        raise Refused("Only payments and entries made by hand are reversed. What was bought is credited instead.")
    if before := JournalEntry.objects.filter(reverses=entry).first():
        raise Refused(f"This entry was reversed on {spoken(before.effective_on)} already.")


@transaction.atomic
def reverse(*, entry: JournalEntry, source: UUID, by: User, at: datetime) -> JournalEntry:
    """The same lines the other way round, today; the unique `reverses` keeps it from happening twice."""
    FundingAgreement.objects.select_for_update(no_key=True).get(pk=entry.agreement_id)
    check_can_reverse(entry)
    lines = list(entry.lines.order_by("pk"))
    credit = sum(line.pence for line in lines if line.account == Account.POOL)
    if credit > 0 and not funds.take(entry.agreement_id, credit):
        raise Refused("The credit has been spent since, so this entry cannot be reversed.")
    if credit < 0:
        funds.give_back(entry.agreement_id, -credit)
    legs = [Leg(line.account, -line.pence, "by_hand", source, line.account, line.pantry_id) for line in lines]
    said = {"invoice": entry.invoice}
    posting = Posting(EntryKind.REVERSAL, entry.agreement_id, london_date(at), legs, said, reverses=entry.pk)
    [made] = journal.post([posting], at=at, by=by)
    audit.record("pantry.entry.reversed", at=at, by=by, target=made)
    return made


def _held(agreement: FundingAgreement, account: str) -> int:
    lines = JournalLine.objects.filter(entry__agreement=agreement, account=account)
    return lines.aggregate(n=Sum("pence"))["n"] or 0
