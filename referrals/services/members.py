"""What the council does about a member it introduced: pause and resume, move, leave, stop the next block, follow up.

The pantry side gets the neutral fact; why stays here.
"""

from datetime import date, datetime

from django.db import transaction

from pantry.models import Collection, Membership, Pantry, Place
from pantry.services import memberships, standing
from referrals import rules
from referrals.models import FollowUp, Pause, Referral
from referrals.services.moves import locked, note_text
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date

Outcome = FollowUp.Outcome


def member_of(referral: Referral) -> Membership:
    """The membership an introduction led to; in words when there is none or it has ended."""
    membership = referral.membership
    if membership is None:
        raise Refused(f"This introduction is {rules.SPOKEN[referral.state]}: nobody is a member through it.")
    if membership.state == Membership.State.ENDED:
        raise Refused(f"{membership} ended on {membership.ended_on:%-d %B %Y}. They can be introduced again.")
    return membership


@transaction.atomic
def pause(*, referral: Referral, reason: str, on: date, by: User, at: datetime) -> Pause:
    """The membership is paused from a day on, the reason kept on the council's side."""
    referral = locked(referral)
    membership = member_of(referral)
    if reason not in Pause.Reason.values:
        raise Refused("Choose why it is paused.")
    memberships.pause(membership=membership, on=on, by=by, at=at)
    # Whoever resumed it at the pantry knew of no reason: that pause is over.
    Pause.objects.filter(referral=referral, back_on=None).update(back_on=on)
    made = Pause.objects.create(referral=referral, reason=reason, from_on=on, paused_by=by, paused_at=at)
    _record("referrals.member.paused", referral, made, by, at)
    return made


@transaction.atomic
def resume(*, referral: Referral, on: date, by: User, at: datetime) -> Membership:
    """They may shop again from a day on; the weeks that waited follow."""
    referral = locked(referral)
    membership = memberships.resume(membership=member_of(referral), on=on, by=by, at=at)
    Pause.objects.filter(referral=referral, back_on=None, from_on__lte=on).update(back_on=on, resumed_by=by)
    _record("referrals.member.resumed", referral, referral, by, at)
    return membership


@transaction.atomic
def leave(*, referral: Referral, reason: str, on: date, by: User, at: datetime) -> int:
    """They leave or move away: the membership ends; the pence credited."""
    referral = locked(referral)
    if reason not in (Membership.EndReason.LEFT, Membership.EndReason.MOVED_AWAY):
        raise Refused("Choose whether they left or moved away.")
    credited = memberships.leave(membership=member_of(referral), on=on, reason=reason, by=by, at=at)
    end_pause(referral, on, by)
    _record("referrals.member.left", referral, referral, by, at)
    return credited


@transaction.atomic
def move(*, referral: Referral, pantry: Pantry, from_week: date, by: User, at: datetime) -> Place:
    """They shop at another pantry of the same operator from a Monday on."""
    referral = locked(referral)
    place = memberships.move(membership=member_of(referral), pantry=pantry, from_week=from_week, by=by, at=at)
    _record("referrals.member.moved", referral, referral, by, at)
    return place


@transaction.atomic
def take_back_move(*, referral: Referral, by: User, at: datetime) -> Place:
    """A move that has not begun is undone."""
    referral = locked(referral)
    place = memberships.take_back_move(membership=member_of(referral), by=by, at=at)
    _record("referrals.member.move_taken_back", referral, referral, by, at)
    return place


@transaction.atomic
def stop_renewal(*, referral: Referral, stop: bool, by: User, at: datetime) -> Membership:
    """Hold the next renewal for a manager, or let it be decided by itself again."""
    referral = locked(referral)
    membership = member_of(referral)
    if membership.stop_renewal == stop:
        raise Refused("The next block is held for a manager already." if stop else "Nothing holds the next block back.")
    standing.flag_renewal(membership=membership, stop=stop, by=by, at=at)
    _record(
        "referrals.member.renewal_stopped" if stop else "referrals.member.renewal_freed", referral, referral, by, at
    )
    return membership


def check_can_follow_up(referral: Referral, on: date) -> Membership:
    """Raises unless they were accepted, the first four weeks are over, and nobody has come."""
    membership = member_of(referral)
    if membership.state == Membership.State.PAUSED:
        raise Refused(f"{membership} is paused, so nobody is expected to come.")
    if Collection.objects.counted().filter(membership=membership).exists():
        raise Refused(f"{membership} has come to the pantry, so there is nothing to follow up.")
    if on < membership.first_week + rules.NOT_TAKEN_UP:
        raise Refused(
            f"The first week was that of {membership.first_week:%-d %B %Y}. It counts as not taken up from "
            f"{membership.first_week + rules.NOT_TAKEN_UP:%-d %B %Y}."
        )
    return membership


@transaction.atomic
def follow_up(
    *,
    referral: Referral,
    outcome: str,
    by: User,
    at: datetime,
    look_again_on: date | None = None,
    note: str = "",
) -> tuple[FollowUp, int]:
    """What was found out about someone who was accepted and never came; the pence credited when they will not come.

    "They will come" asks again from `look_again_on`; "they have come" ends the asking; "they will not come" needs a
    reason, and the membership ends today.
    """
    referral, today = locked(referral), london_date(at)
    membership = check_can_follow_up(referral, today)
    if outcome not in Outcome.values:
        raise Refused("Choose what you found out.")
    note = note_text(note, "why they will not come", longest=200, needed=outcome == Outcome.WILL_NOT_COME)
    if outcome != Outcome.WILL_COME:
        look_again_on = None
    elif look_again_on is None or not today < look_again_on <= today + rules.LOOK_AGAIN:
        raise Refused(f"Enter a day after today and within {rules.LOOK_AGAIN.days // 7} weeks on which to look again.")
    made = FollowUp.objects.create(
        referral=referral, outcome=outcome, look_again_on=look_again_on, note=note, by=by, at=at
    )
    credited = 0
    if outcome == Outcome.WILL_NOT_COME:
        left = Membership.EndReason.LEFT
        credited = memberships.leave(membership=membership, on=today, reason=left, by=by, at=at)
    _record("referrals.member.followed_up", referral, made, by, at, outcome=outcome)
    return made, credited


def end_pause(referral: Referral, on: date, by: User | None) -> None:
    """The membership has ended, and its pause with it."""
    for pause in Pause.objects.filter(referral=referral, back_on=None):
        pause.back_on, pause.resumed_by = max(on, pause.from_on), by
        pause.save(update_fields=["back_on", "resumed_by"])


def _record(verb: str, referral: Referral, target, by: User, at: datetime, **detail) -> None:
    membership = referral.membership
    assert membership is not None
    subjects = [(audit.CARE_LEAVER, referral.care_leaver_id), (audit.MEMBERSHIP, membership.pk)]
    audit.record(verb, at=at, by=by, target=target, subjects=subjects, detail=detail)
