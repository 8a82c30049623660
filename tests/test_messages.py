"""E-mails: sent at most once; asked at the last moment whether they may go; what is not known is left to a human."""

import smtplib
import threading
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, transaction
from django.utils import timezone

from careleavers.models import CareLeaver
from careleavers.services import people
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job
from stockport_hubs.notifications import services
from stockport_hubs.notifications.models import Message
from tests import factories
from tests.test_introductions import AT, introduce
from tests.test_introductions import clock as clock

URL = "/messages/"


def one_pantry_manager() -> factories.World:
    """A world in which one person is told about introductions."""
    world = factories.World()
    User.objects.filter(role=Role.PANTRY_MANAGER).exclude(pk=world.pantry_manager.pk).update(is_active=False)
    return world


@pytest.fixture
def world(db):
    return one_pantry_manager()


@pytest.fixture
def message(world) -> Message:
    """To the pantry's manager: an introduction waits. Not sent yet."""
    introduce(world)
    return Message.objects.get()


def long_ago() -> None:
    Message.objects.update(claimed_at=timezone.now() - timedelta(minutes=3))


def state(message) -> str:
    return Message.objects.get(pk=message.pk).state(timezone.now())


def dies_while(monkeypatch, error: BaseException) -> None:
    """Whoever sends ends there, after the claim has been committed."""

    def send_messages(self, messages):
        raise error

    monkeypatch.setattr(EmailBackend, "send_messages", send_messages)


def test_no_text_and_no_address_is_stored_before_or_after(message, world):
    stored = {field.attname for field in Message._meta.fields}
    assert stored == {
        "id", "kind", "key", "to_id", "ids", "created_at", "claimed_at", "sent_at", "refused_at", "refused_because",
        "settled_at", "settled_by_id",
    }  # fmt: skip
    assert jobs.pump() == 1 and state(message) == "sent"
    [sent] = mail.outbox
    assert sent.to == [world.pantry_manager.email] and "Sign in to read it" in sent.body
    everything = str(list(Message.objects.values())) + str(list(Job.objects.values()))
    assert world.pantry_manager.email not in everything and "Ash" not in everything and "Sign in" not in everything


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda world: CareLeaver.objects.update(died_on="2026-04-08"), "The introduction is not theirs any more."),
        (lambda world: type(world.pantry_manager).objects.update(is_active=False), "The account is not active."),
    ],
)
def test_what_may_not_go_is_kept_as_not_sent_with_its_reason(message, world, change, reason, monkeypatch):
    change(world)
    monkeypatch.setattr(services, "get_connection", lambda: pytest.fail("no mail server is asked"))
    assert jobs.pump() == 1
    message.refresh_from_db()
    assert (state(message), message.refused_because, mail.outbox) == ("not sent", reason, [])
    assert message.claimed_at is None


@pytest.mark.postgres
@pytest.mark.parametrize("locked", [True, False])
@pytest.mark.django_db(transaction=True)
def test_a_death_recorded_at_the_same_moment_is_waited_for(locked, monkeypatch):
    """The transaction that records it is open while the message is claimed; without the lock the message goes."""
    world = one_pantry_manager()
    referral = introduce(world)
    if not locked:
        real = CareLeaver.objects.all().__class__.select_for_update
        monkeypatch.setattr(
            CareLeaver.objects.all().__class__, "select_for_update",
            lambda self, **how: self.all() if threading.current_thread().name == "sender" else real(self, **how),
        )  # fmt: skip
    sender = threading.Thread(target=lambda: (jobs.pump(), connection.close()), name="sender")
    with transaction.atomic():
        people.edit(care_leaver=referral.care_leaver, by=world.manager, at=AT, died_on=AT.date())
        sender.start()
        sender.join(1.5)
        waited = sender.is_alive()
    sender.join()
    assert (waited, len(mail.outbox)) == ((True, 0) if locked else (False, 1))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ConnectionResetError("lost")])
