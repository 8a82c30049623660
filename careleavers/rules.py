"""Pure rules about young people: no Django models, no clock."""

import re
from datetime import date
from difflib import SequenceMatcher

from stockport_hubs.core.weeks import age_on, birthday

SUPPORT_ENDS_AT = 25
POSTCODE = re.compile(r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}")
YOUNGEST, OLDEST = 14, 30  # outside these a date of birth is a slip of the pen

# rules.md, States: identified → offered → agreed / declined / no reply (may be offered again)
COHORT_MOVES = {
    "identified": ("offered",),
    "offered": ("agreed", "declined", "no_reply"),
    "agreed": (),
    "declined": ("offered",),
    "no_reply": ("offered",),
}


def why_not_born_on(born: date, today: date) -> str:
    """Why a date of birth cannot be right, as the end of a sentence; empty when it can."""
    if born >= today:
        return "must be in the past"
    if not YOUNGEST <= age_on(born, today) <= OLDEST:
        return f"gives an age of {age_on(born, today)}. Young people here are between {YOUNGEST} and {OLDEST}"
    return ""


def tidy_postcode(typed: str) -> str | None:
    """Capitals and one space, whatever was typed; empty stays empty, and None is no whole postcode."""
    letters = "".join(typed.split()).upper()
    tidy = f"{letters[:-3]} {letters[-3:]}" if letters else ""
    return tidy if not tidy or POSTCODE.fullmatch(tidy) else None


def support_ends_on(born: date) -> date:
    """The 25th birthday."""
    return birthday(born, SUPPORT_ENDS_AT)


def names_are_alike(one: str, other: str) -> bool:
    """Whether two names may be of one person: spelling aside, a short form, or one of them not known yet."""
    one, other = " ".join(one.casefold().split()), " ".join(other.casefold().split())
    if not one or not other:
        return True
    if SequenceMatcher(None, one, other).ratio() >= 0.7:
        return True
    first, second = one.split(), other.split()
    return first[0][:3] == second[0][:3] or (len(first) > 1 and len(second) > 1 and first[-1] == second[-1])
