"""Alarms that watch rows: the oldest due job, the oldest unsealed line, failed checks; readiness; the list of jobs."""

import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.urls import reverse
from django.utils import timezone

from stockport_hubs.accounts.models import Role
from stockport_hubs.audit import seals
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.home import health
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import CANCELLED, Job
from tests import factories
from tests.test_homes import home, text
from tests.test_jobs import kinds  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
OK = {"database": "ok", "migrations": "ok", "oldest_due_job": "ok", "audit_sealed": "ok"}
WAITS, UNSEALED = "Work in the background has waited since", "Lines of the audit have waited for their seal since"


@pytest.fixture
def world():
    return factories.World()


@pytest.fixture
def slow(kinds):  # noqa: F811
    kinds("test.slow", lambda work: None, label="Making something")
    return lambda key="one", **more: jobs.enqueue("test.slow", key=key, **more)


def ready(client) -> tuple[int, dict]:
    answer = client.get("/health/ready/")
    assert set(answer.json()) == {"ready", "parts"} and not answer.cookies
    return answer.status_code, answer.json()["parts"]


def ago(minutes: int):
    return timezone.now() - timedelta(minutes=minutes)


def make_due(minutes: int, **more) -> None:
    Job.objects.update(due_at=ago(minutes), **more)


def test_a_job_due_for_longer_than_15_minutes_is_an_alarm_for_whoever_answers(client, world, slow):
    admin = factories.user(Role.ADMINISTRATOR, world.council)
    slow()
    make_due(14)
    assert ready(client) == (200, OK) and WAITS not in home(client, world.manager)
    make_due(16)
    assert ready(client) == (503, OK | {"oldest_due_job": "late"})
    for user, sees in ((world.manager, True), (admin, True), (world.finance, False), (world.advisor, False)):
        assert (WAITS in home(client, user)) is sees
    make_due(16, lease_until=timezone.now() + timedelta(minutes=1), attempts=1)  # somebody works on it
    assert ready(client) == (200, OK)
    make_due(16, lease_until=None)
    jobs.pump()
    assert ready(client) == (200, OK)


def test_a_kind_that_nobody_knows_any_more_is_an_alarm_too(client, slow):
    slow()
    make_due(16, kind="test.forgotten")
    assert jobs.pump() == 0
    assert ready(client)[0] == 503


def test_a_line_unsealed_for_10_minutes_is_an_alarm(client, world):
    old = AuditEvent(at=ago(60 * 24), stored_at=ago(9), verb="core.test.made", job="test")
    old.save()
    assert ready(client) == (200, OK) and UNSEALED not in home(client, world.manager)
    seals.seal(at=timezone.now())
    AuditEvent(at=timezone.now(), stored_at=ago(11), verb="core.test.made", job="test").save()
    assert ready(client) == (503, OK | {"audit_sealed": "late"}) and UNSEALED in home(client, world.manager)
    seals.seal(at=timezone.now())
    assert ready(client) == (200, OK)


def test_readiness_names_the_database_and_pending_migrations_and_nothing_else(client, monkeypatch):
    monkeypatch.setattr(health, "_migrated", False)
    monkeypatch.setattr(health, "MigrationExecutor", lambda _: _executor(plan=["pantry.0099"]))
    assert ready(client) == (503, OK | {"migrations": "pending"})
    monkeypatch.undo()
    monkeypatch.setattr(health, "alarms", _broken)
    answer = client.get("/health/ready/")
    assert (answer.status_code, answer.json()["parts"]) == (
        503,
        {
            "database": "no answer",
            "migrations": "not known",
            "oldest_due_job": "not known",
            "audit_sealed": "not known",
        },
    )


def _executor(plan):
    graph = type("Graph", (), {"leaf_nodes": lambda self: []})()
    loader = type("Loader", (), {"graph": graph})()
    return type("Executor", (), {"loader": loader, "migration_plan": lambda self, nodes: plan})()


def _broken(now):
    raise OperationalError("password of postgres://hubs:secret@db")


def test_readiness_asks_two_queries_and_is_quick(client, django_assert_num_queries):
    client.get("/health/ready/")
    with django_assert_num_queries(2):
        began = time.monotonic()
        assert ready(client) == (200, OK)
    assert time.monotonic() - began < 0.5


# -- failed checks -----------------------------------------------------------------------------------------------------


def break_the_journal(world) -> None:
    from pantry.models import PrepaidBlock

    world.join()
    PrepaidBlock.objects.update(weekly_pence=351)


def test_a_night_that_finds_the_journal_broken_is_an_alarm_for_managers_and_finance_until_a_better_night(client, world):
    break_the_journal(world)
    jobs.enqueue("pantry.check_journal", key="pantry.check_journal:1")
    assert jobs.pump() == 0
    for user in (world.manager, world.finance):
        page = text(home(client, user))
        assert "Checking the journal" in page and "Block 1 of member 1" in page
    for user in (world.advisor, world.pantry_manager, factories.user(Role.ADMINISTRATOR, world.council)):
        assert "Block 1 of member 1" not in home(client, user)
    from pantry.models import PrepaidBlock

    PrepaidBlock.objects.update(weekly_pence=350)
    jobs.enqueue("pantry.check_journal", key="pantry.check_journal:2")
    assert jobs.pump() == 1
    assert "Checking the journal" not in home(client, world.finance)


