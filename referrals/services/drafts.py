"""The advisor's side of an introduction: draft, agreement to share, answers, sending, replying, withdrawing."""

from datetime import date, datetime

from django.db import transaction
from django.db.models import Max

from careleavers.models import CareLeaver, SharingAgreement
from careleavers.services import cohort
from pantry.models import FundingAgreement, Pantry
from referrals import messages, rules
from referrals.models import Referral
from referrals.services.moves import (
    check_not_a_member,
    check_person,
    check_sharing,
    check_wording,
    locked,
    move,
    note_text,
)
from stockport_hubs.accounts.models import Organisation, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date


def check_can_start(*, care_leaver: CareLeaver, at: datetime) -> None:
    """Raises Refused when this person cannot be introduced now: under way, a member, no name, too young or old."""
    under_way = Referral.objects.under_way().filter(care_leaver=care_leaver).first()
    if under_way is not None:
        raise Refused(
            f"An introduction of this person is under way already: {under_way.reference} is "
            f"{rules.SPOKEN[under_way.state]}."
        )
    check_not_a_member(care_leaver)
    check_person(care_leaver, at)


@transaction.atomic
def draft(
    *,
    care_leaver: CareLeaver,
    by: User,
    at: datetime,
    sharing: SharingAgreement | None = None,
    pantry: Pantry | None = None,
    agreement: FundingAgreement | None = None,
    first_week: date | None = None,
    pantry_needs_to_know: str = "",
    why: str = "",
    goes_along: str = "",
) -> Referral:
    """Begin an introduction; refuses when one is under way or the person is a member already."""
    # The lock gives out reference numbers one by one, and makes two drafts of one person wait for each other.
    list(Organisation.objects.select_for_update(no_key=True).filter(kind=Organisation.Kind.COUNCIL).order_by("pk"))
    check_can_start(care_leaver=care_leaver, at=at)
    if sharing is not None:
        _check_own_agreement(care_leaver, sharing)
    referral = Referral(
        number=(Referral.objects.aggregate(last=Max("number"))["last"] or 0) + 1,
        care_leaver=care_leaver,
        sharing=sharing,
        made_by=by,
        made_at=at,
    )
    _answers(referral, pantry, agreement, first_week, pantry_needs_to_know, why, goes_along, at)
    referral.save(force_insert=True)
    move(referral, rules.DRAFT, "referrals.referral.drafted", by=by, at=at)
    return referral


@transaction.atomic
def share(*, referral: Referral, sharing: SharingAgreement, by: User, at: datetime) -> Referral:
    """Put an agreement to share under a draft."""
    referral = _own_draft(referral)
    _check_own_agreement(referral.care_leaver, sharing)
    referral.sharing = sharing
    referral.save(update_fields=["sharing"])
    audit.record(
        "referrals.referral.agreement_attached",
        at=at,
        by=by,
        target=referral,
        subjects=[(audit.CARE_LEAVER, referral.care_leaver_id)],
    )
    return referral


@transaction.atomic
def fill(
    *,
    referral: Referral,
    pantry: Pantry,
    agreement: FundingAgreement,
    first_week: date | None,
    pantry_needs_to_know: str,
    why: str,
    goes_along: str,
    other_pantry_reason: str = "",
    by: User,
    at: datetime,
) -> Referral:
    """Save the answers of a draft: pantry, why not the nearest, who pays, first week, and the three notes."""
    referral = _own_draft(referral)
    why_other = note_text(other_pantry_reason, "why it is another pantry", longest=200, needed=False)
    referral.other_pantry_reason = why_other
    _answers(referral, pantry, agreement, first_week, pantry_needs_to_know, why, goes_along, at)
    referral.save()
    audit.record(
        "referrals.referral.filled",
        at=at,
        by=by,
        target=referral,
        subjects=[(audit.CARE_LEAVER, referral.care_leaver_id)],
    )
    return referral


