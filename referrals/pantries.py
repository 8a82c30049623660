"""The pantries an advisor may choose among, with what they need to know to choose."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, OuterRef, Prefetch, Q, Subquery
from django.db.models.functions import Coalesce

from pantry.models import FundingAgreement, Membership, OpeningHours, Pantry, Place
from stockport_hubs.accounts.models import User


@dataclass(frozen=True)
class Choice:
    """A pantry as one radio button."""

    pantry: Pantry
    opens: str
    free: int | None

    @property
    def hint(self) -> str:
        """Address, opening times, free places."""
        room = "" if self.free is None else "No free places: the waiting list" if self.free < 1 else _places(self.free)
        return ". ".join(part for part in (self.pantry.address, self.opens, room) if part) + "."


def agreements(user: User, on: date):
    """The agreements of the user's council that buy places today."""
    return FundingAgreement.objects.for_user(user).in_force_on(on).select_related("operator")


def choices(user: User, on: date) -> list[Choice]:
    """Pantries of operators the council has an agreement with, by name; 2 queries whatever their number."""
    operators = agreements(user, on).values("operator")
    hours = OpeningHours.objects.filter(Q(until_on__isnull=True) | Q(until_on__gte=on), from_on__lte=on)
    taken = (
        Place.objects.filter(pantry=OuterRef("pk"), to_week__isnull=True)
        .exclude(membership__state=Membership.State.ENDED)
        .order_by()
        .values("pantry")
        .annotate(n=Count("pk"))
        .values("n")
    )
    pantries = (
        Pantry.objects.for_user(user)
        .filter(Q(closing_on__isnull=True) | Q(closing_on__gt=on), operator__in=operators)
        .annotate(members=Coalesce(Subquery(taken), 0))
        .prefetch_related(Prefetch("opening_hours", queryset=hours, to_attr="hours_now"))
        .order_by("name")
    )
    return [
        Choice(pantry, _opens(pantry.hours_now), None if pantry.capacity is None else pantry.capacity - pantry.members)
        for pantry in pantries
    ]


def _opens(hours) -> str:
    """Wednesday 10:00 to 12:00, Friday 14:00 to 16:00."""
    said = ", ".join(f"{h.get_weekday_display()} {h.opens:%H:%M} to {h.closes:%H:%M}" for h in hours)
    return said or "No opening times yet"


def _places(free: int) -> str:
    return f"{free} free place{'' if free == 1 else 's'}"
