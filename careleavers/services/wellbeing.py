"""What a young person says about how they are: recorded, corrected, taken back. What is asked when: questions.py."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Min

from careleavers import questions
from careleavers.models import CareLeaver, SharingAgreement, Wellbeing
from careleavers.questions import NOT_ASKED, POINTS, QUESTIONS, START, counted_from
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date, spoken


def agreed_on(person: UUID) -> date | None:
    """The day of the first agreement to share: with it a young person takes part."""
    return SharingAgreement.objects.filter(care_leaver=person).aggregate(first=Min("given_on"))["first"]


def tell(person: UUID) -> None:
    """Write beside the young person what was asked and from when the rest is counted: people are chosen by it."""
    asked = dict(Wellbeing.objects.current().filter(care_leaver=person).values_list("point", "asked_on"))
    CareLeaver.objects.filter(pk=person).update(
        wellbeing_asked=" ".join(point for point in POINTS if point in asked),
        wellbeing_from=counted_from(asked.get(START), agreed_on(person)),
    )


def check_can_record(*, care_leaver: CareLeaver, point: str, asked_on: date, at: datetime) -> None:
    """Raises with a sentence when answers of that day cannot stand for this point."""
    if asked_on > london_date(at):
        raise Refused("The day must not be in the future.")
    there = dict(care_leaver.wellbeing.current().exclude(point=point).values_list("point", "asked_on"))
    started_on = asked_on if point == START else there.get(START)
    questions.check_is_open(point, asked_on, started_on, agreed_on(care_leaver.pk))
    order = list(POINTS)
    for other, day in there.items():
        is_before = order.index(other) < order.index(point)
        if (day >= asked_on) if is_before else (day <= asked_on):
            raise Refused(
                f"The answers of {POINTS[other].name.lower()} are of {spoken(day)}; those of "
                f"{POINTS[point].name.lower()} must be {'later' if is_before else 'earlier'}. Check both days."
            )


@transaction.atomic
def record(
    *,
    care_leaver: CareLeaver,
    point: str,
    asked_on: date,
    how: str,
    answers: Mapping[str, str],
    by: User | None = None,
    job: str = "",
    at: datetime,
) -> Wellbeing:
    """The answers of one point, by question; dated by the day they were given."""
    care_leaver = CareLeaver.objects.select_for_update().get(pk=care_leaver.pk)
    if care_leaver.has_died:
        raise Refused("This young person has died. Nothing more is asked.")
    if there := care_leaver.wellbeing.current().filter(point=point).first():
        raise Refused(
            f"The answers of {POINTS[point].name.lower()} are recorded already, of {spoken(there.asked_on)}. "
            "If they are wrong, correct them."
        )
    check_can_record(care_leaver=care_leaver, point=point, asked_on=asked_on, at=at)
    made = _write(care_leaver, point, asked_on, how, answers, by, at)
    tell(care_leaver.pk)
    _log("careleavers.wellbeing.recorded", made, by, job, at)
    return made


@transaction.atomic
def correct(
    *, earlier: Wellbeing, asked_on: date, how: str, answers: Mapping[str, str], because: str, by: User, at: datetime
) -> Wellbeing:
    """Other answers, or another day, for the same point; the earlier row stays and says why it does not count."""
    locked = _replace(earlier, because, by, at)
    check_can_record(care_leaver=locked.care_leaver, point=locked.point, asked_on=asked_on, at=at)
    if (asked_on, how, dict(answers)) == (locked.asked_on, locked.how, locked.answers):
        raise Refused("Nothing is different from what is recorded. Change what is wrong, or go back.")
    made = _write(locked.care_leaver, locked.point, asked_on, how, answers, by, at)
    tell(locked.care_leaver_id)
    _log("careleavers.wellbeing.corrected", made, by, "", at)
    return made


@transaction.atomic
def take_back(*, earlier: Wellbeing, because: str, by: User, at: datetime) -> Wellbeing:
    """They were recorded by mistake: the point is open again."""
    locked = _replace(earlier, because, by, at)
    tell(locked.care_leaver_id)
    _log("careleavers.wellbeing.taken_back", locked, by, "", at)
    return locked


def _replace(earlier: Wellbeing, because: str, by: User, at: datetime) -> Wellbeing:
    """The row, locked, with the person, marked as not counting any more."""
    CareLeaver.objects.select_for_update().get(pk=earlier.care_leaver_id)
    locked = Wellbeing.objects.select_related("care_leaver", "replaced_by").get(pk=earlier.pk)
    if locked.replaced_at:
        who = locked.replaced_by.name if locked.replaced_by else "somebody"
        raise Refused(f"{who} has changed these answers meanwhile. Read them again.")
    if not because.strip():
        raise Refused("Write why the earlier answers do not count.")
    locked.replaced_by, locked.replaced_at, locked.because = by, at, because.strip()[:200]
    locked.save(update_fields=["replaced_by", "replaced_at", "because"])
    return locked


def _write(
    care_leaver: CareLeaver,
    point: str,
    asked_on: date,
    how: str,
    answers: Mapping[str, str],
    by: User | None,
    at: datetime,
) -> Wellbeing:
    if set(answers) != set(QUESTIONS):
        raise TypeError(f"not the questions: {sorted(answers)}")
    if set(answers.values()) == {NOT_ASKED}:
        raise Refused("Nothing was asked, so there is nothing to record. Ask at least one of the questions.")
    return Wellbeing.objects.create(
        care_leaver=care_leaver,
        point=point,
        asked_on=asked_on,
        how=how,
        recorded_by=by,
        recorded_at=at,
        **answers,
    )


def _log(verb: str, row: Wellbeing, by: User | None, job: str, at: datetime) -> None:
    subjects, detail = [(CARE_LEAVER, row.care_leaver_id)], {"point": row.point}
    audit.record(verb, at=at, by=by, job=job, target=row, subjects=subjects, detail=detail)