def test_finance_has_the_check_done_again(client, world):
    job = jobs.enqueue("pantry.check_journal", key="pantry.check_journal:1")
    Job.objects.update(failed_at=timezone.now(), error="Block 1 of member 1 is out.")
    client.force_login(world.finance)
    assert client.post(reverse("jobs:retry", args=[job.pk])).url == reverse("home")
    event = AuditEvent.objects.get(verb="jobs.job.retried")
    assert (event.by, event.detail) == (world.finance, {"kind": "pantry.check_journal"})
    assert jobs.pump() == 1


def test_periodic_work_that_fails_every_minute_is_one_line(world):
    for n in range(5):
        jobs.enqueue("audit.seal", key=f"audit.seal:{n}")
    Job.objects.update(failed_at=timezone.now(), error="KeyError in x (y.py:1)")
    jobs.enqueue("pantry.check_journal", key="pantry.check_journal:1")  # other work that goes well makes up for nothing
    Job.objects.filter(kind="pantry.check_journal").update(done_at=timezone.now())
    seen = Job.objects.for_user(world.manager, to_look_at=True)
    assert [job.key for job in seen] == ["audit.seal:4"]


def test_the_nightly_check_of_the_audit_names_what_was_altered(world):
    event = audit.record("core.test.made", at=timezone.now(), job="test")
    jobs.enqueue("audit.seal", key="audit.seal:1")
    jobs.enqueue("audit.check", key="audit.check:1")
    assert jobs.pump() == 2
    from tests.test_seals import superuser

    with superuser() as run:
        run("UPDATE audit_auditevent SET verb = 'x'")
    jobs.enqueue("audit.check", key="audit.check:2")
    assert jobs.pump() == 0
    [failed] = Job.objects.for_user(world.manager, to_look_at=True)
    assert failed.error.startswith(f"Audit event {event.pk} was altered after it was sealed on ")


# -- the list of jobs --------------------------------------------------------------------------------------------------


def listed(client, **asked) -> str:
    return text(client.get("/jobs/", asked).content.decode())


def test_the_list_of_jobs_shows_each_state_to_managers_and_administrators(client, world, slow):
    now, error = timezone.now(), "KeyError in x (y.py:1)"
    states = {
        "waiting": {},
        "running": {"lease_until": now + timedelta(minutes=1), "attempts": 1, "progress": 40},
        "failed": {"failed_at": now, "error": error},
        "stopped": {"failed_at": now, "error": CANCELLED},
        "done": {"done_at": now},
    }
    for state, fields in states.items():
        slow(state, asked_by=world.advisor)
        Job.objects.filter(key=state).update(**fields)
    client.force_login(world.manager)
    shown = {}
    for asked in ("", "open", "failed", "stopped", "done", "nonsense"):
        table = listed(client, state=asked).split("Jobs,")[-1]
        shown[asked] = [state for state in states if f"{state.capitalize()} " in table]
    assert shown == {
        "": ["waiting", "running", "failed"],
        "open": ["waiting", "running"],
        "failed": ["failed"],
        "stopped": ["stopped"],
        "done": ["done"],
        "nonsense": ["waiting", "running", "failed"],
    }
    assert "40%" in listed(client) and error in listed(client) and world.advisor.name in listed(client)


def test_the_list_holds_nothing_of_another_council_and_no_case_content_for_administrators(client, world, slow):
    other = factories.World()
    slow("ours"), slow("theirs", asked_by=other.advisor)
    Job.objects.update(failed_at=timezone.now(), error="Renewals failed for member 7.")
    client.force_login(world.manager)
    assert listed(client).count("Renewals failed for member 7.") == 1 and other.advisor.name not in listed(client)
    client.force_login(factories.user(Role.ADMINISTRATOR, world.council))
    assert "member 7" not in listed(client) and listed(client).count("A leaving care manager reads why.") == 2
    assert "Try again" not in listed(client)


@pytest.mark.parametrize("n", [1, 3, 60])
def test_the_list_asks_the_same_number_of_queries(client, world, slow, n, django_assert_num_queries):
    for k in range(n):
        slow(str(k), asked_by=world.advisor)
    client.force_login(world.manager)
    with django_assert_num_queries(4):
        page = client.get("/jobs/").content.decode()
    assert page.count("Making something") == min(n, 25)


def test_an_empty_list_says_so(client, world):
    client.force_login(world.manager)
    assert "Everything is done, and nothing has failed." in listed(client)
    assert "There is no work in this state." in listed(client, state="failed")


def test_frequent_periodic_rows_are_kept_for_two_days(kinds, monkeypatch):  # noqa: F811
    monkeypatch.setattr(jobs, "_handlers", {})
    kinds("test.often", lambda work: None, every_minutes=1)
    kinds("test.nightly", lambda work: None, every_minutes=24 * 60)
    old = timezone.now() - timedelta(days=3)
    for kind in ("test.often", "test.nightly"):
        Job.objects.create(kind=kind, key=f"{kind}:1", created_at=old, due_at=old, done_at=old)
    jobs.tick()
    assert not Job.objects.filter(key="test.often:1").exists() and Job.objects.filter(key="test.nightly:1").exists()
    assert connection.vendor
