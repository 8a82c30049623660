"""`make test`, and its relatives with throw-away servers: `check.py`, `check.py postgres ARGS`, `check.py proof`."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
import prepare  # noqa: E402

from tests.servers import Databases, PostgresServer, RedisServer  # noqa: E402

BIN = prepare.VENV / "bin"
LOGS = ROOT / "build" / "test"
STEPS = {
    "ruff check": [BIN / "ruff", "check", "."],
    "ruff format": [BIN / "ruff", "format", "--check", "."],
    "mypy": [BIN / "mypy"],
    "import ladder": [BIN / "lint-imports"],
    "migrations": [prepare.PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"],
}
BAR = "-" * 80


def say(text: str) -> None:
    """One line, at once."""
    print(text, flush=True)


def environment(**extra: str) -> dict[str, str]:
    """Test settings on SQLite without Redis, whatever the shell had set."""
    kept = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL", "CLOCK", "DEBUG")}
    return {**kept, "DJANGO_SETTINGS_MODULE": "stockport_hubs.settings.test", **extra}


def run_step(name: str, command: list) -> bool:
    """One check before the tests: its time, and its output when it fails."""
    start = time.monotonic()
    line = [str(part) for part in command]
    done = subprocess.run(line, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    say(f"{name}: {'ok' if done.returncode == 0 else 'FAILED'}, {time.monotonic() - start:.1f} s")
    if done.returncode:
        say(done.stdout + done.stderr)
    return done.returncode == 0


class TestRun:
    """One pytest run with its output in a file, so that several go side by side: at once, or after another."""

    def __init__(self, name: str, arguments: list[str], after: "TestRun | None" = None, **env: str) -> None:
        self.name = name
        self.log = LOGS / f"{name.lower().replace(' ', '-')}.txt"
        self.arguments = arguments
        self.env = env
        self.after = after
        self.process: subprocess.Popen | None = None
        self.seconds = 0.0
        self.done()

    def done(self) -> bool:
        """Has it ended? Starts it when its turn has come, and notes when it ended."""
        if self.process is None:
            if self.after and not self.after.done():
                return False
            self.start = time.monotonic()
            with self.log.open("w") as output:
                self.process = subprocess.Popen(
                    [prepare.PYTHON, "-m", "pytest", *self.arguments], cwd=ROOT, env=environment(**self.env),
                    stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                )  # fmt: skip
        if self.process.poll() is None:
            return False
        self.seconds = self.seconds or time.monotonic() - self.start
        return True

    def percent(self) -> int:
        """How many of the tests it knows it has run, from pytest's own percentages."""
        told = re.findall(r"\[\s*(\d+)%\]", self.log.read_text(errors="replace")) if self.process else []
        return int(told[-1]) if told else 0

    def passed(self) -> bool:
        """True when its tests passed."""
        return self.process is not None and self.process.returncode == 0


def side_by_side(runs: list[TestRun]) -> None:
    """Wait for them all, with a sign of life every half minute."""
    told = time.monotonic()
    try:
        while not all([run.done() for run in runs]):
            time.sleep(0.2)
            if time.monotonic() - told > 30:
                told = time.monotonic()
                groups: dict[str, int] = Counter()
                for run in runs:
                    groups[run.name.rstrip(" 1234")] += run.percent()
                say("… " + ", ".join(f"{group} {percent}%" for group, percent in groups.items()))
    finally:
        for run in runs:
            if run.process and run.process.poll() is None:
                run.process.terminate()
                run.process.wait()


def marked(files: list[str], *markers: str) -> list[str]:
    """Those of the test files that name one of these markers."""
    wanted = re.compile(rf"mark\.({'|'.join(markers)})\b")
    return [file for file in files if wanted.search((ROOT / file).read_text())]


