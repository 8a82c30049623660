"""Figures of wellbeing, onward links and volunteering against an independent count from raw rows; who sees which."""

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse

from careleavers.models import SharingAgreement, Wellbeing
from careleavers.questions import LATER, NOT_ASKED, POINTS, PREFER_NOT, QUESTIONS, START, choices
from careleavers.services import wellbeing
from referrals.services import directory, links, volunteering
from reviews import audience, beyond, documents, figures
from reviews.models import Audience
from stockport_hubs.core.weeks import WEEK
from tests import factories
from tests.review_scene import JOINED_ON, PERIOD, TODAY, Scene

pytestmark = pytest.mark.django_db
AS_AT, DAY = PERIOD[1], timedelta(days=1)
ASKED_ON = {START: JOINED_ON, "three_months": JOINED_ON + 11 * WEEK}  # in order, each within its weeks
KINDS = ("cooking", "home", "money")


class Wide(Scene):
    """A scene whose people were asked, told about places, and asked to volunteer; a stranger stands outside."""

    def __init__(self, people: int = 36, seed: int = 3):
        super().__init__(people)
        draw = random.Random(seed)
        outside = self.person(people)
        outside.cohort_place.delete()
        SharingAgreement.objects.create(
            care_leaver=outside, wording_version="1", privacy_notice_on=JOINED_ON, given_on=JOINED_ON,
            how_given="in_person", taken_by=self.advisor,
        )  # fmt: skip
        self.entries = [
            directory.add(name=f"Place {kind}", kind=kind, where="Hall", by=self.manager, at=self.at) for kind in KINDS
        ]
        for person in (*self.people, outside):
            self.say(person, draw)
            for entry in self.entries:
                if draw.random() < 0.5:
                    self.tell(person, entry, draw)
            self.go(person, draw)

    def say(self, person, draw) -> None:
        for point, on in ASKED_ON.items():
            if draw.random() < 0.2 or not (person.sharing_agreements.exists() or point == START):
                continue
            row = wellbeing.record(
                care_leaver=person, point=point, asked_on=on, how="in_person", at=self.at, by=self.advisor,
                answers={key: draw.choice(list(choices(key))) for key in QUESTIONS} | {"home": "very"},
            )  # fmt: skip
            if draw.random() < 0.1:
                wellbeing.take_back(earlier=row, because="Of somebody else", by=self.manager, at=self.at)
            elif draw.random() < 0.2:
                answers = row.answers | {"neighbourhood": draw.choice(["very", "not_at_all"])}
                wellbeing.correct(
                    earlier=row, asked_on=on, how="by_phone", answers=answers, because="Slip", by=self.manager,
                    at=self.at,
                )  # fmt: skip

    def tell(self, person, entry, draw) -> None:
        on = PERIOD[0] + draw.randint(-30, 80) * DAY
        link = links.offer(care_leaver=person, entry=entry, on=on, by=self.advisor, at=self.at)
        for state in draw.choice([[], ["not_taken_up"], ["taken_up"], ["taken_up", "helped"]]):
            on = min(TODAY, on + draw.randint(0, 20) * DAY)
            links.move(link=link, state=state, on=on, by=self.advisor, at=self.at)
        if draw.random() < 0.2:
            links.undo(link=link, by=self.advisor, at=self.at)

    def go(self, person, draw) -> None:
        steps = ["asked", "interested", "induction", "volunteering", "stopped", "interested"]
        on = PERIOD[0]
        for state in steps[: draw.choice([0, 1, 2, 4, 4, 5, 6])]:
            on = min(TODAY, on + draw.randint(0, 30) * DAY)
            volunteering.move(care_leaver=person, state=state, on=on, by=self.advisor, at=self.at)
        if on > PERIOD[0] and draw.random() < 0.3:
            volunteering.undo(care_leaver=person, by=self.advisor, at=self.at)


@pytest.fixture(scope="module")
def scene(once):
    """No test changes it."""
    return Wide()


def computed(scene, as_at=AS_AT) -> figures.Figures:
    return figures.compute(scene.agreement, PERIOD[0], PERIOD[1], as_at)


