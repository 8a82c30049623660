"""Closures are announced ahead to the advisors of a pantry's members: once, and once more when one is withdrawn.

What is due is a query, what is done is a row. A closure is moved by withdrawing it and announcing another.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from careleavers.models import AdvisorAllocation, AdvisorCover, CareLeaver
from pantry.models import Closure, Membership
from referrals import letters
from referrals.models import ClosureNews, ClosureNotice, Referral
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.kept import Kept
from stockport_hubs.core.weeks import london_date, spoken
from stockport_hubs.notifications import services as notifications

KIND = "referrals.closure"
AT_ONCE = 50
SHOWN = 5


def due(on: date):
    """(closures to announce and not announced, closures withdrawn whose announcement went out); not what is over."""
    ahead = Closure.objects.filter(until_on__gte=on)

    def has(news: str) -> Exists:
        return Exists(ClosureNotice.objects.filter(closure=OuterRef("pk"), news=news))

    announced = ahead.filter(~has(ClosureNews.ANNOUNCED), withdrawn_at__isnull=True)
    withdrawn = ahead.filter(has(ClosureNews.ANNOUNCED), ~has(ClosureNews.WITHDRAWN), withdrawn_at__isnull=False)
    return announced.order_by("announced_at", "pk"), withdrawn.order_by("withdrawn_at", "pk")


@transaction.atomic
def sweep(*, at: datetime, job: str) -> int:
    """Write the notices and messages that are due. How many closures."""
    told = 0
    for news, rows in zip(ClosureNews, due(london_date(at)), strict=True):
        for closure in rows.select_for_update(of=("self",), skip_locked=True)[:AT_ONCE]:
            ClosureNotice.objects.create(closure=closure, news=news, at=at)
            ids = {"closure": str(closure.pk), "news": news}
            for user in advisors(closure, london_date(at)):
                key = f"{KIND}:{closure.pk}:{news}:{user.pk}"
                notifications.send(KIND, to=user, key=key, ids=ids, at=at)
            letters.closes(closure, news, shoppers(closure, london_date(at)), at)
            told += 1
    if told:
        audit.record("referrals.closure.told", at=at, job=job, detail={"closures": told})
    return told


def _people(closures: Iterable[UUID], on: date):
    """Living young people with a running membership at a pantry of these closures."""
    pantries = list(Closure.objects.filter(pk__in=closures).values_list("pantry", flat=True))
    here = Membership.objects.exclude(state=Membership.State.ENDED).at_pantries(pantries, on).order_by()
    tied = Referral.objects.filter(membership__in=here.values("pk")).order_by().values("care_leaver")
    return CareLeaver.objects.living().filter(pk__in=tied).order_by()


def shoppers(closure: Closure, on: date):
    """Living young people who shop where it is."""
    return _people([closure.pk], on)


def advisors(closure: Closure, on: date):
    """Who advises or covers somebody who shops there."""
    theirs = {"care_leaver__in": _people([closure.pk], on), "advisor": OuterRef("pk")}
    held = Exists(AdvisorAllocation.objects.in_force_on(on).filter(**theirs))
    covered = Exists(AdvisorCover.objects.in_force_on(on).filter(**theirs))
    return User.objects.filter(Q(held) | Q(covered), is_active=True).order_by("pk")


class Ahead(NamedTuple):
    """A closure to come."""

    pantry_id: UUID
    pantry: str
    from_on: date
    until_on: date
    reason: str


def _ahead(user: UUID, organisation: UUID, on: date):
    people = CareLeaver.objects.filter(council=organisation).with_advisor(User(pk=user), on)
    mine = people.living().order_by().values("pk")
    tied = Referral.objects.filter(care_leaver__in=mine, membership__isnull=False).order_by().values("membership")
    members = Membership.objects.filter(pk__in=tied).exclude(state=Membership.State.ENDED).order_by()
    current = Q(places__from_week__lte=on) & (Q(places__to_week__isnull=True) | Q(places__to_week__gte=on))
    pantries = members.filter(current).values("places__pantry")
    rows = Closure.objects.filter(until_on__gte=on, withdrawn_at__isnull=True, pantry__in=pantries)
    listed = rows.order_by("from_on", "pantry__name")
    return listed.values_list("pantry_id", "pantry__name", "from_on", "until_on", "reason")[:SHOWN]


AHEAD = Kept(_ahead)


def ahead_for(user: User, on: date) -> list[Ahead]:
    """Closures to come at pantries where somebody this advisor looks after shops, the next first."""
    return [Ahead(*row) for row in AHEAD(user=user.pk, organisation=user.organisation_id, on=on)]


def days(closure: Closure) -> str:
    """ "24 December 2026 to 1 January 2027"."""
    last = "" if closure.until_on == closure.from_on else f" to {spoken(closure.until_on)}"
    return f"{spoken(closure.from_on)}{last}"


def _render(ids: dict, to: User) -> tuple[str, str]:
    closure = Closure.objects.select_related("pantry").get(pk=ids["closure"])
    link = f"{settings.SITE_URL}{reverse('pantry:pantry', args=[closure.pantry_id])}"
    if ids["news"] == ClosureNews.WITHDRAWN:
        said = f"{closure.pantry} opens after all: its closure of {days(closure)} is withdrawn."
        return f"{closure.pantry} opens after all", f"{said}\n\nWhen it opens:\n{link}\n"
    said = f"{closure.pantry} is closed: {days(closure)} ({closure.reason})."
    return f"{closure.pantry} closes", f"{said} Weeks that fall into it are not used up.\n\nWhen it opens:\n{link}\n"


def _may_send(ids: dict, to: User) -> str | None:
    closure = Closure.objects.get(pk=ids["closure"])
    if (closure.withdrawn_at is not None) != (ids["news"] == ClosureNews.WITHDRAWN):
        return "The closure is withdrawn."
    on = clock.today()
    if closure.until_on < on:
        return "The closure is over."
    return None if advisors(closure, on).filter(pk=to.pk).exists() else "Nobody they look after shops there any more."


def register() -> None:
    """Make the kind known; called once at start."""
    notifications.kind(KIND, render=_render, may_send=_may_send, label="A pantry closes, or opens after all")
