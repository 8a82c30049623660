"""Guessing a password at several web processes: how often one is really checked (promise S1)."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib import error, parse, request

import pytest
from allauth.core import context
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client, RequestFactory

from stockport_hubs.accounts import guesses
from stockport_hubs.accounts.forms import LoginForm
from stockport_hubs.accounts.models import Guess, Organisation, Role
from stockport_hubs.core import clock
from tests.conftest import test_database_url
from tests.world import PASSWORD, make_user

pytestmark = pytest.mark.django_db(transaction=True)


class Attack:
    """A site that counts password checks, and somebody with a new network address for each try."""

    def __init__(self, started, folder, **env):
        self.counted = folder / "checks"
        self.counted.touch()
        env |= {"COUNT_PASSWORD_CHECKS": str(self.counted), "TRUSTED_PROXY_COUNT": "1"}
        self.url = f"{started.site(test_database_url(), workers=4, **env).url}/accounts/login/"
        self.tries = 0
        with self.open(request.Request(self.url, headers=self.visitor())) as page:
            cookie = page.headers["Set-Cookie"].partition(";")[0]
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())[1]
        self.headers, self.token = {"Cookie": cookie, "Referer": self.url}, token

    def visitor(self) -> dict[str, str]:
        """A network address nobody has had yet."""
        self.tries += 1
        return {"X-Forwarded-For": f"10.{self.tries >> 16}.{self.tries >> 8 & 255}.{self.tries & 255}"}

    @staticmethod
    def open(asked):
        return request.build_opener(_Stay).open(asked, timeout=120)

    def guess(self, email: str, password: str = "") -> tuple[int, str]:
        """Status and page, without what differs between any two pages."""
        fields = {"login": email, "password": password or f"wrong {self.tries}", "csrfmiddlewaretoken": self.token}
        visitor = self.visitor()
        asked = request.Request(self.url, parse.urlencode(fields).encode(), {**self.headers, **visitor})
        try:
            with self.open(asked) as page:
                text = page.read().decode().replace(email, "ADDRESS")
                return page.status, re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
        except error.HTTPError as answer:
            return answer.code, answer.headers.get("Location", "")

    def at_once(self, email: str, times: int) -> list[tuple[int, str]]:
        """So many guesses at the same moment."""
        ready = Barrier(times)

        def one(_):
            ready.wait()
            return self.guess(email)

        with ThreadPoolExecutor(times) as threads:
            return list(threads.map(one, range(times)))

    @property
    def checks(self) -> int:
        """How often a password was really checked."""
        return self.counted.stat().st_size


class _Stay(request.HTTPRedirectHandler):
    def redirect_request(self, *args, **kwargs):
        return None


@pytest.fixture
def advisor(transactional_db):
    council = Organisation.objects.create(name="Invented Council", kind="council")
    return make_user(Role.PERSONAL_ADVISOR, council, "own", clock.now())


@pytest.mark.postgres  # on SQLite: test_one_row_lets_exactly_five_through
@pytest.mark.promise("S1")
def test_however_many_guesses_at_once_or_in_turn_five_passwords_are_checked_in_a_window(
    advisor, started, tmp_path, sized, figures
):
    attack, began = Attack(started, tmp_path), time.monotonic()
    answers = set(attack.at_once(advisor.email, 200))
    serial = sized(20, 10_000)
    answers |= {attack.guess(advisor.email) for _ in range(serial)}
    windows = 1 + int((time.monotonic() - began) // guesses.WINDOW.total_seconds())
    figures(f"200 at once and {serial:,} in turn: {attack.checks} passwords checked, {windows} windows of 5 minutes")
    assert 5 <= attack.checks <= 5 * windows
    # Two answers only, whoever asks: not right, or too often; and the right password is not looked at either.
    assert {status for status, _ in answers} == {200} and len(answers) == 2
    assert attack.guess(advisor.email, PASSWORD) in answers
    # An address without an account: the same answers, and the hasher works as often.
    before = attack.checks
    assert {attack.guess("nobody@example.org") for _ in range(8)} == answers
    assert attack.checks - before == 5
    # However the address is written, it is one account.
    assert {attack.guess(each)[0] for each in (advisor.email.upper(), f" {advisor.email} ")} == {200}
    assert attack.checks - before == 5


@pytest.mark.sqlite
@pytest.mark.promise("S1")
def test_the_control_without_the_limit_checks_every_guess(advisor, started, tmp_path, figures):
    attack = Attack(started, tmp_path, DJANGO_SETTINGS_MODULE="tests.unlimited")
    attack.at_once(advisor.email, 12)
    figures(f"control without the limit: {attack.checks} of 12 checked")
    assert attack.checks == 12
    assert attack.guess(advisor.email, PASSWORD) == (302, "/")


def taken_at_once(take, times: int = 24) -> int:
    """How many of so many tries at the same moment are let through."""
    ready = Barrier(times)

    def one(_):
        try:
            ready.wait()
            return take()
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as threads:
        return sum(threads.map(one, range(times)))


def test_one_row_lets_exactly_five_through(transactional_db):
    assert taken_at_once(lambda: guesses.take("password", "a@example.org")) == 5
    assert taken_at_once(lambda: guesses.take("password", "b@example.org", allowed=1)) == 1


def test_the_control_that_reads_and_then_writes_lets_all_through(transactional_db):
    meet = Barrier(24)

    def leaky() -> bool:
        row, _ = Guess.objects.get_or_create(key="x", defaults={"since": clock.now(), "tries": 0})
        tries = Guess.objects.get(key="x").tries
        meet.wait()
        Guess.objects.filter(key="x").update(tries=tries + 1)
        return tries < 5

    assert taken_at_once(leaky) == 24


@pytest.fixture
def ran(monkeypatch) -> list[str]:
    """The passwords that the hasher has worked on."""
    from tests.hashers import CountingHasher

    passwords: list[str] = []
    encode = CountingHasher.encode
    monkeypatch.setattr(CountingHasher, "encode", lambda self, p, s: passwords.append(p) or encode(self, p, s))
    return passwords


def type_in_turn(email: str, times: int) -> None:
    """So many wrong passwords at the form, which decides before any page is made, each from an address of its own."""
    for n in range(times):
        asked = RequestFactory().post("/accounts/login/", REMOTE_ADDR=f"10.1.{n >> 8}.{n & 255}")
        asked.user, asked.session = AnonymousUser(), SessionStore()
        with context.request_context(asked):
            assert not LoginForm({"login": email, "password": f"wrong {n}"}, request=asked).is_valid()


@pytest.mark.postgres
def test_of_a_thousand_passwords_typed_in_turn_five_are_checked(advisor, ran):
    ran.clear()
    type_in_turn(advisor.email, 1000)
    assert ran == [f"wrong {n}" for n in range(5)]


def test_the_control_without_the_limit_checks_each_that_is_typed(advisor, ran, settings):
    ran.clear()
    settings.GUESSES_ALLOWED = 30_000
    type_in_turn(advisor.email, 50)
    assert len(ran) == 50


def test_known_and_unknown_addresses_run_the_hasher_once_each(advisor, ran):
    invited = make_user(Role.PERSONAL_ADVISOR, advisor.organisation, "invited", clock.now())
    invited.set_unusable_password()
    invited.is_active = False
    invited.save()
    ran.clear()
    for email in (advisor.email, "nobody@example.org", invited.email):
        Client().post("/accounts/login/", {"login": email, "password": f"wrong for {email}"})
    assert len(ran) == 3
