"""That somebody of the leaving care team spoke to a young person: the day and who, no words."""

from django.db import models
from django.db.models import Q

from careleavers.models.people import CareLeaver
from stockport_hubs.accounts.models import User
from stockport_hubs.core.models import UuidModel


class Conversation(UuidModel):
    """One click: we spoke. Once a day and person; what was said belongs to the case record."""

    care_leaver = models.ForeignKey(CareLeaver, on_delete=models.CASCADE, related_name="conversations")
    on = models.DateField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    taken_back_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-on", "-recorded_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["care_leaver", "on"], condition=Q(taken_back_at__isnull=True), name="conversation_once_a_day"
            ),
        ]
