"""Whole caseloads: handed over, covered, taken back; what each advisor then sees; the manager's pages."""

from datetime import timedelta

import pytest
from django.urls import reverse

from careleavers.models import AdvisorCover, CareLeaver, CaseloadMove
from careleavers.services import allocations, caseloads, people
from stockport_hubs.accounts.models import Organisation, Role
from stockport_hubs.administration import services as administration
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from tests.test_people import NOW, TODAY, World, last_event

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: one database is enough


@pytest.fixture
def world(settings):
    settings.CLOCK = NOW
    made = World()
    made.ada, made.bea, made.cat = (made.person(f"R{n}", name) for n, name in enumerate(("Ada", "Bea", "Cat")))
    for each in (made.ada, made.bea, made.cat):
        allocations.allocate(care_leaver=each, advisor=made.advisor, on=day(-30), by=made.manager, at=NOW)
    return made


def day(n):
    return TODAY + timedelta(n)


def at(n):
    return NOW + timedelta(n)


def sees(user, n=0):
    return sorted(CareLeaver.objects.with_advisor(user, day(n)).values_list("preferred_name", flat=True))


def hand_over(world, chosen=None, n=0, **more):
    given = {"of": world.advisor, "to": world.other, "people": chosen or [world.ada, world.bea, world.cat]}
    return caseloads.transfer(**given | {"on": day(n), "by": world.manager, "at": NOW} | more)


def give_cover(world, chosen=None, first=0, last=5, **more):
    given = {"of": world.advisor, "to": world.other, "people": chosen or [world.ada, world.bea, world.cat]}
    given |= {"from_on": day(first), "until_on": day(last), "by": world.manager, "at": NOW}
    return caseloads.cover(**given | more)


def test_a_caseload_handed_over_is_the_other_advisors_from_that_day(world):
    hand_over(world, n=7)
    assert [(sees(world.advisor, n), sees(world.other, n)) for n in (6, 7)] == [
        (["Ada", "Bea", "Cat"], []),
        ([], ["Ada", "Bea", "Cat"]),
    ]
    assert last_event() == (
        "careleavers.caseload.transferred", "Mia Manager", {world.ada.pk, world.bea.pk, world.cat.pk},
    )  # fmt: skip


def test_part_of_a_caseload_is_handed_over(world):
    hand_over(world, [world.bea])
    assert (sees(world.advisor), sees(world.other)) == (["Ada", "Cat"], ["Bea"])


@pytest.mark.parametrize("begins", [0, 3])
@pytest.mark.parametrize("since", [-30, 0])
def test_handing_over_is_undone_until_the_end_of_its_first_day(world, begins, since):
    dee = world.person("R9", "Dee")
    allocations.allocate(care_leaver=dee, advisor=world.advisor, on=day(since), by=world.manager, at=NOW)
    move = hand_over(world, [world.ada, dee], begins)
    assert sees(world.other, begins) == ["Ada", "Dee"]
    assert caseloads.undo(move=move, by=world.manager, at=at(begins)) == 2
    for n in (begins, begins + 30):
        assert (sees(world.advisor, n), sees(world.other, n)) == (["Ada", "Bea", "Cat", "Dee"], [])
    assert list(dee.allocations.values_list("from_on", "until_on")) == [(day(since), None)]


def test_handing_over_is_not_undone_later_and_the_sentence_says_what_to_do(world):
    move = hand_over(world)
    with pytest.raises(Refused, match="Transfer the caseload back to Ann Advisor instead"):
        caseloads.undo(move=move, by=world.manager, at=at(1))
    assert sees(world.other, 1) == ["Ada", "Bea", "Cat"]


def test_undoing_leaves_who_went_to_a_third_advisor(world):
    third = world.account(Role.PERSONAL_ADVISOR, "Tia Third")
    move = hand_over(world)
    allocations.allocate(care_leaver=world.ada, advisor=third, on=TODAY, by=world.manager, at=NOW)
    assert caseloads.undo(move=move, by=world.manager, at=NOW) == 2
    assert [sees(user) for user in (world.advisor, world.other, third)] == [["Bea", "Cat"], [], ["Ada"]]
    with pytest.raises(Refused, match="undone already"):
        caseloads.undo(move=move, by=world.manager, at=NOW)


