"""Long lists: the far half read from its end, filters that do not grow, searches, the same queries on every page."""

import re

import pytest
from django.core import paginator
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from careleavers.models import CareLeaver
from pantry.models import Membership
from stockport_hubs.accounts.models import Role
from stockport_hubs.core import pages, short_choices
from stockport_hubs.core.pages import Paginator
from tests.test_people import NOW, World, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings):
    settings.CLOCK = NOW
    return World()


@pytest.fixture
def eleven(world):
    for n in range(11):
        person = world.person(f"R{n:02}", f"Name {n % 3}")
        CareLeaver.objects.filter(pk=person.pk).update(team="" if n % 2 else "East", phone=str(n))
    return CareLeaver.objects.select_related("council")


HOW: list[dict] = [{}, {"keys_first": True}, {"chosen_once": True}, {"keys_first": True, "chosen_once": True}]


@pytest.mark.parametrize("how", [*HOW, {"exact": True}])
def test_every_page_holds_what_djangos_holds(eleven, how):
    for ordered in (eleven, eleven.order_by(F("died_on").desc(nulls_last=True), "-team", "reference")):
        ours, theirs = Paginator(ordered, 3, **how), paginator.Paginator(ordered, 3)
        assert [list(ours.page(n)) for n in ours.page_range] == [list(theirs.page(n)) for n in theirs.page_range]
        assert [len(ours.page(n)) for n in ours.page_range] == [3, 3, 3, 2]


@pytest.mark.parametrize("keys_first", [False, True])
@pytest.mark.parametrize("order", ["team", "-team"])
def test_rows_that_are_equal_are_on_one_page_each(eleven, order, keys_first):
    paged = Paginator(eleven.order_by(order), 3, keys_first=keys_first)
    keys = [row.pk for n in paged.page_range for row in paged.page(n)]
    assert sorted(keys) == sorted(eleven.values_list("pk", flat=True))


def test_a_list_that_is_cut_or_no_query_is_paged_as_django_does(eleven):
    assert [person.reference for person in Paginator(eleven.order_by("reference")[:7], 3).page(3)] == ["R06"]
    assert list(Paginator(list("abcdefg"), 3).page(3)) == ["g"]
    assert list(Paginator(eleven.none(), 3).get_page(9)) == []


def test_the_last_page_passes_over_no_rows_and_every_page_asks_the_same_number_of_queries(eleven):
    asked = []
    for n in (1, 2, 3, 4):
        with CaptureQueriesContext(connection) as queries:
            rows = list(Paginator(eleven, 3).page(n))
        assert {str(row.council) for row in rows} == {str(rows[0].council)}
        asked.append([("OFFSET" in each["sql"]) for each in queries])
    assert asked == [[False, False], [False, True], [False, True], [False, False]]


@pytest.fixture
def counted_to_six(monkeypatch):
    monkeypatch.setattr(pages, "COUNTED", 6)


def asked_of(paginator, number) -> tuple[list[str], list[str]]:
    """The references on a page, and the queries for them."""
    with CaptureQueriesContext(connection) as queries:
        found = [person.reference for person in paginator.get_page(number)]
    return found, [each["sql"] for each in queries]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("per_page", [2, 3, 4])
def test_a_list_that_is_not_counted_to_its_end_leads_from_page_to_page_through_every_row(
    eleven, counted_to_six, per_page, how
):
    eleven = eleven.order_by("reference")
    everyone = list(eleven.values_list("reference", flat=True))
    onwards, backwards, number = [], [], "1"
    while True:
        page = Paginator(eleven, per_page, **how).get_page(number)
        onwards += [person.reference for person in page]
        if not page.has_next():
            break
        number = str(page.next_page_number())
    assert onwards == everyone
    number = "-1"
    while True:
        page = Paginator(eleven, per_page, **how).get_page(number)
        backwards = [person.reference for person in page] + backwards
        if not page.has_previous():
            break
        number = str(page.previous_page_number())
    assert sorted(set(backwards)) == everyone and backwards[-per_page:] == everyone[-per_page:]
    assert len(backwards) - len(everyone) < per_page, "where it is counted after all, a page may begin anew"


