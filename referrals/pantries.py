"""The pantries an advisor may choose among, with what they need to know to choose."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q

from careleavers.models import Position, SharingAgreement
from pantry import directory
from pantry.models import FundingAgreement, Membership, Pantry, Place
from referrals import nearest
from referrals.models import Referral
from stockport_hubs.accounts.models import User


@dataclass(frozen=True)
class Choice:
    """A pantry as one radio button."""

    pantry: Pantry
    opens: str
    is_full: bool
    metres: int | None = None  # from where the young person lives

    @property
    def hint(self) -> str:
        """Distance, address, opening times, whether there is room, whom it is for."""
        # Whether there is room, never how many: members who are not in the scheme are not the council's to count.
        room = "Full: they would go on the waiting list" if self.is_full else "Has free places"
        said = [self.pantry.address, self.opens or "No opening times yet", room]
        if self.metres is not None:
            said.insert(0, nearest.in_words(self.metres).capitalize())
        if self.pantry.catchment:
            said.append(f"For: {self.pantry.catchment}")
        return " ".join(f"{each.rstrip('.')}." for each in said)

    @property
    def is_suitable(self) -> bool:
        """It has free places and opens."""
        return not self.is_full and bool(self.opens)


def agreements(user: User, on: date):
    """The agreements of the user's council that buy places today."""
    return FundingAgreement.objects.for_user(user).in_force_on(on).select_related("operator")


def without_a_place(people, on: date):
    """Of these young people those with an agreement to share that day, and neither a place nor an introduction."""
    holding = SharingAgreement.objects.holding_on(on).filter(care_leaver=OuterRef("pk"))
    theirs = Referral.objects.filter(care_leaver=OuterRef("pk"))
    placed = theirs.filter(membership__isnull=False).exclude(membership__state=Membership.State.ENDED)
    return people.filter(Exists(holding), ~Exists(placed), ~Exists(theirs.under_way())).exclude(preferred_name="")


def choices(user: User, on: date, near: Position | None = None) -> list[Choice]:
    """Pantries of operators the council has an agreement with, the nearest first where it is known from where,
    otherwise by name; 3 queries whatever their number, 4 with distances."""
    pantries = (
        Pantry.objects.for_user(user)
        .filter(Q(closing_on__isnull=True) | Q(closing_on__gt=on))
        .filter(operator__in=agreements(user, on).values("operator"))
        .prefetch_related("opening_hours")
        .order_by("name")
    )
    counted = directory.with_members(pantries)
    there = nearest.positions(each.pantry for each in counted) if near else {}
    found = [_choice(pantry, members, on, near, there.get(pantry.pk)) for pantry, members in counted]
    return sorted(found, key=lambda each: (each.metres is None, each.metres or 0))


def nearest_suitable(found: list[Choice]) -> Choice | None:
    """The first of choices() that has free places and opens; None where no distance is known."""
    return next((each for each in found if each.metres is not None and each.is_suitable), None)


def to_move_to(membership: Membership, user: User, on: date, near: Position | None = None) -> list[Choice]:
    """The pantries of a member's operator other than the one the member belongs to."""
    here = Place.objects.filter(membership=membership, to_week=None).values_list("pantry", flat=True).first()
    found = choices(user, on, near)
    return [each for each in found if each.pantry.operator_id == membership.operator_id and each.pantry.pk != here]


def _choice(pantry: Pantry, members: int, on: date, near: Position | None, there: Position | None) -> Choice:
    opens = directory.openings_in_words(list(pantry.opening_hours.all()), on)
    is_full = pantry.capacity is not None and members >= pantry.capacity
    return Choice(pantry, "; ".join(opens), is_full, nearest.metres(near, there) if near and there else None)
