"""Barriers: raised, moved, closed; what each organisation sees of them."""

from datetime import date, timedelta
from itertools import product

import pytest
from django.template import Context, Template
from django.test import Client
from django.urls import reverse

from careleavers.models import AdvisorAllocation, CareLeaver
from reviews import rules
from reviews.models import Action, Barrier, BarrierMove
from reviews.services import actions, barriers
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent, AuditSubject
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.factories import moment

pytestmark = pytest.mark.sqlite  # pages and files: one database is enough

DAY = date(2026, 4, 15)


@pytest.fixture
def world(db):
    made = factories.World()
    made.person = CareLeaver.objects.create(
        council=made.council,
        reference="R1",
        preferred_name="Kim",
        surname="Sample",
        born_on=date(2004, 1, 1),
        eligibility="former_relevant",
        created_at=moment(DAY),
    )
    AdvisorAllocation.objects.create(care_leaver=made.person, advisor=made.advisor, from_on=date(2026, 1, 1))
    return made


def raise_one(world, **more) -> Barrier:
    given = {
        "council": world.council,
        "care_leaver": None if "pantry" in more else world.person,
        "pantry": None,
        "category": "hours",
        "note": "A note of the council",
        "owner": world.manager,
        "due_on": None,
        "raised_on": DAY,
        "by": world.manager,
        "at": moment(DAY, "15:00"),
    }
    return barriers.raise_barrier(**given | more)


