"""The journal as the audit's seals see it: every line with its entry."""

from collections.abc import Iterator

from pantry.models import JournalLine
from stockport_hubs.audit.seals import Chain, register

FIELDS = (
    "account", "pantry_id", "pence", "source_type", "source_id", "leg", "entry_id",
    "entry__kind", "entry__agreement_id", "entry__effective_on", "entry__recorded_at", "entry__by_id", "entry__job",
    "entry__purchase_order", "entry__invoice", "entry__cost_code", "entry__reverses_id",
)  # fmt: skip


def _lines(first: int, last: int) -> Iterator[tuple[int, list]]:
    for key, *row in JournalLine.objects.filter(id__range=(first, last)).values_list("id", *FIELDS):
        yield key, row


JOURNAL = register(Chain("journal", "Journal line", JournalLine, _lines))
