"""Homes: what each role needs now, from an empty database on; every number leads somewhere; constant queries."""

import re
from datetime import date, datetime
from uuid import uuid4

import pytest
from django.urls import reverse

from careleavers.questions import PREFER_NOT, QUESTIONS
from careleavers.services import cohort, people, wellbeing
from pantry.models import Tariff
from pantry.services import collections, journal, memberships, places, sessions, visitors
from referrals import services
from reviews.models import ReviewMeeting
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit.models import AuditEvent
from tests import factories
from tests.factories import moment
from tests.test_introductions import AT, THURSDAY, agree, introduce, person

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
HOME = "/"


@pytest.fixture(autouse=True)
def clock(settings):
    """Thursday 9 April 2026, 09:00 in London."""
    settings.CLOCK = datetime(2026, 4, 9, 9, 0)  # noqa: DTZ001


@pytest.fixture
def world():
    return factories.World()


def home(client, user) -> str:
    client.force_login(user)
    response = client.get(HOME)
    assert response.status_code == 200
    return response.content.decode()


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.split("<main")[1]))


# -- nothing there yet -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "words", "leads_to"),
    [
        (Role.PERSONAL_ADVISOR, "Nobody is allocated to you yet", "careleavers:add"),
        (Role.LEAVING_CARE_MANAGER, "No agreement is in force", "pantry:agreement_add"),
        (Role.FINANCE_OFFICER, "A leaving care manager adds it", "pantry:agreements"),
        (Role.PANTRY_MANAGER, "No pantry is here yet", "pantry:pantry_add"),
        (Role.ADMINISTRATOR, "A few things have to be here", "accounts:organisation_add"),
    ],
)
def test_an_empty_database_says_what_to_do_next(client, role, words, leads_to):
    of = None if role == Role.PANTRY_MANAGER else factories.council()
    page = home(client, factories.user(role, of))
    assert words in text(page)
    assert reverse(leads_to) in page


def test_the_first_administrator_is_led_from_step_to_step(client):
    admin = factories.user(Role.ADMINISTRATOR)
    asked = []
    for _ in range(7):
        page = home(client, admin)
        button = re.search(r'role="button"[^>]*>([^<]+)<', page)
        asked.append(button.group(1))
        if asked[-1] == "Add the organisation":
            operator = factories.operator()
        elif asked[-1] == "Invite a pantry manager":
            factories.user(Role.PANTRY_MANAGER, operator)
        elif asked[-1] == "Invite someone":
            break
        else:
            role = {
                "Invite a manager": Role.LEAVING_CARE_MANAGER,
                "Invite an advisor": Role.PERSONAL_ADVISOR,
                "Invite an officer": Role.FINANCE_OFFICER,
            }[asked[-1]]
            factories.user(role, admin.organisation)
    assert asked == [
        "Add the organisation",
        "Invite a manager",
        "Invite an advisor",
        "Invite an officer",
        "Invite a pantry manager",
        "Invite someone",
    ]


def test_a_volunteer_goes_straight_to_the_session(client, world):
    client.force_login(world.volunteer)
    assert client.get(HOME).url == reverse("pantry:today")


def test_an_administrator_sees_no_person(client, world):
    introduce(world, person(world, name="Zebedee"))
    page = home(client, factories.user(Role.ADMINISTRATOR, world.council))
    assert "Zebedee" not in page and "Quillfeather" not in page


# -- advisor -----------------------------------------------------------------------------------------------------------


def record(world, membership, on: date) -> None:
    """A collection of the membership on a Wednesday."""
    [session] = sessions.for_day(pantry=world.pantry, on=on)
    at = moment(on, "10:30")
    collections.record(
        session=session, membership=membership, key=membership.pk if on.month == 4 else session.pk, quantities=None,
        fruit_and_veg=True, by=world.pantry_manager, collected_at=at, at=at,
    )  # fmt: skip


def test_the_advisors_table_puts_whoever_needs_something_first(client, world, settings):
    fine = introduce(world, person(world, name="Ash"))
    lost = introduce(world, person(world, name="Bay"))
    for each in (fine, lost):
        services.accept(referral=each, by=world.pantry_manager, at=AT)
        each.refresh_from_db()
    person(world, name="")
    introduce(world, person(world, name="Dale"))
    settings.CLOCK = datetime(2026, 5, 4, 9, 0)  # noqa: DTZ001  three weeks on: 13, 20 and 27 April are over
    record(world, fine.membership, date(2026, 4, 29))
    wellbeing.record(
        care_leaver=fine.care_leaver, point="start", asked_on=THURSDAY, how="in_person",
        answers=dict.fromkeys(QUESTIONS, PREFER_NOT), by=world.advisor, at=AT,
    )  # fmt: skip
    page = text(home(client, world.advisor))
    places_of = [page.index(name) for name in ("No name yet", "Bay", "Dale", "Ash")]
    assert places_of == sorted(places_of)
    for words in (
        "No name yet",
        "Not seen for 3 weeks",
        "Waiting for the pantry",
        "29 Apr 2026",
        "Add a preferred name",
    ):
        assert words in page


