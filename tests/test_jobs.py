"""The job table: claimed once, fenced, tried again, given up visibly, cancelled; killed processes lose nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from stockport_hubs.accounts.models import Role
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job
from tests import factories
from tests.conftest import test_database_url
from tests.processes import environment
from tests.servers import RedisServer


@pytest.fixture
def kinds(monkeypatch):
    """Kinds of work for one test: `kinds(name, function, **more)`."""
    monkeypatch.setattr(jobs, "_handlers", dict(jobs._handlers))

    def make(kind, function, seconds=5, **more):
        return jobs.handler(kind, seconds=seconds, **more)(function)

    return make


def lapse(job) -> None:
    """The lease of a job runs out."""
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def make_due(job) -> None:
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_the_same_key_is_the_same_job_and_runs_once(kinds):
    ran = []
    kinds("test.count", lambda work: ran.append(work.ids["n"]))
    first = jobs.enqueue("test.count", key="one", ids={"n": 1})
    assert jobs.enqueue("test.count", key="one", ids={"n": 2}) == first
    assert (jobs.pump(), jobs.pump(), ran) == (1, 0, [1])
    first.refresh_from_db()
    assert (first.progress, first.lease_until, first.error) == (100, None, "") and first.done_at


@pytest.mark.django_db
def test_a_job_lives_and_dies_with_the_business_transaction(kinds):
    kinds("test.count", lambda work: None)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        jobs.enqueue("test.count", key="one")
        1 / 0  # noqa: B018
    assert Job.objects.count() == 0


@pytest.mark.django_db
def test_an_unknown_kind_is_refused_at_once():
    with pytest.raises(ValueError, match="No handler"):
        jobs.enqueue("test.nobody", key="one")


@pytest.mark.django_db
def test_a_claimed_job_is_nobody_elses_until_its_lease_is_over(kinds):
    kinds("test.count", lambda work: None)
    jobs.enqueue("test.count", key="one")
    first = jobs.claim()
    assert jobs.claim() is None
    lapse(first)
    second = jobs.claim()
    assert (second.pk, first.attempts, second.attempts) == (first.pk, 1, 2)


@pytest.mark.django_db
def test_the_lease_is_longer_than_the_time_limit(kinds):
    kinds("test.long", lambda work: None, seconds=300)
    jobs.enqueue("test.long", key="one")
    assert jobs.claim().lease_until > timezone.now() + timedelta(seconds=300)


@pytest.mark.django_db
def test_a_worker_that_lost_its_lease_changes_nothing(kinds):
    kept = []
    kinds("test.write", lambda work: lambda: kept.append(work.job.attempts))
    jobs.enqueue("test.write", key="one")
    slow = jobs.claim()
    lapse(slow)
    quick = jobs.claim()
    assert (jobs.run(slow), jobs.run(quick), kept) == (False, True, [2])
    with pytest.raises(jobs.LostLease):
        jobs.Work(slow).progress(50, "Half way")


@pytest.mark.django_db
def test_without_the_fence_the_slow_worker_would_write_too(kinds):
    """The control: the same two workers on a finish that names no attempt."""
    kept = []
    kinds("test.write", lambda work: lambda: kept.append(work.job.attempts))
    jobs.enqueue("test.write", key="one")
    slow = jobs.claim()
    lapse(slow)
    quick = jobs.claim()
    slow.attempts = quick.attempts  # what the finish compares
    assert (jobs.run(slow), jobs.run(quick)) == (True, False)


@pytest.mark.django_db
def test_what_a_handler_returns_is_written_with_the_finish_or_not_at_all(kinds):
    def broken(work):
        def commit():
            Job.objects.filter(pk=work.job.pk).update(progress_note="written")
            raise RuntimeError("after the write")

        return commit

    kinds("test.broken", broken)
    job = jobs.enqueue("test.broken", key="one")
    assert jobs.pump() == 0
    job.refresh_from_db()
    assert (job.done_at, job.progress_note, job.attempts) == (None, "", 1)


@pytest.mark.django_db
def test_after_five_attempts_it_is_failed_and_a_retry_gives_five_more(kinds):
    def secret(work):
        raise ValueError("Ash Quillfeather was here")

    kinds("test.fails", secret)
    job = jobs.enqueue("test.fails", key="one")
    for attempt in range(1, 6):
        assert jobs.pump() == 0
        job.refresh_from_db()
        assert job.attempts == attempt
        if attempt < 5:
            assert job.failed_at is None and job.due_at > timezone.now()
            make_due(job)
    assert job.failed_at is not None and jobs.pump() == 0
    # Only the kind of error and the place: its text could hold personal data.
    assert job.error.startswith("ValueError in secret (test_jobs.py:")
    jobs.retry(job=job)
    job.refresh_from_db()
    assert (job.failed_at, job.attempts, job.error) == (None, 0, "")
    kinds("test.fails", lambda work: None)
    assert jobs.pump() == 1


@pytest.mark.django_db
def test_a_worker_that_dies_each_time_is_given_up_too(kinds):
    kinds("test.count", lambda work: None)
    job = jobs.enqueue("test.count", key="one")
    for _ in range(5):
        lapse(jobs.claim())
    assert jobs.pump() == 0
    job.refresh_from_db()
    assert job.failed_at is not None and "died" in job.error


@pytest.mark.django_db
def test_a_refusal_is_final_and_keeps_its_sentence(kinds):
    def refuse(work):
        raise Refused("The meeting has no period. Set one first.")

    kinds("test.refuse", refuse)
    job = jobs.enqueue("test.refuse", key="one")
    jobs.pump()
    job.refresh_from_db()
    assert (job.attempts, job.error) == (1, "The meeting has no period. Set one first.")
    assert job.failed_at and jobs.was_refused(job)


@pytest.mark.django_db
def test_cancelled_before_it_begins_never_begins_and_while_it_runs_ends_at_the_next_step(kinds):
    ran = []

    def slow(work):
        ran.append("begun")
        jobs.ask_cancel(job=work.job, by=None)
        work.progress(50, "Half way")
        ran.append("past the step")

    kinds("test.slow", slow)
    never = jobs.enqueue("test.slow", key="never")
    jobs.ask_cancel(job=never, by=None)
    assert (jobs.pump(), ran) == (0, [])
    running = jobs.enqueue("test.slow", key="running")
    assert (jobs.pump(), ran) == (0, ["begun"])
    for job in (never, running):
        job.refresh_from_db()
        assert job.is_cancelled and job.done_at is None


@pytest.mark.django_db
def test_two_ticks_or_two_beats_write_periodic_work_once_a_slot(kinds, monkeypatch):
    monkeypatch.setattr(jobs, "_handlers", {})
    kinds("test.every", lambda work: None, every_minutes=10)
    slot = int(timezone.now().timestamp()) // 600
    jobs.tick()
    jobs.tick()
    assert [job.key for job in Job.objects.filter(kind="test.every")] in (
        [f"test.every:{slot}"],
        [f"test.every:{slot}", f"test.every:{slot + 1}"],  # the slot ended between the two
    )


@pytest.mark.django_db
def test_the_oldest_due_comes_first_and_what_is_not_due_waits(kinds):
    ran = []
    kinds("test.order", lambda work: ran.append(work.job.key))
    now = timezone.now()
    for key, minutes in (("young", -1), ("old", -9), ("later", 9)):
        jobs.enqueue("test.order", key=key, due_at=now + timedelta(minutes=minutes))
    jobs.pump()
    assert ran == ["old", "young"]


@pytest.mark.django_db
def test_managers_see_failures_of_their_council_and_of_nobody_and_nobody_elses(kinds):
    kinds("test.count", lambda work: None)
    world, other = factories.World(), factories.World()
    for key, by in (("own", world.manager), ("colleague", world.advisor), ("system", None), ("other", other.manager)):
        jobs.enqueue("test.count", key=key, asked_by=by)
    Job.objects.update(failed_at=timezone.now(), error="KeyError in x (y.py:1)")
    cancelled = jobs.enqueue("test.count", key="cancelled")
    jobs.ask_cancel(job=cancelled, by=None)
    seen = Job.objects.for_user(world.manager, to_look_at=True).values_list("key", flat=True)
    assert set(seen) == {"own", "colleague", "system"}
    for role in set(Role) - {Role.LEAVING_CARE_MANAGER}:
        assert not Job.objects.for_user(factories.user(role), to_look_at=True).exists()


# -- real processes ----------------------------------------------------------------------------------------------------

RUNNER = """
import os, sys, time
import django
django.setup()
from django.core.management import call_command
from stockport_hubs.jobs import services
from stockport_hubs.jobs.models import Job

