"""A volunteer's tap on what stands in the way of a member: a category, never a word, and never read back."""

from django.db import models

from pantry.models import Membership, Pantry, PantrySession
from reviews.models.barriers import Barrier, BarrierCategory
from stockport_hubs.accounts.models import User
from stockport_hubs.core.models import UuidModel, choices_constraint


class BarrierTap(UuidModel):
    """Alike for every member of the operator; of a young person of the scheme it has raised a barrier of the council's.

    No page of a pantry reads this table, so it has no `for_user`.
    """

    key = models.UUIDField(unique=True, help_text="The device's or form's key: the same key is the same tap.")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    session = models.ForeignKey(PantrySession, on_delete=models.PROTECT, related_name="+")
    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, related_name="+")
    category = models.CharField(max_length=12, choices=BarrierCategory)
    on = models.DateField(help_text="The session's day.")
    tapped_at = models.DateTimeField()
    tapped_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    barrier = models.ForeignKey(
        Barrier, on_delete=models.SET_NULL, null=True, related_name="taps", help_text="For the council only."
    )

    class Meta:
        ordering = ["tapped_at"]
        constraints = [choices_constraint("category", BarrierCategory, "tap_category_valid")]
