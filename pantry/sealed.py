"""The journal and the closed statements as the audit's seals see them: each line with its entry, or as agreed."""

from collections.abc import Iterator

from pantry.models import AMOUNTS, JournalLine, StatementLine
from stockport_hubs.audit.seals import Chain, register

FIELDS = (
    "account", "pantry_id", "pence", "source_type", "source_id", "leg", "entry_id",
    "entry__kind", "entry__agreement_id", "entry__effective_on", "entry__recorded_at", "entry__by_id", "entry__job",
    "entry__purchase_order", "entry__invoice", "entry__cost_code", "entry__reverses_id",
)  # fmt: skip


def _lines(first: int, last: int) -> Iterator[tuple[int, list]]:
    for key, *row in JournalLine.objects.filter(id__range=(first, last)).values_list("id", *FIELDS):
        yield key, row


def _agreed(first: int, last: int) -> Iterator[tuple[int, list]]:
    fields = ("statement_id", "membership_id", "is_prior", *AMOUNTS)
    for key, *row in StatementLine.objects.filter(id__range=(first, last)).values_list("id", *fields):
        yield key, row


JOURNAL = register(Chain("journal", "Journal line", JournalLine, _lines))
STATEMENTS = register(Chain("statements", "Statement line", StatementLine, _agreed))
