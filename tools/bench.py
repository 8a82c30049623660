"""`make bench`: ours, floor, ratio and target, measured in one run on the same server and database.

Each line is a function marked `@line`; it gives the milliseconds of ours and of its floor. Pages and forms are asked
for in turns, ours and floor, and their medians compared. PostgreSQL keeps what it acknowledges, as in production.
`make bench ONLY="session page"` measures one line; `PEOPLE=5000 make bench ONLY="lists"` the lists of fewer people.
"""

import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import bench_lists
import psycopg
from bench_pilot import NOW, ROOT, SETTINGS, Bench, Hall, Visitor

from tests.processes import Started, manage, python
from tests.servers import Databases, PostgresServer


class Measured(NamedTuple):
    """One of several lines of a measurement; `is_told`: for comparison, without a target."""

    name: str
    ours: float
    floor: float
    is_told: bool = False


class Line(NamedTuple):
    """A line of the table: what, the most that ours may take of the floor, and how to measure it, or several of them
    with their names."""

    name: str
    target: float
    measure: Callable[[Bench], tuple[float, float] | Iterator[Measured]]
    unit: str


LINES: list[Line] = []
HALLS = (0, 2000)  # members of one pantry: as the sample pilot has them, and many


def line(name: str, *, target: float, unit: str = "ms"):
    """Add a line to the table; the function gives (ours, floor), or yields several."""

    def add(measure):
        LINES.append(Line(name, target, measure, unit))
        return measure

    return add


@line("session page", target=2.5)
def session_page(bench: Bench) -> Iterator[Measured]:
    for hall in map(bench.hall, HALLS):
        found = bench.page("volunteer", f"/pantry/sessions/{hall.session}/", hall.site_url)
        yield Measured(f"session page, {hall.members:,} members", *found)


@line("advisor home", target=2.5)
def advisor_home(bench: Bench) -> tuple[float, float]:
    return bench.page("advisor", "/")


@line("manager home", target=2.5)
def manager_home(bench: Bench) -> tuple[float, float]:
    return bench.page("manager", "/")


@line("recording a collection", target=2.5)
def recording(bench: Bench) -> Iterator[Measured]:
    for hall in map(bench.hall, HALLS):
        with psycopg.connect(hall.database_url, autocommit=True) as connection:
            found = recorded(bench, hall, connection)
        yield Measured(f"recording a collection, {hall.members:,} members", *found)


def recorded(bench: Bench, hall: Hall, connection: psycopg.Connection) -> tuple[float, float]:
    """The usual ten of one member, each time anew."""
    visitor = Visitor(hall.site_url, "volunteer")
    of_week = "SELECT id FROM pantry_collection WHERE membership_id = %s AND week = date_trunc('week', %s::timestamp)"
    for_good = [  # the rows of the turn before; not measured
        f"DELETE FROM pantry_selecteditem WHERE collection_id IN ({of_week})",  # noqa: S608
        f"DELETE FROM pantry_collection WHERE id IN ({of_week})",  # noqa: S608
    ]

    def clear() -> None:
        for statement in for_good:
            connection.execute(statement, [hall.member, NOW])

    def post(path: str) -> float:
        clear()
        took, response, content = visitor.ask(path, f"usual=1&key={uuid.uuid4()}")
        assert response.status == 302, (path, response.status, content[-2000:])
        return took

    record = f"{hall.session}/members/{hall.member}"
    measured = bench.in_turns(
        lambda: post(f"/pantry/sessions/{record}/"),
        lambda: post(f"/floor/record/{hall.session}/{hall.member}/?pantry={hall.pantry}"),
    )
    clear()
    return measured


@line("renewing 1,000", target=4)
def renewing(bench: Bench) -> tuple[float, float]:
    ours, floor, _ = bench.renewed(1000)
    return ours, floor


@line("renewing 10,000", target=4)
def renewing_many(bench: Bench) -> tuple[float, float]:
    ours, floor, _ = bench.renewed(10_000)
    return ours, floor


@line("renewing 10,000: each, against 1,000", target=1.25)
def renewing_each(bench: Bench) -> tuple[float, float]:
    return bench.renewed(10_000)[0] / 10_000, bench.renewed(1000)[0] / 1000


@line("renewing 10,000: peak, against 1,000", target=1.1, unit="MB")
def renewing_peak(bench: Bench) -> tuple[float, float]:
    return bench.renewed(10_000)[2], bench.renewed(1000)[2]


@line(f"lists at {bench_lists.PEOPLE:,}", target=1.5)
def lists(bench: Bench) -> Iterator[Measured]:
    """Every list there, first page, last page and a search, against the same at 75 people; no more queries.

    A list that does not fill its page at 75 is asked for once more with as many rows as it has there: that is the same
    list. What the full page takes is told beside it."""
    many, few = many_people(bench), few_people(bench)
    more = []
    for found in bench_lists.compare(many, few):
        if found.many.rows > found.few.rows:
            rows = f"{found.many.rows} rows, {found.few.rows}"
            yield Measured(f"{found.name}: {rows}", found.many.took, found.few.took, is_told=True)
        if found.few.rows or not found.many.rows:  # with none at 75 there is no page like it
            yield Measured(found.name, found.alike.took, found.few.took)
        # Fewer: rows have less to tell. The audit shows what was done last, which is not the same on both.
        if found.alike.queries > found.few.queries and found.few.rows and "/audit/" not in found.name:
            more.append(f"{found.name}: {found.alike.queries} queries, {found.few.queries} at 75 people")
    assert not more, "\n".join(more)


