"""Long lists: the far half read from its end, filters that do not grow, searches, the same queries on every page."""

import pytest
from django.core import paginator
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from careleavers.models import CareLeaver
from pantry.models import Membership
from stockport_hubs.accounts.models import Role
from stockport_hubs.core import short_choices
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


@pytest.mark.parametrize("keys_first", [False, True])
def test_every_page_holds_what_djangos_holds(eleven, keys_first):
    for ordered in (eleven, eleven.order_by(F("died_on").desc(nulls_last=True), "-team", "reference")):
        ours, theirs = Paginator(ordered, 3, keys_first=keys_first), paginator.Paginator(ordered, 3)
        assert [list(ours.page(n)) for n in ours.page_range] == [list(theirs.page(n)) for n in theirs.page_range]
        assert [len(ours.page(n)) for n in ours.page_range] == [3, 3, 3, 2]


@pytest.mark.parametrize("keys_first", [False, True])
@pytest.mark.parametrize("order", ["team", "-team"])
def test_rows_that_are_equal_are_on_one_page_each(eleven, order, keys_first):
    pages = Paginator(eleven.order_by(order), 3, keys_first=keys_first)
    keys = [row.pk for n in pages.page_range for row in pages.page(n)]
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
