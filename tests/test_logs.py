"""No personal data in logs and queue messages: everything is typed everywhere, and nothing of it is found again."""

import io
import json
import logging
import re
import subprocess
import sys
import uuid

import pytest
import redis
from django.db import transaction
from django.urls import reverse

from stockport_hubs import pdf
from stockport_hubs.accounts.models import Role
from stockport_hubs.core.logs import FIELDS, JsonFormatter
from tests.processes import ROOT, environment
from tests.servers import RedisServer
from tests.test_url_table import TABLE, address, ours
from tests.world import make_scheme, small_pdf

TYPED = "Zebedee Quillfeather"  # a name, typed into every field, address and header
KEYS = {"time", "level", "logger", "message", "request", "error", *FIELDS}


class Log:
    """What goes to the log from INFO on."""

    def __init__(self, formatter: logging.Formatter) -> None:
        self.out = io.StringIO()
        self.handler = logging.StreamHandler(self.out)
        self.handler.setFormatter(formatter)

    def __enter__(self) -> "Log":
        self.level = logging.getLogger().level
        logging.getLogger().addHandler(self.handler)
        logging.getLogger().setLevel(logging.INFO)
        return self

    def __exit__(self, *_) -> None:
        logging.getLogger().removeHandler(self.handler)
        logging.getLogger().setLevel(self.level)

    @property
    def text(self) -> str:
        return self.out.getvalue()

    @property
    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.text.splitlines()]


def type_everywhere(client, scheme) -> int:
    """Every page of the first role that may see it: searched for, and its form sent, with that name in every field."""
    client.raise_request_exception = False
    sent = 0
    for name, _ in ours():
        role = next((role for role in Role if role in TABLE[name].roles), None)
        client.force_login(scheme["users"][role])
        url = address(name, scheme, role)
        with transaction.atomic():
            page = client.get(
                url, {"q": TYPED, "next": f"/{TYPED}/"}, headers={"X-Request-ID": TYPED, "Referer": TYPED}
            )
            html = page.content.decode(errors="replace") if not page.streaming else ""
            fields = dict.fromkeys(re.findall(r'name="([a-z_0-9-]+)"', html.partition("<main")[2]), TYPED)
            client.post(url, {**fields, "note": TYPED, "reason": TYPED, "next": TYPED})
            transaction.set_rollback(True)
        sent += len(fields)
    client.get(f"/people/{TYPED}/")
    client.get("/", {"q": f"{TYPED}\0"})
    client.logout()
    client.post(reverse("account_login"), {"login": "zebedee.quillfeather@example.org", "password": TYPED})
    return sent


@pytest.mark.sqlite
@pytest.mark.crawls
@pytest.mark.django_db
@pytest.mark.logs_errors
def test_a_name_typed_into_everything_is_in_no_line(client, monkeypatch):
    printed = small_pdf()  # what is printed is not looked at
    monkeypatch.setattr(pdf, "from_html", lambda html, **limits: printed)
    scheme = make_scheme("Own")
    with Log(JsonFormatter()) as log, Log(logging.Formatter()) as control:
        assert type_everywhere(client, scheme) > 100
        monkeypatch.setattr("stockport_hubs.home.council.overview", _broken)
        client.force_login(scheme["users"][Role.LEAVING_CARE_MANAGER])
        assert client.get("/").status_code == 500
        logging.getLogger("some.package").error("Sent to %s", TYPED)
    assert "Quillfeather" in control.text, "the control: ordinary lines do hold it"
    assert "uillfeather" not in log.text.lower()
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", log.text), "no ids in addresses either"
    assert {key for line in log.lines for key in line} == KEYS
    statuses = {line["status"] for line in log.lines if "status" in line}
    assert {200, 302, 404, 400, 500} <= statuses
    [broken] = [line for line in log.lines if line.get("status") == 500]
    assert (broken["method"], broken["route"]) == ("GET", "")
    [error] = [line for line in log.lines if "error" in line and line["level"] == "ERROR"]
    assert error["error"].endswith("builtins.ValueError") and "in _broken" in error["error"]
    assert error["request"] == broken["request"]
    [outside] = [line for line in log.lines if line["logger"] == "some.package"]
    assert outside["message"] == "Sent to %s" and "request" not in outside


def _broken(*_):
    raise ValueError(f"duplicate key: ({TYPED})")


@pytest.mark.sqlite
@pytest.mark.django_db
def test_a_request_has_one_line_and_a_proxys_id_is_taken_over(client):
    given = uuid.uuid4().hex
    with Log(JsonFormatter()) as log:
        client.get("/people/", headers={"X-Request-ID": given})
        client.generic("BREW", "/accounts/login/")
    first, second = (line for line in log.lines if "route" in line)
    assert (first["request"], first["method"], first["route"], first["status"]) == (given, "GET", "people/", 302)
    assert isinstance(first["ms"], int) and first["level"] == "INFO"
    assert (second["method"], len(second["request"])) == ("other", 32)


ENQUEUE = f"""
import django
django.setup()
from stockport_hubs.jobs import services
job = services.enqueue("notifications.deliver", key="{TYPED}", ids={{"message": "{TYPED}"}})
print(job.pk)
"""


@pytest.mark.sqlite
def test_a_message_in_the_queue_holds_the_jobs_id_and_nothing_else(fresh_database):
    with RedisServer() as server:
        env = environment(fresh_database, REDIS_URL=server.url)
        done = subprocess.run([sys.executable, "-c", ENQUEUE], cwd=ROOT, env=env, capture_output=True, text=True)
        job = done.stdout.strip()
        queue = redis.Redis.from_url(server.url)
        raw = queue.lrange("celery", 0, -1)
        everything = b"".join(queue.dump(key) for key in queue.scan_iter())
        queue.close()
    assert len(raw) == 1, done.stderr
    message = json.loads(raw[0])
    assert message["headers"]["argsrepr"] == f"['{job}']" and message["headers"]["task"] == "jobs.pump"
    assert b"Quillfeather" not in everything and "Quillfeather" not in done.stderr