@line(f"caseload of {bench_lists.CASELOAD:,}", target=1.5)
def caseload(bench: Bench) -> Iterator[Measured]:
    """The home of an advisor with so many young people against one with forty; no more queries."""
    sites = []
    for people, held in ((bench_lists.CASELOAD, bench_lists.CASELOAD), (bench_lists.FEW, bench_lists.CASELOAD_FEW)):
        database_url = bench.databases.fresh()
        manage(database_url, "load_sample_pilot", "--care-leavers", str(people), **SETTINGS)
        bench_lists.hold(database_url, held)
        sites.append(bench_lists.Site(bench.serve(database_url), database_url, people))
    for found in bench_lists.compare(*sites, lists=bench_lists.CASELOADS):
        name = f"{bench_lists.CASELOAD:,} people: {found.name}"
        yield Measured(name, found.alike.took, found.few.took)
        fits = "q=" in found.name  # of forty, a name fits one or nobody: fewer rows have less to tell
        assert fits or found.alike.queries <= found.few.queries, (name, found.alike.queries, found.few.queries)


def many_people(bench: Bench) -> bench_lists.Site:
    """The sample pilot of tens of thousands, loaded once."""
    if bench.many is None:
        database_url, people = bench.databases.fresh(), bench_lists.PEOPLE
        began = time.perf_counter()
        printed = python(database_url, "-c", LOAD, str(people), **SETTINGS)
        seconds = time.perf_counter() - began
        print(
            f"load_sample_pilot --care-leavers {people}: {seconds:.0f} s, {printed.split()[-1]} MB at most", flush=True
        )
        bench.many = bench_lists.Site(bench.serve(database_url), database_url, people)
    return bench.many


def few_people(bench: Bench) -> bench_lists.Site:
    """The sample pilot of 75, with as many jobs and e-mails for each person; its rows are written once."""
    bench.few = bench.few or bench_lists.Site(bench.site_url, bench.database_url, bench_lists.FEW)
    return bench.few


LOAD = """
import resource, sys
import django; django.setup()
from django.core.management import call_command
call_command("load_sample_pilot", care_leavers=int(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@line("a pack", target=1.3)
def pack(bench: Bench) -> Iterator[Measured]:
    """Of the sample pilot's 75 people and of 500; from the figures to the file, the printing process included."""
    for people, turns in ((bench_lists.FEW, 5), (500, 3)):
        database_url = bench.database_url
        if people != bench_lists.FEW:
            database_url = bench.databases.fresh()
            manage(database_url, "load_sample_pilot", "--care-leavers", str(people), **SETTINGS)
        code = f"import django; django.setup(); import bench_packs; print(*bench_packs.measure({turns}))"
        printed = python(database_url, "-c", code, **SETTINGS, PYTHONPATH=f"{ROOT / 'tools'}:{ROOT}")
        ours, floor = map(float, printed.splitlines()[-1].split())
        yield Measured(f"a pack of {people} people", ours, floor)


@line(f"figures at {bench_lists.PEOPLE:,}", target=1, unit="s")
def figures(bench: Bench) -> Iterator[Measured]:
    """Pages that count everybody, for each person against the same page at 75: no worse than in proportion."""
    many, few = many_people(bench), few_people(bench)
    times = bench_lists.PEOPLE / bench_lists.FEW
    for path in bench_lists.FIGURES:
        for site in (many, few):
            site.ask("manager", path)
        ours = min(many.ask("manager", path).took for _ in range(3))
        floor = min(few.ask("manager", path).took for _ in range(bench_lists.TURNS))
        yield Measured(f"manager {path}, floor: {times:,.0f} x {floor:.0f} ms", ours / 1000, times * floor / 1000)


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
            bench = Bench(databases, everything, database_url)
            print(f"{'work':<60}{'ours':>11}{'floor':>11}{'ratio':>8}{'target':>8}")
            for name, target, measure, unit in LINES:
                if only and only not in name:
                    continue
                found = measure(bench)
                for each in [Measured(name, *found)] if isinstance(found, tuple) else found:
                    ratio = each.ours / each.floor
                    is_missed = not each.is_told and ratio > target
                    missed += is_missed
                    end = "" if each.is_told else f"{target:>8.2f}{'  MISSED' if is_missed else ''}"
                    figures = f"{each.ours:>8.1f} {unit}{each.floor:>8.1f} {unit}{ratio:>8.2f}"
                    print(f"{each.name:<60}{figures}{end}", flush=True)
        finally:
            from django.db import connections

            connections.close_all()
            everything.stop()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
