"""Members' cards: made, replaced, revoked, found. Nobody ever needs one: a name or a number is enough."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import formats

from pantry import card_codes
from pantry.models import Card, Membership, Pantry
from pantry.services import blocks
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused

AT_ONCE = 100  # cards made or printed at once: ten sheets of paper
INSTEAD = "Ask for the name or the number instead."


@transaction.atomic
def make(*, membership: Membership, by: User, at: datetime, lost: bool = False) -> Card:
    """A new card; the one before counts no more from this moment, as lost or as replaced."""
    membership = blocks.locked(membership.pk)
    _check_may_have(membership, by)
    _revoke(membership, Card.End.LOST if lost else Card.End.REPLACED, by, at)
    return _add(membership, by, at)


@transaction.atomic
def revoke(*, membership: Membership, reason: str, by: User, at: datetime) -> Card:
    """The member's card counts no more, and no new one is made. `reason` is lost or not wanted."""
    membership = blocks.locked(membership.pk)
    _check_manager(membership, by)
    if reason not in (Card.End.LOST, Card.End.NOT_WANTED):
        raise Refused("Choose why the card no longer counts.")
    card = _revoke(membership, reason, by, at)
    if card is None:
        raise Refused(f"{membership} has no card that counts. Nothing was changed.")
    return card


@transaction.atomic
def make_missing(*, pantry: Pantry, by: User, at: datetime) -> list[Card]:
    """A card for each member of the pantry who has none, by number, at most AT_ONCE; those made."""
    Pantry.objects.select_for_update(no_key=True).get(pk=pantry.pk)  # two at once make none twice
    without = holders(pantry).filter(~Exists(Card.objects.valid().filter(membership=OuterRef("pk"))))
    made = []
    for membership in without.order_by("number")[:AT_ONCE]:
        _check_may_have(membership, by)
        made.append(_add(membership, by, at))
    return made


def holders(pantry: Pantry):
    """Members of a pantry who may have a card: their place there has no end and the membership goes on."""
    here = Membership.objects.exclude(state=Membership.State.ENDED)
    return here.filter(places__pantry=pantry, places__to_week=None)


def _check_manager(membership: Membership, by: User) -> None:
    if by.role != Role.PANTRY_MANAGER or by.organisation_id != membership.operator_id:
        raise Refused("The pantry manager looks after the cards.")


def _check_may_have(membership: Membership, by: User) -> None:
    _check_manager(membership, by)
    if membership.state == Membership.State.ENDED:
        raise Refused("This membership has ended, so it has no card. Who joins again gets a new number and a new card.")


def _add(membership: Membership, by: User, at: datetime) -> Card:
    card = Card.objects.create(membership=membership, code=card_codes.new(), made_at=at, made_by=by)
    audit.record("pantry.card.made", at=at, by=by, target=card, subjects=[(audit.MEMBERSHIP, membership.pk)])
    return card


def _revoke(membership: Membership, reason: str, by: User, at: datetime) -> Card | None:
    card = membership.cards.filter(revoked_at=None).first()
    if card is None:
        return None
    card.revoked_at, card.revoked_by, card.revoked_as = at, by, reason
    card.save(update_fields=["revoked_at", "revoked_by", "revoked_as"])
    subjects = [(audit.MEMBERSHIP, membership.pk)]
    audit.record("pantry.card.revoked", at=at, by=by, target=card, subjects=subjects, detail={"as": str(reason)})
    return card


@dataclass(frozen=True)
class Read:
    """What a code came to: whose card it is, or why it is nobody's, in words a volunteer may read."""

    membership_id: UUID | None = None
    words: str = ""


def look_up(typed: str, *, operator_id: UUID) -> Read | None:
    """The member whose card was scanned or typed; None for what is no code of a card, as a name or a number is none."""
    code = card_codes.read(typed)
    if not code:
        return None
    if not card_codes.is_whole(code):
        return Read(words=f"This code is not quite right: a sign is wrong or two have changed places. {INSTEAD}")
    card = Card.objects.filter(code=code, membership__operator_id=operator_id).first()
    if card is None:
        return Read(words=f"No card of ours has this code. {INSTEAD}")
    if card.revoked_at:
        day = formats.date_format(weeks.london_date(card.revoked_at), "j F Y")
        said = "was reported lost" if card.revoked_as == Card.End.LOST else "was replaced or given back"
        return Read(words=f"This card {said} on {day} and no longer counts. Keep it for the pantry manager. {INSTEAD}")
    return Read(membership_id=card.membership_id)


def on_lists(memberships: Iterable[UUID]) -> dict[UUID, str]:
    """What a device may keep to know each member's card by, for those who have one that counts: one query."""
    valid = Card.objects.valid().filter(membership__in=list(memberships))
    return {key: card_codes.digest(code) for key, code in valid.values_list("membership_id", "code")}
