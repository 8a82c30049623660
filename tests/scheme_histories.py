"""Random histories of a small scheme, made through the services day by day: joins, pauses, moves, leaving, returning,
collections on the day and late, things undone, closures told late, payments late, people given to another advisor."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from uuid import uuid4

from django.db import transaction

from careleavers.models import AdvisorAllocation, CareLeaver, CohortMove, CohortPlace, SharingAgreement
from pantry.models import Collection, Membership
from pantry.services import collections, journal, memberships, places, sessions
from referrals.models import Referral
from stockport_hubs.accounts.models import Role
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK, monday
from tests import factories

FIRST = date(2026, 3, 2)  # a Monday


@contextmanager
def a_life(seed: int, days: int) -> Iterator["Life"]:
    """A scheme that has lived so many days, alone: it is gone when the next one begins."""
    with transaction.atomic():
        life = Life(seed)
        life.live(days)
        yield life
        transaction.set_rollback(True)


class Life(factories.World):
    """`day` is today; each `live()` is a day of it."""

    def __init__(self, seed: int, people: int = 8):
        super().__init__()
        self.draw, self.day = random.Random(seed), FIRST
        self.tries = self.done = 0
        self.other = factories.pantry(self.operator, (3, factories.WEDNESDAY[1], factories.WEDNESDAY[2]))
        self.advisors = [self.advisor, factories.user(Role.PERSONAL_ADVISOR, self.council)]
        self.people = [self._person(n) for n in range(people)]

    def at(self, clock: str = "12:00") -> datetime:
        """Of today; what is done after something else is recorded after it."""
        return factories.moment(self.day, clock) + timedelta(milliseconds=self.tries)

    def _person(self, n: int) -> CareLeaver:
        made = CareLeaver.objects.create(
            council=self.council,
            reference=f"H{n:04d}",
            preferred_name=f"Person{n}",
            surname=f"Sample{n}",
            born_on=date(2004, 1, 1),
            eligibility="former_relevant",
            created_at=self.at(),
        )
        if n % 5 != 4:
            ticked = FIRST + n * WEEK
            place = CohortPlace.objects.create(
                care_leaver=made, council=self.council, ticked_on=ticked, state_on=ticked
            )
            CohortMove.objects.create(
                place=place, state="identified", on=ticked, by=self.manager, recorded_at=self.at()
            )
        if n % 4 != 3:
            AdvisorAllocation.objects.create(
                care_leaver=made, advisor=self.advisors[n % 2], from_on=FIRST, given_by=self.manager
            )
        return made

    def live(self, days: int) -> None:
        """So many days, each with some events in the order in which they are entered."""
        for _ in range(days):
            for _ in range(self.draw.choice((1, 2, 3))):
                self._something()
            self._collections()
            self.day += timedelta(days=1)

    def _something(self) -> None:
        what = self.draw.choice(
            [self.introduce] * 6
            + [self.pause, self.pause, self.resume, self.resume, self.leave, self.leave, self.move, self.move]
            + [self.late, self.late, self.undo, self.undo, self.pay, self.reallocate, self.reallocate, self.close]
        )
        self.tries += 1
        try:
            what()
        except (Refused, IndexError):
            return
        self.done += 1

    def _days_back(self, most: int) -> date:
        return self.day - timedelta(days=self.draw.choice((0, 0, 3, most)))

    def _member(self, *states: str) -> Membership:
        return self.draw.choice(list(Membership.objects.filter(state__in=states).order_by("number")))

    def introduce(self) -> None:
        """Somebody without a running membership; one in six is known by number alone."""
        pantry = self.draw.choice((self.pantry, self.other))
        if self.draw.random() < 0.17:
            self._join(pantry, None)
            return
        person = self.draw.choice(self.people)
        mine = Referral.objects.filter(care_leaver=person, membership__isnull=False).order_by("number").last()
        if mine and mine.membership.state != "ended":
            raise Refused("A member already.")
        sent = self.at() - timedelta(days=self.draw.choice((0, 2, 9)))
        sharing = SharingAgreement.objects.create(
            care_leaver=person,
            wording_version="1",
            privacy_notice_on=FIRST,
            given_on=FIRST,
            how_given="in_person",
            taken_by=self.advisor,
        )
        Referral.objects.create(
            number=Referral.objects.count() + 1,
            care_leaver=person,
            sharing=sharing,
            agreement=self.agreement,
            pantry=pantry,
            state="accepted",
            made_by=self.advisor,
            made_at=sent,
            sent_at=sent,
            membership=self._join(pantry, mine.membership if mine else None),
        )

    def _join(self, pantry, previous) -> Membership:
        return memberships.join(
            pantry=pantry,
            preferred_name="",
            agreement=self.agreement,
            previous=previous,
            by=self.pantry_manager,
            at=self.at(),
        )

    def pause(self) -> None:
        memberships.pause(membership=self._member("open"), on=self._days_back(13), by=self.pantry_manager, at=self.at())

    def resume(self) -> None:
        memberships.resume(
            membership=self._member("paused"), on=self._days_back(6), by=self.pantry_manager, at=self.at()
        )

    def leave(self) -> None:
        memberships.leave(
            membership=self._member("open", "paused"),
            on=self._days_back(20),
            reason="left",
            by=self.pantry_manager,
            at=self.at(),
        )

    def move(self) -> None:
        memberships.move(
            membership=self._member("open", "paused"),
            pantry=self.draw.choice((self.pantry, self.other)),
            from_week=monday(self.day) + self.draw.choice((1, 2)) * WEEK,
            by=self.pantry_manager,
            at=self.at(),
        )

    def pay(self) -> None:
        journal.pay_in_advance(
            agreement=self.agreement,
            pence=self.draw.randrange(1, 9) * 10_100,
            on=self._days_back(25),
            by=self.finance,
            at=self.at(),
        )

    def close(self) -> None:
        start = self.day + timedelta(days=self.draw.choice((-14, -7, 3)))
        places.announce_closure(
            pantry=self.draw.choice((self.pantry, self.other)),
            from_on=monday(start),
            until_on=monday(start) + timedelta(days=6),
            reason="Boiler",
            by=self.pantry_manager,
            at=self.at(),
        )

    def reallocate(self) -> None:
        person = self.draw.choice(self.people)
        row = AdvisorAllocation.objects.filter(care_leaver=person, until_on=None).first()
        if row is None or row.from_on >= self.day:
            raise Refused("Nobody to take from.")
        row.until_on = self.day - timedelta(days=1)
        row.save()
        AdvisorAllocation.objects.create(
            care_leaver=person,
            advisor=self.advisors[self.advisors[0] == row.advisor],
            from_on=self.day,
            given_by=self.manager,
        )

    def late(self) -> None:
        self._record(self._member("open", "ended", "paused"), self.day - timedelta(days=self.draw.randrange(2, 26)))

    def undo(self) -> None:
        rows = list(Collection.objects.counted().order_by("collected_at", "membership__number"))
        collections.void(
            collection=self.draw.choice(rows), reason="By mistake", by=self.pantry_manager, at=self.at("15:00")
        )

    def _collections(self) -> None:
        for pantry in (self.pantry, self.other):
            for session in sessions.for_day(pantry=pantry, on=self.day):
                here = Membership.objects.filter(places__pantry=pantry, state="open", first_week__lte=self.day)
                for member in here.distinct().order_by("number"):
                    if self.draw.random() < 0.5:
                        self._take(member, session, self.at("11:00"))

    def _record(self, member: Membership, near: date) -> None:
        place = member.places.order_by("from_week").first()
        for n in range(7):
            for session in sessions.for_day(pantry=place.pantry, on=near + timedelta(days=n)):
                if session.on < self.day:
                    self._take(member, session, factories.moment(session.on, "11:30"))
                    return
        raise Refused("No session.")

    def _take(self, member: Membership, session, collected_at) -> None:
        try:
            collections.record(
                session=session,
                membership=member,
                key=uuid4(),
                quantities=None,
                fruit_and_veg=True,
                by=self.pantry_manager,
                collected_at=collected_at,
                at=self.at("16:00"),
            )
        except Refused:
            self.tries += 1
