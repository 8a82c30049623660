"""The yearly review at the start of the financial year (protocol 13.1)."""

from datetime import date

from django.db import models
from django.db.models import Q

from pantry.models import FundingAgreement
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel
from stockport_hubs.jobs.models import Job


class YearlyReviewQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "YearlyReviewQuerySet":
        """Leaving care managers of the funder and pantry managers of the operator."""
        if user.role not in (Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER):
            return self.none()
        return self.filter(agreement__in=FundingAgreement.objects.for_user(user))


class YearlyReview(UuidModel):
    """Last year's outcomes as at 31 March, what both organisations say of them, and who approved it of each."""

    agreement = models.ForeignKey(FundingAgreement, on_delete=models.PROTECT, related_name="+")
    year_from = models.DateField(help_text="1 April of the year looked back on.")
    content = models.JSONField(help_text="The figures both organisations read, as at 31 March; counted once.")
    went_well = models.TextField(blank=True)
    to_change = models.TextField(blank=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+", db_constraint=False)
    council_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    council_at = models.DateTimeField(null=True)
    operator_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    operator_at = models.DateTimeField(null=True)

    objects = YearlyReviewQuerySet.as_manager()

    class Meta:
        ordering = ["-year_from"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "year_from"], name="yearly_review_once_a_year"),
            models.CheckConstraint(condition=Q(year_from__month=4, year_from__day=1), name="yearly_review_from_april"),
            models.CheckConstraint(
                condition=Q(council_by__isnull=True, council_at__isnull=True)
                | Q(council_by__isnull=False, council_at__isnull=False),
                name="yearly_review_council_approval_whole",
            ),
            models.CheckConstraint(
                condition=Q(operator_by__isnull=True, operator_at__isnull=True)
                | Q(operator_by__isnull=False, operator_at__isnull=False),
                name="yearly_review_operator_approval_whole",
            ),
        ]

    @property
    def year_to(self) -> date:
        """31 March."""
        return date(self.year_from.year + 1, 3, 31)

    @property
    def is_approved(self) -> bool:
        return self.council_by_id is not None and self.operator_by_id is not None
