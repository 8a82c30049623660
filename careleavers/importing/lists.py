"""Lists of people: Annex A List 9 (Ofsted's list of care leavers) in both layouts, and our own template.

Read of List 9: id, date of birth, personal advisor, team, eligibility, in touch, accommodation with its suitability,
and the last pathway plan review. The template has names and a postcode besides: the council's own lists leave them out.
"""

import re
from typing import Any

from careleavers import rules
from careleavers.importing.rows import Layout
from careleavers.models import ACCOMMODATION, Eligibility, InTouch
from stockport_hubs.core.cells import Problem, day, reference, simple, text, words

# Headings as real files spell them: letters and figures only, small.
HEADINGS = {
    "reference": {"childuniqueid", "childid", "uniqueid", "uniquechildid", "youngpersonuniqueid",
                  "childuniqueidentifier", "careleaveruniqueid", "personid", "id"},
    "born_on": {"dateofbirth", "dob", "birthdate", "dateofbirthdob"},
    "team": {"allocatedteam", "team", "teamname"},
    "advisor": {"allocatedpersonaladvisor", "allocatedpersonaladviser", "personaladvisor", "personaladviser",
                "allocatedpa", "pa", "personaladvisorname", "personaladvisername"},
    "worker": {"allocatedworker", "worker", "allocatedsocialworker", "allocatedworkername"},
    "eligibility": {"eligibilitycategory", "eligibility", "categoryofeligibility", "careleavereligibility"},
    "pathway_plan_review_on": {"latestpathwayplanreviewdate", "pathwayplanreviewdate", "dateoflatestpathwayplanreview",
                               "latestpathwayplanreview", "lastpathwayplanreviewdate"},
    "in_touch": {"laintouch", "intouch", "islaintouch", "localauthorityintouch", "lasintouch", "laintouchyn"},
    "accommodation": {"typeofaccommodation", "accommodationtype", "accommodation"},
    "accommodation_suitable": {"suitabilityofaccommodation", "accommodationsuitability", "suitability"},
}  # fmt: skip
ELIGIBILITY = [
    ("formerrelevant", Eligibility.FORMER_RELEVANT),
    ("relevant", Eligibility.RELEVANT),
    ("qualifying", Eligibility.QUALIFYING),
    ("eligible", Eligibility.ELIGIBLE),
]
IN_TOUCH = [  # the longer beginnings first
    ("nolongerrequire", InTouch.NREQ),
    ("servicesnolongerrequired", InTouch.NREQ),
    ("nreq", InTouch.NREQ),
    ("notintouch", InTouch.NO),
    ("intouch", InTouch.YES),
    ("yes", InTouch.YES),
    ("true", InTouch.YES),
    ("died", InTouch.DIED),
    ("deceased", InTouch.DIED),
    ("youngpersondied", InTouch.DIED),
    ("refu", InTouch.REFU),
    ("youngpersonrefus", InTouch.REFU),
    ("rhom", InTouch.RHOM),
    ("returnedhome", InTouch.RHOM),
    ("youngpersonreturnedhome", InTouch.RHOM),
    ("no", InTouch.NO),
    ("false", InTouch.NO),
]
ACCOMMODATION_WORDS = [
    ("withparents", "B"), ("parents", "B"), ("communityhome", "C"), ("residentialcare", "C"), ("semiindependent", "D"),
    ("supportedlodging", "E"), ("goneabroad", "G"), ("abroad", "G"), ("deported", "H"), ("ordinarylodging", "K"),
    ("residencenotknown", "R"), ("nofixedabode", "S"), ("homeless", "S"), ("foyer", "T"), ("independentliving", "U"),
    ("emergency", "V"), ("bedandbreakfast", "W"), ("bb", "W"), ("incustody", "X"), ("custody", "X"), ("prison", "X"),
    ("otheraccommodation", "Y"), ("other", "Y"), ("withformerfoster", "Z"), ("formerfoster", "Z"), ("stayingput", "Z"),
    ("notknown", "0"), ("unknown", "0"),
]  # fmt: skip
LETTER = re.compile(r"([A-Z0])\s*([12])?\s*(?:[):.–-]|$)")


def _without_key(cell) -> str:
    """ "b) Former relevant child" → "formerrelevantchild"."""
    return simple(re.sub(r"^\s*[A-Za-z0-9]{1,2}\s*[).:]\s*", "", text(cell)))


def _by_beginning(cell, known: list[tuple[str, str]]):
    for found in dict.fromkeys((_without_key(cell), simple(cell))):
        for beginning, value in known:
            if found.startswith(beginning):
                return value
    return None


def _chosen(cell, known, short: dict[str, str]):
    if not text(cell):
        return None
    found = short.get(simple(cell)) or _by_beginning(cell, known)
    if found is None:
        raise Problem(f"“{text(cell)[:40]}” is not a value of this list")
    return found


def _accommodation(cell) -> tuple[str, bool | None] | None:
    if not text(cell):
        return None
    match = LETTER.match(text(cell).upper())
    if match and match[1] in ACCOMMODATION:
        return match[1], {"1": True, "2": False, None: None}[match[2]]
    found = _by_beginning(cell, ACCOMMODATION_WORDS)
    if found is None:
        raise Problem(f"“{text(cell)[:40]}” is not a kind of accommodation")
    return found, None


def _suitable(cell) -> bool | None:
    found = _without_key(cell) or simple(cell)
    if not found:
        return None
    if found in ("suitable", "yes", "y", "1"):
        return True
    if found in ("unsuitable", "notsuitable", "no", "n", "2"):
        return False
    raise Problem(f"“{text(cell)[:40]}” is neither suitable nor unsuitable")


def _postcode(cell) -> str:
    found = rules.tidy_postcode(text(cell))
    if found is None:
        raise Problem("is not a whole postcode, like SK1 1AA")
    return found


READERS: dict[str, Any] = {
    "reference": reference,
    "born_on": day,
    "team": words(80),
    "advisor": words(120),
    "worker": words(120),
    "eligibility": lambda cell: _chosen(cell, ELIGIBILITY, {}),
    "pathway_plan_review_on": day,
    "in_touch": lambda cell: _chosen(cell, IN_TOUCH, {"y": InTouch.YES, "n": InTouch.NO}),
    "accommodation": _accommodation,
    "accommodation_suitable": _suitable,
    "preferred_name": words(60),
    "surname": words(60),
    "postcode": _postcode,
}
NEEDED = ("reference", "born_on", "eligibility")
SAYS = "Child Unique ID, Date of Birth and Eligibility Category"
ANNEX_A = Layout("annex_a", "Annex A, List 9", HEADINGS, NEEDED, NEEDED, READERS, SAYS)
NAMES = {
    "preferred_name": {"preferredname", "knownas", "likestobecalled"},
    "surname": {"surname", "lastname", "familyname"},
    "postcode": {"postcode"},
}
TEMPLATE = Layout("template", "List of young people", HEADINGS | NAMES, NEEDED, NEEDED, READERS, SAYS)
