"""What the lines of `make bench` share: the sample pilot on PostgreSQL behind gunicorn, visitors, asking in turns."""

import http.client
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.processes import Started, manage, python  # noqa: E402
from tests.servers import Databases  # noqa: E402

NOW = "2026-11-18T10:30"
SETTINGS = {"CLOCK": NOW, "DJANGO_SETTINGS_MODULE": "stockport_hubs.settings.local"}
PAIRS = 60
WARM_UP = 50  # PostgreSQL keeps a plan once it has made it ten times, on each of the site's few connections


class Visitor:
    """A signed-in session on one kept-alive connection."""

    def __init__(self, site_url: str, name: str) -> None:
        self.token, self.cookie = "b" * 32, ""
        self.connection = http.client.HTTPConnection(urlsplit(site_url).netloc)
        given = self.ask(f"/floor/enter/{name}/", "")[1].headers.get_all("Set-Cookie") or []
        [session] = [each.partition(";")[0] for each in given if each.startswith("sessionid=")]
        self.cookie = f"{session}; csrftoken={self.token}"

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


class Hall(NamedTuple):
    """A session of today's to record in: where it is served, and its ids."""

    site_url: str
    database_url: str
    session: str
    pantry: str
    member: str  # the first of them
    members: int


class Bench:
    """The sample pilot on PostgreSQL behind gunicorn, and what the lines share."""

    def __init__(self, databases: Databases, everything: Started, database_url: str) -> None:
        self.databases = databases
        self.everything = everything
        self.database_url = database_url
        self.site_url = self.serve(database_url)
        self.renewals: dict[int, tuple[float, float, float]] = {}
        self.many: Any = None  # the site of tens of thousands of people, once it is asked for
        self.few: Any = None  # and of 75
        self.halls: dict[int, Hall] = {}

    def serve(self, database_url: str) -> str:
        """gunicorn with the floors beside the pages; its address."""
        site = self.everything.site(
            database_url, application="bench_site:application", **SETTINGS, PYTHONPATH=f"{ROOT / 'tools'}:{ROOT}"
        )
        return site.url

    def renewed(self, n: int) -> tuple[float, float, float]:
        """Milliseconds of a run and of its floor, and the most megabytes the process had; measured once."""
        if n not in self.renewals:
            code = f"import django; django.setup(); from tests.due import measure; print(*measure({n}))"
            ours, floor, _, peak = map(float, python(self.databases.fresh(), "-c", code).split())
            self.renewals[n] = ours * 1000, floor * 1000, peak / 2**20
        return self.renewals[n]

    def hall(self, members: int) -> Hall:
        """The volunteer's pantry as the sample pilot has it (0), or with so many members; made once."""
        if members not in self.halls:
            site_url, database_url = self.site_url, self.database_url
            if members:
                database_url = self.databases.fresh()
                manage(database_url, "load_sample_pilot", **SETTINGS)
            path = f"{ROOT / 'tools'}:{ROOT}"
            code = f"import django; django.setup(); import bench_crowd; print(bench_crowd.hall({members}))"
            ids = python(database_url, "-c", code, **SETTINGS, PYTHONPATH=path).split()[-4:]
            site_url = self.serve(database_url) if members else site_url
            self.halls[members] = Hall(site_url, database_url, *ids[:3], int(ids[3]))
        return self.halls[members]

    def in_turns(
        self, ours: Callable[[], float], floor: Callable[[], float], pairs: int = PAIRS
    ) -> tuple[float, float]:
        """The medians of both, measured alternately so that a slow moment of the machine meets both."""
        for _ in range(WARM_UP):
            ours(), floor()
        times = [(ours(), floor()) for _ in range(pairs)]
        return statistics.median(t for t, _ in times), statistics.median(t for _, t in times)

    def page(self, account: str, path: str, site_url: str = "") -> tuple[float, float]:
        """A page against its own template over rows in memory; the floor must be the same page and ask nothing."""
        visitor = Visitor(site_url or self.site_url, account)

        def ours() -> float:
            took, response, content = visitor.ask(path)
            assert response.status == 200, (path, response.status)
            self.size = len(content)
            return took

        def floor() -> float:
            took, response, content = visitor.ask(f"/floor/page{path}")
            asked = response.headers.get("X-Queries-Of-Template", "0")
            assert (response.status, asked) == (200, "0"), (path, response.status, f"{asked} queries in the floor")
            assert abs(len(content) - self.size) < 0.02 * self.size, (path, len(content), self.size)
            return took

        return self.in_turns(ours, floor)
