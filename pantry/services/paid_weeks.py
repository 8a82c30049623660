"""Where paid weeks lie: when the next renewal is due, and moving weeks that fall on closed weeks."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Max, Q

from pantry import rules
from pantry.calendar import WeekCalendar
from pantry.models import Membership, PaidWeek, Pantry, Place, PrepaidBlock, RenewalDecision
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.weeks import WEEK

IDS = 500  # keys of one statement


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
    running = (Membership.State.OPEN, Membership.State.PAUSED)
    last = _last_weeks([m.pk for m in memberships if m.state in running and m.agreement_id and not m.self_pay_from])
    number = dict(_grouped(PrepaidBlock.objects.filter(membership__in=last)).annotate(Max("block_no")))
    if undecided:
        decided = RenewalDecision.objects.filter(membership__in=last).exclude(outcome=RenewalDecision.Outcome.RENEWED)
        for membership_id, block_no in decided.values_list("membership", "block_no"):
            if block_no > number[membership_id]:
                last.pop(membership_id)
    homes = {key: pantry_in(found, last[key] + WEEK) for key, found in places(last).items()}
    pantries = Pantry.objects.in_bulk({key for key in homes.values() if key})
    calendar = WeekCalendar.for_pantries(pantries.values())
    ahead = {
        key: NextBlock(number[key] + 1, calendar.next_open_week(pantry_id, last[key] + WEEK), pantry_id)
        for key, pantry_id in homes.items()
        if pantry_id
    }
    return ahead, calendar, pantries


def _grouped(rows):
    return rows.order_by().values_list("membership")


def _last_weeks(membership_ids: list[UUID]) -> dict[UUID, date]:
    """The last dated week of each that has one and has none parked."""
    State = PaidWeek.State
    weeks = _grouped(PaidWeek.objects.filter(membership__in=membership_ids, state__in=[State.DATED, State.PARKED]))
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
    # The row's lock keeps out a join that read the calendar before this change and has not committed yet; joins take it
    # too. Locking every member of the pantry, not just those with weeks to come, does the same for renewals.
    Pantry.objects.select_for_update(no_key=True).get(pk=pantry.pk)
    here = Place.objects.filter(Q(to_week__isnull=True) | Q(to_week__gte=on), pantry=pantry)
    running = Membership.objects.filter(pk__in=here.values("membership"), state=Membership.State.OPEN)
    members = list(running.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    calendar = WeekCalendar.for_pantries([pantry])
    moved = []
    for ids in _batches(members):
        moved += _redate(ids, pantry, on, calendar)
    set_due(members)
    if moved:
        subjects = [(audit.MEMBERSHIP, key) for key in moved]
        audit.record("pantry.weeks.moved", at=at, by=by, target=pantry, subjects=subjects)
    return len(moved)


def _redate(membership_ids: list[UUID], pantry: Pantry, on: date, calendar: WeekCalendar) -> list[UUID]:
    """Those of one batch whose weeks moved."""
    rows = PaidWeek.objects.dated().filter(membership__in=membership_ids, week__gt=on).select_related("block")
    weeks: dict[UUID, list[PaidWeek]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.block.block_no, row.position)):
        weeks[row.membership_id].append(row)
    new: dict[date, list[int]] = defaultdict(list)
    moved = []
    for membership_id, all_rows in weeks.items():
        mine = [(row.pk, row.week) for row in all_rows if row.pantry_id == pantry.pk and row.week]
        first = next((n for n, (_, week) in enumerate(mine) if calendar.is_closed(pantry.pk, week)), None)
        if first is None:
            continue
        moved.append(membership_id)
        elsewhere = {row.week for row in all_rows if row.pantry_id != pantry.pk}
        tail = mine[first:]
        onto = calendar.next_open_weeks(pantry.pk, tail[0][1], len(tail), elsewhere)
        for (key, old), week in zip(tail, onto, strict=True):
            if old != week:
                new[week].append(key)
    # Clear before setting: the constraint of one paid week a week is checked row by row.
    for ids in _batches(key for keys in new.values() for key in keys):
        PaidWeek.objects.filter(pk__in=ids).update(state=PaidWeek.State.PARKED, week=None)
    for week, ids in new.items():
        PaidWeek.objects.filter(pk__in=ids).update(state=PaidWeek.State.DATED, week=week)
    return moved


def _batches(keys: Iterable) -> Iterator[list]:
    keys = list(keys)
    for start in range(0, len(keys), IDS):
        yield keys[start : start + IDS]
