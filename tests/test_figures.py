"""Figures against an independent count from raw rows; who sees which; the people behind a number."""

from collections import Counter
from copy import deepcopy
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from careleavers.models import CareLeaver, CohortMove
from pantry.models import Collection, JournalLine, Membership, MembershipMove, PaidWeek
from referrals.models import Referral
from reviews import audience, behind, figures
from reviews.models import Audience
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from tests import factories
from tests.review_scene import FIRST_WEEK, PERIOD, Scene

AS_AT = PERIOD[1]
WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def made(once) -> Scene:
    made = Scene(24)
    made.trouble()
    return made


@pytest.fixture
def scene(made, db) -> Scene:
    return deepcopy(made)


def computed(scene, as_at: date = AS_AT) -> figures.Figures:
    return figures.compute(scene.agreement, *PERIOD, as_at)


# -- the independent count ---------------------------------------------------------------------------------------------


def recount(scene, as_at: date) -> dict:
    """The same figures the slow way: person by person, week by week, from the rows alone. The scene has no closed week
    but those of bank holidays that fall on a Wednesday (none), and pauses nobody."""
    people = [person.pk for person in scene.people]
    moves = {key: [] for key in people}
    for move in CohortMove.objects.filter(on__lte=as_at).order_by("on", "recorded_at", "pk"):
        moves[move.place.care_leaver_id].append(move.state)
    member_of = {
        referral.care_leaver_id: referral.membership
        for referral in Referral.objects.filter(sent_at__date__lte=as_at)
        if referral.membership is None or referral.membership.joined_on <= as_at
    }
    members = [member for member in member_of.values() if member]
    came = {
        member.pk: {c.week for c in Collection.objects.filter(membership=member, voided_at=None, on__lte=as_at)}
        for member in members
    }
    gone = {member.pk: member.ended_on for member in members if member.ended_on and member.ended_on <= as_at}
    this_week = as_at - timedelta(days=as_at.weekday())
    weeks = []
    week = PERIOD[0]
    while week <= this_week:
        weeks.append(week)
        week += WEEK

    def could(member, week):
        if week in came[member.pk]:
            return True
        return week >= member.first_week and not (member.pk in gone and gone[member.pk] < week)

    def last_four(member):
        found, week = [], this_week
        while week >= member.first_week and len(found) < 4:
            over = week + timedelta(days=6) < as_at
            if week in came[member.pk] or (over and could(member, week)):
                found.append(week in came[member.pk])
            week -= WEEK
        return found

    still = [member for member in members if member.pk not in gone]
    run = {member.pk: (last_four(member) + [True]).index(True) for member in still}
    journal = JournalLine.objects.filter(account="advance", entry__effective_on__lte=as_at)
    open_barriers = Counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT category, COUNT(*) FROM reviews_barrier WHERE closed_on IS NULL GROUP BY category")
        open_barriers.update(dict(cursor.fetchall()))
    return {
        "funnel": {
            "identified": len(people),
            "offered": sum(1 for states in moves.values() if len(states) > 1),
            "agreed": sum(1 for states in moves.values() if "agreed" in states),
            "introduced": len(member_of),
            "joined": len(members),
            "first": sum(1 for weeks in came.values() if weeks),
            "regular": sum(1 for member in still if sum(last_four(member)) >= 3),
            "retained": 0,
            "volunteering": 0,
        },
        "answers": {
            "declined": sum(1 for states in moves.values() if states[-1] == "declined"),
            "no_reply": sum(1 for states in moves.values() if states[-1] == "no_reply"),
            "unanswered": sum(1 for states in moves.values() if states[-1] == "offered"),
        },
        "weeks": [
            (
                week,
                sum(1 for member in members if could(member, week)),
                PaidWeek.objects.filter(week=week, state="dated").count(),
                sum(1 for member in members if week in came[member.pk]),
            )
            for week in weeks
        ],
        "members": {
            "open": len(still),
            "ended": len(gone),
            "came_last4": sum(1 for member in still if any(last_four(member))),
            "lapsing": sum(1 for n in run.values() if n in (2, 3)),
            "lapsed": sum(1 for n in run.values() if n >= 4),
        },
        "left": sum(line.pence for line in journal),
        "barriers": dict(open_barriers),
    }


def found(computed: figures.Figures) -> dict:
    """What the project counted, in the shape of `recount`."""
    keys = ("open", "ended", "came_last4", "lapsing", "lapsed")
    return {
        "funnel": dict(computed.funnel),
        "answers": computed.answers,
        "weeks": [(each.week, each.could, computed.paid.get(each.week, 0), each.came) for each in computed.weeks],
        "members": {key: len(computed.members[key]) for key in keys},
        "left": computed.position.left_pence,
        "barriers": dict(Counter(each.category for each in computed.barriers)),
    }


