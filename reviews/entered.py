"""Entered since: what was recorded after a moment and had happened before it.

Every figure counts the day something happened. So a pack made again for the same day says something else once more has
been entered. Here attendance is wound back to what was known then, and what has been entered since is listed: then and
entered since together are now, week by week and penny by penny.
"""

from collections import Counter
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from pantry.calendar import Closed, Plan, WeekCalendar
from pantry.models import Account, Closure, Collection, EntryKind, JournalEntry, JournalLine, Membership, PrepaidBlock
from pantry.money import PAYS
from reviews import movement
from reviews.attendance import Attendance, Member
from stockport_hubs.core.weeks import WEEK

State = Membership.State
COLLECTED, UNDONE, CLOSURE, REOPENED = "collected", "undone", "closure", "reopened"
BLOCKS = JournalLine.objects.filter(source_type="block", entry__kind__in=[EntryKind.PURCHASE, EntryKind.OPENING])


class Known(NamedTuple):
    """What is compared with: what was known at a moment, as at a day, of the weeks since another."""

    at: datetime
    as_at: date
    period_from: date


@dataclass(frozen=True)
class Entry:
    """One thing that was entered late. `kind` is one of the above, of a movement, or of a journal entry."""

    kind: str
    on: date
    recorded_at: datetime
    number: int | None = None
    member: UUID | None = None
    pence: int | None = None
    pantry: UUID | None = None


@dataclass
class Entered:
    """What was entered after `known_at` and had happened by `as_at`; `then` is the attendance as known."""

    known_at: datetime
    as_at: date
    then: Attendance
    entries: list[Entry] = field(default_factory=list)
    money: Counter = field(default_factory=Counter)  # name of a figure of `pantry.money` → pence more than then


def entered_since(now: Attendance, known_at: datetime) -> Entered:
    """In a fixed number of queries; `now` itself stays as it is."""
    then = copy(now)
    then.members = dict(now.members)
    found = Entered(known_at, now.as_at, then)
    _unjoin(found)
    changed = _unmove(found) | _uncollect(found)
    if _reopen(found):
        changed = set(then.members)
    for key in changed:
        member = _own(then, key)
        member.last = then._last_open_weeks(member)
    _money(found)
    found.entries.sort(key=lambda each: (each.recorded_at, each.on, each.number or 0, each.kind))
    return found


def _own(then: Attendance, key: UUID, **changed) -> Member:
    """The member as a copy of then's own, so that today's is not changed."""
    then.members[key] = replace(then.members[key], **changed)
    return then.members[key]


def _unjoin(found: Entered) -> None:
    """Members count from the agreement's first block for them on: those whose first came later were not known."""
    bought = BLOCKS.filter(entry__agreement=found.then.agreement).order_by()
    later = dict(bought.filter(entry__recorded_at__gt=found.known_at).values_list("source_id", "entry__recorded_at"))
    blocks = PrepaidBlock.objects.order_by()
    had = blocks.filter(pk__in=bought.filter(entry__recorded_at__lte=found.known_at).values("source_id"))
    new = blocks.filter(pk__in=bought.filter(entry__recorded_at__gt=found.known_at).values("source_id"))
    new = new.exclude(membership__in=had.values("membership"))
    joined = new.values_list("pk", "membership_id", "membership__joined_on", "membership__previous_id")
    for block, key, joined_on, previous in joined.order_by("block_no"):
        if member := found.then.members.pop(key, None):
            kind = movement.RETURNED if previous else movement.JOINED
            found.entries.append(Entry(kind, joined_on, later[block], member.number, key))


def _unmove(found: Entered) -> set[UUID]:
    """Changes of state that were entered later have not happened."""
    then, changed = found.then, set()
    for key, path in movement.paths(then.agreement.pk, found.as_at).items():
        late = [step for step in path.steps if step[2] > found.known_at]
        if not late or key not in then.members:
            continue
        changed.add(key)
        before: str = State.OPEN.value
        pauses: list[tuple[date, date | None]] = []
        ended_on = None
        for on, state, recorded_at in path.steps:
            if recorded_at > found.known_at:
                kind = movement.kind_of(before, state, path)
                found.entries.append(Entry(kind, on, recorded_at, then.members[key].number, key))
        for on, state, recorded_at in path.steps:
            if recorded_at > found.known_at:
                continue
            if state == State.PAUSED and before != State.PAUSED:
                pauses.append((on, None))
            elif state != State.PAUSED and before == State.PAUSED:
                pauses[-1] = (pauses[-1][0], on)
            ended_on = on if state == State.ENDED else None
            before = state
        places = then.members[key].places
        if ended_on is None and then.members[key].ended_on is not None:
            places = [*places[:-1], (places[-1][0], None, places[-1][2])] if places else places
        _own(then, key, state=before, pauses=pauses, ended_on=ended_on, places=places)
    return changed


