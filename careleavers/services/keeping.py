"""Young people who were never offered a place: kept for a while, then deleted. Their place in the cohort counts on."""

from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.fields.reverse_related import ForeignObjectRel

from careleavers.models import AdvisorAllocation, AdvisorCover, CareLeaver, CohortPlace, KeepingRule, RecordOpening
from careleavers.models.keeping import FEWEST, MOST
from stockport_hubs.accounts.models import Organisation, User
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import LONDON, london_date

AT_ONCE = 200
# What does not keep somebody here; who opened the record with a reason is told by the audit.
WITH_THE_PERSON = (AdvisorAllocation, AdvisorCover, CohortPlace, RecordOpening)


def days_of(council: Organisation | UUID, on: date) -> int:
    """How long somebody of a council is kept who was never offered a place, by the rule of that day."""
    return KeepingRule.objects.days_of(council, on)


def never_offered(council: Organisation | UUID) -> models.QuerySet[CareLeaver]:
    """Those of a council nothing was offered to, and on whom nothing hangs: no agreement, introduction or barrier."""
    unoffered = Q(cohort_place__isnull=True) | Q(cohort_place__state=CohortPlace.State.IDENTIFIED)
    found = CareLeaver.objects.filter(unoffered, council=council)
    # Whatever names a young person, of the parts above too: nothing is taken along that somebody wrote about them.
    for relation in CareLeaver._meta.get_fields(include_hidden=True):
        if isinstance(relation, ForeignObjectRel) and relation.related_model not in WITH_THE_PERSON:
            hanging = relation.related_model._base_manager.filter(**{relation.field.name: OuterRef("pk")})
            found = found.filter(~Exists(hanging))
    return found


def due(council: Organisation | UUID, on: date) -> models.QuerySet[CareLeaver]:
    """Whose time is over on that day: counted from when they came here, or into the cohort."""
    until = on - timedelta(days=days_of(council, on))
    begin = datetime.combine(until + timedelta(days=1), datetime.min.time(), LONDON)
    in_time = Q(cohort_place__isnull=True) | Q(cohort_place__ticked_on__lte=until)
    return never_offered(council).filter(in_time, created_at__lt=begin)


def deleted_on(care_leaver: CareLeaver, days: int) -> date:
    """The day from which somebody is deleted if nothing is offered; `cohort_place` is selected with the person."""
    since = london_date(care_leaver.created_at)
    place = care_leaver.place
    return max(since, place.ticked_on if place else since) + timedelta(days=days)


@transaction.atomic
def set_rule(
    *, council: Organisation, days: int, from_on: date, approved_by: str, by: User, at: datetime
) -> KeepingRule:
    """How long they are kept, from a day on, and who approved it."""
    if not FEWEST <= days <= MOST:
        raise Refused(f"Choose between {FEWEST} and {MOST} days.")
    if from_on < london_date(at):
        raise Refused("The rule counts from today or a later day.")
    rule = KeepingRule.objects.create(
        council=council, days=days, from_on=from_on, approved_by=approved_by.strip(), set_by=by, set_at=at
    )
    audit.record("careleavers.keeping.set", at=at, by=by, target=rule, detail={"days": days})
    return rule


def sweep(*, job: str, at: datetime) -> int:
    """Delete whose time is over, AT_ONCE in a transaction; how many. The audit keeps their ids and nothing else."""
    done = 0
    for council in Organisation.objects.filter(kind=Organisation.Kind.COUNCIL).order_by("pk"):
        while gone := _delete_some(council, job, at):
            done += gone
    return done


@transaction.atomic
def _delete_some(council: Organisation, job: str, at: datetime) -> int:
    chosen = list(due(council, london_date(at)).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    # Locked, then asked again: an offer or an introduction may have come in between.
    list(CareLeaver.objects.select_for_update().filter(pk__in=chosen).order_by("pk").values_list("pk", flat=True))
    keys = list(due(council, london_date(at)).filter(pk__in=chosen).values_list("pk", flat=True))
    if keys:
        subjects = [(CARE_LEAVER, key) for key in keys]
        audit.record("careleavers.person.forgotten", at=at, job=job, subjects=subjects, detail={"people": len(keys)})
        CareLeaver.objects.filter(pk__in=keys).delete()
    return len(keys)