@transaction.atomic
def send(*, referral: Referral, by: User, at: datetime) -> Referral:
    """Send a draft to the pantry's operator, whose pantry managers are told."""
    referral = locked(referral)
    rules.check_can_move(referral.state, rules.SENT)
    if referral.state != rules.DRAFT:
        raise Refused("This introduction has been sent. Answer the pantry’s question to send it back.")
    check_person(referral.care_leaver, at)
    check_sharing(referral, at)
    check_not_a_member(referral.care_leaver)
    if referral.pantry is None or referral.agreement is None:
        raise Refused("Choose a pantry first.")
    rules.check_first_week(referral.first_week, london_date(at))
    if referral.pantry.closing_on and referral.pantry.closing_on <= london_date(at):
        raise Refused(f"{referral.pantry} has closed for good. Choose another pantry.")
    # Whoever is introduced has been offered a place and agreed: the cohort's funnel counts them so.
    cohort.agree(care_leaver=referral.care_leaver, on=london_date(at), by=by, at=at)
    step = move(referral, rules.SENT, "referrals.referral.sent", by=by, at=at, sent_at=at)
    messages.tell_pantry("referrals.sent", referral, step)
    return referral


@transaction.atomic
def reply(*, referral: Referral, note: str, by: User, at: datetime) -> Referral:
    """Answer the pantry's question: the introduction is sent again, and the pantry managers are told."""
    referral = locked(referral)
    if referral.state != rules.MORE_ASKED:
        raise Refused(f"The pantry has no open question: this introduction is {rules.SPOKEN[referral.state]}.")
    check_sharing(referral, at)
    note = note_text(note, "your answer to the pantry")
    check_wording(note, referral.care_leaver)
    step = move(referral, rules.SENT, "referrals.referral.replied", by=by, at=at, note=note)
    messages.tell_pantry("referrals.replied", referral, step)
    return referral


@transaction.atomic
def withdraw(*, referral: Referral, reason: str, by: User | None = None, job: str = "", at: datetime) -> Referral:
    """Take an introduction back, with a reason that only the council reads."""
    referral = locked(referral)
    rules.check_can_move(referral.state, rules.WITHDRAWN)
    was = referral.state
    reason = note_text(reason, "why the introduction is withdrawn", longest=200, needed=was != rules.DRAFT)
    step = move(
        referral,
        rules.WITHDRAWN,
        "referrals.referral.withdrawn",
        by=by,
        job=job,
        at=at,
        answered_at=at,
        answered_by=by,
        outcome_note=reason,
    )
    if was != rules.DRAFT:
        messages.tell_pantry("referrals.withdrawn", referral, step)
    return referral


def _own_draft(referral: Referral) -> Referral:
    referral = locked(referral)
    if referral.state != rules.DRAFT:
        raise Refused(
            f"This introduction is {rules.SPOKEN[referral.state]}; it can be changed only while it is a draft. "
            "Withdraw it and begin again if something is wrong."
        )
    return referral


def _check_own_agreement(care_leaver: CareLeaver, sharing: SharingAgreement) -> None:
    if sharing.care_leaver_id != care_leaver.pk:
        raise Refused("That agreement to share is another person’s.")


def _answers(referral, pantry, agreement, first_week, needs_to_know, why, goes_along, at) -> None:
    if pantry is not None and agreement is not None and agreement.operator_id != pantry.operator_id:
        raise Refused(f"“{agreement}” does not pay for places at {pantry}. Choose another pantry or agreement.")
    if agreement is not None and agreement.funder_id != referral.care_leaver.council_id:
        raise Refused("That agreement is another council’s.")
    rules.check_first_week(first_week, london_date(at))
    referral.pantry, referral.agreement, referral.first_week = pantry, agreement, first_week
    needs_to_know = note_text(needs_to_know, "what the pantry needs to know", needed=False)
    check_wording(needs_to_know, referral.care_leaver)
    referral.pantry_needs_to_know = needs_to_know
    referral.why = why.strip()
    referral.goes_along = note_text(goes_along, "who goes along", longest=120, needed=False)
