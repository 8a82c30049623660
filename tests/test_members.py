"""Members: as people for the pantry manager, as numbers, weeks and money for the funder."""

import re
from datetime import date, timedelta

import pytest
from django.urls import reverse

from pantry import members
from pantry.models import Membership
from stockport_hubs.audit.models import AuditEvent
from tests import factories
from tests.counter_scene import WEDNESDAY, Counter, at
from tests.test_session_pages import text

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
MEMBERS = "/pantry/members/"


@pytest.fixture
def counter():
    return Counter()


@pytest.fixture
def browse(client):
    with at():

        def sign_in(user):
            client.force_login(user)
            return client

        yield sign_in


def table(response) -> list[list[str]]:
    """The first table's cells, row by row."""
    body = re.search(r"<tbody.*?</tbody>", response.content.decode(), re.S)
    rows = re.findall(r"<tr.*?</tr>", body[0], re.S) if body else []
    cells = [re.findall(r"<t[hd].*?</t[hd]>", row, re.S) for row in rows]
    return [[" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in row] for row in cells]


def page_of(member: Membership) -> str:
    return reverse("pantry:member", args=[member.pk])


def test_the_manager_sees_people_with_weeks_left_and_last_collection(browse, counter):
    ash, bay = counter.join(preferred_name="Ash"), counter.other(preferred_name="")
    counter.record(ash)
    page = browse(counter.pantry_manager).get(MEMBERS)
    assert table(page) == [
        [f"{ash.number} , Ash", "Ash", counter.pantry.name, "Open", "25", "8 Apr 2026"],
        [f"{bay.number} , Number only", "Number only", counter.pantry.name, "Open", "0", "None yet"],
    ]
    event = AuditEvent.objects.get(verb="pantry.members.viewed")
    assert {s.subject_id for s in event.subjects.all()} == {ash.pk, bay.pk}


@pytest.mark.parametrize("who", ["manager", "finance"])
def test_the_funder_sees_numbers_weeks_and_money_alone(browse, counter, who):
    ash = counter.join(preferred_name="Ash", needs=[("allergen", "milk")])
    other = counter.other(preferred_name="Bay")
    counter.record(ash)
    client = browse(getattr(counter, who))
    page = client.get(MEMBERS)
    assert table(page) == [[str(ash.number), counter.pantry.name, "25", "£101.00", "£87.50"]]
    one = client.get(page_of(ash))
    for shown in (page, one):
        assert not any(word in text(shown) for word in ("Ash", "milk", "Open", "8 Apr 2026", "Jo"))
    assert table(one) == [
        ["1, bought by the funder", "6 Apr 2026", "26 at £3.50", "£101.00 with £10.00 joining fee"]
        + ["1 £3.50", "25 £87.50", "0 £0.00"]
    ]
    assert [client.get(MEMBERS, {"q": q}).context["page"].paginator.count for q in ("As", ash.number)] == [0, 1]
    assert client.get(page_of(other)).status_code == 404
    assert client.get(f"{page_of(ash)}end/").status_code == 403
    assert client.get(f"{MEMBERS}add/").status_code == 403


def test_advisors_and_volunteers_have_no_business_here(browse, counter):
    ash = counter.join()
    for user in (counter.advisor, counter.volunteer):
        client = browse(user)
        urls = [MEMBERS, f"{MEMBERS}add/", page_of(ash), f"{page_of(ash)}end/"]
        assert [client.get(url).status_code for url in urls] == [403] * 4


def test_another_organisations_members_are_404(browse, counter):
    theirs = Counter().join()
    client = browse(counter.pantry_manager)
    assert [client.get(url).status_code for url in (page_of(theirs), f"{page_of(theirs)}end/")] == [404, 404]


def test_search_and_filters_narrow_the_list(browse, counter):
    elsewhere = factories.pantry(counter.operator)
    ash = counter.join(preferred_name="Ash")
    bay = counter.join(preferred_name="Bay", pantry=elsewhere)
    left = counter.join(preferred_name="Cor")
    counter.leave(left, WEDNESDAY)
    client = browse(counter.pantry_manager)
    asked = {
        (): [ash, bay],
        (("q", "ba"),): [bay],
        (("pantry", str(counter.pantry.pk)),): [ash],
        (("state", "ended"),): [left],
        (("state", "ended"), ("pantry", str(counter.pantry.pk))): [left],
        (("state", "all"),): [ash, bay, left],
        (("state", "nonsense"), ("pantry", "nonsense")): [ash, bay],
    }
    for query, expected in asked.items():
        shown = client.get(MEMBERS, dict(query)).context["page"]
        assert list(shown) == expected, query
    assert "No member is found by that." in text(client.get(MEMBERS, {"q": "zzz"}))


def test_the_member_page_shows_the_weeks_as_they_went(counter):
    member = counter.join(on=date(2026, 3, 2))
    for day in (date(2026, 3, 4), date(2026, 3, 18)):
        counter.record(member, day=day)
    found = Membership.objects.get(pk=member.pk)
    assert [(week["monday"], week["state"]) for week in members.strip(found, WEDNESDAY)] == [
        (date(2026, 3, 2), "collected"),
        (date(2026, 3, 9), "missed"),
        (date(2026, 3, 16), "collected"),
        (date(2026, 3, 23), "missed"),
        (date(2026, 3, 30), "missed"),
        (date(2026, 4, 6), "to_come"),
    ]


def test_the_member_page_of_the_manager(browse, counter):
    member = counter.join(preferred_name="Ash", needs=[("allergen", "milk"), ("no_cooking", "")])
    counter.record(member, quantities={None: 7})
    shown = text(browse(counter.pantry_manager).get(page_of(member)))
    for words in (
        f"Member {member.number} Ash Open",
        "They share Allergy: milk No cooking facilities",
        "Credited if they left today £87.50 for 25 weeks",
        f"8 Apr 2026 {counter.pantry.name} 7 items, fruit and veg £0.00 Jo Example",
        f"2 Apr 2026 Open {counter.pantry_manager.name}",
    ):
        assert words in shown
    event = AuditEvent.objects.get(verb="pantry.member.viewed")
    assert [s.subject_id for s in event.subjects.all()] == [member.pk]


def test_leaving_shows_the_credit_before_anything_is_done(browse, counter):
    member = counter.join()
    counter.record(member)
    client = browse(counter.pantry_manager)
    url = f"{page_of(member)}end/"
    form = {"on_day": "8", "on_month": "4", "on_year": "2026", "reason": "moved_away"}
    assert "The next page shows how much" in text(client.get(url))
    asked = client.post(url, form)
    assert "25 weeks paid in advance have not been used: £87.50 go back as credit." in text(asked)
    member.refresh_from_db()
    assert (member.state, AuditEvent.objects.filter(verb="pantry.membership.ended").count()) == ("open", 0)
    done = client.post(url, form | {"confirmed": "1"}, follow=True)
    assert f"Membership {member.number} has ended. £87.50 went back as credit." in text(done)
    member.refresh_from_db()
    assert (member.state, member.ended_on, member.end_reason) == ("ended", WEDNESDAY, "moved_away")
    assert "has already ended" in text(client.get(url, follow=True))


def test_leaving_before_a_collection_is_refused_in_words(browse, counter):
    member = counter.join()
    counter.record(member)
    form = {"on_day": "7", "on_month": "4", "on_year": "2026", "reason": "left"}
    shown = browse(counter.pantry_manager).post(f"{page_of(member)}end/", form)
    assert "collected on 8 April 2026. The leaving day cannot be before that." in text(shown)


def test_someone_who_pays_at_the_counter_is_added(browse, counter):
    client = browse(counter.pantry_manager)
    form = {
        "joins": "pays",
        "pantry": counter.pantry.pk,
        "preferred_name": "Bay",
        "allergens": ["milk", "eggs"],
        "other_allergy": "kiwi",
        "diet": "halal, no pork",
        "language": "Dari",
        "no_cooking": "on",
    }
    answer = client.post(f"{MEMBERS}add/", form)
    made = Membership.objects.get()
    assert answer.url == page_of(made)
    assert (made.agreement, made.preferred_name, made.operator) == (None, "Bay", counter.operator)
    assert {(n.kind, n.value) for n in made.needs.all()} == {
        ("allergen", "milk"),
        ("allergen", "eggs"),
        ("allergen", "kiwi"),
        ("diet", "halal"),
        ("diet", "no pork"),
        ("language", "Dari"),
        ("no_cooking", ""),
    }
    assert "The membership number is 1." in text(client.get(answer.url))


def test_telling_words_are_refused_in_what_volunteers_read(browse, counter):
    form = {"pantry": counter.pantry.pk, "preferred_name": "Bay the Care-Leaver", "diet": counter.agreement.name}
    shown = text(browse(counter.pantry_manager).post(f"{MEMBERS}add/", form))
    for said in ("care leaver", counter.agreement.name):
        assert f"Volunteers read this, so it must not say “{said}”. Leave it out or put it another way." in shown
    assert Membership.objects.count() == 0


def test_the_list_warns_while_every_member_is_paid_for(browse, counter):
    told = f"Every member of {counter.pantry.name} on this list is paid for by someone else"
    client = browse(counter.pantry_manager)
    assert told not in text(client.get(MEMBERS))
    counter.join()
    assert told in text(client.get(MEMBERS))
    assert told not in text(browse(counter.manager).get(MEMBERS))
    counter.other()
    assert told not in text(browse(counter.pantry_manager).get(MEMBERS))


def test_collections_nobody_has_paid_for_are_shown_to_the_managers_of_the_scheme_and_the_pantry(browse, counter):
    funded, paying, bought = counter.join(first_week=date(2026, 4, 20)), counter.other(), counter.join()
    for member in (funded, paying, bought):
        counter.record(member)
    stranger = counter.join(agreement=factories.agreement(of=counter.operator), first_week=date(2026, 4, 20))
    counter.record(stranger)
    for who, seen in {"pantry_manager": [funded, stranger], "manager": [funded]}.items():
        client = browse(getattr(counter, who))
        page = client.get(MEMBERS, {"state": "unfunded"})
        assert [line.member for line, _ in page.context["lines"]] == seen, who
        told = text(client.get(reverse("pantry:member", args=[funded.pk])))
        assert "Collections nobody has paid for 1. Each is linked by itself when its week is bought." in told
        assert "Collections nobody" not in text(client.get(reverse("pantry:member", args=[bought.pk])))
    assert "Not paid for" in text(browse(counter.pantry_manager).get(reverse("pantry:member", args=[funded.pk])))


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(("who", "queries"), [("pantry_manager", 14), ("finance", 13)])
def test_the_list_asks_the_same_questions_however_many_rows(
    browse, counter, django_assert_num_queries, rows, who, queries
):
    for _ in range(rows):
        counter.record(counter.join())
    client = browse(getattr(counter, who))
    with django_assert_num_queries(queries):
        client.get(MEMBERS)


@pytest.mark.parametrize("rows", [1, 3])
def test_the_member_page_asks_the_same_questions_however_much_there_is(
    browse, counter, django_assert_num_queries, rows
):
    member = counter.join(on=date(2026, 3, 2))
    for n in range(rows):
        counter.record(member, day=WEDNESDAY - timedelta(weeks=n))
    client = browse(counter.pantry_manager)
    with django_assert_num_queries(31):
        client.get(page_of(member))
