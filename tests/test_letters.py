"""Messages to young people: at most once, only to those who agreed, and never after a death; sent by GOV.UK Notify or
by an advisor's hand."""

import base64
import hashlib
import hmac
import json
import random
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from careleavers.models import Letter
from careleavers.services import letters, people
from pantry.services import places
from referrals import letters as kinds
from referrals import services as referrals
from referrals.services import closures
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job
from stockport_hubs.notifications import notify
from tests import factories
from tests.test_introductions import AT, THURSDAY, introduce, person
from tests.test_introductions import clock as clock

pytestmark = pytest.mark.sqlite
SERVICE, SECRET = "5d5a7d1c-0b77-4f0c-9f7e-0c9b3f4d5e6a", "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"


class Notify(HTTPServer):
    """A server that takes messages as GOV.UK Notify does, and answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.taken: list[tuple[str, dict, str]] = []  # path, body, authorisation
        self.status = 201


class Answers(BaseHTTPRequestHandler):
    server: Notify

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 201:
            self.server.taken.append((self.path, body, self.headers["Authorization"]))
        content = json.dumps({"id": f"notify-{len(self.server.taken)}"}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    with Notify() as made:
        threading.Thread(target=made.serve_forever, daemon=True, kwargs={"poll_interval": 0.01}).start()
        yield made
        made.shutdown()


@pytest.fixture
def gov(server, settings):
    """GOV.UK Notify with a key."""
    settings.NOTIFY_API_KEY = f"hubs-{SERVICE}-{SECRET}"
    settings.NOTIFY_URL = f"http://127.0.0.1:{server.server_port}/base"
    settings.NOTIFY_TEXT_TEMPLATE, settings.NOTIFY_EMAIL_TEMPLATE = "text-template", "email-template"
    server.taken, server.status = [], 201
    return server


@pytest.fixture
def world(db):
    return factories.World()


def reachable(world, channel="text", is_safe=True, **more):
    """A young person who wants messages."""
    facts = {"phone": "07700 900123", "email": "ash@example.org"} | more
    made = person(world, **facts)
    letters.choose(care_leaver=made, channel=channel, is_safe=is_safe, asked_on=THURSDAY, by=world.advisor, at=AT)
    return made


def accepted(world, care_leaver):
    return referrals.accept(referral=introduce(world, care_leaver), by=world.pantry_manager, at=AT)


def pump() -> None:
    Job.objects.exclude(kind=letters.SEND).delete()
    Job.objects.update(due_at=timezone.now(), lease_until=None)
    jobs.pump()


def only() -> Letter:
    return Letter.objects.get()


# -- by GOV.UK Notify --------------------------------------------------------------------------------------------------


def test_a_text_goes_out_once_signed_and_in_plain_words(world, gov):
    member = accepted(world, reachable(world))
    for _ in range(2):
        pump()
        letters.deliver(only().pk)
    [(path, body, authorisation)] = gov.taken
    assert path == "/base/v2/notifications/sms"
    assert body == {
        "phone_number": "07700 900123",
        "template_id": "text-template",
        "reference": str(only().pk),
        "personalisation": {
            "message": f"Hello Ash. Your place is ready: {world.pantry}, 1 Example Street. Wednesday, 10:00 to 12:00. "
            f"First week: 13 April 2026. Your number is {member.number}. Questions? {world.advisor.name}"
        },
    }
    head, payload, signature = authorisation.removeprefix("Bearer ").split(".")
    made = hmac.digest(SECRET.encode(), f"{head}.{payload}".encode(), hashlib.sha256)
    assert base64.urlsafe_b64encode(made).rstrip(b"=").decode() == signature
    assert json.loads(base64.urlsafe_b64decode(payload + "=="))["iss"] == SERVICE
    assert (only().state(AT), only().channel, only().notify_id) == ("sent", "text", "notify-1")


def test_an_email_goes_to_who_asked_for_emails(world, gov):
    care_leaver = reachable(world, channel="email")
    accepted(world, care_leaver)
    Letter.objects.all().delete()
    kinds.ask_how(care_leaver=care_leaver, by=world.advisor, at=AT)
    pump()
    [(path, body, _)] = gov.taken
    assert (path, body["email_address"]) == ("/base/v2/notifications/email", "ash@example.org")
    assert body["personalisation"]["subject"] == "How are you?"
    with pytest.raises(Refused, match="this week already"):
        kinds.ask_how(care_leaver=care_leaver, by=world.advisor, at=AT + timedelta(days=1))


def test_nobody_who_said_nothing_or_no_is_written_to(world, gov):
    accepted(world, person(world, phone="07700 900123"))
    no = person(world, phone="07700 900124")
    letters.choose(care_leaver=no, channel="none", is_safe=False, asked_on=THURSDAY, by=world.advisor, at=AT)
    accepted(world, no)
    assert not Letter.objects.exists()
    with pytest.raises(Refused, match="They have not agreed to messages"):
        kinds.ask_how(care_leaver=no, by=world.advisor, at=AT)


def changes(world, care_leaver) -> dict:
    """What may happen between queueing and sending, and what is then said."""

    def choose(**more):
        said = {"channel": "text", "is_safe": True, "asked_on": THURSDAY} | more
        return lambda: letters.choose(care_leaver=care_leaver, by=world.advisor, at=AT, **said)

    def edit(**facts):
        return lambda: people.edit(care_leaver=care_leaver, by=world.manager, at=AT, **facts)

    return {
        "died": (edit(died_on=THURSDAY), "Nothing more is sent to this young person."),
        "died, day unknown": (edit(in_touch="DIED"), "Nothing more is sent to this young person."),
        "no": (choose(channel="none"), "They have not agreed to messages."),
        "not safe": (choose(is_safe=False), "Others might read it, they say."),
        "number gone": (edit(phone=""), "There is no number or address to send it to any more."),
        "another number": (
            edit(phone="07700 900999"),
            "The number or address has changed since they agreed. Ask them again.",
        ),
    }


@pytest.mark.parametrize("what", ["died", "died, day unknown", "no", "not safe", "number gone", "another number"])
def test_what_happens_between_queueing_and_sending_stops_it(world, gov, what):
    care_leaver = reachable(world)
    accepted(world, care_leaver)
    change, reason = changes(world, care_leaver)[what]
    change()
    pump()
    assert (gov.taken, only().state(AT), only().refused_because) == ([], "not sent", reason)
    assert only().claimed_at is None


def test_a_place_that_is_gone_or_paused_is_not_written_about(world, gov):
    care_leaver = reachable(world)
    accepted(world, care_leaver)
    referral = referrals_of(care_leaver)
    referrals.pause(referral=referral, reason="away", on=THURSDAY, by=world.advisor, at=AT)
    pump()
    assert (gov.taken, only().refused_because) == ([], "Their place is paused.")


def referrals_of(care_leaver):
    from referrals.models import Referral

    return Referral.objects.get(care_leaver=care_leaver)


@pytest.mark.parametrize(
    ("status", "state", "because"),
    [(400, "not sent", "GOV.UK Notify refused it (400)."), (500, "sending", ""), (429, "waiting", "")],
)
def test_what_notify_answers_decides_what_becomes_of_it(world, gov, status, state, because):
    accepted(world, reachable(world))
    gov.status = status
    pump()
    assert (only().state(AT), only().refused_because) == (state, because)
    gov.status = 201
    pump()
    assert len(gov.taken) == (1 if status == 429 else 0)  # one that it took nothing of is tried again, an unknown never
    if status == 500:
        assert only().state(AT + timedelta(hours=1)) == "unknown"


def test_a_notify_that_does_not_answer_costs_an_attempt_and_nothing_else(world, gov, settings):
    accepted(world, reachable(world))
    there, settings.NOTIFY_URL = settings.NOTIFY_URL, "http://127.0.0.1:9"
    pump()
    assert only().claimed_at is None
    settings.NOTIFY_URL = there
    pump()
    assert len(gov.taken) == 1


def test_shoppers_are_told_of_a_closure_and_that_it_is_withdrawn(world, gov):
    care_leaver = reachable(world)
    accepted(world, care_leaver)
    pump()
    closure = places.announce_closure(
        pantry=world.pantry, from_on=THURSDAY + timedelta(days=20), until_on=THURSDAY + timedelta(days=26),
        reason="Boiler", by=world.pantry_manager, at=AT,
    )  # fmt: skip
    closures.sweep(at=AT, job="test")
    pump()
    places.withdraw_closure(closure=closure, by=world.pantry_manager, at=AT)
    closures.sweep(at=AT, job="test")
    pump()
    said = [body["personalisation"]["message"] for _, body, _ in gov.taken[1:]]
    days = "29 April 2026 to 5 May 2026"
    assert said == [
        f"Hello Ash. {world.pantry} is closed: {days}. Your weeks are not used up.",
        f"Hello Ash. {world.pantry} opens after all: {days}.",
    ]


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_without_a_key_a_message_waits_for_the_advisor_who_takes_it_and_says_what_came_of_it(client, world):
    accepted(world, reachable(world))
    assert not Job.objects.filter(kind=letters.SEND).exists()
    client.force_login(world.advisor)
    listed = client.get(reverse("careleavers:letters")).content.decode()
    assert "Your place is ready" in listed and "07700" not in listed
    page = reverse("careleavers:letter", args=[only().pk])
    assert "07700" not in client.get(page).content.decode()
    taken = client.post(page, {"do": "take"}, follow=True).content.decode()
    assert "Send this text to 07700 900123" in taken and "Hello Ash." in taken
    client.force_login(world.manager)
    seen = client.get(page).content.decode()
    assert "07700" not in seen and f"Taken by {world.advisor.name}" in seen
    assert "taken already" in client.post(page, {"do": "take"}, follow=True).content.decode()
    assert "You have not taken this message" in client.post(page, {"do": "sent"}, follow=True).content.decode()
    client.force_login(world.advisor)
    assert "Recorded as sent." in client.post(page, {"do": "sent"}, follow=True).content.decode()
    assert (only().state(AT), only().claimed_by) == ("sent", world.advisor)
    detail = client.get(reverse("careleavers:detail", args=[only().care_leaver_id])).content.decode()
    assert "Your place is ready" in detail and "Sent</strong>" in detail


def test_a_death_after_taking_it_hides_the_words_and_before_taking_it_refuses(client, world):
    first, second = reachable(world), reachable(world, phone="07700 900124")
    for each in (first, second):
        accepted(world, each)
    client.force_login(world.advisor)
    pages = {each: reverse("careleavers:letter", args=[each.letters.get().pk]) for each in (first, second)}
    client.post(pages[first], {"do": "take"})
    for each in (first, second):
        people.edit(care_leaver=each, by=world.manager, at=AT, died_on=THURSDAY)
    shown = client.get(pages[first]).content.decode()
    assert "Do not send it any more." in shown and "07700" not in shown
    refused = client.post(pages[second], {"do": "take"}, follow=True).content.decode()
    assert "It is not to be sent: Nothing more is sent to this young person." in refused
    client.post(pages[first], {"do": "not_sent"})
    assert first.letters.get().refused_because == f"{world.advisor.name} did not send it."


def test_a_message_nobody_knows_about_is_decided_by_somebody(client, world, gov):
    accepted(world, reachable(world))
    gov.status = 500
    pump()
    gov.status = 201
    Letter.objects.update(claimed_at=AT - timedelta(minutes=3))
    client.force_login(world.advisor)
    page = reverse("careleavers:letter", args=[only().pk])
    assert "Nobody knows whether it went out" in client.get(page).content.decode()
    client.post(page, {"do": "again"})
    pump()
    assert len(gov.taken) == 1
    assert sorted(letter.state(AT) for letter in Letter.objects.all()) == ["sent", "settled"]
    client.post(page, {"do": "again"})
    assert Letter.objects.count() == 2


def test_no_text_number_or_address_is_stored_and_every_step_is_in_the_audit(client, world, gov):
    accepted(world, reachable(world))
    pump()
    stored = str(list(Letter.objects.values())) + str(list(Job.objects.values()))
    assert "07700" not in stored and "Hello" not in stored and "Ash" not in stored
    assert AuditEvent.objects.filter(verb="careleavers.letters.chosen").count() == 1


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_the_same_questions_however_long(client, world, rows, django_assert_num_queries):
    for _ in range(rows):
        accepted(world, reachable(world))
    client.force_login(world.advisor)
    with django_assert_num_queries(8):
        assert client.get(reverse("careleavers:letters")).content.decode().count("Your place is ready<") == rows


# -- no message twice or to a forbidden person -------------------------------------------------------------------------


class Killed(BaseException):
    """Whoever sends dies here."""


class History:
    """Young people, messages to them, and everything that may happen in between; `allowed` is what should hold, kept
    apart from the tables."""

    kind = "tests.history"

    def __init__(self, world, people: list, draw: random.Random, monkeypatch) -> None:
        self.world, self.people, self.draw = world, people, draw
        self.allowed = {each.pk: None for each in self.people}  # what may be written to, or None
        self.dead: set = set()
        self.taken: Counter = Counter()
        self.forbidden = self.kills = 0
        self.queued = 0
        monkeypatch.setattr(notify, "is_configured", lambda: True)
        monkeypatch.setattr(notify, "line", self.line)
        letters.kind(self.kind, render=lambda ids, person: ("S", "T"), may_send=lambda ids, person: None, label="T")

    def maybe_die(self, chance: float = 0.15) -> None:
        if self.draw.random() < chance:
            self.kills += 1
            raise Killed

    @contextmanager
    def line(self):
        self.maybe_die()
        if self.draw.random() < 0.05:
            raise ConnectionRefusedError
        self.happens()  # while it was connecting
        yield self

    def send(self, channel, *, to, subject, text, reference):
        """Notify, which may take a message and never say so."""
        self.maybe_die()
        answer = self.draw.random()
        if answer < 0.1:
            raise notify.SaidNo("400")
        if answer < 0.2:
            raise notify.TooMany
        if answer < 0.25:
            raise notify.NobodyKnows("500")
        self.taken[reference] += 1
        whom = Letter.objects.get(pk=reference).care_leaver_id
        self.forbidden += self.allowed[whom] != to
        self.maybe_die()
        if answer < 0.35:
            raise notify.NobodyKnows("timeout")
        return "notify-1"

    def happens(self) -> None:
        """Something about one of the people."""
        each = self.draw.choice(self.people)
        each.refresh_from_db()
        by, what = self.world.manager, self.draw.choice(["yes"] * 6 + ["no", "unsafe", "number", "dies"])
        if each.pk in self.dead:
            return
        if what == "dies" and self.draw.random() < 0.3:
            people.edit(care_leaver=each, by=by, at=AT, died_on=THURSDAY)
            self.dead.add(each.pk)
            self.allowed[each.pk] = None
        elif what == "number":
            people.edit(care_leaver=each, by=by, at=AT, phone=f"07700 9{self.draw.randrange(10**5):05d}")
            if "@" not in (self.allowed[each.pk] or "@"):
                self.allowed[each.pk] = None
        elif what in ("yes", "no", "unsafe"):
            channel = "none" if what == "no" else self.draw.choice(["text", "email"])
            letters.choose(care_leaver=each, channel=channel, is_safe=what == "yes", asked_on=THURSDAY, by=by, at=AT)
            to = each.phone if channel == "text" else each.email
            self.allowed[each.pk] = to if what == "yes" else None

    def step(self) -> None:
        match self.draw.choice(["queue", "happens", "deliver", "deliver", "deliver", "again"]):
            case "queue":
                self.queued += 1
                whom = self.draw.choice(self.people)
                key = f"{self.queued:03d}"
                letters.queue(self.kind, care_leaver=whom, key=key, ids={}, at=AT)
            case "happens":
                self.happens()
            case "deliver":
                if found := list(Letter.objects.filter(care_leaver__in=self.people).order_by("key")):
                    self.deliver(self.draw.choice(found))
            case "again":  # somebody decided: a new message
                for letter in Letter.objects.filter(care_leaver__in=self.people, refused_at__isnull=False)[:1]:
                    letters.send_again(letter=letter, by=self.world.advisor, at=AT)

    def deliver(self, letter) -> None:
        with suppress(Killed, ConnectionRefusedError, notify.TooMany):  # what was committed before stays
            letters.deliver(letter.pk)

    def run(self) -> "History":
        for _ in range(self.draw.randrange(8, 20)):
            self.step()
        for letter in Letter.objects.filter(care_leaver__in=self.people):
            self.deliver(letter)
        return self

    def broken(self) -> list[str]:
        """What must not be: twice, forbidden, or a state that does not fit what Notify took."""
        found = [f"{n} times" for n in self.taken.values() if n > 1] + ["forbidden"] * self.forbidden
        for letter in Letter.objects.filter(care_leaver__in=self.people):
            state, taken = letter.state(AT + timedelta(days=2)), self.taken[str(letter.pk)]
            if (state == "sent" and taken != 1) or (state in ("not sent", "waiting") and taken):
                found.append(f"{state}, and taken {taken} times")
        return found


def histories(world, monkeypatch, seed: int, number: int) -> tuple[list[str], int, int]:
    """(broken invariants, messages taken, kills)."""
    broken, taken, kills = [], 0, 0
    two = [person(world, phone="07700 900001", email="a@example.org") for _ in range(2)]
    for n in range(number):
        if broken and number < 100:
            break
        with transaction.atomic():
            history = History(world, two, random.Random(f"{seed}:{n}"), monkeypatch).run()
            broken += history.broken()
            taken, kills = taken + history.taken.total(), kills + history.kills
            transaction.set_rollback(True)
    return broken, taken, kills


@pytest.mark.promise("N1")
def test_no_message_goes_twice_or_to_a_forbidden_person(world, monkeypatch, sized, seed, figures):
    number = sized(40, 10_000)
    broken, taken, kills = histories(world, monkeypatch, seed, number)
    figures(f"{number:,} histories, {taken:,} messages taken, {kills:,} kills: {len(broken)} twice or forbidden")
    assert broken == []
    assert taken > number / 3 and kills > number / 8  # there was something to break


def test_the_control_whose_claim_dies_with_the_sender_sends_twice(world, monkeypatch, seed):
    """As when the claim is taken in the transaction that sends."""

    def deliver(self, letter):
        try:
            letters.deliver(letter.pk)
        except (Killed, ConnectionRefusedError, notify.TooMany):
            Letter.objects.filter(pk=letter.pk, sent_at=None).update(claimed_at=None, channel="none")

    monkeypatch.setattr(History, "deliver", deliver)
    broken, _, _ = histories(world, monkeypatch, seed, 40)
    assert any("times" in each for each in broken)


def test_the_control_that_asks_only_when_queueing_writes_to_forbidden_people(world, monkeypatch, seed):
    monkeypatch.setattr(letters, "why_not", lambda person, choice: None)
    monkeypatch.setattr(letters, "address", lambda person, channel: person.phone)
    broken, _, _ = histories(world, monkeypatch, seed, 40)
    assert "forbidden" in broken
