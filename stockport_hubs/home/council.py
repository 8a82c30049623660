"""What the homes of leaving care managers and finance officers show."""

from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from django.db.models import Count, Exists, IntegerField, QuerySet, Subquery
from django.urls import reverse
from django.utils.http import urlencode

from careleavers.models import CareLeaver, Letter, RecordOpening
from careleavers.models.openings import SHOWN_FOR
from pantry import forecast, money
from pantry.models import (
    EntryKind,
    FundingAgreement,
    JournalEntry,
    Proposal,
    RenewalDecision,
    Statement,
    StatementState,
    Tariff,
)
from referrals.models import Referral, WalkIn, Worry
from referrals.rules import NOT_TAKEN_UP
from reviews import figures
from reviews.attendance import Week
from reviews.definitions import DEFINITIONS
from reviews.models import Action, Barrier, BarrierState, ReviewMeeting
from reviews.models.actions import of_organisation
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.audit import seals
from stockport_hubs.charts import shapes
from stockport_hubs.core.forms import DAY_PARTS
from stockport_hubs.core.kept import Kept, Question, columns, together, whole
from stockport_hubs.core.weeks import LONDON, WEEK, monday
from stockport_hubs.home import alarms
from stockport_hubs.home.alarms import Alarm
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job
from stockport_hubs.notifications.models import UNKNOWN_AFTER, Message

WEEKS_SHOWN = 8


@dataclass(frozen=True)
class Number:
    """A number that leads to what is behind it."""

    number: int
    label: str
    url: str
    alert: bool = False
    note: str = ""


@dataclass(frozen=True)
class Meeting:
    """The next review meeting."""

    pk: UUID
    starts_at: datetime
    where: str


@dataclass(frozen=True)
class Scheme:
    """An agreement's figures as the home shows them."""

    pk: UUID
    name: str
    funnel: list[tuple[str, str, int]]  # (key, name, people)
    weeks: list[Week]
    chart: shapes.Columns
    position: money.Position
    query: str  # the agreement and period of these figures, for the pages of reviews


@dataclass(frozen=True)
class MyAction:
    """Something this person has to do."""

    pk: UUID
    what: str
    due_on: date
    person: UUID | None


@dataclass(frozen=True)
class Overview:
    """The home of a council's leaving care managers."""

    alarms: list[Alarm]
    unknown_emails: int
    worries: int
    numbers: list[Number]
    schemes: list[Scheme]
    meeting: Meeting | None
    my_actions: list[MyAction]
    has_people: bool
    failed_jobs: list[tuple[Job, str]]


def next_meeting(user: User, on: date) -> Meeting | None:
    """The first meeting of today or later."""
    [found] = together(_next_meeting(user, on))
    return _meeting(found)


def _next_meeting(user: User, on: date) -> Question:
    return AHEAD[user.role].of(organisation=user.organisation_id, midnight=datetime.combine(on, time(), LONDON))


def _meeting(found: list) -> Meeting | None:
    return Meeting(*found[0]) if found else None


def _ahead(role: str) -> Kept:
    return Kept(
        lambda organisation, midnight: (
            ReviewMeeting.objects.for_user(User(role=role, organisation_id=organisation))
            .filter(starts_at__gte=midnight)
            .order_by("starts_at")
            .values_list("pk", "starts_at", "where")[:1]
        )
    )


AHEAD: dict[str, Kept] = {role: _ahead(role) for role in (Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER)}


ACTIONS_SHOWN = 5
ACTIONS = Kept(
    lambda owner, organisation: (
        Action.objects.waiting()
        .filter(of_organisation(organisation), owner=owner)
        .order_by("due_on", "pk")
        .values_list("pk", "what", "due_on", "barrier__care_leaver_id")[: ACTIONS_SHOWN + 1]
    )
)


def my_actions(user: User) -> list[MyAction]:
    """What waits for this person, the first due first; one more than is shown, so that the page knows of more."""
    [found] = together(_my_actions(user))
    return [MyAction(*row) for row in found]


def _my_actions(user: User) -> Question:
    return ACTIONS.of(owner=user.pk, organisation=user.organisation_id)


