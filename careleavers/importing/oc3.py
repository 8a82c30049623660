"""SSDA903, file OC3 (care leavers): one row for each child, judged by the published rules of that return.

Activity is judged and not kept: the scheme has no use for it. The file has no eligibility: for somebody new it follows
from the age (17 and no longer looked after: relevant; from 18: former relevant), and the preview says so.
"""

import re
from datetime import date
from typing import Any

from careleavers.importing.rows import Layout, Row
from careleavers.models import Eligibility, InTouch
from stockport_hubs.core.cells import Problem, day, reference, text
from stockport_hubs.core.weeks import age_on

ACTIVITIES = {"F1", "P1", "F2", "P2", "F4", "P4", "F5", "P5", "G4", "G5", "G6", "0"}
SUPERSEDED = {"F3", "P3"}
HOMES = set("BCDEGHKRSTUVWXYZ")
NEVER_SUITABLE = {"S", "X"}  # no fixed abode, in custody
GONE = (InTouch.DIED, InTouch.RHOM)


def _day(cell) -> date | None:
    """As the return writes it, or a date cell of a spreadsheet program."""
    typed = text(cell)
    if isinstance(cell, str) and typed and not re.fullmatch(r"\d{2}/\d{2}/\d{4}", typed):
        raise Problem("is not a date written dd/mm/yyyy")
    return day(cell)


def _in_touch(cell) -> str:
    found = text(cell).upper()
    if found and found not in InTouch.values:
        raise Problem("is none of YES, NO, DIED, REFU, NREQ, RHOM")
    return found


def _activity(cell) -> str:
    found = text(cell).upper()
    if found in SUPERSEDED:
        raise Problem(f"{found} is no longer used: it has become {found[0]}4 or {found[0]}5")
    if found and found not in ACTIVITIES:
        raise Problem("is no activity code, such as F1, P2, G4 or 0")
    return found


def _home(cell) -> tuple[str, bool | None] | None:
    found = text(cell).upper()
    if found in ("", "0"):
        return (found, None) if found else None
    match = re.fullmatch(r"([A-Z])([12])", found)
    if match is None or match[1] not in HOMES:
        raise Problem("is no accommodation code, such as U1, or 0")
    if match[1] in NEVER_SUITABLE and match[2] == "1":
        raise Problem(f"{match[1]} is never suitable: it must be {match[1]}2")
    return match[1], match[2] == "1"


def _judge(row: Row, cells: dict, heads: dict[str, str], today: date) -> None:
    """The rules over several columns. A cell that could not be read is not judged again."""
    born = row.facts.get("born_on")
    if born and born < today:
        grown = age_on(born, today) >= 18
        row.defaults["eligibility"] = Eligibility.FORMER_RELEVANT if grown else Eligibility.RELEVANT
    asked = ("in_touch", "activity", "accommodation")
    if any(name not in cells for name in asked):
        return
    empty = [name for name in asked if not cells[name]]
    if len(empty) < 3:
        row.problems += [(heads[name], "is empty: all three are filled in, or none") for name in empty]
    if empty:
        return
    codes = {"activity": cells["activity"], "accommodation": cells["accommodation"][0]}
    in_touch = cells["in_touch"]
    for name, code in codes.items():
        if in_touch in GONE and code != "0":
            row.problems.append((heads[name], f"must be 0 where {heads['in_touch']} is {in_touch}"))
        if in_touch == InTouch.YES and code == "0":
            row.problems.append((heads[name], f"must not be 0 where {heads['in_touch']} is YES"))
    if codes["accommodation"] == "Z" and born and age_on(born, today) == 17:
        row.problems.append((heads["accommodation"], "must not be Z at 17: former foster carers are from 18"))


READERS: dict[str, Any] = {
    "reference": reference,
    "born_on": _day,
    "in_touch": _in_touch,
    "activity": _activity,
    "accommodation": _home,
}
HEADINGS = {
    "reference": {"child"},
    "born_on": {"dob"},
    "in_touch": {"intouch"},
    "activity": {"activ"},
    "accommodation": {"accom"},
}
OC3 = Layout(
    key="oc3",
    label="SSDA903, OC3",
    headings=HEADINGS,
    needed=tuple(HEADINGS),
    filled=("reference", "born_on"),
    readers=READERS,
    says="CHILD, DOB, IN_TOUCH, ACTIV and ACCOM",
    not_kept=("activity",),
    judge=_judge,
)
