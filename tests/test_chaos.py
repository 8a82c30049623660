"""300 jobs while those who run them are killed and Redis is flushed and frozen: each done once, and nobody waits.

Promise M2. The crew is real processes (tests/crew.py), as is the site at which a volunteer records collections and a
manager has failed work tried again, request after request.
"""

import http.client
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from statistics import median
from threading import Event
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from redis import Redis

from pantry.models import Collection, OpeningHours
from stockport_hubs.celery import app
from stockport_hubs.core import clock
from stockport_hubs.jobs.models import Job
from tests.conftest import test_database_url
from tests.counter_scene import Counter as Scene
from tests.processes import Started, environment
from tests.servers import RedisServer

pytestmark = pytest.mark.django_db(transaction=True)
CALM = 12  # collections recorded before anything happens: what a request takes here today


def write_jobs(n: int) -> list[Job]:
    now = timezone.now()
    return Job.objects.bulk_create(
        Job(kind="test.work", key=f"job-{k}", created_at=now, due_at=now - timedelta(seconds=n - k)) for k in range(n)
    )


def done() -> int:
    return Job.objects.filter(kind="test.work", done_at__isnull=False).count()


def effects() -> tuple[Counter, Counter]:
    """How often the effect of each job is there, and that of each time slot's periodic work."""
    keys = [key.partition(" ")[0] for key in Job.objects.filter(kind="test.effect").values_list("key", flat=True)]
    jobs = Counter(key for key in keys if key.startswith("job-"))
    return jobs, Counter(keys) - jobs