WORRIES_AT_MOST = 20


def _tied(people: QuerySet[CareLeaver]) -> QuerySet[Worry]:
    """Worries nobody has answered about these young people's memberships."""
    ties = Referral.objects.filter(care_leaver__in=people.order_by().values("pk"), membership__isnull=False)
    return Worry.objects.unanswered().filter(membership__in=ties.order_by().values("membership")).order_by()


WORRIES: dict[str, Kept] = {
    Role.PERSONAL_ADVISOR: Kept(
        lambda user, organisation, on: _tied(
            CareLeaver.objects.filter(council=organisation).with_advisor(User(pk=user), on)
        ).values_list("pk")[:WORRIES_AT_MOST]
    ),
    Role.PANTRY_MANAGER: Kept(
        lambda organisation: (
            Worry.objects.unanswered()
            .filter(pantry__operator=organisation)
            .order_by()
            .values_list("pk")[:WORRIES_AT_MOST]
        )
    ),
}


def worries(user: User, on: date) -> int:
    """How many in a hall wait to be rung by this person or somebody else who was told; at most 20. An overview has its
    own."""
    more = {"user": user.pk, "on": on} if user.role == Role.PERSONAL_ADVISOR else {}
    return len(WORRIES[user.role](organisation=user.organisation_id, **more))


def _in_force(role: str) -> Kept:
    return Kept(
        lambda organisation, on: (
            FundingAgreement.objects.for_user(User(role=role, organisation_id=organisation))
            .in_force_on(on)
            .order_by("-starts_on", "pk")
            .values_list(*columns(FundingAgreement))
        )
    )


IN_FORCE: dict[str, Kept] = {role: _in_force(role) for role in (Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER)}


def agreements(user: User, on: date) -> list[FundingAgreement]:
    """Agreements in force, the newest first."""
    return [whole(FundingAgreement, row) for row in IN_FORCE[user.role](organisation=user.organisation_id, on=on)]


def overview(user: User, on: date, now: datetime) -> Overview:
    """Everything on the page, counted now; `now` is the real clock's."""
    counts = COUNTS.of(
        council=user.organisation_id,
        on=on,
        first_by=on - NOT_TAKEN_UP,
        opened_since=_opened_since(on),
        now=now,
        begun=now - UNKNOWN_AFTER,
    )
    in_force = IN_FORCE[user.role].of(organisation=user.organisation_id, on=on)
    [counted], found, meetings, actions = together(counts, in_force, _next_meeting(user, on), _my_actions(user))
    *waiting, failed, worries, people, unknown, due, stored = counted
    return Overview(
        alarms=alarms.of(now, due, stored),
        unknown_emails=unknown,
        worries=worries,
        numbers=_numbers(*waiting),
        schemes=[scheme(whole(FundingAgreement, row), on) for row in found],
        meeting=_meeting(meetings),
        my_actions=[MyAction(*row) for row in actions],
        has_people=people,
        failed_jobs=failed_jobs(user) if failed else [],
    )


class Counted(Subquery):
    """How many rows, as a value of another query."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet, at_most: int | None = None) -> None:
        super().__init__(rows.order_by().values("pk")[:at_most])


def _counts(
    council: UUID, on: date, first_by: date, opened_since: datetime, now: datetime, begun: datetime
) -> QuerySet:
    """One row: what waits for a council's leaving care managers, whether anybody is there, what alarms are told by."""
    manager = User(role=Role.LEAVING_CARE_MANAGER, organisation_id=council)
    people = CareLeaver.objects.for_user(manager)
    barriers = Barrier.objects.for_user(manager).filter(state__in=[BarrierState.OPEN, BarrierState.IN_HAND])
    openings = RecordOpening.objects.for_user(manager).filter(opened_at__gte=opened_since)
    return Organisation.objects.filter(pk=council).values_list(
        Counted(people.to_allocate(on)),
        Counted(people.waiting_for_name()),
        Counted(Referral.objects.for_user(manager).to_answer()),
        Counted(Referral.objects.for_user(manager).not_taken_up(on, first_by)),
        Counted(WalkIn.objects.for_user(manager).waiting()),
        Counted(RenewalDecision.objects.for_user(manager).filter(outcome=RenewalDecision.Outcome.HELD)),
        Counted(barriers),
        Counted(barriers.filter(due_on__lt=on)),
        Counted(openings),
        Counted(openings.exclude(pattern="")),
        Counted(Proposal.objects.for_user(manager).waiting()),
        Counted(Job.objects.for_user(manager, to_look_at=True)),
        Counted(_tied(CareLeaver.objects.filter(council=council)), WORRIES_AT_MOST),
        Exists(people),
        Counted(Message.objects.for_user(manager).unknown(begun)),
        Subquery(jobs.due(now)),
        Subquery(seals.unsealed()),
    )


