"""The project's own processes in tests: commands, gunicorn, Celery, the job runner, each in its own process group."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = "stockport_hubs.settings.test"


def free_port() -> int:
    """A port nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(database_url: str, **extra: str) -> dict[str, str]:
    """The variables for a process on that database: test settings, no Redis and no moved clock unless asked for."""
    kept = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "CLOCK")}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": SETTINGS,
        "DATABASE_URL": database_url,
        "PYTHONUNBUFFERED": "1",
        **extra,
    }


def python(database_url: str, *arguments: str, status: int = 0, **env: str) -> str:
    """What this Python prints with these arguments; it must end with that status."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment(database_url, **env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == status, f"{' '.join(arguments)} ended with {done.returncode}\n{done.stdout}"
    return done.stdout


def manage(database_url: str, *arguments: str, status: int = 0, **env: str) -> str:
    """What a manage.py command prints."""
    return python(database_url, "manage.py", *arguments, status=status, **env)


class Process:
    """A child in its own process group, with its output in a file."""

    def __init__(self, command: list[str], *, log: Path, env: dict[str, str] | None = None, user: str = "") -> None:
        self.log = log
        self.seen = 0
        become = ["--reuid", user, "--regid", user, "--init-groups"] if user else []
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                ["setpriv", *become, "--pdeathsig", "QUIT", "--", *command],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def alive(self) -> bool:
        """Is it still running?"""
        return self.process.poll() is None

    def text(self) -> str:
        """Everything it has written so far."""
        return self.log.read_text(errors="replace")

    def wait_until(self, ready: Callable[[], bool], seconds: float = 30) -> None:
        """Wait for it to be ready; its last words when it is not."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive() or time.monotonic() > deadline:
                why = "is not ready" if self.alive() else f"ended with {self.process.returncode}"
                raise RuntimeError(f"{self.process.args} {why}\n{self.text()[-3000:]}")
            time.sleep(0.02)

    def send(self, number: int) -> None:
        """Send a signal to the process alone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def kill(self) -> None:
        """`kill -9` for the process and everything in its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, number: int = signal.SIGTERM, grace: float = 5) -> None:
        """Ask, wait, then make sure that nothing of the group is left."""
        self.send(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(grace)
        self.kill()

    def new_errors(self) -> list[str]:
        """Lines with an ERROR record, a traceback or a warning of Python since the last call."""
        text = self.text()
        new, self.seen = text[self.seen :], len(text)
        bad = r'^(?:ERROR|CRITICAL|Traceback|.*Warning: |.*"level": "(?:ERROR|CRITICAL)").*'
        lines = re.findall(bad, new, re.MULTILINE)
        return [line for line in lines if "worker with superuser privileges" not in line]  # the tests may run as root


class Site:
    """gunicorn answering on a port of its own."""

    def __init__(self, process: Process, url: str, database_url: str) -> None:
        self.process = process
        self.url = url
        self.database_url = database_url

    def healthy(self) -> bool:
        """Does /health/ answer 200?"""
        try:
            with urllib.request.urlopen(f"{self.url}/health/", timeout=5) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as why:
            raise RuntimeError(f"/health/ answers {why.code}\n{self.process.text()[-3000:]}")
        except OSError:
            return False


class Started:
    """Starts the project's own processes and ends every one of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[Process] = []

    def process(self, name: str, *command: str, env: dict[str, str]) -> Process:
        """Any other command, started in the same way."""
        log = self.folder / f"{name}-{len(self.processes)}.log"
        started = Process([sys.executable, *command], log=log, env=env)
        self.processes.append(started)
        return started

    def site(
        self, database_url: str, *, workers: int = 2, application: str = "stockport_hubs.wsgi", **env: str
    ) -> Site:
        """gunicorn on that database, answering."""
        port = free_port()
        command = ["-m", "gunicorn", "-c", "python:stockport_hubs.gunicorn_config", application]
        options = ["--bind", f"127.0.0.1:{port}", "--workers", str(workers), "--log-level", "warning"]
        url = f"http://127.0.0.1:{port}"
        variables = environment(database_url, SITE_URL=url, **env)
        process = self.process("gunicorn", *command, *options, env=variables)
        site = Site(process, url, database_url)
        process.wait_until(site.healthy)
        return site

    def celery_worker(self, database_url: str, redis_url: str, *, processes: int = 2, **env: str) -> Process:
        """A real worker, ready for messages."""
        variables = environment(database_url, REDIS_URL=redis_url, **env)
        command = ["-m", "celery", "-A", "stockport_hubs.celery", "worker", "-l", "INFO", "-c", str(processes)]
        worker = self.process("worker", *command, "-n", f"{uuid4().hex[:8]}@test", env=variables)
        worker.wait_until(lambda: " ready." in worker.text())
        return worker

    def runner(self, database_url: str, **env: str) -> Process:
        """The embedded job runner."""
        return self.process("runner", "manage.py", "run_jobs", env=environment(database_url, **env))

    def stop(self) -> list[str]:
        """End them all, the newest first; the errors they wrote since anyone last looked."""
        errors: list[str] = []
        while self.processes:
            process = self.processes.pop()
            process.stop()
            errors += process.new_errors()
        return errors
