"""Packs: asked for, built in a job, kept as editions that never change."""

import hashlib
from collections.abc import Callable
from datetime import date, datetime

from django.db import transaction
from django.db.models import QuerySet

from reviews import audience as audiences
from reviews import documents, editions, figures, rules
from reviews.cohort import end_of
from reviews.entered import Known
from reviews.models import AgendaItem, Audience, ReviewMeeting, ReviewPack
from reviews.services import recipients
from reviews.words import is_summary
from stockport_hubs import pdf
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.one_moment import one_moment
from stockport_hubs.core.weeks import london_date
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job

KIND = "reviews.build_pack"


def audiences_for(user: User) -> list[str]:
    """Whose packs someone may make and print: the council's managers all, pantry managers their own."""
    if user.role == Role.LEAVING_CARE_MANAGER:
        return list(Audience.values)
    return [Audience.STOCKPORT_HOMES] if user.role == Role.PANTRY_MANAGER else []


@transaction.atomic
def ask(*, meeting: ReviewMeeting, by: User, at: datetime) -> list[Job]:
    """A job for each of the person's audiences; asked again before it is done: the same job, retried if it failed."""
    asked = []
    for audience in audiences_for(by):
        job = jobs.enqueue(
            KIND,
            key=f"{KIND}:{meeting.pk}:{audience}:{_next(_latest(meeting, audience))}",
            ids={"meeting": str(meeting.pk), "audience": audience, "by": str(by.pk)},
            asked_by=by,
        )
        if job.failed_at:
            jobs.retry(job=job)
        asked.append(job)
    audit.record("reviews.pack.asked", at=at, by=by, target=meeting)
    return asked


def freeze(meeting: ReviewMeeting, audience: str, *, made_by: str, at: datetime) -> dict:
    """Everything an edition says, as JSON."""
    as_at = rules.figures_as_at(meeting.period_to, london_date(at))
    before = _before(meeting)
    latest = _latest(meeting, audience)
    known = _known(latest or (_latest(before, audience) if before else None), as_at)
    computed = figures.compute(meeting.agreement, meeting.period_from, meeting.period_to, as_at, known)
    frozen = audiences.freeze(computed, audience) | {
        "meeting": {"id": str(meeting.pk), "starts_at": meeting.starts_at.isoformat(), "where": meeting.where},
        "previous": _previous(meeting, before, audience),
        "edition": _next(latest),
        "made_by": made_by,
        "made_at": at.isoformat(),
    }
    if audience != Audience.CORPORATE_PARENTS:
        frozen |= {
            "invited": [
                {"name": each.name, "organisation": each.organisation.name, "came": each.came}
                for each in meeting.attendance.select_related("organisation")
            ],
            "last_time": _last_time(before, as_at),
        }
    return frozen | ({"changed": editions.changed(latest.figures, frozen)} if latest else {})


def _latest(meeting: ReviewMeeting, audience: str) -> ReviewPack | None:
    """The newest edition; its file and figures are read where they are asked for."""
    found = ReviewPack.objects.filter(meeting=meeting, audience=audience).order_by("-edition")
    return found.defer("pdf", "figures").first()


def _next(latest: ReviewPack | None) -> int:
    return latest.edition + 1 if latest else 1


def _known(pack: ReviewPack | None, as_at: date) -> Known | None:
    """What that pack said, to tell apart what has been entered since."""
    if pack is None:
        return None
    day, period_from = (date.fromisoformat(pack.figures[name]) for name in ("as_at", "period_from"))
    return Known(pack.as_at, min(day, as_at), period_from)


def _before(meeting: ReviewMeeting) -> ReviewMeeting | None:
    """The meeting before this one about the same agreement."""
    earlier = ReviewMeeting.objects.filter(agreement=meeting.agreement, starts_at__lt=meeting.starts_at)
    return earlier.select_related("agreement__funder", "agreement__operator").order_by("-starts_at").first()


def _last_time(before: ReviewMeeting | None, as_at: date) -> dict | None:
    """What the meeting before agreed, and what had become of it by the day."""
    if before is None:
        return None
    rows = before.actions.filter(made_at__lt=end_of(as_at)).select_related("owner").order_by("due_on", "made_at")
    decided = AgendaItem.objects.filter(meeting=before, saved_at__lt=end_of(as_at)).exclude(decision="")
    return {
        "met_on": london_date(before.starts_at).isoformat(),
        "decided": list(decided.order_by("position", "added_at", "id").values("title", "decision")),
        "rows": [
            {
                "what": each.what,
                "owner": each.owner.name,
                "due_on": each.due_on.isoformat(),
                "done_on": each.done_on.isoformat() if each.done_on and each.done_on <= as_at else None,
            }
            for each in rows
        ],
    }


def _previous(meeting: ReviewMeeting, before: ReviewMeeting | None, audience: str) -> dict | None:
    """What the meeting before looked at: from its last pack, or counted anew as at the end of its period; what that
    audience was not told is None."""
    if before is None or before.period_to >= meeting.period_to:
        return None
    pack = _latest(before, audience)
    if pack:
        told = pack.figures
    else:
        counted = figures.compute(before.agreement, before.period_from, before.period_to, before.period_to)
        told = audiences.freeze(counted, audience)
    return {
        "met_on": london_date(before.starts_at).isoformat(),
        "joined": told["funnel"]["joined"],
        "came_last4": told["members"]["came_last4"],
    }


def to_pdf(frozen: dict) -> bytes:
    """The printed pack of frozen figures; the same figures give the same bytes."""
    context = {
        "frozen": frozen,
        "pack": documents.document(frozen, printed=True),
        "audience": Audience(frozen["audience"]).label,
        "contents": not is_summary(frozen),  # of two pages nobody needs any
    }
    return pdf.render("reviews/pack_print.html", context)


def build(
    *,
    meeting: ReviewMeeting,
    audience: str,
    by: User | None,
    now: Callable[[], datetime],
    job: Job | None = None,
    progress: Callable[[int, str], None] = lambda per_cent, note: None,
) -> Callable[[], ReviewPack]:
    """Compute and print outside a transaction; the function returned stores the edition inside one. `now` is asked once
    the rows are fixed that are counted, so that nothing the edition holds can be entered after it."""
    if audience not in Audience.values:
        raise Refused(f"There are packs for {', '.join(Audience.values)}. Choose one of them.")
    progress(10, "Counting the figures")
    with one_moment():
        at = now()
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


def disclose(*, pack: ReviewPack, verb: str, by: User, at: datetime) -> None:
    """The audit row of whom a pack showed to whom, and when a recipient opened it; in the transaction that shows it."""
    recipients.opened(pack=pack, by=by, at=at)
    audit.record(f"reviews.pack.{verb}", at=at, by=by, target=pack, subjects=audiences.subjects(pack.figures))


def latest(meeting: ReviewMeeting, by: User) -> list[ReviewPack]:
    """The newest edition of each of one's audiences, with its file."""
    mine = ReviewPack.objects.for_user(by).filter(meeting=meeting).order_by("audience", "-edition")
    newest = {audience: key for audience, key in reversed(mine.values_list("audience", "pk"))}
    in_order = {audience: n for n, audience in enumerate(Audience.values)}
    return sorted(
        ReviewPack.objects.for_user(by).filter(pk__in=newest.values()), key=lambda each: in_order[each.audience]
    )
