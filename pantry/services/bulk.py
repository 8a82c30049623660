"""A whole session typed in at once, as from a filled sheet: all of it, or nothing with each refusal named."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

from pantry.models import Collection, Membership, PantrySession, Visitor
from pantry.services import collections, visitors
from stockport_hubs.accounts.models import User
from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused

AT_ONCE = 200


@dataclass(frozen=True)
class Entry:
    """One member's visit; `quantities` as `collections.record` takes them, None for the usual number."""

    membership: Membership
    quantities: Mapping | None = None
    fruit_and_veg: bool = True
    is_paid: bool = True
    override: str = ""


class NotAll(Refused):
    """Nothing was recorded; `reasons` are (number or visitor, sentence) for everybody who could not be."""

    def __init__(self, reasons: list[tuple[int | str, str]]):
        super().__init__("Nothing was recorded, because not everything could be.")
        self.reasons = reasons


def record(
    *, session: PantrySession, entries: Iterable[Entry], visited: Iterable[str] = (), key: UUID, by: User, at: datetime
) -> tuple[list[Collection], list[Visitor]]:
    """Members' collections, and visitors by what they are called ("" for no name), as at the session's opening.

    The same key and the same entries give the same rows again. Refused as a whole: NotAll. Members are taken in the
    order of their numbers, so that two at once do not stand in each other's way; at most 200.
    """
    given = sorted(entries, key=lambda entry: entry.membership.number)
    names = list(visited)
    if not given and not names:
        raise Refused("Say who came.")
    if len(given) + len(names) > AT_ONCE:
        raise Refused(f"Up to {AT_ONCE} collections can be entered at once. Enter the rest afterwards.")
    collected_at = at
    if session.on != weeks.london_date(at):
        collected_at = datetime.combine(session.on, session.opens, weeks.LONDON)
    made: list[Collection] = []
    came: list[Visitor] = []
    reasons: list[tuple[int | str, str]] = []
    with transaction.atomic():
        for entry in given:
            try:
                made.append(_collect(session, entry, key, collected_at, by, at))
            except Refused as why:
                reasons.append((entry.membership.number, str(why)))
        for n, called in enumerate(names, start=1):
            try:
                came.append(
                    visitors.record(session=session, key=uuid5(key, f"visitor {n}"), called=called, by=by, at=at)
                )
            except Refused as why:
                reasons.append((f"Visitor {n}", str(why)))
        if reasons:
            raise NotAll(reasons)
    return made, came


def _collect(session, entry: Entry, key: UUID, collected_at: datetime, by: User, at: datetime) -> Collection:
    return collections.record(
        session=session,
        membership=entry.membership,
        key=uuid5(key, str(entry.membership.pk)),
        quantities=entry.quantities,
        fruit_and_veg=entry.fruit_and_veg,
        is_paid=entry.is_paid,
        override=entry.override,
        by=by,
        collected_at=collected_at,
        at=at,
    )
