"""What a pack says: frozen figures in, sections out. No database: an old edition says what it said."""

from datetime import datetime

from django.utils import formats

from reviews import sections
from reviews.models import Audience, BarrierCategory
from reviews.tables import Document, Point
from reviews.words import NOT_SHOWN, is_summary, members, number, people, plural, said
from stockport_hubs.core import money
from stockport_hubs.core.weeks import LONDON

TITLES: dict[str, str] = {
    Audience.LEAVING_CARE: "Review pack for the Leaving Care Team",
    Audience.STOCKPORT_HOMES: "Review pack for Stockport Homes",
    Audience.CORPORATE_PARENTS: "Summary for corporate parents",
}


FOR: dict[str, str] = {
    Audience.LEAVING_CARE: "The Leaving Care Team alone: it names young people",
    Audience.STOCKPORT_HOMES: "Stockport Homes and the Leaving Care Team",
    Audience.CORPORATE_PARENTS: "Corporate parents and whoever is given it by name",
}


def document(frozen: dict, *, printed: bool = False) -> Document:
    """The whole pack; `printed` leaves a grid of more than 200 members to the page and the CSV."""
    made = Document(
        title=TITLES[frozen["audience"]],
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
        facts.append(("For", FOR[frozen["audience"]]))
    return facts


def _comma(text: str) -> str:
    return f", {text}" if text else ""


# -- page 1 ------------------------------------------------------------------------------------------------------------


def _points(frozen: dict) -> list[Point]:
    funnel, now = frozen["funnel"], frozen["members"]
    joined = f"of {people(funnel['introduced'])} introduced joined a pantry"
    return [
        Point(_big(funnel["offered"]), "Offered", _offered(frozen), "offered"),
        Point(
            _big(funnel["joined"]), "Joined", _told(funnel["joined"], f"{joined}{_change(frozen, 'joined')}"), "joined"
        ),
        Point(_big(now["came_last4"]), "Coming", _coming(frozen), "came_last4"),
        _spent(frozen),
        _largest_barrier(frozen),
    ]


def _big(count: int | None) -> str:
    return "–" if count is None else f"{count:,}"


def _told(count: int | None, sentence: str) -> str:
    """What goes on from the large number; where that is hidden, it says so."""
    return f"{sentence}." if count is not None else f"How many {sentence} is {NOT_SHOWN}."


def _offered(frozen: dict) -> str:
    funnel = frozen["funnel"]
    answers = [
        f"{number(frozen['answers'][key])} {words}"
        for key, words in (("declined", "declined"), ("no_reply", "did not reply"), ("unanswered", "not yet answered"))
        if frozen["answers"][key]
    ]
    were = "was" if funnel["offered"] == 1 else "were"
    offered = f"of {people(funnel['identified'])} in the cohort {were} offered an introduction"
    if funnel["offered"] is None:
        return _told(None, offered)
    return _told(funnel["offered"], f"{offered}{': ' + ', '.join(answers) if answers else ''}")


def _coming(frozen: dict) -> str:
    now = frozen["members"]
    lately = f"of {plural(now['had_weeks'], 'open member')} came at least once in their last 4 open weeks"
    first = _told(now["came_last4"], f"{lately}{_change(frozen, 'came_last4')}")
    if "lapsing" in now:
        return f"{first} {members(now['lapsing'])} missed 2 or 3 weeks in a row, {now['lapsed']:,} missed all 4."
    return first if now["lapsed"] is None else f"{first} {members(now['lapsed'])} missed all 4."


def _spent(frozen: dict) -> Point:
    got = frozen["money"]
    paid = money.pounds(got["paid_in_advance_pence"])
    if got["drawn_pence"] is None:
        return Point("–", "Spent", f"What is spent of {paid} paid in advance is {NOT_SHOWN}.")
    left = got["left_pence"]
    spent = f"of {paid} paid in advance is spent; {money.pounds(left)} is left."
    if left < 0:
        spent = f"is spent, {money.pounds(-left)} more than the {paid} paid in advance."
    to_come = f" {money.pounds(got['to_come_pence'])} of weeks are still to come." if "to_come_pence" in got else ""
    return Point(money.pounds(got["drawn_pence"]), "Spent", f"{spent}{to_come}")


def _change(frozen: dict, key: str) -> str:
    """Against the meeting before; for corporate parents a small change is none to speak of."""
    previous = frozen.get("previous")
    now = frozen["funnel"][key] if key in frozen["funnel"] else frozen["members"][key]
    if not previous or now is None or previous[key] is None:
        return ""
    change, met = now - previous[key], f"at the meeting of {said(previous['met_on'])}"
    if is_summary(frozen) and 0 < abs(change) < frozen["threshold"]:
        return f", fewer than {frozen['threshold']} away from the number {met}"
    words = "the same as" if not change else f"{abs(change):,} {'more' if change > 0 else 'fewer'} than"
    return f", {words} {met}"


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
    """What waits for someone. A hidden count makes no line, and neither does nothing."""
    holds, actions = frozen["holds"], frozen["actions"]
    overdue = actions["overdue"] if is_summary(frozen) else sum(1 for each in actions if each["overdue"])
    found = []
    if holds["count"]:
        late = f", {holds['overdue']:,} of them for weeks that have begun" if holds.get("overdue") else ""
        waits = "waits" if holds["count"] == 1 else "wait"
        found.append(f"{plural(holds['count'], 'held renewal')} {waits} for a decision{late}.")
    if overdue:
        found.append(f"{plural(overdue, 'action')} {'is' if overdue == 1 else 'are'} past the due day.")
    if late := frozen["barriers"].get("overdue"):
        found.append(f"{plural(late, 'barrier')} {'is' if late == 1 else 'are'} past the due day.")
    if lapsed := frozen["members"]["lapsed"]:
        found.append(f"{members(lapsed)} missed 4 open weeks in a row: agree who talks with whom.")
    if (frozen["money"]["left_pence"] or 0) < 0:
        found.append(f"{money.pounds(-frozen['money']['left_pence'])} more is spent than was paid in advance.")
    return found