def everything() -> int:
    """All of `make test`; pytest's own summary line is the last one."""
    start = time.monotonic()
    lacking = prepare.missing(prepare.TEST_NEEDS)
    absent = {need.name for need in lacking}
    unable = [marker for marker, need in (("browser", "Chromium"), ("prints", "Pango")) if need in absent]

    def run(name: str, wanted: str, files: list[str], *after: TestRun, **env: str) -> list[TestRun]:
        if wanted in unable:
            return []
        chosen = " and ".join([f"({wanted})", *(f"not {marker}" for marker in unable)])
        arguments = ["--durations=8", "--durations-min=2", "-m", chosen, *files]
        return [TestRun(name, arguments, *after, SHARED=str(folder), **env)]

    LOGS.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        making = stack.enter_context(ThreadPoolExecutor())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubs-")))
        sqlite = making.submit(Databases(folder).migrated)
        if servers := not absent & {"PostgreSQL 14 or later", "Redis"}:
            server = stack.enter_context(PostgresServer()).url("postgres")
            postgres = making.submit(Databases(folder, server).migrated)
        fine = making.submit(lambda: all([run_step(name, command) for name, command in STEPS.items()]))
        # A process waits as often as it works: several beside each other keep both processors busy. The runs of a group
        # share its tests (tests/sharing.py), and whoever is through with the pages helps: so they end together.
        files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").glob("test_*.py"))
        pages, long = marked(files, "browser"), marked(files, "prints", "crawls")
        longest_first = sorted(files, key=lambda file: file not in long)
        here = {"MIGRATED": sqlite.result()}
        in_browser = run("SQLite pages", "browser", pages, **here)
        runs = [*in_browser]
        for number, after in enumerate(([], [], [], in_browser), 1):
            runs += run(f"SQLite {number}", "not browser", longest_first, *after, **here)
        if servers:
            there = {"DATABASE_URL": server, "MIGRATED": postgres.result()}
            one, other = ({**there, "REDIS_URL": stack.enter_context(RedisServer()).url} for _ in range(2))
            in_browser = run("PostgreSQL pages", "browser", pages, **one)
            runs += [*in_browser, *run("PostgreSQL 1", "not browser", longest_first, **other)]
            runs += run("PostgreSQL 2", "not browser", longest_first, *in_browser, **one)
        side_by_side(runs)
    runs.sort(key=lambda run: not run.passed())  # what failed comes last, where it is seen
    for run in runs:
        say(f"{BAR}\n{run.name}: {'passed' if run.passed() else 'FAILED'}, {run.seconds:.1f} s")
        if run is runs[-1]:
            passed = report(lacking, fine.result(), time.monotonic() - start)
        say(run.log.read_text(errors="replace").rstrip())
    return 0 if passed and all(run.passed() for run in runs) else 1


def report(lacking: list[prepare.Need], fine: bool, seconds: float) -> bool:
    """The whole time, what was left out, and whether that is allowed here."""
    say(f"Whole: {seconds:.1f} s after preparing.")
    for need in lacking:
        say(f"LEFT OUT, for want of {need.name}: {need.without}.")
    if lacking and os.environ.get("CI") == "true":
        say("CI=true allows nothing to be left out: this run has FAILED.")
        return False
    if not fine:
        say("A check before the tests has FAILED; see above.")
    return fine


def with_servers(*arguments: str) -> int:
    """pytest with these arguments on throw-away PostgreSQL and Redis."""
    with PostgresServer() as postgres, RedisServer() as redis:
        env = environment(DATABASE_URL=postgres.url("postgres"), REDIS_URL=redis.url)
        return subprocess.run([prepare.PYTHON, "-m", "pytest", *arguments], cwd=ROOT, env=env).returncode


def main(arguments: list[str]) -> int:
    """Which of the three."""
    os.chdir(ROOT)
    for number in (signal.SIGTERM, signal.SIGHUP):  # leave by way of every `finally`: nothing stays behind
        signal.signal(number, lambda number, frame: sys.exit(128 + number))
    if not arguments:
        return everything()
    if arguments[0] == "proof":
        only, seed = os.environ.get("ONLY", ""), os.environ.get("SEED") or "1"
        asked = ["--full", f"--only={only}", f"--seed={seed}", "--tb=short", *arguments[1:]]
        on_sqlite = [prepare.PYTHON, "-m", "pytest", "-m", "sqlite", *asked]  # what is about the other database
        statuses = (with_servers(*asked), subprocess.run(on_sqlite, cwd=ROOT, env=environment()).returncode)
        return max(0 if status == 5 else status for status in statuses)  # 5: nothing left to run, all held before
    return with_servers(*arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
