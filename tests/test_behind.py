"""The people behind a figure, as the database chooses them, are those whom the number on the page counts."""

from collections import Counter
from datetime import date, timedelta
from urllib.parse import parse_qsl
from uuid import UUID

import pytest

from careleavers.models import CareLeaver
from pantry.models import FundingAgreement, Membership, MembershipMove
from reviews import audience, behind, beyond, documents, figures, who
from reviews.cohort import ANSWERS, STAGES
from reviews.definitions import DEFINITIONS
from reviews.models import Audience
from stockport_hubs.core import clock
from stockport_hubs.core.among import Among
from tests.processes import python
from tests.review_scene import FIRST_WEEK, PERIOD, TODAY, Scene

WEEK = timedelta(days=7)
TELL = "import django; django.setup(); from tests.test_behind import tell; tell()"


def counted(found: figures.Figures, key: str) -> tuple[set[UUID], int]:
    """Whom the number stands for: young people, and how many members known by number only."""
    if key in STAGES:
        assert dict(found.funnel)[key] == len(found.cohort.stages[key])
        return found.cohort.stages[key], 0
    if key in ANSWERS:
        assert found.answers[key] == len(found.cohort.answers[key])
        return found.cohort.answers[key], 0
    if "-" in key:
        return beyond.behind(found, key), 0
    if key == "barriers":
        return {each.person for each in found.barriers if each.person}, 0
    members = {each.member_id for each in found.holds} if key == "holds" else found.members[key]
    return found.cohort.people(members), len(members - set(found.cohort.person_of))


def chosen(found: figures.Figures, key: str) -> tuple[set[UUID], int]:
    people = CareLeaver.objects.filter(behind.people(found, key))
    return set(people.order_by().values_list("pk", flat=True)), behind.without_person(found, key)


def linked(found: figures.Figures) -> set[str]:
    """Every figure that the page makes a link of."""
    document = documents.document(audience.freeze(found, Audience.LEAVING_CARE))
    cells = [cell for part in document.sections for table in part.tables for row in table.rows for cell in row]
    return {each.key for each in (*cells, *document.points) if each.key}


def asked(link: str) -> dict:
    """What the page is asked for by a link: a figure, and of which week, reason or kind; parts are asked elsewhere."""
    key, _, narrowed = link.partition("?")
    given: dict = {name: value for name, value in parse_qsl(narrowed) if name not in ("pantry", "advisor")}
    return {"key": key, **given, **({"week": date.fromisoformat(given["week"])} if "week" in given else {})}


def compared(agreement: FundingAgreement, days: list[date]) -> Counter:
    """How many stand behind each key, over all the days; the two must be equal on each."""
    sizes: Counter = Counter()
    links: set[str] = set()
    for day in days:
        found = figures.compute(agreement, day - 12 * WEEK, day, day)
        links = links or linked(found)
        for key in {*DEFINITIONS, *links}:
            try:
                got = chosen(found, key)
            except KeyError:
                assert key not in links or who.people(found, **asked(key)) is not None  # told from Python's own count
                continue
            assert got == counted(found, key), (key, day)
            sizes[key] += len(got[0])
    return sizes


def tell() -> None:
    """The sample pilot's, in a process of its own."""
    today = clock.today()
    print(+compared(FundingAgreement.objects.get(), [today, today - 5 * WEEK, today - 20 * WEEK]))


@pytest.mark.slow
@pytest.mark.promise("M7")
def test_whom_a_number_counts_stands_behind_it_in_the_sample_pilot_on_three_days(sample_site):
    said = python(sample_site.database_url, "-c", TELL)
    of_members = ("open", "paused", "ended", "came_last4", "lapsing", "lapsed", "holds")
    for key in (
        *(each for each in STAGES if each != "retained"),
        *ANSWERS,
        *of_members,
        "barriers",
    ):  # nobody's funding is over: see below
        assert f"'{key}': " in said, (key, said)


@pytest.fixture
def scene(db) -> Scene:
    made = Scene(12)
    made.trouble()
    return made


def moved(member: Membership, scene: Scene, *states: str) -> None:
    """One a week, the last one of them a week ago."""
    for n, state in enumerate(reversed(states), 1):
        on = TODAY - n * WEEK
        ended_on = on if state == Membership.State.ENDED else None
        MembershipMove.objects.create(membership=member, state=state, on=on, by=scene.manager, recorded_at=scene.at)
        if n == 1:
            Membership.objects.filter(pk=member.pk).update(state=state, ended_on=ended_on)


def test_whom_a_number_counts_stands_behind_it_through_pauses_and_ends(scene):
    paused, back, ended, by_number = list(scene.members.values())[:4]
    moved(paused, scene, "paused")
    moved(back, scene, "paused", "open")
    moved(ended, scene, "paused", "ended")
    scene.join(PERIOD[0], "10:00")  # a member nobody introduced
    sizes = compared(scene.agreement, [TODAY, TODAY - WEEK, TODAY - WEEK - timedelta(days=1), TODAY - 2 * WEEK])
    assert by_number and sizes["paused"] > 0 and sizes["ended"] > 0


def test_whom_retained_counts_stands_behind_it(scene):
    last = FIRST_WEEK + 25 * WEEK
    for member in list(scene.members.values())[:3]:
        scene.collect(member, last + 8 * WEEK)
    assert compared(scene.agreement, [last + 9 * WEEK, last + 10 * WEEK])["retained"] == 3 + 3


def test_among_takes_any_number_of_keys(scene):
    everyone = CareLeaver.objects.filter(council=scene.council)
    keys = [UUID(int=n) for n in range(300_000)]
    assert everyone.filter(Among("pk", [])).count() == 0
    assert everyone.filter(Among("pk", [*keys, scene.people[3].pk])).get() == scene.people[3]
    assert everyone.filter(~Among("pk", [scene.people[3].pk])).count() == 11
