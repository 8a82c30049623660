"""The 26 weeks of the sample pilot, replayed day by day through the same services the screens use."""

import random
import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from careleavers.models import CareLeaver, KeepingRule
from careleavers.services import allocations, cohort, people, sharing
from pantry.models import Collection, FundingAgreement, Membership, Pantry
from pantry.services import collections, memberships, renewals, sessions
from referrals import services as referrals
from referrals.models import DirectoryEntry, Referral
from reviews.models import Action, AgendaKind, ReviewMeeting
from reviews.services import actions, agenda, barriers, meetings
from stockport_hubs.core.weeks import LONDON, monday
from stockport_hubs.home.sample import beyond, plan
from stockport_hubs.home.sample.places import home_of

ADVISORS = ["advisor", "advisor2", "advisor3", "advisor4", "advisor5", "advisor6"]
VOLUNTEERS = ["volunteer", "volunteer2", "volunteer3", "volunteer4", "volunteer5"]
WORDING = "2026-1"


class Story:
    """Everything that happens, in order of days."""

    def __init__(
        self, staff: dict, places: list[Pantry], agreement: FundingAgreement, draw: random.Random, apart: random.Random
    ):
        self.staff, self.places, self.agreement, self.draw, self.apart = staff, places, agreement, draw, apart
        self.entries: list[DirectoryEntry] = []  # of the directory
        self.members: dict[object, tuple[float, int]] = {}  # membership id -> chance to come, weeks until they stop
        self.days: dict[date, list[Callable[[datetime], object]]] = defaultdict(list)
        self.evenings: dict[date, list[Callable[[datetime], object]]] = defaultdict(list)
        self.met = 0  # meetings held

    def on(self, day: date, what: Callable[[datetime], object]) -> None:
        self.days[day].append(what)

    def in_the_evening(self, day: date, what: Callable[[datetime], object]) -> None:
        self.evenings[day].append(what)

    def moment(self, day: date, hour: int = 9, minute: int = 0) -> datetime:
        return datetime.combine(day, time(hour, minute), tzinfo=LONDON)

    def key(self) -> uuid.UUID:
        return uuid.UUID(int=self.draw.getrandbits(128), version=4)

    def run(self, start: date, until: datetime, progress: Callable[[int], None]) -> None:
        """Day by day from the start to the given moment; each Monday the renewals that are due."""
        # Those who were never offered a place stay to be looked at, longer than the rule the software comes with.
        KeepingRule.objects.create(
            council=self.agreement.funder,
            days=730,
            from_on=start,
            approved_by="Head of service (sample)",
            set_by=self.staff["manager"],
            set_at=self.moment(start, 7),
        )
        last, day, n = until.astimezone(LONDON).date(), start, 0
        total = (last - start).days + 1
        while day <= last:
            for what in self.days.pop(day, []):
                what(self.moment(day, 9, n % 60))
                n += 1
            self._collections(day, until)
            if day.weekday() == 0:
                renewals.sweep(on=day, at=self.moment(day, 3), job="load_sample_pilot")
            for what in self.evenings.pop(day, []):
                what(self.moment(day, 17))
            progress(100 * ((day - start).days + 1) // total)
            day += timedelta(days=1)

    # -- people and introductions ---------------------------------------------------------------------------------

    def person(self, each: plan.Person, start: date, last: date) -> None:
        """Put one young person's story into the days."""
        advisor = self.staff[ADVISORS[each.advisor]]
        care_leaver = people.add(
            council=advisor.organisation,
            by=self.staff["manager"],
            at=self.moment(start, 8),
            reference=f"SAMPLE-{each.index + 1:04d}",
            preferred_name=each.preferred_name,
            surname=each.surname,
            born_on=each.born_on,
            eligibility=each.eligibility,
            in_touch="YES",
            accommodation="U",
            accommodation_suitable=True,
            team="Leaving Care (sample)",
            address=f"{each.index + 1} Made-up Street, Stockport",
            postcode=home_of(each.index, each.pantry),
            phone=f"07700 900{each.index % 1000:03d}",  # a range kept free for drama
        )
        allocations.allocate(
            care_leaver=care_leaver, advisor=advisor, on=start, by=self.staff["manager"], at=self.moment(start, 8)
        )
        cohort.tick(care_leavers=[care_leaver], on=start, by=self.staff["manager"], at=self.moment(start, 8, 30))
        if each.offered is None:
            return
        offered = start + timedelta(days=each.offered)
        if offered > last:
            return
        self.on(offered, lambda at: cohort.offer(care_leaver=care_leaver, on=offered, by=advisor, at=at))
        if each.answer:
            answered = min(offered + timedelta(days=3), last)
            self.on(
                answered,
                lambda at: cohort.answer(care_leaver=care_leaver, state=each.answer, on=answered, by=advisor, at=at),
            )
        if each.introduced is not None:
            day = max(start + timedelta(days=each.introduced), answered)
            if day <= last:
                self.on(day, lambda at: self._introduce(each, care_leaver, advisor, day, last, at))

    def _introduce(self, each: plan.Person, care_leaver: CareLeaver, advisor, day: date, last: date, at) -> None:
        agreement_to_share = sharing.record_agreement(
            care_leaver=care_leaver,
            wording_version=WORDING,
            privacy_notice_on=day,
            given_on=day,
            how_given=self.draw.choice(["in_person", "in_person", "by_phone"]),
            share_name=self.draw.random() > 0.1,
            items=each.needs,
            taken_by=advisor,
            at=at,
        )
        beyond.follow(self, care_leaver, advisor, day, last, at)
        referral = referrals.draft(
            care_leaver=care_leaver,
            by=advisor,
            at=at,
            sharing=agreement_to_share,
            pantry=self.places[each.pantry],
            agreement=self.agreement,
            pantry_needs_to_know=self.draw.choice(
                ["", "", "Comes with a friend the first time.", "Prefers quiet times."]
            ),
            why="Finds it hard to make the money last to the end of the month.",
            goes_along=self.draw.choice(["", "Personal advisor", "A friend"]),
        )
        if each.outcome == "draft":
            return
        referrals.send(referral=referral, by=advisor, at=at)
        answered = day + timedelta(days=self.draw.randint(1, 4))
        if each.outcome != "sent" and answered <= last:
            self.on(answered, lambda at: self._answer(each, referral, advisor, last, at))

    def _answer(self, each: plan.Person, referral: Referral, advisor, last: date, at) -> None:
        by = self.staff["pantry.manager"]
        if each.outcome == "declined":
            referrals.decline(referral=referral, reason=self.draw.choice(plan.DECLINE_REASONS), by=by, at=at)
        elif each.outcome == "waiting":
            note = "A place is likely next month."
            referrals.put_on_waiting_list(referral=referral, reason="volunteers", note=note, by=by, at=at)
        elif each.outcome == "more_asked":
            referrals.ask_more(referral=referral, note="Which mornings suit best?", by=by, at=at)
        elif each.outcome == "withdrawn":
            referrals.withdraw(referral=referral, reason="Moved in with a relative.", by=advisor, at=at)
        elif each.outcome == "accepted":
            self._joined(each, referral, advisor, last, referrals.accept(referral=referral, by=by, at=at))

    def _joined(self, each: plan.Person, referral: Referral, advisor, last: date, membership: Membership) -> None:
        self.members[membership.pk] = (plan.CHANCE[each.coming], each.stops_after)
        if each.leaves is not None:
            day = max(
                membership.first_week + timedelta(days=20), membership.joined_on + timedelta(days=each.leaves // 2)
            )
            if day <= last:
                reason = self.draw.choice([Membership.EndReason.LEFT, Membership.EndReason.MOVED_AWAY])
                self.on(day, lambda at: self._leave(membership, day, reason, at))
        if each.barrier:
            raised = membership.first_week + timedelta(days=self.draw.randint(20, 60))
            if raised <= last:
                self.on(raised, lambda at: self._barrier(each, referral, advisor, raised, at))

    def _leave(self, membership: Membership, day: date, reason: str, at) -> None:
        self.members.pop(membership.pk, None)
        memberships.leave(membership=membership, on=day, reason=reason, by=self.staff["pantry.manager"], at=at)

    def _barrier(self, each: plan.Person, referral: Referral, advisor, raised: date, at) -> None:
        barrier = barriers.raise_barrier(
            council=advisor.organisation,
            care_leaver=referral.care_leaver,
            pantry=None,
            category=each.barrier,
            note="",
            owner=advisor,
            due_on=raised + timedelta(days=28),
            raised_on=raised,
            by=advisor,
            at=at,
        )
        if self.draw.random() < 0.45:
            later = raised + timedelta(days=self.draw.randint(10, 25))
            note = "Talked it through together."
            state = "resolved" if self.draw.random() < 0.6 else "in_hand"
            self.on(
                later,
                lambda at: barriers.move(barrier=barrier, state=state, note=note, owner=advisor, by=advisor, at=at),
            )

    # -- the pantries -----------------------------------------------------------------------------------------------

    def neighbour(self, each: plan.Neighbour, start: date) -> None:
        """Another member, who pays at the counter."""

        def join(at):
            membership = memberships.join(
                pantry=self.places[each.pantry],
                preferred_name=each.preferred_name,
                needs=each.needs,
                agreement=None,
                first_week=None,
                funded_until=None,
                previous=None,
                by=self.staff["pantry.manager"],
                at=at,
            )
            self.members[membership.pk] = (each.chance, 99)

        self.on(start + timedelta(days=each.joined), join)

    def _collections(self, day: date, until: datetime) -> None:
        """Who comes that day: members of a pantry that opens; once a week each, on one of its days."""
        week = monday(day)
        for index, pantry in enumerate(self.places):
            session = next(iter(sessions.for_day(pantry=pantry, on=day)), None)
            if session is None:
                continue
            opening_days = 7 if index == 0 else 1
            here = Membership.objects.open().filter(
                pk__in=self.members, places__pantry=pantry, places__to_week__isnull=True, first_week__lte=week
            )
            for n, member in enumerate(here.order_by("number")):
                chance, stops_after = self.members[member.pk]
                comes = self.draw.random() < chance and self.draw.randrange(opening_days) == 0
                moment = self.moment(day, session.opens.hour, min(59, session.opens.minute + 2 * (n % 15)))
                weeks_in = (week - member.first_week).days // 7
                if opening_days > 1:  # several days to choose from: each picks a usual day
                    comes = self.draw.random() < chance and member.number % 7 == day.weekday()
                if comes and weeks_in < stops_after and moment <= until:
                    self._collect(session, member, moment, VOLUNTEERS[index])

    def _collect(self, session, member: Membership, moment: datetime, volunteer: str) -> None:
        if Collection.objects.filter(membership=member, week=monday(session.on)).exists():
            return
        collections.record(
            session=session,
            membership=member,
            key=self.key(),
            quantities=None,
            fruit_and_veg=self.draw.random() < 0.9,
            by=self.staff[volunteer],
            collected_at=moment,
            at=moment,
        )

    # -- the review meetings ----------------------------------------------------------------------------------------

    def meeting(self, day: date, period_from: date, held: bool, start: date) -> None:
        """A review meeting, planned three weeks ahead; a past one was held, with actions."""
        manager, pantry_manager = self.staff["manager"], self.staff["pantry.manager"]

        def planned(at):
            meeting = meetings.plan(
                agreement=self.agreement,
                starts_at=self.moment(day, 14),
                where="Meeting room (sample)",
                period_from=period_from,
                period_to=day - timedelta(days=day.weekday() + 1),
                by=manager,
                at=at,
            )
            for user in (manager, self.staff["advisor"], pantry_manager):
                meetings.invite(meeting=meeting, name=user.name, organisation=user.organisation, by=manager, at=at)
            if held:
                self.on(day, lambda at: self._held(meeting, day, manager, pantry_manager, self.moment(day, 16)))

        self.on(max(start, day - timedelta(days=21)), planned)

    def _held(self, meeting: ReviewMeeting, day: date, manager, pantry_manager, at) -> None:
        for attendance in meeting.attendance.all():
            meetings.mark_attendance(attendance=attendance, came=True, by=manager, at=at)
        meetings.move(meeting=meeting, state="agenda_out", by=manager, at=at)
        meetings.move(meeting=meeting, state="held", by=manager, at=at)
        for item in meeting.agenda.exclude(kind=AgendaKind.ACTION)[:4]:
            key = uuid.UUID(int=self.apart.getrandbits(128), version=4)
            said = agenda.Said("discussed", "Both looked at the figures.", "The advisor asks what would help.")
            agenda.save(item=item, key=key, version=0, said=said, by=manager, at=at)
        asked = [
            ("Ask every advisor to offer a lift to the first session", manager),
            ("Put the opening hours on a card for the door", pantry_manager),
            ("Find out whether the college has a room on Thursday evenings", manager),
            ("Tell members of the second fridge", pantry_manager),
        ]
        for what, owner in asked[2 * self.met : 2 * self.met + 2]:
            due = day + timedelta(days=28)
            action = meetings.add_action(meeting=meeting, what=what, owner=owner, due_on=due, by=manager, at=at)
            if self.met == 0 and owner == pantry_manager:
                self.on(day + timedelta(days=20), self._done(action))
        self.met += 1
        meetings.move(meeting=meeting, state="minutes_agreed", by=manager, at=at)

    def _done(self, action: Action) -> Callable[[datetime], object]:
        def done(at: datetime) -> Action:
            return actions.mark(action=action, done=True, by=action.owner, at=at)

        return done
