"""Who does what when in the sample pilot: pure Python, drawn from one seeded generator."""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

PREFERRED = """
Ash Aspen Avery Bay Blair Brook Bryn Cedar Clover Coral Cove Dale Dell Ellis Ember Fenn Fern Finch Flint Forest
Gale Glen Grove Harbour Haven Hazel Heath Holly Indigo Iris Ivory Jade Jasper Juniper Kit Lake Lark Laurel Lee
Linden Loch Lupin Maple March Marlow Meadow Merle Moss Nell North Oak Olive Onyx Opal Orchid Peat Perry Pine Plum
Poppy Quill Rain Reed Ridge River Robin Rowan Rush Sage Sandy Shore Sky Sorrel Sparrow Sunny Teal Thorn Tide Vale
Violet Wren Yarrow
""".split()
SURNAMES = """
Samplewood Pretendley Inventon Mocktown Exampleton Figmentby Trialworth Madeupham Fictley Placeholme Demonstone
Dummyfield Nowhereton Testerby Notreall
""".split()

# How a member comes: the chance of a collection in a week, by the weeks since the first.
REGULAR, MOSTLY, SOMETIMES, STOPS, NEVER = "regular", "mostly", "sometimes", "stops", "never"
CHANCE = {REGULAR: 0.95, MOSTLY: 0.75, SOMETIMES: 0.45, STOPS: 0.9, NEVER: 0.0}

CATEGORIES = [
    "distance",
    "hours",
    "stigma",
    "food_needs",
    "childcare",
    "health",
    "forgot",
    "no_cooking",
    "moved",
    "hours",
]
DECLINE_REASONS = ["full", "out_of_area"]


@dataclass
class Person:
    """One young person of the cohort and how their story goes. Days count from the start."""

    index: int
    preferred_name: str
    surname: str
    born_on: date
    advisor: int
    eligibility: str
    pantry: int
    offered: int | None = None  # day
    answer: str = ""  # agreed, declined, no_reply or "" (not answered yet)
    introduced: int | None = None  # day
    outcome: str = ""  # accepted, declined, waiting, more_asked, sent, withdrawn
    coming: str = NEVER
    stops_after: int = 99  # weeks of membership
    leaves: int | None = None  # day
    needs: list[tuple[str, str]] = field(default_factory=list)
    barrier: str = ""


@dataclass
class Neighbour:
    """Another member of a pantry, who pays at the counter and has nothing to do with the scheme."""

    preferred_name: str
    pantry: int
    joined: int  # day
    chance: float
    needs: list[tuple[str, str]]


def _needs(draw: random.Random) -> list[tuple[str, str]]:
    found = []
    if draw.random() < 0.2:
        found.append(("allergen", draw.choice(["milk", "peanuts", "gluten", "eggs", "tree_nuts"])))
    if draw.random() < 0.2:
        found.append(("diet", draw.choice(["Halal", "Vegetarian", "Vegan", "No pork"])))
    if draw.random() < 0.05:
        found.append(("language", draw.choice(["Dari", "Tigrinya", "Kurdish Sorani"])))
    if draw.random() < 0.08:
        found.append(("no_cooking", ""))
    return found


def people(draw: random.Random, start: date, count: int, weeks: int) -> list[Person]:
    """The cohort: most are offered and introduced in the first weeks, a few late; shares as a pilot might see them."""
    everyone = []
    names = [(first, last) for last in SURNAMES for first in PREFERRED]
    draw.shuffle(names)
    for index in range(count):
        age_days = draw.randint(17 * 365 + 200, 24 * 365 + 250)
        # Nobody turns 25 while the story goes on: the scheme would not take them any more.
        age_days = min(age_days, 25 * 365 - weeks * 7 - 14 - index % 90)
        born_on = start - timedelta(days=age_days)
        adult = age_days >= 18 * 365 + 5
        person = Person(
            index=index,
            preferred_name=names[index][0],
            surname=names[index][1],
            born_on=born_on,
            advisor=index % 6,
            eligibility="former_relevant" if adult else draw.choice(["relevant", "eligible"]),
            pantry=draw.choices(range(5), weights=[30, 25, 20, 15, 10])[0],
            needs=_needs(draw),
        )
        everyone.append(person)
        _story(draw, person, weeks)
    return everyone


def _story(draw: random.Random, person: Person, weeks: int) -> None:
    share = draw.random()
    if share < 0.04:
        return  # identified, not offered yet
    person.offered = draw.randint(0, 27) if draw.random() < 0.85 else draw.randint(28, max(29, weeks * 7 - 40))
    if share < 0.15:
        person.answer = "declined"
        return
    if share < 0.22:
        person.answer = "no_reply"
        return
    person.answer = "agreed"
    if share < 0.26:
        return  # agreed, not introduced yet
    person.introduced = person.offered + draw.randint(3, 18)
    if share < 0.29:
        person.outcome = "declined"
    elif share < 0.31:
        person.outcome = "withdrawn"
    else:
        person.outcome = "accepted"
        person.coming = draw.choices([REGULAR, MOSTLY, SOMETIMES, STOPS, NEVER], weights=[38, 28, 14, 14, 6])[0]
        if person.coming == STOPS:
            person.stops_after = draw.randint(4, 16)
        if person.coming in (SOMETIMES, STOPS, NEVER) or draw.random() < 0.12:
            person.barrier = draw.choice(CATEGORIES)
        if draw.random() < 0.07:
            person.leaves = person.introduced + draw.randint(40, 110)


def unanswered(everyone: list[Person], last_day: int) -> None:
    """Make the last days look alive: the latest introductions are still on their way, two offers wait for an answer."""
    accepted = [p for p in everyone if p.outcome == "accepted"]
    latest = sorted(accepted, key=lambda p: (-(p.introduced or 0), p.index))[:5]
    for person, (outcome, days_ago) in zip(
        latest, [("sent", 2), ("sent", 5), ("more_asked", 6), ("waiting", 12), ("draft", 1)], strict=False
    ):
        person.outcome, person.introduced = outcome, last_day - days_ago
        person.offered = min(person.offered or 0, person.introduced - 3)
        person.coming, person.leaves, person.barrier = NEVER, None, ""
    for person, days_ago in zip([p for p in everyone if p.answer == "declined"], (3, 9), strict=False):
        person.offered, person.answer = last_day - days_ago, ""


def neighbours(draw: random.Random, count: int, weeks: int) -> list[Neighbour]:
    """Other members, so that a pantry's list tells nothing about who pays."""
    names = PREFERRED[::-1]
    return [
        Neighbour(
            preferred_name=names[n % len(names)] if draw.random() > 0.1 else "",
            pantry=n % 5,
            joined=draw.randint(0, max(1, weeks * 7 - 30)),
            chance=draw.choice([0.95, 0.8, 0.6]),
            needs=_needs(draw),
        )
        for n in range(count)
    ]
