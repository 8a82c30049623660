"""A member was told about something of the directory. For a young person it is an onward link of the council's as well,
so that there is one count of them; a link that is open already stays as it is."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from pantry.models import Membership, Pantry, PantrySession
from pantry.services import blocks
from referrals.models import CommunityLink, DirectoryEntry, Told
from referrals.services import hall, links, steps
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date

LOOKED_BACK = timedelta(weeks=13)
AT_MOST = 100
GONE = "This is not in the directory any more. Choose something else."


def on_offer(user: User, on: date):
    """What may be told that day, by kind and name."""
    return DirectoryEntry.objects.for_user(user).on(on).order_by("kind", "name", "pk")


def listed(pantry: Pantry, on: date) -> list[dict[str, str]]:
    """The same for a pantry's device, as plain values."""
    rows = on_offer(User(role=Role.PANTRY_VOLUNTEER, organisation_id=pantry.operator_id), on)[:AT_MOST]
    return [
        {
            "id": str(entry.pk),
            "name": entry.name,
            "kind": entry.get_kind_display(),
            "line": entry.line,
            "where": entry.where,
            "website": entry.website,
            "phone": entry.phone,
        }
        for entry in rows
    ]


@transaction.atomic
def tell(
    *,
    membership: Membership,
    entry: DirectoryEntry,
    session: PantrySession,
    key: UUID,
    by: User,
    at: datetime,
    said_at: datetime | None = None,
) -> Told:
    """Told in this session (`said_at`: earlier, on a device); the same key again, or the same entry told twice in a
    session, is the row already there."""
    membership = blocks.locked(membership.pk)  # first: of two at once with one key the second finds the row
    if earlier := Told.objects.filter(key=key).first():
        hall.same_or_refuse(earlier, membership_id=membership.pk, entry_id=entry.pk, session_id=session.pk)
        return earlier
    hall.check_in_session(session, membership, by=by, said_at=said_at or at)
    if not on_offer(by, session.on).filter(pk=entry.pk).exists():
        raise Refused(GONE)
    counting = Told.objects.filter(membership=membership, entry=entry, session=session, taken_back_at__isnull=True)
    if twice := counting.first():
        return twice
    told = Told.objects.create(
        key=key,
        membership=membership,
        entry=entry,
        session=session,
        pantry=session.pantry,
        on=session.on,
        told_at=said_at or at,
        told_by=by,
        link=_offered(membership, entry, session.on, by, at),
    )
    _log("recorded", told, by, at)
    return told


def _offered(membership: Membership, entry: DirectoryEntry, on: date, by: User, at: datetime) -> CommunityLink | None:
    person = hall.person_of(membership)
    if person is None:
        return None
    person = steps.living(person)
    open_one = [CommunityLink.State.OFFERED, CommunityLink.State.TAKEN_UP]
    if CommunityLink.objects.filter(care_leaver=person, entry=entry, state__in=open_one).exists():
        return None
    return links.offer(care_leaver=person, entry=entry, on=on, by=by, at=at)


@transaction.atomic
def take_back(*, told: Told, by: User, at: datetime) -> Told:
    """A mistake: on its day by who recorded it, by the pantry manager also later. The link goes with it, unless
    somebody has said what came of it since."""
    told = Told.objects.select_for_update(of=("self",)).select_related("link", "told_by", "session").get(pk=told.pk)
    if told.taken_back_at:
        return told
    check_can_take_back(told, by=by, on=london_date(at))
    told.taken_back_at, told.taken_back_by = at, by
    told.save(update_fields=["taken_back_at", "taken_back_by"])
    if told.link and told.link.state == CommunityLink.State.OFFERED:
        links.undo(link=told.link, by=by, at=at)
    _log("taken_back", told, by, at)
    return told


def check_can_take_back(told: Told, *, by: User, on: date) -> None:
    """Refused with a sentence when it stays."""
    if by.role == Role.PANTRY_MANAGER:
        return
    if told.told_by_id != by.pk:
        who = told.told_by.get_short_name()
        raise Refused(f"{who} recorded this. {who} or the pantry manager can take it back.")
    if told.on != on:
        raise Refused("This session has closed. Ask the pantry manager to take it back.")


def can_take_back(told: Told, *, by: User, on: date) -> bool:
    """Whether check_can_take_back lets it pass."""
    return by.role == Role.PANTRY_MANAGER or (told.told_by_id == by.pk and told.on == on)


def in_session(session: PantrySession, membership: Membership) -> dict[UUID, Told]:
    """What this member was told in the session, by the entry's id."""
    rows = Told.objects.filter(session=session, membership=membership, taken_back_at__isnull=True)
    return {each.entry_id: each for each in rows.select_related("told_by", "entry")}


def counts(user: User, entries: Iterable[DirectoryEntry], on: date) -> Counter:
    """How often each entry was told at the manager's pantries in the last 13 weeks, by its id."""
    mine = Told.objects.for_user(user).filter(entry__in=list(entries), on__gt=on - LOOKED_BACK, taken_back_at=None)
    return Counter(dict(mine.order_by().values_list("entry_id").annotate(Count("pk"))))


def _log(verb: str, told: Told, by: User, at: datetime) -> None:
    subjects, detail = [(audit.MEMBERSHIP, told.membership_id)], {"entry": str(told.entry_id)}
    audit.record(f"referrals.told.{verb}", at=at, by=by, target=told, subjects=subjects, detail=detail)
