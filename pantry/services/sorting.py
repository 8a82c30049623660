"""What a tablet sent and could not be recorded as it was: the pantry manager records it after all, or sets it aside."""

from datetime import datetime

from django.db import models, transaction

from pantry.models import DismissReason, EntryOutcome, TabletEntry
from pantry.services import entries, tablets
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused

OWN_KINDS = ("collection", "void", "visitor")  # of the others nothing is kept here once they are sorted out


@transaction.atomic
def settle(
    *, entry: TabletEntry, by: User, at: datetime, number: int | None = None, override: str = ""
) -> models.Model:
    """Record it now, as of the moment it happened and at what is to be paid by what is known now; for another `number`,
    or with a reason for more than the allowance.

    What cannot be recorded is refused with the reason, and stays to be sorted out.
    """
    entry = _to_sort_out(entry, by)
    handler = entries.HANDLERS.get(entry.kind)
    if entry.session is None or handler is None:
        raise Refused("This cannot be recorded here. Set it aside, and say what became of it.")
    changed: dict = {"pence": None} | ({"member": None, "number": number} if number else {})
    body = entry.body | changed | ({"override": override} if override else {})
    given = {"by": by, "session": entry.session, "tablet": entry.tablet, "collected_at": entry.happened_at, "at": at}
    made = handler(body, **given)
    entry.became_id = made.pk
    _sort(entry, EntryOutcome.SETTLED, by, at)
    audit.record("pantry.entry.settled", at=at, by=by, target=entry, detail={"kind": entry.kind})
    return made


@transaction.atomic
def dismiss(*, entry: TabletEntry, reason: str, by: User, at: datetime) -> None:
    """Nothing is recorded, and the reason says why."""
    entry = _to_sort_out(entry, by)
    if reason not in DismissReason.values:
        raise Refused("Say why it is set aside.")
    entry.reason = reason
    _sort(entry, EntryOutcome.DISMISSED, by, at)
    audit.record("pantry.entry.dismissed", at=at, by=by, target=entry, detail={"kind": entry.kind, "reason": reason})


@transaction.atomic
def sort_again(*, entry: TabletEntry, by: User, at: datetime) -> None:
    """Undo that it was set aside."""
    entry = _locked(entry)
    tablets.check_manager(entry.pantry, by)
    if entry.outcome != EntryOutcome.DISMISSED or not entry.body:
        raise Refused("Only what was set aside, and is still kept, can be sorted out again.")
    entry.outcome, entry.reason, entry.sorted_at, entry.sorted_by = EntryOutcome.HELD, "", None, None
    entry.save(update_fields=["outcome", "reason", "sorted_at", "sorted_by"])
    audit.record("pantry.entry.sorted_again", at=at, by=by, target=entry)


def _locked(entry: TabletEntry) -> TabletEntry:
    """As stored now: locked first, joined afterwards, as visitors are."""
    TabletEntry.objects.select_for_update().get(pk=entry.pk)
    joined = ("session__pantry", "pantry", "tablet__pantry", "recorded_by", "sorted_by")
    return TabletEntry.objects.select_related(*joined).get(pk=entry.pk)


def _to_sort_out(entry: TabletEntry, by: User) -> TabletEntry:
    entry = _locked(entry)
    tablets.check_manager(entry.pantry, by)
    if entry.sorted_at and entry.sorted_by:
        when = weeks.london_date(entry.sorted_at)
        raise Refused(f"{entry.sorted_by.get_short_name()} sorted this out on {when:%-d %B %Y}.")
    if entry.outcome != EntryOutcome.HELD:
        raise Refused("This is recorded already.")
    return entry


def _sort(entry: TabletEntry, outcome: str, by: User, at: datetime) -> None:
    entry.outcome, entry.sorted_by, entry.sorted_at = outcome, by, at
    if entry.kind not in OWN_KINDS:
        entry.body = {}
    entry.save(update_fields=["outcome", "reason", "sorted_by", "sorted_at", "body", "became_id"])
