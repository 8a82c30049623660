"""The audit as managers read it: in plain words, filtered and paged; their own council's and nobody else's."""

import csv
import io
import re
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.urls import reverse

from referrals import services as answers
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.models import AuditEvent, AuditSubject
from stockport_hubs.home import trail
from tests import factories
from tests.factories import moment
from tests.test_introductions import introduce, person

pytestmark = pytest.mark.django_db
URL = "/audit/"
DAY = date(2026, 4, 9)


@pytest.fixture(autouse=True)
def clock(settings):
    """Thursday 9 April 2026, 09:00 in London."""
    settings.CLOCK = datetime(2026, 4, 9, 9, 0)  # noqa: DTZ001


@pytest.fixture
def world():
    return factories.World()


@pytest.fixture
def ash(world):
    return person(world, name="Ash")


def signed_in(client, user):
    client.force_login(user)
    return client


def write(by, verb="careleavers.person.viewed", *about, at=None, **more) -> AuditEvent:
    subjects = [(audit.CARE_LEAVER if hasattr(one, "born_on") else audit.MEMBERSHIP, one.pk) for one in about]
    return audit.record(verb, at=at or moment(DAY), by=by, subjects=subjects, **more)


def rows(client, **asked) -> list[tuple[str, ...]]:
    """(who, what, about) of the page."""
    page = client.get(URL, asked).content.decode()
    found = re.findall(r"<tr class=\"govuk-table__row\"><th scope=\"row\".*?</tr>", page, re.S)
    cells = [re.findall(r"<td.*?>(.*?)</td>", row, re.S) for row in found]
    return [tuple(re.sub(r"<br>.*|<[^>]+>", "", cell, flags=re.S).strip() for cell in row) for row in cells]


def test_events_are_read_in_plain_words_and_reading_leaves_one(client, world, ash):
    write(world.advisor, "careleavers.person.edited", ash, detail={"fields": ["surname", "born_on"]})
    signed_in(client, world.manager)
    page = client.get(URL).content.decode()
    assert rows(client)[1] == (world.advisor.name, "Changed a young person’s details", "Ash Quillfeather")
    assert "surname, born on" in page and "9 April 2026, 09:00" in page and "Personal advisor" in page
    own = AuditEvent.objects.filter(verb="audit.trail.viewed", by=world.manager)
    assert own.count() == 2
    assert own.first().subjects.filter(subject_id=ash.pk).count() == 1
    assert rows(client)[0][:2] == (world.manager.name, "Read the audit")


def test_who_opened_this_record_shows_the_pantrys_people_too(client, world, ash):
    """What they saw of the membership counts; what they saw of anybody else is not there, not even as a number."""
    referral = introduce(world, ash)
    membership = answers.accept(referral=referral, by=world.pantry_manager, at=moment(DAY))
    other, beside, pays = world.join(), person(world, name="Bay"), world.join(agreement=None)
    write(world.volunteer, "pantry.session.viewed", membership, other, pays)
    write(world.pantry_manager, "pantry.member.viewed", other)
    write(world.advisor, "careleavers.person.viewed", beside)
    signed_in(client, world.manager)
    assert (
        reverse("record_trail", args=[ash.pk])
        in client.get(reverse("careleavers:detail", args=[ash.pk])).content.decode()
    )
    read = rows(client, person=ash.pk)
    assert (
        world.volunteer.name,
        "Opened a pantry session",
        f"Member {membership.number}, Member {other.number}",
    ) in read
    assert not {"Bay Quillfeather", "Opened a member’s page"} & {cell for row in read for cell in row}


def test_another_councils_young_people_members_and_staff_are_not_there(client, world, ash):
    theirs = factories.World()
    stranger = person(theirs, name="Zed")
    unfunded = theirs.pantry_manager
    write(theirs.advisor, "careleavers.person.viewed", stranger)
    write(unfunded, "pantry.members.viewed", theirs.join())
    write(world.pantry_manager, "pantry.member.viewed", theirs.join())
    write(world.advisor, "careleavers.person.viewed", ash)
    signed_in(client, world.manager)
    read = rows(client)
    assert read[0] == (world.advisor.name, "Opened a young person’s record", "Ash Quillfeather")
    assert not {theirs.advisor.name, unfunded.name, world.pantry_manager.name} & {row[0] for row in read}
    assert client.get(URL, {"person": stranger.pk}).status_code == 404
    assert client.get(URL, {"person": "x"}).status_code == 404
    assert rows(client, q="Zed") == []


def test_filters_find_by_person_acting_group_young_person_and_days(client, world, ash):
    bay, yesterday = person(world, name="Bay"), moment(DAY - timedelta(days=1), "23:59")
    write(world.advisor, "careleavers.person.viewed", bay, at=yesterday)
    write(world.finance, "pantry.journal.viewed")
    signed_in(client, world.manager)

    def found(**asked):
        return [row[1] for row in rows(client, **asked) if row[1] != "Read the audit"]

    assert found(who=world.finance.name) == found(who=world.finance.email) == ["Saw the journal"]
    assert found(what="Opened a record") == ["Opened a young person’s record"]
    made = ["Allocated an advisor", "Added a young person"]
    assert found(q="Bay") == [*made, "Opened a young person’s record"]
    assert found(q=bay.reference) == found(q="Bay")
    until = {"until_on_day": "8", "until_on_month": "4", "until_on_year": "2026"}
    assert "Opened a young person’s record" in found(**until) and "Saw the journal" not in found(**until)
    today = {"from_on_day": "9", "from_on_month": "4", "from_on_year": "2026"}
    assert "Saw the journal" in found(**today) and "Opened a young person’s record" not in found(**today)
    assert "Nothing fits" in client.get(URL, {"who": "Nobody At All"}).content.decode()
    assert "There is a problem" in client.get(URL, {"from_on_day": "40"}).content.decode()


