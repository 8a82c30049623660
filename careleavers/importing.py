"""Reads Annex A List 9 (Ofsted's list of care leavers): both layouts, by aliases; says row, column and reason.

Read: id, date of birth, personal advisor, team, eligibility, in touch, accommodation with its suitability, and the last
pathway plan review. Everything else is left out unread: rules.md keeps ethnicity, gender, disability and UASC out.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from careleavers.models import ACCOMMODATION, Eligibility, InTouch
from careleavers.workbooks import Workbook
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import age_on

MAX_ROWS = 5_000
HEADING_LINES = 10  # headings stand in one of the first lines; some files have a title above
SHEET = re.compile(r"list0?9(?!\d)|^(annexa)?careleavers$")

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
NEEDED = ("reference", "born_on", "eligibility")

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


class Problem(Exception):
    """Why a cell cannot be taken; the text never repeats a date or a name."""


@dataclass
class Row:
    """One line of the file, understood or refused."""

    number: int
    reference: str = ""
    facts: dict = field(default_factory=dict)
    advisor: str = ""
    problems: list[tuple[str, str]] = field(default_factory=list)  # (column, reason)
    warnings: list[str] = field(default_factory=list)


@dataclass
class Sheet:
    title: str
    read: list[str]  # headings that are read, as the file spells them
    dropped: list[str]  # and those that are not
    rows: list[Row]


def simple(value) -> str:
    """Letters and figures only, small: how headings and values are compared."""
    return re.sub(r"[^a-z0-9]", "", str(value if value is not None else "").casefold())


def text(value) -> str:
    """A cell as one printable line; whole numbers without ".0"."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())


def read(path: Path, *, today: date) -> Sheet:
    """The List 9 sheet of a workbook; Refused when there is none or it cannot be read."""
    with Workbook(path) as book:
        found = [title for title in book.titles if SHEET.search(simple(title))]
        if not found:
            there = ", ".join(text(title)[:31] for title in book.titles[:20])
            raise Refused(f"There is no sheet “List 9” in {path.name}. It holds: {there}.")
        lines = book.lines(found[0])
        headings, columns = _headings(found[0], lines)
        rows = _rows(lines, headings, columns, today)
    taken = set(columns.values())
    names = [text(heading)[:120] for heading in headings]
    return Sheet(
        title=text(found[0]),
        read=[name for n, name in enumerate(names) if n in taken],
        dropped=[name for n, name in enumerate(names) if name and n not in taken],
        rows=rows,
    )


def _headings(title: str, lines: Iterator[tuple[int, tuple]]) -> tuple[tuple, dict[str, int]]:
    for number, cells in lines:
        columns: dict[str, int] = {}
        for n, cell in enumerate(cells):
            for name, aliases in HEADINGS.items():
                if simple(cell) in aliases:
                    if name in columns:
                        raise Refused(
                            f"Two columns of {title!r} are headed like “{text(cell)[:60]}”. Keep one of them."
                        )
                    columns[name] = n
        if set(NEEDED) <= columns.keys():
            # Where both stand, the worker may be a social worker; the older layout has the advisor under this heading.
            worker = columns.pop("worker", None)
            if worker is not None and "advisor" not in columns:
                columns["advisor"] = worker
            return cells, columns
        if number >= HEADING_LINES:
            break
    raise Refused(
        f"The sheet {title!r} has no line of headings with Child Unique ID, Date of Birth and Eligibility Category."
    )


def _rows(lines: Iterable[tuple[int, tuple]], headings: tuple, columns: dict[str, int], today: date) -> list[Row]:
    rows: list[Row] = []
    seen: dict[str, int] = {}
    for number, cells in lines:
        if len(rows) == MAX_ROWS:
            raise Refused(f"The list holds more than {MAX_ROWS:,} young people. Split it into two files.")
        row = _row(
            number, {name: cells[n] if n < len(cells) else None for name, n in columns.items()}, headings, columns
        )
        if row.reference and row.reference in seen:
            row.problems.append((text(headings[columns["reference"]]), f"is also in row {seen[row.reference]}"))
        seen.setdefault(row.reference, number)
        _judge_birth(row, today, text(headings[columns["born_on"]]))
        rows.append(row)
    return rows


def _row(number: int, cells: dict, headings: tuple, columns: dict[str, int]) -> Row:
    row = Row(number)
    for name, cell in cells.items():
        try:
            if text(cell).startswith("#") and text(cell).rstrip("!?").upper() in (
                "#N/A",
                "#REF",
                "#VALUE",
                "#NAME",
                "#DIV/0",
            ):
                raise Problem("holds an Excel error")
            value = READERS[name](cell)
        except Problem as problem:
            row.problems.append((text(headings[columns[name]])[:120], str(problem)))
            continue
        if value in ("", None):
            if name in NEEDED:
                row.problems.append((text(headings[columns[name]])[:120], "is empty"))
        elif name == "reference":
            row.reference = value
        elif name == "advisor":
            row.advisor = value
        elif name == "accommodation":
            row.facts["accommodation"], suitable = value
            if suitable is not None:
                row.facts.setdefault("accommodation_suitable", suitable)
        else:
            row.facts[name] = value
    return row


def _judge_birth(row: Row, today: date, column: str) -> None:
    born = row.facts.get("born_on")
    if born is None:
        return
    if born >= today:
        row.problems.append((column, "is not in the past"))
    elif age_on(born, today) >= 25:
        row.warnings.append("25 or older: support has ended")
    elif age_on(born, today) < 16:
        row.warnings.append("younger than 16")


def _reference(cell) -> str:
    found = text(cell)
    if len(found) > 40 or not re.fullmatch(r"[\w./ -]*", found):
        raise Problem("is not an id: at most 40 letters, figures and - . / _")
    return found


def _day(cell) -> date | None:
    """A date cell, a day number, or text with the day first or the year first."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if 10_000 <= cell <= 60_000:
            return date(1899, 12, 30) + timedelta(days=int(cell))
        raise Problem("is not a date")
    typed = text(cell)
    if not typed:
        return None
    match = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[ T]00:00(?::00)?)?", typed)
    parts = match and (match[3], match[2], match[1])
    match = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]00:00(?::00)?)?", typed)
    parts = parts or (match and (match[1], match[2], match[3]))
    try:
        year, month, day = map(int, parts or ())
        return date(year, month, day)
    except ValueError:
        raise Problem("is not a date, such as 27/03/2003")


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


READERS = {
    "reference": _reference,
    "born_on": _day,
    "team": lambda cell: text(cell)[:80],
    "advisor": lambda cell: text(cell)[:120],
    "eligibility": lambda cell: _chosen(cell, ELIGIBILITY, {}),
    "pathway_plan_review_on": _day,
    "in_touch": lambda cell: _chosen(cell, IN_TOUCH, {"y": InTouch.YES, "n": InTouch.NO}),
    "accommodation": _accommodation,
    "accommodation_suitable": _suitable,
}
