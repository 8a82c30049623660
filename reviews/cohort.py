"""The fixed cohort on its way: who was offered an introduction, agreed, was introduced, joined, came, stayed."""

from collections.abc import Iterable
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
        self.as_at, self.agreement, self.attendance = attendance.as_at, agreement, attendance
        self._found: dict[str, set[UUID]] = {}

    @cached_property
    def _steps(self) -> list:
        return STEPS(council=self.agreement.funder_id, as_at=self.as_at)

    @cached_property
    def _sent(self) -> list:
        return SENT(agreement=self.agreement.pk, before=end_of(self.as_at))

    @cached_property
    def person_of(self) -> dict[UUID, UUID]:
        """The young person of each member with an introduction on record."""
        members = self.attendance.ids
        return {membership: person for person, membership in self._sent if membership in members}

    @property
    def stages(self) -> dict[str, set[UUID]]:
        """Every stage: all of the members is read, and then no ids alone."""
        _ = self.attendance.members
        return {key: self.stage(key) for key in STAGES}

    def stage(self, key: str) -> set[UUID]:
        """One stage; what only others need is not read."""
        if key not in self._found:
            self._found[key] = self._stage(key)
        return self._found[key]

    def _stage(self, key: str) -> set[UUID]:
        match key:
            case "identified":
                return {person for person, *_ in self._steps}
            case "offered":
                return {person for person, offered, _ in self._steps if offered} | self.stage("agreed")
            case "agreed":
                return {person for person, _, said_yes in self._steps if said_yes} | self.stage("introduced")
            case "introduced":
                return {person for person, _ in self._sent} & self.stage("identified")
            case _:
                return self.people(self._members(key)) & self.stage("identified")

    def _members(self, key: str) -> Iterable[UUID]:
        if key == "joined":
            return self.attendance.ids
        if key == "retained":
            return self.attendance.retained()
        members = self.attendance.members.items()
        if key == "first":
            return (member_id for member_id, member in members if member.first_came <= self.as_at)
        return (member_id for member_id, member in members if member.is_open and member.is_regular)

    @cached_property
    def funding_over(self) -> set[UUID]:
        """Those of whom "retained" can be said."""
        return self.people(self.attendance.funding_over()) & self.stage("identified")

    @cached_property
    def outside(self) -> set[UUID]:
        """Members of nobody in the cohort."""
        people = self.stage("identified")
        return {key for key in self.attendance.ids if self.person_of.get(key) not in people}

    @cached_property
    def answers(self) -> dict[str, set[UUID]]:
        """Who was offered and has not agreed, by their latest answer."""
        rows = OPEN_STEPS(council=self.agreement.funder_id, as_at=self.as_at)
        # Two steps recorded in the same moment stand in the order of the states.
        in_order = sorted(rows, key=lambda row: (row[0], row[1], STATES.index(row[2])))
        latest = {person: state for _, _, state, person in in_order}
        waiting = self.stage("offered") - self.stage("agreed")
        return {answer: {person for person in waiting if latest[person] == state} for answer, state in ANSWERS.items()}

    def people(self, memberships) -> set[UUID]:
        """The young people behind memberships; those without an introduction on record are left out."""
        return {self.person_of[key] for key in memberships if key in self.person_of}
