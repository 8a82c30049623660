"""What the young people of the sample pilot say about how they are, what they are told about, and who volunteers.

Drawn from a generator of its own, in the evenings: the rest of the story stays as it is.
"""

import random
from datetime import date, datetime, timedelta

from careleavers.models import CareLeaver
from careleavers.questions import LATER, NOT_ASKED, PREFER_NOT, QUESTIONS, START
from careleavers.services import wellbeing
from referrals.models import DirectoryEntry
from referrals.services import directory, links, volunteering
from stockport_hubs.accounts.models import User

# Who keeps it, name, kind, line, where, website, telephone, whether pantries may tell members about it. All invented.
ENTRIES = [
    (
        "pantry.manager",
        "Repair café (sample)",
        "home",
        "Bring what is broken",
        "Invented Hall, Saturdays 10 to 12",
        "",
        "",
        True,
    ),
    (
        "pantry.manager",
        "Soup and recipes (sample)",
        "cooking",
        "Cards with six soups, and a taste",
        "Penny Lane (sample), Tuesdays",
        "",
        "",
        True,
    ),
    (
        "pantry.manager",
        "Walking group (sample)",
        "social",
        "An hour, no hills",
        "Invented Park gate, Sundays 11",
        "",
        "0161 496 0101",
        True,
    ),
    ("manager", "Money advice (sample)", "money", "", "", "https://example.org/money", "0161 496 0102", True),
    ("manager", "Thursday drop-in (sample)", "other", "", "Invented Row 9, Thursdays", "", "", False),
    ("manager", "Courses for work (sample)", "work", "", "", "https://example.org/courses", "", True),
]
WHEN = {"three_months": (91, 14, 0.85), "six_months": (168, 14, 0.7)}  # days after the start, at most later, how many
LEAST_LIKELY = 0.04  # not to say, and not to be asked, a question


def make_directory(staff: dict, at: datetime) -> list[DirectoryEntry]:
    return [
        directory.add(
            name=name,
            kind=kind,
            line=line,
            where=where,
            website=website,
            phone=phone,
            for_pantries=also,
            by=staff[nick],
            at=at,
        )
        for nick, name, kind, line, where, website, phone, also in ENTRIES
    ]


def follow(story, care_leaver: CareLeaver, advisor: User, day: date, last: date, at: datetime) -> None:
    """What happens to one of those introduced that day, later on."""
    draw: random.Random = story.apart
    levels = {key: draw.uniform(0.25, 0.85) for key in QUESTIONS}
    if draw.random() < 0.92:
        _ask(story, care_leaver, START, day, levels, advisor, at)
    for point in LATER:
        after, at_most, share = WHEN[point]
        levels = {key: max(0.0, level - draw.uniform(-0.08, 0.3)) for key, level in levels.items()}
        asked_on = day + timedelta(days=after + draw.randint(0, at_most))
        if draw.random() < share and asked_on < last:
            story.in_the_evening(
                asked_on,
                lambda at, point=point, on=asked_on, so=levels: _ask(story, care_leaver, point, on, so, advisor, at),
            )
    if draw.random() < 0.55:
        _link(story, care_leaver, advisor, day + timedelta(days=draw.randint(7, 150)), last)
    if draw.random() < 0.3:
        _volunteer(story, care_leaver, advisor, day + timedelta(days=draw.randint(40, 90)), last)


def _ask(
    story, person: CareLeaver, point: str, on: date, levels: dict[str, float], advisor: User, at: datetime
) -> None:
    draw, answers = story.apart, {}
    for key, question in QUESTIONS.items():
        best, luck = question.best_first, draw.random()
        answers[key] = best[min(len(best) - 1, int(levels[key] * len(best)))]
        if luck < 2 * LEAST_LIKELY:
            answers[key] = NOT_ASKED if luck < LEAST_LIKELY else PREFER_NOT
    how = draw.choice(["in_person", "in_person", "by_phone", "on_paper"])
    wellbeing.record(care_leaver=person, point=point, asked_on=on, how=how, answers=answers, by=advisor, at=at)


def _link(story, person: CareLeaver, advisor: User, day: date, last: date) -> None:
    draw, steps = story.apart, []
    entry = draw.choice(story.entries)
    if draw.random() < 0.85:
        steps = ["taken_up"] if draw.random() < 0.65 else ["not_taken_up"]
    if steps == ["taken_up"] and draw.random() < 0.7:
        steps.append("helped" if draw.random() < 0.75 else "did_not_help")

    def offered(at: datetime) -> None:
        link = links.offer(care_leaver=person, entry=entry, on=day, by=advisor, at=at)
        for n, state in enumerate(steps, 1):
            on = day + timedelta(days=14 * n)
            if on < last:
                story.in_the_evening(
                    on, lambda at, state=state, on=on: links.move(link=link, state=state, on=on, by=advisor, at=at)
                )

    if day < last:
        story.in_the_evening(day, offered)


def _volunteer(story, person: CareLeaver, advisor: User, day: date, last: date) -> None:
    draw = story.apart
    steps = ["asked", "interested", "induction", "volunteering"] if draw.random() < 0.6 else ["asked", "not_now"]
    for n, state in enumerate(steps[: draw.randint(2, 4)]):
        on = day + timedelta(days=10 * n)
        if on < last:
            story.in_the_evening(
                on,
                lambda at, state=state, on=on: volunteering.move(
                    care_leaver=person, state=state, on=on, by=advisor, at=at
                ),
            )
