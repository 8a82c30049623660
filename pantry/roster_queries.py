"""What a session's rows are made from, as plain values. No page is asked for more often than a session's: the SQL of
what it asks is written once (core/kept.py)."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Case, Count, Max, Q, Sum, Value, When, Window
from django.db.models.functions import Lower

from pantry import counter
from pantry.models import Collection, Membership, PaidWeek, SharedNeed
from pantry.models.memberships import MembershipQuerySet
from stockport_hubs.core.kept import Kept, columns

ROWS = 50  # of a page


class Facts(NamedTuple):
    """What a row is made from of the membership itself."""

    id: UUID
    number: int
    preferred_name: str
    state: str
    agreement_id: UUID | None
    self_pay_from: date | None
    joined_on: date
    previous_left_on: date | None

    def pays(self, week: date, state: str) -> bool:
        """At the counter, unless the week is bought already; `state` is that of the session's day."""
        paid_for = self.agreement_id is not None
        return counter.pays(state=state, paid_for=paid_for, self_pay_from=self.self_pay_from, week=week)


class Taken(NamedTuple):
    """A counted collection of the week."""

    membership_id: UUID
    id: UUID
    session_id: UUID
    pantry_id: UUID
    pantry_name: str
    recorded_by_id: UUID
    recorded_by_name: str
    on: date
    is_late: bool
    collected_at: datetime
    recorded_at: datetime
    fruit_and_veg: bool
    items: int | None


FACTS = tuple({"id": "pk", "previous_left_on": "previous__ended_on"}.get(name, name) for name in Facts._fields)
TAKEN = tuple(
    {"pantry_name": "pantry__name", "recorded_by_name": "recorded_by__name"}.get(name, name)
    for name in Taken._fields[:-1]
)


def listed(operator: UUID, pantry: UUID, day: date) -> MembershipQuerySet:
    """See roster.listed."""
    current = ~Q(state=Membership.State.ENDED) | Q(ended_on__gte=day)
    current &= ~Q(end_reason=Membership.EndReason.DIED)
    nameless = Case(When(preferred_name="", then=Value(1)), default=Value(0))
    here = Membership.objects.filter(current, operator_id=operator).at_pantries([pantry], day)
    return here.order_by(nameless, Lower("preferred_name"), "number")


MEMBER = Kept(
    lambda operator, key: (
        Membership.objects.filter(operator_id=operator, pk=key).order_by().values_list(*columns(Membership))
    )
)
# The first page and one more, each with how many there are in all.
FIRST_PAGE = Kept(
    lambda operator, pantry, day: (
        listed(operator, pantry, day).annotate(there=Window(Count("pk"))).values_list(*FACTS, "there")[: ROWS + 1]
    )
)
NEEDS = Kept(lambda keys: SharedNeed.objects.filter(membership__in=keys).values_list("membership_id", "kind", "value"))
OF_WEEK = Kept(
    lambda keys, week: (
        Collection.objects.counted()
        .filter(membership__in=keys, week=week)
        .order_by()
        .values_list(*TAKEN)
        .annotate(n=Sum("items__quantity"))
    )
)
OTHER_WEEKS = Kept(
    lambda keys, week: (
        Collection.objects.counted()
        .filter(membership__in=keys)
        .exclude(week=week)
        .order_by()
        .values_list("membership_id")
        .annotate(Max("paid_pence"))
    )
)
BOUGHT = Kept(
    lambda keys, week: (
        PaidWeek.objects.dated().filter(membership__in=keys, week=week).order_by().values_list("membership_id")
    )
)
RECORDED = Kept(
    lambda session: (
        Collection.objects.counted().filter(session=session).order_by().values_list("session_id").annotate(Count("pk"))
    )
)