def move(world, barrier: Barrier, state: str, note: str = "", **more) -> Barrier:
    given = {"owner": barrier.owner, "by": world.manager, "at": moment(DAY, "16:00")}
    return barriers.move(barrier=barrier, state=state, note=note, **given | more)


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(user, name: str, *args, query: str = "") -> str:
    answer = signed_in(user).get(reverse(f"reviews:{name}", args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


# -- services ----------------------------------------------------------------------------------------------------------


def test_raising_writes_the_first_step_and_names_the_person_in_the_audit(world):
    made = raise_one(world)
    assert list(made.moves.values_list("state", "owner", "by")) == [("open", world.manager.pk, world.manager.pk)]
    event = AuditEvent.objects.get(verb="reviews.barrier.raised")
    assert (event.target_id, list(event.subjects.values_list("subject_id", flat=True))) == (made.pk, [world.person.pk])
    assert "note" not in str(event.detail)


PAIRS = list(product(rules.BARRIER_MOVES, repeat=2))
BARRIER_PAIRS = {
    ("open", "in_hand"),
    ("open", "resolved"),
    ("open", "will_not"),
    ("in_hand", "in_hand"),  # handed over, or tried again
    ("in_hand", "resolved"),
    ("in_hand", "will_not"),
}


@pytest.mark.parametrize(("here", "there"), PAIRS, ids=map("-".join, PAIRS))
def test_every_pair_of_states_of_a_barrier(world, here, there):
    made = raise_one(world)
    if here != "open":
        made = move(world, made, here, "Because")
    if (here, there) in BARRIER_PAIRS:
        assert move(world, made, there, "Because").state == there
    else:
        with pytest.raises(Refused, match="^(This barrier was closed on|“.*” cannot become).*[.]$"):
            move(world, made, there, "Because")
        assert Barrier.objects.get().state == here
    assert {(a, b) for a, then in rules.BARRIER_MOVES.items() for b in then} == BARRIER_PAIRS


def test_closing_keeps_the_day_and_what_was_said(world):
    made = move(world, raise_one(world), "resolved", "A lift was found")
    assert (made.closed_on, made.outcome) == (DAY, "A lift was found")


@pytest.mark.parametrize("note", ["", "  "])
def test_will_not_be_resolved_needs_a_reason(world, note):
    with pytest.raises(Refused, match="Say why it will not be resolved."):
        move(world, raise_one(world), "will_not", note)


def test_a_closed_barrier_is_raised_anew_not_reopened(world):
    made = move(world, raise_one(world), "resolved")
    with pytest.raises(Refused, match="closed on 15 April 2026. If it has come back, record it again."):
        move(world, made, "in_hand")
    with pytest.raises(Refused, match="If it has come back"):
        barriers.add_action(
            barrier=made, what="Ring", owner=world.manager, due_on=DAY, by=world.manager, at=moment(DAY)
        )


def test_a_young_persons_barrier_is_owned_by_the_council_only(world):
    with pytest.raises(Refused, match="cannot own this barrier"):
        raise_one(world, owner=world.pantry_manager)
    assert raise_one(world, pantry=world.pantry, owner=world.pantry_manager).owner == world.pantry_manager


@pytest.mark.parametrize(
    "more, sentence",
    [
        ({"care_leaver": None}, "A barrier is about a young person or about a pantry."),
        ({"raised_on": DAY + timedelta(days=1)}, "must not be in the future"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(world, more, sentence):
    with pytest.raises(Refused, match=sentence):
        raise_one(world, **more)


def test_nothing_is_raised_of_someone_who_has_died(world):
    world.person.died_on = DAY
    world.person.save()
    with pytest.raises(Refused, match="has died"):
        raise_one(world)


def test_an_action_is_done_once_and_can_be_taken_back(world):
    made = barriers.add_action(
        barrier=raise_one(world), what="Ring", owner=world.advisor, due_on=DAY, by=world.manager, at=moment(DAY)
    )
    for done, expected in ((True, DAY), (True, DAY), (False, None)):
        assert actions.mark(action=made, done=done, by=world.advisor, at=moment(DAY)).done_on == expected
    assert AuditEvent.objects.filter(verb="reviews.action.done").count() == 1


# -- pages -------------------------------------------------------------------------------------------------------------


def fields(world, **more) -> dict:
    today = clock.today()
    given = {"category": "stigma", "note": "Worried about the queue", "owner": str(world.advisor.pk)}
    parts = {f"raised_on_{part}": getattr(today, part) for part in ("day", "month", "year")}
    return given | parts | {"council": str(world.council.pk)} | more


def test_an_advisor_records_a_barrier_from_the_persons_page_and_closes_it(world):
    client = signed_in(world.advisor)
    address = reverse("reviews:barrier_add") + f"?person={world.person.pk}"
    assert "Kim Sample" in client.get(address).content.decode()
    answer = client.post(address, fields(world))
    made = Barrier.objects.get()
    assert answer.url == reverse("careleavers:detail", args=[world.person.pk])
    assert (made.care_leaver, made.pantry, made.category, made.owner) == (world.person, None, "stigma", world.advisor)
    client.post(
        reverse("reviews:barrier_move", args=[made.pk]),
        {"state": "resolved", "note": "Went along together", "owner": str(world.advisor.pk)},
    )
    made.refresh_from_db()
    assert (made.state, made.outcome) == ("resolved", "Went along together")
    assert BarrierMove.objects.filter(barrier=made).count() == 2


def test_a_pantry_manager_records_a_barrier_of_a_pantry_only(world):
    client = signed_in(world.pantry_manager)
    raise_one(world, note="Something private")
    assert client.get(reverse("reviews:barrier_add") + f"?person={world.person.pk}").status_code == 404
    agreed = fields(world, pantry=str(world.pantry.pk), owner=str(world.pantry_manager.pk), category="hours")
    assert client.post(reverse("reviews:barrier_add"), agreed).status_code == 302
    made = Barrier.objects.get(pantry=world.pantry)
    assert (made.care_leaver, made.council) == (None, world.council)


def test_each_role_sees_its_own_barriers(world):
    of_person = raise_one(world, note="Only for the council", category="custody")
    of_pantry = raise_one(world, pantry=world.pantry, category="hours")
    both_known = raise_one(world, pantry=world.pantry, care_leaver=world.person, category="distance")
    colleague = factories.user(Role.PERSONAL_ADVISOR, world.council)
    seen = {
        world.manager: {of_person, of_pantry, both_known},
        world.advisor: {of_person, both_known},
        colleague: set(),
        world.pantry_manager: {of_pantry},
        factories.user(Role.LEAVING_CARE_MANAGER): set(),
        factories.user(Role.PANTRY_MANAGER): set(),
        world.volunteer: set(),
        world.finance: set(),
    }
    for user, expected in seen.items():
        assert set(Barrier.objects.for_user(user)) == expected, user.role
    answers = text(world.pantry_manager, "barriers")
    assert "Kim" not in answers and "In custody</a>" not in answers
    assert signed_in(world.pantry_manager).get(reverse("reviews:barrier", args=[of_person.pk])).status_code == 404


def test_every_look_at_a_young_persons_barrier_is_in_the_audit(world):
    made = raise_one(world)
    text(world.manager, "barriers")
    text(world.manager, "barrier", made.pk)
    verbs = AuditEvent.objects.filter(by=world.manager, subjects__subject_id=world.person.pk).values_list("verb")
    assert [verb for (verb,) in verbs.order_by("id")] == [
        "reviews.barrier.raised",
        "reviews.barriers.viewed",
        "reviews.barrier.viewed",
    ]


def test_the_panel_shows_a_persons_barriers_and_the_way_to_record_one(world):
    raise_one(world, category="childcare")
    panel = Template("{% load reviews_panels %}{% barrier_panel person user %}")
    drawn = panel.render(Context({"person": world.person, "user": world.advisor}))
    assert "Childcare" in drawn and f"?person={world.person.pk}" in drawn
    Barrier.objects.all().delete()
    drawn = panel.render(Context({"person": world.person, "user": world.advisor}))
    assert "Nothing is recorded as standing in the way." in drawn


def test_lists_filter_and_say_when_they_are_empty(world):
    assert "No open barrier is recorded." in text(world.manager, "barriers")
    closed = move(world, raise_one(world, category="moved"), "resolved")
    raise_one(world, category="distance")
    link = reverse("reviews:barrier", args=[closed.pk])
    assert link not in text(world.manager, "barriers")
    assert link in text(world.manager, "barriers", query="?show=closed")
    assert "No barrier of this kind." in text(world.manager, "barriers", query="?category=moved")
    assert "Transport or distance<span" in text(world.manager, "barriers", query="?show=mine&category=odd")


@pytest.mark.parametrize("name", ["barrier_move", "barrier_action"])
def test_forms_show_and_explain_what_is_missing(world, name):
    client, made = signed_in(world.manager), raise_one(world)
    address = reverse(f"reviews:{name}", args=[made.pk])
    assert client.get(address).status_code == 200
    assert "There is a problem" in client.post(address, {"save": "Save"}).content.decode()


def test_an_odd_person_in_the_address_is_not_found(world):
    assert signed_in(world.manager).get(reverse("reviews:barrier_add") + "?person=x").status_code == 404


@pytest.mark.parametrize("rows", [1, 3])
def test_query_counts_do_not_grow(world, rows, django_assert_num_queries):
    for _ in range(rows):
        made = raise_one(world)
    for _ in range(rows):
        move(world, made, "in_hand", "Tried")
        barriers.add_action(
            barrier=made, what="Ring", owner=world.manager, due_on=DAY, by=world.manager, at=moment(DAY)
        )
    client = signed_in(world.manager)
    client.get(reverse("reviews:barriers"))
    with django_assert_num_queries(9):
        client.get(reverse("reviews:barriers"))
    with django_assert_num_queries(11):
        client.get(reverse("reviews:barrier", args=[made.pk]))
    assert (Action.objects.count(), AuditSubject.objects.count() > 0) == (rows, True)


def test_custody_health_and_safety_are_no_categories_of_what_both_organisations_read(world):
    for category in ("custody", "health", "safety"):
        with pytest.raises(Refused, match="Choose “Other” for this"):
            raise_one(world, pantry=world.pantry, category=category)
        assert raise_one(world, category=category).category == category
    for user in (world.pantry_manager, world.manager):
        client = Client()
        client.force_login(user)
        page = client.get(reverse("reviews:barrier_add")).content.decode()
        assert "Opening hours clash" in page
        assert all(words not in page for words in ("In custody", "Health or disability", "Safety concern"))
    client = Client()
    client.force_login(world.pantry_manager)
    assert "In custody" not in client.get(reverse("reviews:barriers")).content.decode()