COUNTS = Kept(_counts)


def _aside(user: UUID, organisation: UUID, on: date, since: datetime) -> QuerySet:
    """One row: openings of an advisor's young people by colleagues, messages to them that wait for somebody, and who
    came to a pantry by themselves."""
    people = CareLeaver.objects.filter(council=organisation).with_advisor(User(pk=user), on).order_by().values("pk")
    opened = RecordOpening.objects.filter(care_leaver__in=people, opened_at__gte=since).exclude(advisor=user)
    came = WalkIn.objects.for_user(User(role=Role.PERSONAL_ADVISOR, organisation_id=organisation)).waiting()
    return User.objects.filter(pk=user).values_list(
        Counted(opened), Counted(Letter.objects.open().filter(care_leaver__in=people)), Counted(came)
    )


ASIDE = Kept(_aside)


def _opened_since(on: date) -> datetime:
    return datetime.combine(on - SHOWN_FOR, time(), LONDON)


def aside(user: User, on: date) -> dict[str, int]:
    """How often colleagues opened this advisor's young people with a reason in the last two weeks, messages to their
    young people that are not sent yet or of which nobody knows, and who came to a pantry by themselves."""
    [counts] = ASIDE(user=user.pk, organisation=user.organisation_id, on=on, since=_opened_since(on))
    return dict(zip(("opened", "letters", "walk_ins"), counts, strict=True))


def scheme(agreement: FundingAgreement, on: date) -> Scheme:
    """The figures of reviews for the last weeks."""
    first = monday(on) - (WEEKS_SHOWN - 1) * WEEK
    counted = figures.compute(agreement, first, on, on)
    return Scheme(
        pk=agreement.pk,
        name=agreement.name,
        funnel=[(stage, DEFINITIONS[stage].name, number) for stage, number in counted.funnel],
        weeks=counted.weeks,
        chart=_chart(counted.weeks),
        position=counted.position,
        query=_query(agreement, first, on),
    )


def _chart(weeks: list) -> shapes.Columns:
    """The table of take-up as a picture."""
    said = "; ".join(f"week of {week.week:%-d %B}, {week.came} of {week.could}" for week in weeks)
    return shapes.columns(
        f"Members who came, of those who could come: {said}.",
        [(f"{week.week:%-d %b}", week.could, week.came) for week in weeks],
        behind_name="could come",
        front_name="came",
    )


def _query(agreement: FundingAgreement, first: date, last: date) -> str:
    """The period as the pages of reviews take it: three inputs for each day."""
    days = {"period_from": first, "period_to": last}
    parts = {f"{name}_{part}": getattr(day, part) for name, day in days.items() for part in DAY_PARTS}
    return urlencode({"agreement": agreement.pk, **parts})


