"""The kinds of entries of the pantry itself: a collection, taking one back, a visitor. Each checks what it is given."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pantry import wording
from pantry.models import Collection, EntryOutcome, Membership, PantrySession, Tablet, TabletEntry, Visitor
from pantry.services import collections, visitors
from pantry.services.tablet_tokens import GOOD_FOR_DAYS
from stockport_hubs.accounts.models import User
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.keys import uuid_or_none
from stockport_hubs.core.money import pounds

ODD = "The tablet sent something that cannot be read."
UNSPOKEN = "No names of people or organisations, please, and nothing about why somebody shops here."
NOT_THERE = "What this takes back has not arrived."


def member_id(entry: dict) -> UUID | None:
    """The membership an entry names, where it names one by its key."""
    return uuid_or_none(entry.get("member"))


def member_of(entry: dict, session: PantrySession) -> Membership:
    """The member named by key or number, among the operator's."""
    ours = Membership.objects.filter(operator=session.pantry.operator_id)
    if key := member_id(entry):
        if found := ours.filter(pk=key).first():
            return found
        raise Refused("This member is not known here.")
    number = entry.get("number")
    if type(number) is not int or not 0 < number < 100_000_000:
        raise Refused(ODD)
    if found := ours.filter(number=number).first():
        return found
    raise Refused(f"No member here has the number {number}.")


def _yes(entry: dict, name: str) -> bool:
    if not isinstance(entry.get(name, True), bool):
        raise Refused(ODD)
    return entry.get(name, True)


def _text(entry: dict, name: str, most: int) -> str:
    text = entry.get(name) or ""
    if not isinstance(text, str) or len(text) > most:
        raise Refused(ODD)
    return text.strip()


def _unspoken(text: str) -> str:
    """What a volunteer typed; the refusal does not spell out what it found."""
    if wording.tells(text):
        raise Refused(UNSPOKEN)
    return text


def _quantities(given: Any) -> dict[UUID | None, int] | None:
    """{"": n} or {band's id: n}; None is the usual number."""
    if given is None:
        return None
    try:
        found = {UUID(band) if band else None: n for band, n in given.items()}
    except (TypeError, ValueError, AttributeError):
        raise Refused(ODD)
    if len(found) > 20 or not all(type(n) is int for n in found.values()):
        raise Refused(ODD)
    return found


def collection(
    entry: dict, *, by: User, session: PantrySession, tablet: Tablet, collected_at: datetime, at: datetime
) -> Collection:
    """{member | number, quantities, fruit, override, paid} and, where the tablet says so, the `pence` it took."""
    made = collections.record(
        session=session,
        membership=member_of(entry, session),
        key=UUID(entry["key"]),
        quantities=_quantities(entry.get("quantities")),
        fruit_and_veg=_yes(entry, "fruit"),
        override=_text(entry, "override", 20),
        is_paid=_yes(entry, "paid"),
        by=by,
        collected_at=collected_at,
        at=at,
        late_days=GOOD_FOR_DAYS,
    )
    pence = entry.get("pence")
    if _yes(entry, "paid") and type(pence) is int and pence != made.paid_pence:  # bought, or dearer, in the meantime
        raise Refused(f"The tablet asked for {pounds(pence)}, and {pounds(made.paid_pence)} is to be paid.")
    return made


def void(
    entry: dict, *, by: User, session: PantrySession, tablet: Tablet, collected_at: datetime, at: datetime
) -> Collection | TabletEntry:
    """{collection_key, reason}: of what was recorded in this session, or is held and not sorted out yet."""
    key = uuid_or_none(entry.get("collection_key"))
    if key is None:
        raise Refused(ODD)
    reason = _unspoken(_text(entry, "reason", 120)) or collections.UNDONE
    if found := Collection.objects.filter(key=key, session=session).first():
        return collections.void(collection=found, reason=reason, by=by, at=at, late_days=GOOD_FOR_DAYS)
    held = TabletEntry.objects.to_sort_out().filter(key=key, session=session, recorded_by=by)
    taken = {"outcome": EntryOutcome.TAKEN_BACK, "sorted_at": at, "sorted_by": by}
    if held.update(**taken):
        return TabletEntry.objects.get(key=key)
    raise Refused(NOT_THERE)


def visitor(
    entry: dict, *, by: User, session: PantrySession, tablet: Tablet, collected_at: datetime, at: datetime
) -> Visitor:
    """{called}"""
    return visitors.record(
        session=session,
        key=UUID(entry["key"]),
        called=_unspoken(_text(entry, "called", 60)),
        by=by,
        at=at,
        late_days=GOOD_FOR_DAYS,
    )
