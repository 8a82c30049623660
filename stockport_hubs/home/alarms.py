"""What is wrong with the installation itself, read off rows and not off processes."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import formats, timezone

from stockport_hubs.accounts.models import User
from stockport_hubs.audit import seals
from stockport_hubs.jobs import services as jobs
from stockport_hubs.notifications.models import Message


@dataclass(frozen=True)
class Alarm:
    """`part` names it for readiness, `text` says what it means and what to do."""

    part: str
    text: str


def alarms(now: datetime) -> list[Alarm]:
    """Two queries; `now` is the real clock's, as leases are."""
    found = []
    due, stored = jobs.oldest_due(now), seals.oldest_unsealed()
    if due and now - due > jobs.OVERDUE:
        text = f"Work in the background has waited since {_said(due)}. Emails, renewals and packs are held up."
        found.append(Alarm("oldest_due_job", f"{text} Ask whoever looks after the system whether a worker runs."))
    if stored and now - stored > seals.UNSEALED_ALARM:
        text = f"Lines of the audit have waited for their seal since {_said(stored)}."
        found.append(Alarm("audit_sealed", f"{text} Ask whoever looks after the system whether a worker runs."))
    return found


def unknown_emails(user: User) -> int:
    """How many e-mails to this person's organisation nobody knows the fate of."""
    return Message.objects.for_user(user).unknown(timezone.now()).count()


def _said(moment: datetime) -> str:
    return formats.date_format(timezone.localtime(moment), "j F Y, H:i")
