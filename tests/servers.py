"""Throw-away servers for tests, proofs, benchmarks and pictures: PostgreSQL, Redis, and fresh migrated databases.

Each has a free port and a temporary folder, is ended by its own process id, and dies with the process that started it.
No system service is used or touched.
"""

import os
import shutil
import signal
import socket
import sys
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from uuid import uuid4

import psycopg

from tests.processes import ROOT, Process, free_port, python

sys.path.insert(0, str(ROOT / "tools"))
import prepare  # tools/ is not a package: it runs before anything is installed

MIGRATE = """
import gc; gc.disable()  # a third faster: models are made anew with every step
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable")
"""


class Server(ABC):
    """What the servers share: a temporary folder, start, stop, `with`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hubs-"))
        self.port = free_port()
        self.process: Process

    @abstractmethod
    def start(self) -> None:
        """Have it answer on its port."""

    def stop(self) -> None:
        """End it and leave nothing on the disk."""
        self.process.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """`kill -9`; `start()` brings it back on the same files and port."""
        self.process.kill()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.stop()


AS_DEPLOYED = ["jit=off", "random_page_cost=1.1"]  # docker-compose.yml


class PostgresServer(Server):
    """PostgreSQL on its own files; as root it runs as the postgres user. durable=True keeps what it acknowledged."""

    def __init__(self, *, durable: bool = False) -> None:
        super().__init__()
        self.durable = durable
        self.user = "postgres" if os.geteuid() == 0 else ""
        binaries = prepare.postgres_bin()
        assert binaries, "no PostgreSQL 14 or later in /usr/lib/postgresql"
        self.binaries = binaries

    def start(self) -> None:
        data, log = self.folder / "data", self.folder / "log"
        if not data.exists():
            if self.user:
                shutil.chown(self.folder, self.user, self.user)
            init = [str(self.binaries / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync"]
            made = Process([*init, "--encoding=UTF8", "--locale=C.UTF-8"], log=log, user=self.user)
            assert made.process.wait() == 0, made.text()
        off = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"]
        own = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=300", *AS_DEPLOYED]
        options = [part for option in own + ([] if self.durable else off) for part in ("-c", option)]
        command = [str(self.binaries / "postgres"), "-D", str(data), "-p", str(self.port), *options]
        self.process = Process(command, log=log, user=self.user)
        self.process.wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        super().kill()
        (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def url(self, database: str) -> str:
        """The DATABASE_URL of one of its databases."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"


class RedisServer(Server):
    """Redis in memory only."""

    def start(self) -> None:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        self.process = Process([*command, "--save", "", "--appendonly", "no"], log=self.folder / "log")
        self.process.wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
                line.sendall(b"PING\r\n")
                return line.recv(7) == b"+PONG\r\n"
        except OSError:
            return False

    @property
    def url(self) -> str:
        """The REDIS_URL."""
        return f"redis://127.0.0.1:{self.port}/0"


class Databases:
    """Fresh databases with all migrations done: copies of one that is migrated once."""

    def __init__(self, folder: Path, server_url: str = "", *, template: str = "") -> None:
        self.folder = folder
        self.server_url = server_url  # any database on a PostgreSQL server; empty: SQLite
        self.template = template  # migrated by whoever started this run, or nothing yet

    def migrated(self) -> str:
        """The DATABASE_URL of the one that is copied; nobody connects to it."""
        if not self.template:
            template = self._empty()
            python(template, "-c", MIGRATE)
            self.template = template
        return self.template

    def fresh(self) -> str:
        """The DATABASE_URL of a new one."""
        return self._empty(self.migrated())

    def _empty(self, like: str = "") -> str:
        name = f"fresh_{uuid4().hex[:12]}"
        if not self.server_url:
            path = self.folder / f"{name}.sqlite3"
            if like:
                shutil.copy(like.removeprefix("sqlite:///"), path)
            return f"sqlite:///{path}"
        copied = f'TEMPLATE "{like.rpartition("/")[2]}"' if like else ""
        with psycopg.connect(self.server_url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" {copied}'.encode())
        return f"{self.server_url.rpartition('/')[0]}/{name}"
