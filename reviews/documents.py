"""What a pack says: frozen figures in, sections out. No database: an old edition says what it said."""

from datetime import datetime

from django.utils import formats

from reviews import sections
from reviews.models import Audience, BarrierCategory
from reviews.tables import Document, Point, count
from reviews.words import is_ours, members, people, plural, said
from stockport_hubs.core import money
from stockport_hubs.core.weeks import LONDON


def document(frozen: dict, *, printed: bool = False) -> Document:
    """The whole pack; `printed` leaves a grid of more than 200 members to the page and the CSV."""
    made = Document(
        title=f"Review pack for {'the ' if is_ours(frozen) else ''}{Audience(frozen['audience']).label}",
        facts=_facts(frozen),
        points=_points(frozen),
        decisions=_decisions(frozen),
    )
    made.sections = sections.all_of(frozen, printed)
    return made


def _facts(frozen: dict) -> list[tuple[str, str]]:
    facts = []
    if meeting := frozen.get("meeting"):
        starts = datetime.fromisoformat(meeting["starts_at"]).astimezone(LONDON)
        facts.append(("Meeting", f"{formats.date_format(starts, 'l j F Y, H:i')}{_comma(meeting['where'])}"))
    facts += [
        ("Period", f"{said(frozen['period_from'])} to {said(frozen['period_to'])}"),
        ("Figures as at", said(frozen["as_at"])),
        ("Agreement", f"{frozen['agreement']}: {frozen['funder']} with {frozen['operator']}"),
    ]
    if "edition" in frozen:
        made = formats.date_format(datetime.fromisoformat(frozen["made_at"]).astimezone(LONDON), "j F Y, H:i")
        facts.append(("Edition", f"{frozen['edition']}, made by {frozen['made_by']} on {made}"))
    return facts


def _comma(text: str) -> str:
    return f", {text}" if text else ""


# -- page 1 ------------------------------------------------------------------------------------------------------------


def _points(frozen: dict) -> list[Point]:
    funnel, now, pence_of = frozen["funnel"], frozen["members"], frozen["money"]
    answers = [
        f"{count(frozen['answers'][key]).shown} {words}"
        for key, words in (("declined", "declined"), ("no_reply", "did not reply"), ("unanswered", "not yet answered"))
        if frozen["answers"][key]
    ]
    offered = f"of {people(funnel['identified'])} in the cohort {_were(funnel['offered'])} offered an introduction"
    lately = f"of {plural(now['had_weeks'], 'open member')} came at least once in their last 4 open weeks"
    spent = f"of {money.pounds(pence_of['paid_in_advance_pence'])} paid in advance is spent"
    return [
        Point(
            f"{funnel['offered']:,}", "Offered", f"{offered}{': ' + ', '.join(answers) if answers else ''}.", "offered"
        ),
        Point(
            f"{funnel['joined']:,}",
            "Joined",
            f"of {people(funnel['introduced'])} introduced joined a pantry{_change(frozen, 'joined')}.",
            "joined",
        ),
        Point(
            f"{now['came_last4']:,}",
            "Coming",
            f"{lately}{_change(frozen, 'came_last4')}. "
            f"{plural(now['lapsing'], 'member')} missed 2 or 3 weeks in a row, {now['lapsed']:,} missed all 4.",
            "came_last4",
        ),
        Point(
            money.pounds(pence_of["drawn_pence"]),
            "Spent",
            f"{spent}; {money.pounds(pence_of['left_pence'])} is left. "
            f"{money.pounds(pence_of['to_come_pence'])} of weeks are still to come.",
        ),
        _largest_barrier(frozen),
    ]


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _change(frozen: dict, key: str) -> str:
    previous = frozen.get("previous")
    if not previous:
        return ""
    now = frozen["funnel"][key] if key in frozen["funnel"] else frozen["members"][key]
    change = now - previous[key]
    words = "the same as" if not change else f"{abs(change):,} {'more' if change > 0 else 'fewer'} than"
    return f", {words} at the meeting of {said(previous['met_on'])}"


def _largest_barrier(frozen: dict) -> Point:
    counts = frozen["barriers"]["categories"]
    shown = {category: number for category, number in counts.items() if number}
    if shown:
        largest = max(shown, key=lambda category: shown[category])
        name = BarrierCategory(largest).label
        return Point(f"{shown[largest]:,}", "Largest barrier", f"{name}: open in {plural(shown[largest], 'case')}.")
    if any(number is None for number in counts.values()):
        return Point("–", "Largest barrier", "No kind of barrier is common enough to be shown here.")
    return Point("0", "Largest barrier", "No barrier is recorded as open.")


def _decisions(frozen: dict) -> list[str]:
    holds, actions = frozen["holds"], frozen["actions"]
    overdue = sum(1 for each in actions if each["overdue"])
    found = []
    if holds["count"]:
        late = f", {holds['overdue']:,} of them for weeks that have begun" if holds["overdue"] else ""
        waits = "waits" if holds["count"] == 1 else "wait"
        found.append(f"{plural(holds['count'], 'held renewal')} {waits} for a decision{late}.")
    if overdue:
        found.append(f"{plural(overdue, 'action')} {'is' if overdue == 1 else 'are'} past the due day.")
    if frozen["barriers"]["overdue"]:
        late = frozen["barriers"]["overdue"]
        found.append(f"{plural(late, 'barrier')} {'is' if late == 1 else 'are'} past the due day.")
    if frozen["members"]["lapsed"]:
        lapsed = frozen["members"]["lapsed"]
        found.append(f"{members(lapsed)} missed 4 open weeks in a row: agree who talks with whom.")
    if frozen["money"]["left_pence"] < 0:
        found.append(f"{money.pounds(-frozen['money']['left_pence'])} more is drawn than was paid in advance.")
    return found