def test_a_claim_that_died_in_the_middle_is_unknown_and_never_sent_again_by_itself(message, monkeypatch, error):
    dies_while(monkeypatch, error)
    if isinstance(error, KeyboardInterrupt):  # the worker is gone; its lease runs out, and the job is taken up again
        with pytest.raises(KeyboardInterrupt):
            jobs.pump()
        assert state(message) == "sending"
        Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        assert jobs.pump() == 1
    else:
        assert jobs.pump() == 1
    long_ago()
    monkeypatch.undo()
    services.deliver(message.pk)
    assert (state(message), mail.outbox) == ("unknown", [])


def test_a_mail_server_that_does_not_answer_costs_an_attempt_and_nothing_else(message, monkeypatch):
    def refuse(self):
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailBackend, "open", refuse, raising=False)
    assert jobs.pump() == 0
    assert (state(message), Job.objects.get(kind="notifications.deliver").attempts) == ("waiting", 1)
    monkeypatch.undo()
    Job.objects.update(due_at=timezone.now())
    assert jobs.pump() == 1 and len(mail.outbox) == 1


def test_an_address_the_mail_server_refuses_is_not_sent_and_says_so(message, monkeypatch):
    dies_while(monkeypatch, smtplib.SMTPDataError(550, b"nobody Quillfeather here"))
    jobs.pump()
    message.refresh_from_db()
    assert (state(message), message.refused_because) == ("not sent", "The mail server refused it (550).")


# -- a human decides ---------------------------------------------------------------------------------------------------


@pytest.fixture
def unknown(message, monkeypatch) -> Message:
    with monkeypatch.context() as patched:
        dies_while(patched, ConnectionResetError("lost"))
        jobs.pump()
    long_ago()
    return message


def test_managers_of_the_organisation_see_it_and_settle_it(client, world, unknown):
    client.force_login(world.pantry_manager)
    assert "1 email may not have arrived" in client.get("/").content.decode()
    page = client.get(URL).content.decode()
    assert "An introduction to answer" in page and "Unknown" in page and world.pantry_manager.name in page
    assert "settled" in client.post(f"{URL}{unknown.pk}/settle/", follow=True).content.decode()
    assert "may not have arrived" not in client.get("/").content.decode()
    assert "Every email so far was sent" in client.get(URL).content.decode()
    assert "Settled" in client.get(URL, {"state": "settled"}).content.decode()
    event = AuditEvent.objects.get(verb="notifications.message.settled")
    assert (event.by, event.target_id) == (world.pantry_manager, unknown.pk)
    again = client.post(f"{URL}{unknown.pk}/again/", follow=True).content.decode()
    assert "Nothing is to be decided about this email any more" in again and jobs.pump() == 0


def test_sent_again_is_a_new_message_that_is_asked_again_and_sent_once(client, world, unknown):
    client.force_login(world.pantry_manager)
    for _ in range(2):
        client.post(f"{URL}{unknown.pk}/again/")
    assert (jobs.pump(), len(mail.outbox), state(unknown)) == (1, 1, "settled")
    assert AuditEvent.objects.filter(verb="notifications.message.sent_again").count() == 1


def test_each_organisation_sees_its_own_and_others_get_404_or_403(client, world, unknown):
    other = factories.World()
    for user, status in (
        (world.manager, 404),  # a message to the pantry is the pantry's
        (other.pantry_manager, 404),
        (world.advisor, 403),
        (world.finance, 403),
        (world.volunteer, 403),
    ):
        client.force_login(user)
        assert client.post(f"{URL}{unknown.pk}/settle/").status_code == status
        assert "An introduction to answer" not in client.get(URL).content.decode()
    client.force_login(factories.user(Role.ADMINISTRATOR))
    assert "An introduction to answer" in client.get(URL).content.decode()


@pytest.mark.parametrize("n", [1, 3])
def test_the_list_asks_the_same_number_of_queries(client, world, n, django_assert_num_queries):
    for _ in range(n):
        introduce(world)
    client.force_login(world.pantry_manager)
    with django_assert_num_queries(4):
        page = client.get(URL, {"state": "waiting"}).content.decode()
    assert page.count("An introduction to answer</th>") == n
    assert "There is no email in this state." in client.get(URL, {"state": "sent"}).content.decode()
