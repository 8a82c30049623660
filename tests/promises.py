"""Promises: a test marked `promise("M4")` runs small in `make test` and at its full size in `make proof`.

It asks `sized(200, 5000)` for its size, `seed` for randomness, and tells its figures by `figures("5,000 due; …")`.
`make proof` prints a line for each and remembers it in build/proof.json: a promise that held at this state of the code
is not run again on the same database.
"""

import hashlib
import json
import subprocess
from collections.abc import Callable

import pytest
from django.db import connection

from tests.processes import ROOT

RECORD = ROOT / "build" / "proof.json"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("promises")
    group.addoption("--full", action="store_true", help="full sizes, promises only, resumable")
    group.addoption("--only", default="", help="promises by name, such as M1,M4")
    group.addoption("--seed", type=int, default=1)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "promise(name): a promise with its figures; see tests/promises.py")
    if full(config):
        config.pluginmanager.register(Proof(config), "proof")


def full(config: pytest.Config) -> bool:
    """Is this `make proof`?"""
    return bool(config.getoption("--full"))


@pytest.fixture
def sized(request) -> Callable[[int, int], int]:
    """`sized(bites, full)`: the size that still bites, or in `make proof` the full one."""
    return lambda bites, whole: whole if full(request.config) else bites


@pytest.fixture
def seed(request) -> int:
    """Where randomness starts: SEED in `make proof`."""
    return request.config.getoption("--seed")


@pytest.fixture
def figures(request) -> Callable[[str], None]:
    """Tell what was measured, for the promise's line."""
    return lambda text: request.node.user_properties.append(("figures", text))


def _state_of_the_code() -> str:
    """The commit, and what differs from it."""

    def git(*arguments: str) -> bytes:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True).stdout

    return git("rev-parse", "HEAD").decode().strip() + hashlib.sha256(git("diff", "HEAD")).hexdigest()[:12]


def _here(nodeid: str) -> str:
    """A test by its name and the database it ran on: what held on one has still to be run on the other."""
    return f"{nodeid} on {connection.vendor}"


class Proof:
    """Runs the promises asked for that have not held yet, and prints their lines."""

    def __init__(self, config: pytest.Config) -> None:
        self.only = {name.upper() for name in config.getoption("--only").replace(",", " ").split()}
        self.state = f"{_state_of_the_code()} seed {config.getoption('--seed')}"
        self.record: dict[str, dict[str, str]] = json.loads(RECORD.read_text()) if RECORD.exists() else {}
        self.names: dict[str, str] = {}
        self.lines: list[str] = []

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        kept = []
        for item in items:
            marker = item.get_closest_marker("promise")
            if not marker or (self.only and marker.args[0] not in self.only):
                continue
            held = self.record.get(_here(item.nodeid), {})
            if held.get("state") == self.state:
                self.lines.append(held["line"])
                continue
            self.names[item.nodeid] = marker.args[0]
            kept.append(item)
        left = set(items) - set(kept)
        config.hook.pytest_deselected(items=list(left))
        items[:] = kept
        for line in self.lines:
            print(f"{line}  (held before at this state of the code)", flush=True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport):
        """The promise's own line instead of a dot."""
        return ("passed", "", "") if report.when == "call" and report.passed else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call":
            if report.failed:
                self._say(report, "BROKEN")
            return
        line = self._say(report, "held" if report.passed else "BROKEN")
        if report.passed:
            self.record[_here(report.nodeid)] = {"state": self.state, "line": line}
            RECORD.parent.mkdir(exist_ok=True)
            RECORD.write_text(json.dumps(self.record, indent=1))

    def _say(self, report: pytest.TestReport, outcome: str) -> str:
        told = "; ".join(str(value) for name, value in report.user_properties if name == "figures")
        test = report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
        line = f"{self.names[report.nodeid]:<3} {outcome:<6} {report.duration:7.1f} s  {told or test}"
        print(line, flush=True)
        return line
