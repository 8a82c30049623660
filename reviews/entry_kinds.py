"""The kind of a tablet's entry that ends here: what stands in a member's way."""

from datetime import datetime
from uuid import UUID

from pantry.models import PantrySession, Tablet
from pantry.services.entry_kinds import member_of
from reviews.models import BarrierTap
from reviews.services import taps
from stockport_hubs.accounts.models import User


def barrier(
    entry: dict, *, by: User, session: PantrySession, tablet: Tablet, collected_at: datetime, at: datetime
) -> BarrierTap:
    """{member, category}"""
    return taps.tap(
        membership=member_of(entry, session),
        category=str(entry.get("category", "")),
        session=session,
        key=UUID(entry["key"]),
        by=by,
        at=at,
        said_at=collected_at,
    )
