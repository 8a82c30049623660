"""Periodic work of the platform itself."""

from django.utils import timezone

from stockport_hubs.audit import seals
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs.services import Work, handler

SHOWN = 5


@handler("audit.seal", seconds=240, every_minutes=1, label="Sealing the audit")
def seal_audit(work: Work) -> None:
    """Seal what is new. By the real clock, as leases are: alarms compare the two."""
    seals.seal(at=timezone.now())


@handler("audit.check", seconds=300, every_minutes=24 * 60, label="Checking the audit")
def check_audit(work: Work) -> None:
    """Hold the audit against its seals each night; a break shows as a failed job."""
    if breaks := seals.check("audit", now=timezone.now()).breaks:
        more = len(breaks) - SHOWN
        raise Refused(" ".join(breaks[:SHOWN]) + (f" And {more} more." if more > 0 else ""))
