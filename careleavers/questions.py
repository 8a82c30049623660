"""How someone is: what is asked, when, and what counts as better. Pure: no Django models, no clock, no database.

Four questions are our own, in plain words; two are the government's, which anyone may use: the direct question about
loneliness, and belonging to the neighbourhood from the Community Life Survey. "3 months" are 13 weeks and "6 months"
26, as long as a block. Why: docs/decisions/0024.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import NamedTuple

from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK, spoken

PREFER_NOT, NOT_ASKED = "prefer_not", "not_asked"
SILENT = {PREFER_NOT: "Prefer not to say", NOT_ASKED: "Not asked"}
LOCAL, NATIONAL = "Local question", "National question"


@dataclass(frozen=True)
class Question:
    """A question and its answers in the order in which they are read out; `good` are the more hopeful ones."""

    name: str
    text: str
    source: str
    answers: dict[str, str]
    good: tuple[str, ...]
    good_words: str
    other_words: str

    @property
    def best_first(self) -> tuple[str, ...]:
        """The answers from the best on: the national loneliness question is read out from the other end."""
        codes = tuple(self.answers)
        return codes if codes[0] in self.good else codes[::-1]


SETTLED = {
    "very": "Very settled",
    "fairly": "Fairly settled",
    "not_very": "Not very settled",
    "not_at_all": "Not settled at all",
}
QUESTIONS = {
    "home": Question(
        "Settled in the home",
        "How settled do you feel in your home?",
        LOCAL,
        SETTLED,
        ("very", "fairly"),
        "very or fairly settled",
        "not very settled or not at all",
    ),
    "neighbourhood": Question(
        "Settled in the neighbourhood",
        "How settled do you feel in your neighbourhood?",
        LOCAL,
        SETTLED,
        ("very", "fairly"),
        "very or fairly settled",
        "not very settled or not at all",
    ),
    "people": Question(
        "People to turn to",
        "When something goes wrong, do you have people you can turn to?",
        LOCAL,
        {"always": "Always", "mostly": "Mostly", "sometimes": "Sometimes", "never": "Never"},
        ("always", "mostly"),
        "always or mostly",
        "sometimes or never",
    ),
    "money": Question(
        "Managing money",
        "How are you managing with your money?",
        LOCAL,
        {"well": "Well", "all_right": "All right", "difficulty": "With difficulty", "hardly": "Hardly at all"},
        ("well", "all_right"),
        "well or all right",
        "with difficulty or hardly at all",
    ),
    "loneliness": Question(
        "Loneliness",
        "How often do you feel lonely?",
        NATIONAL,
        {
            "often": "Often or always",
            "some": "Some of the time",
            "occasionally": "Occasionally",
            "hardly_ever": "Hardly ever",
            "never": "Never",
        },
        ("hardly_ever", "never"),
        "hardly ever or never",
        "occasionally or more often",
    ),
    "belonging": Question(
        "Belonging to the neighbourhood",
        "How strongly do you feel you belong to your immediate neighbourhood?",
        NATIONAL,
        {
            "very": "Very strongly",
            "fairly": "Fairly strongly",
            "not_very": "Not very strongly",
            "not_at_all": "Not at all strongly",
        },
        ("very", "fairly"),
        "very or fairly strongly",
        "not very strongly or not at all",
    ),
}


def choices(key: str) -> dict[str, str]:
    """Every answer a question can have, "prefer not to say" and "not asked" at the end."""
    return QUESTIONS[key].answers | SILENT


def change(key: str, start: str, later: str) -> str:
    """better, same or worse than this person's own start; "" when either was not answered."""
    order = QUESTIONS[key].best_first
    if start not in order or later not in order:
        return ""
    was, now = order.index(start), order.index(later)
    return "better" if now < was else "worse" if now > was else "same"


class Point(NamedTuple):
    """One of the three times: the weeks after the first day when it is due, open from, and closed again."""

    name: str
    due: timedelta
    opens: timedelta
    closes: timedelta


START, LATER = "start", ("three_months", "six_months")
POINTS = {
    START: Point("Start", 0 * WEEK, 0 * WEEK, 6 * WEEK),
    "three_months": Point("3 months", 13 * WEEK, 9 * WEEK, 20 * WEEK),
    "six_months": Point("6 months", 26 * WEEK, 20 * WEEK, 39 * WEEK),
}


def counted_from(started_on: date | None, agreed_on: date | None) -> date | None:
    """The day from which 3 and 6 months are counted: when the start was asked, or else the first agreement to share."""
    return started_on or agreed_on


def due_on(point: str, started_on: date | None, agreed_on: date | None) -> date | None:
    """The day on which the questions should be asked; None while there is nothing to count from."""
    first = agreed_on if point == START else counted_from(started_on, agreed_on)
    return first + POINTS[point].due if first else None


def is_open(point: str, on: date, started_on: date | None, agreed_on: date | None) -> bool:
    """Whether answers given on that day are those of this point."""
    try:
        check_is_open(point, on, started_on, agreed_on)
    except Refused:
        return False
    return True


def check_is_open(point: str, on: date, started_on: date | None, agreed_on: date | None) -> None:
    """Raises Refused, with what to do instead, for a day too early or too late to be this point."""
    this, name = POINTS[point], POINTS[point].name.lower()
    if point == START:
        if agreed_on and on >= agreed_on + this.closes:
            raise Refused(
                f"The first agreement to share was given on {spoken(agreed_on)}; answers of more than "
                f"{this.closes // WEEK} weeks later are no start. Record the next ones when they are due."
            )
        return
    first = counted_from(started_on, agreed_on)
    if first is None:
        raise Refused(f"Record the start first: {name} are counted from there.")
    if on < first + this.opens:
        raise Refused(
            f"This is too early for {name}, which are due on {spoken(first + this.due)}. "
            f"They can be asked from {spoken(first + this.opens)}."
        )
    if on >= first + this.closes:
        raise Refused(
            f"This is too late for {name}, which were due on {spoken(first + this.due)}. "
            "Nothing is recorded for them; look whether the next ones are due."
        )


ASKED = [" ".join(asked) for n in range(len(POINTS) + 1) for asked in combinations(POINTS, n)]


def left(asked: Container[str]) -> list[str]:
    """The points still to be asked, in order; once a later one was, nobody is asked for the start."""
    later = [point for point in LATER if point not in asked]
    return later if START in asked or len(later) < len(LATER) else [START, *later]


def due(asked: Container[str], on: date, first: date | None) -> str:
    """Which point's questions are due on that day and not asked yet, counted from `first`; "" for none."""
    for point in left(asked):
        if first and first + POINTS[point].due <= on < first + POINTS[point].closes:
            return point
    return ""


def due_after(on: date) -> Iterator[tuple[str, date, date]]:
    """The same for everybody: who was asked this (of ASKED) and counts from a day after `since`, up to `until`."""
    for asked in ASKED:
        for point in left(asked.split()):
            yield asked, on - POINTS[point].closes, on - POINTS[point].due
