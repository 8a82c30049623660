"""What the homes of leaving care managers, finance officers and administrators show."""

from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.http import urlencode

from careleavers.models import CareLeaver
from pantry import money
from pantry.models import EntryKind, FundingAgreement, JournalEntry, Pantry, RenewalDecision, Tariff
from referrals.models import Referral
from reviews import figures
from reviews.attendance import Week
from reviews.models import Barrier, BarrierState, ReviewMeeting
from stockport_hubs.accounts.models import Invitation, Organisation, Role, User
from stockport_hubs.charts import shapes
from stockport_hubs.core.forms import DAY_PARTS
from stockport_hubs.core.weeks import LONDON, WEEK, monday
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job

WEEKS_SHOWN = 8


@dataclass(frozen=True)
class Number:
    """A number that leads to what is behind it."""

    number: int
    label: str
    url: str
    alert: bool = False
    note: str = ""


@dataclass(frozen=True)
class Meeting:
    """The next review meeting."""

    pk: UUID
    starts_at: datetime
    where: str


@dataclass(frozen=True)
class Scheme:
    """An agreement's figures as the home shows them."""

    pk: UUID
    name: str
    funnel: list[tuple[str, str, int]]  # (key, name, people)
    weeks: list[Week]
    chart: shapes.Columns
    position: money.Position
    query: str  # the agreement and period of these figures, for the pages of reviews


@dataclass(frozen=True)
class Overview:
    """The home of a council's leaving care managers, but for the work that failed."""

    numbers: list[Number]
    schemes: list[Scheme]
    meeting: Meeting | None
    has_people: bool


@dataclass(frozen=True)
class Step:
    """One line of the list of things to set up."""

    text: str
    is_done: bool
    url: str
    action: str


def next_meeting(user: User, on: date) -> Meeting | None:
    """The first meeting of today or later."""
    midnight = datetime.combine(on, time(), LONDON)
    ahead = ReviewMeeting.objects.for_user(user).filter(starts_at__gte=midnight).order_by("starts_at")
    found = ahead.values_list("pk", "starts_at", "where").first()
    return Meeting(*found) if found else None


def agreements(user: User, on: date) -> list[FundingAgreement]:
    """Agreements in force, the newest first."""
    return list(FundingAgreement.objects.for_user(user).in_force_on(on).order_by("-starts_on"))


def overview(user: User, on: date) -> Overview:
    """Everything on the page, counted now."""
    return Overview(
        numbers=numbers(user, on),
        schemes=[scheme(agreement, on) for agreement in agreements(user, on)],
        meeting=next_meeting(user, on),
        has_people=CareLeaver.objects.for_user(user).exists(),
    )


def scheme(agreement: FundingAgreement, on: date) -> Scheme:
    """The figures of reviews for the last weeks."""
    first = monday(on) - (WEEKS_SHOWN - 1) * WEEK
    counted = figures.compute(agreement, first, on, on)
    return Scheme(
        pk=agreement.pk,
        name=agreement.name,
        funnel=[(stage, figures.DEFINITIONS[stage].name, number) for stage, number in counted.funnel],
        weeks=counted.weeks,
        chart=_chart(counted.weeks),
        position=counted.position,
        query=_query(agreement, first, on),
    )


def _chart(weeks: list) -> shapes.Columns:
    """The table of take-up as a picture."""
    said = "; ".join(f"week of {week.week:%-d %B}, {week.came} of {week.could}" for week in weeks)
    return shapes.columns(
        f"Members who came, of those who could come: {said}.",
        [(f"{week.week:%-d %b}", week.could, week.came) for week in weeks],
        behind_name="could come",
        front_name="came",
    )


def _query(agreement: FundingAgreement, first: date, last: date) -> str:
    """The period as the pages of reviews take it: three inputs for each day."""
    days = {"period_from": first, "period_to": last}
    parts = {f"{name}_{part}": getattr(day, part) for name, day in days.items() for part in DAY_PARTS}
    return urlencode({"agreement": agreement.pk, **parts})


