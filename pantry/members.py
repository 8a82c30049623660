"""What pages about members show: weeks left, last collection, weeks and money, the strip of recent weeks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Count, Exists, Max, OuterRef, Q, Subquery, Sum

from pantry import rules
from pantry.calendar import WeekCalendar
from pantry.models import BlockSource, Collection, Membership, MembershipMove, PaidWeek, Pantry, Place, PrepaidBlock
from pantry.models.memberships import MembershipQuerySet
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core import weeks

STRIP = 26
UNFUNDED = "unfunded"  # beside the states: members with collections nobody has paid for


def sees_people(user: User) -> bool:
    """Names, needs and attendance are for the pantry's own manager; the others get numbers, weeks and money."""
    return user.role == Role.PANTRY_MANAGER


def found(members: MembershipQuerySet, *, user: User, query: str, pantry: Pantry | None, state: str, on: date):
    """Members by search, pantry and state ("current": not ended; "unfunded"; "all"); who sees no names does not search
    by them."""
    if query and not sees_people(user):
        members = members.filter(number=int(query)) if query.isdecimal() and len(query) < 9 else members.none()
    elif query:
        members = members.search(query)
    if state == UNFUNDED:
        members = members.filter(Exists(Collection.objects.unfunded().filter(membership=OuterRef("pk"))))
    elif state == "current":
        members = members.exclude(state=Membership.State.ENDED)
    elif state in Membership.State.values:
        members = members.filter(state=state)
    if pantry:
        held = Q(to_week__isnull=True) | Q(to_week__gte=on) | Q(membership__state=Membership.State.ENDED)
        members = members.filter(Exists(Place.objects.filter(held, pantry=pantry, membership=OuterRef("pk"))))
    return members.order_by("number")


@dataclass(frozen=True)
class Line:
    """One member of a list."""

    member: Membership
    pantry: Pantry | None
    weeks_left: int
    bought_pence: int
    to_come_pence: int
    last_on: date | None


def lines(members: Iterable[Membership], on: date) -> list[Line]:
    """The list's rows: four queries whatever their number. A week is left until its Monday has come."""
    members = list(members)
    keys = [member.pk for member in members]
    places = Place.objects.filter(membership__in=keys).select_related("pantry").order_by("from_week")
    pantries = {place.membership_id: place.pantry for place in places}
    later = PaidWeek.objects.filter(membership__in=keys).later_than(on).order_by().values_list("membership")
    left = {key: (count, pence or 0) for key, count, pence in later.annotate(Count("pk"), Sum("pence"))}
    bought: dict[UUID, int] = {}
    blocks = PrepaidBlock.objects.filter(membership__in=keys).exclude(source=BlockSource.SELF_PAY)
    for block in blocks.with_top_ups():
        price = block.price_pence + block.topped_up_pence
        bought[block.membership_id] = bought.get(block.membership_id, 0) + price
    counted = Collection.objects.counted().filter(membership__in=keys).order_by()
    last = dict(counted.values_list("membership").annotate(Max("on")))
    made = []
    for member in members:
        weeks_left, pence = left.get(member.pk, (0, 0))
        made.append(
            Line(
                member=member,
                pantry=pantries.get(member.pk),
                weeks_left=weeks_left,
                bought_pence=bought.get(member.pk, 0),
                to_come_pence=pence,
                last_on=last.get(member.pk),
            )
        )
    return made


@dataclass(frozen=True)
class BlockLine:
    """One block in weeks and pence."""

    block: PrepaidBlock
    used: int
    to_come: int
    credited: int
    used_pence: int
    to_come_pence: int
    credited_pence: int

    @property
    def topped_up_pence(self) -> int:
        """What price rises have added to its weeks since it was bought."""
        held = self.used_pence + self.to_come_pence + self.credited_pence
        return held - self.block.weeks * self.block.weekly_pence


def block_lines(member: Membership, on: date) -> list[BlockLine]:
    """The blocks bought or given in advance, the latest first; used + to come + credited are the weeks bought."""
    made = []
    for block in (
        member.blocks.exclude(source=BlockSource.SELF_PAY).prefetch_related("paid_weeks").order_by("-block_no")
    ):
        sums = {"used": [0, 0], "to_come": [0, 0], "credited": [0, 0]}
        for week in block.paid_weeks.all():
            if week.state == PaidWeek.State.REVERSED:
                continue
            kind = "credited" if week.state == PaidWeek.State.CREDITED else "to_come"
            if week.state == PaidWeek.State.DATED and week.week and week.week <= on:
                kind = "used"
            sums[kind][0] += 1
            sums[kind][1] += week.pence
        counts, pence = zip(*sums.values(), strict=True)
        made.append(BlockLine(block, *counts, *pence))
    return made


