"""What was said in the hall of the first pantry on the last day of the sample pilot, beside the collections."""

from datetime import datetime, timedelta

from pantry import roster
from pantry.models import Membership, Pantry
from pantry.services import away, calls, sessions
from referrals.models import DirectoryEntry
from referrals.services import helpers, told, worries
from reviews.services import taps
from stockport_hubs.accounts.models import User
from stockport_hubs.core.weeks import london_date

PHONES = {"manager": ("The manager on duty", "0161 496 02{:02d}"), "safeguarding": ("", "0161 496 03{:02d}")}


def numbers(pantry: Pantry, n: int, by: User, at: datetime) -> None:
    """Whom to call: numbers of a range kept free for drama."""
    for role, (called, phone) in PHONES.items():
        phone = phone.format(n)
        calls.set_call(pantry=pantry, role=role, called=called, phone=phone, from_on=london_date(at), by=by, at=at)


def in_the_hall(story, at: datetime) -> None:
    """A few of each, as far as there are members."""
    pantry, by, manager = story.places[0], story.staff["volunteer"], story.staff["pantry.manager"]
    session = sessions.for_day(pantry=pantry, on=london_date(at))[0]
    there = list(roster.listed(session).filter(state=Membership.State.OPEN).order_by("number")[:6])
    entries = DirectoryEntry.objects.for_user(by).order_by("name")

    def said() -> dict:
        return {"session": session, "key": story.key(), "by": by, "at": at}

    for member, entry in zip(there[:4], entries, strict=False):
        told.tell(membership=member, entry=entry, **said())
    for member in there[1:3]:
        helper = helpers.wish(membership=member, **said())
    for member, category in zip(there[2:5], ("hours", "distance", "stigma"), strict=False):
        taps.tap(membership=member, category=category, **said())
    if len(there) > 2:
        helpers.move(helper=helper, state="induction", on=session.on, by=manager, at=at)
        until_on = session.on + timedelta(days=16)
        away.tell(membership=there[2], until_on=until_on, key=story.key(), by=by, at=at)
        worries.answer(worry=worries.raise_worry(membership=None, **said()), by=manager, at=at)
        worries.raise_worry(membership=there[0], **said())
