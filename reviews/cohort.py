"""The fixed cohort on its way: who was offered an introduction, agreed, was introduced, joined, came, stayed."""

from datetime import date, datetime, time, timedelta
from functools import cached_property
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q

from careleavers.models import CohortMove, CohortPlace
from pantry.models import FundingAgreement
from referrals.models import Referral
from reviews.attendance import Attendance
from stockport_hubs.core.kept import Kept
from stockport_hubs.core.weeks import LONDON

STAGES = ("identified", "offered", "agreed", "introduced", "joined", "first", "regular", "retained")
State = CohortPlace.State
STATES = list(State.values)
ANSWERS = {"declined": State.DECLINED, "no_reply": State.NO_REPLY, "unanswered": State.OFFERED}


def _steps(council, as_at):
    return CohortMove.objects.filter(place__care_leaver__council=council, on__lte=as_at).order_by()


def _open_steps(council, as_at):
    agreed = CohortMove.objects.filter(place=OuterRef("place"), state=State.AGREED, on__lte=as_at)
    return _steps(council, as_at).filter(~Exists(agreed))


# Everyone of the cohort: (person, steps beyond "identified", times they agreed).
STEPS = Kept(
    lambda council, as_at: (
        _steps(council, as_at)
        .values_list("place__care_leaver_id")
        .annotate(
            offered=Count("pk", filter=~Q(state=State.IDENTIFIED)), agreed=Count("pk", filter=Q(state=State.AGREED))
        )
    )
)
# Every step of those who have not agreed.
OPEN_STEPS = Kept(
    lambda council, as_at: _open_steps(council, as_at).values_list(
        "on", "recorded_at", "state", "place__care_leaver_id"
    )
)
SENT = Kept(
    lambda agreement, before: (
        Referral.objects.filter(agreement=agreement, sent_at__lt=before)
        .order_by()
        .values_list("care_leaver_id", "membership_id")
    )
)


def end_of(day: date) -> datetime:
    """The first moment after a London day."""
    return datetime.combine(day + timedelta(days=1), time(), LONDON)


class Cohort:
    """Everyone a manager ticked by a day; `stages` and `answers` hold ids of young people by key."""

    def __init__(self, agreement: FundingAgreement, attendance: Attendance):
        self.as_at, self.agreement = attendance.as_at, agreement
        steps = STEPS(council=agreement.funder_id, as_at=self.as_at)
        people = {person for person, *_ in steps}
        self.person_of: dict[UUID, UUID] = {}
        introduced: set[UUID] = set()
        for person, membership_id in SENT(agreement=agreement.pk, before=end_of(self.as_at)):
            introduced.add(person)
            if membership_id in attendance.members:
                self.person_of[membership_id] = person
        members = attendance.members
        agreed = {person for person, _, said_yes in steps if said_yes} | (introduced & people)
        self.stages: dict[str, set[UUID]] = {
            "identified": people,
            "offered": {person for person, offered, _ in steps if offered} | agreed,
            "agreed": agreed,
            "introduced": introduced & people,
            "joined": self.people(members) & people,
            "first": self.people(key for key, member in members.items() if member.first_came <= self.as_at) & people,
            "regular": self.people(key for key, member in members.items() if member.is_open and member.is_regular)
            & people,
            "retained": self.people(attendance.retained()) & people,
        }
        self.funding_over = self.people(attendance.funding_over()) & people
        self.outside = {key for key in members if self.person_of.get(key) not in people}

    @cached_property
    def answers(self) -> dict[str, set[UUID]]:
        """Who was offered and has not agreed, by their latest answer."""
        rows = OPEN_STEPS(council=self.agreement.funder_id, as_at=self.as_at)
        # Two steps recorded in the same moment stand in the order of the states.
        in_order = sorted(rows, key=lambda row: (row[0], row[1], STATES.index(row[2])))
        latest = {person: state for _, _, state, person in in_order}
        waiting = self.stages["offered"] - self.stages["agreed"]
        return {answer: {person for person in waiting if latest[person] == state} for answer, state in ANSWERS.items()}

    def people(self, memberships) -> set[UUID]:
        """The young people behind memberships; those without an introduction on record are left out."""
        return {self.person_of[key] for key in memberships if key in self.person_of}