def _numbers(
    to_allocate: int,
    without_name: int,
    to_answer: int,
    not_taken_up: int,
    walk_ins: int,
    held: int,
    barriers: int,
    overdue: int,
    opened: int,
    stands_out: int,
    proposed: int,
) -> list[Number]:
    """What waits for a leaving care manager."""
    people_url = reverse("careleavers:list")
    counts = {
        "to allocate": (to_allocate, f"{people_url}?show=to_allocate"),
        "waiting for a name": (without_name, f"{people_url}?show=waiting_for_name"),
        "waiting for the pantry": (to_answer, f"{reverse('referrals:list')}?state=to_answer"),
        "not taken up": (not_taken_up, f"{reverse('referrals:list')}?state=not_taken_up"),
        "came by themselves": (walk_ins, reverse("referrals:walk_ins")),
        "renewals held": (held, reverse("pantry:renewals")),
        "open barriers": (barriers, reverse("reviews:barriers")),
        "records opened with a reason": (opened, reverse("careleavers:openings")),
    }
    alerts = ["to allocate", "waiting for a name", "not taken up", "came by themselves", "renewals held"]
    alerts += ["records opened with a reason"] if stands_out else []
    notes = {
        "open barriers": f"{overdue} overdue" if overdue else "",
        "records opened with a reason": f"{stands_out} stand{'s' if stands_out == 1 else ''} out" if stands_out else "",
    }
    if proposed:  # seldom, and then it waits for one of two people
        counts["to approve by a second person"] = (proposed, reverse("pantry:proposals"))
    return [
        Number(
            number,
            label,
            url,
            alert=bool(number) and label in alerts,
            note=notes.get(label, ""),
        )
        for label, (number, url) in counts.items()
    ]


def failed_jobs(user: User) -> list[tuple[Job, str]]:
    """The oldest work that failed and what it was, at most 10."""
    failed = Job.objects.for_user(user, to_look_at=True).order_by("failed_at")[:10]
    return [(job, jobs.label(job)) for job in failed]


@dataclass(frozen=True)
class MoneyRow:
    """An agreement in force: where its money is, and when it runs out."""

    agreement: FundingAgreement
    position: money.Position
    ahead: forecast.Forecast

    @property
    def unpaid_pence(self) -> int:
        """Drawn and not paid in advance yet."""
        return max(0, -self.position.left_pence)


def money_rows(user: User, on: date) -> list[MoneyRow]:
    """Agreements in force; a fixed number of queries for each."""
    return [MoneyRow(each, money.position(each, on), forecast.of(each, on)) for each in agreements(user, on)]


PROPOSALS_SHOWN = 5


def proposals(user: User) -> tuple[list[Proposal], int]:
    """The first of those that wait for a second person, this one or another, and how many wait."""
    waiting = Proposal.objects.for_user(user).waiting().select_related("agreement", "membership", "proposed_by")
    return list(waiting.order_by("proposed_at", "pk")[:PROPOSALS_SHOWN]), waiting.count()


def tariffs_to_agree(user: User) -> list[Tariff]:
    """Prices proposed and not agreed yet, the earliest first."""
    waiting = Tariff.objects.for_user(user).awaiting_agreement().select_related("pantry", "proposed_by")
    return list(waiting.order_by("from_week", "pantry__name")[:25])


def statements_waiting(user: User) -> list[tuple[str, str]]:
    """What of the monthly statements waits for a finance officer, if anything: a sentence, where it is done."""
    State = StatementState
    states = [State.QUERIED, State.OPERATOR, State.CLOSED]
    rows = Statement.objects.for_user(user).with_state().filter(state__in=states).order_by()
    counts = dict(rows.values_list("state").annotate(Count("pk")))
    said = {
        State.QUERIED: ("has lines queried by the pantries", "have lines queried by the pantries"),
        State.OPERATOR: ("is agreed by the pantries and waits for you", "are agreed by the pantries and wait for you"),
        State.CLOSED: ("is closed without a payment recorded", "are closed without a payment recorded"),
    }
    url = reverse("pantry:statements")
    return [
        (f"{n} monthly statement{' ' + one if n == 1 else 's ' + many}.", f"{url}?state={state}")
        for state, (one, many) in said.items()
        if (n := counts.get(state, 0))
    ]


def last_payments(user: User) -> list[JournalEntry]:
    """The latest payments in advance, with `pence`."""
    paid = JournalEntry.objects.for_user(user).filter(kind=EntryKind.PAYMENT).select_related("agreement")
    found = list(paid.prefetch_related("lines").order_by("-effective_on", "-recorded_at")[:5])
    for entry in found:
        entry.pence = sum(line.pence for line in entry.lines.all() if line.pence > 0)
    return found
