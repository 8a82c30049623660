"""`make run`: bring the database up to date, then keep the web server and the job runner going until told to stop."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE = 3.0  # seconds from the polite signal to the one nobody can refuse


def say(text: str) -> None:
    """One line, at once."""
    print(text, flush=True)


def port_number() -> int:
    """PORT, or 8000; a port that is taken ends the start at once with a sentence."""
    text = os.environ.get("PORT") or "8000"
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        sys.exit(f"PORT={text!r} is not a port number from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as why:
            sys.exit(f"Port {text} cannot be used ({why.strerror}). Choose another: make run PORT=8010")
    return int(text)


def bring_database_up_to_date() -> None:
    """Migrations, the cache table, and the sample pilot when there is nobody yet (SAMPLE=0: nothing)."""
    import django
    from django.core.management import call_command, get_commands
    from django.db import connections

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    from django.contrib.auth import get_user_model

    if os.environ.get("SAMPLE", "1") != "0" and not get_user_model().objects.exists():
        if "load_sample_pilot" in get_commands():
            say("Loading the sample pilot …")
            call_command("load_sample_pilot")
            call_command("load_postcodes")  # its postcodes are the town's: an advisor sees which pantry is the nearest
        else:
            say("There is no sample pilot to load yet; the database stays empty.")
    connections.close_all()


def start(*module: str) -> subprocess.Popen:
    """A child in a process group of its own, so that whatever it starts can be ended with it. It also ends when this
    process is killed outright."""
    dies_with_us = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
    return subprocess.Popen([*dies_with_us, sys.executable, *module], cwd=ROOT, start_new_session=True)


def stop_once(number: int, frame: object) -> None:
    """Leave by way of `finally`, once: a group that is told to stop gets the signal twice, from make as well."""
    for each in STOP_SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    sys.exit(0)


def end(children: list[subprocess.Popen]) -> None:
    """Ask every group to stop, and after the grace make it."""
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(max(0.0, deadline - time.monotonic()))
    for child in children:  # also what a child that has gone left behind in its group
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


class Maker:
    """The `make` that started us, if any. It waits for us to end, and passes SIGINT and SIGHUP on to nobody:
    a stop sent to its process alone shows only as that signal being blocked in it."""

    def __init__(self) -> None:
        self.pid = os.getppid()
        self.is_make = "make" in self._read("comm")
        self.blocked = self._blocked()

    def _read(self, name: str) -> str:
        try:
            return Path(f"/proc/{self.pid}/{name}").read_text()
        except OSError:
            return ""

    def _blocked(self) -> int:
        found = re.search(r"^SigBlk:\s*([0-9a-f]+)", self._read("status"), re.MULTILINE)
        return int(found[1], 16) if found else 0

    def was_told_to_stop(self) -> bool:
        """True when make has gone, or has been given one of the stop signals."""
        if not self.is_make:
            return False
        newly = self._blocked() & ~self.blocked
        return os.getppid() != self.pid or any(newly >> (number - 1) & 1 for number in STOP_SIGNALS)


def healthy(port: int) -> bool:
    """Does the site answer?"""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


def keep_going(children: dict[str, subprocess.Popen], port: int, maker: Maker) -> int:
    """Watch until one part ends by itself (1) or make is told to stop (0)."""
    announced = False
    while not maker.was_told_to_stop():
        for name, child in children.items():
            if child.poll() is not None:
                say(f"The {name} ended by itself ({child.returncode}); stopping everything.")
                return 1
        if not announced and healthy(port):
            say(f"Stockport Hubs is on http://127.0.0.1:{port} (Ctrl+C stops it)")
            announced = True
        time.sleep(0.2)
    return 0


def main() -> int:
    """The whole life of `make run` after the machine is ready."""
    maker = Maker()
    port = port_number()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stockport_hubs.settings.local")
    os.environ.setdefault("SITE_URL", f"http://127.0.0.1:{port}")
    children: dict[str, subprocess.Popen] = {}
    for number in STOP_SIGNALS:
        signal.signal(number, stop_once)
    try:
        bring_database_up_to_date()
        children["web server"] = start(
            "-m", "gunicorn", "-c", "python:stockport_hubs.gunicorn_config", "stockport_hubs.wsgi",
            "--bind", f"127.0.0.1:{port}", "--workers", "2", "--graceful-timeout", "2", "--preload",
            "--log-level", "warning",
        )  # fmt: skip
        children["job runner"] = start("manage.py", "run_jobs")
        return keep_going(children, port, maker)
    finally:
        end(list(children.values()))


if __name__ == "__main__":
    sys.exit(main())