@pytest.mark.parametrize("as_at", [AS_AT, date(2026, 4, 15), date(2026, 5, 12)])
def test_figures_equal_an_independent_count_at_three_dates(scene, as_at):
    counted = recount(scene, as_at)
    if as_at < date(2026, 5, 11):
        counted["barriers"] = {}
    assert found(computed(scene, as_at)) == counted
    assert counted["funnel"]["joined"] == 14 and counted["members"]["lapsed"] >= (0 if as_at < AS_AT else 4)


@pytest.mark.parametrize("fault", ["a collection", "a cohort place", "a paid week"])
def test_a_planted_fault_of_one_is_found(scene, fault):
    """The comparison above is not blind: with one row more than was counted, the two differ."""
    before = found(computed(scene))
    if fault == "a collection":
        scene.collect(scene.members[5], FIRST_WEEK + WEEK)
    elif fault == "a cohort place":
        scene.person(99)
        scene.people.append(scene.people[-1])
    else:
        row = PaidWeek.objects.filter(week=FIRST_WEEK + WEEK).first()
        row.state, row.week = "parked", None
        row.save()
    assert found(computed(scene)) != before


def test_weeks_bought_are_collected_missed_to_come_and_credited(scene):
    position = computed(scene).position
    parts = ("collected", "missed", "closed", "to_come", "credited")
    assert position.bought_pence == sum(getattr(position, f"{part}_pence") for part in parts)
    assert position.credited_weeks == 2 * 17  # two people left in their ninth week


def test_a_voided_collection_does_not_count(scene):
    before = found(computed(scene))
    row = Collection.objects.filter(week=FIRST_WEEK).first()
    row.voided_at, row.voided_by, row.void_reason = scene.at, scene.volunteer, "Wrong member"
    row.save()
    after = found(computed(scene))
    assert after["weeks"][1] == (*before["weeks"][1][:3], before["weeks"][1][3] - 1)


def test_a_paused_member_could_not_come_and_does_not_lapse(scene):
    member = scene.members[5]  # never came
    before = computed(scene)
    assert member.pk in before.members["lapsed"]
    MembershipMove.objects.create(
        membership=member, state="paused", on=FIRST_WEEK + 2 * WEEK, by=scene.pantry_manager, recorded_at=scene.at
    )
    Membership.objects.filter(pk=member.pk).update(state="paused")
    after = computed(scene)
    assert member.pk in after.members["paused"] and member.pk not in after.members["lapsed"]
    fewer = [b.could - a.could for b, a in zip(before.weeks, after.weeks, strict=True)]
    assert fewer == [0, 0, 0, 0] + [1] * 9  # the week of the pause is used, the ones after it are not


def test_a_closed_week_is_nobodys_missed_week(scene):
    week = FIRST_WEEK + 11 * WEEK
    scene.pantry.closures.create(
        from_on=week, until_on=week + timedelta(days=6), reason="x", announced_at=scene.at, announced_by=scene.manager
    )
    Collection.objects.filter(week=week).delete()
    after = computed(scene)
    last = after.weeks[-1]
    assert (last.week, last.could, last.came, last.is_closed) == (week, 0, 0, True)


def test_retained_is_a_collection_within_eight_weeks_of_the_last_funded_week(scene):
    last = FIRST_WEEK + 25 * WEEK
    late = last + 9 * WEEK + timedelta(days=7)
    for member in list(scene.members.values())[:5]:
        scene.collect(member, last + 3 * WEEK)
    for member in list(scene.members.values())[7:9]:
        scene.collect(member, last + 9 * WEEK)  # too late to count as retained
    after = figures.compute(scene.agreement, *PERIOD, late)
    assert (len(after.cohort.stages["retained"]), len(after.cohort.funding_over)) == (5, 14)


# -- small numbers and the landlord ------------------------------------------------------------------------------------


def test_stockport_homes_gets_no_name_and_no_telling_fact(scene):
    for category in ("custody", "health", "safety"):
        scene.barrier(category, care_leaver=scene.people[0])
    text = str(audience.freeze(computed(scene), Audience.STOCKPORT_HOMES))
    for person in scene.people:
        for told in (person.preferred_name, person.surname, str(person.pk)):
            assert f"{told}'" not in text and f"{told} " not in text
    for told in ("custody", "health", "safety"):
        assert told not in text
    ours = str(audience.freeze(computed(scene), Audience.LEAVING_CARE))
    assert "Person0 Sample0" in ours and "custody" in ours


