"""What the homes of leaving care managers, finance officers and administrators show."""

import time
from dataclasses import dataclass
from datetime import date, datetime

from django.core.cache import cache
from django.urls import reverse
from django.utils.http import urlencode

from careleavers.models import CareLeaver
from pantry import money
from pantry.models import EntryKind, FundingAgreement, JournalEntry, Pantry, RenewalDecision, Tariff
from referrals.models import Referral
from reviews import figures
from reviews.models import Barrier, BarrierState, ReviewMeeting
from stockport_hubs.accounts.models import Invitation, Organisation, Role, User
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.forms import DAY_PARTS
from stockport_hubs.core.weeks import WEEK, monday
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job

WEEKS_SHOWN = 8
SHARE_OF_TIME = 20  # figures that took a second to count are kept for at least 20
KEPT = 24 * 60 * 60
# Views of people write audit rows too, but change nothing that is counted.
LOOKS = (".viewed", ".listed", ".searched", ".opened", ".downloaded")


@dataclass(frozen=True)
class Number:
    """A number that leads to what is behind it."""

    number: object
    label: str
    url: str
    alert: bool = False
    note: str = ""


@dataclass(frozen=True)
class Summary:
    """An agreement's figures as the home shows them."""

    funnel: list[tuple[str, str, int]]  # (key, name, people)
    weeks: list
    position: money.Position
    query: str  # the agreement and period of these figures, for the pages of reviews


@dataclass(frozen=True)
class Step:
    """One line of the list of things to set up."""

    text: str
    is_done: bool
    url: str
    action: str


def next_meeting(user: User, now: datetime) -> ReviewMeeting | None:
    """The first meeting from now on."""
    return ReviewMeeting.objects.for_user(user).filter(starts_at__gte=now).order_by("starts_at").first()


def agreements(user: User, on: date) -> list[FundingAgreement]:
    """Agreements in force, the newest first."""
    return list(
        FundingAgreement.objects.for_user(user).in_force_on(on).select_related("operator").order_by("-starts_on")
    )


def summary(agreement: FundingAgreement, on: date) -> Summary:
    """The figures of reviews, counted again only when something has changed since.

    Every change writes an audit row, so the last one stamps the figures. While changes keep coming, figures that are
    dear to count may be up to 20 times as old as they took; on a small scheme that is less than a second.
    """
    stamp = _last_change()
    key = f"home-summary:{agreement.pk}:{on}"
    kept = cache.get(key)
    if kept and (kept[0] == stamp or time.time() < kept[1]):
        return kept[2]
    began = time.perf_counter()
    first = monday(on) - (WEEKS_SHOWN - 1) * WEEK
    counted = figures.compute(agreement, first, on, on)
    made = Summary(
        funnel=[(stage, figures.DEFINITIONS[stage].name, number) for stage, number in counted.funnel],
        weeks=counted.weeks,
        position=counted.position,
        query=_query(agreement, first, on),
    )
    until = time.time() + SHARE_OF_TIME * (time.perf_counter() - began)
    cache.set(key, (stamp, until, made), KEPT)
    return made


def _query(agreement: FundingAgreement, first: date, last: date) -> str:
    """The period as the pages of reviews take it: three inputs for each day."""
    days = {"period_from": first, "period_to": last}
    parts = {f"{name}_{part}": getattr(day, part) for name, day in days.items() for part in DAY_PARTS}
    return urlencode({"agreement": agreement.pk, **parts})


def _last_change() -> int:
    changes = AuditEvent.objects.order_by("-id")
    for look in LOOKS:
        changes = changes.exclude(verb__endswith=look)
    return changes.values_list("pk", flat=True).first() or 0


def numbers(user: User, on: date) -> list[Number]:
    """What waits for a leaving care manager."""
    people = CareLeaver.objects.for_user(user)
    held = RenewalDecision.objects.for_user(user).filter(outcome=RenewalDecision.Outcome.HELD)
    barriers = Barrier.objects.for_user(user).filter(state__in=[BarrierState.OPEN, BarrierState.IN_HAND])
    people_url, overdue = reverse("careleavers:list"), barriers.filter(due_on__lt=on).count()
    counts = {
        "to allocate": (people.to_allocate(on).count(), f"{people_url}?show=to_allocate"),
        "waiting for a name": (people.waiting_for_name().count(), f"{people_url}?show=waiting_for_name"),
        "waiting for the pantry": (
            Referral.objects.for_user(user).to_answer().count(),
            f"{reverse('referrals:list')}?state=to_answer",
        ),
        "renewals held": (held.count(), reverse("pantry:renewals")),
        "open barriers": (barriers.count(), reverse("reviews:barriers")),
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
