"""Monthly statements: what two organisations have agreed about a month's money. Insert-only, all of it.

What a statement says is counted from journal and paid weeks while it is open (`pantry/statements.py`); closing it
freezes the lines. Its state is read from its steps, its queries from the marks on its lines: the latest one counts.
"""

from datetime import date, timedelta
from typing import Any

from django.db import models
from django.db.models import Case, CharField, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from pantry.models.funding import FundingAgreement
from pantry.models.journal import JournalEntry
from pantry.models.memberships import Membership
from pantry.models.places import Pantry
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import AppendOnlyModel, AppendOnlyQuerySet, UuidModel, choices_constraint

DAY = timedelta(days=1)


class Side(models.TextChoices):
    """Who answers for a statement."""

    OPERATOR = "operator", "the pantries"
    COUNCIL = "council", "the council"


SIDE_OF: dict[str, Side] = {Role.PANTRY_MANAGER: Side.OPERATOR, Role.FINANCE_OFFICER: Side.COUNCIL}


class StatementState(models.TextChoices):
    """Where a statement is; what waits longest for a person comes first."""

    QUERIED = "queried", "Queried"
    OPEN = "open", "To check"
    OPERATOR = "operator", "Pantries agreed"
    COUNCIL = "council", "Council agreed"
    CLOSED = "closed", "Closed, not paid"
    NOTHING = "nothing", "Closed, nothing to pay"
    PAID = "paid", "Closed and paid"


class StepKind(models.TextChoices):
    AGREED = "agreed", "Agreed"
    TAKEN_BACK = "taken_back", "Agreement taken back"
    LAPSED = "lapsed", "To be agreed again"
    PAID = "paid", "Payment recorded"
    PAID_TAKEN_BACK = "unpaid", "Payment taken back"


class MarkKind(models.TextChoices):
    AGREED = "agreed", "Agreed"
    QUERIED = "queried", "Queried"
    ANSWERED = "answered", "Answered"
    TAKEN_BACK = "taken_back", "Mark taken back"


CHARGED = F("bought_pence") + F("topped_up_pence") + F("reversed_pence") + F("joining_pence")
OF_AGREEING = [StepKind.AGREED, StepKind.TAKEN_BACK, StepKind.LAPSED]
OF_PAYING = [StepKind.PAID, StepKind.PAID_TAKEN_BACK]


class StatementQuerySet(AppendOnlyQuerySet):
    def for_user(self, user: User) -> "StatementQuerySet":
        """The funder's managers and finance officers, and the operator's pantry managers."""
        if user.role in (Role.PANTRY_MANAGER, Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER):
            return self.filter(agreement__in=FundingAgreement.objects.for_user(user))
        return self.none()

    def with_state(self) -> "StatementQuerySet":
        """Annotates `state`, and `closed_at` (None: open)."""
        closed = StatementClosing.objects.filter(statement=OuterRef("pk"))
        found = self.annotate(
            closed_at=Subquery(closed.values("closed_at")[:1]),
            charged=Subquery(closed.values(sum=CHARGED)[:1]),
            last_paid=_last_step(None, OF_PAYING),
            last_operator=_last_step(Side.OPERATOR, OF_AGREEING),
            last_council=_last_step(Side.COUNCIL, OF_AGREEING),
            has_query=Exists(StatementMark.objects.waiting().filter(statement=OuterRef("pk"))),
        )
        State = StatementState
        return found.annotate(
            state=Case(
                When(closed_at__isnull=False, last_paid=StepKind.PAID, then=Value(State.PAID)),
                When(closed_at__isnull=False, charged=0, then=Value(State.NOTHING)),
                When(closed_at__isnull=False, then=Value(State.CLOSED)),
                When(has_query=True, then=Value(State.QUERIED)),
                When(last_operator=StepKind.AGREED, then=Value(State.OPERATOR)),
                When(last_council=StepKind.AGREED, then=Value(State.COUNCIL)),
                default=Value(State.OPEN),
                output_field=CharField(),
            )
        )

    def to_agree(self, side: str) -> "StatementQuerySet":
        """Open, without an unanswered query, and not agreed by that side."""
        other = Side.COUNCIL if side == Side.OPERATOR else Side.OPERATOR
        return self.with_state().filter(state__in=[StatementState.OPEN, other])


def _last_step(side: str | None, kinds: list[StepKind]):
    rows = StatementStep.objects.filter(statement=OuterRef("pk"), kind__in=kinds)
    rows = rows.filter(side=side) if side else rows
    return Coalesce(Subquery(rows.order_by("-number").values("kind")[:1]), Value(""))


class Statement(UuidModel, AppendOnlyModel):
    """One month of one pantry's money under one agreement; made when the month is over."""

    agreement = models.ForeignKey(FundingAgreement, on_delete=models.PROTECT, related_name="+")
    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, related_name="+")
    month = models.DateField(help_text="Its first day.")
    made_at = models.DateTimeField()

    state: str  # set by `with_state`
    closed_at: Any

    objects = StatementQuerySet.as_manager()

    class Meta:
        ordering = ["-month", "pantry__name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "pantry", "month"], name="statement_once_a_month"),
            models.CheckConstraint(condition=Q(month__day=1), name="statement_of_a_month"),
        ]

    def __str__(self):
        return f"{self.month:%B %Y}"

    @property
    def last_day(self) -> date:
        return (self.month + 31 * DAY).replace(day=1) - DAY

    @property
    def day_before(self) -> date:
        return self.month - DAY


