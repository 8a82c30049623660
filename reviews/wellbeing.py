"""How the cohort says it is: who was asked at the start, after 3 and after 6 months, and what they answered.

Everyone counts against their own start. An answer counts on the day it was given; corrected ones do not count.
"""

from collections import Counter, defaultdict
from collections.abc import Set
from datetime import date
from functools import cached_property
from uuid import UUID

from django.db.models import Min

from careleavers import questions
from careleavers.models import SharingAgreement, Wellbeing
from careleavers.questions import LATER, PREFER_NOT, QUESTIONS, START
from stockport_hubs.core.kept import Kept

CHANGES = ("better", "same", "worse")
# Of all young people the council supports; published before the scheme, of another question put to another group.
PUBLISHED_PERCENT, PUBLISHED_BY = 51, "Bright Spots survey"

ASKED = Kept(
    lambda council, as_at: (
        Wellbeing.objects.current()
        .filter(care_leaver__council=council, asked_on__lte=as_at)
        .order_by()
        .values_list("care_leaver_id", "point", "asked_on", *QUESTIONS)
    )
)
AGREED = Kept(
    lambda council, as_at: (
        SharingAgreement.objects.filter(care_leaver__council=council, given_on__lte=as_at)
        .order_by()
        .values_list("care_leaver_id")
        .annotate(Min("given_on"))
    )
)


class WellbeingFigures:
    """Answers of these people by a day; `asked`, `reached` and `changed` hold ids of young people."""

    def __init__(self, council: UUID, people: Set[UUID], as_at: date) -> None:
        self.council, self.people, self.as_at = council, people, as_at

    @cached_property
    def _rows(self) -> dict[str, dict[UUID, tuple[date, dict[str, str]]]]:
        found: dict[str, dict] = {point: {} for point in questions.POINTS}
        for person, point, asked_on, *answers in ASKED(council=self.council, as_at=self.as_at):
            if person in self.people:
                found[point][person] = (asked_on, dict(zip(QUESTIONS, answers, strict=True)))
        return found

    def asked(self, point: str) -> set[UUID]:
        """Who was asked at this point."""
        return set(self._rows[point])

    @cached_property
    def _reached(self) -> dict[str, set[UUID]]:
        agreed = {key: day for key, day in AGREED(council=self.council, as_at=self.as_at) if key in self.people}
        found = defaultdict(set)
        for person in agreed.keys() | self._rows[START].keys():
            started_on = self._rows[START][person][0] if person in self._rows[START] else None
            for point in questions.POINTS:
                day = questions.due_on(point, started_on, agreed.get(person))
                if (day and day <= self.as_at) or person in self._rows[point]:
                    found[point].add(person)
        return found

    def reached(self, point: str) -> set[UUID]:
        """Whose questions of this point were due by the day, or who were asked already."""
        return self._reached[point] | self.asked(point)

    def answers(self, key: str, point: str) -> Counter:
        """How many gave each answer to a question, "prefer not to say" and "not asked" included."""
        return Counter(answers[key] for _, answers in self._rows[point].values())

    def good(self, key: str, point: str) -> int:
        """How many gave one of the more hopeful answers."""
        counts = self.answers(key, point)
        return sum(counts[answer] for answer in QUESTIONS[key].good)

    def answered(self, key: str, point: str) -> int:
        """How many answered a question."""
        counts = self.answers(key, point)
        return sum(counts[answer] for answer in QUESTIONS[key].answers)

    def changed(self, key: str, point: str) -> dict[str, set[UUID]]:
        """Those who answered at the start and at a later point, by what became of it: better, same, worse."""
        found: dict[str, set[UUID]] = {change: set() for change in CHANGES}
        for person, (_, answers) in self._rows[point].items():
            start = self._rows[START].get(person)
            if start and (change := questions.change(key, start[1][key], answers[key])):
                found[change].add(person)
        return found

    def silent(self, key: str, point: str) -> int:
        """How many were asked at both and preferred not to say at one of them."""
        both = [(self._rows[START][who][1][key], answers[key]) for who, (_, answers) in self._rows[point].items()
                if who in self._rows[START]]  # fmt: skip
        return sum(1 for pair in both if PREFER_NOT in pair)

    def behind(self, key: str) -> set[UUID]:
        """The people of a key made by `asked_key` or `change_key`; KeyError for another."""
        what, _, rest = key.partition("-")
        if what == "asked" and rest in questions.POINTS:
            return self.asked(rest)
        question, _, point = rest.partition("-")
        if what in CHANGES and question in QUESTIONS and point in LATER:
            return self.changed(question, point)[what]
        raise KeyError(key)


def asked_key(point: str) -> str:
    return f"asked-{point}"


def change_key(change: str, question: str, point: str) -> str:
    return f"{change}-{question}-{point}"


def frozen(figures: WellbeingFigures) -> dict:
    """The Leaving Care Team's, as JSON: exact counts."""
    return {
        "asked": {point: len(figures.asked(point)) for point in questions.POINTS},
        "reached": {point: len(figures.reached(point)) for point in questions.POINTS},
        "answers": {
            key: {point: _counts(figures, key, point) for point in questions.POINTS} for key in QUESTIONS
        },
        "changes": {
            point: {
                key: {change: len(people) for change, people in figures.changed(key, point).items()}
                | {"silent": figures.silent(key, point)}
                for key in QUESTIONS
            }
            for point in LATER
        },
    }  # fmt: skip


def _counts(figures: WellbeingFigures, key: str, point: str) -> dict[str, int]:
    found = figures.answers(key, point)
    return {answer: found[answer] for answer in questions.choices(key)}


def grouped(figures: WellbeingFigures, key: str, point: str) -> dict[str, int]:
    """What others get, before small counts are hidden: the more hopeful answers, the rest, and "prefer not to say".

    "Not asked" is left out, no total is told, and nothing is told of changes: the three counts of a question and a
    point stand in no other table, and in no sum with any other.
    """
    good = figures.good(key, point)
    silent = figures.answers(key, point)[PREFER_NOT]
    return {"good": good, "other": figures.answered(key, point) - good, PREFER_NOT: silent}
