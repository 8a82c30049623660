"""The fixed cohort on its way: who was offered an introduction, agreed, was introduced, joined, came, stayed.

Each step is one condition on young people. `Cohort` asks all of them of everyone at once, for the numbers; a list in
pages of the people behind a number asks the same one (reviews.behind).
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import cached_property
from uuid import UUID

from django.db.models import BooleanField, Case, Exists, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.lookups import Exact

from careleavers.models import CareLeaver, CohortMove, CohortPlace
from pantry.models import Collection, FundingAgreement
from referrals.models import Referral
from reviews.attendance import Attendance, members_on
from stockport_hubs.core.kept import Kept
from stockport_hubs.core.weeks import LONDON

State = CohortPlace.State
ANSWERS = {"declined": State.DECLINED, "no_reply": State.NO_REPLY, "unanswered": State.OFFERED}


def sent(agreement: UUID, before: datetime) -> QuerySet[Referral]:
    """Introductions of an agreement by a moment."""
    return Referral.objects.filter(agreement=agreement, sent_at__lt=before).order_by()


def _steps(as_at: date) -> QuerySet[CohortMove]:
    """Of one person."""
    return CohortMove.objects.filter(place__care_leaver=OuterRef("pk"), on__lte=as_at).order_by()


def _identified(agreement, as_at, before):
    return Q(Exists(_steps(as_at)))


def _offered(agreement, as_at, before):
    return Q(Exists(_steps(as_at).exclude(state=State.IDENTIFIED))) | _agreed(agreement, as_at, before)


def _agreed(agreement, as_at, before):
    return Q(Exists(_steps(as_at).filter(state=State.AGREED))) | _introduced(agreement, as_at, before)


def _introduced(agreement, as_at, before):
    return Q(Exists(sent(agreement, before).filter(care_leaver=OuterRef("pk"))))


def _joined(agreement, as_at, before):
    theirs = sent(agreement, before).filter(care_leaver=OuterRef("pk"))
    return Q(Exists(theirs.filter(membership__in=members_on(agreement, as_at).order_by().values("pk"))))


def _first(agreement, as_at, before):
    came = Collection.objects.counted().filter(membership=OuterRef("membership"), on__lte=as_at).order_by()
    theirs = sent(agreement, before).filter(Exists(came), care_leaver=OuterRef("pk"))
    return Q(Exists(theirs.filter(membership__in=members_on(agreement, as_at).order_by().values("pk"))))


# The steps that a query tells; the two others need the weeks of members (reviews.attendance).
REACHED = {"offered": _offered, "agreed": _agreed, "introduced": _introduced, "joined": _joined, "first": _first}
STAGES = ("identified", *REACHED, "regular", "retained")


def reached(key: str, agreement: UUID, as_at: date, before: datetime) -> Q:
    """The condition on young people of a step that a query tells; `before` is the end of the day."""
    ticked = _identified(agreement, as_at, before)
    return ticked if key == "identified" else ticked & REACHED[key](agreement, as_at, before)


def _latest(as_at: date) -> Subquery:
    """The state of the latest step; two of one moment stand in the order of the states."""
    in_order = Case(*(When(state=state, then=Value(n)) for n, state in enumerate(State.values)))
    return Subquery(_steps(as_at).order_by("-on", "-recorded_at", in_order.desc()).values("state")[:1])


def answered(key: str, agreement: UUID, as_at: date, before: datetime) -> Q:
    """Offered and not agreed, and this was the latest answer."""
    return _waiting(agreement, as_at, before) & Q(Exact(_latest(as_at), Value(ANSWERS[key])))


def _waiting(agreement, as_at, before):
    return reached("offered", agreement, as_at, before) & ~_agreed(agreement, as_at, before)


def _flags(council, agreement, as_at, before):
    given = (agreement, as_at, before)
    flags = {key: ExpressionWrapper(of(*given), BooleanField()) for key, of in REACHED.items()}
    everyone = CareLeaver.objects.filter(_identified(*given), council=council).order_by()
    return everyone.annotate(**flags).values_list("pk", *REACHED)


def _answers(council, agreement, as_at, before):
    waiting = CareLeaver.objects.filter(_waiting(agreement, as_at, before), council=council).order_by()
    return waiting.values_list("pk", _latest(as_at))


FLAGS = Kept(_flags)
LATEST = Kept(_answers)
SENT = Kept(lambda agreement, before: sent(agreement, before).values_list("care_leaver_id", "membership_id"))


def end_of(day: date) -> datetime:
    """The first moment after a London day."""
    return datetime.combine(day + timedelta(days=1), time(), LONDON)


class Cohort:
    """Everyone a manager ticked by a day; `stages` and `answers` hold ids of young people by key."""

    def __init__(self, agreement: FundingAgreement, attendance: Attendance):
        self.attendance = attendance
        self._given = {
            "council": agreement.funder_id,
            "agreement": agreement.pk,
            "as_at": attendance.as_at,
            "before": end_of(attendance.as_at),
        }

    @cached_property
    def person_of(self) -> dict[UUID, UUID]:
        """The young person of each member with an introduction on record."""
        rows = SENT(agreement=self._given["agreement"], before=self._given["before"])
        return {membership: person for person, membership in rows if membership in self.attendance.members}

    @cached_property
    def stages(self) -> dict[str, set[UUID]]:
        """Every step."""
        rows = FLAGS(**self._given)
        found = {"identified": {row[0] for row in rows}}
        found |= {key: {row[0] for row in rows if row[n]} for n, key in enumerate(REACHED, 1)}
        return found | {
            "regular": self.people(self.attendance.regular()) & found["identified"],
            "retained": self.people(self.attendance.retained()) & found["identified"],
        }

    @cached_property
    def funding_over(self) -> set[UUID]:
        """Those of whom "retained" can be said."""
        return self.people(self.attendance.funding_over()) & self.stages["identified"]

    @cached_property
    def outside(self) -> set[UUID]:
        """Members of nobody in the cohort."""
        people = self.stages["identified"]
        return {key for key in self.attendance.members if self.person_of.get(key) not in people}

    @cached_property
    def answers(self) -> dict[str, set[UUID]]:
        """Who was offered and has not agreed, by their latest answer."""
        rows = LATEST(**self._given)
        return {key: {person for person, answer in rows if answer == state} for key, state in ANSWERS.items()}

    def people(self, memberships: Iterable[UUID]) -> set[UUID]:
        """The young people behind memberships; those without an introduction on record are left out."""
        return {self.person_of[key] for key in memberships if key in self.person_of}
