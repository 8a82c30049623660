"""Who runs the jobs of tests/test_chaos.py: `python -m tests.crew worker worker beat`, each in a process of its own.

The product's own runner, worker and beat with nothing to do but the work below, and with short leases and time slots.
Who dies is replaced. All are forked from one process that has loaded everything, so that a start costs little.
"""

import os
import signal
import sys
import time
from datetime import timedelta
from uuid import uuid4

import celery.apps.beat
import celery.apps.worker
import celery.bin.celery
import celery.concurrency.prefork  # noqa: F401
import django
import kombu.transport.redis  # noqa: F401
from celery.platforms import set_pdeathsig

django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from stockport_hubs.celery import app  # noqa: E402
from stockport_hubs.jobs import services  # noqa: E402
from stockport_hubs.jobs.management.commands import run_jobs  # noqa: E402
from stockport_hubs.jobs.models import Job  # noqa: E402

STEP = 0.01  # seconds
MIDDLE = 5 * STEP  # longer than a glance at the table takes on a busy machine: whoever is there can be found and killed
TICK = 0.25  # seconds: four ticks in a slot, from each who ticks
SLOT = 1 / 60  # minutes

services.LEASE_SLACK = timedelta(seconds=1)
services._handlers.clear()
run_jobs.TICK_SECONDS, run_jobs.IDLE_SECONDS = TICK, 0.05
app.loader.import_default_modules()
app.conf.beat_schedule = {"tick": {"task": "jobs.tick", "schedule": TICK}}


def work(work: services.Work):
    """Some steps, and then the effect: a row in the transaction of the finish, which could be there twice."""
    time.sleep(STEP)
    work.progress(50, str(os.getpgrp()))  # who is to be killed for it
    time.sleep(MIDDLE)
    job = work.job

    def effect() -> None:
        Job.objects.create(
            kind="test.effect", key=f"{job.key} {uuid4()}", created_at=job.created_at, due_at=job.due_at,
            done_at=job.due_at,
        )  # fmt: skip
        time.sleep(STEP / 5)

    return effect


services.handler("test.work", seconds=1)(work)
services.handler("test.periodic", seconds=1, every_minutes=SLOT)(work)  # type: ignore[arg-type]


def runner() -> None:
    call_command("run_jobs")


def ticker() -> None:
    """The embedded runner beside two beats: it ticks as it does, and leaves the work to the workers."""
    services.pump = lambda **_: 0
    runner()


def worker() -> None:
    quick = ["--without-mingle", "--without-gossip"]  # a second and more of each start
    app.start(["worker", "-c", "2", "-n", f"{uuid4().hex[:8]}@test", "-l", "WARNING", *quick])


def beat() -> None:
    app.start(["beat", "-s", f"{os.environ['BEATS']}/{uuid4()}", "--pidfile=", "-l", "WARNING"])


def careless() -> None:
    """The control: the runner without lease, fence and key."""
    enqueue = services.enqueue
    services.enqueue = lambda kind, *, key: enqueue(kind, key=f"{key} {uuid4()}")
    services.claim = lambda: Job.objects.claimable(timezone.now()).filter(kind__in=services._handlers).first()

    def run(job: Job) -> bool:
        services._handlers[job.kind].run(services.Work(job))()
        return bool(Job.objects.filter(pk=job.pk).update(done_at=timezone.now()))

    services.run = run
    runner()


def begin(kind: str) -> int:
    """Fork one; it leads a group of its own children and ends with us."""
    child = os.fork()
    if not child:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        set_pdeathsig("KILL")
        globals()[kind]()
        os._exit(0)
    os.setpgid(child, child)
    return child


def main(kinds: list[str]) -> None:
    members = {begin(kind): kind for kind in kinds}

    def end(*_) -> None:
        for child in members:
            os.killpg(child, signal.SIGKILL)
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        kind = members.pop(os.wait()[0])
        members[begin(kind)] = kind


if __name__ == "__main__":
    main(sys.argv[1:])
