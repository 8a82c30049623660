"""The yearly review: last year's outcomes counted as at 31 March, what both say of them, approved by one of each."""

from collections.abc import Callable
from datetime import date, datetime

from django.db import transaction

from pantry.models import FundingAgreement
from reviews import audience, figures
from reviews.models import Audience, YearlyReview
from reviews.wording import refuse_names
from stockport_hubs import pdf
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import financial_year, london_date, spoken
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job

KIND = "reviews.yearly_review"
SIDES = {Role.LEAVING_CARE_MANAGER: "council", Role.PANTRY_MANAGER: "operator"}
# Rows of single members and meetings are of a pack; a year is told in counts.
OF_MEMBERS: dict[str, list] = {"grid": [], "shown_people": [], "shown_members": [], "actions": []}


def last_year(today: date) -> date:
    """1 April of the financial year that is over."""
    this = financial_year(today)
    return date(this.year - 1, 4, 1)


def ran_in(agreement: FundingAgreement, year_from: date) -> bool:
    """Had it begun when that year ended?"""
    return agreement.starts_on <= date(year_from.year + 1, 3, 31)


@transaction.atomic
def ask(*, agreement: FundingAgreement, by: User, at: datetime) -> Job:
    """A job that counts last year's figures; asked again before it is done: the same job, retried if it failed."""
    year_from = last_year(london_date(at))
    known = YearlyReview.objects.filter(agreement=agreement, year_from=year_from).first()
    if known is not None and (known.council_by_id or known.operator_by_id):
        raise Refused("This review has been approved by one organisation. Its figures stay as they were approved.")
    if not ran_in(agreement, year_from):
        raise Refused("The agreement began after that year. Its first yearly review is due next April.")
    stamp = known.made_at.isoformat() if known else "first"
    key = f"{KIND}:{agreement.pk}:{year_from.year}:{stamp}"
    ids = {"agreement": str(agreement.pk), "year": year_from.year, "by": str(by.pk)}
    job = jobs.enqueue(KIND, key=key, ids=ids, asked_by=by)
    if job.failed_at:
        jobs.retry(job=job)
    audit.record("reviews.yearly.asked", at=at, by=by, target=agreement)
    return job


def build(
    *, agreement: FundingAgreement, year_from: date, by: User, at: datetime, job: Job | None = None
) -> Callable[[], YearlyReview]:
    """Count outside a transaction; the function returned stores the review inside one."""
    year_to = date(year_from.year + 1, 3, 31)
    counted = figures.compute(agreement, year_from, year_to, year_to)
    # Both organisations approve the same pages: they hold what either may see.
    content = audience.freeze(counted, Audience.STOCKPORT_HOMES) | OF_MEMBERS
    content["holds"] = content["holds"] | {"rows": []}

    @transaction.atomic
    def store() -> YearlyReview:
        known = YearlyReview.objects.select_for_update(of=("self",)).filter(agreement=agreement, year_from=year_from)
        review = known.first() or YearlyReview(agreement=agreement, year_from=year_from)
        if review.council_by_id or review.operator_by_id:
            raise Refused("This review was approved meanwhile. Its figures stay as they were approved.")
        review.content, review.made_by, review.made_at, review.job = content, by, at, job
        review.save()
        audit.record("reviews.yearly.made", at=at, by=by, target=review)
        return review

    return store


@transaction.atomic
def write(
    *, review: YearlyReview, went_well: str, to_change: str, names_nobody: bool = False, by: User, at: datetime
) -> YearlyReview:
    """What both organisations say of the year; until one of them has approved it."""
    locked = _locked(review)
    if locked.council_by_id or locked.operator_by_id:
        raise Refused("One organisation has approved these words. They can take the approval back; then change them.")
    both = {"council_id": locked.agreement.funder_id, "operator_id": locked.agreement.operator_id}
    refuse_names([went_well, to_change], **both, by=by, names_nobody=names_nobody)
    locked.went_well, locked.to_change = went_well, to_change
    locked.save(update_fields=["went_well", "to_change"])
    audit.record("reviews.yearly.written", at=at, by=by, target=locked)
    return locked


@transaction.atomic
def approve(*, review: YearlyReview, by: User, at: datetime) -> YearlyReview:
    """For one's own organisation; with both, it is frozen."""
    locked, side = _locked(review), SIDES[Role(by.role)]
    if not (locked.went_well or locked.to_change):
        raise Refused("Nothing is said of the year yet. Write what went well or what is to change, then approve it.")
    if getattr(locked, f"{side}_by_id") is not None:
        whose = getattr(locked, f"{side}_by")
        raise Refused(f"{whose.name} has approved it for your organisation already.")
    setattr(locked, f"{side}_by", by)
    setattr(locked, f"{side}_at", at)
    locked.save(update_fields=[f"{side}_by", f"{side}_at"])
    audit.record("reviews.yearly.approved", at=at, by=by, target=locked)
    return locked


@transaction.atomic
def take_back(*, review: YearlyReview, by: User, at: datetime) -> YearlyReview:
    """One's own organisation's approval, while the other's is missing."""
    locked, side = _locked(review), SIDES[Role(by.role)]
    if getattr(locked, f"{side}_by_id") is None:
        raise Refused("Your organisation has not approved it. There is nothing to take back.")
    setattr(locked, f"{side}_by", None)
    setattr(locked, f"{side}_at", None)
    locked.save(update_fields=[f"{side}_by", f"{side}_at"])
    audit.record("reviews.yearly.approval_taken_back", at=at, by=by, target=locked)
    return locked


def _locked(review: YearlyReview) -> YearlyReview:
    rows = YearlyReview.objects.select_for_update(of=("self",)).select_related("agreement", "council_by", "operator_by")
    locked = rows.get(pk=review.pk)
    if locked.is_approved:
        raise Refused("Both organisations have approved this review. It stays as it is.")
    return locked


def year_said(review: YearlyReview) -> str:
    return f"{spoken(review.year_from)} to {spoken(review.year_to)}"


def to_pdf(context: dict) -> bytes:
    """The review in print."""
    return pdf.render("reviews/yearly_print.html", context, seconds=60)