class StatementStep(AppendOnlyModel):
    """A side agreed a statement, took that back, or a payment was recorded; the highest number counts."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="steps")
    number = models.PositiveIntegerField(help_text="1, 2, 3 … of each statement.")
    side = models.CharField(max_length=8, choices=Side)
    kind = models.CharField(max_length=10, choices=StepKind)
    seen = models.CharField(max_length=64, blank=True, help_text="A digest of the figures that were agreed.")
    payment = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "number"], name="statement_step_once"),
            choices_constraint("side", Side, "statement_step_side_valid"),
            choices_constraint("kind", StepKind, "statement_step_kind_valid"),
            models.CheckConstraint(
                condition=Q(kind="paid", payment__isnull=False) | (~Q(kind="paid") & Q(payment__isnull=True)),
                name="statement_step_paid_by_a_payment",
            ),
        ]


class StatementMarkQuerySet(AppendOnlyQuerySet):
    def standing(self) -> "StatementMarkQuerySet":
        """The mark that counts of each line."""
        later = StatementMark.objects.filter(
            statement=OuterRef("statement"), line=OuterRef("line"), number__gt=OuterRef("number")
        )
        return self.filter(~Exists(later))

    def waiting(self) -> "StatementMarkQuerySet":
        """Queries that nobody has answered or taken back."""
        return self.filter(kind=MarkKind.QUERIED).standing()


class StatementMark(UuidModel, AppendOnlyModel):
    """What was said of one line: agreed, queried, the query answered, or the mark taken back."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="marks")
    number = models.PositiveIntegerField(help_text="1, 2, 3 … of each statement.")
    line = models.UUIDField(help_text="The membership; the statement itself for what is of no one member.")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=MarkKind)
    words = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    objects = StatementMarkQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        indexes = [models.Index(fields=["statement", "line", "number"], name="mark_by_line")]
        constraints = [
            models.UniqueConstraint(fields=["statement", "number"], name="statement_mark_once"),
            choices_constraint("kind", MarkKind, "statement_mark_kind_valid"),
            models.CheckConstraint(
                condition=(Q(kind__in=["queried", "answered"]) & ~Q(words=""))
                | (Q(kind__in=["agreed", "taken_back"]) & Q(words="")),
                name="statement_mark_says_why",
            ),
        ]


class Amounts(models.Model):
    """The figures of a line. Pence as the journal has them: credits and what moved away are below nothing.

    opening + brought + bought + topped_up + transferred + credited + reversed - used = to come (prepaid) at the end;
    the joining fee is apart. used = collected + missed + closed + weeks that had begun and were not over.
    """

    opening_pence = models.BigIntegerField(default=0)
    brought_pence = models.BigIntegerField(default=0)
    bought_pence = models.BigIntegerField(default=0)
    topped_up_pence = models.BigIntegerField(default=0)
    transferred_pence = models.BigIntegerField(default=0)
    credited_pence = models.BigIntegerField(default=0)
    reversed_pence = models.BigIntegerField(default=0)
    joining_pence = models.BigIntegerField(default=0)
    used_pence = models.BigIntegerField(default=0)
    collected_pence = models.BigIntegerField(default=0)
    missed_pence = models.BigIntegerField(default=0)
    closed_pence = models.BigIntegerField(default=0)
    bought_weeks = models.IntegerField(default=0)
    goodwill_weeks = models.IntegerField(default=0)
    used_weeks = models.IntegerField(default=0)
    collected_weeks = models.IntegerField(default=0)
    missed_weeks = models.IntegerField(default=0)
    closed_weeks = models.IntegerField(default=0)
    to_come_weeks = models.IntegerField(default=0)

    class Meta:
        abstract = True


AMOUNTS = tuple(field.name for field in Amounts._meta.local_fields)


class StatementClosing(Amounts, AppendOnlyModel):
    """Both sides have agreed: the month is closed. Its own figures are the sums of its lines."""

    statement = models.OneToOneField(Statement, on_delete=models.PROTECT, related_name="closing")
    closed_at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    # A moment would not do: an entry may be written with an earlier one and committed after it.
    up_to_line = models.BigIntegerField(help_text="The last line of the agreement's journal that it holds.")
    lines = models.PositiveIntegerField()

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(up_to_line__gte=0), name="statement_closed_up_to_a_line")]


class StatementLine(Amounts, AppendOnlyModel):
    """A line as it was agreed. Prior: what was entered late for months that were closed already."""

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    is_prior = models.BooleanField(default=False)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering = [F("membership__number").asc(nulls_last=True), "is_prior"]
        constraints = [
            models.UniqueConstraint(fields=["statement", "membership", "is_prior"], name="statement_line_once"),
            models.UniqueConstraint(
                fields=["statement", "is_prior"],
                condition=Q(membership__isnull=True),
                name="statement_line_of_nobody_once",
            ),
        ]
