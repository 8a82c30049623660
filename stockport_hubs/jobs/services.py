"""Write, claim, run and finish jobs. Celery, the embedded runner and `run_jobs --once` all come through here.

A handler is registered by kind and may do slow work outside a transaction. What it returns (a function or None) runs in
the same transaction as the finish, and the finish names the attempt that claimed the job: a worker that lost its lease
changes nothing.
"""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.kept import Kept
from stockport_hubs.jobs.models import CANCELLED, Job

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
LEASE_SLACK = timedelta(seconds=30)
KEEP_PERIODIC = timedelta(days=30)
KEEP_FREQUENT = timedelta(days=2)  # of what runs more than once a day
OVERDUE = timedelta(minutes=15)  # a job that is due for longer than that is an alarm: nobody runs jobs


class Cancelled(Exception):
    """Someone asked the job to stop."""


class LostLease(Exception):
    """Another worker has taken the job over; nothing of this attempt is kept."""


@dataclass(frozen=True)
class Handler:
    run: Callable[["Work"], Callable[[], None] | None]
    seconds: int
    every_minutes: int | None
    label: str
    watched_by: tuple[Role, ...]


_handlers: dict[str, Handler] = {}


def handler(
    kind: str,
    *,
    seconds: int,
    every_minutes: int | None = None,
    label: str = "",
    watched_by: tuple[Role, ...] = (),
):
    """Register a function for a kind of job; `every_minutes` makes it periodic (key: kind and time slot).

    `label` is what a person reads about it: "Building the pack". `watched_by`: who sees on the home page when it
    failed, besides leaving care managers.
    """

    def register(function):
        _handlers[kind] = Handler(function, seconds, every_minutes, label, watched_by)
        return function

    return register


def label(job: Job) -> str:
    """What the job does, in words."""
    known = _handlers.get(job.kind)
    return known.label if known and known.label else "Work in the background"


def periodic() -> list[str]:
    """Kinds that come round by themselves."""
    return [kind for kind, each in _handlers.items() if each.every_minutes]


def watched_by(role: str) -> list[str]:
    """Kinds whose failure this role sees."""
    return [kind for kind, each in _handlers.items() if role in each.watched_by]


def due(now: datetime) -> QuerySet:
    """Since when the oldest job waits that is due and that nobody works on, as a query."""
    return Job.objects.claimable(now).values_list("due_at")[:1]


OLDEST_DUE = Kept(due)


def oldest_due(now: datetime) -> datetime | None:
    """The same as a moment."""
    return next((due for (due,) in OLDEST_DUE(now=now)), None)


def words(name: str) -> str:
    """What a named job or command of the audit is, in words."""
    known = _handlers.get(name)
    return known.label if known and known.label else f"manage.py {name}"


def was_refused(job: Job) -> bool:
    """It failed with a sentence meant for people, and trying again without a change would fail again."""
    return job.failed_at is not None and not job.is_cancelled and job.error.endswith(".")


@dataclass
class Work:
    """What a handler gets: ids in, progress out."""

    job: Job

    @property
    def ids(self) -> dict:
        return self.job.ids

    def progress(self, per_cent: int, note: str) -> None:
        """Show how far the work is; raises Cancelled when someone asked for that. Call outside transactions."""
        mine = Job.objects.filter(pk=self.job.pk, attempts=self.job.attempts)
        if not mine.update(progress=per_cent, progress_note=note[:120]):
            raise LostLease
        if mine.filter(cancel_asked_at__isnull=False).exists():
            raise Cancelled


def enqueue(kind: str, *, key: str, ids: dict | None = None, asked_by=None, due_at: datetime | None = None) -> Job:
    """Write a job (the same key: the job already there) in the caller's transaction, and nudge after commit."""
    if kind not in _handlers:
        raise ValueError(f"No handler is registered for jobs of kind {kind!r}.")
    now = timezone.now()
    job, made = Job.objects.get_or_create(
        key=key,
        defaults={"kind": kind, "ids": ids or {}, "asked_by": asked_by, "created_at": now, "due_at": due_at or now},
    )
    if made and due_at is None:
        transaction.on_commit(lambda: nudge(job.pk))
    return job


def nudge(job_id) -> None:
    """Wake a Celery worker; a missing or frozen Redis costs a request 0.2 s and loses nothing."""
    if not settings.REDIS_URL:
        return
    from stockport_hubs.celery import app

    try:
        # A connection of its own: a worker may wait for seconds and try again, a request may not.
        with app.connection_for_write(transport_options={"socket_timeout": 0.1, "max_retries": 0}) as line:
            app.send_task("jobs.pump", args=[str(job_id)], connection=line, retry=False, ignore_result=True)
    except Exception as error:  # whatever the broker does, the row is there and the sweep finds it
        log.warning("no nudge for a job: %s", type(error).__name__)


