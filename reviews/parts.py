"""A part of an agreement: one pantry's members, one personal advisor's young people, those in or out of the cohort.

A member belongs to a part on a day. By pantry: the place that holds the day, or the first before it begins, or the last
after it ended. By advisor and cohort: the young person of the introduction, from the day it was sent, while allocated,
and once ticked. The same rule decides whose figures are counted and who "moved in" (reviews.movement).
"""

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from uuid import UUID

from django.db.models import Min

from careleavers.models import AdvisorAllocation, CohortMove
from pantry.models import FundingAgreement, Pantry, Place
from referrals.models import Referral
from reviews.cohort import end_of
from stockport_hubs.accounts.models import User
from stockport_hubs.core.weeks import london_date

ALWAYS = date.min
Turns = list[tuple[date, bool]]  # from each day on: inside or not; the first from ALWAYS


@dataclass(frozen=True)
class Introduction:
    """One that was sent: whose, to which pantry, and the member it became."""

    id: UUID
    person: UUID
    member: UUID | None
    pantry: UUID
    sent_on: date


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The filter as it was asked for; nothing asked is the whole agreement."""

    pantry: Pantry | None = None
    advisor: User | None = None
    cohort: str = ""  # "", "in" or "out"

    def __bool__(self) -> bool:
        return bool(self.pantry or self.advisor or self.cohort)


EVERYONE = Asked()


class Part:
    """Who belongs to what was asked for, told by rows up to `until`."""

    def __init__(self, agreement: FundingAgreement, asked: Asked, until: date):
        self.agreement, self.asked, self.until = agreement, asked, until

    @cached_property
    def introductions(self) -> list[Introduction]:
        """Sent by the day, in the order of sending."""
        rows = Referral.objects.filter(agreement=self.agreement, sent_at__lt=end_of(self.until)).order_by("sent_at")
        found = rows.values_list("pk", "care_leaver_id", "membership_id", "pantry_id", "sent_at")
        return [Introduction(*row[:4], london_date(row[4])) for row in found]  # type: ignore[arg-type, call-arg]

    @cached_property
    def _of_member(self) -> dict[UUID, Introduction]:
        return {each.member: each for each in self.introductions if each.member}

    @cached_property
    def _places(self) -> dict[UUID, list[tuple[date, UUID]]]:
        found: dict[UUID, list[tuple[date, UUID]]] = defaultdict(list)
        rows = Place.objects.filter(membership__agreement=self.agreement).order_by("from_week")
        for member, start, pantry in rows.values_list("membership_id", "from_week", "pantry_id"):
            found[member].append((start, pantry))
        return found

    @cached_property
    def _allocated(self) -> dict[UUID, list[tuple[date, date]]]:
        """When each young person was allocated to the advisor; both days included."""
        found: dict[UUID, list[tuple[date, date]]] = defaultdict(list)
        rows = AdvisorAllocation.objects.filter(
            advisor=self.asked.advisor, care_leaver__council=self.agreement.funder_id, from_on__lte=self.until
        ).order_by("from_on")
        for person, start, end in rows.values_list("care_leaver_id", "from_on", "until_on"):
            found[person].append((start, end or date.max))
        return found

    @cached_property
    def _ticked(self) -> dict[UUID, date]:
        """Since when each young person belongs to the cohort."""
        moves = CohortMove.objects.filter(place__care_leaver__council=self.agreement.funder_id, on__lte=self.until)
        return dict(moves.order_by().values_list("place__care_leaver_id").annotate(first=Min("on")))

    def turns(self, member: UUID) -> list[Turns]:
        """For each thing asked for, when the member came under it and ceased to."""
        found = []
        if self.asked.pantry:
            here, places = self.asked.pantry.pk, self._places.get(member, [])
            days = [ALWAYS, *(start for start, _ in places[1:])]
            found.append(
                [(day, pantry == here) for day, (_, pantry) in zip(days, places, strict=True)] if places else []
            )
        introduction = self._of_member.get(member)
        if self.asked.advisor:
            spans = self._allocated.get(introduction.person, []) if introduction else []
            found.append(_within(spans, introduction.sent_on if introduction else date.max))
        if self.asked.cohort:
            since = self._ticked.get(introduction.person) if introduction else None
            inside = [] if introduction is None or since is None else [(max(since, introduction.sent_on), date.max)]
            turns = _within(inside, ALWAYS)
            found.append(turns if self.asked.cohort == "in" else [(day, not holds) for day, holds in turns])
        return found

    def holds(self, member: UUID, day: date, *, wherever: bool = False) -> bool:
        """Whether the member belonged to the part on the day; `wherever`: at whichever pantry."""
        return all(_at(turns, day) for turns in self.turns(member)[1 if wherever and self.asked.pantry else 0 :])

    @cached_property
    def people(self) -> set[UUID]:
        """The young people of the part: by pantry those whose latest introduction led, or was sent, there."""
        found: set[UUID] | None = None
        if self.asked.pantry:
            latest = {each.person: each for each in self.introductions}
            here = self.asked.pantry.pk
            found = {person for person, each in latest.items() if self._pantry_of(each) == here}
        if self.asked.advisor:
            theirs = {key for key, spans in self._allocated.items() if _at(_within(spans, ALWAYS), self.until)}
            found = theirs if found is None else found & theirs
        if self.asked.cohort == "in":
            found = set(self._ticked) if found is None else found & set(self._ticked)
        if self.asked.cohort == "out":
            found = ({each.person for each in self.introductions} if found is None else found) - set(self._ticked)
        return found or set()

    def _pantry_of(self, introduction: Introduction) -> UUID:
        places = self._places.get(introduction.member, []) if introduction.member else []
        return home(places, self.until) or introduction.pantry


def home(places: list[tuple[date, UUID]], day: date) -> UUID | None:
    """Whose member someone is on a day: (from, pantry) rows in order."""
    begun = [pantry for start, pantry in places if start <= day]
    return begun[-1] if begun else places[0][1] if places else None


def _at(turns: Turns, day: date) -> bool:
    place = bisect_right([start for start, _ in turns], day)
    return place > 0 and turns[place - 1][1]


def _within(spans: list[tuple[date, date]], since: date) -> Turns:
    """Inside while a span (both days included) holds, from `since` on. Spans come in order and may touch."""
    days = sorted(
        {
            ALWAYS,
            since,
            *(start for start, _ in spans),
            *(end + timedelta(days=1) for _, end in spans if end < date.max),
        }
    )
    return [(day, day >= since and any(start <= day <= end for start, end in spans)) for day in days]
