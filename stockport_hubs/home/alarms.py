"""What is wrong with the installation itself, read off rows and not off processes."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Value
from django.utils import formats, timezone

from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import seals
from stockport_hubs.core.kept import Kept
from stockport_hubs.jobs import services as jobs
from stockport_hubs.notifications.models import UNKNOWN_AFTER, Message


@dataclass(frozen=True)
class Alarm:
    """`part` names it for readiness, `text` says what it means and what to do."""

    part: str
    text: str


def alarms(now: datetime) -> list[Alarm]:
    """Two queries; `now` is the real clock's, as leases are."""
    return of(now, jobs.oldest_due(now), seals.oldest_unsealed())


def of(now: datetime, due: datetime | None, stored: datetime | None) -> list[Alarm]:
    """Since when the oldest job is due that nobody works on, and the oldest audit row waits for its seal."""
    found = []
    if due and now - due > jobs.OVERDUE:
        text = f"Work in the background has waited since {_said(due)}. Emails, renewals and packs are held up."
        found.append(Alarm("oldest_due_job", f"{text} Ask whoever looks after the system whether a worker runs."))
    if stored and now - stored > seals.UNSEALED_ALARM:
        text = f"Lines of the audit have waited for their seal since {_said(stored)}."
        found.append(Alarm("audit_sealed", f"{text} Ask whoever looks after the system whether a worker runs."))
    return found


def _unknown(role: str) -> Kept:
    return Kept(
        lambda organisation, begun: (
            Message.objects.for_user(User(role=role, organisation_id=organisation))
            .unknown(begun)
            .order_by()
            .values_list(Value(1))
            .annotate(Count("pk"))
        )
    )


UNKNOWN: dict[str, Kept] = {role: _unknown(role) for role in (Role.ADMINISTRATOR, Role.PANTRY_MANAGER)}


def unknown_emails(user: User) -> int:
    """How many e-mails to this person's organisation nobody knows the fate of."""
    rows = UNKNOWN[user.role](organisation=user.organisation_id, begun=timezone.now() - UNKNOWN_AFTER)
    return next((number for _, number in rows), 0)


def _said(moment: datetime) -> str:
    return formats.date_format(timezone.localtime(moment), "j F Y, H:i")
