"""A page of young people with what each needs now: the advisor's home and the list of people to introduce.

Six queries for a page, and three of the calendar when somebody has missed weeks, whatever is stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db.models import Count, Exists, Max, OuterRef, Q
from django.urls import reverse

from careleavers.models import CareLeaver, SharingAgreement
from pantry.calendar import WeekCalendar
from pantry.models import Collection, Membership, PaidWeek, Pantry
from referrals import rules
from referrals.models import Referral
from stockport_hubs.core.weeks import WEEK, add_months, birthday, monday

LOOKED_BACK = 13  # weeks; nobody needs to know whether it is fourteen or fifteen
NOT_SEEN, ENDS_SOON, TURNS_25_SOON = 2, 8 * WEEK, 6  # missed weeks; before the last week is over; months
ORDER = ("name", "asked", "agreement", "draft", "not_seen", "not_taken_up", "ends", "turns_25", "declined", "waiting")


@dataclass(frozen=True)
class Flag:
    """One plain fact that wants attention; the word carries it, the colour helps."""

    code: str
    text: str
    colour: str


@dataclass(kw_only=True)
class Row:
    """One young person on a page."""

    person: CareLeaver
    referral: Referral | None = None
    membership: Membership | None = None
    sharing: SharingAgreement | None = None
    last_collected_on: date | None = None
    weeks_left: int = 0
    last_week: date | None = None
    missed: int = 0
    flags: list[Flag] = field(default_factory=list)
    step: str = ""
    step_url: str = ""

    @property
    def is_member(self) -> bool:
        """A membership that has not ended."""
        return self.membership is not None and self.membership.state != Membership.State.ENDED

    @property
    def urgency(self) -> int:
        """Place in the order of what to do first; rows without a flag come last."""
        return min((ORDER.index(flag.code) for flag in self.flags), default=len(ORDER))


def rows(people: Iterable[CareLeaver], on: date) -> list[Row]:
    """A row for each person of a page, in the order given."""
    made = {person.pk: Row(person=person) for person in people}
    introductions = (
        Referral.objects.filter(care_leaver__in=made)
        .exclude(state=rules.WITHDRAWN)
        .select_related("membership", "pantry")
        .order_by("number")
    )
    for referral in introductions:
        row = made[referral.care_leaver_id]
        row.referral = referral
        if referral.membership is not None:
            row.membership = referral.membership
    for sharing in SharingAgreement.objects.filter(care_leaver__in=made).order_by("given_on"):
        if sharing.holds_on(on):
            made[sharing.care_leaver_id].sharing = sharing
    _weeks({row.membership.pk: row for row in made.values() if row.membership}, on)
    for row in made.values():
        _flag(row, on)
        row.step, row.step_url = _next_step(row)
    return list(made.values())


def _weeks(members: dict, on: date) -> None:
    """Last collection, weeks left, and weeks missed in a row: dated weeks since the last collection whose Sunday has
    passed."""
    last = Collection.objects.counted().filter(membership__in=members).order_by().values_list("membership")
    for key, day in last.annotate(Max("on")):
        members[key].last_collected_on = day
    weeks = PaidWeek.objects.filter(membership__in=members).order_by()
    dated, parked = PaidWeek.State.DATED, PaidWeek.State.PARKED
    ahead = weeks.filter(Q(state=parked) | Q(state=dated, week__gte=monday(on))).values_list("membership")
    for key, last_week, left in ahead.annotate(
        last=Max("week"), left=Count("pk", filter=Q(week=None) | Q(week__gt=on))
    ):
        members[key].last_week, members[key].weeks_left = last_week, left
    later = Collection.objects.counted().filter(membership=OuterRef("membership"), week__gte=OuterRef("week"))
    over = weeks.filter(state=dated, week__lt=monday(on), week__gte=monday(on) - LOOKED_BACK * WEEK)
    missed = list(over.filter(~Exists(later)).values_list("membership", "pantry", "week"))
    if missed:
        pantries = Pantry.objects.filter(pk__in={pantry for _, pantry, _ in missed})
        calendar = WeekCalendar.for_pantries(pantries)
        for key, pantry, week in missed:
            members[key].missed += not calendar.is_closed(pantry, week)


def _flag(row: Row, on: date) -> None:
    """Plain flags, in the words of the page."""
    person, referral = row.person, row.referral
    state = referral.state if referral else ""
    say = row.flags.append
    if not person.preferred_name:
        say(Flag("name", "No name yet", "red"))
    if not row.is_member:
        if row.sharing is None:
            say(Flag("agreement", "No agreement yet", "red"))
        if state == rules.DRAFT:
            say(Flag("draft", "Draft not sent", "yellow"))
        elif state == rules.SENT:
            say(Flag("waiting", "Waiting for the pantry", "blue"))
        elif state == rules.WAITING:
            say(Flag("waiting", "On the waiting list", "purple"))
        elif state == rules.MORE_ASKED:
            say(Flag("asked", "The pantry asks", "red"))
        elif state == rules.DECLINED:
            say(Flag("declined", "Declined", "grey"))
    else:
        _flag_member(row, on)
    turns_25 = birthday(person.born_on, rules.OLDEST)
    if on < turns_25 <= add_months(on, TURNS_25_SOON):
        say(Flag("turns_25", f"Turns 25 on {turns_25:%-d %b %Y}", "yellow"))


def _flag_member(row: Row, on: date) -> None:
    membership, say = row.membership, row.flags.append
    collected = row.last_collected_on is not None
    if rules.is_not_taken_up(first_week=membership.first_week, has_collected=collected, on=on):
        say(Flag("not_taken_up", "Not taken up", "red"))
    elif row.missed >= NOT_SEEN and membership.state == Membership.State.OPEN:
        many = f"{row.missed}" if row.missed < LOOKED_BACK else f"{LOOKED_BACK} or more"
        say(Flag("not_seen", f"Not seen for {many} weeks", "orange"))
    if membership.state == Membership.State.PAUSED:
        say(Flag("waiting", "Paused", "grey"))
    if row.last_week is None or row.last_week + timedelta(days=6) <= on + ENDS_SOON:
        say(Flag("ends", "Block ends soon" if row.last_week else "No weeks left", "yellow"))


def _next_step(row: Row) -> tuple[str, str]:
    """The one thing to do next, and where; nothing to do leads to the person."""
    person, referral = row.person, row.referral
    if not person.preferred_name:
        return "Add a preferred name", reverse("careleavers:edit", args=[person.pk])
    if row.is_member:
        return "", ""
    state = referral.state if referral else ""
    if state in (rules.SENT, rules.WAITING):
        return "See the introduction", reverse("referrals:detail", args=[referral.pk])
    if state == rules.MORE_ASKED:
        return "Answer the pantry", reverse("referrals:detail", args=[referral.pk])
    if state == rules.DRAFT:
        return "Finish the introduction", reverse("referrals:edit", args=[referral.pk])
    return "Introduce", reverse("referrals:start", args=[person.pk])
