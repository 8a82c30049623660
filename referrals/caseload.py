"""A page of young people with what each needs now: the advisor's home and the list of people to introduce.

At most ten queries for a page, whatever is stored, and two of the calendar when a pantry was closed since.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, Max, OuterRef, Q, Subquery
from django.urls import reverse

from careleavers import questions
from careleavers.models import (
    AdvisorAllocation,
    AdvisorCover,
    CareLeaver,
    CareLeaverQuerySet,
    Conversation,
    SharingAgreement,
)
from pantry.calendar import WeekCalendar
from pantry.models import Closure, Collection, Membership, PaidWeek, RenewalDecision
from pantry.rules import RENEWED_AHEAD, starts_on
from referrals import rules
from referrals.models import FollowUp, Referral
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.kept import Kept
from stockport_hubs.core.weeks import WEEK, add_months, birthday, monday

A_PAGE = 25
LOOKED_BACK = 13  # weeks; nobody needs to know whether it is fourteen or fifteen
NOT_SEEN, ENDS_SOON, TURNS_25_SOON = 2, 8 * WEEK, 6  # missed weeks; before the last week is over; months
LAPSED = 4  # missed weeks
SPOKEN_HOLDS = 2 * WEEK  # spoken to since: nobody is asked to do it again
WARNED_AHEAD = max(rules.WARNED) * WEEK - RENEWED_AHEAD  # before the day of the decision
ORDER = (
    "name",
    "asked",
    "not_taken_up",
    "not_seen",
    "held",
    "next_block",
    "draft",
    "agreement",
    "turns_25",
    "ends",
    "spoken",
    "declined",
    "wellbeing",
    "waiting",
)
QUIET = {"waiting", "declined", "draft", "next_block", "spoken"}  # flags that ask for nothing this week


@dataclass(frozen=True)
class Flag:
    """One plain fact that wants attention; the word carries it, the colour helps."""

    code: str
    text: str
    colour: str


@dataclass(kw_only=True)
class Facts:
    """What the tables say about one person, without a name: plain values, kept for a while."""

    referral_id: UUID | None = None
    state: str = ""  # of the latest introduction that was not withdrawn
    membership_id: UUID | None = None
    number: int | None = None
    member_state: str = ""
    first_week: date = date.max  # of members
    is_agreed: bool = False
    last_collected_on: date | None = None
    weeks_left: int = 0
    last_week: date | None = None
    missed: int = 0
    spoken_on: date | None = None  # asked of those who were not seen
    is_held: bool = False
    next_due_on: date | None = None  # when the next block is decided
    is_stopped: bool = False  # an advisor holds the next block for a manager
    is_followed_up: bool = False  # not taken up, and an outcome is recorded that holds today

    @property
    def is_member(self) -> bool:
        """A membership that has not ended."""
        return self.membership_id is not None and self.member_state != Membership.State.ENDED

    @property
    def seen_in(self) -> date:
        """The Monday of the last collection; before the first one, the week before the first week."""
        return monday(self.last_collected_on) if self.last_collected_on else self.first_week - WEEK


@dataclass(kw_only=True)
class Row:
    """One young person on a page."""

    person: CareLeaver
    facts: Facts
    flags: list[Flag] = field(default_factory=list)
    step: str = ""
    step_url: str = ""

    @property
    def state_label(self) -> str:
        return Referral.State(self.facts.state).label if self.facts.state else ""

    @property
    def is_cover(self) -> bool:
        """A colleague's, covered for a while."""
        return not getattr(self.person, OWN, True)

    @property
    def is_unseen(self) -> bool:
        """Nobody has seen them or spoken to them: one click says that somebody did."""
        return any(flag.code in ("not_seen", "not_taken_up") for flag in self.flags)

    @property
    def urgency(self) -> int:
        """Place in the order of what to do first; rows without a flag come last."""
        return min((ORDER.index(flag.code) for flag in self.flags), default=len(ORDER))