def test_a_search_that_fits_many_asks_for_more(client, world, monkeypatch):
    for _ in range(3):
        person(world, name="Ash")
    monkeypatch.setattr(trail, "AT_MOST", 2)
    assert "More than 20" in signed_in(client, world.manager).get(URL, {"q": "Ash"}).content.decode()


def test_pages_lose_and_double_nothing_while_new_rows_arrive(client, world, monkeypatch):
    """40 rows of one moment, and each page read adds a row on top."""
    monkeypatch.setattr(trail, "PAGE", 7)
    for n in range(40):
        write(world.advisor, "pantry.journal.viewed", at=moment(DAY - timedelta(days=n // 20 * 3)), detail={"n": n})
    signed_in(client, world.manager)
    seen, asked = 0, {"what": "Looked at a list or figures"}
    for _ in range(9):
        page = client.get(URL, asked).content.decode()
        seen += page.count("Saw the journal")
        write(world.finance, "pantry.journal.viewed", at=moment(DAY, "09:30"))
        older = re.search(r'href="\?[^"]*before=([^"&]+)" rel="next"', page)
        if not older:
            break
        asked["before"] = older.group(1).replace("%3A", ":").replace("%2B", "+").replace("%7E", "~")
    assert seen == 40
    no_utc = ("0001-01-01T00:00:00+14:00~0", "9999-12-31T23:59:59-14:00~0")
    for odd in (*no_utc, "x", "2026-04-09", "2026-04-09T09:00:00+00:00~-1", "~", "2026-04-09T09:00:00+00:00~9999999"):
        assert client.get(URL, {"before": odd}).status_code == 200


QUERIES = 10


@pytest.mark.parametrize("n", [1, 3])
def test_a_page_asks_the_same_number_of_queries(client, world, n, django_assert_num_queries):
    for _ in range(n):
        one = person(world, name="Ash")
        write(world.advisor, "careleavers.person.viewed", one, world.join())
    signed_in(client, world.manager)
    with django_assert_num_queries(QUERIES):
        assert client.get(URL, {"what": "Opened a record"}).status_code == 200


def many(world, young_person, member, n: int) -> None:
    """n events about a young person and a member, a minute apart; SQLite makes them, for Python would take long."""
    numbers = "WITH RECURSIVE numbers(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM numbers WHERE k < %s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""{numbers} INSERT INTO audit_auditevent
            (at, stored_at, verb, by_id, job, target_type, detail)
            SELECT datetime('2026-04-09 07:00:00', '-' || k || ' minutes'), datetime(), 'careleavers.person.viewed',
            %s, '', '', '{{}}' FROM numbers""",  # noqa: S608 - our own text
            [n, world.advisor.pk.hex],
        )
        for kind, one in (("careleaver", young_person), ("membership", member)):
            cursor.execute(
                """INSERT INTO audit_auditsubject (event_id, kind, subject_id) SELECT id, %s, %s FROM audit_auditevent
                WHERE verb = 'careleavers.person.viewed'""",
                [kind, one.pk.hex],
            )


@pytest.mark.sqlite
def test_at_50000_rows_a_page_asks_no_more_and_stays_quick(client, world, ash, django_assert_num_queries):
    many(world, ash, world.join(), 50_000)
    signed_in(client, world.manager)
    oldest = f"{(moment(DAY) - timedelta(minutes=49_000)).isoformat()}~3"
    for asked in ({"what": "Opened a record"}, {"what": "Opened a record", "before": oldest}):
        with django_assert_num_queries(QUERIES):
            page = client.get(URL, asked).content.decode()
        assert page.count("Opened a young person’s record") == 25


def test_the_file_holds_no_live_formula_and_no_name(client, world, ash):
    evil = factories.user(Role.PERSONAL_ADVISOR, world.council, name='=HYPERLINK("https://x")')
    write(evil, "careleavers.person.viewed", ash)
    answer = signed_in(client, world.manager).get(f"{URL}csv/", {"what": "Opened a record"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit-2026-04-09.csv"'
    table = list(csv.reader(io.StringIO(answer.content.decode().removeprefix("\ufeff"))))
    assert table == [
        ["When", "Who", "Role", "Organisation", "What", "Fields changed", "About"],
        [
            "2026-04-09 09:00:00", "'" + evil.name, "Personal advisor", world.council.name,
            "opened a young person’s record", "", ash.reference,
        ],
    ]  # fmt: skip
    event = AuditEvent.objects.get(verb="audit.trail.exported")
    assert event.detail == {"asked": ["group"], "rows": 1}
    assert list(event.subjects.values_list("subject_id", flat=True)) == [ash.pk]


def test_the_file_says_when_it_is_cut_off(client, world, ash, monkeypatch):
    monkeypatch.setattr(trail, "EXPORTED", 3)
    for _ in range(5):
        write(world.advisor, "careleavers.person.viewed", ash)
    text = signed_in(client, world.manager).get(f"{URL}csv/", {"who": world.advisor.name}).content.decode()
    assert text.count("opened a young person") == 3 and "Only the newest 3 are here." in text


def test_an_event_about_many_names_three_and_counts_the_rest(client, world):
    people = [person(world, name="Ash") for n in range(5)]
    write(world.advisor, "careleavers.person.listed", *people)
    stranger = AuditSubject(event=AuditEvent.objects.latest("id"), kind="careleaver", subject_id=uuid4())
    stranger.save()
    assert rows(signed_in(client, world.manager), what="Looked at a list or figures")[0][2] == (
        "Ash Quillfeather, Ash Quillfeather, Ash Quillfeather and 2 more"
    )