@services.handler("test.slow", seconds=1)
def slow(work):
    work.progress(10, "begun")
    time.sleep(float(os.environ["SLEEP"]))
    return lambda: Job.objects.create(
        kind="test.trace", key=f"trace:{work.job.attempts}", created_at=work.job.created_at, due_at=work.job.due_at
    )

call_command("run_jobs", *sys.argv[1:])
"""


def due_job() -> Job:
    now = timezone.now()
    return Job.objects.create(kind="test.slow", key="one", created_at=now, due_at=now)


def wait_for(condition, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
def test_a_runner_killed_in_the_middle_loses_nothing_and_does_nothing_twice(started):
    job = due_job()
    env = environment(test_database_url(), SLEEP="60")
    killed = started.process("runner", "-c", RUNNER, env=env)
    wait_for(lambda: Job.objects.filter(pk=job.pk, progress=10).exists())
    killed.kill()
    job.refresh_from_db()
    assert (job.done_at, job.attempts) == (None, 1) and job.lease_until > timezone.now()

    env["SLEEP"] = "0"
    # Before the lease is over the work is still the dead runner's.
    early = started.process("runner", "-c", RUNNER, "--once", env=env)
    wait_for(lambda: not early.alive())
    assert not Job.objects.filter(kind="test.trace").exists()

    lapse(job)
    again = started.process("runner", "-c", RUNNER, "--once", env=env)
    wait_for(lambda: not again.alive())
    job.refresh_from_db()
    assert (job.attempts, [trace.key for trace in Job.objects.filter(kind="test.trace")]) == (2, ["trace:2"])
    assert job.done_at is not None


@pytest.mark.django_db(transaction=True)
def test_the_runner_ends_quickly_when_told_to(started):
    runner = started.process("runner", "manage.py", "run_jobs", env=environment(test_database_url()))
    wait_for(lambda: Job.objects.filter(done_at__isnull=False).exists())  # the first tick's periodic work
    began = time.monotonic()
    runner.send(signal.SIGTERM)
    wait_for(lambda: not runner.alive(), 5)
    assert (runner.process.returncode, time.monotonic() - began < 5) == (0, True)


NUDGE = """
import json, time
import django
django.setup()
from stockport_hubs.jobs import services