# What a row reads of a person.
PERSON = ("preferred_name", "surname", "reference", "born_on", "wellbeing_asked", "wellbeing_from")
INTRODUCTION = ("care_leaver_id", "pk", "state", "membership_id")
MEMBERSHIP = (
    "membership__number",
    "membership__state",
    "membership__first_week",
    "membership__next_due_on",
    "membership__stop_renewal",
)
OWN = "is_own"  # allocated to this advisor, not only covered
LISTED = [each.attname for each in CareLeaver._meta.concrete_fields if each.attname in ("id", *PERSON)]
ASKED = Kept(
    lambda advisor, council, on: people(
        User(pk=advisor, role=Role.PERSONAL_ADVISOR, organisation_id=council), on
    ).values_list(*LISTED, OWN)[: A_PAGE + 1]
)
FOLLOWED = FollowUp.objects.filter(referral=OuterRef("pk")).order_by("-at")
INTRODUCTIONS = Kept(
    lambda people: (
        Referral.objects.filter(care_leaver__in=people)
        .exclude(state=rules.WITHDRAWN)
        .annotate(said=Subquery(FOLLOWED.values("outcome")[:1]), again=Subquery(FOLLOWED.values("look_again_on")[:1]))
        .order_by("number")
        .values_list(*INTRODUCTION, "said", "again", *MEMBERSHIP)
    )
)
AGREED = Kept(
    lambda people: (
        SharingAgreement.objects.filter(care_leaver__in=people)
        .order_by()
        .values_list("care_leaver_id", "given_on", "until_on", "withdrawn_on")
    )
)
LAST_ON = Kept(
    lambda members: (
        Collection.objects.counted()
        .filter(membership__in=members)
        .order_by()
        .values_list("membership_id")
        .annotate(Max("on"))
    )
)
AHEAD = Kept(
    lambda members, on, week: (
        PaidWeek.objects.filter(
            Q(state=PaidWeek.State.PARKED) | Q(state=PaidWeek.State.DATED, week__gte=week), membership__in=members
        )
        .order_by()
        .values_list("membership_id")
        .annotate(last=Max("week"), left=Count("pk", filter=Q(week=None) | Q(week__gt=on)))
    )
)
HELD = Kept(
    lambda members: (
        RenewalDecision.objects.filter(membership__in=members, outcome=RenewalDecision.Outcome.HELD)
        .order_by()
        .values_list("membership_id")
    )
)
SPOKEN = Kept(
    lambda people, since: (
        Conversation.objects.filter(care_leaver__in=people, on__gt=since, taken_back_at__isnull=True)
        .order_by()
        .values_list("care_leaver_id")
        .annotate(Max("on"))
    )
)
# Paid weeks, and whether anything was closed at their pantry in the time asked about.
DATED = Kept(
    lambda members, after, before: (
        PaidWeek.objects.dated()
        .filter(membership__in=members, week__gt=after, week__lt=before)
        .annotate(
            closed=Exists(
                Closure.objects.filter(
                    withdrawn_at__isnull=True, until_on__gt=after, from_on__lt=before, pantry=OuterRef("pantry")
                )
            )
        )
        .order_by()
        .values_list("membership_id", "pantry_id", "week", "closed")
    )
)


def people(advisor: User, on: date) -> CareLeaverQuerySet:
    """The living of an advisor's caseload by name; `is_own` tells theirs from those they cover."""
    theirs, covered = (
        model.objects.in_force_on(on).filter(advisor=advisor, care_leaver=OuterRef("pk"))
        for model in (AdvisorAllocation, AdvisorCover)
    )
    # Who is here and not covered is theirs: the long list of allocations is read for those alone who are covered.
    own = ExpressionWrapper(Q(~Exists(covered)) | Q(Exists(theirs)), BooleanField())
    return CareLeaver.objects.for_user(advisor, on).living().only(*PERSON).annotate(**{OWN: own})


def first_page(advisor: User, on: date) -> list[CareLeaver]:
    """The living of an advisor's caseload by name: those of a page, and one more if there are more."""
    made = []
    for *row, is_own in ASKED(advisor=advisor.pk, council=advisor.organisation_id, on=on):
        made.append(CareLeaver.from_db("default", LISTED, row))
        setattr(made[-1], OWN, bool(is_own))
    return made