def test_a_caseload_is_covered_from_the_first_to_the_last_day(world):
    give_cover(world, first=1, last=3)
    assert [len(sees(world.other, n)) for n in range(5)] == [0, 3, 3, 3, 0]
    assert sees(world.advisor, 2) == ["Ada", "Bea", "Cat"]


def test_who_is_covered_on_those_days_already_stays_so(world):
    allocations.give_cover(
        care_leaver=world.ada, advisor=world.other, from_on=day(4), until_on=day(9), by=world.manager, at=NOW
    )
    assert give_cover(world).people == 2
    assert list(world.ada.covers.values_list("from_on", "until_on")) == [(day(4), day(9))]
    with pytest.raises(Refused, match="covers all of them on some of these days already"):
        give_cover(world)


@pytest.mark.parametrize("first, when, left", [(0, 2, [(day(0), day(1))]), (4, 2, []), (0, 0, [])])
def test_cover_of_a_caseload_is_ended_for_everyone_at_once(world, first, when, left):
    move = give_cover(world, first=first)
    assert caseloads.undo(move=move, by=world.manager, at=at(when)) == 3
    assert sees(world.other, when) == []
    assert list(world.bea.covers.values_list("from_on", "until_on")) == left


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"to": "advisor"}, "Ann Advisor is the advisor of these young people already"),
        ({"to": "manager"}, "not a personal advisor of this council"),
        ({"people": []}, "Tick at least one young person"),
        ({"of": "other", "to": "advisor"}, "3 of them are not on Oli Other’s caseload any more"),
        ({"on": day(-1)}, "from today or a later day"),
    ],
)
def test_handing_over_that_makes_no_sense_is_refused_as_a_whole(world, changes, words):
    for name in ("of", "to"):
        if name in changes:
            changes = changes | {name: getattr(world, changes[name])}
    with pytest.raises(Refused, match=words):
        caseloads.transfer(
            **{"of": world.advisor, "to": world.other, "people": [world.ada, world.bea, world.cat], "on": TODAY}
            | changes,
            by=world.manager,
            at=NOW,
        )
    assert (sees(world.advisor), CaseloadMove.objects.count()) == (["Ada", "Bea", "Cat"], 0)


@pytest.mark.parametrize("first, last, words", [(3, 2, "before the first"), (-3, -1, "has passed already")])
def test_cover_of_a_caseload_that_makes_no_sense_is_refused(world, first, last, words):
    with pytest.raises(Refused, match=words):
        give_cover(world, first=first, last=last)
    assert AdvisorCover.objects.count() == 0


def test_a_transfer_nobody_is_left_of_is_not_undone(world):
    first = hand_over(world, [world.ada])
    third = world.account(Role.PERSONAL_ADVISOR, "Tom Third")
    hand_over(world, [world.ada], of=world.other, to=third)
    with pytest.raises(Refused, match="Oli Other has none of these young people by this transfer any more"):
        caseloads.undo(move=first, by=world.manager, at=NOW)
    assert (sees(third), CaseloadMove.objects.filter(undone_at=None).count()) == (["Ada"], 2)


def test_cover_that_is_over_is_not_ended_again(world):
    move = give_cover(world, last=1)
    with pytest.raises(Refused, match="has ended already"):
        caseloads.undo(move=move, by=world.manager, at=at(2))


def test_nobody_who_died_is_handed_over(world):
    people.edit(care_leaver=world.ada, in_touch="DIED", by=world.manager, at=NOW)
    assert list(caseloads.caseload(world.advisor, TODAY).order_by("preferred_name")) == [world.bea, world.cat]
    assert caseloads.held_by(caseloads.holders(world.manager)) == {world.advisor.pk: 2}


def test_a_deactivated_advisor_is_listed_while_somebody_is_left(world):
    admin = world.account(Role.ADMINISTRATOR, "Ada Admin")
    administration.deactivate(user=world.advisor, by=admin, at=NOW)
    assert [advisor.name for advisor in caseloads.holders(world.manager)] == ["Ann Advisor", "Oli Other"]
    hand_over(world)
    assert [advisor.name for advisor in caseloads.holders(world.manager)] == ["Oli Other"]