def test_both_ends_of_a_list_that_is_not_counted_are_read_without_counting_or_passing_over_it(eleven, counted_to_six):
    eleven = eleven.order_by("reference")
    for number, wanted in (("1", ["R00", "R01", "R02"]), ("2", ["R03", "R04", "R05"]), ("-1", ["R08", "R09", "R10"])):
        paged = Paginator(eleven, 3)
        found, asked = asked_of(paged, number)
        assert (found, len(asked), paged.more) == (wanted, 2, True), number
        assert "LIMIT 7" in asked[0] and "ORDER BY" not in asked[0], "counted to six, and whether there is one more"
    assert asked_of(Paginator(eleven, 3), "3")[0] == ["R06", "R07", "R08"], "counted after all"
    assert asked_of(Paginator(eleven, 3), "99")[0] == ["R09", "R10"]
    assert asked_of(Paginator(eleven[:6], 3), "2")[0] == ["R03", "R04", "R05"]
    exact = Paginator(eleven, 3, exact=True)
    assert (asked_of(exact, "-1")[0], exact.count, exact.more) == (["R09", "R10"], 11, False)
    chosen = Paginator(eleven, 3, chosen_once=True)
    found, asked = asked_of(chosen, "2")
    assert (found, len(asked), chosen.more) == (["R03", "R04", "R05"], 2, True)
    assert "LIMIT 7" in asked[0] and " IN (" in asked[1] and "OFFSET" not in asked[1], "chosen once, read by their keys"
    for how in HOW[1:]:
        _, asked = asked_of(Paginator(eleven.filter(phone__gte=""), 3, **how), "2")
        assert [each.count('"phone" >=') for each in asked] == [1, "chosen_once" not in how], (
            "not asked once more by key"
        )
    assert len(asked_of(Paginator(eleven.filter(reference="Z"), 3), "1")[1]) == 1, "of nobody there is no page to read"
    six = Paginator(eleven.filter(reference__lt="R06"), 3)
    assert (six.count, six.num_pages, six.more) == (6, 2, False)


def test_a_list_that_is_not_counted_says_so_and_its_ends_are_a_click_away(
    world, client, eleven, counted_to_six, monkeypatch
):
    monkeypatch.setattr("careleavers.views.people.PER_PAGE", 2)
    client.force_login(world.manager)

    def said(page: str) -> tuple[str, list[str]]:
        html = client.get(f"{url('list')}?page={page}").content.decode()
        assert ('href="?page=-1" aria-label="Last page"' in html) == ("more than" in html)
        count = re.search(r'class="hubs-count">([^<]*)<', html)
        return count[1], re.findall(r'href="\?page=(-?\d+)"', html)

    assert said("1") == ("Showing 1 to 2 of more than 6 young people", ["1", "2", "-1", "2"])
    assert said("3") == ("Showing 5 to 6 of more than 6 young people", ["2", "1", "2", "3", "4", "-1", "4"])
    assert said("4") == ("Showing 7 to 8 of 11 young people", ["3", "1", "3", "4", "5", "6", "5"])
    assert said("-1") == ("Showing the last 2 of more than 6 young people", ["-2", "1", "-1"])
    assert said("-2") == ("Showing 3 to 4 from the end of more than 6 young people", ["-3", "1", "-1", "-1"])
    assert said("-4") == ("Showing 5 to 6 of 11 young people", ["2", "1", "2", "3", "4", "6", "4"])


def test_a_filter_offers_the_first_and_whichever_is_chosen(world, client, monkeypatch):
    monkeypatch.setattr(short_choices, "MOST", 2)
    last = world.account(Role.PERSONAL_ADVISOR, "Zoe Last")
    person = world.person("Z1", "Zara", advisor=last)
    world.person("A1", "Amy", advisor=world.advisor)
    client.force_login(world.manager)

    def offered(query=""):
        page = client.get(f"{url('list')}?{query}")
        field = page.context["filters"].fields["advisor"]
        return [label for _, label in field.choices], [row["person"] for row in page.context["rows"]], field.help_text

    everyone, people, more = offered()
    assert (everyone, len(people)) == (["Any", "Ann Advisor", "Oli Other"], 2)
    assert "hand over or cover a whole caseload" in more
    assert offered(f"advisor={last.pk}")[:2] == (["Any", "Ann Advisor", "Oli Other", "Zoe Last"], [person])
    assert offered("advisor=nonsense")[0] == ["Any", "Ann Advisor", "Oli Other"]
    monkeypatch.setattr(short_choices, "MOST", 3)
    assert offered()[::2] == (["Any", "Ann Advisor", "Oli Other", "Zoe Last"], "")


def test_one_or_two_letters_begin_a_word_and_more_are_found_anywhere(world):
    found = {name: world.person(f"R{n}", name) for n, name in enumerate(("Jo", "Banjo", "Mary Jo", "Joan"))}
    searched = CareLeaver.objects.search
    assert set(searched("jo")) == {found["Jo"], found["Mary Jo"], found["Joan"]}
    assert set(searched("anj")) == {found["Banjo"]}
    assert set(searched("r2")) == {found["Mary Jo"]}
    assert [person.preferred_name for person in searched("j")] == ["Jo", "Joan", "Mary Jo"]


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("index", "found"),
    [
        ("careleaver_by_words", lambda: CareLeaver.objects.search("anj").order_by()),
        ("careleaver_by_words", lambda: CareLeaver.objects.search("jo").order_by()),
        ("membership_by_words", lambda: Membership.objects.search("Robin").order_by()),
    ],
)
def test_postgresql_finds_names_by_an_index(index, found):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert index in found().explain()
