"""Words of meetings are read by both organisations, and Stockport Homes is also the landlord: no young person is named.

A name beyond doubt is refused. A word that is a first name or a surname as well is asked about: whoever typed it says
that it names nobody. Somebody of the operator is held against the names their own pages show and no others, so that a
refusal tells nobody who is supported by the council.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from uuid import UUID

from django.db.models import Q

from careleavers.models import CareLeaver
from pantry.models import Membership
from stockport_hubs.accounts.models import User
from stockport_hubs.core.errors import Refused

# Names of days and months are words of every meeting; so are these.
COMMON = set(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december the will hall homes pantry stockport council advisor manager".split()
)
WORD = re.compile(r"[\w-]+(?:[’'](?!s\b)[\w-]+)*")
SHORTEST_REFERENCE = 5  # shorter ones are numbers of anything


class LooksLikeAName(Refused):
    """A word may be somebody's name; whoever typed it can say that it is not."""


def refuse_names(texts: Iterable[str], *, council_id: UUID, operator_id: UUID, by: User, names_nobody: bool) -> None:
    """Refused when a text names a young person; LooksLikeAName when a word of it may, and nobody has looked yet."""
    words = {word for text in texts for word in _words(text)}
    if not words:
        return
    if not by.is_council:
        _refuse_members(words, operator_id, names_nobody)
        return
    alike = words | {word.title() for word in words}  # a whole name is one in small letters as well
    people = CareLeaver.objects.filter(council_id=council_id)
    near = people.filter(Q(preferred_name__in=alike) | Q(surname__in=alike) | Q(reference__in=alike))
    maybe = ""
    for first, last, reference in near.order_by("pk").values_list("preferred_name", "surname", "reference"):
        if (len(reference) >= SHORTEST_REFERENCE and reference in words) or (first in alike and last in alike):
            raise Refused(
                "Both organisations read this, and it names a young person. Use the membership number, or leave it out."
            )
        maybe = maybe or next((name for name in (first, last) if _tells(name) and name in words), "")
    if maybe and not names_nobody:
        raise LooksLikeAName(
            f"Both organisations read this. If “{maybe}” is a young person, use the membership number; "
            "if not, tick that nobody is named and save again."
        )


def _refuse_members(words: set[str], operator_id: UUID, names_nobody: bool) -> None:
    asked = {word for word in words if _tells(word)}
    named = Membership.objects.filter(operator_id=operator_id, preferred_name__in=asked).order_by("pk")
    name = named.values_list("preferred_name", flat=True).first()
    if name and not names_nobody:
        raise LooksLikeAName(
            f"Both organisations read this. If “{name}” is a member, use the membership number; "
            "if not, tick that nobody is named and save again."
        )


def _words(text: str) -> set[str]:
    """Each word, and each two that stand together: "Mary Ann"."""
    found = WORD.findall(text)
    return {*found, *(" ".join(pair) for pair in pairwise(found))}


def _tells(word: str) -> bool:
    return len(word) > 1 and word.casefold() not in COMMON
