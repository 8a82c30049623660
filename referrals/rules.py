"""The moves of an introduction, and who may be introduced. Pure: no Django, no clock, no database."""

from datetime import date, timedelta

from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused

DRAFT, SENT, MORE_ASKED, WAITING = "draft", "sent", "more_asked", "waiting"
ACCEPTED, DECLINED, WITHDRAWN = "accepted", "declined", "withdrawn"

TRANSITIONS: dict[str, frozenset[str]] = {
    DRAFT: frozenset({SENT, WITHDRAWN}),
    SENT: frozenset({MORE_ASKED, WAITING, ACCEPTED, DECLINED, WITHDRAWN}),
    MORE_ASKED: frozenset({SENT, WAITING, ACCEPTED, DECLINED, WITHDRAWN}),
    WAITING: frozenset({ACCEPTED, DECLINED, WITHDRAWN}),
    ACCEPTED: frozenset(),
    DECLINED: frozenset(),
    WITHDRAWN: frozenset(),
}
UNDER_WAY = (DRAFT, SENT, MORE_ASKED, WAITING)
TO_ANSWER = (SENT, MORE_ASKED, WAITING)
# How a state reads inside "This introduction is ...".
SPOKEN = {
    DRAFT: "still a draft",
    SENT: "waiting for the pantry’s answer",
    MORE_ASKED: "waiting for the advisor to answer the pantry’s question",
    WAITING: "on the pantry’s waiting list",
    ACCEPTED: "accepted",
    DECLINED: "declined",
    WITHDRAWN: "withdrawn",
}

WEEKS_AHEAD = 8
NOT_TAKEN_UP = timedelta(weeks=4)
LOOK_AGAIN = timedelta(weeks=8)  # the longest an advisor may wait before asking again
WARNED = (8, 5)  # weeks before the Monday on which the next block would start
YOUNGEST, OLDEST = 16, 25  # support by a personal advisor runs from 16 until the 25th birthday


def check_can_move(state: str, to: str) -> None:
    """Raises Refused when the state cannot be followed by the other."""
    if to not in TRANSITIONS[state]:
        closed = " and closed" if not TRANSITIONS[state] else ""
        raise Refused(f"This introduction is {SPOKEN[state]}{closed}, so this cannot be done. Read it again.")


def can_move(state: str, to: str) -> bool:
    return to in TRANSITIONS[state]


def check_can_be_introduced(*, name: str, born_on: date, has_died: bool, on: date) -> None:
    """Raises Refused for someone without a preferred name, too young or too old, or who has died."""
    if has_died:
        raise Refused("This young person has died. Nothing more is sent.")
    if not name:
        raise Refused(
            "There is no preferred name yet. Ask what they want to be called, add it to their page, then come back."
        )
    if weeks.age_on(born_on, on) < YOUNGEST:
        raise Refused(
            f"They are under {YOUNGEST}. The scheme is for young people from {YOUNGEST} to {OLDEST - 1}; "
            "check the date of birth if that is wrong."
        )
    if on >= weeks.birthday(born_on, OLDEST):
        raise Refused(
            f"They have turned {OLDEST}, and the scheme ends at the {OLDEST}th birthday. They may still "
            "join a pantry by themselves and pay at the counter."
        )


def funded_until(born_on: date) -> date:
    """The last day before the 25th birthday: no block is bought beyond it."""
    return weeks.birthday(born_on, OLDEST) - timedelta(days=1)


def first_weeks(on: date) -> list[date]:
    """The Mondays an advisor may name as first week: this week's and 8 more."""
    return weeks.weeks_between(on, on + WEEKS_AHEAD * weeks.WEEK)


def check_first_week(week: date | None, on: date) -> None:
    """Raises Refused for a first week further ahead than allowed; one that has passed means "the first there is"."""
    if week is not None and week > first_weeks(on)[-1]:
        raise Refused(f"The first week can be up to {WEEKS_AHEAD} weeks ahead. Choose an earlier one.")


def is_not_taken_up(*, first_week: date, has_collected: bool, on: date) -> bool:
    """Accepted, and nobody came in the 4 weeks from the first week."""
    return not has_collected and on >= first_week + NOT_TAKEN_UP


def is_followed_up(outcome: str, look_again_on: date | None, on: date) -> bool:
    """The latest outcome of someone not taken up holds: nobody needs to ask on that day."""
    return outcome != "will_come" or look_again_on is None or on < look_again_on


# An onward link is offered; then somebody says what came of it. A closed one is offered anew, not reopened.
LINK_MOVES: dict[str, tuple[str, ...]] = {
    "offered": ("taken_up", "not_taken_up"),
    "taken_up": ("helped", "did_not_help"),
    "not_taken_up": (),
    "helped": (),
    "did_not_help": (),
    "taken_back": (),
}
# Who has a wish of their own begins as interested; whoever stopped may begin again.
VOLUNTEERING_MOVES: dict[str, tuple[str, ...]] = {
    "not_asked": ("asked", "interested"),
    "asked": ("interested", "not_now"),
    "not_now": ("asked", "interested"),
    "interested": ("induction", "not_now"),
    "induction": ("volunteering", "stopped"),
    "volunteering": ("stopped",),
    "stopped": ("asked", "interested"),
}
# A member who would like to help at a pantry, as the pantry manager leads it on; each word is one of the above too.
HELP_MOVES: dict[str, tuple[str, ...]] = {
    "wished": ("induction", "not_now"),
    "induction": ("volunteering", "stopped"),
    "volunteering": ("stopped",),
    "not_now": ("wished",),
    "stopped": ("wished",),
    "taken_back": ("wished",),
}
CARRIED_AS = {"wished": "interested"}  # a step of the pantry among the council's; the others have the same name
