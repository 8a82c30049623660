"""Messages to be sent: who and about what, by ids; text and address are made at the moment of sending."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel

UNKNOWN_AFTER = timedelta(minutes=2)  # sending takes seconds, and whoever sends has half a minute


class MessageQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "MessageQuerySet":
        """Administrators: all; leaving care managers and pantry managers: those to people of their organisation."""
        if user.role == Role.ADMINISTRATOR:
            return self
        if user.role in (Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER):
            return self.filter(to__organisation_id=user.organisation_id)
        return self.none()

    def unknown(self, begun: datetime) -> "MessageQuerySet":
        """Begun by a moment, `UNKNOWN_AFTER` ago, and never ended: whoever sent them died in the middle. A human
        decides, the software never sends them again by itself."""
        waiting = self.filter(claimed_at__lte=begun, settled_at__isnull=True)
        return waiting.filter(sent_at__isnull=True, refused_at__isnull=True)


class Message(UuidModel):
    """One e-mail to one account: waiting, sent, not sent (reason), or unknown (whoever sent it died in the middle)."""

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200, unique=True, help_text="Same key: the same message, sent once.")
    to = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    ids = models.JSONField(default=dict, help_text="Ids only.")
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    refused_because = models.CharField(max_length=200, blank=True)
    settled_at = models.DateTimeField(null=True, help_text="Someone has looked after an unknown one.")
    settled_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["claimed_at"],
                condition=Q(sent_at__isnull=True, refused_at__isnull=True, settled_at__isnull=True),
                name="message_not_settled",
            ),
            models.Index(fields=["-created_at", "-id"], name="message_by_moment"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, settled_by__isnull=True)
                | Q(settled_at__isnull=False, settled_by__isnull=False),
                name="message_settled_by_someone",
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.key}"

    def state(self, now: datetime) -> str:
        """waiting, sending, sent, not sent, unknown or settled."""
        if self.sent_at:
            return "sent"
        if self.refused_at:
            return "not sent"
        if self.settled_at:
            return "settled"
        if self.claimed_at:
            return "unknown" if self.claimed_at <= now - UNKNOWN_AFTER else "sending"
        return "waiting"
