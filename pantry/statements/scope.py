"""Which lines of the journal, which weeks and which members a statement speaks of."""

from collections.abc import Collection as Keys
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When

from pantry.models import (
    Account,
    Closure,
    Collection,
    EarlierPrice,
    EntryKind,
    FundingAgreement,
    JournalLine,
    Membership,
    MembershipMove,
    PaidWeek,
    Pantry,
    PrepaidBlock,
    Statement,
    StatementClosing,
    StatementLine,
)
from stockport_hubs.core.among import Among
from stockport_hubs.core.weeks import WEEK, monday

ONE_DAY = timedelta(days=1)
HERE = [Account.WEEKS, Account.JOINING]
OPENING, PRIOR, MONTH = "opening", "prior", "month"


@dataclass(frozen=True)
class Scope:
    """Which lines of the journal and which weeks a statement speaks of. `before`: the closed statement of the month
    before, if there is one; `up_to`: the last line it holds (None: it is open, and holds what there is)."""

    agreement: FundingAgreement
    pantry: Pantry
    month: date
    until: date
    before: Statement | None
    up_to: int | None

    @property
    def eve(self) -> date:
        """The last day of the month before."""
        return self.month - ONE_DAY

    @cached_property
    def journal(self) -> QuerySet[Any]:
        """Every line here up to the end of the month, with `part`: opening, prior (entered late) or month."""
        lines = JournalLine.objects.filter(entry__agreement=self.agreement, entry__effective_on__lte=self.until)
        if self.up_to is not None:
            lines = lines.filter(pk__lte=self.up_to)
        late = [When(pk__gt=self.before.closing.up_to_line, then=Value(PRIOR))] if self.before else []
        part = Case(
            When(entry__effective_on__gte=self.month, then=Value(MONTH)),
            *late,
            default=Value(OPENING),
            output_field=CharField(),
        )
        return lines.annotate(part=part).order_by()

    @property
    def here(self) -> QuerySet[Any]:
        """Of this pantry's weeks and joining fees."""
        return self.journal.filter(pantry=self.pantry, account__in=HERE)

    def weeks(self, members: Keys[UUID] | None) -> QuerySet[PaidWeek]:
        """The agreement's paid weeks at this pantry."""
        found = PaidWeek.objects.filter(pantry=self.pantry, block__agreement=self.agreement)
        return found if members is None else found.filter(Among("membership", members))

    def frozen(self) -> QuerySet[StatementLine]:
        """The lines of all statements closed before this one."""
        if self.before is None:
            return StatementLine.objects.none()
        return StatementLine.objects.filter(
            statement__agreement=self.agreement, statement__pantry=self.pantry, statement__month__lt=self.month
        )


def scope(statement: Statement, closing: StatementClosing | None) -> Scope:
    """Of a statement with its closing, if it has one. One query."""
    before = Statement.objects.filter(
        agreement=statement.agreement_id,
        pantry=statement.pantry_id,
        month=statement.day_before.replace(day=1),
        closing__isnull=False,
    )
    return Scope(
        agreement=statement.agreement,
        pantry=statement.pantry,
        month=statement.month,
        until=statement.last_day,
        before=before.select_related("closing").first(),
        up_to=closing.up_to_line if closing else None,
    )


def since(statement: Statement) -> Scope:
    """The month after a closed statement as it stands now: its prior part is what was entered since."""
    first = statement.last_day + ONE_DAY
    return Scope(statement.agreement, statement.pantry, first, first, statement, None)


def members_of(found: Scope) -> QuerySet[Membership]:
    """Whoever has a line, by number."""
    start, until, State = found.month, found.until, PaidWeek.State
    weeks = PaidWeek.objects.filter(
        membership=OuterRef("pk"), pantry=found.pantry, block__agreement=found.agreement, block__bought_on__lte=until
    )
    had = Collection.objects.counted().filter(
        membership=OuterRef("membership"), week=OuterRef("week"), on__lte=found.eve
    )
    not_over = Q(~Exists(had), week=monday(found.eve))  # it counted as neither collected nor missed on the eve
    ahead = weeks.filter(Q(week__gte=start) | Q(week__isnull=True) | not_over).exclude(state=State.REVERSED)
    ahead = ahead.exclude(credited_on__lt=start)
    on = "entry__effective_on"
    in_it = Q(**{f"{on}__range": (start, until)})
    left_later = Q(**{f"{on}__gt": until, "entry__kind": EntryKind.TRANSFER, "pence__lt": 0})  # its weeks are elsewhere
    late = Q(**{f"{on}__lt": start, "pk__gt": found.before.closing.up_to_line}) if found.before else Q(pk__isnull=True)
    moved = JournalLine.objects.filter(in_it | left_later | late, entry__agreement=found.agreement, pantry=found.pantry)
    if found.up_to is not None:
        moved = moved.filter(pk__lte=found.up_to)
    blocks = PrepaidBlock.objects.filter(
        agreement=found.agreement, bought_on__lte=until, pk__in=moved.values("source_id")
    )
    listed = Exists(ahead) | Exists(blocks.filter(membership=OuterRef("pk")))
    if found.before is not None:
        listed |= Exists(weeks.filter(_recounted(found))) | Exists(_restated(found))
    return Membership.objects.filter(listed).order_by("number")


def _recounted(found: Scope) -> Q:
    """Weeks of closed months that count otherwise now: a collection was entered or undone, or a closure announced or
    withdrawn, after the month before was closed."""
    assert found.before is not None
    closed_at = found.before.closing.closed_at
    changed = Q(recorded_at__gt=closed_at) | Q(voided_at__gt=closed_at)
    collected = Collection.objects.filter(changed, membership=OuterRef("membership"), week=OuterRef("week"))
    closures = Closure.objects.filter(
        Q(announced_at__gt=closed_at) | Q(withdrawn_at__gt=closed_at), pantry=found.pantry, from_on__lt=found.month
    )
    recounted = Q(Exists(collected), week__lt=found.month)
    for first, last in closures.values_list("from_on", "until_on"):
        recounted |= Q(week__gte=monday(first), week__lte=last, week__lt=found.month)
    return recounted


def _restated(found: Scope) -> QuerySet[MembershipMove]:
    """Changes of a member's state that were entered late for closed months, and returns in the week that runs on from
    them: what was used may be so no longer, or a week that had begun is used after all."""
    assert found.before is not None
    closed_at = found.before.closing.closed_at
    return MembershipMove.objects.filter(
        membership=OuterRef("pk"), recorded_at__gt=closed_at, on__lt=found.month + WEEK
    )


def members_since(found: Scope) -> QuerySet[Membership]:
    """Of `since`: whose figures have changed, by number."""
    assert found.before is not None
    late = found.journal.filter(part=PRIOR, pantry=found.pantry)
    blocks = PrepaidBlock.objects.filter(agreement=found.agreement, pk__in=late.values("source_id"))
    weeks = found.weeks(None).filter(_recounted(found), membership=OuterRef("pk"))
    changed = Exists(blocks.filter(membership=OuterRef("pk"))) | Exists(weeks) | Exists(_restated(found))
    raised = EarlierPrice.objects.filter(
        top_up__in=late.filter(source_type="top_up").values("source_id"), paid_week__membership=OuterRef("pk")
    )
    return Membership.objects.filter(changed | Exists(raised)).order_by("number")
