"""The fixed cohort on its way: who was offered an introduction, agreed, was introduced, joined, came, stayed.

A step is told by rows of its own: cohort places and their steps, introductions, members, collections, each chosen in
one place (`places`, `steps`, `sent`, `members_on`, `came_by`). `Cohort` reads those of everybody at once, for the
numbers; `reached` and `answered` are the same as conditions on young people, for a list in pages of those behind one.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import cached_property
from uuid import UUID

from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.lookups import Exact

from careleavers.models import CareLeaver, CohortMove, CohortPlace
from careleavers.models.cohort import CohortPlaceQuerySet
from pantry.models import FundingAgreement
from referrals.models import Referral, VolunteeringMove, VolunteeringOffer
from reviews.attendance import Attendance, came_by, members_on
from stockport_hubs.core.kept import Kept, together
from stockport_hubs.core.weeks import LONDON

STAGES = ("identified", "offered", "agreed", "introduced", "joined", "first", "regular", "retained", "volunteering")
State = CohortPlace.State
ANSWERS = {"declined": State.DECLINED, "no_reply": State.NO_REPLY, "unanswered": State.OFFERED}
STEPS_OF: dict[str, list[str]] = {
    "offered": [state for state in State.values if state != State.IDENTIFIED],
    "agreed": [State.AGREED],
}


def places(as_at: date) -> CohortPlaceQuerySet:
    """Of everyone who was ticked by a day."""
    return CohortPlace.objects.filter(ticked_on__lte=as_at).order_by()


def steps(as_at: date) -> QuerySet[CohortMove]:
    """Every step by a day."""
    return CohortMove.objects.filter(on__lte=as_at).order_by()


def sent(agreement: UUID, before: datetime) -> QuerySet[Referral]:
    """Introductions of an agreement by a moment."""
    return Referral.objects.filter(agreement=agreement, sent_at__lt=before).order_by()


def begun(as_at: date) -> QuerySet[VolunteeringMove]:
    """When somebody began to volunteer, by a day."""
    counted = VolunteeringMove.objects.filter(undone_at__isnull=True, on__lte=as_at).order_by()
    return counted.filter(state=VolunteeringOffer.State.VOLUNTEERING)


def reached(key: str, agreement: UUID, as_at: date, before: datetime) -> Q:
    """The condition on young people of a step up to "first", and of the last; `before` is the end of the day."""
    ticked = places(as_at).filter(care_leaver=OuterRef("pk"))
    theirs = sent(agreement, before).filter(care_leaver=OuterRef("pk"))
    joined = theirs.filter(membership__in=members_on(agreement, as_at).order_by().values("pk"))
    came = came_by(as_at).filter(membership=OuterRef("membership"))
    introduced = sent(agreement, before).values("care_leaver")
    return (
        Q(Exists(ticked))
        & {
            "identified": Q(),
            # One set of keys: for "one or the other" PostgreSQL asks for each person in turn.
            "offered": Q(pk__in=_taken("offered", as_at).values("place__care_leaver").union(introduced)),
            "agreed": Q(pk__in=_taken("agreed", as_at).values("place__care_leaver").union(introduced)),
            "introduced": Q(Exists(theirs)),
            "joined": Q(Exists(joined)),
            "first": Q(Exists(joined.filter(Exists(came)))),
            "volunteering": Q(Exists(begun(as_at).filter(offer__care_leaver=OuterRef("pk")))),
        }[key]
    )


def _taken(key: str, as_at: date) -> QuerySet[CohortMove]:
    return steps(as_at).filter(state__in=STEPS_OF[key])


def _waiting(agreement: UUID, as_at: date, before: datetime) -> Q:
    """Offered, and neither agreed nor introduced."""
    offered, agreed = (_taken(key, as_at).filter(place__care_leaver=OuterRef("pk")) for key in ("offered", "agreed"))
    introduced = sent(agreement, before).filter(care_leaver=OuterRef("pk"))
    return Q(Exists(offered)) & ~Q(Exists(agreed)) & ~Q(Exists(introduced))


def _latest(as_at: date) -> Case:
    """The state of the latest step, which is the place's own unless it has moved since; two steps of one moment stand
    in the order of the states."""
    in_order = Case(*(When(state=state, then=Value(n)) for n, state in enumerate(State.values)))
    taken = steps(as_at).filter(place__care_leaver=OuterRef("pk"))
    then = Subquery(taken.order_by("-on", "-recorded_at", in_order.desc()).values("state")[:1])
    return Case(When(cohort_place__state_on__lte=as_at, then=F("cohort_place__state")), default=then)


def answered(key: str, agreement: UUID, as_at: date, before: datetime) -> Q:
    """The condition on young people that they have not agreed, and this was their latest answer."""
    return _waiting(agreement, as_at, before) & Q(Exact(_latest(as_at), Value(ANSWERS[key])))


def _everyone(council, as_at):
    made = {
        key: Count("pk", filter=Q(moves__state__in=states, moves__on__lte=as_at)) for key, states in STEPS_OF.items()
    }
    helps = Exists(begun(as_at).filter(offer__care_leaver=OuterRef("care_leaver")))
    return places(as_at).filter(council=council).values_list("care_leaver_id").annotate(**made, helps=helps)


# Everyone of the cohort: (person, steps beyond "identified", times they agreed, whether they began to volunteer).
STEPS = Kept(_everyone)
SENT = Kept(lambda agreement, before: sent(agreement, before).values_list("care_leaver_id", "membership_id"))
LATEST = Kept(
    lambda council, agreement, as_at, before: (
        CareLeaver.objects.filter(_waiting(agreement, as_at, before), council=council)
        .order_by()
        .values_list("pk", _latest(as_at))
    )
)


def end_of(day: date) -> datetime:
    """The first moment after a London day."""
    return datetime.combine(day + timedelta(days=1), time(), LONDON)


class Cohort:
    """Everyone a manager ticked by a day; `stages` and `answers` hold ids of young people by key."""

    def __init__(self, agreement: FundingAgreement, attendance: Attendance):
        self.as_at, self.agreement, self.attendance = attendance.as_at, agreement, attendance

    @cached_property
    def _read(self) -> tuple[list, list]:
        """Their steps, and introductions that were sent; and for the attendance, until when members were funded."""
        found, sent, funded = together(
            STEPS.of(council=self.agreement.funder_id, as_at=self.as_at),
            SENT.of(agreement=self.agreement.pk, before=end_of(self.as_at)),
            self.attendance.ask_funded_to(),
        )
        self.attendance.read_funded_to(funded)
        return found, sent

    @cached_property
    def person_of(self) -> dict[UUID, UUID]:
        """The young person of each member with an introduction on record."""
        return {membership: person for person, membership in self._read[1] if membership in self.attendance.members}

    @cached_property
    def stages(self) -> dict[str, set[UUID]]:
        """Every step."""
        found, sent = self._read
        rows = [row for row in found if row[0]]
        identified = {person for person, *_ in rows}
        if len(rows) < len(found):  # deleted, never offered a place: each still counts, under the key of their place
            gone = places(self.as_at).of_nobody().filter(council=self.agreement.funder_id)
            identified |= set(gone.values_list("pk", flat=True))
        introduced = {person for person, _ in sent} & identified
        agreed = {person for person, _, said_yes, _ in rows if said_yes} | introduced
        members = {
            "joined": self.attendance.members,
            "first": (key for key, member in self.attendance.members.items() if member.first_came <= self.as_at),
            "regular": self.attendance.regular(),
            "retained": self.attendance.retained(),
        }
        return {
            "identified": identified,
            "offered": {person for person, offered, *_ in rows if offered} | agreed,
            "agreed": agreed,
            "introduced": introduced,
            **{key: self.people(found) & identified for key, found in members.items()},
            "volunteering": {person for person, *_, helps in rows if helps},
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
        rows = LATEST(
            council=self.agreement.funder_id, agreement=self.agreement.pk, as_at=self.as_at, before=end_of(self.as_at)
        )
        return {key: {person for person, answer in rows if answer == state} for key, state in ANSWERS.items()}

    def people(self, memberships: Iterable[UUID]) -> set[UUID]:
        """The young people behind memberships; those without an introduction on record are left out."""
        return {self.person_of[key] for key in memberships if key in self.person_of}
