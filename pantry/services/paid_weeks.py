"""Where paid weeks lie: when the next renewal is due, and moving weeks that fall on closed weeks."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Max, Q

from pantry import rules
from pantry.calendar import WeekCalendar
from pantry.models import (
    Account,
    EntryKind,
    JournalLine,
    Membership,
    PaidWeek,
    Pantry,
    Place,
    PrepaidBlock,
    RenewalDecision,
)
from pantry.services import histories, journal
from pantry.services.journal import Leg, Posting
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.weeks import WEEK

IDS = 500  # keys of one statement
RUNNING = (Membership.State.OPEN, Membership.State.PAUSED)


def places(membership_ids: Iterable[UUID]) -> dict[UUID, list[Place]]:
    """The places of each membership that have not ended for good, in order."""
    found: dict[UUID, list[Place]] = defaultdict(list)
    for place in Place.objects.filter(membership__in=membership_ids).order_by("from_week"):
        found[place.membership_id].append(place)
    return found


def pantry_in(places: list[Place], week: date) -> UUID | None:
    """The pantry of the place that holds a week; before the first place its pantry, after the last none."""
    for place in places:
        if place.to_week is None or place.to_week > week:
            return place.pantry_id
    return None


@dataclass(frozen=True)
class NextBlock:
    """The block that would follow those bought: its number, its first Monday and where."""

    block_no: int
    starts_on: date
    pantry_id: UUID
    paused: frozenset[date] = frozenset()  # weeks of earlier pauses: no block is laid on them

    @property
    def due_on(self) -> date:
        """When its renewal is to be decided."""
        return rules.due_on(self.starts_on)


def next_blocks(
    memberships: list[Membership], *, undecided: bool = True
) -> tuple[dict[UUID, NextBlock], WeekCalendar, dict[UUID, Pantry]]:
    """What would be renewed next for each, from blocks, weeks, decisions and open weeks; the calendar and pantries.

    Missing: ended or not yet confirmed, nobody pays, the member pays, weeks are parked, no place, or (`undecided`) a
    decision about the next block is there that is not "renewed": held, the member pays, stopped.
    """
    last = _last_weeks([m.pk for m in memberships if m.state in RUNNING and m.agreement_id and not m.self_pay_from])
    number = dict(_grouped(PrepaidBlock.objects.filter(membership__in=last)).annotate(Max("block_no")))
    if undecided:
        decided = RenewalDecision.objects.filter(membership__in=last).exclude(outcome=RenewalDecision.Outcome.RENEWED)
        for membership_id, block_no in decided.values_list("membership", "block_no"):
            if block_no > number[membership_id]:
                last.pop(membership_id)
    homes = {key: pantry_in(found, last[key] + WEEK) for key, found in places(last).items()}
    pantries = Pantry.objects.in_bulk({key for key in homes.values() if key})
    calendar = WeekCalendar.for_pantries(pantries.values())
    states = histories.of_ids(homes)
    ahead = {}
    for key, pantry_id in homes.items():
        if pantry_id:
            paused = frozenset(states[key].paused_weeks)
            [start] = calendar.next_open_weeks(pantry_id, last[key] + WEEK, 1, paused)
            ahead[key] = NextBlock(number[key] + 1, start, pantry_id, paused)
    return ahead, calendar, pantries


def _grouped(rows):
    return rows.order_by().values_list("membership")


def _last_weeks(membership_ids: list[UUID]) -> dict[UUID, date]:
    """The last week of each that has one and has none parked. A week credited by hand had been bought too: the next
    block follows it."""
    State = PaidWeek.State
    weeks = _grouped(PaidWeek.objects.filter(membership__in=membership_ids).exclude(state=State.REVERSED))
    ends = weeks.annotate(last=Max("week"), parked=Count("pk", filter=Q(state=State.PARKED)))
    return {key: last for key, last, parked in ends if last and not parked}


def set_due(membership_ids: Iterable[UUID]) -> None:
    """Write when the next renewals are due, where that has changed; the memberships are locked."""
    for ids in _batches(membership_ids):
        memberships = list(Membership.objects.filter(pk__in=ids))
        due = due_dates(memberships)
        write_due({m.pk: due[m.pk] for m in memberships if due[m.pk] != m.next_due_on})


def due_dates(memberships: list[Membership]) -> dict[UUID, date | None]:
    """When the next renewal of each is to be decided; None: not at all."""
    ahead = next_blocks(memberships)[0]
    return {m.pk: ahead[m.pk].due_on if m.pk in ahead else None for m in memberships}


def write_due(due: dict[UUID, date | None]) -> None:
    """One update for each different day."""
    by_day: dict[date | None, list[UUID]] = defaultdict(list)
    for key, day in due.items():
        by_day[day].append(key)
    for day, keys in by_day.items():
        Membership.objects.filter(pk__in=keys).update(next_due_on=day)


def redate(*, pantry: Pantry, on: date, at: datetime, by: User) -> int:
    """Weeks of this pantry that have not begun and fall on closed weeks move, and those after them with them: parked,
    then dated onto the next free open weeks, the earlier block first. Gives the number of members whose weeks moved.

    In the caller's transaction, after the change to hours or closures; price and block stay as they are.
    """
    members = lock(pantry, on)
    moved = []
    for ids in _batches(members):
        moved += settle(ids, on=on, at=at, by=by)
    set_due(members)
    if moved:
        subjects = [(audit.MEMBERSHIP, key) for key in moved]
        audit.record("pantry.weeks.moved", at=at, by=by, target=pantry, subjects=subjects)
    return len(moved)


def lock(pantry: Pantry, on: date) -> list[UUID]:
    """Lock a pantry and every member of it who has not ended, so that nothing is bought or laid there meanwhile.

    The row's lock keeps out a join that has read the calendar or the price and has not committed yet: joins take it
    too. Locking every member, not just those with weeks to come, does the same for renewals, for the paused who resume
    and for those waiting to be confirmed.
    """
    Pantry.objects.select_for_update(no_key=True).get(pk=pantry.pk)
    here = Place.objects.filter(Q(to_week__isnull=True) | Q(to_week__gte=on), pantry=pantry)
    members = Membership.objects.filter(pk__in=here.values("membership")).exclude(state=Membership.State.ENDED)
    return list(members.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))


def settle(
    membership_ids: Iterable[UUID], *, on: date, at: datetime, by: User | None = None, job: str = ""
) -> list[UUID]:
    """Those of up to IDS members whose unused weeks lay where they may not, and now lie on the next free open weeks of
    the member's own pantry in each week: a closed week, or a week of the pantry they have moved from.

    The memberships are locked. From the first such week on all of a member's weeks are laid anew, in order.
    """
    membership_ids = list(membership_ids)
    homes = places(membership_ids)
    calendar = calendar_of(homes)
    moved, onto = [], []
    for membership_id, rows in _unused(membership_ids, on).items():
        mine = homes[membership_id]
        first = next((n for n, row in enumerate(rows) if _is_out_of_place(row, mine, calendar)), None)
        if first is None:
            continue
        taken = {row.week for row in rows[:first]}
        onto += lay(rows[first:], mine, calendar, _week(rows[first]), taken)
        moved.append(membership_id)
    put(onto, on=on, at=at, by=by, job=job)
    return moved


def calendar_of(homes: dict[UUID, list[Place]]) -> WeekCalendar:
    """The calendar of every pantry of some members' places."""
    return WeekCalendar.for_pantries(
        Pantry.objects.filter(pk__in={p.pantry_id for each in homes.values() for p in each})
    )


