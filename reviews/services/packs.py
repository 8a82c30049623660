"""Packs: asked for, built in a job, kept as editions that never change."""

import hashlib
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from reviews import audience as audiences
from reviews import documents, figures, rules
from reviews.models import Audience, ReviewMeeting, ReviewPack
from stockport_hubs import pdf
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job

KIND = "reviews.build_pack"


def audiences_for(user: User) -> list[str]:
    """Whose packs someone may make and read: the council's managers both, pantry managers their own."""
    if user.role == Role.LEAVING_CARE_MANAGER:
        return list(Audience.values)
    return [Audience.STOCKPORT_HOMES] if user.role == Role.PANTRY_MANAGER else []


@transaction.atomic
def ask(*, meeting: ReviewMeeting, by: User, at: datetime) -> list[Job]:
    """A job for each of the person's audiences; asked again before it is done: the same job, retried if it failed."""
    asked = []
    for audience in audiences_for(by):
        edition = _next_edition(meeting, audience)
        job = jobs.enqueue(
            KIND,
            key=f"{KIND}:{meeting.pk}:{audience}:{edition}",
            ids={"meeting": str(meeting.pk), "audience": audience, "by": str(by.pk)},
            asked_by=by,
        )
        if job.failed_at:
            jobs.retry(job=job)
        asked.append(job)
    audit.record("reviews.pack.asked", at=at, by=by, target=meeting)
    return asked


def _next_edition(meeting: ReviewMeeting, audience: str) -> int:
    packs = ReviewPack.objects.filter(meeting=meeting, audience=audience).order_by("-edition")
    return (packs.values_list("edition", flat=True).first() or 0) + 1


def freeze(meeting: ReviewMeeting, audience: str, *, made_by: str, at: datetime) -> dict:
    """Everything an edition says, as JSON."""
    as_at = rules.figures_as_at(meeting.period_to, london_date(at))
    computed = figures.compute(meeting.agreement, meeting.period_from, meeting.period_to, as_at)
    return audiences.freeze(computed, audience) | {
        "meeting": {"id": str(meeting.pk), "starts_at": meeting.starts_at.isoformat(), "where": meeting.where},
        "invited": [
            {"name": each.name, "organisation": each.organisation.name, "came": each.came}
            for each in meeting.attendance.select_related("organisation")
        ],
        "previous": _previous(meeting, audience),
        "edition": _next_edition(meeting, audience),
        "made_by": made_by,
        "made_at": at.isoformat(),
    }


def _previous(meeting: ReviewMeeting, audience: str) -> dict | None:
    """What the meeting before looked at: from its last pack, or counted anew as at the end of its period."""
    earlier = ReviewMeeting.objects.filter(agreement=meeting.agreement, starts_at__lt=meeting.starts_at)
    before = earlier.select_related("agreement__funder", "agreement__operator").first()
    if before is None or before.period_to >= meeting.period_to:
        return None
    pack = ReviewPack.objects.filter(meeting=before, audience=audience).order_by("-edition").first()
    if pack:
        joined, came = pack.figures["funnel"]["joined"], pack.figures["members"]["came_last4"]
    else:
        counted = figures.compute(before.agreement, before.period_from, before.period_to, before.period_to)
        joined, came = dict(counted.funnel)["joined"], len(counted.members["came_last4"])
    return {"met_on": london_date(before.starts_at).isoformat(), "joined": joined, "came_last4": came}


def to_pdf(frozen: dict) -> bytes:
    """The printed pack of frozen figures; the same figures give the same bytes."""
    return pdf.render("reviews/pack_print.html", {"frozen": frozen, "pack": documents.document(frozen, printed=True)})


def build(
    *,
    meeting: ReviewMeeting,
    audience: str,
    by: User | None,
    at: datetime,
    job: Job | None = None,
    progress: Callable[[int, str], None] = lambda per_cent, note: None,
) -> Callable[[], ReviewPack]:
    """Compute and print outside a transaction; the function returned stores the edition inside one."""
    if audience not in Audience.values:
        raise Refused(f"Packs are offered for {' and '.join(Audience.values)} so far.")
    progress(10, "Counting the figures")
    frozen = freeze(meeting, audience, made_by=by.name if by else "a command", at=at)
    progress(40, "Printing the pages")
    printed = to_pdf(frozen)

    @transaction.atomic
    def store() -> ReviewPack:
        pack = ReviewPack.objects.create(
            meeting=meeting,
            audience=audience,
            edition=frozen["edition"],
            as_at=at,
            made_by=by,
            job=job,
            figures=frozen,
            pdf=printed,
            sha256=hashlib.sha256(printed).hexdigest(),
        )
        who = {"by": by} if by else {"job": "build_pack"}
        audit.record("reviews.pack.made", at=at, target=pack, subjects=audiences.subjects(frozen), **who)
        return pack

    return store


def under_way(meeting: ReviewMeeting, by: User) -> QuerySet[Job]:
    """The jobs this person asked for about a meeting that are waiting, running or failed."""
    of_meeting = Job.objects.for_user(by).filter(kind=KIND, key__startswith=f"{KIND}:{meeting.pk}:")
    return of_meeting.filter(done_at__isnull=True).order_by("created_at")
