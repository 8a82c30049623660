"""Who is the personal advisor of whom, dated; and who covers for them."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from careleavers.models import AdvisorAllocation, AdvisorCover, CareLeaver
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date

DAY = timedelta(days=1)


def spoken(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def advisors_of(user: User) -> QuerySet[User]:
    """Personal advisors of this person's council, by name."""
    return User.objects.advisors_of(user.organisation_id)


def advisors_ever(user: User) -> QuerySet[User]:
    """Everyone of this person's council to whom young people are or were allocated, by name."""
    had = AdvisorAllocation.objects.filter(advisor=OuterRef("pk"))
    return User.objects.filter(Exists(had), organisation_id=user.organisation_id).order_by("name", "pk")


def advisors_for(user: User) -> QuerySet[User]:
    """The same, each with `held`: how many young people they have today or later."""
    held = (
        AdvisorAllocation.objects.filter(advisor=OuterRef("pk"), until_on=None)
        .order_by()
        .values("advisor")
        .annotate(n=Count("pk"))
        .values("n")
    )
    return advisors_of(user).annotate(held=Coalesce(Subquery(held), 0))


def check_can_advise(advisor: User, care_leaver: CareLeaver) -> None:
    """Raises when this account cannot hold this young person. An invited account can: it need not have joined."""
    if advisor.role != Role.PERSONAL_ADVISOR or advisor.organisation_id != care_leaver.council_id:
        raise Refused(f"{advisor.name} is not a personal advisor of this council. Choose another.")
    if advisor.deactivated_at:
        raise Refused(f"The account of {advisor.name} is deactivated. Choose another advisor.")


@transaction.atomic
def allocate(
    *, care_leaver: CareLeaver, advisor: User, on: date, by: User | None = None, job: str = "", at: datetime
) -> AdvisorAllocation:
    """Allocate from a day; a transfer closes the earlier row the day before.

    A row that would never have held a day (the same day, or still to come) is replaced; the audit keeps that it was.
    """
    CareLeaver.objects.select_for_update().get(pk=care_leaver.pk)  # one transfer at a time
    check_can_advise(advisor, care_leaver)
    if care_leaver.has_died:
        raise Refused("This young person has died and is not allocated any more.")
    today = london_date(at)
    rows = list(care_leaver.allocations.select_related("advisor").order_by("from_on"))
    begun = [row for row in rows if row.from_on <= today]
    last = begun[-1] if begun else None
    if last and on < last.from_on:
        raise Refused(
            f"{last.advisor.name} has been the advisor since {spoken(last.from_on)}. Choose that day or a later one."
        )
    kept = [row for row in rows if row.from_on < on]
    if kept and kept[-1].advisor_id == advisor.pk and kept[-1].until_on is None:
        raise Refused(f"{advisor.name} is already the advisor. Choose another, or leave it as it is.")
    replaced = [row for row in rows if row.from_on >= on]
    if len(replaced) == 1 and replaced[0].advisor_id == advisor.pk and replaced[0].from_on == on:
        raise Refused(f"{advisor.name} is already the advisor from {spoken(on)}.")
    for row in replaced:
        row.delete()
    if kept and (kept[-1].until_on is None or kept[-1].until_on >= on):
        kept[-1].until_on = on - DAY
        kept[-1].save(update_fields=["until_on"])
    allocation = AdvisorAllocation.objects.create(
        care_leaver=care_leaver, advisor=advisor, from_on=on, given_by=by, until_on=None
    )
    audit.record(
        "careleavers.allocation.given",
        at=at,
        by=by,
        job=job,
        target=allocation,
        subjects=[(CARE_LEAVER, care_leaver.pk)],
        detail={"advisor": str(advisor.pk), "from": on.isoformat(), "replaced": [str(r.advisor_id) for r in replaced]},
    )
    return allocation


@transaction.atomic
def give_cover(
    *, care_leaver: CareLeaver, advisor: User, from_on: date, until_on: date, by: User, at: datetime
) -> AdvisorCover:
    """A colleague sees and does everything for this young person from the first to the last day, both included."""
    check_can_advise(advisor, care_leaver)
    if care_leaver.has_died:
        raise Refused("This young person has died; no cover is needed.")
    if until_on < from_on:
        raise Refused("The last day of cover must not be before the first.")
    if until_on < london_date(at):
        raise Refused("The last day of cover has passed already. Choose today or a later day.")
    if care_leaver.allocations.in_force_on(from_on).filter(advisor=advisor, until_on=None).exists():
        raise Refused(f"{advisor.name} is the advisor and needs no cover to see this young person.")
    overlapping = care_leaver.covers.filter(advisor=advisor, from_on__lte=until_on, until_on__gte=from_on).first()
    if overlapping:
        raise Refused(
            f"{advisor.name} already covers from {spoken(overlapping.from_on)} to {spoken(overlapping.until_on)}."
        )
    cover = AdvisorCover.objects.create(
        care_leaver=care_leaver, advisor=advisor, from_on=from_on, until_on=until_on, given_by=by
    )
    detail = {"advisor": str(advisor.pk), "from": from_on.isoformat(), "until": until_on.isoformat()}
    subjects = [(CARE_LEAVER, care_leaver.pk)]
    audit.record("careleavers.cover.given", at=at, by=by, target=cover, subjects=subjects, detail=detail)
    return cover


@transaction.atomic
def end_cover(*, cover: AdvisorCover, by: User, at: datetime) -> None:
    """End cover before its last day: from this moment on the colleague no longer sees the person."""
    today = london_date(at)
    if cover.until_on < today:
        raise Refused("This cover has ended already.")
    subjects, detail = [(CARE_LEAVER, cover.care_leaver_id)], {"advisor": str(cover.advisor_id)}
    audit.record("careleavers.cover.ended", at=at, by=by, target=cover, subjects=subjects, detail=detail)
    if cover.from_on >= today:
        cover.delete()  # it never held a whole day
    else:
        cover.until_on = today - DAY
        cover.save(update_fields=["until_on"])