def _unused(membership_ids: list[UUID], on: date) -> dict[UUID, list[PaidWeek]]:
    """The dated weeks of each member whose Monday is later than a day, the earlier block first."""
    rows = PaidWeek.objects.dated().filter(membership__in=membership_ids, week__gt=on).select_related("block")
    found: dict[UUID, list[PaidWeek]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.block.block_no, row.position)):
        found[row.membership_id].append(row)
    return found


def _is_out_of_place(row: PaidWeek, homes: list[Place], calendar: WeekCalendar) -> bool:
    week = _week(row)
    return row.pantry_id != pantry_in(homes, week) or calendar.is_closed(row.pantry_id, week)


def _week(row: PaidWeek) -> date:
    assert row.week is not None  # a constraint: dated weeks have a Monday
    return row.week


@dataclass(frozen=True)
class Onto:
    """Where a paid week is to lie."""

    row: PaidWeek
    week: date
    pantry_id: UUID


def lay(rows: list[PaidWeek], homes: list[Place], calendar: WeekCalendar, start: date, taken=frozenset()) -> list[Onto]:
    """Rows in order, onto the next free open weeks from a Monday on."""
    found = calendar.next_weeks(lambda week: pantry_in(homes, week), start, len(rows), taken)
    return [Onto(row, week, pantry_id) for row, (week, pantry_id) in zip(rows, found, strict=True)]


def put(onto: list[Onto], *, on: date, at: datetime, by: User | None = None, job: str = "") -> None:
    """Write where weeks lie; what goes to another pantry is transferred in the journal."""
    changed = [each for each in onto if (each.row.week, each.row.pantry_id) != (each.week, each.pantry_id)]
    new: dict[tuple[date, UUID], list[int]] = defaultdict(list)
    for each in changed:
        new[each.week, each.pantry_id].append(each.row.pk)
    # Clear before setting: the constraint of one paid week a week is checked row by row.
    for ids in _batches(each.row.pk for each in changed):
        PaidWeek.objects.filter(pk__in=ids).update(state=PaidWeek.State.PARKED, week=None)
    for (week, pantry_id), ids in new.items():
        PaidWeek.objects.filter(pk__in=ids).update(state=PaidWeek.State.DATED, week=week, pantry=pantry_id)
    transfer([(each.row, each.pantry_id) for each in changed], on=on, at=at, by=by, job=job)


def transfer(
    going: Iterable[tuple[PaidWeek, UUID]], *, on: date, at: datetime, by: User | None = None, job: str = ""
) -> None:
    """Post what goes to another pantry: an entry for each agreement, two lines for each block and pair of pantries.

    `going` pairs a paid week, as it was, with its new pantry. Price, block and agreement stay.
    """
    sums: dict[tuple[UUID, UUID, UUID, UUID], int] = defaultdict(int)
    for row, pantry_id in going:
        if row.pantry_id != pantry_id and row.block.agreement_id:
            sums[row.block.agreement_id, row.block_id, row.pantry_id, pantry_id] += row.pence
    if not sums:
        return
    lines = JournalLine.objects.filter(source_type="move", source_id__in={key[1] for key in sums}).order_by()
    posted = dict(lines.values_list("source_id").annotate(Count("pk")))
    legs: dict[UUID, list[Leg]] = defaultdict(list)
    for (agreement_id, block_id, old, new), pence in sums.items():
        n = posted[block_id] = posted.get(block_id, 0) + 2
        legs[agreement_id] += [
            Leg(Account.WEEKS, -pence, "move", block_id, f"out {n // 2}", old),
            Leg(Account.WEEKS, pence, "move", block_id, f"in {n // 2}", new),
        ]
    journal.post([Posting(EntryKind.TRANSFER, key, on, each) for key, each in legs.items()], at=at, by=by, job=job)


def _batches(keys: Iterable) -> Iterator[list]:
    keys = list(keys)
    for start in range(0, len(keys), IDS):
        yield keys[start : start + IDS]