def timed():
    began = time.monotonic()
    services.nudge("00000000-0000-0000-0000-000000000000")
    return time.monotonic() - began

print(json.dumps([timed() for _ in range(3)]), flush=True)
input()
print(json.dumps([timed() for _ in range(3)]), flush=True)
"""


@pytest.mark.sqlite
def test_a_frozen_or_dead_redis_holds_up_no_request_for_half_a_second(tmp_path):
    """Frozen before the first nudge, and frozen under an open connection."""
    for first_frozen in (True, False):
        with RedisServer() as redis:
            env = environment("sqlite:////nowhere", REDIS_URL=redis.url)
            if first_frozen:
                redis.process.send(signal.SIGSTOP)
            child = subprocess.Popen(
                [sys.executable, "-c", NUDGE], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                cwd=os.getcwd(),
            )  # fmt: skip
            before = json.loads(child.stdout.readline())
            redis.process.send(signal.SIGSTOP)
            frozen = json.loads(child.communicate("\n", timeout=60)[0])
            redis.process.send(signal.SIGCONT)
        assert child.returncode == 0
        assert max(before[1:] + frozen) < 0.5, (first_frozen, before, frozen)
        assert before[0] < 0.5, before


ENQUEUE = """
import django
django.setup()
from stockport_hubs.jobs import services
services.enqueue("pantry.check_journal", key="nudged")
"""


@pytest.mark.django_db(transaction=True)
def test_a_nudge_reaches_a_real_worker_which_does_the_work(started, celery_worker, redis_url):
    celery_worker(test_database_url(), PYTHONWARNINGS="ignore::UserWarning")  # tests may run as root
    env = environment(test_database_url(), REDIS_URL=redis_url)
    assert started.process("enqueue", "-c", ENQUEUE, env=env).process.wait(30) == 0
    wait_for(lambda: Job.objects.filter(key="nudged", done_at__isnull=False, attempts=1).exists())
