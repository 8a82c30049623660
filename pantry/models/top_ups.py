"""Top-ups: a price rise that reached weeks which were bought and not yet used, and what those weeks cost before."""

from django.db import models
from django.db.models import F, Q

from pantry.models.blocks import PaidWeek
from pantry.models.funding import FundingAgreement, Tariff
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import AppendOnlyModel, AppendOnlyQuerySet, UuidModel


class TopUpQuerySet(AppendOnlyQuerySet):
    def for_user(self, user: User) -> "TopUpQuerySet":
        """The funder's managers and finance officers, and the operator's pantry managers."""
        if user.role in (Role.PANTRY_MANAGER, Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER):
            return self.filter(agreement__in=FundingAgreement.objects.for_user(user))
        return self.none()

    def counted(self) -> "TopUpQuerySet":
        """Annotates `n_weeks` and `n_members`."""
        members = models.Count("weeks__paid_week__membership", distinct=True)
        return self.annotate(n_weeks=models.Count("weeks"), n_members=members)


class TopUp(UuidModel, AppendOnlyModel):
    """What an agreement paid so that weeks it had bought cost a new price; the source of a journal entry."""

    tariff = models.ForeignKey(Tariff, on_delete=models.PROTECT, related_name="top_ups")
    agreement = models.ForeignKey(FundingAgreement, on_delete=models.PROTECT, related_name="+")
    on = models.DateField(help_text="From this day on the weeks count at the new price.")
    pence = models.PositiveIntegerField(help_text="The differences of its weeks together.")
    from_pool_pence = models.PositiveIntegerField(default=0, help_text="The part paid from the pool of credit.")

    objects = TopUpQuerySet.as_manager()

    class Meta:
        ordering = ["on"]
        constraints = [
            models.CheckConstraint(condition=Q(pence__gt=0), name="top_up_of_something"),
            models.CheckConstraint(condition=Q(from_pool_pence__lte=F("pence")), name="top_up_pool_within_price"),
        ]


class EarlierPrice(AppendOnlyModel):
    """What a paid week cost before a top-up: `PaidWeek.pence` is what it costs since. An as at reads both."""

    top_up = models.ForeignKey(TopUp, on_delete=models.PROTECT, related_name="weeks")
    paid_week = models.ForeignKey(PaidWeek, on_delete=models.PROTECT, related_name="earlier_prices")
    pence = models.PositiveIntegerField()
    from_on = models.DateField(help_text="The day it was bought, or last topped up.")
    until_on = models.DateField(help_text="The day of the top-up, on which it no longer held.")

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        constraints = [
            # A top-up only ever raises: a second one from the same price would pay the difference twice.
            models.UniqueConstraint(fields=["paid_week", "pence"], name="week_raised_once_from_a_price"),
            models.CheckConstraint(condition=Q(from_on__lte=F("until_on")), name="earlier_price_days_in_order"),
        ]
