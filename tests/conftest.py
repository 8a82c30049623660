"""How the tests run.

`.venv/bin/pytest tests/test_x.py` runs on SQLite; `python3 tools/prepare.py postgres tests/test_x.py` does so on a
throw-away PostgreSQL with Redis; `make test` runs everything on both.

Markers: `sqlite` (SQLite run only: the database does not matter, or is SQLite), `postgres` (PostgreSQL run only: it is
about PostgreSQL, or pages that one run is enough for), both of them (a promise that is long and holds on either: on
PostgreSQL in `make test`, on both in `make proof`), `browser` (needs Chromium), `prints` (needs Pango), `crawls`
(asks for every page there is: beside `prints` in `make test`, so that both processors have work to the end), `vectors`
(runs in FURTHEST, and in all of ZONES with `--every-zone`, as `make proof` does), `slow` (`make proof` only),
`promise("M4")` (a promise: small here, its full size in `make proof`), `logs_errors` (ERROR records are what is
expected), `console("404")` (console messages that hold the text are expected).
"""

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from stockport_hubs.core import clock
from stockport_hubs.settings.base import database
from tests import browser as browser_tools
from tests import guards
from tests.processes import ROOT, Process, Site, Started, manage
from tests.servers import Databases, RedisServer

pytest_plugins = ["tests.promises"]
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in the thread that uses the ORM
ON_POSTGRES = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")
MARKERS = ("sqlite", "postgres", "browser", "prints", "crawls", "slow", "vectors", "logs_errors", "console(*texts)")
# Where the server may think it is: the rulebook's figures are the same to the penny and the day in each.
ZONES = ("Europe/London", "UTC", "Pacific/Auckland", "America/Los_Angeles")
FURTHEST = ZONES[2 + ON_POSTGRES]  # a day early or a day late: `make proof` runs all of them on both databases
left_out: dict[str, int] = {}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--every-zone", action="store_true", help="tests marked `vectors` in all of ZONES")


def pytest_configure(config: pytest.Config) -> None:
    for marker in MARKERS:
        config.addinivalue_line("markers", f"{marker}: see tests/conftest.py")
    guards.refuse_outside_sockets()
    guards.flush_quickly()
    if config.getoption("--full"):
        browser_tools.AXE_AT[:] = browser_tools.WIDTHS


def _elsewhere(item: pytest.Item, full: bool) -> str:
    """Where a test runs when it does not run here; mutants are shown to all, whichever database they are kept for."""
    if item.get_closest_marker("slow") and not full:
        return "make proof"
    if item.config.getoption("mutants", ""):
        return ""
    sqlite, postgres = (item.get_closest_marker(name) for name in ("sqlite", "postgres"))
    if sqlite and postgres and full:
        return ""
    if postgres and not ON_POSTGRES:
        return "the PostgreSQL run"
    if sqlite and not postgres and ON_POSTGRES:
        return "the SQLite run"
    return ""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    both = [item for item in items if {"sqlite", "postgres"} <= {mark.name for mark in item.iter_markers()}]
    if unproved := [item.nodeid for item in both if not item.get_closest_marker("promise")]:
        raise pytest.UsageError(f"Marked sqlite and postgres, but no promise: never run on SQLite: {unproved}")
    full = config.getoption("--full")
    leaving = [(item, where) for item in items if (where := _elsewhere(item, full))]
    for _, where in leaving:
        left_out[where] = left_out.get(where, 0) + 1
    config.hook.pytest_deselected(items=[item for item, _ in leaving])
    gone = {item for item, _ in leaving}
    items[:] = [item for item in items if item not in gone]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("vectors"):
        if "server_zone" not in metafunc.fixturenames:
            metafunc.fixturenames.append("server_zone")
        zones = ZONES if metafunc.config.getoption("--every-zone") else [FURTHEST]
        metafunc.parametrize("server_zone", zones, indirect=True)


@pytest.fixture
def server_zone(request) -> Iterator[str]:
    """The zone of the process and of the database's session while a test runs. Django sets both where it starts: this
    is the server on which it did not, so that a naive date or a cast in SQL would show."""
    before, os.environ["TZ"] = os.environ["TZ"], request.param
    time.tzset()
    in_database = ON_POSTGRES and request.node.get_closest_marker("django_db")
    if in_database:
        request.getfixturevalue("db")
        with connection.cursor() as cursor:  # within the test's transaction: undone with it
            cursor.execute("SELECT set_config('TimeZone', %s, false)", [request.param])
    yield request.param
    os.environ["TZ"] = before
    time.tzset()


def pytest_terminal_summary(terminalreporter) -> None:
    version = f"PostgreSQL {connection.pg_version // 10000}" if ON_POSTGRES and connection.connection else ""
    here = version or ("PostgreSQL" if ON_POSTGRES else "SQLite")
    others = ", ".join(f"{count} left to {where}" for where, count in left_out.items()) or "nothing left to another run"
    terminalreporter.write_line(f"Ran on {here}; {others}.")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where nothing may be left out, a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped") and session.exitstatus == 0:
        reporter.write_line("\nSkipped tests count as left out, and CI=true allows none.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    """A test that logs an ERROR fails, unless that is what it is about."""
    with guards.ErrorRecords() as errors:
        result = yield
    if errors.lines and not item.get_closest_marker("logs_errors"):
        pytest.fail("logged at ERROR: " + "; ".join(errors.lines), pytrace=False)
    return result


def pytest_collection_finish() -> None:
    """Modules stay for the whole run: looking them through for garbage took a third of the time of small tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="module", autouse=True)