def rows(people: Iterable[CareLeaver], on: date) -> list[Row]:
    """A row for each person of a page, in the order given."""
    people = list(people)
    known = _read([person.pk for person in people], on)
    made = [Row(person=person, facts=known[person.pk]) for person in people]
    for row in made:
        _flag(row, on)
        row.step, row.step_url = _next_step(row, on)
    return made


def _read(people: list[UUID], on: date) -> dict[UUID, Facts]:
    made = {person: Facts() for person in people}
    for person, referral, state, membership, said, again_on, *member in INTRODUCTIONS(people=people):
        facts = made[person]
        facts.referral_id, facts.state = referral, state
        facts.is_followed_up = said is not None and rules.is_followed_up(said, again_on, on)
        if membership is not None:
            facts.membership_id = membership
            facts.number, facts.member_state, facts.first_week, facts.next_due_on, facts.is_stopped = member
    for person, given_on, until_on, withdrawn_on in AGREED(people=people):
        sharing = SharingAgreement(given_on=given_on, until_on=until_on, withdrawn_on=withdrawn_on)
        made[person].is_agreed |= sharing.holds_on(on)
    members = {facts.membership_id: facts for facts in made.values() if facts.membership_id}
    if members:
        _weeks(members, on)
        _missed(members, on)
    if unseen := [person for person, facts in made.items() if facts.missed >= NOT_SEEN]:
        for person, day in SPOKEN(people=unseen, since=on - SPOKEN_HOLDS):
            made[person].spoken_on = day
    return made


def _weeks(members: dict, on: date) -> None:
    """Last collection, weeks left, held renewals."""
    for key, day in LAST_ON(members=members):
        members[key].last_collected_on = day
    for key, last, weeks_left in AHEAD(members=members, on=on, week=monday(on)):
        members[key].last_week, members[key].weeks_left = last, weeks_left
    for (key,) in HELD(members=members):
        members[key].is_held = True


def _missed(members: dict, on: date) -> None:
    """Weeks missed in a row: dated weeks since the last collection whose Sunday has passed, those closed left out.

    Asked only about members who have not been seen for so long that it could matter, when there are any.
    """
    everyone = {key: row.seen_in for key, row in members.items()}
    since = {key: week for key, week in everyone.items() if week < monday(on) - NOT_SEEN * WEEK} or everyone
    first = max(min(since.values()), monday(on) - (LOOKED_BACK + 1) * WEEK)
    weeks = DATED(members=since, after=first, before=monday(on))
    missed = [(key, pantry, week, closed) for key, pantry, week, closed in weeks if week > since[key]]
    for key, *_ in missed:
        members[key].missed += 1
    # Paid weeks are dated onto open weeks and leave them when a closure is announced ahead: a dated week of the past
    # was closed only if that was said after it had begun.
    if perhaps := {pantry for _, pantry, _, closed in missed if closed}:
        calendar = WeekCalendar({})
        calendar.learn(perhaps)
        for key, pantry, week, closed in missed:
            members[key].missed -= closed and calendar.is_closed(pantry, week)


def _is_not_taken_up(facts: Facts, on: date) -> bool:
    has_collected = facts.last_collected_on is not None
    is_open = facts.member_state == Membership.State.OPEN
    return is_open and rules.is_not_taken_up(first_week=facts.first_week, has_collected=has_collected, on=on)


def _flag(row: Row, on: date) -> None:
    """Plain flags, in the words of the page."""
    person, facts, say = row.person, row.facts, row.flags.append
    if not person.preferred_name:
        say(Flag("name", "No name yet", "red"))
    if facts.is_member:
        _flag_member(facts, say, on)
    else:
        if not facts.is_agreed:
            say(Flag("agreement", "No agreement yet", "red"))
        if facts.state in STATE_FLAGS:
            say(STATE_FLAGS[facts.state])
    if point := _wellbeing_due(row, on):
        say(Flag("wellbeing", f"Ask how they are: {questions.POINTS[point].name.lower()}", "yellow"))
    turns_25 = birthday(person.born_on, rules.OLDEST)
    if on < turns_25 <= add_months(on, TURNS_25_SOON):
        say(Flag("turns_25", f"Turns 25 on {turns_25:%-d %b %Y}", "yellow"))


