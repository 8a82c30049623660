"""An invented scheme for figures and packs: people on every step, 12 weeks of collections, the same for a seed."""

import random
from datetime import date, timedelta
from uuid import uuid4

from careleavers.models import CareLeaver, CohortMove, CohortPlace, SharingAgreement
from pantry.models import Collection, MissedWeek, PaidWeek, PantrySession
from pantry.services import journal, memberships
from referrals.models import Referral
from reviews.models import BarrierCategory
from reviews.services import barriers, meetings
from stockport_hubs.core.weeks import WEEK, monday
from tests import factories

JOINED_ON = date(2026, 3, 5)  # a Thursday: the first week is that of Mon 9 March
FIRST_WEEK = date(2026, 3, 9)
TODAY = date(2026, 6, 3)  # a Wednesday, 12 weeks and 2 days later
PERIOD = (date(2026, 3, 2), date(2026, 5, 31))
HOSTILE = '<img src="http://127.0.0.1:{port}/x"><link rel="stylesheet" href="http://127.0.0.1:{port}/y">=1+1'


class Scene(factories.World):
    """`people` in the cohort; about two thirds join."""

    def __init__(self, people: int = 12, seed: int = 1, text: str = ""):
        super().__init__()
        self.draw, self.text = random.Random(seed), text
        self.at = factories.moment(TODAY, "12:00")
        if people:
            journal.pay_in_advance(
                agreement=self.agreement,
                pence=people * 10_100,
                on=JOINED_ON,
                purchase_order="",
                invoice="",
                cost_code="",
                by=self.finance,
                at=factories.moment(JOINED_ON, "08:00"),
            )
        self.people = [self.person(n) for n in range(people)]
        self.members = {}
        for n, person in enumerate(self.people):
            self.walk(n, person)
        self.meeting = meetings.plan(
            agreement=self.agreement,
            starts_at=factories.moment(date(2026, 6, 10), "14:00"),
            where=text[:120],
            period_from=PERIOD[0],
            period_to=PERIOD[1],
            by=self.manager,
            at=self.at,
        )

    def person(self, n: int) -> CareLeaver:
        made = CareLeaver.objects.create(
            council=self.council,
            reference=f"R{n:05d}",
            preferred_name=self.text[:60] or f"Person{n}",
            surname="" if self.text else f"Sample{n}",
            born_on=date(2004, 1, 1),
            eligibility="former_relevant",
            created_at=factories.moment(JOINED_ON),
        )
        ticked = JOINED_ON - 3 * WEEK
        place = CohortPlace.objects.create(care_leaver=made, council=self.council, ticked_on=ticked, state_on=JOINED_ON)
        self.step(place, "identified", ticked)
        return made

    def step(self, place: CohortPlace, state: str, on: date) -> None:
        place.state, place.state_on = state, on
        place.save()
        CohortMove.objects.create(place=place, state=state, on=on, by=self.manager, recorded_at=factories.moment(on))

    def walk(self, n: int, person: CareLeaver) -> None:
        """Every 12 people: 1 not offered, 1 declined, 1 no reply, 1 still open, 8 introduced, of whom 7 join."""
        which, place = n % 12, person.cohort_place
        if which == 8:
            return
        self.step(place, "offered", JOINED_ON - 2 * WEEK)
        if which in (9, 10):
            self.step(place, "declined" if which == 9 else "no_reply", JOINED_ON - WEEK)
        if which > 7:
            return
        self.step(place, "agreed", JOINED_ON - WEEK)
        sharing = SharingAgreement.objects.create(
            care_leaver=person,
            wording_version="1",
            privacy_notice_on=JOINED_ON - WEEK,
            given_on=JOINED_ON - WEEK,
            how_given="in_person",
            taken_by=self.advisor,
        )
        referral = Referral(
            number=Referral.objects.count() + 1,
            care_leaver=person,
            sharing=sharing,
            agreement=self.agreement,
            pantry=self.pantry,
            state="sent",
            made_by=self.advisor,
            made_at=factories.moment(JOINED_ON - WEEK),
            sent_at=factories.moment(JOINED_ON - WEEK),
        )
        if which != 7:
            member = self.join(JOINED_ON, "13:00", preferred_name=self.text[:60] or f"Person{n}")
            referral.state, referral.membership = "accepted", member
            self.members[n] = member
            self.weeks(which, member)
        referral.save()

    def weeks(self, which: int, member) -> None:
        """0 to 2 come nearly always, 3 now and then, 4 stopped after six weeks, 5 never came, 6 left after 8 weeks."""
        chances = {0: 1.0, 1: 0.95, 2: 0.9, 3: 0.5, 4: 1.0, 5: 0.0, 6: 0.8}
        last = {4: 6, 6: 8}.get(which, 12)
        for n in range(last):
            if self.draw.random() < chances[which]:
                self.collect(member, FIRST_WEEK + n * WEEK + timedelta(days=2))
        if which == 3:
            week = FIRST_WEEK + 11 * WEEK
            MissedWeek.objects.create(
                membership=member, week=week, reason="told_us", recorded_by=self.volunteer, recorded_at=self.at
            )
        if which == 6:
            on = FIRST_WEEK + 8 * WEEK
            memberships.leave(
                membership=member, on=on, reason="left", by=self.pantry_manager, at=factories.moment(on, "17:00")
            )

    def collect(self, member, on: date) -> Collection:
        hours = {"opens": factories.WEDNESDAY[1], "closes": factories.WEDNESDAY[2]}
        session, _ = PantrySession.objects.get_or_create(pantry=self.pantry, on=on, defaults=hours)
        return Collection.objects.create(
            key=uuid4(),
            membership=member,
            session=session,
            pantry=self.pantry,
            week=monday(on),
            on=on,
            collected_at=factories.moment(on, "10:30"),
            recorded_at=factories.moment(on, "10:30"),
            recorded_by=self.volunteer,
            paid_week=PaidWeek.objects.dated().filter(membership=member, week=monday(on)).first(),
        )

    def trouble(self, per_category: dict[str, int] | None = None) -> None:
        """Barriers of people, one of the pantry, actions, people on the meeting's list."""
        wanted = per_category or {"hours": 2, "stigma": 1, "custody": 1}
        people = iter(self.people * 20)
        for category, number in wanted.items():
            for _ in range(number):
                self.barrier(category, care_leaver=next(people))
        self.barrier("hours", pantry=self.pantry)
        for name, organisation in (("Ash Sample", self.council), ("Bo Sample", self.operator)):
            shown = self.text[:120] or name
            meetings.invite(meeting=self.meeting, name=shown, organisation=organisation, by=self.manager, at=self.at)
        meetings.add_action(
            meeting=self.meeting,
            what=self.text[:300] or "Put the opening hours on the door",
            owner=self.pantry_manager,
            due_on=date(2026, 5, 20),
            by=self.manager,
            at=self.at - timedelta(days=20),
        )

    def barrier(self, category: str, *, care_leaver=None, pantry=None):
        assert category in BarrierCategory
        return barriers.raise_barrier(
            council=self.council,
            care_leaver=care_leaver,
            pantry=pantry,
            category=category,
            note=self.text,
            owner=self.manager,
            due_on=date(2026, 6, 1) if category == "hours" else None,
            raised_on=date(2026, 5, 11),
            by=self.manager,
            at=factories.moment(date(2026, 5, 12)),
        )
