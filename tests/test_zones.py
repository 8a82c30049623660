"""The rulebook's figures wherever the server thinks it is: every test marked `vectors` runs in each of four zones."""

import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import connection

from stockport_hubs.core import clock
from stockport_hubs.core.weeks import london_date
from tests.conftest import ON_POSTGRES, ZONES
from tests.processes import ROOT

# Half past midnight on Monday 6 April 2026 in London, where the clocks have changed.
MOMENT = datetime(2026, 4, 5, 23, 30, tzinfo=UTC)
DAY = {"Europe/London": 6, "UTC": 5, "Pacific/Auckland": 6, "America/Los_Angeles": 5}


@pytest.mark.vectors
@pytest.mark.django_db
def test_the_day_is_londons_in_every_zone_and_a_naive_one_would_not_be(server_zone):
    with time_machine.travel(MOMENT.timestamp(), tick=False):
        assert (clock.today(), london_date(clock.now())) == (date(2026, 4, 6), date(2026, 4, 6))
        assert date.today().day == DAY[server_zone]  # noqa: DTZ011 - the fault that the vectors would show
    if ON_POSTGRES:
        with connection.cursor() as cursor:
            cursor.execute("SELECT (%s::timestamptz)::date", [MOMENT])
            assert cursor.fetchone()[0].day == DAY[server_zone]


@pytest.mark.slow
@pytest.mark.promise("M5")
@pytest.mark.parametrize("kind", [pytest.param("PostgreSQL", marks=pytest.mark.postgres), "SQLite"])
def test_every_vector_is_exact_in_four_zones(kind, figures):
    command = [sys.executable, "-m", "pytest", "--every-zone", "-m", "vectors", "tests"]
    env = {name: value for name, value in os.environ.items() if kind == "PostgreSQL" or name != "DATABASE_URL"}
    done = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert done.returncode == 0 and passed and f"\nRan on {kind}" in done.stdout, done.stdout[-3000:]
    figures(f"{passed[1]} figures and days on {kind}, exact in {', '.join(ZONES)}")
