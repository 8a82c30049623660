"""The fixed cohort on its way: who was offered an introduction, agreed, was introduced, joined, came, stayed."""

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from uuid import UUID

from careleavers.models import CohortMove, CohortPlace
from pantry.models import FundingAgreement
from referrals.models import Referral
from reviews.attendance import Attendance
from stockport_hubs.core.weeks import LONDON

STAGES = ("identified", "offered", "agreed", "introduced", "joined", "first", "regular", "retained")
ANSWERS = ("declined", "no_reply", "unanswered")
State = CohortPlace.State
STEPS = list(State.values)


def end_of(day: date) -> datetime:
    """The first moment after a London day."""
    return datetime.combine(day + timedelta(days=1), time(), LONDON)


class Cohort:
    """Everyone a manager ticked by a day; `stages` and `answers` hold ids of young people by key."""

    def __init__(self, agreement: FundingAgreement, attendance: Attendance):
        self.as_at, self.attendance = attendance.as_at, attendance
        moves = self._moves(agreement)
        people = set(moves)
        self.person_of: dict[UUID, UUID] = {}
        introduced: set[UUID] = set()
        sent = Referral.objects.filter(agreement=agreement, sent_at__lt=end_of(self.as_at)).order_by()
        for person, membership_id in sent.values_list("care_leaver_id", "membership_id"):
            introduced.add(person)
            if membership_id in attendance.members:
                self.person_of[membership_id] = person
        members = attendance.members
        agreed = {person for person, states in moves.items() if State.AGREED in states} | (introduced & people)
        self.stages: dict[str, set[UUID]] = {
            "identified": people,
            "offered": {person for person, states in moves.items() if states - {State.IDENTIFIED}} | agreed,
            "agreed": agreed,
            "introduced": introduced & people,
            "joined": self.people(members) & people,
            "first": self.people(key for key, member in members.items() if member.came) & people,
            "regular": self.people(key for key, member in members.items() if member.is_open and member.is_regular)
            & people,
            "retained": self.people(attendance.retained()) & people,
        }
        self.funding_over = self.people(attendance.funding_over()) & people
        latest = {person: self._latest[person] for person in self.stages["offered"] - agreed}
        self.answers: dict[str, set[UUID]] = {
            "declined": {person for person, state in latest.items() if state == State.DECLINED},
            "no_reply": {person for person, state in latest.items() if state == State.NO_REPLY},
            "unanswered": {person for person, state in latest.items() if state == State.OFFERED},
        }
        self.outside = {key for key in members if self.person_of.get(key) not in people}

    def _moves(self, agreement: FundingAgreement) -> dict[UUID, set[str]]:
        """Every state each person of the cohort has been in by the day; `_latest` is the last of them."""
        rows = CohortMove.objects.filter(place__care_leaver__council=agreement.funder_id, on__lte=self.as_at)
        found = rows.order_by().values_list("on", "recorded_at", "state", "place__care_leaver_id")
        states: dict[UUID, set[str]] = defaultdict(set)
        self._latest: dict[UUID, str] = {}
        # Two steps recorded in the same moment stand in the order of the states.
        for _, _, state, person in sorted(found, key=lambda row: (row[0], row[1], STEPS.index(row[2]))):
            states[person].add(state)
            self._latest[person] = state
        return dict(states)

    def people(self, memberships) -> set[UUID]:
        """The young people behind memberships; those without an introduction on record are left out."""
        return {self.person_of[key] for key in memberships if key in self.person_of}
