"""The README's own commands: back up one installation, restore it into an empty one, and everything is there.

`docker` is stood in for by a script that runs the same words on throw-away servers, with the environment of the service
in the compose file; every other command runs as it is written.
"""

import http.cookiejar
import io
import os
import re
import shlex
import shutil
import sqlite3
import stat
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command

from pantry.models import Collection
from tests.conftest import test_database_url
from tests.counter_scene import Counter
from tests.processes import ROOT, environment, manage
from tests.servers import PostgresServer, prepare
from tests.test_compose import compose

DOCKER = """#!/bin/sh
# docker compose [exec|run] [options] SERVICE words...   docker compose up -d [SERVICE]
shift; what=$1; shift
while [ "${1#-}" != "$1" ]; do shift; done
if [ $what = up ]; then
    [ "$1" = postgres ] && exit 0
    cd ROOT && exec env ENVIRONMENT sh -c MIGRATE
fi
service=$1; shift
[ $service = postgres ] && exec env PGHOST=127.0.0.1 PGPORT=PORT "BINARIES/$@"
cd ROOT && exec env ENVIRONMENT "$@"
"""


def commands(heading: str) -> str:
    """The block of code below a heading of the README."""
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert section
    return "".join(re.findall(r"^```\n(.*?)^```$", section[1], re.DOTALL | re.MULTILINE))


class Machine:
    """A folder to type commands in, and the PostgreSQL its `docker compose` speaks to."""

    def __init__(self, folder: Path, port: int) -> None:
        folder.mkdir()
        self.folder, self.url = folder, f"postgres://hubs@127.0.0.1:{port}/hubs"
        values = {"DATABASE_URL": self.url, "DJANGO_SETTINGS_MODULE": "stockport_hubs.settings.test"}
        script = DOCKER.replace("ROOT", str(ROOT)).replace("PORT=PORT", f"PORT={port}")
        script = script.replace("ENVIRONMENT", shlex.join(f"{name}={value}" for name, value in values.items()))
        script = script.replace("MIGRATE", shlex.quote(compose()["services"]["migrate"]["command"][2]))
        docker = folder / "docker"
        docker.write_text(script.replace("BINARIES", str(prepare.postgres_bin())))
        docker.chmod(docker.stat().st_mode | stat.S_IXUSR)

    def type(self, lines: str) -> str:
        """Type the lines into a shell that stops at the first that fails; what they print."""
        path = f"{self.folder}:{prepare.PYTHON.parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-e"], input=lines, cwd=self.folder, env={**environment(self.url), "PATH": path},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.returncode}\n{done.stdout}"
        return done.stdout

    def counts(self) -> dict[str, int]:
        """Rows of every table, asked for without the project's own command."""
        with psycopg.connect(self.url) as connection:
            names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            return {n: connection.execute(f'SELECT COUNT(*) FROM "{n}"'.encode()).fetchone()[0] for (n,) in names}  # type: ignore[index]  # noqa: S608


def role_and_database(port: int) -> None:
    """What the image of the compose file makes from POSTGRES_USER and POSTGRES_DB."""
    with psycopg.connect(f"postgres://postgres@127.0.0.1:{port}/postgres", autocommit=True) as connection:
        connection.execute("CREATE ROLE hubs SUPERUSER LOGIN")
        connection.execute("CREATE DATABASE hubs OWNER hubs")


def signs_in(site_url: str, email: str) -> str:
    """The address one stands at after signing in."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    page = browser.open(f"{site_url}/accounts/login/").read().decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    typed = {"csrfmiddlewaretoken": token[1], "login": email, "password": "sample-pilot-2026"}
    return browser.open(f"{site_url}/accounts/login/", urllib.parse.urlencode(typed).encode()).url[len(site_url) :]


@pytest.mark.postgres
@pytest.mark.promise("D2")
@pytest.mark.django_db(transaction=True)
def test_a_backup_restored_into_an_empty_installation_is_the_same(tmp_path, started):
    # Given an installation with members, money, collections and an audit trail
    scene = Counter()
    for number in range(6):
        scene.record(scene.join(), fruit_and_veg=number % 2 == 0)
    assert Collection.objects.count() == 6
    with PostgresServer() as one, PostgresServer() as other:
        role_and_database(one.port)
        dump = f"pg_dump '{test_database_url()}' | psql --quiet --set ON_ERROR_STOP=1 '{one.url('hubs')}' > /dev/null"
        subprocess.run(dump, shell=True, check=True, env={**os.environ, "PATH": f"{one.binaries}:{os.environ['PATH']}"})
        here, there = Machine(tmp_path / "one", one.port), Machine(tmp_path / "other", other.port)
        # when the README's lines are typed on one machine, the files carried to an empty one, and restored there
        here.type(commands("Back up"))
        before = here.counts()
        role_and_database(other.port)
        for name in ("hubs.dump", "hubs.counts"):
            shutil.copy(here.folder / name, there.folder)
        said = there.type(commands("Restore"))
        # then rows, journal and sign-in are the same, and insert-only tables still refuse
        assert before["pantry_collection"] == 6 and before["audit_auditevent"] > 6
        assert there.counts() == before
        journal = io.StringIO()
        call_command("check_journal", stdout=journal)
        assert said.splitlines()[-1] == journal.getvalue().splitlines()[-1] == "journal ok: 6 entries, bought £606.00"
        assert signs_in(started.site(there.url).url, scene.volunteer.email) == "/pantry/today/"
        with psycopg.connect(there.url) as connection, pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute("DELETE FROM pantry_journalline")
        # a second restore over it, or rows that are missing, are refused
        with pytest.raises(AssertionError, match="already exists"):
            there.type(commands("Restore"))
        with psycopg.connect(there.url) as connection:
            connection.execute("DELETE FROM pantry_selecteditem")
        with pytest.raises(AssertionError, match="< pantry_selecteditem"):
            there.type(commands("Restore").splitlines()[2])


@pytest.mark.sqlite
def test_a_backup_of_sqlite_restored_is_the_same(tmp_path, fresh_database):
    folder = tmp_path / "machine"
    folder.mkdir()
    (folder / ".venv").symlink_to(ROOT / ".venv")
    (folder / "manage.py").symlink_to(ROOT / "manage.py")
    live = folder / "db.sqlite3"
    shutil.copy(fresh_database.removeprefix("sqlite:///"), live)
    env = environment(f"sqlite:///{live}")

    def type_in(lines: str) -> str:
        done = subprocess.run(["sh", "-e"], input=lines, cwd=folder, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    backup, restore = re.split(r"(?=rm -f)", commands("One machine with SQLite"))
    manage(env["DATABASE_URL"], "invite", "a@example.net", "--role", "administrator", "--organisation", "A council")
    type_in(backup)
    with sqlite3.connect(live) as connection:  # the disk is hurt
        connection.execute("DROP TABLE accounts_user")
    connection.close()
    assert type_in(restore).splitlines()[-1] == "journal ok: 0 entries, bought £0.00"
    with sqlite3.connect(live) as connection:
        assert connection.execute("SELECT email FROM accounts_user").fetchall() == [("a@example.net",)]
    connection.close()
