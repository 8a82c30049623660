"""The agreement to share after acceptance: withdrawn, run out, given again; and what the pantry then knows.

`follow` is the one place that brings a membership into line with its young person, however often it is called.
"""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from careleavers.models import CareLeaver, SharingAgreement
from careleavers.services import people, sharing
from pantry import wording
from pantry.models import Membership, SharedNeed
from pantry.services import memberships, standing
from referrals import messages, rules
from referrals.models import PrintedName, Referral
from referrals.services import drafts, members
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date

AT_ONCE = 200
WITHDRAWN = "The agreement to share was withdrawn"
DIED = "The young person has died"


@transaction.atomic
def withdraw_agreement(*, care_leaver: CareLeaver, on: date, how: str, stops: bool, by: User, at: datetime) -> int:
    """They no longer agree: name and needs are gone at the pantry at once, an introduction under way is withdrawn.

    The membership goes on under its number alone, unless `stops`: then it ends today. Gives the pence credited.
    """
    if how not in SharingAgreement.HowGiven.values:
        raise Refused("Choose how they told you.")
    sharing.withdraw(care_leaver=care_leaver, on=on, how=how, by=by, at=at)
    for referral in Referral.objects.under_way().filter(care_leaver=care_leaver):
        drafts.withdraw(referral=referral, reason=WITHDRAWN, by=by, at=at)
    follow(care_leaver=care_leaver, by=by, at=at)
    referral = _running(care_leaver)
    if not stops or referral is None:
        return 0
    left = Membership.EndReason.LEFT
    return members.leave(referral=referral, reason=left, on=london_date(at), by=by, at=at)


@transaction.atomic
def record_agreement(*, care_leaver: CareLeaver, taken_by: User, at: datetime, **given) -> SharingAgreement:
    """A new agreement; the pantry of a member gets the name and needs it holds, and nothing else."""
    made = sharing.record_agreement(care_leaver=care_leaver, taken_by=taken_by, at=at, **given)
    follow(care_leaver=care_leaver, by=taken_by, at=at)
    return made


@transaction.atomic
def follow(*, care_leaver: CareLeaver, at: datetime, by: User | None = None, job: str = "") -> None:
    """Bring what the pantry knows and does into line with the young person: died, agreement, name, 25th birthday."""
    person = CareLeaver.objects.select_for_update().get(pk=care_leaver.pk)
    if person.has_died:
        _stop_everything(person, at=at, by=by, job=job)
        return
    referral = _running(person)
    if referral is None or referral.membership is None:
        return
    membership = referral.membership
    held = sharing.current(person, london_date(at))
    name = person.preferred_name if held and held.share_name else ""
    if wording.find_forbidden(name, [person.surname]):  # nobody's surname reaches a volunteer by a change of name
        name = membership.preferred_name
    needs = sorted(held.items.values_list("kind", "value")) if held else []
    had_name, had_needs = membership.preferred_name, sorted(membership.needs.values_list("kind", "value"))
    if (name, needs) != (had_name, had_needs):
        if held is None:
            memberships.hide(membership=membership, by=by, job=job, at=at)
            _printed(membership, at)
            messages.tell_pantry_of_member("referrals.name_hidden", membership, at)
        else:
            standing.share(membership=membership, preferred_name=name, needs=needs, by=by, job=job, at=at)
            if (had_name and not name) or set(had_needs) - set(needs):
                _printed(membership, at)
    until = rules.funded_until(person.born_on)
    if membership.agreement_id and membership.funded_until != until:
        standing.fund_until(membership=membership, day=until, by=by, job=job, at=at)


def held_on(care_leaver: CareLeaver, on: date) -> SharingAgreement:
    """The agreement to share of that day, or what to do first."""
    held = sharing.current(care_leaver, on)
    if held is None:
        raise Refused("Record the agreement to share first: nothing is shared or paid for without one.")
    return held