def rows(sql: str) -> list[dict]:
    """Raw rows, as the database keeps them."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


# -- the independent count ---------------------------------------------------------------------------------------------

# From best to worst, written down once more.
SCALES = {
    "home": ["very", "fairly", "not_very", "not_at_all"],
    "neighbourhood": ["very", "fairly", "not_very", "not_at_all"],
    "people": ["always", "mostly", "sometimes", "never"],
    "money": ["well", "all_right", "difficulty", "hardly"],
    "loneliness": ["never", "hardly_ever", "occasionally", "some", "often"],
    "belonging": ["very", "fairly", "not_very", "not_at_all"],
}


def recount_wellbeing(as_at) -> dict:
    """Person by person from the rows alone."""
    cohort = {str(r["care_leaver_id"]) for r in rows("SELECT care_leaver_id FROM careleavers_cohortplace")}
    said: dict[str, dict] = {point: {} for point in POINTS}
    for row in rows("SELECT * FROM careleavers_wellbeing WHERE replaced_at IS NULL"):
        if str(row["care_leaver_id"]) in cohort and str(row["asked_on"]) <= str(as_at):
            said[row["point"]][str(row["care_leaver_id"])] = row
    changes: dict = {point: {key: Counter() for key in SCALES} for point in LATER}
    for point in LATER:
        for person, row in said[point].items():
            start = said[START].get(person)
            for key, scale in SCALES.items():
                if start is None:
                    continue
                if PREFER_NOT in (start[key], row[key]):
                    changes[point][key]["silent"] += 1
                elif NOT_ASKED not in (start[key], row[key]):
                    was, now = scale.index(start[key]), scale.index(row[key])
                    changes[point][key]["better" if now < was else "worse" if now > was else "same"] += 1
    return {
        "asked": {point: len(found) for point, found in said.items()},
        "answers": {
            key: {point: Counter(row[key] for row in found.values()) for point, found in said.items()} for key in SCALES
        },
        "changes": changes,
    }


def test_wellbeing_equals_a_count_from_the_rows(scene):
    got, wanted = audience.freeze(computed(scene), Audience.LEAVING_CARE)["wellbeing"], recount_wellbeing(AS_AT)
    assert got["asked"] == wanted["asked"] and got["asked"][START] > 10 and got["asked"]["three_months"] > 5
    assert {k: {p: +Counter(n) for p, n in points.items()} for k, points in got["answers"].items()} == wanted["answers"]
    assert {p: {k: +Counter(n) for k, n in keys.items()} for p, keys in got["changes"].items()} == wanted["changes"]
    assert sum(got["changes"]["three_months"]["neighbourhood"].values()) > 3


def test_due_by_the_day_is_the_denominator(scene):
    got = audience.freeze(computed(scene), Audience.LEAVING_CARE)["wellbeing"]
    given = {person.pk: person.sharing_agreements.first() for person in scene.people}
    three = dict(Wellbeing.objects.current().filter(point="three_months").values_list("care_leaver_id", "asked_on"))
    start = dict(Wellbeing.objects.current().filter(point=START).values_list("care_leaver_id", "asked_on"))
    due = {
        person
        for person, agreement in given.items()
        if (first := start.get(person) or (agreement and agreement.given_on)) and first + 13 * WEEK <= AS_AT
    }
    assert got["reached"]["three_months"] == len(due | (three.keys() & given.keys()))
    assert got["reached"][START] == len({p for p, each in given.items() if each} | (start.keys() & given.keys()))
    assert got["reached"]["six_months"] == 0


def test_answers_count_on_the_day_they_were_given_and_corrected_ones_do_not(scene):
    before = audience.freeze(computed(scene, JOINED_ON + WEEK), Audience.LEAVING_CARE)["wellbeing"]
    assert before["asked"]["three_months"] == 0 and before["asked"][START] > 10
    assert Wellbeing.objects.exclude(replaced_at=None).count() > 0


@pytest.mark.parametrize("as_at", [AS_AT, PERIOD[0] + 20 * DAY])
def test_links_equal_a_count_from_the_rows(scene, as_at):
    got = audience.freeze(computed(scene, as_at), Audience.LEAVING_CARE)["links"]
    cohort = {str(r["care_leaver_id"]) for r in rows("SELECT care_leaver_id FROM careleavers_cohortplace")}
    kinds = {str(r["id"]): r["kind"] for r in rows("SELECT id, kind FROM referrals_directoryentry")}
    steps: dict[str, set] = {}
    for row in rows("SELECT * FROM referrals_communitylinkmove WHERE undone_at IS NULL"):
        if str(row["on"]) <= str(as_at):
            steps.setdefault(str(row["link_id"]), set()).add(row["state"])
    counts: dict[str, Counter] = {}
    people: dict[str, set] = {}
    for row in rows("SELECT * FROM referrals_communitylink"):
        in_time = str(PERIOD[0]) <= str(row["offered_on"]) <= str(min(as_at, PERIOD[1]))
        states = steps.get(str(row["id"]), set())
        if in_time and states and str(row["care_leaver_id"]) in cohort:
            counts.setdefault(kinds[str(row["entry_id"])], Counter()).update(states)
            for state in states:
                people.setdefault(state, set()).add(row["care_leaver_id"])
    assert {kind: +Counter(each) for kind, each in got["kinds"].items()} == counts
    assert +Counter(got["people"]) == {state: len(each) for state, each in people.items()}
    assert got["people"]["offered"] > 3


@pytest.mark.parametrize("as_at", [AS_AT, PERIOD[0] + 20 * DAY])
def test_volunteering_equals_a_count_from_the_rows(scene, as_at):
    found = computed(scene, as_at)
    got = audience.freeze(found, Audience.LEAVING_CARE)
    cohort = {str(r["care_leaver_id"]) for r in rows("SELECT care_leaver_id FROM careleavers_cohortplace")}
    person_of = {str(r["id"]): str(r["care_leaver_id"]) for r in rows("SELECT * FROM referrals_volunteeringoffer")}
    steps: dict[str, list] = {}
    for row in rows("SELECT * FROM referrals_volunteeringmove WHERE undone_at IS NULL ORDER BY number"):
        if str(row["on"]) <= str(as_at) and person_of[str(row["offer_id"])] in cohort:
            steps.setdefault(person_of[str(row["offer_id"])], []).append(row["state"])
    assert got["volunteering"]["begun"] == sum("volunteering" in each for each in steps.values())
    assert +Counter(got["volunteering"]["now"]) == Counter(each[-1] for each in steps.values())
    assert got["funnel"]["volunteering"] == got["volunteering"]["begun"]
    assert list(got["funnel"])[-1] == "volunteering"


# -- who sees which ----------------------------------------------------------------------------------------------------


def test_stockport_homes_gets_counts_of_answers_and_nothing_of_links_or_steps(scene):
    found = computed(scene)
    theirs = audience.freeze(found, Audience.STOCKPORT_HOMES)
    assert theirs.keys() & {"links", "volunteering"} == set()
    assert theirs["wellbeing"].keys() == {"grouped"}
    ours = audience.freeze(found, Audience.LEAVING_CARE)["wellbeing"]["answers"]
    shown = 0
    for key, points in theirs["wellbeing"]["grouped"].items():
        for point, counts in points.items():
            exact = {"good": 0, "other": 0, PREFER_NOT: ours[key][point][PREFER_NOT]}
            for answer in QUESTIONS[key].answers:
                exact["good" if answer in QUESTIONS[key].good else "other"] += ours[key][point][answer]
            hidden = {code for code, number in counts.items() if number is None}
            assert all(counts[code] == exact[code] >= 5 for code in counts if code not in hidden)
            assert not hidden or (len(hidden) > 1 and sum(exact[code] for code in hidden) >= 5) or len(hidden) == 3
            shown += len(counts) - len(hidden)
    assert shown > 5
    text = documents.document(theirs)
    said = [cell.shown for part in text.sections for table in part.tables for row in table.rows for cell in row]
    assert "Settled in the neighbourhood: very or fairly settled" in said and "not shown" in said


@pytest.mark.parametrize(
    ("counts", "wanted"),
    [
        ({"a": 9, "b": 8, "c": 7}, {"a": 9, "b": 8, "c": 7}),
        ({"a": 9, "b": 8, "c": 2}, {"a": 9, "b": None, "c": None}),
        ({"a": 9, "b": 1, "c": 1}, {"a": None, "b": None, "c": None}),
        ({"a": 9, "b": 2, "c": 3}, {"a": 9, "b": None, "c": None}),
        ({"a": 30, "b": 20, "c": 0}, {"a": 30, "b": None, "c": None}),
        ({"a": 0, "b": 0, "c": 0}, {"a": None, "b": None, "c": None}),
    ],
)
def test_small_counts_are_hidden_with_another_that_keeps_their_sum_from_telling(counts, wanted):
    assert beyond.hide(counts, 5) == wanted


@pytest.mark.parametrize(("people", "is_told"), [(4, False), (5, True)])
def test_stockport_homes_is_told_how_many_volunteer_unless_they_are_few(people, is_told):
    scene = Scene(12)
    for person in scene.people[:people]:
        for state in ("interested", "induction", "volunteering"):
            volunteering.move(care_leaver=person, state=state, on=PERIOD[0], by=scene.advisor, at=scene.at)
    found = computed(scene)
    for others in (Audience.STOCKPORT_HOMES, Audience.CORPORATE_PARENTS):
        shown = audience.freeze(found, others)["funnel"]["volunteering"]
        assert shown == (people if is_told else None), others
    assert audience.freeze(found, Audience.LEAVING_CARE)["funnel"]["volunteering"] == people


def test_the_published_figure_is_called_another_question_and_another_group_and_stands_in_no_chart(scene):
    ours = documents.document(audience.freeze(computed(scene), Audience.LEAVING_CARE))
    section = next(part for part in ours.sections if part.slug == "wellbeing")
    row = section.tables[0].rows[-1]
    assert (row[0].shown, row[3].shown) == ("Published, Bright Spots survey: another question, another group", "51%")
    assert "no effect of the scheme" in section.tables[0].note
    assert len(section.chart.columns) == 3 and "51" not in section.chart.sentence


def test_a_pack_of_before_says_what_it_said():
    frozen = audience.freeze(computed(Scene(0)), Audience.LEAVING_CARE)
    slugs = [part.slug for part in documents.document(frozen).sections]
    assert {"wellbeing", "links", "volunteering"} <= set(slugs)
    older = {key: value for key, value in frozen.items() if key not in ("wellbeing", "links", "volunteering")}
    assert {"wellbeing", "links", "volunteering"} & {part.slug for part in documents.document(older).sections} == set()


# -- pages -------------------------------------------------------------------------------------------------------------


@pytest.mark.sqlite
def test_every_number_of_these_sections_leads_to_as_many_people(scene, client, settings):
    settings.CLOCK = factories.moment(TODAY, "12:00")
    found = computed(scene)
    document = documents.document(audience.freeze(found, Audience.LEAVING_CARE))
    parts = [part for part in document.sections if part.slug in ("wellbeing", "links", "volunteering")]
    cells = [cell for part in parts for table in part.tables for row in table.rows for cell in row if cell.key]
    assert len(cells) > 15
    for cell in cells:
        assert len(beyond.behind(found, cell.key)) == cell.value, cell.key
        assert beyond.definition(cell.key), cell.key
    client.force_login(scene.manager)
    period = {
        f"{name}_{part}": getattr(day, part)
        for name, day in (("period_from", PERIOD[0]), ("period_to", PERIOD[1]))
        for part in ("day", "month", "year")
    }
    for key in ("asked-start", "worse-neighbourhood-three_months", "links-offered", "now-interested", "volunteering"):
        answer = client.get(reverse("reviews:figure_people", args=[key]), {"agreement": scene.agreement.pk, **period})
        wanted = len(beyond.behind(found, key)) if "-" in key else dict(found.funnel)[key]
        assert answer.context["page"].paginator.count == wanted > 0, key
    for key in ("asked", "worse-home", "links-taken_back", "now-not_asked", "better-home-start"):
        given = {"agreement": scene.agreement.pk, **period}
        assert client.get(reverse("reviews:figure_people", args=[key]), given).status_code == 404
