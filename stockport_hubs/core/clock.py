"""The clock, read at the edge only (views, commands, job handlers) and passed down from there.

CLOCK in local and test settings moves it: the given London time is "now" when the process starts, and time goes on
from there. Leases and deadlines of jobs use Django's real clock, so that processes agree about them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime

from django.conf import settings
from django.utils import timezone

from stockport_hubs.core.weeks import LONDON

_started_at = timezone.now()
_may_be_read = ContextVar("may_be_read", default=True)


@contextmanager
def not_to_be_read() -> Iterator[None]:
    """While something is made that is kept longer than a moment."""
    before = _may_be_read.set(False)
    try:
        yield
    finally:
        _may_be_read.reset(before)


def now() -> datetime:
    """Aware UTC moment."""
    if not _may_be_read.get():
        raise RuntimeError("The clock was read for something that is kept: give the day as a value.")
    real = timezone.now()
    if settings.CLOCK is None:
        return real
    moved = settings.CLOCK if settings.CLOCK.tzinfo else settings.CLOCK.replace(tzinfo=LONDON)
    return moved.astimezone(UTC) + (real - _started_at)


def today() -> date:
    """The date in London."""
    return now().astimezone(LONDON).date()
