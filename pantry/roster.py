"""Who is shown in a pantry session, as rows that hold the volunteer whitelist of rules.md and nothing else.

Pages for volunteers are given these rows, never a Membership: what is not a field here cannot leak from there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Case, Exists, OuterRef, Q, Value, When
from django.db.models.functions import Lower

from pantry import counter
from pantry.models import Collection, Membership, PaidWeek, Pantry, PantrySession, Place, SharedNeed
from pantry.models.memberships import MembershipQuerySet
from pantry.services import collections
from pantry.services.blocks import tariff_in_force
from stockport_hubs.accounts.models import User
from stockport_hubs.core import needs, weeks


@dataclass(frozen=True)
class Collected:
    """This week's collection of a row, wherever it was taken."""

    id: UUID
    words: str  # "Collected today 10:42 by Jo"
    taken: str  # "10 items, fruit and veg"
    can_undo: bool  # one tap: recorded in this session by who is looking
    can_void: bool  # on the page that asks for a reason


@dataclass(frozen=True)
class Row:
    """The whitelist."""

    id: UUID
    number: int
    called: str
    may_shop: bool
    words: str  # why not; or a neutral note
    to_pay_pence: int
    left: int
    allowance: int
    needs: tuple[str, ...]
    interpreter: str
    no_cooking: bool
    is_first_visit: bool
    collected: Collected | None


def listed(session: PantrySession) -> MembershipQuerySet:
    """Members with a place at the session's pantry that day whose membership has not ended before it, by name."""
    current = ~Q(state=Membership.State.ENDED) | Q(ended_on__gte=session.on)
    nameless = Case(When(preferred_name="", then=Value(1)), default=Value(0))
    return (
        Membership.objects.filter(current, operator_id=session.pantry.operator_id)
        .at_pantries([session.pantry_id], session.on)
        .order_by(nameless, Lower("preferred_name"), "number")
    )


def unlisted(session: PantrySession, words: str) -> Membership | None:
    """The operator's member with exactly this number who is not listed: left, or of another pantry."""
    if not words.isdecimal() or len(words) > 8:
        return None
    number = Membership.objects.filter(operator_id=session.pantry.operator_id, number=int(words))
    return number.exclude(pk__in=listed(session).order_by().values("pk")).first()


def rows(session: PantrySession, members: Iterable[Membership], *, by: User, today: date) -> list[Row]:
    """Rows for listed members in their order; the number of queries does not depend on how many there are."""
    members = list(members)
    week = weeks.monday(session.on)
    keys = [member.pk for member in members]
    shared: dict[UUID, list[SharedNeed]] = defaultdict(list)
    for need in SharedNeed.objects.filter(membership__in=keys):
        shared[need.membership_id].append(need)
    counted = Collection.objects.counted().filter(membership__in=keys)
    of_week = counted.filter(week=week).select_related("recorded_by", "pantry").prefetch_related("items")
    collected = {each.membership_id: each for each in of_week}
    came_before = set(counted.exclude(week=week).values_list("membership_id", flat=True).distinct())
    paid = set(PaidWeek.objects.dated().filter(membership__in=keys, week=week).values_list("membership_id", flat=True))
    earlier = Membership.objects.filter(pk__in=[m.previous_id for m in members if m.previous_id])
    previous = dict(earlier.values_list("pk", "ended_on"))
    tariff = tariff_in_force(session.pantry, week)
    states = collections.states_on(members, session.on, today)

    def row(member: Membership) -> Row:
        is_first = member.pk not in came_before
        left_on = previous[member.previous_id] if member.previous_id else None
        due = collections.charge(member, tariff, week, member.pk in paid, is_first, left_on)
        why = counter.why_not(states[member.pk])
        return _row(session, member, collected.get(member.pk), shared[member.pk], due, is_first, by, today, why)

    return [row(member) for member in members]


def _row(session, member, taken, shared, due, is_first, by, today, why: str, note: str = "") -> Row:
    by_kind = defaultdict(list)
    for need in shared:
        by_kind[need.kind].append(need)
    return Row(
        id=member.pk,
        number=member.number,
        called=member.called,
        may_shop=not why and taken is None,
        words=why or note,
        to_pay_pence=0 if why or taken else due,
        left=0 if why or taken else session.pantry.allowance,
        allowance=session.pantry.allowance,
        needs=tuple(needs.words(n.kind, n.value) for kind in ("allergen", "diet") for n in by_kind[kind]),
        interpreter=", ".join(need.value for need in by_kind["language"]),
        no_cooking=bool(by_kind["no_cooking"]),
        is_first_visit=is_first,
        collected=_collected(session, taken, by, today) if taken else None,
    )


def _collected(session: PantrySession, taken: Collection, by: User, today: date) -> Collected:
    may = taken.session_id == session.pk and collections.can_void(taken, by=by, on=today)
    total = sum(item.quantity for item in taken.items.all())
    parts = [f"{total} item{'' if total == 1 else 's'}"] if total else []
    return Collected(
        id=taken.pk,
        words=collections.said(taken, today, here=session.pantry_id),
        taken=", ".join(parts + (["fruit and veg"] if taken.fruit_and_veg else [])),
        can_undo=may and taken.recorded_by_id == by.pk,
        can_void=may,
    )


def visitor_row(session: PantrySession, member: Membership, *, by: User, today: date) -> Row:
    """The row of a member found by number alone who is not on this pantry's list: no name, no needs."""
    week = weeks.monday(session.on)
    of_week = Collection.objects.counted().filter(membership=member, week=week).select_related("recorded_by", "pantry")
    taken = of_week.prefetch_related("items").first()
    nameless = Membership(pk=member.pk, number=member.number)
    why = counter.why_not(collections.states_on([member], session.on, today)[member.pk])
    if not why and not session.pantry.welcomes_other_pantries:
        why = f"Member of another pantry. {counter.ASK}"
    if why:
        return _row(session, nameless, taken, [], 0, False, by, today, why)
    place = Place.objects.filter(membership=member).select_related("pantry").order_by("-from_week").first()
    home = place.pantry if place else session.pantry
    has_paid_week = PaidWeek.objects.dated().filter(membership=member, week=week).exists()
    due = collections.due_pence(member, home=home, week=week, has_paid_week=has_paid_week)
    is_first = not Collection.objects.counted().filter(membership=member).exclude(week=week).exists()
    return _row(session, nameless, taken, [], due, is_first, by, today, "", counter.OTHER_PANTRY)


def recorded_in(sessions: Iterable[PantrySession]) -> Counter:
    """How many counted collections each session holds, by its id: one query."""
    counted = Collection.objects.counted().filter(session__in=[s.pk for s in sessions])
    return Counter(counted.order_by().values_list("session_id", flat=True))


def only_funded(pantries: Iterable[Pantry]) -> list[Pantry]:
    """Pantries with members of whom every one is paid for by an agreement: there the list itself tells who that is."""
    current = Place.objects.filter(pantry=OuterRef("pk"), to_week__isnull=True).exclude(
        membership__state=Membership.State.ENDED
    )
    asked = Pantry.objects.filter(pk__in=[pantry.pk for pantry in pantries])
    return list(
        asked.filter(Exists(current), ~Exists(current.filter(membership__agreement__isnull=True))).order_by("name")
    )


def find(session: PantrySession, membership_id: UUID) -> tuple[Membership, bool] | None:
    """A member of the operator by id, and whether the session lists them."""
    found = Membership.objects.filter(operator_id=session.pantry.operator_id, pk=membership_id)
    member = found.select_related("previous").first()
    return (member, listed(session).filter(pk=member.pk).exists()) if member else None
