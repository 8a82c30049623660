"""A pantry's counter on Wednesday 8 April 2026, 10:42: a session, a volunteer at work, members to record."""

import uuid
from datetime import date

import time_machine

from pantry.models import Collection, Membership, Pantry, PantrySession, PantryStaff
from pantry.services import collections, sessions
from stockport_hubs.accounts.models import Role, User
from tests import factories
from tests.factories import BEGIN, World, moment

WEDNESDAY = date(2026, 4, 8)
NOW = moment(WEDNESDAY, "10:42")


def at(day: date = WEDNESDAY, clock: str = "10:42", *, goes_on: bool = False):
    """Stops the clock at a London time, or sets it to that: of two moves at the same moment neither is the later."""
    return time_machine.travel(moment(day, clock), tick=goes_on)


class Counter(World):
    """World, with a volunteer on the pantry's staff called Jo and the session of that Wednesday."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.volunteer.name = "Jo Example"
        self.volunteer.save()
        self.staff(self.volunteer)
        self.session = self.open(WEDNESDAY)

    def staff(self, user: User, pantry: Pantry | None = None) -> PantryStaff:
        return PantryStaff.objects.create(pantry=pantry or self.pantry, user=user, from_on=BEGIN)

    def another_volunteer(self, name: str = "Ali Example") -> User:
        user = factories.user(Role.PANTRY_VOLUNTEER, self.operator, name=name)
        self.staff(user)
        return user

    def open(self, day: date, pantry: Pantry | None = None) -> PantrySession:
        return sessions.for_day(pantry=pantry or self.pantry, on=day)[0]

    def other(self, **more) -> Membership:
        """A member who pays at the counter."""
        return self.join(agreement=None, **more)

    def record(self, membership: Membership, day: date = WEDNESDAY, clock: str = "10:42", **more) -> Collection:
        """The usual ten with fruit and veg by Jo, unless said otherwise."""
        given = {
            "session": more.get("session") or (self.session if day == WEDNESDAY else self.open(day)),
            "key": uuid.uuid4(),
            "quantities": None,
            "fruit_and_veg": True,
            "by": self.volunteer,
            "collected_at": moment(day, clock),
            "at": moment(day, clock),
        }
        return collections.record(membership=membership, **(given | more))
