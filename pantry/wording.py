"""Words that must not reach a volunteer's screen (rules.md, the volunteer whitelist).

Every field a volunteer can read refuses them when it is typed: nothing has to be filtered when it is shown.
"""

import re
import unicodedata
from collections.abc import Iterable

from django.core.exceptions import ValidationError

from stockport_hubs.core.errors import Refused

FORBIDDEN = ("care leaver", "leaving care")


def _words(text: str) -> list[str]:
    """Lower-case words without signs: "Care-Leaver’s" → ["care", "leavers"]; full-width letters count as letters."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = "".join(c for c in plain if unicodedata.category(c) != "Cf" and c not in "'’")  # soft hyphens, joiners
    return re.findall(r"[^\W_]+", plain)


def find_forbidden(text: str, names: Iterable[str] = ()) -> str:
    """The first forbidden wording in the text, as we know it; "" when there is none.

    The fixed wordings are found however they are spaced or hyphenated, names as whole words.
    """
    words = _words(text)
    run = "".join(words)
    for wording in FORBIDDEN:
        if wording.replace(" ", "") in run:
            return wording
    spaced = f" {' '.join(words)} "
    for name in names:
        if (said := _words(name)) and f" {' '.join(said)} " in spaced:
            return name
    return ""


def names_that_tell() -> list[str]:
    """Names and addresses that would tell who pays or who introduced: funders, agreements, the funders' advisors."""
    from pantry.models import FundingAgreement
    from stockport_hubs.accounts.models import Organisation, Role, User

    councils = Organisation.objects.filter(kind=Organisation.Kind.COUNCIL)
    advisors = User.objects.filter(role=Role.PERSONAL_ADVISOR).values_list("name", "email")
    return [
        *councils.values_list("name", flat=True),
        *FundingAgreement.objects.values_list("name", flat=True),
        *(said for pair in advisors for said in pair),
    ]


def tells(text: str) -> bool:
    """Whether it holds what volunteers must not read."""
    return bool(text.strip()) and bool(find_forbidden(text, names_that_tell()))


def refuse_forbidden(text: str) -> str:
    """The text as it is; Refused with a sentence when volunteers must not read it."""
    if text.strip() and (found := find_forbidden(text, names_that_tell())):
        raise Refused(f"Volunteers read this, so it must not say “{found}”. Leave it out or put it another way.")
    return text


def validate(text: str) -> None:
    """The same as a validator of form fields."""
    try:
        refuse_forbidden(text)
    except Refused as why:
        raise ValidationError(str(why), code="forbidden") from why


def validate_unspoken(text: str) -> None:
    """For what volunteers type: the refusal does not spell out which name or wording it found."""
    if tells(text):
        raise ValidationError(
            "Say only what went wrong: no names of people or organisations, and nothing about why somebody shops here",
            code="forbidden",
        )