def test_custody_health_and_safety_count_as_other(scene):
    for category in ("custody", "health", "safety", "other", "other"):
        scene.barrier(category, care_leaver=scene.people[0])
    scene.barrier("hours", care_leaver=scene.people[0], pantry=scene.pantry)
    found = computed(scene)
    found.agreement.small_number = 0  # nothing is hidden for being small
    ours, theirs = (audience.freeze(found, each) for each in (Audience.LEAVING_CARE, Audience.STOCKPORT_HOMES))
    counts = {name: each["barriers"]["categories"] for name, each in (("ours", ours), ("theirs", theirs))}
    asked = ("hours", "custody", "health", "safety", "other")
    assert [counts["ours"][each] for each in asked] == [4, 2, 1, 1, 2]
    assert [counts["theirs"].get(each) for each in asked] == [3, None, None, None, 6]
    # Listed without number is what is about the pantry alone; the rest is counted, and the total is not told.
    shown = theirs["barriers"]
    assert (shown["count"], [row["about"] for row in shown["rows"]]) == (None, [scene.pantry.name])
    assert ours["outside_cohort"] == len(found.cohort.outside) and theirs["outside_cohort"] is None


def test_someone_who_has_died_is_on_no_list(scene):
    person = scene.people[0]
    person.died_on = AS_AT
    person.save()
    frozen = audience.freeze(computed(scene), Audience.LEAVING_CARE)
    assert "Person0 Sample0" not in str(frozen) and str(person.pk) not in frozen["shown_people"]
    assert frozen["funnel"]["joined"] == 14  # and nobody falls out of the count


# -- pages -------------------------------------------------------------------------------------------------------------


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def query(scene, **more) -> dict:
    days = {"period_from": PERIOD[0], "period_to": PERIOD[1]} | more
    parts = {f"{name}_{part}": getattr(day, part) for name, day in days.items() for part in ("day", "month", "year")}
    return {"agreement": str(scene.agreement.pk), **parts}


@pytest.mark.parametrize(
    "key", ["identified", "offered", "declined", "joined", "regular", "came_last4", "lapsed", "barriers", "holds"]
)
def test_a_number_leads_to_exactly_the_people_behind_it(scene, key):
    answer = signed_in(scene.manager).get(reverse("reviews:figure_people", args=[key]), query(scene))
    expected = CareLeaver.objects.filter(behind.people(computed(scene), key)).count()
    assert (answer.status_code, answer.context["page"].paginator.count) == (200, expected)
    event = AuditEvent.objects.filter(verb="reviews.figure.viewed").last()
    assert (event.subjects.count() if event else 0) == min(expected, 25)


def test_the_figures_page_links_for_the_council_and_not_for_stockport_homes(scene):
    ours = signed_in(scene.manager).get(reverse("reviews:figures"), query(scene)).content.decode()
    theirs = signed_in(scene.pantry_manager).get(reverse("reviews:figures"), query(scene)).content.decode()
    assert reverse("reviews:figure_people", args=["joined"]) in ours and "Person0 Sample0" in ours
    assert "/reviews/figures/joined/" not in theirs and "Sample0" not in theirs
    assert signed_in(scene.pantry_manager).get(reverse("reviews:figure_people", args=["joined"])).status_code == 403


def test_the_page_opens_without_a_question_and_explains_a_wrong_one(scene):
    client = signed_in(scene.manager)
    assert client.get(reverse("reviews:figures")).status_code == 200
    wrong = query(scene, period_to=PERIOD[0] - timedelta(days=1))
    assert "must end on or after the day it begins" in client.get(reverse("reviews:figures"), wrong).content.decode()
    assert client.get(reverse("reviews:figure_people", args=["nothing"]), query(scene)).status_code == 404
    assert client.get(reverse("reviews:figure_people", args=["bought"]), query(scene)).status_code == 404


def test_another_councils_agreement_is_no_choice(scene):
    stranger = factories.user(Role.LEAVING_CARE_MANAGER)
    client = signed_in(stranger)
    assert "There is no funding agreement yet" in client.get(reverse("reviews:figures")).content.decode()
    assert client.get(reverse("reviews:figure_people", args=["joined"]), query(scene)).status_code == 404
    assert client.get(reverse("reviews:figures_csv"), query(scene)).status_code == 404


def test_the_number_of_queries_does_not_depend_on_the_people(db):
    counts = []
    for people in (12, 36):
        scene = Scene(people)
        scene.trouble()
        client = signed_in(scene.manager)
        with CaptureQueriesContext(connection) as queries:
            audience.freeze(computed(scene), Audience.LEAVING_CARE)
        with CaptureQueriesContext(connection) as page:
            assert client.get(reverse("reviews:figure_people", args=["joined"]), query(scene)).status_code == 200
        counts.append((len(queries), len(page)))
    assert counts[0] == counts[1]


def test_figures_of_nobody_are_noughts(db):
    empty = computed(Scene(0))
    assert set(dict(empty.funnel).values()) == {0}
    assert {(each.could, each.came) for each in empty.weeks} == {(0, 0)} and empty.paid == {}
