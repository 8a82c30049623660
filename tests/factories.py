"""Small plain factories: what a test starts from, made through the services wherever they exist.

Moments are London times; the default world begins on Mon 2 March 2026.
"""

from datetime import date, datetime, time
from itertools import count
from uuid import uuid4

from pantry.models import Collection, FundingAgreement, Membership, OpeningHours, Pantry, Tariff
from pantry.services import collections, memberships, sessions
from stockport_hubs.accounts.models import Organisation, Role, User, organisation_kind
from stockport_hubs.core.weeks import LONDON

_number = count(1)
BEGIN = date(2026, 3, 2)
WEDNESDAY = (2, time(10), time(12))


def moment(day: date, clock: str = "09:00") -> datetime:
    """A London time on a day."""
    return datetime.combine(day, time.fromisoformat(clock), LONDON)


def organisation(kind: str, name: str = "") -> Organisation:
    return Organisation.objects.create(name=name or f"Organisation {next(_number)}", kind=kind)


def council(name: str = "") -> Organisation:
    """The council that pays."""
    return organisation(Organisation.Kind.COUNCIL, name)


def operator(name: str = "") -> Organisation:
    """The organisation that runs pantries."""
    return organisation(Organisation.Kind.OPERATOR, name)


def user(role: str, of: Organisation | None = None, name: str = "", **more) -> User:
    """Someone who has joined; of a new organisation of the right kind when none is given."""
    n = next(_number)
    made = User(
        role=role,
        organisation=of or organisation(organisation_kind(role)),
        email=more.pop("email", f"user{n}@example.org"),
        name=name or f"{Role(role).label} {n}",
        is_active=True,
        invited_at=moment(BEGIN),
        joined_at=moment(BEGIN),
        **more,
    )
    made.set_password("sample-pilot-2026")
    made.save()
    return made


def pantry(
    of: Organisation | None = None,
    *sessions: tuple[int, time, time],
    name: str = "",
    weekly: int = 350,
    joining: int = 1000,
    since: date = date(2020, 1, 6),
    **more,
) -> Pantry:
    """A pantry with weekly sessions (weekday, opens, closes), Wednesday 10 to 12 unless said, and an agreed tariff."""
    made = Pantry.objects.create(
        operator=of or operator(), name=name or f"Pantry {next(_number)}", address="1 Example Street", **more
    )
    for weekday, opens, closes in sessions or [WEDNESDAY]:
        OpeningHours.objects.create(pantry=made, weekday=weekday, opens=opens, closes=closes, from_on=since)
    if weekly is not None:
        tariff(made, since, weekly, joining)
    return made


def tariff(of: Pantry, from_week: date, weekly: int = 350, joining: int = 1000) -> Tariff:
    """An agreed price from a Monday on."""
    return Tariff.objects.create(
        pantry=of,
        from_week=from_week,
        weekly_pence=weekly,
        joining_pence=joining,
        proposed_by=user(Role.PANTRY_MANAGER, of.operator),
        proposed_at=moment(BEGIN),
        agreed_by=user(Role.FINANCE_OFFICER),
        agreed_at=moment(BEGIN),
    )


def agreement(funder: Organisation | None = None, of: Organisation | None = None, **more) -> FundingAgreement:
    """A council pays an operator, from January 2020 on unless said."""
    more = {"name": f"Agreement {next(_number)}", "starts_on": date(2020, 1, 1), **more}
    return FundingAgreement.objects.create(funder=funder or council(), operator=of or operator(), **more)


class World:
    """A council, an operator, one pantry with a price, an agreement, and the people of both organisations."""

    def __init__(self, *sessions: tuple[int, time, time], weekly: int = 350, joining: int = 1000, **conditions):
        self.council, self.operator = council(), operator()
        self.pantry = pantry(self.operator, *sessions, weekly=weekly, joining=joining)
        self.agreement = agreement(self.council, self.operator, **conditions)
        self.manager = user(Role.LEAVING_CARE_MANAGER, self.council)
        self.finance = user(Role.FINANCE_OFFICER, self.council)
        self.advisor = user(Role.PERSONAL_ADVISOR, self.council)
        self.pantry_manager = user(Role.PANTRY_MANAGER, self.operator)
        self.volunteer = user(Role.PANTRY_VOLUNTEER, self.operator)

    def join(self, on: date = date(2026, 4, 2), clock: str = "09:00", **more) -> Membership:
        """A member; on Thu 2 April 2026 the first week is that of Mon 6 April."""
        more = {"pantry": self.pantry, "preferred_name": f"Member {next(_number)}", "agreement": self.agreement, **more}
        return memberships.join(by=self.pantry_manager, at=moment(on, clock), **more)

    def leave(self, membership: Membership, on: date, reason: str = "left") -> int:
        return memberships.leave(
            membership=membership, on=on, reason=reason, by=self.pantry_manager, at=moment(on, "17:00")
        )

    def collect(self, membership: Membership, on: date, clock: str = "10:30") -> Collection:
        """A usual collection at the member's session of that day, recorded then."""
        place = membership.places.order_by("from_week").last()
        [session, *_] = sessions.for_day(pantry=place.pantry, on=on)
        return collections.record(
            session=session,
            membership=membership,
            key=uuid4(),
            quantities=None,
            fruit_and_veg=True,
            by=self.pantry_manager,
            collected_at=moment(on, clock),
            at=moment(on, clock),
        )