def test_a_collection_in_between_counts_the_missed_weeks_anew(client, world, settings):
    referral = introduce(world)
    membership = services.accept(referral=referral, by=world.pantry_manager, at=AT)
    settings.CLOCK = datetime(2026, 5, 11, 9, 0)  # noqa: DTZ001
    record(world, membership, date(2026, 4, 22))
    assert "Not seen for 2 weeks" in home(client, world.advisor)
    record(world, membership, date(2026, 5, 6))
    assert "Not seen" not in home(client, world.advisor)


def test_an_advisor_sees_their_own_people_and_the_page_is_in_the_audit(client, world):
    mine = person(world, name="Ash")
    colleague = factories.user(Role.PERSONAL_ADVISOR, world.council)
    person(world, name="Zebedee", advisor=colleague)
    died = person(world, name="Yarrow")
    people.edit(care_leaver=died, died_on=THURSDAY, by=world.manager, at=AT)
    page = home(client, world.advisor)
    assert "Ash" in page and "Zebedee" not in page and "Yarrow" not in page
    event = AuditEvent.objects.latest("id")
    assert (event.by, list(event.subjects.values_list("subject_id", flat=True))) == (world.advisor, [mine.pk])


def test_a_large_caseload_is_paged(client, world):
    for n in range(26):
        person(world, name=f"Ash{n:02d}")
    page = home(client, world.advisor)
    assert "Ash24" in page and "Ash25" not in page and "Whoever needs" not in page
    assert "Ash25" in client.get(HOME, {"page": 2}).content.decode()


# -- leaving care manager ----------------------------------------------------------------------------------------------


def test_the_managers_numbers_lead_to_the_people_behind_them(client, world):
    people.add(
        council=world.council, reference="X1", preferred_name="", born_on=date(2005, 1, 1),
        eligibility="former_relevant", by=world.manager, at=AT,
    )  # fmt: skip
    introduce(world)
    page = home(client, world.manager)
    said = text(page)
    for words in ("1 to allocate", "1 waiting for a name", "1 waiting for the pantry", "0 renewals held"):
        assert words in said
    for name, query in (
        ("careleavers:list", "?show=to_allocate"),
        ("careleavers:list", "?show=waiting_for_name"),
        ("referrals:list", "?state=to_answer"),
        ("pantry:renewals", ""),
        ("reviews:barriers", ""),
    ):
        assert f'href="{reverse(name)}{query}"' in page
    links = set(re.findall(r'href="(/[^"#]*)"', page.split("<main")[1]))
    assert {client.get(link.replace("&amp;", "&")).status_code for link in links} == {200}


def test_the_managers_money_is_that_of_the_journal(client, world):
    journal.pay_in_advance(
        agreement=world.agreement, pence=100_000, on=THURSDAY, purchase_order="1", invoice="2", cost_code="3",
        by=world.finance, at=AT,
    )  # fmt: skip
    services.accept(referral=introduce(world), by=world.pantry_manager, at=AT)
    page = text(home(client, world.manager))
    for words in ("Weeks bought £91.00", "Used £0.00", "Still to come £91.00", "Recoverable £91.00", "£899.00"):
        assert words in page


def test_the_figures_are_fresh_after_every_change(client, world):
    joined = lambda: re.search(r"Joined (\d+)", text(home(client, world.manager))).group(1)  # noqa: E731
    care_leaver = person(world)
    cohort.tick(care_leavers=[care_leaver], on=THURSDAY, by=world.manager, at=AT)
    referral = introduce(world, care_leaver)
    assert joined() == "0"
    services.accept(referral=referral, by=world.pantry_manager, at=AT)
    assert joined() == "1"


def test_the_next_meeting_is_shown_to_both_sides(client, world):
    ReviewMeeting.objects.create(
        agreement=world.agreement, starts_at=moment(date(2026, 5, 1)), where="Town Hall", period_from=date(2026, 3, 2),
        period_to=date(2026, 4, 26), planned_by=world.manager, planned_at=AT,
    )  # fmt: skip
    for user in (world.manager, world.pantry_manager):
        assert "1 May 2026, 09:00" in home(client, user) and "Town Hall" in home(client, user)
    others = factories.World()
    for user in (others.manager, others.pantry_manager):
        assert "Town Hall" not in home(client, user)