# -- pages -------------------------------------------------------------------------------------------------------------


def url(name, *keys):
    return reverse(f"careleavers:{name}", args=keys)


def days(**named):
    return {
        f"{name}_{part}": getattr(value, part) for name, value in named.items() for part in ("day", "month", "year")
    }


def test_a_manager_hands_over_after_seeing_what_will_happen_and_undoes_it(world, client):
    client.force_login(world.manager)
    here = url("caseload_transfer", world.advisor.pk)
    assert here in client.get(url("caseloads")).content.decode()
    posted = {"to": world.other.pk, "people": [world.ada.pk, world.cat.pk], **days(on=TODAY)}
    page = client.post(here, posted).content.decode()
    assert "Hand over to Oli Other from 12 April 2021?" in page and "Bea" not in page
    assert (CaseloadMove.objects.count(), sees(world.other)) == (0, [])
    assert client.post(here, posted | {"confirmed": "yes"}).headers["Location"] == url("caseloads")
    assert sees(world.other) == ["Ada", "Cat"]
    client.post(url("caseload_undo", CaseloadMove.objects.get().pk))
    assert sees(world.other) == []
    assert "Undone by Mia Manager" in client.get(url("caseloads")).content.decode()


def test_a_manager_has_a_caseload_covered(world, client):
    client.force_login(world.manager)
    posted = {"to": world.other.pk, "people": [world.ada.pk], **days(from_on=TODAY, until_on=day(3))}
    here = url("caseload_cover", world.advisor.pk)
    assert "Oli Other covers from 12 April 2021 to 15 April 2021?" in client.post(here, posted).content.decode()
    client.post(here, posted | {"confirmed": "yes"})
    assert sees(world.other) == ["Ada"]
    assert "Tick at least one young person" in client.post(here, posted | {"people": []}).content.decode()


def test_only_the_councils_advisors_people_and_moves_are_within_reach(world, client):
    council = Organisation.objects.create(name="Other Council", kind="council")
    elsewhere = world.account(Role.PERSONAL_ADVISOR, "Eve Elsewhere", council)
    move = hand_over(world)
    client.force_login(world.account(Role.LEAVING_CARE_MANAGER, "Max Manager", council))
    assert client.get(url("caseload_transfer", world.advisor.pk)).status_code == 404
    assert client.post(url("caseload_undo", move.pk)).status_code == 404
    client.force_login(world.manager)
    posted = {"to": elsewhere.pk, "people": [world.ada.pk], **days(on=TODAY)}
    page = client.post(url("caseload_transfer", world.other.pk), posted).content.decode()
    assert ("Choose one of the options shown" in page, "Eve Elsewhere" in page) == (True, False)
    dee = world.person("R9", "Dee")
    posted |= {"to": world.other.pk, "people": [dee.pk]}
    form = client.post(url("caseload_transfer", world.advisor.pk), posted).context["form"]
    assert ([*form.errors], "Dee" in str(form["people"])) == (["people"], False)


def test_one_view_of_a_caseload_is_one_event_with_its_people(world, client):
    client.force_login(world.manager)
    before = AuditEvent.objects.count()
    client.get(url("caseload_transfer", world.advisor.pk))
    assert AuditEvent.objects.count() == before + 1
    assert last_event() == ("careleavers.person.listed", "Mia Manager", {world.ada.pk, world.bea.pk, world.cat.pk})


@pytest.mark.parametrize("count", [1, 3])
def test_caseloads_ask_the_same_number_of_queries_however_long(world, client, count, django_assert_num_queries):
    CareLeaver.objects.filter(preferred_name__in=("Bea", "Cat")[count - 1 :]).delete()
    if count == 3:
        for n in range(2):
            world.person(f"Q{n}", advisor=world.account(Role.PERSONAL_ADVISOR, f"More {n}"))
            hand_over(world, [(world.ada, world.bea)[n]], to=world.other)
    else:
        hand_over(world, [world.ada])
        world.person("Q9", advisor=world.advisor)
    client.force_login(world.manager)
    with django_assert_num_queries(6):
        client.get(url("caseloads"))
    with django_assert_num_queries(9):
        client.get(url("caseload_transfer", world.advisor.pk))
