"""What has happened with one young person, from every part, the latest first: a panel of their page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain

from django.db.models import OuterRef, Subquery

from careleavers.models import CareLeaver, Conversation, Letter, SharingAgreement, Wellbeing
from careleavers.models.cohort import CohortMove
from careleavers.services import letters
from pantry.models import Collection, Membership
from referrals import rules
from referrals.models import CommunityLink, Pause, Referral, ReferralMove
from reviews.models import Barrier
from stockport_hubs.core.weeks import london_date

SHOWN = 12  # the rest is folded away
AT_MOST = 100


@dataclass(frozen=True)
class Happened:
    """One line."""

    on: date
    what: str


def of(person: CareLeaver) -> list[Happened]:
    """Whoever calls has asked whether the reader may see this person; 11 queries, whatever there is."""
    parts = (_support, _agreements, _introductions, _membership, _barriers, _spoken, _links)
    found = list(chain.from_iterable(part(person) for part in parts))
    # Of one day, what was found later comes first: parts are in the order in which things happen.
    return sorted(reversed(found), key=lambda each: each.on, reverse=True)[:AT_MOST]


def _support(person: CareLeaver) -> Iterator[Happened]:
    for move in CohortMove.objects.filter(place__care_leaver=person).order_by("on"):
        yield Happened(move.on, f"Cohort: {move.get_state_display().lower()}")
    for row in person.allocations.select_related("advisor"):
        yield Happened(row.from_on, f"{row.advisor.name} is the personal advisor")


def _agreements(person: CareLeaver) -> Iterator[Happened]:
    for each in SharingAgreement.objects.filter(care_leaver=person):
        yield Happened(each.given_on, f"Agreed to share, {each.get_how_given_display().lower()}")
        if each.withdrawn_on and each.withdrawn_by_id:
            yield Happened(each.withdrawn_on, "Withdrew the agreement to share")


def _introductions(person: CareLeaver) -> Iterator[Happened]:
    moves = ReferralMove.objects.filter(referral__care_leaver=person).exclude(state=rules.DRAFT)
    for move in moves.select_related("referral").order_by("at"):
        yield Happened(
            london_date(move.at), f"Introduction {move.referral.reference}: {move.get_state_display().lower()}"
        )


def _membership(person: CareLeaver) -> Iterator[Happened]:
    tied = Referral.objects.filter(care_leaver=person, membership__isnull=False).order_by().values("membership")
    first = Collection.objects.counted().filter(membership=OuterRef("pk")).order_by("on").values("on")[:1]
    members = list(Membership.objects.filter(pk__in=tied).annotate(first_on=Subquery(first)).order_by("number"))
    for member in members:
        if member.first_on:
            yield Happened(member.first_on, "First collection")
    for pause in Pause.objects.filter(referral__care_leaver=person):
        yield Happened(pause.from_on, f"Paused: {pause.get_reason_display().lower()}")
        if pause.back_on:
            yield Happened(pause.back_on, "Resumed")
    for member in members:
        if member.ended_on:
            yield Happened(member.ended_on, f"Membership ended: {member.get_end_reason_display().lower()}")


def _barriers(person: CareLeaver) -> Iterator[Happened]:
    for each in Barrier.objects.filter(care_leaver=person).select_related("owner"):
        until = f", until {each.due_on:%-d %B %Y}" if each.due_on else ""
        yield Happened(each.raised_on, f"In the way: {each.get_category_display().lower()} ({each.owner.name}{until})")
        if each.closed_on:
            yield Happened(each.closed_on, f"{each.get_category_display()}: {each.get_state_display().lower()}")


def _spoken(person: CareLeaver) -> Iterator[Happened]:
    for each in Conversation.objects.filter(care_leaver=person, taken_back_at=None).select_related("by"):
        yield Happened(each.on, f"{each.by.name} spoke to them")
    for answers in Wellbeing.objects.current().filter(care_leaver=person):
        yield Happened(answers.asked_on, f"Asked how they are: {answers.get_point_display().lower()}")
    for letter in Letter.objects.filter(care_leaver=person, sent_at__isnull=False):
        yield Happened(london_date(letter.sent_at), f"Written to: {letters.label(letter)}")  # type: ignore[arg-type]


def _links(person: CareLeaver) -> Iterator[Happened]:
    links = CommunityLink.objects.filter(care_leaver=person).exclude(state=CommunityLink.State.TAKEN_BACK)
    for link in links.select_related("entry"):
        yield Happened(link.offered_on, f"Offered: {link.entry}")
