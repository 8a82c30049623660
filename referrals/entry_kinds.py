"""The kinds of a tablet's entries that end here: told about something, would like to help, worried about someone."""

from datetime import datetime
from uuid import UUID

from pantry.models import PantrySession, Tablet
from pantry.services.entry_kinds import ODD, member_of
from referrals.models import DirectoryEntry, Helper, Told, Worry
from referrals.services import helpers, worries
from referrals.services import told as services
from stockport_hubs.accounts.models import User
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.keys import uuid_or_none


def told(
    entry: dict, *, by: User, session: PantrySession, tablet: Tablet, collected_at: datetime, at: datetime
) -> Told:
    """{member, topic}"""
    key = uuid_or_none(entry.get("topic"))
    if key is None:
        raise Refused(ODD)
    if (topic := DirectoryEntry.objects.for_user(by).filter(pk=key).first()) is None:
        raise Refused(services.GONE)
    return services.tell(
        membership=member_of(entry, session),
        entry=topic,
        session=session,
        key=UUID(entry["key"]),
        by=by,
        at=at,
        said_at=collected_at,
    )


def wish(
    entry: dict, *, by: User, session: PantrySession, tablet: Tablet, collected_at: datetime, at: datetime
) -> Helper:
    """{member}"""
    return helpers.wish(
        membership=member_of(entry, session),
        session=session,
        key=UUID(entry["key"]),
        by=by,
        at=at,
        said_at=collected_at,
    )


def worry(
    entry: dict, *, by: User, session: PantrySession, tablet: Tablet, collected_at: datetime, at: datetime
) -> Worry:
    """{member or null, ring_me}. About whom it is may be asked; that somebody is worried is told in any case."""
    try:
        member = member_of(entry, session)
    except Refused:
        member = None
    return worries.raise_worry(
        membership=member,
        session=session,
        key=UUID(entry["key"]),
        asks_to_be_rung=entry.get("ring_me", True) is not False,
        by=by,
        at=at,
    )
