"""Members' cards. A card holds a number and a random code: whoever finds it learns nothing about anybody."""

from django.db import models
from django.db.models import Q

from pantry.models.memberships import Membership
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel


class CardEnd(models.TextChoices):
    LOST = "lost", "Lost"
    REPLACED = "replaced", "Replaced by a new one"
    NOT_WANTED = "not_wanted", "Not wanted any more"


class CardQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "CardQuerySet":
        """Pantry managers: their organisation's."""
        if user.role == Role.PANTRY_MANAGER:
            return self.filter(membership__operator_id=user.organisation_id)
        return self.none()

    def valid(self) -> "CardQuerySet":
        return self.filter(revoked_at=None)


class Card(UuidModel):
    """One card of a member; at most one counts, and a code is never used again."""

    End = CardEnd

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="cards")
    code = models.CharField(max_length=9, unique=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    revoked_as = models.CharField(max_length=10, choices=CardEnd, blank=True)

    objects = CardQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.UniqueConstraint(fields=["membership"], condition=Q(revoked_at=None), name="card_one_valid"),
            models.CheckConstraint(condition=Q(revoked_as__in=["", *CardEnd.values]), name="card_revoked_as_valid"),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by=None, revoked_as="")
                | (Q(revoked_at__isnull=False, revoked_by__isnull=False) & ~Q(revoked_as="")),
                name="card_revoked_has_who_when_and_why",
            ),
        ]

    def __str__(self):
        return f"Card of {self.made_at:%d %b %Y}"