def wait_until(reached: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, f"{done()} done in time"
        time.sleep(0.005)


class Crew:
    """Processes that run jobs; whoever is killed is replaced."""

    def __init__(self, started: Started, *kinds: str, **env: str) -> None:
        env |= {"BEATS": str(started.folder), "CELERY_SKIP_CHECKS": "1"}
        self.all = started.process("crew", "-m", "tests.crew", *kinds, env=environment(test_database_url(), **env))
        self.dead: set[str] = set()

    def kill_in_the_middle(self) -> bool:
        """`kill -9`, with all children, of somebody who is in the middle of a job at that moment."""
        half_done = Job.objects.filter(kind="test.work", progress=50, done_at=None)
        for key, group in half_done.exclude(progress_note__in=self.dead).values_list("key", "progress_note"):
            os.killpg(int(group), signal.SIGSTOP)
            if half_done.filter(key=key).exists():
                os.killpg(int(group), signal.SIGKILL)
                self.dead.add(group)
                return True
            os.killpg(int(group), signal.SIGCONT)
        return False

    def work_off(self, jobs: int, kills: int, meanwhile: dict[int, Callable[[], None]]) -> int:
        """Have that many done under that many kills; how many of them were begun again."""
        for kill in range(kills):
            wait_until(lambda kill=kill: done() > jobs * kill // kills)
            wait_until(self.kill_in_the_middle)
            meanwhile.get(kill, lambda: None)()
        wait_until(lambda: done() == jobs and len(effects()[1]) >= 3)
        self.all.stop()
        return Job.objects.filter(kind="test.work", attempts__gt=1).count()


class Hall:
    """A collection, its undoing, and a retry with its nudge of the workers, in turn until the crew is done."""

    def __init__(self, site) -> None:
        today = clock.today()
        scene = Scene()
        OpeningHours.objects.update(weekday=today.weekday(), opens="00:00", closes="23:59")
        scene.pantry.closes_on_bank_holidays = False
        scene.pantry.save()
        self.member = scene.join(on=today - timedelta(days=14))
        self.session = scene.open(today)
        now = timezone.now()
        self.failed = Job.objects.create(
            kind="test.other", key="other", created_at=now, due_at=now, failed_at=now, asked_by=scene.manager
        )
        self.line = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=60)
        self.volunteer, self.manager = self.signed_in(scene.volunteer), self.signed_in(scene.manager)
        self.over = Event()
        self.asked: list[tuple[float, float]] = []  # when, and how long it took
        for _ in range(CALM):
            self.step()
        self.calm = [seconds for _, seconds in self.asked[6:]]  # the first load everything
        self.asked.clear()

    @staticmethod
    def signed_in(user) -> dict[str, str]:
        client = Client()
        client.force_login(user)
        token = "b" * 32
        return {
            "Cookie": f"sessionid={client.cookies['sessionid'].value}; csrftoken={token}",
            "X-CSRFToken": token,
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def post(self, who: dict[str, str], path: str, **fields) -> None:
        began = time.monotonic()
        self.line.request("POST", path, urlencode(fields), who)
        answer = self.line.getresponse()
        answer.read()
        self.asked.append((began, time.monotonic() - began))
        assert answer.status == 302, answer.status

    def step(self) -> None:
        self.post(
            self.volunteer, reverse("pantry:record", args=[self.session.pk, self.member.pk]), usual="1", key=uuid4()
        )
        collection = Collection.objects.get(voided_at=None)
        self.post(self.volunteer, reverse("pantry:void", args=[collection.pk]), undo="1")
        assert not Collection.objects.counted().exists()
        Job.objects.filter(pk=self.failed.pk).update(failed_at=timezone.now())
        self.post(self.manager, reverse("jobs:retry", args=[self.failed.pk]))
        assert Job.objects.get(pk=self.failed.pk).failed_at is None

    def go_on(self) -> None:
        try:
            while not self.over.wait(0.05):
                self.step()
        finally:
            connection.close()

    def during(self, began: float, ended: float) -> int:
        """How many requests were answered between two moments."""
        return sum(began <= when and when + seconds <= ended for when, seconds in self.asked)

    def __enter__(self):
        self.pool = ThreadPoolExecutor(1)
        self.going_on = self.pool.submit(self.go_on)
        return self

    def __exit__(self, *_) -> None:
        self.over.set()
        self.pool.shutdown()
        self.going_on.result()

    def says(self) -> str:
        took = [seconds for _, seconds in self.asked]
        return (
            f"{len(took) // 3} collections and as many retries meanwhile, median {median(took):.2f} s, slowest "
            f"{max(took):.2f} s; before it {median(self.calm):.2f} s and {max(self.calm):.2f} s"
        )

    def was_not_held_up(self) -> None:
        """No request took half a second longer than the slowest did before."""
        assert max(seconds for _, seconds in self.asked) < 0.5 + max(self.calm), self.says()


def each_once(jobs: int, kills: int, again: int) -> str:
    """Each job's work was done once, as was each time slot's."""
    by_job, by_slot = effects()
    assert by_job == Counter(f"job-{k}" for k in range(jobs))
    assert set(by_slot.values()) == {1}
    assert again > kills // 2
    return f"{again} begun again, each of {jobs} jobs and {len(by_slot)} time slots once"


@pytest.mark.sqlite
@pytest.mark.promise("M2")
def test_jobs_of_embedded_runners_killed_again_and_again_are_done_once_each(site, started, sized, figures):
    """Two runners, so that each sees what the other is at; without Redis."""
    jobs, kills = sized(60, 300), sized(3, 10)
    hall = Hall(site)
    write_jobs(jobs)
    with hall:
        again = Crew(started, "runner", "runner").work_off(jobs, kills, {})
    figures(f"{kills} kills of the runner: {each_once(jobs, kills, again)}; {hall.says()}")
    hall.was_not_held_up()


@pytest.mark.postgres
@pytest.mark.logs_errors
@pytest.mark.promise("M2")
def test_jobs_of_workers_killed_with_redis_flushed_and_frozen_are_done_once_each(started, sized, figures):
    """Each job's message two to five times, two beats, and the embedded runner's ticks beside them."""
    jobs, kills = sized(60, 300), sized(3, 10)
    with RedisServer() as server:
        redis = {"REDIS_URL": server.url}
        hall = Hall(started.site(test_database_url(), **redis))
        with app.connection_for_write(hostname=server.url) as line:
            for k, job in enumerate(write_jobs(jobs)):
                for _ in range(2 + k % 4):
                    app.send_task("jobs.pump", args=[str(job.pk)], connection=line)
        frozen: list[float] = []

        def freeze() -> None:
            frozen.append(time.monotonic())
            server.process.send(signal.SIGSTOP)
            time.sleep(1.5)
            server.process.send(signal.SIGCONT)
            frozen.append(time.monotonic())

        def flush() -> None:
            with Redis.from_url(server.url) as queue:
                queue.flushall()

        with hall:
            crew = Crew(started, "worker", "worker", "beat", "beat", "ticker", **redis)
            again = crew.work_off(jobs, kills, {1: freeze, kills // 2 + 1: flush})
    figures(f"{kills} kills of the worker, Redis flushed and frozen: {each_once(jobs, kills, again)}; {hall.says()}")
    hall.was_not_held_up()
    assert hall.during(*frozen) >= 3


@pytest.mark.sqlite
@pytest.mark.promise("M2")
def test_the_control_without_lease_and_key_does_jobs_and_slots_again(started, figures):
    write_jobs(40)
    Crew(started, "careless", "careless").work_off(40, 1, {})
    by_job, by_slot = effects()
    twice = [sum(n > 1 for n in each.values()) for each in (by_job, by_slot)]
    figures(f"control without lease and key: {twice[0]} of 40 jobs and {twice[1]} time slots done more than once")
    assert min(twice) > 0
