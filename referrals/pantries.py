"""The pantries an advisor may choose among, with what they need to know to choose."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, Q

from careleavers.models import SharingAgreement
from pantry import directory
from pantry.models import FundingAgreement, Membership, Pantry, Place
from referrals.models import Referral
from stockport_hubs.accounts.models import User


@dataclass(frozen=True)
class Choice:
    """A pantry as one radio button."""

    pantry: Pantry
    opens: str
    room: str

    @property
    def hint(self) -> str:
        """Address, opening times, whether there is room."""
        return f"{self.pantry.address}. {self.opens}. {self.room}."


def agreements(user: User, on: date):
    """The agreements of the user's council that buy places today."""
    return FundingAgreement.objects.for_user(user).in_force_on(on).select_related("operator")


def without_a_place(people, on: date):
    """Of these young people those with an agreement to share that day, and neither a place nor an introduction."""
    holding = SharingAgreement.objects.holding_on(on).filter(care_leaver=OuterRef("pk"))
    theirs = Referral.objects.filter(care_leaver=OuterRef("pk"))
    placed = theirs.filter(membership__isnull=False).exclude(membership__state=Membership.State.ENDED)
    return people.filter(Exists(holding), ~Exists(placed), ~Exists(theirs.under_way())).exclude(preferred_name="")


def choices(user: User, on: date) -> list[Choice]:
    """Pantries of operators the council has an agreement with, by name; 3 queries whatever their number."""
    pantries = (
        Pantry.objects.for_user(user)
        .filter(Q(closing_on__isnull=True) | Q(closing_on__gt=on))
        .filter(operator__in=agreements(user, on).values("operator"))
        .prefetch_related("opening_hours")
        .order_by("name")
    )
    return [_choice(pantry, members, on) for pantry, members in directory.with_members(pantries)]


def to_move_to(membership: Membership, user: User, on: date) -> list[Choice]:
    """The pantries of a member's operator other than the one the member belongs to."""
    here = Place.objects.filter(membership=membership, to_week=None).values_list("pantry", flat=True).first()
    found = choices(user, on)
    return [each for each in found if each.pantry.operator_id == membership.operator_id and each.pantry.pk != here]


def _choice(pantry: Pantry, members: int, on: date) -> Choice:
    opens = directory.openings_in_words(list(pantry.opening_hours.all()), on)
    is_full = pantry.capacity is not None and members >= pantry.capacity
    # Whether there is room, never how many: members who are not in the scheme are not the council's to count.
    said = "Full: they would go on the waiting list" if is_full else "Has free places"
    return Choice(pantry, "; ".join(opens) or "No opening times yet", said)
