"""Post to the journal: insert-only integer pence, every entry sums to zero (accounts: pantry/models/journal.py)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from django.db import transaction

from pantry.models import Account, EntryKind, FundingAgreement, JournalEntry, JournalLine
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import money
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date

ROWS = 1000  # rows of one insert


class Leg(NamedTuple):
    """One line to post; (source_type, source_id, leg) is posted once for ever."""

    account: str
    pence: int
    source_type: str
    source_id: UUID
    leg: str
    pantry_id: UUID | None = None


@dataclass
class Posting:
    """One entry to post: legs of 0 pence are left out, the others must sum to zero."""

    kind: str
    agreement_id: UUID
    effective_on: date
    legs: list[Leg]
    references: dict[str, str] = field(default_factory=dict)
    reverses: UUID | None = None


def post(postings: Iterable[Posting], *, at: datetime, by: User | None = None, job: str = "") -> list[JournalEntry]:
    """Insert entries and their lines in the caller's transaction: two inserts for any number up to ROWS."""
    entries, lines = [], []
    for posting in postings:
        legs = [leg for leg in posting.legs if leg.pence]
        if not legs:
            continue
        if sum(leg.pence for leg in legs) != 0:
            raise ValueError(f"An entry of kind {posting.kind} does not sum to zero.")
        entry = JournalEntry(
            kind=posting.kind,
            agreement_id=posting.agreement_id,
            effective_on=posting.effective_on,
            recorded_at=at,
            by=by,
            job=job,
            reverses_id=posting.reverses,
            **posting.references,
        )
        entries.append(entry)
        lines += [JournalLine(entry=entry, **leg._asdict()) for leg in legs]
    JournalEntry.objects.bulk_create(entries, batch_size=ROWS)
    JournalLine.objects.bulk_create(lines, batch_size=ROWS)
    return entries


@transaction.atomic
def pay_in_advance(
    *,
    agreement: FundingAgreement,
    pence: int,
    on: date,
    purchase_order: str = "",
    invoice: str = "",
    cost_code: str = "",
    by: User,
    at: datetime,
) -> JournalEntry:
    """The council has paid over money that blocks will draw on. An invoice is recorded once."""
    agreement = FundingAgreement.objects.select_for_update(no_key=True).get(pk=agreement.pk)
    if pence <= 0:
        raise Refused("Enter the amount that was paid, more than £0.00.")
    if on > london_date(at):
        raise Refused("A payment is recorded once it has been made. Enter a date up to today.")
    reversed_ = JournalEntry.objects.filter(reverses__isnull=False)
    paid = JournalEntry.objects.filter(agreement=agreement, kind=EntryKind.PAYMENT)
    standing = paid.exclude(pk__in=reversed_.values("reverses"))  # a wrong one is reversed and recorded again
    if invoice and (before := standing.filter(invoice=invoice).first()):
        amount = before.lines.get(account=Account.ADVANCE).pence
        raise Refused(
            f"Invoice {invoice} is recorded already: {money.pounds(amount)} on {before.effective_on:%-d %B %Y}."
        )
    source = uuid4()
    legs = [
        Leg(Account.COUNCIL, -pence, "payment", source, "council"),
        Leg(Account.ADVANCE, pence, "payment", source, "advance"),
    ]
    references = {"purchase_order": purchase_order, "invoice": invoice, "cost_code": cost_code}
    [entry] = post([Posting(EntryKind.PAYMENT, agreement.pk, on, legs, references)], at=at, by=by)
    audit.record("pantry.payment.recorded", at=at, by=by, target=entry)
    return entry


def check(on: date) -> list[str]:
    """Every break between journal, blocks, weeks, pools and budgets, each in a sentence; empty when all agrees."""
    from pantry.services import proof

    return proof.problems(on)
