"""Days from an introduction to the first collection: how soon they came, who came before it, who still waits."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from django.db.models import Min

from pantry.models import Collection, FundingAgreement, Membership
from referrals import rules
from referrals.models import ReferralMove
from reviews.cohort import end_of
from reviews.parts import Introduction
from stockport_hubs.core.kept import Kept

FIRST = Kept(
    lambda agreement, as_at: (
        Collection.objects.counted()
        .filter(membership__agreement=agreement, on__lte=as_at)
        .order_by()
        .values_list("membership_id")
        .annotate(Min("on"))
    )
)
CLOSED = Kept(
    lambda agreement, before: (
        ReferralMove.objects.filter(
            referral__agreement=agreement, state__in=[rules.DECLINED, rules.WITHDRAWN], at__lt=before
        )
        .order_by()
        .values_list("referral_id")
    )
)


@dataclass
class FirstVisits:
    """Young people by what became of their introduction; `days` from sending to the first collection, in order."""

    days: list[int] = field(default_factory=list)
    came: set[UUID] = field(default_factory=set)
    came_first: set[UUID] = field(default_factory=set)
    waiting: set[UUID] = field(default_factory=set)

    def within(self, quarters: int) -> int | None:
        """The fewest days within which so many quarters of those who came after it had come; None: nobody has."""
        return self.days[-(-len(self.days) * quarters // 4) - 1] if self.days else None


def first_visits(
    agreement: FundingAgreement, as_at: date, introductions: list[Introduction], holds: Callable[[Introduction], bool]
) -> FirstVisits:
    """Of the introductions sent by the day; one that was declined or withdrawn, or whose membership ended without a
    collection, waits no more."""
    first = dict(FIRST(agreement=agreement.pk, as_at=as_at))
    closed = {key for (key,) in CLOSED(agreement=agreement.pk, before=end_of(as_at))}
    ended = set(
        Membership.objects.filter(agreement=agreement, ended_on__lte=as_at).order_by().values_list("pk", flat=True)
    )
    found = FirstVisits()
    for each in filter(holds, introductions):
        came_on = first.get(each.member) if each.member else None
        if came_on is None:
            if each.id not in closed and each.member not in ended:
                found.waiting.add(each.person)
        elif came_on < each.sent_on:
            found.came_first.add(each.person)
        else:
            found.came.add(each.person)
            found.days.append((came_on - each.sent_on).days)
    found.days.sort()
    return found