def _moved_clock_starts_here() -> None:
    """A moved clock goes on from the start of its process: late in a run it would be minutes ahead of a test's day."""
    clock._started_at = timezone.now()


@pytest.fixture(scope="session")
def django_db_setup(databases, django_test_environment, django_db_blocker) -> Iterator[None]:
    """The tests' own database is a copy as well: migrations run once in a run. SQLite is in a file, so that the site
    and the job runner of a test see the same rows as the test."""
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = database(databases.fresh())["NAME"]
        yield
        connection.close()


@pytest.fixture(scope="session")
def databases(tmp_path_factory) -> Databases:
    """`.fresh()`: the DATABASE_URL of a new database with all migrations done, of the kind this run is about."""
    server = os.environ["DATABASE_URL"] if ON_POSTGRES else ""
    return Databases(tmp_path_factory.mktemp("databases"), server, template=os.environ.get("MIGRATED", ""))


@pytest.fixture(scope="module")
def once(django_db_setup, django_db_blocker) -> Iterator[None]:
    """What a module's fixtures make within it stays for all tests of the module, and goes after the last one: each
    test's own transaction is a savepoint in it. Tests change a `copy.deepcopy` of what was made."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def fresh_database(databases) -> str:
    """The DATABASE_URL of a new, migrated, empty database."""
    return databases.fresh()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A throw-away Redis: the run's own, or one for this session."""
    given = os.environ.get("REDIS_URL")
    if given:
        yield given
        return
    with RedisServer() as server:
        yield server.url


@pytest.fixture
def started(request, tmp_path) -> Iterator[Started]:
    """Starts any process of the project; ends them all after the test, which fails when one of them logged an error."""
    everything = Started(tmp_path)
    yield everything
    errors = everything.stop()
    assert request.node.get_closest_marker("logs_errors") or errors == []


@pytest.fixture
def gunicorn_site(started) -> Callable[..., Site]:
    """`gunicorn_site(database_url, workers=2, CLOCK=...)`: a real gunicorn on a free port, answering."""
    return started.site


@pytest.fixture
def celery_worker(started, redis_url) -> Callable[..., Process]:
    """`celery_worker(database_url)`: a real worker, ready."""
    return lambda database_url, **more: started.celery_worker(database_url, redis_url, **more)


@pytest.fixture
def runner(started) -> Callable[..., Process]:
    """`runner(database_url)`: the embedded job runner."""
    return started.runner


@pytest.fixture(scope="session")
def _test_site(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Site]:
    everything = Started(tmp_path_factory.mktemp("site"))
    yield everything.site(test_database_url())
    everything.stop()


def test_database_url() -> str:
    """The address of the database the test itself writes to."""
    name = str(connection.settings_dict["NAME"])
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}" if ON_POSTGRES else f"sqlite:///{name}"


test_database_url.__test__ = False  # type: ignore[attr-defined]


@pytest.fixture
def site(request, transactional_db, _test_site) -> Iterator[Site]:
    """A real gunicorn on the test's own database: arrange and check with the ORM, act through HTTP or Chromium."""
    yield _test_site
    errors = _test_site.process.new_errors()
    assert request.node.get_closest_marker("logs_errors") or errors == []


@pytest.fixture(scope="session")
def sample_site(databases, tmp_path_factory) -> Iterator[Site]:
    """A site with the sample pilot, to look at and not to change: one for the whole run."""
    database_url = databases.fresh()
    manage(database_url, "load_sample_pilot")
    everything = Started(tmp_path_factory.mktemp("sample"))
    yield everything.site(database_url)
    assert everything.stop() == []


@pytest.fixture(scope="session")
def chromium():
    """The real Chromium, started once."""
    with browser_tools.chromium() as browser:
        yield browser


@pytest.fixture
def new_page(request, chromium):
    """`new_page(width=1280)`: a page of a new visitor. Any console message or failed request fails the test."""
    contexts, problems = [], []

    def make(width: int = 1280, **options):
        context = chromium.new_context(viewport={"width": width, "height": 800}, locale="en-GB", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        problems.append(browser_tools.collect_problems(page))
        return page

    yield make
    for context in contexts:
        context.close()
    marker = request.node.get_closest_marker("console")
    expected = marker.args if marker else ()
    seen = [problem for each in problems for problem in each if not any(text in problem for text in expected)]
    assert seen == []


@pytest.fixture
def page(new_page):
    """One visitor's page at 1280 pixels."""
    return new_page()


@pytest.fixture
def mail_folder(tmp_path) -> Path:
    """Where a site or worker started with MAIL_PATH=str(mail_folder) leaves its e-mails."""
    folder = tmp_path / "mail"
    folder.mkdir()
    return folder


@pytest.fixture
def pytester_run(tmp_path) -> Callable[..., str]:
    """`pytester_run(source, CI="true")`: what a pytest with our guards says about that source, and its exit status."""

    def run(source: str, **env: str) -> str:
        (tmp_path / "test_planted.py").write_text(source)
        command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml")]
        done = subprocess.run(
            [*command, "--rootdir", str(tmp_path), str(tmp_path)],
            cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True,
        )  # fmt: skip
        return f"{done.stdout}{done.stderr}\nexit {done.returncode}"

    return run
