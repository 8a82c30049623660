"""What every step of an introduction has in common: lock, check, write the move and its audit row."""

from datetime import datetime

from careleavers.models import CareLeaver, SharingAgreement
from careleavers.services import sharing
from pantry import wording
from referrals import rules
from referrals.models import Referral, ReferralMove
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date


def locked(referral: Referral) -> Referral:
    """The introduction as it is stored now, its person and then its row locked until the end of the transaction.

    The person first, as whatever follows a death or a withdrawn agreement does: the other way round they would wait for
    each other. Joined afterwards: what PostgreSQL joins while it waits for a lock is from before.
    """
    CareLeaver.objects.select_for_update().get(pk=referral.care_leaver_id)
    Referral.objects.select_for_update().get(pk=referral.pk)
    joined = ("care_leaver", "sharing", "pantry__operator", "agreement", "made_by", "membership")
    return Referral.objects.select_related(*joined).get(pk=referral.pk)


def move(
    referral: Referral,
    to: str,
    verb: str,
    *,
    by: User | None = None,
    job: str = "",
    at: datetime,
    note: str = "",
    subjects=(),
    **fields,
) -> ReferralMove:
    """Bring a locked introduction into a state; the transition has been checked. Writes fields, move and audit."""
    referral.state = to
    for name, value in fields.items():
        setattr(referral, name, value)
    referral.save(update_fields=["state", *fields])
    step = ReferralMove.objects.create(referral=referral, state=to, at=at, by=by, note=note)
    audit.record(
        verb,
        at=at,
        by=by,
        job=job,
        target=referral,
        subjects=[(audit.CARE_LEAVER, referral.care_leaver_id), *subjects],
        detail={"state": to},
    )
    return step


def check_person(care_leaver: CareLeaver, at: datetime) -> None:
    """Raises Refused when this person cannot be introduced on that day."""
    rules.check_can_be_introduced(
        name=care_leaver.preferred_name,
        born_on=care_leaver.born_on,
        has_died=care_leaver.has_died,
        on=london_date(at),
    )
    if found := wording.find_forbidden(care_leaver.preferred_name, [care_leaver.surname]):
        raise Refused(f"The preferred name would be read by volunteers, so it must not say “{found}”. Change it first.")


def check_sharing(referral: Referral, at: datetime) -> SharingAgreement:
    """Raises Refused without an agreement to share that holds on that day; the one that holds is put underneath."""
    if referral.sharing is None:
        raise Refused("Record the agreement to share first: no introduction is sent without one.")
    holding = sharing.current(referral.care_leaver, london_date(at))
    if holding is None:
        raise Refused(
            "The agreement to share has been withdrawn or has run out. The advisor needs to ask again and record a new "
            "one."
        )
    if holding.pk != referral.sharing_id:  # asked again since: the later agreement counts
        referral.sharing = holding
        referral.save(update_fields=["sharing"])
    return holding


def check_not_a_member(care_leaver: CareLeaver) -> None:
    """Raises Refused while a membership of this person is running."""
    running = Referral.objects.running_membership_of(care_leaver)
    if running is not None:
        raise Refused(
            f"They are a member already, number {running.number}. Someone who wants another pantry moves there; they "
            "are not introduced again."
        )


def check_wording(text: str, care_leaver: CareLeaver) -> None:
    """Raises Refused when a text the pantry reads would tell what it must not know: words and names that tell, and the
    person's surname, address or postcode."""
    if text and wording.find_forbidden(text, [care_leaver.surname, care_leaver.address, care_leaver.postcode]):
        raise Refused("This is what the pantry reads, so it must not hold their surname, address or postcode.")
    if text and (found := wording.find_forbidden(text, wording.names_that_tell())):
        raise Refused(
            f"This is what the pantry reads, so it must not say “{found}”. Leave it out or put it another way."
        )


def note_text(text: str, what: str, *, longest: int = 300, needed: bool = True) -> str:
    """A note without surrounding blanks; Refused when empty (where needed) or too long."""
    text = text.strip()
    if needed and not text:
        raise Refused(f"Write {what}.")
    if len(text) > longest:
        raise Refused(f"Use {longest} characters or fewer for {what}; this has {len(text)}.")
    return text
