"""The cohort of the pilot: who belongs, who was offered an introduction, what they answered. Moves are in rules.py."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import transaction

from careleavers import rules
from careleavers.models import CareLeaver, CohortMove, CohortPlace
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core.among import Among
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date

State = CohortPlace.State


@transaction.atomic
def tick(*, care_leavers: Iterable[CareLeaver], on: date, by: User | None = None, job: str = "", at: datetime) -> int:
    """These belong to the cohort; how many did not before."""
    # Of two who tick the same people at once, the second waits here and then finds the places of the first.
    theirs = CareLeaver.objects.select_for_update(no_key=True).filter(Among("pk", [each.pk for each in care_leavers]))
    people = list(theirs.living().order_by("pk"))
    known = set(CohortPlace.objects.filter(care_leaver__in=people).values_list("care_leaver_id", flat=True))
    new = [person for person in people if person.pk not in known]
    places = CohortPlace.objects.bulk_create(
        [CohortPlace(care_leaver=person, council_id=person.council_id, ticked_on=on, state_on=on) for person in new]
    )
    CareLeaver.objects.filter(Among("pk", [person.pk for person in new])).update(is_in_cohort=True)
    CohortMove.objects.bulk_create(
        [CohortMove(place=place, state=State.IDENTIFIED, on=on, by=by, recorded_at=at) for place in places]
    )
    if new:
        subjects = [(CARE_LEAVER, person.pk) for person in new]
        audit.record("careleavers.cohort.ticked", at=at, by=by, job=job, subjects=subjects, detail={"people": len(new)})
    return len(new)


@transaction.atomic
def untick(*, care_leaver: CareLeaver, by: User, at: datetime) -> None:
    """Take back a tick made by mistake. Once offered, nobody falls out of the count."""
    place = CohortPlace.objects.select_for_update().filter(care_leaver=care_leaver).first()
    if place is None:
        raise Refused("This young person is not in the cohort.")
    if place.state != State.IDENTIFIED or place.moves.count() > 1:
        raise Refused(
            "This young person has been offered an introduction and stays in the cohort, whatever they answer."
        )
    subjects = [(CARE_LEAVER, care_leaver.pk)]
    audit.record("careleavers.cohort.unticked", at=at, by=by, target=care_leaver, subjects=subjects)
    place.delete()
    CareLeaver.objects.filter(pk=care_leaver.pk).update(is_in_cohort=False)


def next_states(place: CohortPlace) -> tuple[str, ...]:
    """Where this place can move."""
    return rules.COHORT_MOVES[place.state]


@transaction.atomic
def move(
    *, care_leaver: CareLeaver, state: str, on: date, by: User | None = None, job: str = "", at: datetime
) -> CohortPlace:
    """Move the person's place to a state; refused when that is not the next one, or the day is out of order."""
    place = CohortPlace.objects.select_for_update().filter(care_leaver=care_leaver).first()
    if place is None:
        raise Refused("This young person is not in the cohort. A leaving care manager ticks who belongs to it.")
    if care_leaver.has_died:
        raise Refused("This young person has died. Nothing more is offered.")
    if state not in next_states(place):
        then = " or ".join(State(each).label.lower() for each in next_states(place))
        raise Refused(
            f"“{place.get_state_display()}” cannot become “{State(state).label}”."
            + (
                f" The next step is: {then}."
                if then
                else " That answer stands; an introduction can be withdrawn instead."
            )
        )
    if on > london_date(at):
        raise Refused("The day must not be in the future.")
    if on < place.state_on:
        raise Refused(
            f"The day must not be before {place.state_on.day} {place.state_on:%B %Y}, the last step recorded."
        )
    place.state, place.state_on = state, on
    place.save(update_fields=["state", "state_on"])
    CohortMove.objects.create(place=place, state=state, on=on, by=by, recorded_at=at)
    subjects, detail = [(CARE_LEAVER, care_leaver.pk)], {"state": state}
    audit.record("careleavers.cohort.moved", at=at, by=by, job=job, target=place, subjects=subjects, detail=detail)
    return place


def offer(*, care_leaver: CareLeaver, on: date, by: User | None = None, job: str = "", at: datetime) -> CohortPlace:
    """An introduction was offered, or offered again."""
    return move(care_leaver=care_leaver, state=State.OFFERED, on=on, by=by, job=job, at=at)


def answer(
    *, care_leaver: CareLeaver, state: str, on: date, by: User | None = None, job: str = "", at: datetime
) -> CohortPlace:
    """What the person answered: agreed, declined or no reply."""
    return move(care_leaver=care_leaver, state=state, on=on, by=by, job=job, at=at)


@transaction.atomic
def agree(*, care_leaver: CareLeaver, on: date, by: User | None = None, job: str = "", at: datetime) -> None:
    """An introduction was sent, so the person has been offered one and agreed: record the steps still missing."""
    place = CohortPlace.objects.filter(care_leaver=care_leaver).first()
    if place is None or place.state == State.AGREED:
        return
    on = max(on, place.state_on)
    if place.state != State.OFFERED:
        move(care_leaver=care_leaver, state=State.OFFERED, on=on, by=by, job=job, at=at)
        at += timedelta(microseconds=1)  # two steps on one day keep their order
    move(care_leaver=care_leaver, state=State.AGREED, on=on, by=by, job=job, at=at)