def numbers(user: User, on: date) -> list[Number]:
    """What waits for a leaving care manager."""
    people = CareLeaver.objects.for_user(user)
    held = RenewalDecision.objects.for_user(user).filter(outcome=RenewalDecision.Outcome.HELD)
    barriers = Barrier.objects.for_user(user).filter(state__in=[BarrierState.OPEN, BarrierState.IN_HAND])
    of_barriers = barriers.aggregate(all=Count("pk"), overdue=Count("pk", filter=Q(due_on__lt=on)))
    people_url, overdue = reverse("careleavers:list"), of_barriers["overdue"]
    counts = {
        "to allocate": (people.to_allocate(on).count(), f"{people_url}?show=to_allocate"),
        "waiting for a name": (people.waiting_for_name().count(), f"{people_url}?show=waiting_for_name"),
        "waiting for the pantry": (
            Referral.objects.for_user(user).to_answer().count(),
            f"{reverse('referrals:list')}?state=to_answer",
        ),
        "renewals held": (held.count(), reverse("pantry:renewals")),
        "open barriers": (of_barriers["all"], reverse("reviews:barriers")),
    }
    alerts = ("to allocate", "waiting for a name", "renewals held")
    return [
        Number(
            number,
            label,
            url,
            alert=bool(number) and label in alerts,
            note=f"{overdue} overdue" if label == "open barriers" and overdue else "",
        )
        for label, (number, url) in counts.items()
    ]


def failed_jobs(user: User) -> list[tuple[Job, str]]:
    """The oldest work that failed and what it was, at most 10."""
    failed = Job.objects.for_user(user, to_look_at=True).order_by("failed_at")[:10]
    return [(job, jobs.label(job)) for job in failed]


def money_rows(user: User, on: date) -> list[tuple[FundingAgreement, money.Position]]:
    """Agreements in force with where their money is."""
    return [(agreement, money.position(agreement, on)) for agreement in agreements(user, on)]


def tariffs_to_agree(user: User) -> list[Tariff]:
    """Prices proposed and not agreed yet, the earliest first."""
    waiting = Tariff.objects.for_user(user).awaiting_agreement().select_related("pantry", "proposed_by")
    return list(waiting.order_by("from_week", "pantry__name")[:25])


def last_payments(user: User) -> list[JournalEntry]:
    """The latest payments in advance, with `pence`."""
    paid = JournalEntry.objects.for_user(user).filter(kind=EntryKind.PAYMENT).select_related("agreement")
    found = list(paid.prefetch_related("lines").order_by("-effective_on", "-recorded_at")[:5])
    for entry in found:
        entry.pence = sum(line.pence for line in entry.lines.all() if line.pence > 0)
    return found


def open_invitations(user: User, now: datetime) -> tuple[int, int]:
    """(invitations that can be taken up, invitations that ran out)."""
    waiting = Invitation.objects.filter(
        user__in=User.objects.for_user(user).filter(joined_at__isnull=True, deactivated_at__isnull=True),
        used_at__isnull=True,
        withdrawn_at__isnull=True,
    )
    return waiting.filter(expires_at__gt=now).count(), waiting.filter(expires_at__lte=now).count()


def set_up(user: User) -> list[Step]:
    """What has to be there before anybody can be introduced; the first administrator of an empty database reads it."""
    held = set(User.objects.filter(deactivated_at__isnull=True).order_by().values_list("role", flat=True).distinct())
    kinds = set(Organisation.objects.values_list("kind", flat=True))
    invite = reverse("accounts:invite")
    has_operator = Organisation.Kind.OPERATOR in kinds
    steps = [
        Step(
            "The organisation that runs the pantries",
            has_operator,
            reverse("accounts:organisation_add"),
            "Add the organisation",
        )
    ]
    steps += [
        Step(text, role in held, invite, action)
        for role, text, action in (
            (Role.LEAVING_CARE_MANAGER, "A leaving care manager, who brings in people", "Invite a manager"),
            (Role.PERSONAL_ADVISOR, "A personal advisor, who introduces them", "Invite an advisor"),
            (Role.FINANCE_OFFICER, "A finance officer, who agrees prices and records payments", "Invite an officer"),
            (Role.PANTRY_MANAGER, "A pantry manager, who adds pantries and volunteers", "Invite a pantry manager"),
        )
    ]
    steps.append(Step("A pantry with opening times, added by the pantry manager", Pantry.objects.exists(), "", ""))
    return steps
