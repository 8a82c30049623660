"""Who pays and at what price: agreements, budgets, the pool of credit, dated tariffs."""

from django.db import models
from django.db.models import F, Q

from pantry.models.places import Pantry
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.core.models import UuidModel


class FundingAgreementQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "FundingAgreementQuerySet":
        """The funder's advisors, managers and finance officers, and the operator's pantry managers."""
        if user.role in (Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER):
            return self.filter(funder_id=user.organisation_id)
        if user.role == Role.PANTRY_MANAGER:
            return self.filter(operator_id=user.organisation_id)
        return self.none()

    def in_force_on(self, day) -> "FundingAgreementQuerySet":
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day), starts_on__lte=day)


class FundingAgreement(UuidModel):
    """A council pays an operator for places; the settings here are dated by the agreement's own dates."""

    funder = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    operator = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    block_weeks = models.PositiveSmallIntegerField(default=26)
    blocks_per_person = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty: as conditions hold.")
    renews_automatically = models.BooleanField(default=True)
    hold_after_weeks_without_collection = models.PositiveSmallIntegerField(default=6)
    daily_limit_pence = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: no limit.")
    tops_up_price_rises = models.BooleanField(
        default=False, help_text="A price rise reaches weeks that are bought and not yet used."
    )
    small_number = models.PositiveSmallIntegerField(default=5, help_text="Counts below this are suppressed.")

    objects = FundingAgreementQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["funder", "name"], name="agreement_name_once"),
            models.CheckConstraint(
                condition=Q(block_weeks__gte=1, block_weeks__lte=26), name="agreement_weeks_1_to_26"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="agreement_dates_in_order"
            ),
        ]

    def __str__(self):
        return self.name


class Budget(UuidModel):
    """A year's budget of an agreement: a row of commitments that buying locks and adds to."""

    agreement = models.ForeignKey(FundingAgreement, on_delete=models.PROTECT, related_name="budgets")
    year_starts_on = models.DateField(help_text="1 April.")
    limit_pence = models.PositiveBigIntegerField(null=True, blank=True, help_text="Empty: no limit.")
    committed_pence = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["year_starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "year_starts_on"], name="budget_once_a_year"),
            models.CheckConstraint(
                condition=Q(limit_pence__isnull=True) | Q(committed_pence__lte=F("limit_pence")),
                name="budget_not_exceeded",
            ),
        ]

    @property
    def left_pence(self) -> int | None:
        """What may still be committed; None: no limit."""
        return None if self.limit_pence is None else self.limit_pence - self.committed_pence


class CreditPool(UuidModel):
    """Credit of an agreement (an agreement has one operator): spent on the next block for anyone, never below zero."""

    agreement = models.OneToOneField(FundingAgreement, on_delete=models.PROTECT, related_name="pool")
    balance_pence = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(balance_pence__gte=0), name="pool_not_below_zero")]


class TariffQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "TariffQuerySet":
        """Tariffs of the pantries this person may see. Finance officers answer prices, so theirs are those of operators
        their council has an agreement with, or that no council has one with yet."""
        seen = self.filter(pantry__in=Pantry.objects.for_user(user))
        if user.role == Role.FINANCE_OFFICER:
            every = FundingAgreement.objects.order_by()
            ours = every.filter(funder_id=user.organisation_id)
            seen = seen.filter(
                Q(pantry__operator__in=ours.values("operator")) | ~Q(pantry__operator__in=every.values("operator"))
            )
        return seen

    def agreed(self) -> "TariffQuerySet":
        return self.filter(agreed_at__isnull=False)

    def awaiting_agreement(self) -> "TariffQuerySet":
        """Proposed and neither agreed, sent back nor taken back."""
        return self.filter(agreed_at__isnull=True, withdrawn_at__isnull=True)


class Tariff(UuidModel):
    """A pantry's prices from a Monday on: proposed by the pantry manager, in force once finance has agreed."""

    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, related_name="tariffs")
    from_week = models.DateField(help_text="A Monday.")
    weekly_pence = models.PositiveIntegerField()
    joining_pence = models.PositiveIntegerField()
    food_value_pence = models.PositiveIntegerField(default=2000, help_text="What a week's ten items are worth, said.")
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    agreed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    agreed_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True, help_text="Sent back by finance, or taken back by the proposer.")
    sent_back_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    sent_back_reason = models.CharField(max_length=200, blank=True)
    state = label = colour = ""  # set by `directory.tariff_states`, for pages

    objects = TariffQuerySet.as_manager()

    class Meta:
        ordering = ["-from_week"]
        constraints = [
            models.UniqueConstraint(
                fields=["pantry", "from_week"],
                condition=Q(agreed_at__isnull=False, withdrawn_at__isnull=True),
                name="tariff_agreed_once_a_week",
            ),
            models.CheckConstraint(condition=Q(from_week__week_day=2), name="tariff_from_a_monday"),
            models.CheckConstraint(
                condition=Q(agreed_at__isnull=True, agreed_by__isnull=True)
                | Q(agreed_at__isnull=False, agreed_by__isnull=False),
                name="tariff_agreed_by_someone",
            ),
            models.CheckConstraint(
                condition=Q(agreed_by__isnull=True) | ~Q(agreed_by=F("proposed_by")), name="tariff_two_people"
            ),
            models.CheckConstraint(
                condition=Q(sent_back_by__isnull=True, sent_back_reason="")
                | (Q(sent_back_by__isnull=False, withdrawn_at__isnull=False) & ~Q(sent_back_reason="")),
                name="tariff_sent_back_has_why",
            ),
        ]