def _uncollect(found: Entered) -> set[UUID]:
    """Collections entered later were not there, those undone later still were."""
    then, changed = found.then, set()
    entered = Q(recorded_at__gt=found.known_at, voided_at__isnull=True)
    undone = Q(recorded_at__lte=found.known_at, voided_at__gt=found.known_at)
    rows = Collection.objects.filter(entered | undone, membership__agreement=then.agreement, on__lte=found.as_at)
    # Of one undone and entered again in the same week, the one that was there has the last word.
    rows = rows.order_by(F("voided_at").asc(nulls_first=True))
    for key, week, on, recorded_at, voided_at in rows.values_list(
        "membership_id", "week", "on", "recorded_at", "voided_at"
    ):
        member = then.members.get(key)
        if member is None:
            continue
        bit = 1 << (then.week - week).days // 7
        came = member.came & ~bit if voided_at is None else member.came | bit
        first = then.week - (came.bit_length() - 1) * WEEK if came else date.max
        _own(then, key, came=came, first_came=first)
        kind, entered_at = (COLLECTED, recorded_at) if voided_at is None else (UNDONE, voided_at)
        found.entries.append(Entry(kind, on, entered_at, member.number, key))
        changed.add(key)
    return changed


def _reopen(found: Entered) -> bool:
    """Closures announced or withdrawn since: the calendar as it was."""
    then = found.then
    announced = Q(announced_at__gt=found.known_at, withdrawn_at__isnull=True)
    withdrawn = Q(announced_at__lte=found.known_at, withdrawn_at__gt=found.known_at)
    rows = Closure.objects.filter(
        announced | withdrawn, pantry__in=list(then.calendar.plans), from_on__lte=found.as_at
    ).order_by()
    plans = {
        key: Plan(plan.closes_on_bank_holidays, plan.hours, list(plan.closures))
        for key, plan in then.calendar.plans.items()
    }
    changed = False
    for row in rows:
        closed, changed = Closed(row.from_on, row.until_on, row.reason), True
        if row.withdrawn_at is None:
            plans[row.pantry_id].closures.remove(closed)
        else:
            plans[row.pantry_id].closures.append(closed)
        kind, entered_at = (REOPENED, row.withdrawn_at) if row.withdrawn_at else (CLOSURE, row.announced_at)
        found.entries.append(Entry(kind, row.from_on, entered_at, pantry=row.pantry_id))
    if changed:
        then.calendar = WeekCalendar(plans)
    return changed


def _of(account: str):
    return Coalesce(Sum("lines__pence", filter=Q(lines__account=account)), 0)


def _money(found: Entered) -> None:
    """Entries of the journal, added up as `pantry.money` does; what was bought and credited too, which it counts from
    paid weeks."""
    entries = JournalEntry.objects.filter(
        agreement=found.then.agreement, recorded_at__gt=found.known_at, effective_on__lte=found.as_at
    ).order_by("recorded_at")
    rows = entries.values_list("pk", "kind", "reverses__kind", "effective_on", "recorded_at").annotate(
        advance=_of(Account.ADVANCE), joining=_of(Account.JOINING), pool=_of(Account.POOL), weeks=_of(Account.WEEKS)
    )
    more = found.money
    for _, kind, reverses, on, recorded_at, advance, joining, pool, weeks in rows:
        what = reverses or kind
        paid = advance if what in PAYS else 0
        more["paid_in_advance_pence"] += paid
        more["left_pence"] += advance
        more["drawn_pence"] += paid - advance
        more["in_pool_pence"] += pool
        more["joining_pence"] += joining
        if what == EntryKind.CREDIT:
            more["credited_pence"] -= weeks
        elif what != EntryKind.TRANSFER:
            more["bought_pence"] += weeks
        pence = {EntryKind.PAYMENT: paid, EntryKind.CREDIT: pool, EntryKind.BY_HAND: paid or pool}.get(
            what, weeks + joining
        )
        if what != EntryKind.TRANSFER:
            found.entries.append(Entry(kind, on, recorded_at, pence=pence))
