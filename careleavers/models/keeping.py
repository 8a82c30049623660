"""How long the council keeps a young person who was never offered a place: dated, with who approved it."""

from datetime import date
from uuid import UUID

from django.db import models
from django.db.models import Q

from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.core.models import UuidModel

DAYS = 90  # until a council has said otherwise
FEWEST, MOST = 30, 730


class KeepingRuleQuerySet(models.QuerySet["KeepingRule"]):
    def for_user(self, user: User) -> "KeepingRuleQuerySet":
        """Leaving care managers: their council's; others none."""
        if user.role == Role.LEAVING_CARE_MANAGER:
            return self.filter(council_id=user.organisation_id)
        return self.none()

    def days_of(self, council: Organisation | UUID, on: date) -> int:
        """Days a young person of the council is kept without an offer, by the rule of that day."""
        rule = self.filter(council=council, from_on__lte=on).order_by("-from_on", "-set_at").first()
        return rule.days if rule else DAYS


class KeepingRule(UuidModel):
    """From a day on, this many days."""

    council = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    days = models.PositiveSmallIntegerField()
    from_on = models.DateField()
    approved_by = models.CharField(max_length=80, help_text="The role that approved it.")
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    objects = KeepingRuleQuerySet.as_manager()

    class Meta:
        ordering = ["-from_on", "-set_at"]
        constraints = [
            models.CheckConstraint(condition=Q(days__gte=FEWEST, days__lte=MOST), name="keeping_rule_days_valid"),
        ]
