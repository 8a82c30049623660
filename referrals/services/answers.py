"""The pantry's answers to an introduction, and what acceptance sets going."""

from datetime import datetime

from django.db import transaction

from pantry.models import Membership, Pantry
from pantry.services import memberships, standing
from referrals import letters, messages, rules
from referrals.models import Referral
from referrals.services.moves import check_not_a_member, check_person, check_sharing, locked, move, note_text
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused


@transaction.atomic
def accept(*, referral: Referral, by: User, at: datetime, note: str = "") -> Membership:
    """Membership, place, needs, block 1 with its paid weeks, journal and audit in one transaction; the advisor is told.

    The pantry gets the preferred name and the needs that the agreement to share holds, and nothing else.
    """
    referral = locked(referral)
    rules.check_can_move(referral.state, rules.ACCEPTED)
    check_person(referral.care_leaver, at)
    sharing = check_sharing(referral, at)
    check_not_a_member(referral.care_leaver)
    _check_room(referral)
    membership = memberships.join(
        pantry=referral.goes_to,
        preferred_name=referral.care_leaver.preferred_name if sharing.share_name else "",
        needs=list(sharing.items.order_by("kind", "value").values_list("kind", "value")),
        agreement=referral.agreement,
        first_week=referral.first_week,
        funded_until=rules.funded_until(referral.care_leaver.born_on),
        previous=previous_of(referral, by=by, at=at),
        by=by,
        at=at,
    )
    step = move(
        referral,
        rules.ACCEPTED,
        "referrals.referral.accepted",
        by=by,
        at=at,
        note=note_text(note, "your note", needed=False),
        subjects=[(audit.MEMBERSHIP, membership.pk)],
        answered_at=at,
        answered_by=by,
        membership=membership,
    )
    messages.tell_council("referrals.accepted", referral, step)
    letters.place_ready(referral, at)
    return membership


@transaction.atomic
def put_on_waiting_list(
    *, referral: Referral, by: User, at: datetime, reason: str = Referral.WaitingReason.FULL, note: str = ""
) -> Referral:
    """No place yet: the introduction waits, last in the pantry's line, and can still be accepted, declined or
    withdrawn. Both sides read the reason and the note."""
    referral = locked(referral)
    rules.check_can_move(referral.state, rules.WAITING)
    if reason not in Referral.WaitingReason.values:
        raise Refused("Choose why they have to wait.")
    note = note_text(note, "your note", needed=reason == Referral.WaitingReason.OTHER)
    step = move(
        referral,
        rules.WAITING,
        "referrals.referral.put_on_waiting_list",
        by=by,
        at=at,
        note=note,
        waiting_reason=reason,
    )
    messages.tell_council("referrals.waiting", referral, step)
    return referral


@transaction.atomic
def ask_more(*, referral: Referral, note: str, by: User, at: datetime) -> Referral:
    """Ask the advisor a question; the answer brings the introduction back."""
    referral = locked(referral)
    rules.check_can_move(referral.state, rules.MORE_ASKED)
    note = note_text(note, "your question to the advisor")
    step = move(referral, rules.MORE_ASKED, "referrals.referral.more_asked", by=by, at=at, note=note)
    messages.tell_council("referrals.more_asked", referral, step)
    return referral


@transaction.atomic
def decline(
    *, referral: Referral, reason: str, by: User, at: datetime, note: str = "", number: int | None = None
) -> Referral:
    """Say no with a reason; "already a member here" names the member's number."""
    referral = locked(referral)
    rules.check_can_move(referral.state, rules.DECLINED)
    if reason not in Referral.DeclineReason.values:
        raise Refused("Choose why the introduction is declined.")
    note = note_text(note, "your note", longest=160, needed=reason == Referral.DeclineReason.OTHER)
    if reason == Referral.DeclineReason.ALREADY_MEMBER:
        operator = referral.goes_to.operator
        if number is None or not Membership.objects.filter(operator=operator, number=number).exists():
            raise Refused("Give the number of the member who is here already; no member has that number.")
        note = f"Member number {number}. {note}".strip()
    step = move(
        referral,
        rules.DECLINED,
        "referrals.referral.declined",
        by=by,
        at=at,
        note=note,
        answered_at=at,
        answered_by=by,
        decline_reason=reason,
        outcome_note=note,
    )
    messages.tell_council("referrals.declined", referral, step)
    return referral


def previous_of(referral: Referral, *, by: User, at: datetime) -> Membership | None:
    """The membership they had before at this operator: no second joining fee within 12 months.

    Whoever is introduced lives: a death that the pantry recorded there was a mistake, and is corrected.
    """
    earlier = Referral.objects.filter(
        care_leaver=referral.care_leaver,
        membership__operator=referral.goes_to.operator,
        membership__state=Membership.State.ENDED,
    ).select_related("membership")
    last = earlier.order_by("-membership__ended_on", "-membership__number").first()
    membership = last.membership if last else None
    if membership and membership.end_reason == Membership.EndReason.DIED:
        return standing.not_died(membership=membership, by=by, at=at)
    return membership


def _check_room(referral: Referral) -> None:
    pantry = referral.goes_to
    if pantry.capacity is None:
        return
    Pantry.objects.select_for_update(no_key=True).get(pk=pantry.pk)  # the last place is given once
    members = Membership.objects.exclude(state=Membership.State.ENDED).filter(
        places__pantry=pantry, places__to_week__isnull=True
    )
    if members.count() >= pantry.capacity:
        raise Refused(
            f"{pantry} is full: all {pantry.capacity} places are taken. Put the introduction on the waiting list, or "
            "raise the number of places on the pantry’s page."
        )
