"""`make test`, and its relatives with throw-away servers: `check.py`, `check.py postgres ARGS`, `check.py proof`."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
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
    """One pytest run with its output in a file, so that two can go side by side."""

    def __init__(self, name: str, arguments: list[str], nice: int, **env: str) -> None:
        self.name = name
        self.log = LOGS / f"{name.lower()}.txt"
        self.start = time.monotonic()
        self.seconds = 0.0
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                ["nice", "-n", str(nice), prepare.PYTHON, "-m", "pytest", *arguments],
                cwd=ROOT, env=environment(**env), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def done(self) -> bool:
        """Has it ended? Notes when."""
        if self.process.poll() is None:
            return False
        self.seconds = self.seconds or time.monotonic() - self.start
        return True

    def progress(self) -> str:
        """How far it is, from pytest's own percentages."""
        percent = re.findall(r"\[\s*(\d+%)\]", self.log.read_text(errors="replace"))
        return f"{self.name} {percent[-1] if percent else 'starting'}"

    def passed(self) -> bool:
        """True when its tests passed."""
        return self.process.returncode == 0


def side_by_side(runs: list[TestRun]) -> None:
    """Wait for them all, with a sign of life every half minute."""
    told = time.monotonic()
    try:
        while not all([run.done() for run in runs]):
            time.sleep(0.2)
            if time.monotonic() - told > 30:
                told = time.monotonic()
                say("… " + ", ".join(run.progress() for run in runs))
    finally:
        for run in runs:
            if run.process.poll() is None:
                run.process.terminate()
                run.process.wait()


def marked(*markers: str) -> list[str]:
    """The files that name one of these markers: a run of theirs alone need not read the others."""
    files = sorted((ROOT / "tests").glob("test_*.py"))
    wanted = re.compile(rf"mark\.({'|'.join(markers)})\b")
    return [str(path.relative_to(ROOT)) for path in files if wanted.search(path.read_text())]


def everything() -> int:
    """All of `make test`; pytest's own summary line is the last one."""
    start = time.monotonic()
    lacking = prepare.missing(prepare.TEST_NEEDS)
    absent = {need.name for need in lacking}
    unable = [marker for marker, need in (("browser", "Chromium"), ("prints", "Pango")) if need in absent]

    def run(name: str, wanted: str, *files: str, **env: str) -> list[TestRun]:
        if wanted in unable:
            return []
        chosen = " and ".join([f"({wanted})", *(f"not {marker}" for marker in unable)])
        arguments = ["--durations=8", "--durations-min=2", "-m", chosen, *files]
        nice = 5 if name.startswith("SQLite") else 0  # the two that hardly wait come last: no processor stands idle
        return [TestRun(name, arguments, nice, AXE_FINE=axe_fine, **env)]

    LOGS.mkdir(parents=True, exist_ok=True)
    if hasattr(os, "SCHED_BATCH"):  # fewer changes between the processes
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    with ExitStack() as stack:
        making = stack.enter_context(ThreadPoolExecutor())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hubs-")))
        axe_fine = str(folder / "axe-fine")
        sqlite = making.submit(Databases(folder).migrated)
        if servers := not absent & {"PostgreSQL 14 or later", "Redis"}:
            server = stack.enter_context(PostgresServer()).url("postgres")
            postgres = making.submit(Databases(folder, server).migrated)
        fine = making.submit(lambda: all([run_step(name, command) for name, command in STEPS.items()]))
        # A process waits as often as it works: several beside each other keep both processors busy to the end.
        pages, template = marked("browser"), sqlite.result()
        files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").glob("test_*.py"))
        rest = "not browser and not prints and not crawls"
        runs = [
            *run("SQLite", rest, *files[::2], MIGRATED=template),
            *run("SQLite-too", rest, *files[1::2], MIGRATED=template),
            *run("Prints", "not browser and (prints or crawls)", *marked("prints", "crawls"), MIGRATED=template),
            *run("Pages", "browser", *pages, MIGRATED=template),
        ]
        for name, which, files in (("PostgreSQL", "not browser", []), ("PostgreSQL-pages", "browser", pages)):
            if servers:
                redis = stack.enter_context(RedisServer()).url
                runs += run(name, which, *files, DATABASE_URL=server, REDIS_URL=redis, MIGRATED=postgres.result())
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
