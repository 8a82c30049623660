"""What each audience sees, decided in one place (rules.md: Small numbers; Stockport Homes is also the landlord).

`freeze` turns figures into the JSON that a page, a PDF, a CSV and a workbook are made of. What an audience may not see
is not in its JSON, so it cannot leak from any of them. Counts that are hidden (small_numbers.py) are None.
"""

from collections import Counter
from datetime import date
from uuid import UUID

from careleavers.models import CareLeaver
from reviews import beyond, small_numbers
from reviews import figures as all_figures
from reviews import frozen as made
from reviews.attendance import CAME, CLOSED, MISSED, OUTSIDE, PAUSED, TO_COME
from reviews.figures import Figures
from reviews.models import ABOUT_THE_PANTRY, COUNTED_AS_OTHER, Audience, BarrierCategory
from stockport_hubs.audit.services import CARE_LEAVER, MEMBERSHIP

VERSION = 2
WEEKLY = ("bought", "collected", "missed", "closed", "to_come", "credited", "recoverable")
POSITION = (
    *("paid_in_advance_pence", "drawn_pence", "left_pence", "in_pool_pence", "joining_pence", "blocks", "members"),
    *(f"{what}_{unit}" for what in WEEKLY for unit in ("pence", "weeks")),
)
OF_A_PANTRY = ("joining_pence", *(f"{what}_pence" for what in WEEKLY))


def seen_category(category: str, audience: str) -> str:
    """Custody, health or disability and safety concern leave the Leaving Care Team as "other" only."""
    hides = audience != Audience.LEAVING_CARE and category in COUNTED_AS_OTHER
    return BarrierCategory.OTHER if hides else category


def freeze(figures: Figures, audience: str, *, grid_up_to: int | None = None) -> dict:
    """The figures of one audience as JSON: integers, ISO dates, codes, and names only for the Leaving Care Team.

    `grid_up_to`: a page has no room for the weeks of more members.
    """
    return beyond.add(_freeze(figures, audience, grid_up_to), figures)


def _freeze(figures: Figures, audience: str, grid_up_to: int | None) -> dict:
    common = {
        "version": VERSION,
        "audience": audience,
        "threshold": 0 if audience == Audience.LEAVING_CARE else figures.agreement.small_number,
        "agreement": figures.agreement.name,
        "funder": figures.agreement.funder.name,
        "operator": figures.agreement.operator.name,
        "period_from": figures.period_from.isoformat(),
        "period_to": figures.period_to.isoformat(),
        "as_at": figures.as_at.isoformat(),
        "funnel": dict(figures.funnel),
        "funding_over": len(figures.funding_over),
        "answers": figures.answers,
        "actions_done": figures.actions_done,
    }
    if audience == Audience.CORPORATE_PARENTS:
        return small_numbers.hide(common | _summary(figures))
    whole = common | _whole(figures, audience, grid_up_to)
    return whole if audience == Audience.LEAVING_CARE else small_numbers.hide(whole)


def _whole(figures: Figures, audience: str, grid_up_to: int | None) -> dict:
    """What both organisations work with."""
    ours = audience == Audience.LEAVING_CARE
    threshold = 0 if ours else figures.agreement.small_number
    names = made.Names(_names(figures) if ours else {})
    return {
        "outside_cohort": len(figures.outside) if ours else None,
        "weeks": [
            {
                "week": each.week.isoformat(),
                "could": each.could,
                "paid": figures.paid.get(each.week, 0),
                "came": each.came,
            }
            | ({"closed": True} if each.is_closed else {})
            for each in figures.weeks
        ],
        "members": {key: len(found) for key, found in figures.members.items()},
        **_grid(figures, names, grid_up_to),
        "missed": {reason: figures.missed[reason] for reason in MISSED_REASONS},
        "missed_total": figures.missed.total(),
        "money": {name: getattr(figures.position, name) for name in POSITION},
        "by_pantry": [
            {"name": each.pantry.name} | {name: getattr(each, name) for name in OF_A_PANTRY}
            for each in figures.by_pantry
        ],
        "holds": _holds(figures, ours, names),
        "barriers": _barriers(figures, audience, names),
        "actions": _actions(figures),
        **made.more(figures, ours, threshold, names),
        "shown_people": sorted(str(key) for key in names.shown),
        "shown_members": [] if ours else sorted(str(key) for key in figures.attendance.members),
    }


SUMMARY_MEMBERS = ("had_weeks", "came_last4", "lapsed")


def _summary(figures: Figures) -> dict:
    """What corporate parents are told: nothing by week, by pantry or by member, and no more tables than their model
    (small_numbers.py) knows."""
    members, position, actions = figures.members, figures.position, _actions(figures)
    barriers = _barriers(figures, Audience.CORPORATE_PARENTS, made.Names({}))
    return {
        "members": {key: len(members[key]) for key in SUMMARY_MEMBERS},
        "all_members": len(figures.attendance.members),
        "period_weeks": len(figures.weeks),
        "take_up": {
            "could": sum(each.could for each in figures.weeks),
            "came": sum(each.came for each in figures.weeks),
        },
        "money": {name: getattr(position, name) for name in POSITION[:3]},
        "holds": {"count": len(figures.holds)},
        "barriers": {"categories": barriers["categories"]},
        "actions": {"waiting": len(actions), "overdue": sum(1 for each in actions if each["overdue"])},
        "shown_people": [],
        "shown_members": [],
    }


