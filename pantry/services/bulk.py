"""A whole past session entered at once: all its collections, or none with each refusal named."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

from pantry.models import Collection, Membership, PantrySession
from pantry.services import collections
from stockport_hubs.accounts.models import User
from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused

AT_ONCE = 200


class NotAll(Refused):
    """Nothing was recorded; `reasons` are (number, sentence) for every member who could not be."""

    def __init__(self, reasons: list[tuple[int, str]]):
        super().__init__("Nothing was recorded, because not everything could be.")
        self.reasons = reasons


def record(
    *, session: PantrySession, memberships: Iterable[Membership], key: UUID, by: User, at: datetime
) -> list[Collection]:
    """The usual items for each member, as at the session's opening; the same key and members give the same rows again.

    Refused as a whole: NotAll. Members are taken in the order of their numbers, at most 200.
    """
    chosen = sorted({member.pk: member for member in memberships}.values(), key=lambda member: member.number)
    if not chosen:
        raise Refused("Choose who came.")
    if len(chosen) > AT_ONCE:
        raise Refused(f"Up to {AT_ONCE} collections can be entered at once. Enter the rest afterwards.")
    collected_at = at
    if session.on != weeks.london_date(at):
        collected_at = datetime.combine(session.on, session.opens, weeks.LONDON)
    made, reasons = [], []
    with transaction.atomic():
        for member in chosen:
            try:
                one = collections.record(
                    session=session,
                    membership=member,
                    key=uuid5(key, str(member.pk)),
                    quantities=None,
                    fruit_and_veg=True,
                    by=by,
                    collected_at=collected_at,
                    at=at,
                )
            except Refused as why:
                reasons.append((member.number, str(why)))
            else:
                made.append(one)
        if reasons:
            raise NotAll(reasons)
    return made