def _wellbeing_due(row: Row, on: date) -> str:
    """The point whose questions are due; nobody is asked whose agreement does not hold."""
    person = row.person
    return questions.due(person.wellbeing_asked.split(), on, person.wellbeing_from) if row.facts.is_agreed else ""


STATE_FLAGS = {
    rules.DRAFT: Flag("draft", "Draft not sent", "yellow"),
    rules.SENT: Flag("waiting", "Waiting for the pantry", "blue"),
    rules.WAITING: Flag("waiting", "On the waiting list", "purple"),
    rules.MORE_ASKED: Flag("asked", "The pantry asks", "red"),
    rules.DECLINED: Flag("declined", "Declined", "grey"),
}


def _unseen(facts: Facts) -> Flag:
    """A nudge at two missed weeks, a louder one at four; a quiet word once somebody has spoken to them."""
    many = f"{facts.missed}" if facts.missed < LOOKED_BACK else f"{LOOKED_BACK} or more"
    if facts.spoken_on:
        return Flag("spoken", f"Not seen for {many} weeks, spoken to {facts.spoken_on:%-d %b}", "grey")
    return Flag("not_seen", f"Not seen for {many} weeks", "red" if facts.missed >= LAPSED else "orange")


def _flag_member(facts: Facts, say, on: date) -> None:
    if _is_not_taken_up(facts, on) and not facts.is_followed_up:
        say(Flag("not_taken_up", "Not taken up", "red"))
    elif facts.missed >= NOT_SEEN and facts.member_state == Membership.State.OPEN:
        say(_unseen(facts))
    if facts.member_state == Membership.State.PAUSED:
        say(Flag("waiting", "Paused", "grey"))
    if facts.is_held:
        say(Flag("held", "Renewal held", "orange"))
    if facts.is_stopped:
        say(Flag("next_block", "Next block not wanted", "grey"))
    elif facts.next_due_on and on < facts.next_due_on <= on + WARNED_AHEAD:
        say(Flag("next_block", f"Next block from {starts_on(facts.next_due_on):%-d %b}", "yellow"))
    elif facts.last_week is None:
        if not facts.weeks_left:  # parked weeks wait for a date
            say(Flag("ends", "No weeks left", "yellow"))
    elif facts.last_week + timedelta(days=6) <= on + ENDS_SOON:
        say(Flag("ends", "Block ends soon", "yellow"))


STEPS = {
    rules.SENT: ("See the introduction", "referrals:detail"),
    rules.WAITING: ("See the introduction", "referrals:detail"),
    rules.MORE_ASKED: ("Answer the pantry", "referrals:detail"),
    rules.DRAFT: ("Finish the introduction", "referrals:edit"),
}


def _next_step(row: Row, on: date) -> tuple[str, str]:
    """The one thing to do next, and where."""
    person, facts = row.person, row.facts
    if not person.preferred_name:
        return "Add a preferred name", reverse("careleavers:edit", args=[person.pk])
    if facts.is_member:
        codes = {flag.code for flag in row.flags}
        if "not_taken_up" in codes:
            return "Say what you found out", reverse("referrals:follow_up", args=[facts.referral_id])
        if codes & {"not_seen", "spoken"}:
            return "Say what is in the way", f"{reverse('reviews:barrier_add')}?person={person.pk}"
        if point := _wellbeing_due(row, on):
            return "Ask how they are", reverse("careleavers:wellbeing_ask", args=[person.pk, point])
        return "", ""
    if facts.state in STEPS:
        text, page = STEPS[facts.state]
        return text, reverse(page, args=[facts.referral_id])
    return "Introduce", reverse("referrals:start", args=[person.pk])
