"""The progress page: only for whoever asked; it leads on when the work is done, and says what to do when it failed."""

import pytest
from django.urls import reverse
from django.utils import timezone

from stockport_hubs.accounts.models import Role
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
THEN = "/reviews/"


@pytest.fixture(autouse=True)
def kind(monkeypatch):
    monkeypatch.setattr(jobs, "_handlers", dict(jobs._handlers))
    jobs.handler("test.build", seconds=5, label="Building the pack")(lambda work: None)


@pytest.fixture
def asker():
    return factories.user(Role.LEAVING_CARE_MANAGER)


@pytest.fixture
def job(asker):
    return jobs.enqueue("test.build", key="one", asked_by=asker)


def url(name: str, job: Job) -> str:
    return reverse(f"jobs:{name}", args=[job.pk])


def test_the_page_shows_how_far_the_work_is_and_reloads_itself_without_script(client, asker, job):
    client.force_login(asker)
    page = client.get(url("progress", job)).content.decode()
    assert "Building the pack" in page and "Waiting for its turn" in page
    Job.objects.update(attempts=1, progress=40, progress_note="Drawing charts")
    page = client.get(url("progress", job)).content.decode()
    assert "Drawing charts" in page and "40%" in page and 'http-equiv="refresh"' in page


def test_done_leads_to_the_result_and_never_off_the_site(client, asker, job):
    jobs.pump()
    client.force_login(asker)
    assert client.get(url("progress", job), {"next": THEN}).url == THEN
    for elsewhere in ("https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example", ""):
        response = client.get(url("progress", job), {"next": elsewhere})
        assert response.status_code == 200 and "evil" not in response.content.decode()
        assert 'http-equiv="refresh"' not in response.content.decode()


def test_stopping_before_it_begins_ends_it_and_it_can_be_begun_again(client, asker, job):
    client.force_login(asker)
    assert client.post(url("cancel", job), {"next": THEN}).url == f"{url('progress', job)}?next=%2Freviews%2F"
    page = client.get(url("progress", job)).content.decode()
    assert "stopped" in page and "Try again" in page
    client.post(url("retry", job))
    assert jobs.pump() == 1
    page = client.post(url("cancel", job), follow=True).content.decode()
    assert "nothing to stop" in page


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("KeyError in build (packs.py:12)", "give this line to whoever looks after the system"),
        ("The meeting has no period. Set one first.", "Set one first."),
    ],
)
def test_a_failure_says_what_to_do_and_can_be_tried_again(client, asker, job, error, words):
    Job.objects.update(failed_at=timezone.now(), attempts=5, error=error)
    client.force_login(asker)
    page = client.get(url("progress", job)).content.decode()
    assert words in page and error in page
    client.post(url("retry", job))
    job.refresh_from_db()
    assert (job.failed_at, job.attempts) == (None, 0)
    assert "nothing to try again" in client.post(url("retry", job), follow=True).content.decode()


def test_somebody_elses_work_is_404_and_changes_nothing(client, job):
    for role in Role:
        client.force_login(factories.user(role))
        statuses = {
            client.get(url("progress", job)).status_code,
            client.post(url("cancel", job)).status_code,
            client.post(url("retry", job)).status_code,
        }
        assert statuses == {404}
    job.refresh_from_db()
    assert (job.failed_at, job.cancel_asked_at) == (None, None)


def test_a_manager_tries_failed_work_of_nobody_again_from_the_home_page(client, asker):
    job = jobs.enqueue("test.build", key="system")
    Job.objects.filter(pk=job.pk).update(failed_at=timezone.now(), error="KeyError in x (y.py:1)")
    client.force_login(asker)
    page = client.get(reverse("home")).content.decode()
    assert url("retry", job) in page and "KeyError in x" in page
    assert client.get(url("progress", job)).status_code == 404
    assert client.post(url("retry", job)).url == reverse("home")
    assert "KeyError in x" not in client.get(reverse("home")).content.decode()
    assert jobs.pump() == 1
