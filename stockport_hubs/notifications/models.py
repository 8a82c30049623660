"""Messages to be sent: who and about what, by ids; text and address are made at the moment of sending."""

from django.db import models

from stockport_hubs.accounts.models import User
from stockport_hubs.core.models import UuidModel


class Message(UuidModel):
    """One e-mail to one account. Not sent, sent, refused (reason) or unknown (died while sending): a human looks."""

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200, unique=True, help_text="Same key: the same message, sent once.")
    to = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    ids = models.JSONField(default=dict, help_text="Ids only.")
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    refused_because = models.CharField(max_length=200, blank=True)

    def __str__(self):
        return f"{self.kind} {self.key}"
