"""Fifty phones at once: the database decides, and everyone gets an answer (promise C1)."""

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from urllib import error, request

import pytest
from django.db import connection
from django.test import Client

from pantry.models import Collection, OpeningHours
from stockport_hubs.core import clock
from stockport_hubs.core.weeks import LONDON
from tests.counter_scene import Counter

pytestmark = [pytest.mark.postgres, pytest.mark.promise("C1"), pytest.mark.django_db(transaction=True)]
AT_ONCE = 50


class _Stay(request.HTTPRedirectHandler):
    def redirect_request(self, *args, **kwargs):
        return None


def answer(url: str, cookie: str, body: bytes) -> tuple[int, str]:
    """Status, and where it leads or what <main> says; waits for its turn without following redirects."""
    asked = request.Request(url, data=body, headers={"Cookie": cookie, "Referer": url})
    try:
        with request.build_opener(_Stay).open(asked, timeout=60) as got:
            return got.status, ""
    except error.HTTPError as got:
        main = got.read().decode().partition('id="main-content">')[2].partition("</main>")[0]
        return got.code, got.headers.get("Location") or " ".join(re.sub(r"<[^>]+>", " ", main).split())


class Hall:
    """A real site, a member to record, and a volunteer's signed-in session on every phone."""

    def __init__(self, site):
        today = clock.today()
        scene = Counter()
        for hours in OpeningHours.objects.all():
            hours.weekday, hours.opens, hours.closes = today.weekday(), "00:00", "23:59"
            hours.save()
        scene.pantry.closes_on_bank_holidays = False
        scene.pantry.save()
        self.member = scene.join(on=today - timedelta(days=14))
        self.session = scene.open(today)
        client = Client()
        client.force_login(scene.volunteer)
        page = client.get(f"/pantry/sessions/{self.session.pk}/")
        self.token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())[1]
        self.cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        self.url = f"{site.url}/pantry/sessions/{self.session.pk}/members/{self.member.pk}/"

    def at_once(self, keys: list) -> list[tuple[int, str]]:
        """The row's button pressed on as many phones as there are keys, at the same moment."""
        gate = Barrier(len(keys))

        def press(key):
            gate.wait()
            body = f"csrfmiddlewaretoken={self.token}&usual=1&key={key}".encode()
            return answer(self.url, self.cookie, body)

        with ThreadPoolExecutor(len(keys)) as phones:
            return list(phones.map(press, keys))


def drop(*constraints: str) -> None:
    """Take unique constraints of the collections table away, as a forgotten migration would."""
    with connection.cursor() as cursor:
        for name in constraints:
            cursor.execute(f'ALTER TABLE pantry_collection DROP CONSTRAINT IF EXISTS "{name}"')
            cursor.execute(f'DROP INDEX IF EXISTS "{name}"')


def key_constraint() -> str:
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Collection._meta.db_table)
    return next(name for name, each in found.items() if each["unique"] and each["columns"] == ["key"])


@pytest.fixture
def unprotected():
    """`unprotected(names)` drops constraints until the test is over."""
    dropped = []

    def away(*names):
        dropped.extend(names)
        drop(*names)

    yield away
    Collection.objects.all().delete()
    with connection.schema_editor() as editor:
        for constraint in Collection._meta.constraints:
            if constraint.name in dropped:
                editor.add_constraint(Collection, constraint)
        if any(name not in {c.name for c in Collection._meta.constraints} for name in dropped):
            field = Collection._meta.get_field("key")
            editor.execute(editor._create_unique_sql(Collection, [field]))


def same_key(hall: Hall) -> tuple[int, int]:
    """(rows, different answers) after the same form is sent from everywhere."""
    answers = hall.at_once([uuid.uuid4()] * AT_ONCE)
    assert {status for status, _ in answers} == {302}, answers
    return Collection.objects.count(), len(set(answers))


def own_keys(hall: Hall) -> tuple[int, int, set[str]]:
    """(rows, recorded, what the others were told) after everybody presses the button of a page of their own."""
    answers = hall.at_once([uuid.uuid4() for _ in range(AT_ONCE)])
    told = {text for status, text in answers if status == 409}
    return Collection.objects.count(), sum(status == 302 for status, _ in answers), told


def test_the_same_collection_50_times_at_once_is_one_row_and_50_equal_answers(site):
    assert same_key(Hall(site)) == (1, 1)


def test_50_phones_of_their_own_record_one_and_the_others_are_told_who_and_when(site):
    rows, recorded, told = own_keys(Hall(site))
    assert (rows, recorded, len(told)) == (1, 1, 1)
    when = Collection.objects.get().collected_at.astimezone(LONDON)
    assert f"Already collected this week. Collected today {when:%H:%M} by Jo." in told.pop()


def test_control_without_the_weekly_constraint_50_phones_record_many(site, unprotected):
    hall = Hall(site)
    unprotected("collection_once_a_week")
    rows, recorded, _ = own_keys(hall)
    assert (rows, recorded) == (AT_ONCE, AT_ONCE)


def test_control_without_both_constraints_the_same_form_is_recorded_many_times(site, unprotected):
    hall = Hall(site)
    unprotected("collection_once_a_week", key_constraint())
    assert same_key(hall) == (AT_ONCE, AT_ONCE)