# -- finance, pantry manager -------------------------------------------------------------------------------------------


def test_finance_sees_prices_to_agree_money_and_payments_and_no_person(client, world):
    introduce(world, person(world, name="Zebedee"))
    Tariff.objects.create(
        pantry=world.pantry, from_week=date(2026, 6, 1), weekly_pence=450, joining_pence=1000,
        proposed_by=world.pantry_manager, proposed_at=AT,
    )  # fmt: skip
    journal.pay_in_advance(
        agreement=world.agreement, pence=757_500, on=THURSDAY, purchase_order="PO-7", invoice="I-9", cost_code="C",
        by=world.finance, at=AT,
    )  # fmt: skip
    page = home(client, world.finance)
    for words in ("£4.50", "1 June 2026", "£7,575.00", "PO-7", world.agreement.name):
        assert words in page
    assert "Zebedee" not in page


def test_a_pantry_manager_sees_what_else_is_to_sort_out_and_nothing_of_another_organisation(client, world):
    assert "To sort out" not in home(client, world.pantry_manager)
    for each in (world, factories.World()):
        memberships.add_pending(pantry=each.pantry, preferred_name="Bay", by=each.pantry_manager, at=AT)
        [session] = sessions.for_day(pantry=each.pantry, on=date(2026, 4, 8))
        for key in (uuid4(), uuid4()):
            visitors.record(session=session, key=key, called="", by=each.pantry_manager, at=AT)
    page = home(client, world.pantry_manager)
    assert "1 came by themselves. Who waits" in text(page)
    assert "2 who came could not be found. Sort out the visitors" in text(page)
    leads_to = {f"{reverse('pantry:members')}?state=pending": "Bay", reverse("pantry:visitors"): "No name given"}
    for link, found in leads_to.items():
        assert f'href="{link}"' in page and found in client.get(link).content.decode()


def test_a_pantry_manager_sees_introductions_today_and_closures(client, world, settings):
    settings.CLOCK = datetime(2026, 4, 8, 9, 0)  # noqa: DTZ001  a Wednesday
    care_leaver = person(world, name="Zebedee")
    referral = introduce(world, care_leaver)
    other = introduce(factories.World(), sent=True)
    places.announce_closure(
        pantry=world.pantry, from_on=date(2026, 4, 15), until_on=date(2026, 4, 15), reason="Hall in use",
        by=world.pantry_manager, at=AT,
    )  # fmt: skip
    page = home(client, world.pantry_manager)
    for words in (referral.reference, "Zebedee", "10:00 to 12:00", "Hall in use", "Introductions to answer (1)"):
        assert words in page
    assert "Quillfeather" not in page and str(other.pk) not in page
    event = AuditEvent.objects.latest("id")
    assert list(event.subjects.values_list("subject_id", flat=True)) == [care_leaver.pk]


# -- health, queries ---------------------------------------------------------------------------------------------------


def test_health_answers_anyone_without_a_session(client, django_assert_num_queries):
    with django_assert_num_queries(1):
        response = client.get("/health/")
    assert (response.status_code, response.content, response["Content-Type"]) == (200, b"ok", "text/plain")
    assert not response.cookies
    assert client.post("/health/").status_code == 405


def some_rows(world) -> None:
    """One more of everything a home shows."""
    services.accept(referral=introduce(world), by=world.pantry_manager, at=AT)
    waiting = person(world)
    agree(world, waiting)
    introduce(world)
    people.add(
        council=world.council, reference=f"X{User.objects.count()}{waiting.pk}"[:40], preferred_name="",
        born_on=date(2005, 1, 1), eligibility="former_relevant", by=world.manager, at=AT,
    )  # fmt: skip


def test_homes_take_the_same_queries_at_1_and_3_rows(client, world, settings, django_assert_num_queries):
    admin = factories.user(Role.ADMINISTRATOR, world.council)
    queries = {world.advisor: 18, world.manager: 17, world.finance: 22, world.pantry_manager: 26, admin: 10}
    for more in (1, 2):
        settings.CLOCK = datetime(2026, 4, 9, 9, 0)  # noqa: DTZ001
        for _ in range(more):
            some_rows(world)
        settings.CLOCK = datetime(2026, 5, 14, 9, 0)  # noqa: DTZ001  weeks have been missed
        for user, number in queries.items():
            client.force_login(user)
            with django_assert_num_queries(number):
                client.get(HOME)
