"""Beyond the pantry: the directory, onward links and volunteering; every pair of states, undo, who sees what."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from careleavers.services import people
from referrals import rules
from referrals.models import CommunityLink, DirectoryEntry, VolunteeringOffer
from referrals.services import directory, links, volunteering
from stockport_hubs.accounts.models import Organisation, Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.test_people import NOW, TODAY, World, last_event

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
DAY = timedelta(days=1)
Link, Offer = CommunityLink.State, VolunteeringOffer.State
LINK_PAIRS = {
    ("offered", "taken_up"),
    ("offered", "not_taken_up"),
    ("taken_up", "helped"),
    ("taken_up", "did_not_help"),
}
VOLUNTEERING_PAIRS = {
    ("not_asked", "asked"),
    ("not_asked", "interested"),
    ("asked", "interested"),
    ("asked", "not_now"),
    ("not_now", "asked"),
    ("not_now", "interested"),
    ("interested", "induction"),
    ("interested", "not_now"),
    ("induction", "volunteering"),
    ("induction", "stopped"),
    ("volunteering", "stopped"),
    ("stopped", "asked"),
    ("stopped", "interested"),
}


class Both(World):
    """The council of `World`, and an operator it pays."""

    def __init__(self):
        super().__init__()
        self.operator = Organisation.objects.create(name="Invented Operator", kind="operator")
        self.pantry_manager = self.account(Role.PANTRY_MANAGER, "Pat Pantry", self.operator)
        factories.agreement(self.council, self.operator)

    def entry(self, name="Repair café", by=None, **more):
        facts = {"kind": "home", "where": "Invented Hall"} | more
        return directory.add(name=name, by=by or self.manager, at=NOW, **facts)

    def link(self, person, entry=None, on=TODAY):
        return links.offer(care_leaver=person, entry=entry or self.entry(), on=on, by=self.advisor, at=NOW)


@pytest.fixture
def world(settings):
    settings.CLOCK = NOW
    return Both()


# -- onward links ------------------------------------------------------------------------------------------------------


def in_link_state(world, state):
    link = world.link(world.person(advisor=world.advisor))
    CommunityLink.objects.filter(pk=link.pk).update(state=state)
    return link


@pytest.mark.parametrize("end", Link.values)
@pytest.mark.parametrize("start", Link.values)
def test_every_pair_of_states_of_a_link(world, start, end):
    link = in_link_state(world, start)
    if (start, end) in LINK_PAIRS:
        moved = links.move(link=link, state=end, on=TODAY, note="A note", by=world.advisor, at=NOW)
        assert (moved.state, moved.state_on) == (end, TODAY)
        assert [(move.state, move.on, move.by) for move in moved.moves.all()] == [
            ("offered", TODAY, world.advisor),
            (end, TODAY, world.advisor),
        ]
        assert last_event() == ("referrals.link.moved", "Ann Advisor", {link.care_leaver_id})
    else:
        with pytest.raises(Refused, match="cannot become"):
            links.move(link=link, state=end, on=TODAY, by=world.advisor, at=NOW)
        assert CommunityLink.objects.get().state == start
    assert {(a, b) for a, then in rules.LINK_MOVES.items() for b in then} == LINK_PAIRS
    assert set(rules.LINK_MOVES) == set(Link.values)


def test_a_link_is_offered_with_its_day_and_who_recorded_it(world):
    person = world.person(advisor=world.advisor)
    link = world.link(person, on=TODAY - DAY)
    assert (link.state, link.offered_on, link.state_on) == ("offered", TODAY - DAY, TODAY - DAY)
    assert last_event() == ("referrals.link.offered", "Ann Advisor", {person.pk})


def test_a_link_still_open_is_not_offered_twice(world):
    person, entry = world.person(), world.entry()
    world.link(person, entry)
    with pytest.raises(Refused, match="was offered on 12 April 2021. Say what came of it"):
        world.link(person, entry)
    with pytest.raises(IntegrityError), transaction.atomic():
        CommunityLink.objects.create(care_leaver=person, entry=entry, offered_on=TODAY, state_on=TODAY)


def test_a_link_that_ended_can_be_offered_anew(world):
    person, entry = world.person(), world.entry()
    links.move(link=world.link(person, entry), state=Link.NOT_TAKEN_UP, on=TODAY, by=world.advisor, at=NOW)
    world.link(person, entry)
    assert sorted(CommunityLink.objects.values_list("state", flat=True)) == ["not_taken_up", "offered"]


def test_a_link_to_what_is_no_longer_in_the_directory_is_refused(world):
    entry = world.entry()
    directory.set_retired(entry=entry, retired=True, by=world.manager, at=NOW)
    with pytest.raises(Refused, match="not in the directory any more"):
        world.link(world.person(), entry)


@pytest.mark.parametrize(("days", "said"), [(1, "in the future"), (-1, "not be before 12 April 2021")])
def test_what_came_of_a_link_is_dated_in_order(world, days, said):
    link = world.link(world.person())
    with pytest.raises(Refused, match=said):
        links.move(link=link, state=Link.TAKEN_UP, on=TODAY + days * DAY, by=world.advisor, at=NOW)


def test_a_link_offered_in_the_future_is_refused(world):
    with pytest.raises(Refused, match="in the future"):
        world.link(world.person(), on=TODAY + DAY)


def test_nothing_is_offered_to_someone_who_died(world):
    person = world.person()
    link = world.link(person)
    people.edit(care_leaver=person, in_touch="DIED", by=world.manager, at=NOW)
    with pytest.raises(Refused, match="has died"):
        world.link(person, world.entry("Another"))
    with pytest.raises(Refused, match="has died"):
        links.move(link=link, state=Link.TAKEN_UP, on=TODAY, by=world.advisor, at=NOW)


def test_the_last_step_of_a_link_is_taken_back_one_by_one(world):
    link = world.link(world.person(), on=TODAY - 2 * DAY)
    for state, on in ((Link.TAKEN_UP, TODAY - DAY), (Link.HELPED, TODAY)):
        links.move(link=link, state=state, on=on, by=world.advisor, at=NOW)
    seen = []
    for _ in range(3):
        undone = links.undo(link=link, by=world.manager, at=NOW)
        seen.append((undone.state, undone.state_on))
    assert seen == [
        ("taken_up", TODAY - DAY),
        ("offered", TODAY - 2 * DAY),
        ("taken_back", TODAY - 2 * DAY),
    ]
    assert last_event()[:2] == ("referrals.link.undone", "Mia Manager")
    assert [move.undone_by for move in link.moves.all()] == [world.manager] * 3
    with pytest.raises(Refused, match="no step to take back"):
        links.undo(link=link, by=world.manager, at=NOW)


def test_a_step_is_not_taken_back_when_the_same_was_offered_again_since(world):
    person, entry = world.person(), world.entry()
    first = world.link(person, entry)
    links.move(link=first, state=Link.NOT_TAKEN_UP, on=TODAY, by=world.advisor, at=NOW)
    world.link(person, entry)
    with pytest.raises(Refused, match="offered again since"):
        links.undo(link=first, by=world.advisor, at=NOW)
    assert not first.moves.filter(undone_at__isnull=False).exists()


# -- volunteering ------------------------------------------------------------------------------------------------------


def step(world, person, state, on=TODAY):
    return volunteering.move(care_leaver=person, state=state, on=on, by=world.advisor, at=NOW)


@pytest.mark.parametrize("end", Offer.values)
@pytest.mark.parametrize("start", Offer.values)
def test_every_pair_of_states_on_the_way_to_volunteering(world, start, end):
    person = world.person(advisor=world.advisor)
    VolunteeringOffer.objects.create(care_leaver=person, state=start, state_on=None if start == "not_asked" else TODAY)
    if (start, end) in VOLUNTEERING_PAIRS:
        moved = step(world, person, end)
        assert (moved.state, moved.state_on) == (end, TODAY)
        assert [(move.state, move.on, move.by) for move in moved.moves.all()] == [(end, TODAY, world.advisor)]
        assert last_event() == ("referrals.volunteering.moved", "Ann Advisor", {person.pk})
    else:
        with pytest.raises(Refused, match="cannot become .* The next step is: "):
            step(world, person, end)
        assert VolunteeringOffer.objects.get().state == start
    assert {(a, b) for a, then in rules.VOLUNTEERING_MOVES.items() for b in then} == VOLUNTEERING_PAIRS
    assert set(rules.VOLUNTEERING_MOVES) == set(Offer.values)


def test_a_person_is_counted_once_however_often_they_begin(world):
    person = world.person()
    for state in ("interested", "induction", "volunteering", "stopped", "interested", "induction", "volunteering"):
        step(world, person, state)
    assert VolunteeringOffer.objects.get().state == "volunteering"
    with pytest.raises(IntegrityError), transaction.atomic():
        VolunteeringOffer.objects.create(care_leaver=person)


@pytest.mark.parametrize(("days", "said"), [(1, "in the future"), (-1, "not be before 12 April 2021")])
def test_steps_of_volunteering_are_dated_in_order(world, days, said):
    person = world.person()
    step(world, person, "asked")
    with pytest.raises(Refused, match=said):
        step(world, person, "interested", TODAY + days * DAY)


def test_nobody_who_died_is_asked_to_volunteer(world):
    with pytest.raises(Refused, match="has died"):
        step(world, world.person(in_touch="DIED"), "asked")


def test_steps_of_volunteering_are_taken_back_down_to_not_asked(world):
    person = world.person()
    step(world, person, "asked", TODAY - DAY)
    step(world, person, "interested")
    undone = volunteering.undo(care_leaver=person, by=world.manager, at=NOW)
    assert (undone.state, undone.state_on) == ("asked", TODAY - DAY)
    undone = volunteering.undo(care_leaver=person, by=world.manager, at=NOW)
    assert (undone.state, undone.state_on) == ("not_asked", None)
    assert last_event() == ("referrals.volunteering.undone", "Mia Manager", {person.pk})
    with pytest.raises(Refused, match="no step to take back"):
        volunteering.undo(care_leaver=person, by=world.manager, at=NOW)
    assert step(world, person, "asked").moves.count() == 3


def test_nothing_to_take_back_of_somebody_nobody_asked(world):
    with pytest.raises(Refused, match="no step to take back"):
        volunteering.undo(care_leaver=world.person(), by=world.manager, at=NOW)


# -- the directory -----------------------------------------------------------------------------------------------------


def test_an_entry_belongs_to_the_organisation_of_whoever_adds_it(world):
    ours, theirs = world.entry(), world.entry("Soup and recipes", by=world.pantry_manager)
    assert (ours.kept_by, ours.for_pantries) == (world.council, False)
    assert (theirs.kept_by, theirs.for_pantries) == (world.operator, True)
    assert last_event()[:2] == ("referrals.entry.added", "Pat Pantry")


def test_who_sees_which_entries(world):
    only_ours, both = world.entry(), world.entry("For both", for_pantries=True)
    theirs = world.entry("Theirs", by=world.pantry_manager)
    stranger = factories.World()
    elsewhere = directory.add(name="Far", kind="home", where="x", by=stranger.manager, at=NOW, for_pantries=True)
    seen = {
        user: set(DirectoryEntry.objects.for_user(user))
        for user in (world.manager, world.advisor, world.pantry_manager, stranger.pantry_manager, stranger.volunteer)
    }
    assert seen == {
        world.manager: {only_ours, both, theirs},
        world.advisor: {only_ours, both, theirs},
        world.pantry_manager: {both, theirs},
        stranger.pantry_manager: {elsewhere},
        stranger.volunteer: {elsewhere},
    }


def test_an_entry_needs_a_way_to_reach_it(world):
    with pytest.raises(Refused, match="how to reach it"):
        world.entry(where=" ")


def test_two_entries_in_use_do_not_share_a_name(world):
    entry = world.entry()
    with pytest.raises(Refused, match="is in the directory already"):
        world.entry()
    directory.set_retired(entry=entry, retired=True, by=world.manager, at=NOW)
    again = world.entry()
    with pytest.raises(Refused, match="is in the directory already"):
        directory.set_retired(entry=entry, retired=False, by=world.manager, at=NOW)
    assert list(DirectoryEntry.objects.in_use()) == [again]


@pytest.mark.parametrize("name", ["Care-leavers’ drop-in", "Leaving Care Team", "Invented Council advice"])
def test_what_pantries_may_tell_does_not_say_whom_the_council_supports(world, name):
    with pytest.raises(Refused, match="must not say"):
        world.entry(name, for_pantries=True)
    with pytest.raises(Refused, match="must not say"):
        world.entry(name, by=world.pantry_manager)
    assert world.entry(name).name == name  # for the council alone it may


def test_another_organisations_entry_is_not_changed(world):
    entry = world.entry("Theirs", by=world.pantry_manager)
    with pytest.raises(Refused, match="Another organisation keeps this entry"):
        directory.change(entry=entry, name="Ours", by=world.manager, at=NOW)
    with pytest.raises(Refused, match="Another organisation keeps this entry"):
        directory.set_retired(entry=entry, retired=True, by=world.manager, at=NOW)


def test_an_entry_is_changed_retired_and_brought_back_once_each(world):
    entry = world.entry()
    assert directory.change(entry=entry, name="Tool library", by=world.manager, at=NOW).name == "Tool library"
    directory.set_retired(entry=entry, retired=True, by=world.manager, at=NOW)
    with pytest.raises(Refused, match="has been done already"):
        directory.set_retired(entry=entry, retired=True, by=world.manager, at=NOW)
    directory.set_retired(entry=entry, retired=False, by=world.manager, at=NOW)
    verbs = AuditEvent.objects.filter(verb__startswith="referrals.entry.").order_by("id")
    assert [event.verb.rpartition(".")[2] for event in verbs] == ["added", "changed", "retired", "returned"]


# -- pages -------------------------------------------------------------------------------------------------------------

pages = pytest.mark.sqlite
ON = {"on_day": "12", "on_month": "4", "on_year": "2021"}


def get(client, page, *keys, **query):
    return client.get(reverse(f"referrals:{page}", args=keys), query)


def post(client, page, *keys, **data):
    return client.post(reverse(f"referrals:{page}", args=keys), data)


@pages
def test_an_advisor_offers_a_link_and_says_what_came_of_it(world, client):
    person, entry = world.person(advisor=world.advisor), world.entry()
    client.force_login(world.advisor)
    detail = reverse("careleavers:detail", args=[person.pk])
    assert "No onward link has been offered yet." in client.get(detail).content.decode()
    assert post(client, "link_offer", person.pk, **ON).context["form"].errors == {"entry": ["Choose from the list"]}
    assert post(client, "link_offer", person.pk, entry=str(entry.pk), **ON).status_code == 302
    assert post(client, "link_offer", person.pk, entry=str(entry.pk), **ON).status_code == 200  # still open
    link = CommunityLink.objects.get()
    assert post(client, "link", link.pk, state="helped", **ON).status_code == 200
    assert post(client, "link", link.pk, state="taken_up", note="Went twice", **ON).status_code == 302
    shown = get(client, "link", link.pk).content.decode()
    assert "Went twice" in shown and "It helped" in shown
    assert post(client, "link_undo", link.pk).status_code == 302
    assert "Repair café" in client.get(detail).content.decode()
    assert CommunityLink.objects.get().state == "offered"


@pages
def test_an_advisor_follows_somebody_to_volunteering(world, client):
    person = world.person(advisor=world.advisor)
    client.force_login(world.advisor)
    for state in ("interested", "induction", "volunteering"):
        assert post(client, "volunteer", person.pk, state=state, **ON).status_code == 302
    assert post(client, "volunteer", person.pk, state="asked", **ON).status_code == 200
    assert post(client, "volunteer_undo", person.pk).status_code == 302
    assert VolunteeringOffer.objects.get().state == "induction"
    assert "Taken back" in get(client, "volunteer", person.pk).content.decode()


@pages
def test_lists_filter_search_and_name_everybody_in_the_audit(world, client):
    ada, bea = world.person("R1", "Ada", advisor=world.advisor), world.person("R2", "Bea", advisor=world.advisor)
    world.person("R3", "Cy", advisor=world.other)
    entry, food = world.entry(), world.entry("Soup", kind="cooking")
    world.link(ada, entry)
    links.move(link=world.link(bea, food), state="taken_up", on=TODAY, by=world.advisor, at=NOW)
    step(world, ada, "asked")
    step(world, bea, "interested")
    client.force_login(world.advisor)
    rows = lambda name, **query: {r.care_leaver for r in get(client, name, **query).context["page_obj"]}  # noqa: E731
    assert rows("links") == {ada, bea} and last_event() == ("referrals.links.listed", "Ann Advisor", {ada.pk, bea.pk})
    assert rows("links", state="taken_up") == {bea} and rows("links", kind="home") == {ada}
    assert rows("links", q="bea") == {bea} and rows("links", q="nobody") == set()
    assert rows("volunteering") == {ada, bea} and rows("volunteering", state="asked") == {ada}
    assert last_event() == ("referrals.volunteering.listed", "Ann Advisor", {ada.pk})
    assert rows("volunteering", q="bea") == {bea} and rows("volunteering", q="nobody") == set()
    client.force_login(world.other)
    assert rows("links") == rows("volunteering") == set()


@pages
def test_another_advisor_finds_neither_link_nor_volunteering(world, client):
    person = world.person(advisor=world.advisor)
    link = world.link(person)
    client.force_login(world.other)
    for name, key in (("link", link.pk), ("link_offer", person.pk), ("volunteer", person.pk)):
        assert get(client, name, key).status_code == 404
    for name, key in (("link_undo", link.pk), ("volunteer_undo", person.pk)):
        assert post(client, name, key).status_code == 404


@pages
def test_managers_of_both_organisations_keep_the_directory(world, client):
    facts = {"kind": "social", "where": "Invented Park", "website": "example.org/walk", "phone": "0161 496 0000"}
    for user, name in ((world.manager, "Walks"), (world.pantry_manager, "Talks")):
        client.force_login(user)
        assert post(client, "entry_add", name=name, **facts).status_code == 302
        entry = DirectoryEntry.objects.get(name=name)
        assert entry.website == "https://example.org/walk"
        assert (
            post(client, "entry_edit", entry.pk, **facts | {"name": f"{name} again", "phone": "ring"}).status_code
            == 200
        )
        assert post(client, "entry_edit", entry.pk, **facts | {"name": f"{name} again"}).status_code == 302
        assert post(client, "entry_retire", entry.pk, retired="yes").status_code == 302
        names = lambda **query: {each.name for each in get(client, "directory", **query).context["page_obj"]}  # noqa: E731
        assert f"{name} again" not in names()
        assert names(show="retired", q="AGAIN") == {f"{name} again"}
    assert post(client, "entry_edit", DirectoryEntry.objects.get(name="Walks again").pk).status_code == 404
    assert get(client, "entry_add").status_code == 200
    client.force_login(world.advisor)
    assert get(client, "entry_add").status_code == 403


@pages
@pytest.mark.parametrize("rows", [1, 3])
def test_the_lists_ask_the_same_questions_however_long(world, client, rows, django_assert_num_queries):
    for n in range(rows):
        person = world.person(f"R{n}", advisor=world.advisor)
        world.link(person, world.entry(f"Entry {n}"))
        step(world, person, "asked")
    client.force_login(world.manager)
    for name, queries in (("links", 8), ("volunteering", 8), ("directory", 4)):
        with django_assert_num_queries(queries):
            get(client, name)
