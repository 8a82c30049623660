"""How the sample pilot's halls are run: a rota, notes, members' cards, sheets on paper."""

from datetime import datetime, timedelta

from pantry import directory, roster
from pantry.models import Membership, Pantry
from pantry.services import cards, running, sessions, sheets, volunteers
from stockport_hubs.accounts.models import User
from stockport_hubs.core.weeks import london_date

CARDS, AHEAD = 6, 3  # members with a card, openings with a rota
NOTES = [
    "The second freezer is being repaired: frozen items are in the kitchen.",
    "Fruit and veg come at eleven today.",
]


def run_the_halls(story, at: datetime) -> None:
    """A rota for each pantry; two notes, cards and two sheets of the first, of which one has been destroyed."""
    on, manager = london_date(at), story.staff["pantry.manager"]
    given = {"by": manager, "at": at}
    for pantry in story.places:
        users = volunteers.working_at(pantry, on)
        for n, opening in enumerate(directory.next_openings(pantry, on, AHEAD)):
            for user in dict.fromkeys([users[n % len(users)], users[0]]):
                running.put_down(pantry=pantry, on=opening.on, opens=opening.opens, user=user, **given)
    first = story.places[0]
    for note, days in zip(NOTES, (6, 0), strict=True):
        running.write_note(pantry=first, text=note, from_on=on, until_on=on + timedelta(days=days), **given)
    _cards(first, manager, at)
    _sheets(first, manager, at)


def _cards(pantry: Pantry, by: User, at: datetime) -> None:
    """One of them was lost and replaced."""
    members = list(cards.holders(pantry).filter(state=Membership.State.OPEN).order_by("number")[:CARDS])
    for member in members:
        cards.make(membership=member, by=by, at=at)
    for member in members[:1]:
        cards.make(membership=member, lost=True, by=by, at=at + timedelta(seconds=1))


def _sheets(pantry: Pantry, by: User, at: datetime) -> None:
    for days in (7, 0):
        moment = at - timedelta(days=days)
        for session in sessions.for_day(pantry=pantry, on=london_date(moment)):
            members = list(roster.listed(session).values_list("pk", flat=True)[: sheets.AT_ONCE])
            if not members:
                continue
            sheet = sheets.write_down(session=session, members=members, by=by, at=moment)
            if days:
                sheets.destroyed(sheet=sheet, by=by, at=moment + timedelta(hours=1))
