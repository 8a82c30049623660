"""One of everything besides coming each week, on the last day of the sample pilot, as far as there are people."""

from datetime import datetime, timedelta
from itertools import cycle

from careleavers.models import AdvisorAllocation, SharingAgreement
from careleavers.services import allocations, letters, openings
from pantry import members
from pantry.models import Membership, MissedWeek
from pantry.services import memberships, missed, sessions, visitors
from referrals import services as referrals
from referrals.letters import ask_how
from referrals.models import FollowUp, Pause, Referral
from referrals.services import walk_ins
from stockport_hubs.accounts.models import User
from stockport_hubs.core.weeks import WEEK, london_date, monday
from stockport_hubs.home.sample.hall import in_the_hall

WITH_REASONS = 5  # members of whom the pantry says why they missed weeks


def everyday(story, at: datetime) -> None:
    """Young people who are paused, move, no longer share, are covered or followed up; and what happens at a counter."""
    on = london_date(at)
    joined = Referral.objects.filter(membership__state=Membership.State.OPEN).order_by("-number")
    never_came = joined.not_taken_up(on)
    came = joined.exclude(pk__in=never_came.values("pk"))
    for happens, referral in zip([_pauses, _moves, _shares_no_more, _is_covered, _is_written_to], came, strict=False):
        happens(story, referral, _advisor(referral), at)
    for referral in never_came[:1]:
        again = on + timedelta(days=10)
        outcome = FollowUp.Outcome.WILL_COME
        referrals.follow_up(referral=referral, outcome=outcome, look_again_on=again, by=_advisor(referral), at=at)
    _opens_with_a_reason(story, at)
    _missed_weeks(story, at)
    _at_the_counter(story, at)
    in_the_hall(story, at)


def _advisor(referral: Referral) -> User:
    return referral.care_leaver.allocations.get().advisor


def _pauses(story, referral: Referral, advisor: User, at: datetime) -> None:
    referrals.pause(referral=referral, reason=Pause.Reason.AWAY, on=london_date(at), by=advisor, at=at)


def _moves(story, referral: Referral, advisor: User, at: datetime) -> None:
    to = next(pantry for pantry in story.places if pantry.pk != referral.pantry_id)
    referrals.move(referral=referral, pantry=to, from_week=monday(london_date(at)) + WEEK, by=advisor, at=at)


def _shares_no_more(story, referral: Referral, advisor: User, at: datetime) -> None:
    how, on = SharingAgreement.HowGiven.BY_PHONE, london_date(at)
    person = referral.care_leaver
    referrals.withdraw_agreement(care_leaver=person, on=on, how=how, stops=False, by=advisor, at=at)


def _is_covered(story, referral: Referral, advisor: User, at: datetime) -> None:
    colleague = story.staff["advisor" if advisor != story.staff["advisor"] else "advisor2"]
    on = london_date(at)
    days = {"from_on": on, "until_on": on + 2 * WEEK}
    by = story.staff["manager"]
    allocations.give_cover(care_leaver=referral.care_leaver, advisor=colleague, **days, by=by, at=at)


def _is_written_to(story, referral: Referral, advisor: User, at: datetime) -> None:
    person, on = referral.care_leaver, london_date(at)
    letters.choose(care_leaver=person, channel="text", is_safe=True, asked_on=on, by=advisor, at=at)
    ask_how(care_leaver=person, by=advisor, at=at)


def _opens_with_a_reason(story, at: datetime) -> None:
    """Two advisors have opened one of each other's."""
    pair = story.staff["advisor"], story.staff["advisor2"]
    for by, of in (pair, pair[::-1]):
        theirs = AdvisorAllocation.objects.in_force_on(london_date(at)).filter(advisor=of)
        others = theirs.exclude(care_leaver__covers__advisor=by).select_related("care_leaver")
        for first in others.order_by("care_leaver__reference")[:1]:
            words = "Rang about a letter, and their advisor is out today."
            reference = first.care_leaver.reference
            openings.open_record(reference=reference, reason="on_duty", words=words, by=by, at=at)


def _missed_weeks(story, at: datetime) -> None:
    reasons = cycle([MissedWeek.Reason.TOLD_US, MissedWeek.Reason.PLANNED, MissedWeek.Reason.NOT_SEEN])
    told = 0
    for member in Membership.objects.open().order_by("number"):
        weeks = sorted(members.missed_weeks(member, london_date(at)))[-3:]
        if weeks and told < WITH_REASONS:
            by, told = story.staff["pantry.manager"], told + 1
            missed.say(membership=member, reasons=dict(zip(weeks, reasons, strict=False)), by=by, at=at)


def _at_the_counter(story, at: datetime) -> None:
    """Somebody who came by themselves, shown to the council, and two visitors, one of them sorted out."""
    pantry, by = story.places[0], story.staff["pantry.manager"]
    came = memberships.add_pending(pantry=pantry, preferred_name="Bay", by=by, at=at)
    council = story.staff["manager"].organisation
    walk_ins.show(membership=came, council=council, they_agree=True, by=by, at=at)
    for session in sessions.for_day(pantry=pantry, on=london_date(at)):
        seen, _ = (
            visitors.record(session=session, key=story.key(), called=called, by=story.staff["volunteer"], at=at)
            for called in ("Brook", "Sky")
        )
        visitors.no_further(visitor=seen, by=by, at=at)
