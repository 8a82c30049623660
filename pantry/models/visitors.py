"""Someone at the counter who was not found: recorded and served, then sorted out by the pantry manager."""

from django.db import models
from django.db.models import Q

from pantry.models.collections import Collection, PantrySession, today_for_volunteers
from pantry.models.memberships import Membership
from pantry.models.places import Pantry
from stockport_hubs.accounts.models import User
from stockport_hubs.core.models import UuidModel


class VisitorOutcome(models.TextChoices):
    MEMBER = "member", "A member"
    TURNED_UP = "turned_up", "Waits to be confirmed"
    NOBODY = "nobody", "Not a member, no further"
    MISTAKE = "mistake", "Recorded by mistake"


class VisitorQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "VisitorQuerySet":
        """As the sessions they came to."""
        return today_for_volunteers(self, user)

    def to_sort_out(self) -> "VisitorQuerySet":
        return self.filter(outcome="")


class Visitor(UuidModel):
    """One visit of someone who was not on the list."""

    Outcome = VisitorOutcome

    key = models.UUIDField(unique=True, help_text="The form's key: the same form is the same visit.")
    session = models.ForeignKey(PantrySession, on_delete=models.PROTECT, related_name="visitors")
    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, related_name="+")
    on = models.DateField(help_text="The London date.")
    called = models.CharField(max_length=60, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=10, choices=VisitorOutcome, blank=True, help_text="Empty: to sort out.")
    sorted_at = models.DateTimeField(null=True)
    sorted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    collection = models.ForeignKey(
        Collection, on_delete=models.PROTECT, null=True, related_name="+", help_text="What the visit became."
    )

    objects = VisitorQuerySet.as_manager()

    class Meta:
        ordering = ["-recorded_at"]
        indexes = [models.Index(fields=["pantry", "outcome", "-recorded_at"], name="visitor_by_pantry")]
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=["", *VisitorOutcome.values]), name="visitor_outcome_valid"),
            models.CheckConstraint(
                condition=Q(outcome="", sorted_at__isnull=True, sorted_by__isnull=True)
                | (~Q(outcome="") & Q(sorted_at__isnull=False, sorted_by__isnull=False)),
                name="visitor_sorted_has_who_and_when",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["member", "turned_up"], membership__isnull=False)
                | (Q(outcome__in=["", "nobody", "mistake"], membership__isnull=True, collection__isnull=True)),
                name="visitor_is_a_member_or_not",
            ),
        ]

    def __str__(self):
        return f"Visitor of {self.on:%d %b %Y}"