def strip(member: Membership, on: date) -> list[dict]:
    """The last 26 weeks with this one, for parts/weeks.html; weeks before the first place are left out."""
    this = weeks.monday(on)
    places = list(member.places.select_related("pantry"))
    if not places:
        return []
    first = max(this - (STRIP - 1) * weeks.WEEK, places[0].from_week)
    mondays = weeks.weeks_between(first, this)
    counted = set(member.collections.counted().filter(week__in=mondays).values_list("week", flat=True))
    paid = set(member.paid_weeks.dated().filter(week__in=mondays).values_list("week", flat=True))
    calendar = WeekCalendar.for_pantries([place.pantry for place in places])
    moves = list(member.moves.all())
    return [_week(monday, places, counted, paid, calendar, moves, this) for monday in mondays]


def missed_weeks(member: Membership, on: date) -> set[date]:
    """The Mondays of the missed weeks among the last 26."""
    return {week["monday"] for week in strip(member, on) if week["state"] == "missed"}


def _week(monday: date, places, counted, paid, calendar: WeekCalendar, moves: list[MembershipMove], this: date) -> dict:
    sunday = monday + timedelta(days=6)
    home = next((p for p in places if p.from_week <= monday and (not p.to_week or p.to_week >= monday)), places[-1])
    state = next((move.state for move in reversed(moves) if move.on <= sunday), "open")
    if monday in counted:
        return {"monday": monday, "state": "collected", "words": "collected"}
    if calendar.is_closed(home.pantry_id, monday):
        return {"monday": monday, "state": "closed", "words": "closed"}
    if state in ("paused", "ended"):
        return {"monday": monday, "state": "paused" if state == "paused" else "none", "words": state}
    if monday == this:
        return {"monday": monday, "state": "to_come", "words": "not collected yet"}
    words = "missed" if monday in paid else "not collected"
    return {"monday": monday, "state": "missed" if monday in paid else "none", "words": words}


def long_paused(members: MembershipQuerySet, on: date) -> MembershipQuerySet:
    """Those paused for 26 weeks and more since somebody last decided, the longest first; annotates `paused_on`."""
    last = MembershipMove.objects.filter(membership=OuterRef("pk")).order_by("-on", "-recorded_at").values("on")[:1]
    paused = members.filter(state=Membership.State.PAUSED).annotate(paused_on=Subquery(last))
    return paused.filter(paused_on__lte=on - rules.LONG_PAUSE_WEEKS * weeks.WEEK).order_by("paused_on", "number")


def joined_again(member: Membership) -> Membership | None:
    """The membership that has followed an ended one and runs."""
    if member.state != Membership.State.ENDED:
        return None
    return Membership.objects.filter(previous=member).exclude(state=Membership.State.ENDED).first()


@dataclass(frozen=True)
class Event:
    """One line of a member's history."""

    on: date
    what: str
    by: str = ""


def history(member: Membership, places: list[Place], user: User) -> list[Event]:
    """Changes of state and of place, the earliest first; people of another organisation appear as that organisation."""
    events, before = [], ""
    for move in member.moves.select_related("by__organisation"):
        by = move.by and (
            move.by.name if move.by.organisation_id == user.organisation_id else move.by.organisation.name
        )
        what = move.get_state_display()
        if move.state == before:
            what = "Pause goes on"
        elif move.state == Membership.State.OPEN and before == Membership.State.PAUSED:
            what = "Open again"
        events.append(Event(move.on, what, by or "by itself"))
        before = move.state
    for place in places:
        until = f", until {place.to_week:%-d %b %Y}" if place.to_week else ""
        events.append(Event(place.from_week, f"{place.pantry.name}{until}"))
    return sorted(events, key=lambda event: event.on)


def credit_if_left(member: Membership, on: date) -> tuple[int, int]:
    """(weeks, pence) that would go back to an agreement if the member left on that day."""
    funded = member.paid_weeks.later_than(on).filter(block__agreement__isnull=False)
    later = funded.aggregate(n=Count("pk"), pence=Sum("pence"))
    return later["n"], later["pence"] or 0
