"""What the pantry side may know of an introduction: the one place that decides it (rules.md, Privacy by structure).

Pages of the pantry manager render these and are given no introduction and no person.
"""

from dataclasses import dataclass
from datetime import date, datetime

from careleavers.models import AdvisorAllocation, SharingAgreement
from referrals import rules
from referrals.models import Referral, ReferralMove
from stockport_hubs.core import needs

COLOURS = {
    "draft": "grey",
    "sent": "blue",
    "more_asked": "yellow",
    "waiting": "purple",
    "accepted": "green",
    "declined": "red",
    "withdrawn": "grey",
}


# The pantry's side of a state, where its words differ.
TO_PANTRY = {"sent": "To answer", "more_asked": "You asked"}


@dataclass(frozen=True)
class Contact:
    """A personal advisor's work contact."""

    name: str
    email: str
    phone: str


@dataclass(frozen=True)
class Said:
    """A question of the pantry or the advisor's answer to it."""

    who: str
    at: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class PantryRow:
    """One line of the pantry manager's list; once closed without a place, reference and outcome alone."""

    id: object
    reference: str
    state: str
    label: str
    colour: str
    is_closed: bool
    called: str = ""
    pantry: str = ""
    first_week: date | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PantryFacts(PantryRow):
    """The whole of what the pantry manager sees."""

    outcome: str = ""
    is_shared: bool = False
    needs: tuple[str, ...] = ()
    needs_to_know: str = ""
    advisor: Contact | None = None
    said: tuple[Said, ...] = ()
    number: int | None = None
    membership_id: object = None
    can_answer: bool = False


def row_for_pantry(referral: Referral, on: date) -> PantryRow:
    """A line of the list; the introduction comes with care_leaver, sharing and pantry."""
    return PantryRow(**_row(referral, on))


def facts_for_pantry(referral: Referral, on: date) -> PantryFacts:
    """What the pantry manager's page shows: before the answer, after acceptance, and after it was closed."""
    row = _row(referral, on)
    if row["is_closed"]:
        reason = referral.get_decline_reason_display()
        return PantryFacts(**row, outcome=f"{row['label']}: {reason}" if reason else row["label"])
    sharing = sharing_on(referral, on)
    membership = referral.membership
    return PantryFacts(
        **row,
        outcome=row["label"],
        is_shared=sharing is not None,
        needs=shared_words(sharing) if sharing else (),
        needs_to_know=referral.pantry_needs_to_know if sharing else "",
        advisor=advisor_of(referral, on),
        said=_said(referral),
        number=membership.number if membership else None,
        membership_id=membership.pk if membership else None,
        can_answer=referral.state in (rules.SENT, rules.MORE_ASKED, rules.WAITING),
    )


def advisor_of(referral: Referral, on: date) -> Contact:
    """The advisor of today, or whoever made the introduction when nobody is allocated."""
    allocation = (
        AdvisorAllocation.objects.in_force_on(on)
        .filter(care_leaver=referral.care_leaver_id)
        .select_related("advisor")
        .order_by("-from_on")
        .first()
    )
    advisor = allocation.advisor if allocation else referral.made_by
    return Contact(advisor.name, advisor.email or "", advisor.work_phone)


def sharing_on(referral: Referral, on: date) -> SharingAgreement | None:
    """The agreement to share that holds on a day; withdrawn or run out, name and needs are gone.

    Lists prefetch `care_leaver__sharing_agreements`.
    """
    return next((each for each in referral.care_leaver.sharing_agreements.all() if each.holds_on(on)), None)


def shared_words(sharing: SharingAgreement) -> tuple[str, ...]:
    """The shared items as they read on a screen."""
    return tuple(needs.words(item.kind, item.value) for item in sharing.items.order_by("kind", "value"))


def _row(referral: Referral, on: date) -> dict:
    closed = referral.state in (rules.DECLINED, rules.WITHDRAWN)
    row = {
        "id": referral.pk,
        "reference": referral.reference,
        "state": referral.state,
        "label": TO_PANTRY.get(referral.state) or referral.get_state_display(),
        "colour": COLOURS[referral.state],
        "is_closed": closed,
    }
    if closed:
        return row
    sharing = sharing_on(referral, on)
    named = sharing is not None and sharing.share_name
    return row | {
        "called": (referral.care_leaver.preferred_name if named else "") or "Number only",
        "pantry": referral.goes_to.name,
        "first_week": referral.first_week,
        "sent_at": referral.sent_at,
    }


def _said(referral: Referral) -> tuple[Said, ...]:
    """Questions, answers and notes of the two sides, oldest first."""
    moves = ReferralMove.objects.filter(referral=referral).exclude(note="").order_by("at").select_related("by")
    return tuple(Said(move.by.name if move.by else "", move.at, move.note) for move in moves)
