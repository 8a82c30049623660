"""Prepaid blocks, their paid weeks, and the decisions to renew."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from pantry.models.funding import FundingAgreement
from pantry.models.memberships import Membership
from pantry.models.places import Pantry
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint


class BlockSource(models.TextChoices):
    FUNDED = "funded", "Bought by the funder"
    GOODWILL = "goodwill", "Goodwill"
    SELF_PAY = "self_pay", "Paid by the member"
    OPENING = "opening", "Opening position"


class OfMemberQuerySet(models.QuerySet):
    def for_user(self, user: User) -> Self:
        """Pantry managers: of their organisation's members; leaving care managers and finance officers: of those their
        council's agreements pay or paid for. Said of the member itself and not as a choice among all memberships,
        which would join the member twice."""
        if user.role == Role.PANTRY_MANAGER:
            return self.filter(membership__operator_id=user.organisation_id)
        if user.role in (Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER):
            return self.filter(membership__agreement__funder_id=user.organisation_id)
        return self.none()


class PrepaidBlockQuerySet(OfMemberQuerySet):
    def with_top_ups(self) -> "PrepaidBlockQuerySet":
        """Annotates `topped_up_pence`: what price rises have added to its weeks since it was bought."""
        raised = PaidWeek.objects.filter(block=OuterRef("pk"), earlier_prices__isnull=False).order_by().values("block")
        added = F("earlier_prices__top_up__tariff__weekly_pence") - F("earlier_prices__pence")
        total = Subquery(raised.annotate(n=Sum(added)).values("n"))
        return self.annotate(topped_up_pence=Coalesce(total, 0, output_field=models.BigIntegerField()))


class PrepaidBlock(UuidModel):
    """Weeks bought in advance for one member at one price; money is what was paid at purchase, and locked there: what
    a price rise adds to its weeks stands in a `TopUp`."""

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="blocks")
    # Repeated from the membership, where it never changes: thousands are bought on one day, and stand in its order.
    member_number = models.PositiveIntegerField()
    block_no = models.PositiveSmallIntegerField()
    source = models.CharField(max_length=10, choices=BlockSource, default=BlockSource.FUNDED)
    agreement = models.ForeignKey(FundingAgreement, on_delete=models.PROTECT, null=True, related_name="+")
    weeks = models.PositiveSmallIntegerField()
    weekly_pence = models.PositiveIntegerField()
    joining_pence = models.PositiveIntegerField(default=0)
    from_pool_pence = models.PositiveIntegerField(default=0, help_text="The part paid from the pool of credit.")
    starts_on = models.DateField(help_text="The Monday of its first week when bought.")
    bought_on = models.DateField()
    bought_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    ended_on = models.DateField(null=True, help_text="Ended early: later weeks were credited.")

    topped_up_pence: int  # set by `with_top_ups`, and when it is bought

    objects = PrepaidBlockQuerySet.as_manager()

    class Meta:
        ordering = ["block_no"]
        indexes = [
            models.Index(fields=["agreement", "-bought_on", "member_number"], name="block_by_agreement"),
            models.Index(fields=["membership"], condition=Q(source="opening"), name="block_of_opening"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["membership", "block_no"], name="block_number_once"),
            choices_constraint("source", BlockSource, "block_source_valid"),
            models.CheckConstraint(condition=Q(weeks__gte=1, weeks__lte=26), name="block_weeks_1_to_26"),
            models.CheckConstraint(condition=Q(starts_on__week_day=2), name="block_starts_on_a_monday"),
            models.CheckConstraint(condition=Q(block_no__gte=1), name="block_number_from_1"),
        ]

    def __str__(self):
        return f"Block {self.block_no}"

    @property
    def price_pence(self) -> int:
        """Joining fee and weeks together, when it was bought."""
        return self.joining_pence + self.weeks * self.weekly_pence


class PaidWeekQuerySet(models.QuerySet):
    def dated(self) -> "PaidWeekQuerySet":
        return self.filter(state=PaidWeek.State.DATED)

    def later_than(self, day: date) -> "PaidWeekQuerySet":
        """Dated or parked weeks not yet used on that day (a week is used once its Monday has come)."""
        return self.filter(Q(state=PaidWeek.State.PARKED) | Q(state=PaidWeek.State.DATED, week__gt=day))


class PaidWeekState(models.TextChoices):
    DATED = "dated", "Dated"
    PARKED = "parked", "Parked"
    CREDITED = "credited", "Credited"
    REVERSED = "reversed", "Reversed"


class PaidWeek(models.Model):
    """One week of a block. Dated weeks have a Monday; parked ones wait for the next free open week."""

    State = PaidWeekState

    block = models.ForeignKey(PrepaidBlock, on_delete=models.PROTECT, related_name="paid_weeks")
    # Repeated from the block: "one paid week per membership and week" is a constraint on this table.
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="paid_weeks")
    position = models.PositiveSmallIntegerField(help_text="1 to the block's number of weeks.")
    week = models.DateField(null=True, help_text="A Monday; empty while parked.")
    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, related_name="+")
    pence = models.PositiveIntegerField(help_text="What was paid for it, top-ups included (`EarlierPrice`: before).")
    state = models.CharField(max_length=8, choices=State, default=State.DATED)
    credited_on = models.DateField(null=True, help_text="From the end of this day on it counts as credited.")

    objects = PaidWeekQuerySet.as_manager()

    class Meta:
        ordering = ["block_id", "position"]
        indexes = [models.Index(fields=["pantry", "week"], name="paid_week_by_pantry")]
        constraints = [
            models.UniqueConstraint(fields=["block", "position"], name="paid_week_position_once"),
            models.UniqueConstraint(
                fields=["membership", "week"], condition=Q(state="dated"), name="paid_week_once_a_week"
            ),
            choices_constraint("state", PaidWeekState, "paid_week_state_valid"),
            models.CheckConstraint(
                condition=~Q(state="dated") | Q(week__isnull=False, week__week_day=2),
                name="paid_week_dated_on_a_monday",
            ),
            models.CheckConstraint(
                condition=~Q(state="parked") | Q(week__isnull=True), name="paid_week_parked_no_date"
            ),
            models.CheckConstraint(
                condition=Q(state="credited", credited_on__isnull=False)
                | (~Q(state="credited") & Q(credited_on__isnull=True)),
                name="paid_week_credited_on_a_day",
            ),
        ]


class RenewalDecisionOutcome(models.TextChoices):
    RENEWED = "renewed", "Renewed"
    HELD = "held", "Held"
    SELF_PAY = "self_pay", "Member pays"
    STOPPED = "stopped", "Stopped"


class RenewalDecisionReason(models.TextChoices):
    FUNDED_UNTIL = "funded_until", "Funding ends before the block would"
    NO_COLLECTION = "no_collection", "No collection in the last open weeks"
    PAUSED = "paused", "Paused"
    BUDGET = "budget", "The year's budget would be exceeded"
    BLOCKS_REACHED = "blocks_reached", "The agreement's number of blocks is reached"
    PANTRY_CLOSING = "pantry_closing", "The pantry is closing"
    FLAGGED = "flagged", "Flagged by hand"
    THIRD_AT_ONCE = "third_at_once", "A third due block at once"
    DAILY_LIMIT = "daily_limit", "The agreement's daily limit is passed"
    NO_TARIFF = "no_tariff", "No agreed tariff for the start date"
    NOT_AUTOMATIC = "not_automatic", "The agreement does not renew by itself"
    AGREEMENT_ENDS = "agreement_ends", "The agreement ends before the block would start"


class RenewalDecision(UuidModel):
    """What was decided about a member's next block; the unique key makes the decision happen once."""

    Outcome = RenewalDecisionOutcome

    Reason = RenewalDecisionReason

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="renewal_decisions")
    member_number = models.PositiveIntegerField()  # repeated as in a block
    block_no = models.PositiveSmallIntegerField()
    due_on = models.DateField()
    starts_on = models.DateField()
    outcome = models.CharField(max_length=8, choices=Outcome)
    reasons = models.JSONField(default=list, help_text="Codes of Reason, for a hold.")
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=200, blank=True)
    block = models.OneToOneField(PrepaidBlock, on_delete=models.PROTECT, null=True, related_name="decision")

    objects = OfMemberQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "member_number", "id"]
        indexes = [
            models.Index(fields=["outcome", "due_on", "member_number"], name="decision_by_outcome"),
            models.Index(fields=["-due_on", "member_number"], name="decision_by_due_day"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["membership", "block_no"], name="decision_once_a_block"),
            choices_constraint("outcome", RenewalDecisionOutcome, "decision_outcome_valid"),
            models.CheckConstraint(
                condition=Q(outcome="renewed", block__isnull=False) | (~Q(outcome="renewed") & Q(block__isnull=True)),
                name="decision_renewed_has_a_block",
            ),
        ]

    @property
    def reason_labels(self) -> list[str]:
        return [self.Reason(code).label for code in self.reasons]