def tick() -> None:
    """Write the periodic jobs of the current time slot; two ticks, or two beats, write them once."""
    now = timezone.now()
    for kind, each in _handlers.items():
        if each.every_minutes:
            slot = int(now.timestamp()) // (each.every_minutes * 60)
            enqueue(kind, key=f"{kind}:{slot}")
    frequent = [kind for kind, each in _handlers.items() if 0 < (each.every_minutes or 0) < 24 * 60]
    Job.objects.filter(kind__in=frequent, done_at__lt=now - KEEP_FREQUENT).delete()
    Job.objects.filter(kind__in=periodic(), done_at__lt=now - KEEP_PERIODIC).delete()


def claim(job_id=None) -> Job | None:
    """Take one due job: a conditional update decides who has it."""
    now = timezone.now()
    waiting = Job.objects.claimable(now).filter(kind__in=_handlers)
    if job_id is not None:
        waiting = waiting.filter(pk=job_id)
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True)
        job = waiting.first()
        if job is None:
            return None
        taken = Job.objects.filter(pk=job.pk, attempts=job.attempts, done_at__isnull=True, failed_at__isnull=True)
        lease = now + timedelta(seconds=_handlers[job.kind].seconds) + LEASE_SLACK
        if not taken.update(attempts=job.attempts + 1, lease_until=lease):
            return None
    job.attempts, job.lease_until = job.attempts + 1, lease
    return job


def run(job: Job) -> bool:
    """Run a claimed job to its end; True when it finished. Errors are kept on the row, not raised."""
    mine = Job.objects.filter(pk=job.pk, attempts=job.attempts, done_at__isnull=True, failed_at__isnull=True)
    if job.attempts > MAX_ATTEMPTS:
        mine.update(failed_at=timezone.now(), error=job.error or "The worker died each time it tried.")
        return False
    try:
        commit = _handlers[job.kind].run(Work(job))
        with transaction.atomic():
            if not mine.update(done_at=timezone.now(), progress=100, lease_until=None, error=""):
                raise LostLease
            if commit is not None:
                commit()
        return True
    except LostLease:
        log.warning("job %s of kind %s lost its lease", job.pk, job.kind)
    except Cancelled:
        mine.update(failed_at=timezone.now(), error=CANCELLED)
    except Refused as refusal:
        mine.update(failed_at=timezone.now(), error=str(refusal))
    except Exception as error:
        _failed(job, mine, error)
    return False


def _failed(job: Job, mine, error: Exception) -> None:
    # Only the kind of error and the place: its text could hold personal data.
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = f"{type(error).__name__} in {frame.name} ({frame.filename.rsplit('/', 1)[-1]}:{frame.lineno})"
    log.warning("job %s of kind %s, attempt %s: %s", job.pk, job.kind, job.attempts, text)
    now = timezone.now()
    if job.attempts >= MAX_ATTEMPTS:
        mine.update(failed_at=now, error=text)
    else:
        mine.update(due_at=now + timedelta(seconds=5 * 2**job.attempts), lease_until=None, error=text)


def pump(job_id=None, limit: int = 1000) -> int:
    """Run what is due (the named job first), oldest first, up to `limit`; the number that finished."""
    finished = 0
    if job_id is not None and (job := claim(job_id)):
        finished += run(job)
    for _ in range(limit):
        job = claim()
        if job is None:
            break
        finished += run(job)
    return finished


@transaction.atomic
def ask_cancel(*, job: Job, by: User | None) -> None:
    """Ask a running job to stop at its next step; one that has not begun never will."""
    now = timezone.now()
    _note("jobs.job.cancelled", job, by)
    Job.objects.filter(pk=job.pk, done_at__isnull=True, failed_at__isnull=True).update(cancel_asked_at=now)
    Job.objects.filter(pk=job.pk, attempts=0, done_at__isnull=True, failed_at__isnull=True).update(
        failed_at=now, error=CANCELLED
    )


@transaction.atomic
def retry(*, job: Job, by: User | None = None) -> None:
    """Give a failed job five more attempts, from now."""
    _note("jobs.job.retried", job, by)
    Job.objects.filter(pk=job.pk, failed_at__isnull=False).update(
        failed_at=None, error="", attempts=0, lease_until=None, cancel_asked_at=None, due_at=timezone.now(), progress=0
    )
    transaction.on_commit(lambda: nudge(job.pk))


def _note(verb: str, job: Job, by: User | None) -> None:
    if by is not None:
        audit.record(verb, at=clock.now(), by=by, target=job, detail={"kind": job.kind})
