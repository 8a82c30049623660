"""The cohort: every pair of states, ticking in bulk, counts that lead to the people."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection

from careleavers import rules
from careleavers.models import CareLeaver, CohortMove, CohortPlace
from careleavers.services import cohort, people
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.test_people import NOW, TODAY, World, last_event, url

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
State = CohortPlace.State
ALLOWED = {
    ("identified", "offered"),
    ("offered", "agreed"),
    ("offered", "declined"),
    ("offered", "no_reply"),
    ("declined", "offered"),
    ("no_reply", "offered"),
}


@pytest.fixture
def world(settings):
    settings.CLOCK = NOW
    return World()


def in_state(world, state):
    person = world.person(advisor=world.advisor)
    place = CohortPlace.objects.create(
        care_leaver=person, council=person.council, ticked_on=TODAY, state=state, state_on=TODAY
    )
    earlier = NOW - timedelta(hours=1)
    CohortMove.objects.create(place=place, state=state, on=TODAY, by=world.manager, recorded_at=earlier)
    return person


@pytest.mark.parametrize("start", State.values)
@pytest.mark.parametrize("end", State.values)
def test_every_pair_of_states(world, start, end):
    person = in_state(world, start)
    if (start, end) in ALLOWED:
        place = cohort.move(care_leaver=person, state=end, on=TODAY, by=world.advisor, at=NOW)
        assert (place.state, [move.state for move in place.moves.all()]) == (end, [start, end])
        assert last_event() == ("careleavers.cohort.moved", "Ann Advisor", {person.pk})
    else:
        with pytest.raises(Refused, match="cannot become"):
            cohort.move(care_leaver=person, state=end, on=TODAY, by=world.advisor, at=NOW)
        assert CohortPlace.objects.get().state == start
    assert {(a, b) for a, then in rules.COHORT_MOVES.items() for b in then} == ALLOWED


@pytest.mark.parametrize("n, words", [(1, "in the future"), (-1, "before 12 April 2021, the last step recorded")])
def test_a_step_is_dated_in_order(world, n, words):
    person = in_state(world, "identified")
    with pytest.raises(Refused, match=words):
        cohort.offer(care_leaver=person, on=TODAY + timedelta(n), by=world.advisor, at=NOW)


def test_outside_the_cohort_nothing_is_offered(world):
    with pytest.raises(Refused, match="ticks who belongs"):
        cohort.offer(care_leaver=world.person(), on=TODAY, by=world.advisor, at=NOW)


@pytest.mark.parametrize("start", State.values)
def test_an_introduction_sent_counts_as_offered_and_agreed(world, start):
    person = in_state(world, start)
    cohort.agree(care_leaver=person, on=TODAY - timedelta(3), by=world.advisor, at=NOW)
    place = CohortPlace.objects.get()
    steps = {"agreed": ["agreed"], "offered": ["offered", "agreed"]}.get(start, [start, "offered", "agreed"])
    assert (place.state, place.state_on, [move.state for move in place.moves.all()]) == ("agreed", TODAY, steps)


def test_an_introduction_of_someone_outside_the_cohort_changes_nothing(world):
    cohort.agree(care_leaver=world.person(), on=TODAY, by=world.advisor, at=NOW)
    assert CohortPlace.objects.count() == 0


def test_ticking_twice_adds_nobody_twice_and_nobody_who_died(world):
    first, second, died = world.person("R1"), world.person("R2"), world.person("R3", in_touch="DIED")
    assert cohort.tick(care_leavers=[first, died], on=TODAY, by=world.manager, at=NOW) == 1
    assert cohort.tick(care_leavers=[first, second], on=TODAY, by=world.manager, at=NOW) == 1
    assert last_event() == ("careleavers.cohort.ticked", "Mia Manager", {second.pk})
    assert set(CareLeaver.objects.outside_cohort()) == {died}
    assert [(m.state, m.on, m.by) for m in CohortMove.objects.all()] == [("identified", TODAY, world.manager)] * 2


def test_a_mistaken_tick_is_taken_back_but_nobody_falls_out_once_offered(world):
    person = world.person(advisor=world.advisor)
    cohort.tick(care_leavers=[person], on=TODAY, by=world.manager, at=NOW)
    assert not CareLeaver.objects.outside_cohort().exists()
    cohort.untick(care_leaver=person, by=world.manager, at=NOW)
    assert CareLeaver.objects.outside_cohort().get() == person
    with pytest.raises(Refused, match="is not in the cohort"):
        cohort.untick(care_leaver=person, by=world.manager, at=NOW)
    cohort.tick(care_leavers=[person], on=TODAY, by=world.manager, at=NOW)
    cohort.offer(care_leaver=person, on=TODAY, by=world.advisor, at=NOW)
    with pytest.raises(Refused, match="stays in the cohort"):
        cohort.untick(care_leaver=person, by=world.manager, at=NOW)


# -- pages -------------------------------------------------------------------------------------------------------------


def test_a_manager_ticks_some_or_everyone_found(world, client):
    ada, bea, kit = (world.person(f"R{n}", name) for n, name in enumerate(("Ada", "Bea", "Kit")))
    client.force_login(world.manager)
    tick = url("cohort_tick")
    for person, places, said in (
        (["nonsense", str(ada.pk)[:-1] + "g"], 0, "Tick at least one young person"),
        ([str(ada.pk)], 1, "1 young person belongs to the cohort now."),
        ([str(ada.pk)], 1, "whoever you ticked belongs to the cohort already"),  # somebody else was quicker
    ):
        answer = client.post(tick, {"ticked": "yes", "person": person}, follow=True).content.decode()
        assert (said in answer, CohortPlace.objects.count()) == (True, places)
    assert [place.care_leaver for place in CohortPlace.objects.all()] == [ada]
    client.post(f"{tick}?q=bea", {"everyone": "yes"})
    assert set(CareLeaver.objects.filter(cohort_place__isnull=False)) == {ada, bea}
    page = client.get(tick)
    assert list(page.context["page_obj"]) == [kit]
    client.post(url("untick", bea))
    assert set(CareLeaver.objects.filter(cohort_place__isnull=False)) == {ada}


def test_counts_lead_to_the_people(world, client):
    names = {"Ada": "identified", "Bea": "offered", "Cat": "offered", "Dee": "declined"}
    for n, (name, state) in enumerate(names.items()):
        person = world.person(f"R{n}", name)
        CohortPlace.objects.create(
            care_leaver=person, council=person.council, ticked_on=TODAY, state=state, state_on=TODAY
        )
    world.person("R9", "Outside")
    client.force_login(world.manager)
    page = client.get(url("cohort"))
    tiles = [(tile["label"], tile["number"]) for tile in page.context["tiles"]]
    assert tiles == [
        ("in the cohort", 4), ("identified", 1), ("offered", 2), ("agreed", 0), ("declined", 1), ("no reply", 0),
    ]  # fmt: skip
    for tile in page.context["tiles"]:
        assert client.get(tile["url"]).context["page_obj"].paginator.count == tile["number"]
    assert client.get(f"{url('cohort')}?state=nonsense&q=cat").context["page_obj"].paginator.count == 1


@pytest.mark.parametrize("count", [1, 3])
def test_the_cohort_asks_the_same_number_of_queries_however_long(world, client, count, django_assert_num_queries):
    for n in range(count):
        person = world.person(f"R{n}", advisor=world.advisor)
        cohort.tick(care_leavers=[person], on=TODAY, by=world.manager, at=NOW)
        world.person(f"X{n}", advisor=world.advisor)
    client.force_login(world.manager)
    for name, queries in (("cohort", 12), ("cohort_tick", 11)):
        with django_assert_num_queries(queries):
            assert len(client.get(url(name)).context["page_obj"]) == count


def test_an_advisor_records_offer_and_answer_on_the_persons_page(world, client):
    person = in_state(world, "identified")
    client.force_login(world.advisor)
    day = {"on_day": "12", "on_month": "4", "on_year": "2021"}
    assert url("offer", person) in client.get(url("detail", person)).content.decode()
    assert client.post(url("offer", person), {"state": "offered", **day}).status_code == 302
    assert client.post(url("offer", person), {"state": "identified", **day}).status_code == 200
    assert client.post(url("offer", person), {"state": "agreed", **day}).status_code == 302
    assert CohortPlace.objects.get().state == "agreed"
    assert url("offer", person) not in client.get(url("detail", person)).content.decode()
    assert client.get(url("offer", person)).status_code == 302


def test_nothing_is_offered_to_someone_who_died(world, client):
    person = in_state(world, "identified")
    people.edit(care_leaver=person, in_touch="DIED", by=world.manager, at=NOW)
    client.force_login(world.advisor)
    assert url("offer", person) not in client.get(url("detail", person)).content.decode()
    with pytest.raises(Refused, match="has died"):
        cohort.offer(care_leaver=person, on=TODAY, by=world.advisor, at=NOW)


def test_who_had_a_place_before_is_in_the_cohort(world):
    """What the migration fills in."""
    person, outside = in_state(world, "offered"), world.person("R2")
    CohortPlace.objects.create(council=world.council, ticked_on=TODAY, state_on=TODAY)  # of nobody
    assert set(CareLeaver.objects.outside_cohort()) == {person, outside}
    with connection.cursor() as cursor:
        cursor.execute(import_module("careleavers.migrations.0011_outside_cohort").FILL)
    assert CareLeaver.objects.outside_cohort().get() == outside


def test_places_of_before_are_given_their_council_and_the_day_of_their_first_step(world):
    """What the migration fills in for places made before these were kept."""
    person, other = in_state(world, "identified"), factories.council()
    place = CohortPlace.objects.get(care_leaver=person)
    move = {"place": place, "by": world.manager, "recorded_at": NOW}
    CohortMove.objects.create(state="offered", on=TODAY - timedelta(days=9), **move)
    bare = CohortPlace.objects.create(
        care_leaver=world.person("R2"), council=other, ticked_on=TODAY, state_on=TODAY - timedelta(days=3)
    )  # no step is known
    CohortPlace.objects.update(council=other, ticked_on=TODAY)
    import_module("careleavers.migrations.0007_cohort_counts").fill(apps, connection.SchemaEditorClass(connection))
    found = CohortPlace.objects.values_list("pk", "council", "ticked_on")
    expected = {(place.pk, TODAY - timedelta(days=9)), (bare.pk, TODAY - timedelta(days=3))}
    assert {(key, day) for key, _, day in found} == expected
    assert {council for _, council, _ in found} == {world.council.pk}
