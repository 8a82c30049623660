"""Many young people at once: a caseload handed to another advisor, or covered for a while."""

from django.db import models
from django.db.models import F, Q

from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint


class CaseloadMoveKind(models.TextChoices):
    TRANSFER = "transfer", "Transfer"
    COVER = "cover", "Cover"


class CaseloadMoveQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "CaseloadMoveQuerySet":
        """Leaving care managers: their council's; others none."""
        if user.role == Role.LEAVING_CARE_MANAGER:
            return self.filter(council_id=user.organisation_id)
        return self.none()


class CaseloadMove(UuidModel):
    """What was done in one go, so that it can be undone in one go; the rows it made name it."""

    Kind = CaseloadMoveKind

    council = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind)
    of = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", help_text="Whose caseload.")
    to = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    people = models.PositiveIntegerField(help_text="How many.")
    from_on = models.DateField()
    until_on = models.DateField(null=True, help_text="The last day of cover; empty for a transfer.")
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    given_at = models.DateTimeField()
    undone_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)

    objects = CaseloadMoveQuerySet.as_manager()

    class Meta:
        ordering = ["-given_at"]
        indexes = [models.Index(fields=["council", "-given_at"], name="caseload_move_by_council")]
        constraints = [
            choices_constraint("kind", CaseloadMoveKind, "caseload_move_kind_valid"),
            models.CheckConstraint(
                condition=Q(kind="transfer", until_on__isnull=True) | Q(kind="cover", until_on__gte=F("from_on")),
                name="caseload_move_dates_in_order",
            ),
        ]
