"""Someone came to a pantry by themselves: the pantry shows them to a council, with their yes; an advisor knows them.

See docs/decisions/0012-walk-ins.md.
"""

from datetime import date, datetime, timedelta

from django.db import transaction

from careleavers.models import CareLeaver
from careleavers.services import cohort
from pantry.models import FundingAgreement, Membership, Pantry, Place
from pantry.services import memberships
from referrals import messages, rules
from referrals.models import Referral, WalkIn
from referrals.services import agreements, drafts
from referrals.services.answers import previous_of
from referrals.services.moves import check_sharing, move
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date

State = WalkIn.State
TICK = timedelta(microseconds=1)  # steps of one moment keep their order


def councils_for(membership: Membership, on: date):
    """The councils that pay the operator of this membership on that day, by name."""
    paying = FundingAgreement.objects.in_force_on(on).filter(operator=membership.operator_id)
    return Organisation.objects.filter(pk__in=paying.values("funder")).order_by("name")


def check_can_show(membership: Membership) -> None:
    """Raises unless this member waits to be confirmed, or pays at the counter, and no council has been asked."""
    if membership.state == Membership.State.ENDED:
        raise Refused(f"{membership} has ended, so there is nothing to confirm.")
    if membership.agreement_id is not None:
        raise Refused(f"{membership} is paid for already.")
    if WalkIn.objects.filter(membership=membership, state=State.WAITING).exists():
        raise Refused(f"{membership} waits for an answer already.")


@transaction.atomic
def show(*, membership: Membership, council: Organisation, they_agree: bool, by: User, at: datetime) -> WalkIn:
    """The pantry manager shows number, pantry and preferred name to a council, because the person said yes."""
    membership = Membership.objects.select_for_update(of=("self",), no_key=True).get(pk=membership.pk)
    check_can_show(membership)
    if not they_agree:
        raise Refused("Ask them first. Nothing is shown without their yes; they can go on shopping and pay each week.")
    if not councils_for(membership, london_date(at)).filter(pk=council.pk).exists():
        raise Refused(f"{council} does not pay for places here.")
    made = WalkIn.objects.create(membership=membership, council=council, sent_by=by, sent_at=at)
    _record("referrals.walk_in.shown", made, by, at)
    messages.tell_managers_of_walk_in(made)
    return made


@transaction.atomic
def take_back(*, walk_in: WalkIn, by: User, at: datetime) -> None:
    """The pantry manager takes it back, before there is an answer."""
    walk_in = _waiting(walk_in)
    _answer(walk_in, State.TAKEN_BACK, by, at)
    _record("referrals.walk_in.taken_back", walk_in, by, at)


@transaction.atomic
def not_ours(*, walk_in: WalkIn, by: User, at: datetime) -> None:
    """Nobody of the council's: a manager says so, for an advisor knows their own people only."""
    if by.role != Role.LEAVING_CARE_MANAGER:
        raise Refused(
            "Only a leaving care manager can say that nobody here knows them. Leave it if they are not yours."
        )
    walk_in = _waiting(walk_in)
    _answer(walk_in, State.NOT_OURS, by, at)
    _record("referrals.walk_in.not_ours", walk_in, by, at)


@transaction.atomic
def confirm(
    *,
    walk_in: WalkIn,
    care_leaver: CareLeaver,
    agreement: FundingAgreement,
    by: User,
    at: datetime,
    why: str = "",
) -> Referral:
    """One of the advisor's own: an introduction that is accepted at once, and the council pays from now on.

    The agreement to share is there already; the pantry then knows what it holds, and nothing else.
    """
    walk_in = _waiting(walk_in)
    membership = walk_in.membership
    if care_leaver.council_id != walk_in.council_id:
        raise Refused("This young person is another council’s.")
    referral = introduced(membership=membership, care_leaver=care_leaver, agreement=agreement, why=why, by=by, at=at)
    given: dict = {"agreement": agreement, "funded_until": rules.funded_until(care_leaver.born_on), "by": by, "at": at}
    if membership.state == Membership.State.PENDING:
        membership = memberships.confirm(membership=membership, previous=previous_of(referral, by=by, at=at), **given)
    else:
        memberships.fund(membership=membership, **given)
    accepted(referral, membership, answered_by=walk_in.sent_by, by=by, at=at)
    walk_in.referral = referral
    _answer(walk_in, State.CONFIRMED, by, at)
    agreements.follow(care_leaver=care_leaver, by=by, at=at)
    _record("referrals.walk_in.confirmed", walk_in, by, at, (audit.CARE_LEAVER, care_leaver.pk))
    return referral


def introduced(
    *, membership: Membership, care_leaver: CareLeaver, agreement: FundingAgreement, why: str, by: User, at: datetime
) -> Referral:
    """An introduction to the pantry a member belongs to already, sent; refused without an agreement to share."""
    on = london_date(at)
    held = agreements.held_on(care_leaver, on)
    referral = drafts.draft(
        care_leaver=care_leaver, by=by, at=at, sharing=held, pantry=_home(membership), agreement=agreement, why=why
    )
    check_sharing(referral, at)
    cohort.agree(care_leaver=care_leaver, on=on, by=by, at=at)
    move(referral, rules.SENT, "referrals.referral.sent", by=by, at=at + TICK, sent_at=at)
    return referral


def accepted(referral: Referral, membership: Membership, *, answered_by: User, by: User, at: datetime) -> None:
    """It is accepted at once: this is the member."""
    move(
        referral,
        rules.ACCEPTED,
        "referrals.referral.accepted",
        by=by,
        at=at + 2 * TICK,
        subjects=[(audit.MEMBERSHIP, membership.pk)],
        answered_at=at,
        answered_by=answered_by,
        membership=membership,
    )


def _home(membership: Membership) -> Pantry:
    return Place.objects.select_related("pantry").get(membership=membership, to_week__isnull=True).pantry


def _waiting(walk_in: WalkIn) -> WalkIn:
    """The row, locked, while nobody has answered."""
    rows = WalkIn.objects.select_for_update(of=("self",)).select_related("membership", "council", "sent_by")
    walk_in = rows.get(pk=walk_in.pk)
    if walk_in.state != State.WAITING:
        raise Refused(f"This has been answered already: {walk_in.get_state_display().lower()}.")
    if walk_in.membership.state == Membership.State.ENDED:
        raise Refused(f"{walk_in.membership} has ended meanwhile, so there is nothing to confirm.")
    return walk_in


def _answer(walk_in: WalkIn, state: str, by: User, at: datetime) -> None:
    walk_in.state, walk_in.answered_by, walk_in.answered_at = State(state), by, at
    walk_in.save(update_fields=["state", "answered_by", "answered_at", "referral"])


def _record(verb: str, walk_in: WalkIn, by: User, at: datetime, *subjects) -> None:
    about = [(audit.MEMBERSHIP, walk_in.membership_id), *subjects]
    audit.record(verb, at=at, by=by, target=walk_in, subjects=about)