def out_of_line(on: date):
    """Young people whose membership does not follow from what the council knows today: due and not done."""
    running = Referral.objects.filter(
        care_leaver=OuterRef("pk"), membership__isnull=False, membership__state__in=RUNNING
    )
    holding = SharingAgreement.objects.holding_on(on).filter(care_leaver=OuterRef("pk"))
    needs = SharedNeed.objects.filter(membership=OuterRef("membership"))
    shown = running.filter(~Q(membership__preferred_name="") | Exists(needs))
    under_way = Referral.objects.under_way().filter(care_leaver=OuterRef("pk"))
    died = ~Q(pk__in=CareLeaver.objects.living().values("pk"))
    return CareLeaver.objects.filter(
        died & (Exists(running) | Exists(under_way)) | Exists(shown) & ~Exists(holding)
    ).order_by("pk")


RUNNING = (Membership.State.PENDING, Membership.State.OPEN, Membership.State.PAUSED)


def sweep(*, at: datetime, job: str) -> int:
    """Follow everybody who is out of line, at most AT_ONCE, each in a transaction of their own; how many."""
    found = list(out_of_line(london_date(at))[:AT_ONCE])
    for person in found:
        follow(care_leaver=person, job=job, at=at)
    return len(found)


@transaction.atomic
def record_death(*, care_leaver: CareLeaver, died_on: date | None, by: User, at: datetime) -> int:
    """They have died: everything stops at once, on both sides. Gives the pence credited. The day may not be known."""
    if care_leaver.has_died and (died_on is None or care_leaver.died_on == died_on):
        raise Refused("This is recorded already.")
    facts: dict = {"in_touch": "DIED"} | ({"died_on": died_on} if died_on else {})
    people.edit(care_leaver=care_leaver, by=by, at=at, **facts)
    return _stop_everything(care_leaver, by=by, at=at)


@transaction.atomic
def correct_death(*, care_leaver: CareLeaver, because: str, by: User, at: datetime) -> Membership | None:
    """A manager takes back a death recorded by mistake, and says why. The membership that ended by it, if there is one:
    it stays ended, and may be followed by a new introduction without a joining fee."""
    people.correct_death(care_leaver=care_leaver, because=because, by=by, at=at)
    ended = (
        Referral.objects.filter(care_leaver=care_leaver, membership__end_reason=Membership.EndReason.DIED)
        .select_related("membership")
        .order_by("-number")
        .first()
    )
    if ended is None or ended.membership is None:
        return None
    return standing.not_died(membership=ended.membership, by=by, at=at)


def _stop_everything(person: CareLeaver, *, at: datetime, by: User | None = None, job: str = "") -> int:
    today = london_date(at)
    for referral in Referral.objects.under_way().filter(care_leaver=person):
        drafts.withdraw(referral=referral, reason=DIED, by=by, job=job, at=at)
    credited = 0
    for referral in _running_all(person):
        membership = referral.membership
        assert membership is not None
        day = min(person.died_on or today, today)
        credited += memberships.died(membership=membership, on=day, by=by, job=job, at=at)
        memberships.hide(membership=membership, by=by, job=job, at=at)
        _printed(membership, at)
        members.end_pause(referral, today, by)
        subjects = [(audit.CARE_LEAVER, person.pk), (audit.MEMBERSHIP, membership.pk)]
        audit.record("referrals.member.stopped", at=at, by=by, job=job, target=referral, subjects=subjects)
    return credited


def _running_all(person: CareLeaver) -> Iterable[Referral]:
    found = Referral.objects.filter(care_leaver=person, membership__state__in=RUNNING)
    return found.select_related("membership").order_by("number")


def _running(person: CareLeaver) -> Referral | None:
    return next(iter(_running_all(person)), None)


def _printed(membership: Membership, at: datetime) -> None:
    """Sheets printed until now still hold what is not shared any more."""
    PrintedName.objects.get_or_create(membership=membership, destroyed_at=None, defaults={"hidden_at": at})


@transaction.atomic
def destroyed(*, printed: PrintedName, by: User, at: datetime) -> None:
    """The pantry manager has destroyed what was printed."""
    printed = PrintedName.objects.select_for_update().get(pk=printed.pk)
    if printed.destroyed_at:
        raise Refused("This is recorded already.")
    printed.destroyed_by, printed.destroyed_at = by, at
    printed.save(update_fields=["destroyed_by", "destroyed_at"])
    subjects = [(audit.MEMBERSHIP, printed.membership_id)]
    audit.record("referrals.printed_name.destroyed", at=at, by=by, target=printed, subjects=subjects)
