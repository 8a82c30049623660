"""What comes back to the council after acceptance: number, first week, block, weeks and the last collection."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from pantry.calendar import WeekCalendar
from pantry.models import Collection, Membership, PaidWeek, Pantry, Place, SharedNeed
from pantry.rules import starts_on
from referrals import rules
from referrals.models import FollowUp, Pause, Referral
from stockport_hubs.core import needs
from stockport_hubs.core.weeks import london_date, monday, weeks_between

WORDS = {
    "collected": "collected",
    "missed": "missed",
    "to_come": "to come",
    "closed": "pantry closed",
    "paused": "paused",
    "credited": "given back",
}


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """One member's weeks as the council sees them."""

    membership: Membership
    pantry: str
    block_no: int | None
    weeks: list[dict]
    collected: int
    last_collected_on: date | None
    weeks_left: int
    missed_in_a_row: int
    is_not_taken_up: bool
    came_first_on: date | None  # a visit before the introduction was made
    pause: Pause | None  # why it is paused; paused without one: the pantry did it
    follow_up: FollowUp | None  # the latest, of someone who never came
    next_block_on: date | None
    needs: list[str]  # what volunteers read
    moves_to: Place | None  # another pantry, from a week that has not begun

    @property
    def in_words(self) -> str:
        """ "9 collected, 2 missed, 15 to come"."""
        counts = Counter(week["state"] for week in self.weeks)
        return ", ".join(f"{counts[state]} {words}" for state, words in WORDS.items() if counts[state])


def of(referral: Referral, on: date) -> Attendance:
    """The block that holds this week (before it: the first, after it: the last); at most 9 queries."""
    membership = referral.membership
    assert membership is not None
    paid = list(
        PaidWeek.objects.filter(membership=membership)
        .exclude(state=PaidWeek.State.REVERSED)
        .select_related("block")
        .order_by("block__block_no", "position")
    )
    came = list(Collection.objects.counted().filter(membership=membership).order_by("on").values_list("on", "week"))
    collected = {week for _, week in came}
    places = list(Place.objects.filter(membership=membership).select_related("pantry").order_by("from_week"))
    here = [place for place in places if place.from_week <= on] or places[:1]
    ahead = places[-1] if len(places) > 1 and places[-1].from_week > on else None
    is_ended = membership.state == Membership.State.ENDED
    is_paused = membership.state == Membership.State.PAUSED
    calendar = WeekCalendar.for_pantries(Pantry.objects.filter(pk__in={row.pantry_id for row in paid}))
    states = {row.pk: _state(row, collected, calendar, on) for row in paid}
    block = _block_of(paid, on)
    over = [states[row.pk] for row in sorted(paid, key=_week) if states[row.pk] in ("collected", "missed")]
    return Attendance(
        membership=membership,
        pantry=here[-1].pantry.name if here else "",
        block_no=block.block_no if block else None,
        weeks=_strip([(row, states[row.pk]) for row in paid if block and row.block_id == block.pk], calendar),
        collected=len(collected),
        last_collected_on=came[-1][0] if came else None,
        weeks_left=sum(
            row.state == PaidWeek.State.PARKED
            or (row.state == PaidWeek.State.DATED and row.week is not None and row.week > on)
            for row in paid
        ),
        missed_in_a_row=next((n for n, state in enumerate(reversed(over)) if state == "collected"), len(over)),
        is_not_taken_up=membership.state == Membership.State.OPEN
        and rules.is_not_taken_up(first_week=membership.first_week, has_collected=bool(collected), on=on),
        came_first_on=came[0][0] if came and came[0][0] < london_date(referral.made_at) else None,
        pause=referral.pauses.filter(back_on=None).first() if is_paused else None,
        follow_up=None if collected else referral.follow_ups.order_by("-at").first(),
        next_block_on=starts_on(membership.next_due_on) if membership.next_due_on and not is_ended else None,
        needs=[needs.words(need.kind, need.value) for need in SharedNeed.objects.filter(membership=membership)],
        moves_to=None if is_ended else ahead,
    )


def _strip(rows: list[tuple[PaidWeek, str]], calendar: WeekCalendar) -> list[dict]:
    """The weeks of a block in order. Between them lie weeks in which the pantry was closed; where it was not, the
    membership was paused: only those two move a week."""
    dated = {row.week: (row.pantry_id, state) for row, state in rows if row.week}
    strip, pantry = [], None
    for week in weeks_between(min(dated), max(dated)) if dated else []:
        if week in dated:
            pantry, state = dated[week]
        else:
            state = "closed" if calendar.is_closed(pantry, week) else "paused"
        strip.append({"monday": week, "state": state, "words": WORDS[state]})
    return strip


def _week(row: PaidWeek) -> date:
    return row.week or date.max


def _state(row: PaidWeek, collected: set, calendar: WeekCalendar, on: date) -> str:
    if row.state == PaidWeek.State.CREDITED:
        return "credited"
    if row.week in collected:
        return "collected"
    if row.week is None or row.week + timedelta(days=6) >= on:
        return "to_come"
    return "closed" if calendar.is_closed(row.pantry_id, row.week) else "missed"


def _block_of(paid: list[PaidWeek], on: date):
    """The block to show: the last one that has begun, or the first."""
    begun = [row.block for row in paid if row.week and row.week <= monday(on)]
    return max(begun, key=lambda block: block.block_no) if begun else (paid[0].block if paid else None)
