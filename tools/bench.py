"""`make bench`: ours, floor, ratio and target, measured in one run on the same server and database.

Each line is a function marked `@line`; it gives the milliseconds of ours and of its floor. Pages and forms are asked
for in turns, ours and floor, and their medians compared. PostgreSQL keeps what it acknowledges, as in production.
`make bench ONLY="session page"` measures one line.
"""

import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.processes import Process, Started, environment, free_port, manage  # noqa: E402
from tests.servers import Databases, PostgresServer  # noqa: E402

NOW = "2026-11-18T10:30"
SETTINGS = {"CLOCK": NOW, "DJANGO_SETTINGS_MODULE": "stockport_hubs.settings.local"}
PAIRS, WARM_UP = 60, 6


class Line(NamedTuple):
    """One row of the table: what, the most that ours may take of the floor, and how to measure it."""

    name: str
    target: float
    measure: Callable[["Bench"], tuple[float, float]]


LINES: list[Line] = []


def line(name: str, *, target: float):
    """Add a line to the table; the function gives (ours, floor) in milliseconds."""

    def add(measure: Callable[["Bench"], tuple[float, float]]):
        LINES.append(Line(name, target, measure))
        return measure

    return add


class Visitor:
    """A signed-in session on one kept-alive connection."""

    def __init__(self, site_url: str, email: str) -> None:
        from django.contrib.auth import get_user_model
        from django.test import Client

        client = Client()
        client.force_login(get_user_model().objects.get(email=email))
        self.token = "b" * 32
        self.cookie = f"sessionid={client.cookies['sessionid'].value}; csrftoken={self.token}"
        self.connection = http.client.HTTPConnection(urlsplit(site_url).netloc)

    def ask(self, path: str, body: str | None = None) -> tuple[float, http.client.HTTPResponse, bytes]:
        """Milliseconds, the response, its content."""
        headers = {"Cookie": self.cookie, "X-CSRFToken": self.token}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        start = time.perf_counter()
        self.connection.request("POST" if body is not None else "GET", path, body, headers)
        response = self.connection.getresponse()
        content = response.read()
        return (time.perf_counter() - start) * 1000, response, content


class Bench:
    """The sample pilot on PostgreSQL behind gunicorn, and what the lines share."""

    def __init__(self, databases: Databases, site_url: str) -> None:
        self.databases = databases
        self.site_url = site_url

    def visitor(self, name: str) -> Visitor:
        """One of the sample accounts."""
        return Visitor(self.site_url, f"{name}@example.org")

    def in_turns(
        self, ours: Callable[[], float], floor: Callable[[], float], pairs: int = PAIRS
    ) -> tuple[float, float]:
        """The medians of both, measured alternately so that a slow moment of the machine meets both."""
        for _ in range(WARM_UP):
            ours(), floor()
        times = [(ours(), floor()) for _ in range(pairs)]
        return statistics.median(t for t, _ in times), statistics.median(t for _, t in times)

    def page(self, account: str, path: str) -> tuple[float, float]:
        """A page against its own template over rows in memory; the floor must be the same page and ask nothing."""
        visitor = self.visitor(account)

        def ours() -> float:
            took, response, content = visitor.ask(path)
            assert response.status == 200, (path, response.status)
            self.size = len(content)
            return took

        def floor() -> float:
            took, response, content = visitor.ask(f"/floor/page{path}")
            asked = response.headers.get("X-Queries", "0")
            assert (response.status, asked) == (200, "0"), (path, response.status, f"{asked} queries in the floor")
            assert abs(len(content) - self.size) < 0.02 * self.size, (path, len(content), self.size)
            return took

        return self.in_turns(ours, floor)


def todays_session():
    """The session of the volunteer's pantry."""
    from django.contrib.auth import get_user_model

    from pantry.models import PantrySession
    from stockport_hubs.core import clock

    volunteer = get_user_model().objects.get(email="volunteer@example.org")
    session = PantrySession.objects.for_user(volunteer).filter(on=clock.today()).first()
    assert session, "the sample pilot has no session today"
    return session


@line("session page", target=2.5)
def session_page(bench: Bench) -> tuple[float, float]:
    return bench.page("volunteer", f"/pantry/sessions/{todays_session().pk}/")


@line("advisor home", target=2.5)
def advisor_home(bench: Bench) -> tuple[float, float]:
    return bench.page("advisor", "/")


@line("manager home", target=2.5)
def manager_home(bench: Bench) -> tuple[float, float]:
    return bench.page("manager", "/")


