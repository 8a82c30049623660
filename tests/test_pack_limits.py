"""A pack over its limits fails in words, and nothing else slows down for it: pages and recording are asked for beside
the job, on a real site, by people of both organisations."""

import http.client
import os
import statistics
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlencode, urlsplit

import pytest
from django.db import connections, transaction
from django.urls import reverse

from pantry.services import memberships
from reviews.models import Audience
from reviews.services import packs
from stockport_hubs import pdf
from stockport_hubs.accounts.models import Role
from stockport_hubs.core import clock
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job
from tests.pack_scene import signed_in
from tests.test_pack_sizes import grown
from tests.world import make_scheme

pytestmark = [pytest.mark.prints, pytest.mark.sqlite]
ROUNDS = 6
# What a page or a recording may take beside the job: so many times what it takes without it, and so much more.
TIMES, MORE = 3, 0.1
LIMITS: dict[str, dict[str, int]] = {  # seconds, MiB
    Audience.LEAVING_CARE: {"seconds": 2},
    Audience.STOCKPORT_HOMES: {"memory_mib": 200},
}


class Visitor:
    """Somebody signed in, on a connection of their own."""

    def __init__(self, site, user) -> None:
        self.token = "c" * 32
        session = signed_in(user).cookies["sessionid"].value
        self.cookie = f"sessionid={session}; csrftoken={self.token}"
        self.line = http.client.HTTPConnection(urlsplit(site.url).netloc)

    def ask(self, path: str, **sent: str) -> tuple[float, int, str]:
        """Seconds, status, text."""
        form = {"Content-Type": "application/x-www-form-urlencoded"} if sent else {}
        headers = {"Cookie": self.cookie, "X-CSRFToken": self.token, **form}
        began = time.perf_counter()
        self.line.request("POST" if sent else "GET", path, urlencode(sent) or None, headers)
        answer = self.line.getresponse()
        text = answer.read().decode()
        return time.perf_counter() - began, answer.status, text


class Hall:
    """A pantry that is open today, members who have not been yet, and who asks for what."""

    def __init__(self, site) -> None:
        self.scheme = make_scheme("Limits")
        users = self.scheme["users"]
        self.manager, self.volunteer = users[Role.LEAVING_CARE_MANAGER], users[Role.PANTRY_VOLUNTEER]
        more = {"by": users[Role.PANTRY_MANAGER], "at": clock.now(), "needs": [], "agreement": None}
        some = {"pantry": self.scheme["pantry"], "first_week": None, "funded_until": None, "previous": None}
        self.waiting = [memberships.join(preferred_name="Nell", **some, **more) for _ in range(2 * ROUNDS + 1)]
        self.at_desk, self.in_hall = Visitor(site, self.manager), Visitor(site, self.volunteer)

    def round(self) -> Iterator[tuple[str, float]]:
        """A page of each, and a collection."""
        session = reverse("pantry:session", args=[self.scheme["session"].pk])
        took, status, _ = self.at_desk.ask("/")
        assert status == 200
        yield "home", took
        took, status, _ = self.in_hall.ask(session)
        assert status == 200
        yield "session", took
        member = self.waiting.pop()
        record = reverse("pantry:record", args=[self.scheme["session"].pk, member.pk])
        took, status, text = self.in_hall.ask(record, usual="1", key=str(uuid.uuid4()))
        assert status == 302, text[-500:]
        yield "recording", took

    def medians(self, rounds: int, beside: Callable[[], bool] = lambda: True) -> dict[str, float]:
        """Of so many rounds, each begun while `beside`; on a slow machine of at least three."""
        times: dict[str, list[float]] = defaultdict(list)
        for n in range(rounds):
            if not beside():
                assert n >= 3, f"it was over after {n} rounds"
                break
            for what, took in self.round():
                times[what].append(took)
        return {what: statistics.median(found) for what, found in times.items()}


def slowed(without: dict[str, float], beside: dict[str, float]) -> list[str]:
    return [what for what, took in beside.items() if took > TIMES * without[what] + MORE]


@contextmanager
def process(work: Callable[[], object]) -> Iterator[Callable[[], bool]]:
    """Work in a process of its own, as the job runner's; whether it still goes on. Waits for its end."""
    connections.close_all()
    child = os.fork()
    if not child:
        try:
            work()
        finally:
            os._exit(0)
    ended: list[int] = []

    def goes_on() -> bool:
        if not ended and os.waitpid(child, os.WNOHANG)[0]:
            ended.append(child)
        return not ended

    try:
        yield goes_on
    finally:
        while goes_on():
            time.sleep(0.05)


def over_the_limits() -> None:
    """The runner, with limits that a pack of 400 members is over."""
    real, freeze = pdf.render, packs.freeze
    pdf.render = lambda template, context: real(template, context, **LIMITS[context["frozen"]["audience"]])

    packs.freeze = lambda *about, **more: grown(freeze(*about, **more), 1000)
    jobs.pump()


def hold_the_database() -> None:
    """The control: what printing within a transaction would do."""
    with transaction.atomic():
        Job.objects.update(progress_note="")
        time.sleep(1)


def test_over_the_limits_packs_fail_in_words_and_nothing_else_slows_down(site, figures):
    hall = Hall(site)
    without = hall.medians(ROUNDS)
    packs.ask(meeting=hall.scheme["meeting"], by=hall.manager, at=clock.now())
    Job.objects.filter(ids__audience=Audience.CORPORATE_PARENTS).delete()  # two pages are within any limit
    with process(over_the_limits) as goes_on:
        beside = hall.medians(ROUNDS, goes_on)
    told = {what: f"{1000 * without[what]:.0f} and {1000 * beside[what]:.0f} ms" for what in beside}
    figures(f"without and beside the job: {told}")
    assert slowed(without, beside) == []
    said = dict(Job.objects.filter(kind=packs.KIND).values_list("ids__audience", "error"))
    assert said == {Audience.LEAVING_CARE: pdf.TOO_LONG, Audience.STOCKPORT_HOMES: pdf.TOO_BIG}
    home = hall.at_desk.ask("/")[2]
    assert (home.count(pdf.TOO_LONG), home.count(pdf.TOO_BIG)) == (1, 1)
    # The control: a job that keeps the database to itself is noticed.
    with process(hold_the_database) as goes_on:
        assert slowed(without, hall.medians(1, goes_on)) != []
