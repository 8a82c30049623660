"""Young people: add, edit, find, name; who sees whom."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from careleavers import rules
from careleavers.models import AdvisorCover, CareLeaver
from careleavers.services import allocations, people
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: one database is enough
NOW = datetime(2021, 4, 12, 9, 0, tzinfo=UTC)
TODAY = date(2021, 4, 12)


class World:
    """A council with a manager and two advisors; `person` makes a young person."""

    def __init__(self):
        self.council = Organisation.objects.create(name="Invented Council", kind="council")
        self.manager = self.account(Role.LEAVING_CARE_MANAGER, "Mia Manager")
        self.advisor = self.account(Role.PERSONAL_ADVISOR, "Ann Advisor")
        self.other = self.account(Role.PERSONAL_ADVISOR, "Oli Other")

    def account(self, role, name, organisation=None):
        return User.objects.create(
            email=f"{name.lower().replace(' ', '.')}@example.org", name=name, role=role,
            organisation=organisation or self.council, is_active=True, invited_at=NOW, joined_at=NOW,
        )  # fmt: skip

    def person(self, reference="R1", name="Robin", advisor=None, **more):
        facts = {"surname": "Invented", "born_on": date(2002, 8, 7), "eligibility": "former_relevant"} | more
        return people.add(
            council=self.council, by=self.manager, at=NOW, advisor=advisor,
            reference=reference, preferred_name=name, **facts,
        )  # fmt: skip


@pytest.fixture
def world(settings):
    settings.CLOCK = NOW
    return World()


def verbs():
    return list(AuditEvent.objects.order_by("id").values_list("verb", flat=True))


def last_event():
    event = AuditEvent.objects.order_by("id").last()
    return event.verb, event.by.name if event.by else event.job, {s.subject_id for s in event.subjects.all()}


def form(**changes):
    """What a browser posts for a new person."""
    day = changes.pop("born_on", date(2002, 8, 7))
    return {
        "preferred_name": "Robin", "surname": "Invented", "reference": "R9", "eligibility": "former_relevant",
        "born_on_day": day.day, "born_on_month": day.month, "born_on_year": day.year, "team": "Leaving Care",
    } | changes  # fmt: skip


# -- services ----------------------------------------------------------------------------------------------------------


def test_an_advisor_who_adds_a_person_is_their_advisor_from_today(world):
    added = people.add(
        council=world.council, by=world.advisor, at=NOW,
        reference="R1", preferred_name="Robin", born_on=date(2002, 8, 7), eligibility="qualifying",
    )  # fmt: skip
    allocation = added.allocations.get()
    assert (allocation.advisor, allocation.from_on, allocation.until_on) == (world.advisor, TODAY, None)
    assert verbs() == ["careleavers.person.added", "careleavers.allocation.given"]
    assert list(CareLeaver.objects.for_user(world.advisor)) == [added]


def test_a_manager_adds_a_person_who_waits_to_be_allocated(world):
    added = world.person()
    assert list(CareLeaver.objects.to_allocate(TODAY)) == [added]
    assert list(CareLeaver.objects.for_user(world.advisor)) == []


def test_a_reference_belongs_to_one_person(world):
    world.person("R1")
    with pytest.raises(Refused, match="R1 already belongs to someone"):
        world.person("R1", "Somebody Else")
    assert CareLeaver.objects.count() == 1
    other = world.person("R2", "Kim")
    with pytest.raises(Refused, match="R1 already belongs to someone"):
        people.edit(care_leaver=other, reference="R1", by=world.manager, at=NOW)


def test_editing_writes_what_changed_by_name_of_field_only(world):
    person = world.person()
    changed = people.edit(care_leaver=person, surname="Changed", team="", phone="0161", by=world.manager, at=NOW)
    assert changed == ["phone", "surname"]
    event = AuditEvent.objects.order_by("id").last()
    assert (event.verb, event.detail) == ("careleavers.person.edited", {"fields": ["phone", "surname"]})
    before = AuditEvent.objects.count()
    assert people.edit(care_leaver=person, surname="Changed", by=world.manager, at=NOW) == []
    assert AuditEvent.objects.count() == before


def test_a_form_open_for_an_hour_does_not_undo_what_others_changed(world):
    person = world.person()
    stale = CareLeaver.objects.get(pk=person.pk)
    people.edit(care_leaver=person, phone="0161", by=world.manager, at=NOW)
    people.edit(care_leaver=stale, surname="Later", by=world.manager, at=NOW)
    person.refresh_from_db()
    assert (person.phone, person.surname) == ("0161", "Later")


def test_who_died_is_contacted_no_more_whether_or_not_the_day_is_known(world):
    known, unknown = world.person("R1", "Robin"), world.person("R2", "Kim")
    people.edit(care_leaver=known, died_on=date(2021, 4, 1), by=world.manager, at=NOW)
    people.edit(care_leaver=unknown, in_touch="DIED", by=world.manager, at=NOW)
    for person in (known, unknown):
        person.refresh_from_db()
        assert (person.in_touch, person.has_died) == ("DIED", True)
        with pytest.raises(Refused, match="has died"):
            people.check_can_introduce(person)
        with pytest.raises(Refused, match="has died"):
            allocations.allocate(care_leaver=person, advisor=world.advisor, on=TODAY, by=world.manager, at=NOW)
    assert list(CareLeaver.objects.living()) == list(CareLeaver.objects.to_allocate(TODAY)) == []
    for day, words in [(date(2021, 4, 13), "in the future"), (date(1990, 1, 1), "before the date of birth")]:
        with pytest.raises(Refused, match=words):
            people.edit(care_leaver=known, died_on=day, by=world.manager, at=NOW)


def test_an_imported_person_waits_for_a_name_and_cannot_be_introduced_before(world):
    person = world.person(name="", surname="")
    assert (person.full_name, person.is_waiting_for_name) == ("Waiting for a name (R1)", True)
    assert list(CareLeaver.objects.waiting_for_name()) == [person]
    with pytest.raises(Refused, match="Enter the name they like to be called"):
        people.check_can_introduce(person)
    with pytest.raises(Refused, match="Enter the name"):
        people.name(care_leaver=person, preferred_name=" ", by=world.manager, at=NOW)
    people.name(care_leaver=person, preferred_name=" Robin ", by=world.manager, at=NOW)
    people.check_can_introduce(person)
    assert (person.full_name, people.can_introduce(person)) == ("Robin", True)


@pytest.mark.parametrize(
    "one, other, alike",
    [
        ("Robin Invented", "Robyn Invented", True),
        ("Robin Invented", "", True),
        ("Alexandra Moor", "Alex Fenn", True),
        ("Sam Moor", "Kit Moor", True),
        ("Robin Invented", "Kit Fenn", False),
    ],
)
def test_names_that_may_be_of_one_person(one, other, alike):
    assert rules.names_are_alike(one, other) is alike


# -- pages -------------------------------------------------------------------------------------------------------------


def url(name, person=None, **more):
    return reverse(f"careleavers:{name}", args=[person.pk] if person else [], **more)


def test_adding_by_browser_and_the_way_back(world, client):
    client.force_login(world.advisor)
    assert client.get(url("add")).status_code == 200
    response = client.post(url("add"), form(postcode="sk1 1aa", reference=" R 9 "))
    added = CareLeaver.objects.get()
    assert response.headers["Location"] == url("detail", added)
    assert (added.reference, added.postcode, added.surname) == ("R9", "SK1 1AA", "Invented")
    page = client.get(url("detail", added)).content.decode()
    assert "Robin Invented" in page and url("list") in page


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"preferred_name": ""}, "Enter preferred name"),
        ({"born_on": date(2021, 4, 13)}, "Date of birth must be in the past"),
        ({"born_on": date(1921, 4, 13)}, "Date of birth gives an age of 99. Young people here are between 14 and 30"),
        ({"postcode": "nowhere"}, "Postcode must be a full one, like SK1 1AA"),
        ({"eligibility": "nonsense"}, "Choose one of the options shown"),
        ({"email": "nonsense"}, "Enter an email address in the correct format"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(world, client, changes, words):
    client.force_login(world.manager)
    page = client.post(url("add"), form(**changes))
    assert (page.status_code, words in page.content.decode()) == (200, True)
    assert CareLeaver.objects.count() == 0


def test_a_likely_double_is_shown_and_needs_a_tick(world, client):
    twin = world.person("R1", "Robyn")
    client.force_login(world.manager)
    page = client.post(url("add"), form()).content.decode()
    assert url("detail", twin) in page and "Robyn Invented" in page
    assert last_event() == ("careleavers.person.listed", "Mia Manager", {twin.pk})
    assert CareLeaver.objects.count() == 1
    client.post(url("add"), form(different_person="on"))
    assert CareLeaver.objects.count() == 2


def test_a_double_of_another_advisor_is_not_named(world, client):
    world.person("R1", "Robyn", advisor=world.other)
    client.force_login(world.advisor)
    page = client.post(url("add"), form()).content.decode()
    assert ("Ask your leaving care manager" in page, "Robyn" in page) == (True, False)


def test_editing_by_browser_changes_only_what_was_typed(world, client):
    person = world.person(advisor=world.advisor, address="1 Invented Road", postcode="SK1 1AA", is_safe_address=True)
    client.force_login(world.advisor)
    pages = [client.get(url(name, person)).content.decode() for name in ("edit", "detail")]
    assert [text for text in pages if "Invented Road" in text or "SK1 1AA" in text] == []
    answers = form(reference="R1", surname="New", team="", address="", postcode="", is_safe_address="on")
    assert client.post(url("edit", person), answers).status_code == 302
    person.refresh_from_db()
    assert (person.surname, person.address, person.postcode) == ("New", "1 Invented Road", "SK1 1AA")


def test_a_person_without_a_name_is_visible_as_such_with_the_link_to_name_them(world, client):
    person = world.person(name="", surname="", advisor=world.advisor)
    client.force_login(world.advisor)
    for name, args in (("list", None), ("detail", person)):
        page = client.get(url(name, args)).content.decode()
        assert "Waiting for a name" in page
    assert url("edit", person) in page
    assert client.post(url("edit", person), form(reference="R1")).status_code == 302
    person.refresh_from_db()
    assert person.preferred_name == "Robin"


# -- who sees whom -----------------------------------------------------------------------------------------------------

PERSON_PAGES = ("detail", "edit", "allocate", "cover", "offer", "untick")


@pytest.mark.parametrize("name", PERSON_PAGES)
def test_another_advisors_person_is_404_on_every_page(world, client, name):
    mine, theirs = world.person("R1", advisor=world.advisor), world.person("R2", "Kit", advisor=world.other)
    client.force_login(world.advisor)
    for_managers = name in ("allocate", "cover", "untick")
    for send in (client.get, client.post):
        assert send(url(name, theirs)).status_code == (403 if for_managers else 404)
        assert send(url(name, mine)).status_code != 404
    client.force_login(world.manager)
    elsewhere = Organisation.objects.create(name="Other Council", kind="council")
    CareLeaver.objects.filter(pk=theirs.pk).update(council=elsewhere)
    assert client.post(url(name, theirs)).status_code == 404


def test_an_advisor_lists_their_own_and_cover_of_today_only(world, client):
    mine = world.person("R1", "Mine", advisor=world.advisor)
    covered = world.person("R2", "Covered", advisor=world.other)
    ended = world.person("R3", "Ended", advisor=world.other)
    coming = world.person("R4", "Coming", advisor=world.other)
    for person, first, last in ((covered, 0, 0), (ended, -9, -1), (coming, 1, 9)):
        AdvisorCover.objects.create(
            care_leaver=person, advisor=world.advisor, given_by=world.manager,
            from_on=TODAY + timedelta(first), until_on=TODAY + timedelta(last),
        )  # fmt: skip
    client.force_login(world.advisor)
    page = client.get(url("list"))
    assert [row["person"] for row in page.context["rows"]] == [covered, mine]
    assert [row["is_cover"] for row in page.context["rows"]] == [True, False]
    assert last_event() == ("careleavers.person.listed", "Ann Advisor", {mine.pk, covered.pk})
    assert [client.get(url("detail", person)).status_code for person in (covered, ended, coming)] == [200, 404, 404]


@pytest.mark.parametrize("role", [r for r in Role if r not in (Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER)])
def test_other_roles_have_no_door_here(world, client, role):
    person = world.person()
    operator = Organisation.objects.create(name="Invented Homes", kind="operator")
    home = operator if role.startswith("pantry") else world.council
    client.force_login(world.account(role, "No Door", home))
    for path in (url("list"), url("add"), url("cohort"), url("cohort_tick"), *(url(n, person) for n in PERSON_PAGES)):
        assert client.get(path).status_code == 403


@pytest.mark.logs_errors
def test_a_page_about_a_person_is_logged_or_not_shown(world, client, monkeypatch):
    person = world.person()
    client.force_login(world.manager)
    client.get(url("detail", person))
    assert last_event() == ("careleavers.person.viewed", "Mia Manager", {person.pk})

    def broken(*args, **kwargs):
        raise OSError("no log")

    monkeypatch.setattr("careleavers.views.doors.audit.record", broken)
    with pytest.raises(OSError):
        client.get(url("detail", person))


def test_the_list_filters_and_searches(world, client):
    world.person("R1", "Ada", advisor=world.advisor)
    world.person("R2", "Bea", advisor=world.other)
    world.person("R3", "", surname="")
    client.force_login(world.manager)
    for query, names in [
        ("", ["", "Ada", "Bea"]),
        ("q=ada+inv", ["Ada"]),
        ("q=r2", ["Bea"]),
        ("show=waiting_for_name", [""]),
        ("show=to_allocate", [""]),
        (f"advisor={world.other.pk}", ["Bea"]),
        ("show=cohort", []),
        ("show=nonsense&page=x", ["", "Ada", "Bea"]),
    ]:
        page = client.get(f"{url('list')}?{query}")
        assert [row["person"].preferred_name for row in page.context["rows"]] == names, query


@pytest.mark.parametrize("count", [1, 3])
def test_the_lists_ask_the_same_number_of_queries_however_long(world, client, count, django_assert_num_queries):
    for n in range(count):
        world.person(f"R{n}", f"Name{n}", advisor=world.advisor)
    client.force_login(world.manager)
    with django_assert_num_queries(10):
        assert len(client.get(url("list")).context["rows"]) == count
    client.force_login(world.advisor)
    with django_assert_num_queries(9):
        assert len(client.get(url("list")).context["rows"]) == count


@pytest.mark.parametrize("count", [1, 3])
def test_a_persons_page_asks_the_same_number_of_queries_however_much_there_is(
    world, client, count, django_assert_num_queries
):
    person = world.person(advisor=world.other)
    colleagues = [world.account(Role.PERSONAL_ADVISOR, f"Col {n}") for n in range(count)]
    for n, colleague in enumerate(colleagues):
        allocations.allocate(
            care_leaver=person, advisor=colleague, on=TODAY + timedelta(n + 1), by=world.manager, at=NOW
        )
        AdvisorCover.objects.create(
            care_leaver=person, advisor=colleague, given_by=world.manager, from_on=TODAY, until_on=TODAY
        )
    client.force_login(world.manager)
    with django_assert_num_queries(34):
        assert client.get(url("detail", person)).content.decode().count("Cover</strong>") == count


def test_an_empty_list_says_what_to_do(world, client):
    for user in (world.manager, world.advisor):
        client.force_login(user)
        page = client.get(url("list"))
        assert (page.status_code, url("add") in page.content.decode()) == (200, True)
    assert verbs() == []
    assert clock.today() == TODAY
