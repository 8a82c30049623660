"""What belongs on a meeting's agenda by itself, read from what is known: nothing is typed twice.

Both organisations read the titles. Of young people they hold membership numbers, and weeks and renewals, which a pantry
knows of its own members; never a name, a reason or a barrier of one person (rules.md, Small numbers; the landlord).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Min, Q

from careleavers.models import CareLeaver
from pantry.models import Closure, Membership, RenewalDecision, StatementMark
from referrals.models import Referral
from reviews import figures
from reviews.models import (
    Action,
    AgendaItem,
    AgendaKind,
    AgendaState,
    Barrier,
    BarrierCategory,
    Disagreement,
    ReviewMeeting,
    Rung,
)
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.weeks import london_date, spoken

MOST = 20  # held renewals, and lapses, one by one; what is beyond stands in one line
CLOSURES_AHEAD = timedelta(days=91)
KINDS = list(AgendaKind)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Something that belongs on the agenda."""

    kind: AgendaKind
    source: UUID
    title: str
    note: str = ""
    membership: UUID | None = None
    pantry: UUID | None = None
    owner: UUID | None = None
    due_on: date | None = None
    first_on: date | None = None  # the meeting it was made at
    by: UUID | None = None


def candidates(meeting: ReviewMeeting, on: date) -> list[Candidate]:
    """All of them in the order of the agenda, as known on a day; the number of queries does not depend on the rows."""
    return [
        *_actions(meeting, on),
        *_disagreements(meeting),
        *_holds(meeting),
        *_queries(meeting),
        *_lapses(meeting, on),
        *_barriers(meeting),
        _people(meeting),
        *_closures(meeting, on),
        *_put_off(meeting),
    ]


def earlier(meeting: ReviewMeeting):
    """Meetings of the same agreement that took place before it, the latest first."""
    return ReviewMeeting.objects.took_place().filter(agreement=meeting.agreement_id, starts_at__lt=meeting.starts_at)


def carried(meeting: ReviewMeeting, found: Iterable[Candidate]) -> dict[tuple[str, UUID], tuple[int, date]]:
    """(how many times carried, since when) of each. An action is carried to the first meeting after its own; anything
    else is there for the first time once, and carried from then on."""
    rows = AgendaItem.objects.filter(meeting__in=earlier(meeting)).order_by().values_list("kind", "source")
    before: Counter = Counter(rows)
    first = {
        (kind, source): london_date(at)
        for kind, source, at in rows.annotate(first=Min("meeting__starts_at")).values_list("kind", "source", "first")
    }
    today = london_date(meeting.starts_at)
    return {
        key: (before[key] + (each.first_on is not None), each.first_on or first.get(key, today))
        if each.kind != AgendaKind.PEOPLE  # always there
        else (0, today)
        for each in found
        if (key := (str(each.kind), each.source))
    }


def _actions(meeting: ReviewMeeting, on: date) -> list[Candidate]:
    """Not done, of this agreement's earlier meetings and of its pantries' barriers; what is overdue comes first."""
    of_meeting = Q(meeting__agreement=meeting.agreement_id, meeting__starts_at__lt=meeting.starts_at)
    rows = Action.objects.waiting().filter(of_meeting | Q(meeting=None, barrier__in=_open_barriers(meeting)))
    return [
        Candidate(
            kind=AgendaKind.ACTION,
            source=each.pk,
            title=each.what,
            note=f"{each.owner.name}, {'was due' if each.due_on < on else 'due'} on {spoken(each.due_on)}",
            owner=each.owner_id,
            due_on=each.due_on,
            first_on=london_date(each.meeting.starts_at) if each.meeting else None,
        )
        for each in rows.select_related("owner", "meeting").order_by("due_on", "made_at")
    ]


def _disagreements(meeting: ReviewMeeting) -> list[Candidate]:
    rows = Disagreement.objects.unsettled().filter(agreement=meeting.agreement_id)
    return [
        Candidate(kind=AgendaKind.DISAGREEMENT, source=each.pk, title=each.about, note=Rung(each.rung).label)
        for each in rows
    ]


def _holds(meeting: ReviewMeeting) -> list[Candidate]:
    held = RenewalDecision.objects.filter(
        membership__agreement=meeting.agreement_id,
        membership__state__in=[Membership.State.OPEN, Membership.State.PAUSED],
        outcome=RenewalDecision.Outcome.HELD,
    ).order_by("starts_on", "membership__number")
    rows = list(held.values_list("pk", "membership_id", "membership__number", "block_no", "starts_on")[: MOST + 1])
    made = [
        Candidate(
            kind=AgendaKind.HOLD,
            source=key,
            title=f"Member {number}: block {block} would start on {spoken(starts)} and is held",
            membership=membership,
        )
        for key, membership, number, block, starts in rows[:MOST]
    ]
    if len(rows) > MOST:
        rest = f"{held.count() - MOST:,} more renewals are held"
        made.append(Candidate(kind=AgendaKind.HOLD, source=meeting.agreement_id, title=rest))
    return made