GRID_LETTERS = {CAME: "c", MISSED: "m", TO_COME: "t", PAUSED: "p", CLOSED: "x", OUTSIDE: "o"}
MISSED_REASONS = ("planned", "told_us", "not_seen", "unknown", "")


def _names(figures: Figures) -> dict[UUID | None, str]:
    """Names of young people that this council's pack shows; someone who has died is on no list again."""
    shown = set(figures.cohort.person_of.values()) | {each.person for each in figures.barriers if each.person}
    people = CareLeaver.objects.living().filter(council=figures.agreement.funder_id)
    rows = people.order_by().values_list("pk", "preferred_name", "surname", "reference")
    return {
        key: f"{first} {last}".strip() or f"Waiting for a name ({ref})"
        for key, first, last, ref in rows
        if key in shown
    }


def _grid(figures: Figures, names: made.Names, up_to: int | None) -> dict:
    """A row for each member: one letter a week (see `sections.LETTERS`); too many for a page: how many they are."""
    person_of = figures.cohort.person_of
    rows: list[dict] = []
    if up_to is not None and (members := len(all_figures.with_weeks(figures))) > up_to:
        return {"grid": rows, "grid_members": members}
    for member, pantry, statuses in all_figures.grid(figures):
        row = {
            "number": member.number,
            "pantry": pantry,
            "state": member.state,
            "weeks": "".join(GRID_LETTERS[status] for status in statuses),
        }
        if person := names.show(person_of.get(member.id)):
            row["name"] = person
        rows.append(row)
    return {"grid": rows}


def _holds(figures: Figures, ours: bool, names: made.Names) -> dict:
    """Why a renewal is held is said to the Leaving Care Team alone: who decides on it needs it, and nobody else."""
    person_of = figures.cohort.person_of
    rows = [
        {"number": hold.number, "block_no": hold.block_no, "starts_on": hold.starts_on.isoformat()}
        | ({"reasons": list(hold.reasons), "name": names.show(person_of.get(hold.member_id))} if ours else {})
        for hold in figures.holds
    ]
    counts = Counter(reason for hold in figures.holds for reason in hold.reasons)
    return {
        "count": len(figures.holds),
        "overdue": sum(1 for hold in figures.holds if hold.starts_on <= figures.as_at),
        "reasons": dict(counts.most_common()) if ours else {},
        "rows": rows,
    }


def _barriers(figures: Figures, audience: str, names: made.Names) -> dict:
    ours = audience == Audience.LEAVING_CARE
    listed = [
        barrier
        for barrier in figures.barriers
        if ours or (barrier.person is None and barrier.pantry and barrier.category in ABOUT_THE_PANTRY)
    ]
    # What Stockport Homes sees listed is not in its counts as well: the difference would be a count of people.
    lists = audience == Audience.STOCKPORT_HOMES
    counted = [barrier for barrier in figures.barriers if not lists or barrier not in listed]
    counts = Counter(seen_category(barrier.category, audience) for barrier in counted)
    hidden = set() if ours else COUNTED_AS_OTHER
    categories = {category: counts[category] for category in BarrierCategory.values if category not in hidden}
    return {
        # The total would give a hidden cell away: only the Leaving Care Team has it.
        "count": len(figures.barriers) if ours else None,
        "overdue": sum(1 for each in figures.barriers if _is_overdue(each.due_on, figures.as_at)) if ours else None,
        "categories": categories,
        "rows": [
            {
                "about": names.show(barrier.person, barrier.pantry) if ours else barrier.pantry,
                "category": seen_category(barrier.category, audience),
                "state": barrier.state,
                "owner": barrier.owner,
                "due_on": barrier.due_on.isoformat() if barrier.due_on else None,
                "raised_on": barrier.raised_on.isoformat(),
                "actions": [each.what for each in figures.actions if each.barrier == barrier.id],
            }
            for barrier in listed
        ],
    }


def _is_overdue(due_on: date | None, as_at: date) -> bool:
    return due_on is not None and due_on < as_at


def _actions(figures: Figures) -> list[dict]:
    """Actions of meetings are for both; those of a barrier stand with the barrier."""
    return [
        {"what": each.what, "owner": each.owner, "due_on": each.due_on.isoformat(), "overdue": each.is_overdue}
        for each in figures.actions
        if each.barrier is None
    ]


def subjects(frozen: dict) -> list[tuple[str, UUID]]:
    """The people frozen figures show: by name for the Leaving Care Team, by membership number for Stockport Homes."""
    return [(CARE_LEAVER, UUID(key)) for key in frozen["shown_people"]] + [
        (MEMBERSHIP, UUID(key)) for key in frozen["shown_members"]
    ]
