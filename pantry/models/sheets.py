"""Sheets of a session that were printed: who stands on which, until the paper is destroyed."""

from django.db import models
from django.db.models import Q

from pantry.models.collections import PantrySession
from pantry.models.memberships import Membership
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel


class PrintedSheetQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "PrintedSheetQuerySet":
        """Pantry managers: their organisation's."""
        if user.role == Role.PANTRY_MANAGER:
            return self.filter(session__pantry__operator_id=user.organisation_id)
        return self.none()

    def kept(self) -> "PrintedSheetQuerySet":
        """Nobody has said yet that the paper is destroyed."""
        return self.filter(destroyed_at=None)


class PrintedSheet(UuidModel):
    """One printing of a session's sheet."""

    session = models.ForeignKey(PantrySession, on_delete=models.PROTECT, related_name="sheets")
    printed_at = models.DateTimeField(help_text="When the members on it were read.")
    printed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    destroyed_at = models.DateTimeField(null=True)
    destroyed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    objects = PrintedSheetQuerySet.as_manager()

    class Meta:
        ordering = ["-printed_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(destroyed_at=None, destroyed_by=None)
                | Q(destroyed_at__isnull=False, destroyed_by__isnull=False),
                name="sheet_destroyed_has_who_and_when",
            ),
        ]

    def __str__(self):
        return f"Sheet of {self.session}"


class SheetRow(models.Model):
    """A member on a sheet, in its order: what is typed in follows the paper."""

    sheet = models.ForeignKey(PrintedSheet, on_delete=models.CASCADE, related_name="rows")
    position = models.PositiveSmallIntegerField()
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "position"], name="sheet_position_once"),
            models.UniqueConstraint(fields=["sheet", "membership"], name="sheet_member_once"),
        ]