def _queries(meeting: ReviewMeeting) -> list[Candidate]:
    """Lines of statements that are queried and not answered: which, what was asked, and who answers."""
    waiting = StatementMark.objects.waiting().filter(statement__agreement=meeting.agreement_id)
    rows = list(waiting.select_related("statement__pantry", "membership").order_by("at", "pk")[: MOST + 1])
    officers = User.objects.filter(
        organisation=meeting.agreement.funder_id, role=Role.FINANCE_OFFICER, deactivated_at__isnull=True
    )
    who = ", ".join(officers.order_by("name").values_list("name", flat=True)[:3]) if rows else ""
    answers = f"{who or 'A finance officer'} of {meeting.agreement.funder.name} answers"
    made = [
        Candidate(
            kind=AgendaKind.QUERY,
            source=each.pk,
            title=f"{each.statement.pantry.name}, {each.statement}: {_line(each.membership)} is queried",
            note=f"{each.words} {answers}."[:500],
            membership=each.membership_id,
            pantry=each.statement.pantry_id,
        )
        for each in rows[:MOST]
    ]
    if len(rows) > MOST:
        rest = f"{waiting.count() - MOST:,} more lines of statements are queried"
        made.append(Candidate(kind=AgendaKind.QUERY, source=meeting.agreement_id, title=rest, note=f"{answers}."))
    return made


def _line(membership: Membership | None) -> str:
    return f"member {membership.number}" if membership else "a line of no one member"


def _lapses(meeting: ReviewMeeting, on: date) -> list[Candidate]:
    counted = figures.compute(meeting.agreement, on, on, on)
    lapsed = sorted((counted.attendance.members[key].number, key) for key in counted.members["lapsed"])
    made = [
        Candidate(
            kind=AgendaKind.LAPSE,
            source=key,
            title=f"Member {number} missed the last 4 open weeks",
            membership=key,
        )
        for number, key in lapsed[:MOST]
    ]
    if len(lapsed) > MOST:
        rest = f"{len(lapsed) - MOST:,} more members missed the last 4 open weeks"
        made.append(Candidate(kind=AgendaKind.LAPSE, source=meeting.agreement_id, title=rest))
    return made


def _open_barriers(meeting: ReviewMeeting):
    """Of the operator's pantries; a young person's never."""
    agreement = meeting.agreement
    return Barrier.objects.filter(
        council=agreement.funder_id,
        pantry__operator=agreement.operator_id,
        care_leaver__isnull=True,
        closed_on__isnull=True,
    )


def _barriers(meeting: ReviewMeeting) -> list[Candidate]:
    return [
        Candidate(
            kind=AgendaKind.BARRIER,
            source=each.pk,
            title=f"{each.pantry.name}: {BarrierCategory(each.category).label}",
            note=f"Since {spoken(each.raised_on)}, {each.owner.name} looks after it",
            pantry=each.pantry_id,
        )
        for each in _open_barriers(meeting).select_related("pantry", "owner").order_by("raised_on", "pk")
        if each.pantry
    ]


def _people(meeting: ReviewMeeting) -> Candidate:
    """There is always one such item, with no number in it: that it is there tells nobody anything."""
    title = "What stands in the way of young people"
    note = "Counted by kind in each organisation’s pack."
    return Candidate(kind=AgendaKind.PEOPLE, source=meeting.agreement_id, title=title, note=note)


def _closures(meeting: ReviewMeeting, on: date) -> list[Candidate]:
    ahead = Closure.objects.filter(
        pantry__operator=meeting.agreement.operator_id,
        until_on__gte=on,
        from_on__lte=on + CLOSURES_AHEAD,
        withdrawn_at__isnull=True,
    )
    return [
        Candidate(
            kind=AgendaKind.CLOSURE,
            source=each.pk,
            title=f"{each.pantry.name} is closed {_days(each)}",
            note=each.reason,
            pantry=each.pantry_id,
        )
        for each in ahead.select_related("pantry").order_by("from_on", "pantry__name")[:MOST]
    ]


def _days(closure: Closure) -> str:
    if closure.from_on == closure.until_on:
        return f"on {spoken(closure.from_on)}"
    return f"from {spoken(closure.from_on)} to {spoken(closure.until_on)}"


def _put_off(meeting: ReviewMeeting) -> list[Candidate]:
    """What somebody added to the meeting before, and was not talked about there."""
    last = earlier(meeting).values_list("pk", flat=True).first()
    rows = AgendaItem.objects.filter(meeting=last, kind=AgendaKind.ADDED).exclude(state=AgendaState.DISCUSSED)
    return [
        Candidate(kind=AgendaKind.ADDED, source=each.source, title=each.title, note=each.note, by=each.added_by_id)
        for each in rows
    ]


def names(items: Iterable[AgendaItem], user: User) -> dict[UUID, CareLeaver]:
    """The young person of each item with a member, for those of the council who may see them; nobody for others."""
    members = [each.membership_id for each in items if each.membership_id]
    if not user.is_council or not members:
        return {}
    people = {
        membership: person
        for membership, person in Referral.objects.filter(membership__in=members)
        .order_by()
        .values_list("membership_id", "care_leaver_id")
    }
    seen = CareLeaver.objects.for_user(user).living().in_bulk(list(people.values()))
    return {key: seen[person] for key, person in people.items() if person in seen}
