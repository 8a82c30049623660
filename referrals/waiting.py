"""The pantries' waiting lists: who is where in line, since when and why. Both sides read the same.

First come, first in line: the place is by the moment at which somebody was put on the list. A pantry manager may accept
somebody else first, for a first week or a need; the line only says whose turn it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from pantry.models import Membership, Place
from referrals import rules
from referrals.models import Referral, ReferralMove


@dataclass(frozen=True)
class Waits:
    """How one introduction waits."""

    place: int  # in the line of its pantry, from 1
    since: datetime
    reason: str


def in_line(referrals: QuerySet[Referral]) -> QuerySet[Referral]:
    """Those of them who wait, each with `since`, by pantry and in the order of the line."""
    put = ReferralMove.objects.filter(referral=OuterRef("pk"), state=rules.WAITING).order_by("-at")
    return (
        referrals.filter(state=rules.WAITING)
        .annotate(since=Coalesce(Subquery(put.values("at")[:1]), F("sent_at")))
        .order_by("pantry__name", "pantry", "since", "number")
    )


def waits(referrals: Iterable[Referral]) -> dict[UUID, Waits]:
    """How each of them that waits does: one query for any number. The place counts everybody in that line, whoever
    introduced them; nothing else is told of the others."""
    asked = {each.pk: each for each in referrals if each.state == rules.WAITING}
    if not asked:
        return {}
    line = in_line(Referral.objects.filter(pantry__in={each.pantry_id for each in asked.values()}))
    found: dict[UUID, Waits] = {}
    places: dict[UUID, int] = {}
    for key, pantry, since, reason in line.values_list("pk", "pantry_id", "since", "waiting_reason"):  # type: ignore[misc]
        places[pantry] = places.get(pantry, 0) + 1
        if key in asked:
            found[key] = Waits(places[pantry], since, Referral.WaitingReason(reason).label if reason else "")
    return found


def with_room(referrals: QuerySet[Referral]) -> QuerySet[Referral]:
    """Those of them who wait because their pantry was full, and it is not any more."""
    members = Place.objects.filter(pantry=OuterRef("pantry"), to_week=None).exclude(
        membership__state=Membership.State.ENDED
    )
    count = members.order_by().values("pantry").annotate(n=Count("pk")).values("n")
    room = Q(pantry__capacity=None) | Q(pantry__capacity__gt=F("members_there"))
    waiting = referrals.filter(state=rules.WAITING, waiting_reason=Referral.WaitingReason.FULL)
    return waiting.annotate(members_there=Coalesce(Subquery(count), 0)).filter(room)
