"""What the home of a pantry manager shows."""

from dataclasses import dataclass
from datetime import date

from django.urls import reverse

from pantry.calendar import WeekCalendar
from pantry.models import Closure, Membership, Pantry, Side, Statement, TabletEntry, Visitor
from referrals import facts, waiting
from referrals.models import Helper, PrintedName, Referral
from reviews.models import ReviewPack
from stockport_hubs.accounts.models import User

SHOWN = 5


@dataclass(frozen=True)
class Today:
    """A pantry's openings of today."""

    pantry: Pantry
    openings: list
    is_closed: bool


def introductions(user: User, on: date) -> tuple[int, list[facts.PantryRow], list]:
    """How many wait for an answer, the oldest of them, and whose they are (for the audit)."""
    waiting = Referral.objects.for_user(user).to_answer()
    shown = list(
        waiting.select_related("care_leaver", "pantry")
        .prefetch_related("care_leaver__sharing_agreements")
        .order_by("sent_at")[:SHOWN]
    )
    return waiting.count(), [facts.row_for_pantry(each, on) for each in shown], [each.care_leaver_id for each in shown]


def today(user: User, on: date) -> list[Today]:
    """The pantries of the organisation that open today, or would but for a closure."""
    pantries = list(Pantry.objects.for_user(user).order_by("name"))
    calendar = WeekCalendar.for_pantries(pantries)
    found = []
    for pantry in pantries:
        planned = calendar.plans[pantry.pk].planned(on)
        if planned:
            openings = calendar.sessions(pantry.pk, on)
            found.append(Today(pantry, openings, is_closed=not openings))
    return found


def to_sort_out(user: User) -> list[tuple[str, str, str]]:
    """What waits for them besides introductions, if anything: a sentence, where it is done, what is done."""
    turned_up = Membership.objects.for_user(user).filter(state=Membership.State.PENDING).count()
    wishes = Helper.objects.for_user(user).waiting().count()
    visitors = Visitor.objects.for_user(user).to_sort_out().count()
    held = TabletEntry.objects.for_user(user).to_sort_out().count()
    printed = PrintedName.objects.for_user(user).to_destroy().count()
    share = "member no longer shares" if printed == 1 else "members no longer share"
    room = waiting.with_room(Referral.objects.for_user(user)).count()
    statements = Statement.objects.for_user(user).to_agree(Side.OPERATOR).count()
    lines = [
        (
            room,
            f"{room} wait{'s' if room == 1 else ''} for a place at a pantry that has room now.",
            reverse("referrals:waiting"),
            "Waiting lists",
        ),
        (visitors, f"{visitors} who came could not be found.", reverse("pantry:visitors"), "Sort out the visitors"),
        (held, f"{held} from a tablet could not be recorded.", reverse("pantry:entries"), "Sort out what was held"),
        (turned_up, f"{turned_up} came by themselves.", f"{reverse('pantry:members')}?state=pending", "Who waits"),
        (
            wishes,
            f"{wishes} member{' says' if wishes == 1 else 's say'} they would like to help.",
            f"{reverse('referrals:helpers')}?state=wished",
            "Get in touch",
        ),
        (
            printed,
            f"{printed} {share} a name or a need.",
            reverse("referrals:printed"),
            "Destroy what was printed before",
        ),
        (
            statements,
            f"{statements} monthly statement{' waits' if statements == 1 else 's wait'} for your answer.",
            reverse("pantry:statements"),
            "Statements",
        ),
    ]
    return [(sentence, url, action) for n, sentence, url, action in lines if n]


def closures(user: User, on: date) -> list[Closure]:
    """Closures that are not over, the next first."""
    ahead = Closure.objects.filter(
        pantry__in=Pantry.objects.for_user(user), until_on__gte=on, withdrawn_at__isnull=True
    )
    return list(ahead.select_related("pantry").order_by("from_on", "pantry__name")[:SHOWN])


def packs(user: User) -> list[ReviewPack]:
    """The latest packs, without their files."""
    return list(
        ReviewPack.objects.for_user(user).select_related("meeting").defer("figures", "pdf").order_by("-as_at")[:SHOWN]
    )