@line("recording a collection", target=2.5)
def recording(bench: Bench) -> tuple[float, float]:
    from django.db import connection

    from pantry.models import Collection, Membership

    visitor, session = bench.visitor("volunteer"), todays_session()
    here = Membership.objects.filter(state="open", places__pantry=session.pantry, places__to_week=None)
    member = here.order_by("number").first()
    assert member, "the sample pilot has no member there"

    def clear() -> None:
        with connection.cursor() as cursor:  # the rows of the turn before; not measured
            made = Collection.objects.filter(
                membership=member, week=session.on - session.on.resolution * session.on.weekday()
            )
            ids = [str(each) for each in made.values_list("pk", flat=True)]
            cursor.execute("DELETE FROM pantry_selecteditem WHERE collection_id = ANY(%s::uuid[])", [ids])
            cursor.execute("DELETE FROM pantry_collection WHERE id = ANY(%s::uuid[])", [ids])

    def post(path: str) -> float:
        clear()
        took, response, content = visitor.ask(path, f"usual=1&key={uuid.uuid4()}")
        assert response.status == 302, (path, response.status, content[-2000:])
        return took

    record = f"{session.pk}/members/{member.pk}"
    measured = bench.in_turns(
        lambda: post(f"/pantry/sessions/{record}/"),
        lambda: post(f"/floor/record/{session.pk}/{member.pk}/?pantry={session.pantry_id}"),
    )
    clear()
    return measured


@line("renewing 1,000", target=4)
def renewing(bench: Bench) -> tuple[float, float]:
    code = "import django; django.setup(); from tests.due import measure; print(*measure(1000)[:2])"
    env = environment(bench.databases.fresh())
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ours, floor = map(float, done.stdout.split())
    return ours * 1000, floor * 1000


BARE_PRINTING = """
import sys
from weasyprint import CSS, HTML
HTML(string=sys.stdin.read()).write_pdf(stylesheets=[CSS(sys.argv[1])], pdf_variant="pdf/ua-1", pdf_tags=True)
"""


@line("a pack, process start included", target=1.3)
def pack(bench: Bench) -> tuple[float, float]:
    from reviews.models import ReviewMeeting
    from reviews.services import packs
    from stockport_hubs import pdf
    from stockport_hubs.core import clock

    meeting = ReviewMeeting.objects.select_related("agreement__funder", "agreement__operator").earliest("starts_at")
    printed: list[str] = []
    real = pdf.from_html
    pdf.from_html = lambda html, **more: printed.append(html) or real(html, **more)

    def ours() -> float:
        start = time.perf_counter()
        packs.build(meeting=meeting, audience="leaving-care", by=None, at=clock.now())()
        return (time.perf_counter() - start) * 1000

    def floor() -> float:
        command = [sys.executable, "-c", BARE_PRINTING, str(ROOT / "stockport_hubs/pdf/pack.css")]
        start = time.perf_counter()
        subprocess.run(command, input=printed[-1], text=True, check=True, capture_output=True)
        return (time.perf_counter() - start) * 1000

    try:
        return bench.in_turns(ours, floor, pairs=5)
    finally:
        pdf.from_html = real


def serve(everything: Started, database_url: str) -> str:
    """gunicorn with the floors beside the pages; its address."""
    port = free_port()
    env = environment(database_url, **SETTINGS, PYTHONPATH=f"{ROOT / 'tools'}:{ROOT}")
    command = ["-m", "gunicorn", "bench_site:application", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    process: Process = everything.process("bench", *command, "--no-control-socket", "--log-level", "warning", env=env)

    def answers() -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health/")
            return connection.getresponse().status == 200
        except OSError:
            return False

    process.wait_until(answers)
    return f"http://127.0.0.1:{port}"


def main() -> int:
    """The table; 1 when a target is missed."""
    only = os.environ.get("ONLY", "").strip()
    missed = 0
    with PostgresServer(durable=True) as postgres, tempfile.TemporaryDirectory() as temporary:
        databases = Databases(Path(temporary), postgres.url("postgres"))
        database_url = databases.fresh()
        print("Loading the sample pilot …", flush=True)
        manage(database_url, "load_sample_pilot", **SETTINGS)
        os.environ.update(SETTINGS, DATABASE_URL=database_url)
        import django

        django.setup()
        everything = Started(Path(temporary))
        try:
            bench = Bench(databases, serve(everything, database_url))
            print(f"{'work':<34}{'ours':>10}{'floor':>10}{'ratio':>8}{'target':>8}")
            for name, target, measure in LINES:
                if only and only not in name:
                    continue
                ours, floor = measure(bench)
                ratio = ours / floor
                missed += ratio > target
                mark = "" if ratio <= target else "  MISSED"
                print(f"{name:<34}{ours:>7.1f} ms{floor:>7.1f} ms{ratio:>8.2f}{target:>8.1f}{mark}", flush=True)
        finally:
            from django.db import connections

            connections.close_all()
            everything.stop()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
