"""Who did and who saw what. Insert-only; no personal data in the detail, only ids, codes and field names."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from stockport_hubs.accounts.models import User
from stockport_hubs.core.models import AppendOnlyModel, AppendOnlyQuerySet


class AuditEvent(AppendOnlyModel):
    """One response or command that disclosed or changed something."""

    at = models.DateTimeField()
    stored_at = models.DateTimeField(
        default=timezone.now, db_default=Now(), help_text="By the real clock, also where CLOCK moves `at`."
    )
    verb = models.CharField(max_length=60, help_text="app.noun.past_tense")
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    job = models.CharField(max_length=60, blank=True, help_text="The named job or command, where no person acted.")
    target_type = models.CharField(max_length=40, blank=True)
    target_id = models.UUIDField(null=True)
    detail = models.JSONField(default=dict)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["target_id", "-id"], name="audit_by_target"),
            models.Index(fields=["by", "-id"], name="audit_by_person"),
            models.Index(fields=["-at", "-id"], name="audit_by_moment"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(by__isnull=False) ^ ~Q(job=""), name="audit_by_a_person_or_a_named_job"),
        ]

    def __str__(self):
        return f"{self.at:%Y-%m-%d %H:%M} {self.verb}"


class AuditSubject(AppendOnlyModel):
    """One person disclosed or changed by an event."""

    event = models.ForeignKey(AuditEvent, on_delete=models.PROTECT, related_name="subjects")
    kind = models.CharField(max_length=20, help_text="careleaver or membership")
    subject_id = models.UUIDField()

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["subject_id", "-id"], name="audit_by_subject")]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["careleaver", "membership"]), name="audit_subject_kind_valid"),
        ]


class Seal(AppendOnlyModel):
    """A batch of rows of one insert-only table, fixed by their digests; each seal holds the hash of the one before it
    (seals.py)."""

    chain = models.CharField(max_length=20, help_text="audit or journal")
    number = models.PositiveIntegerField(help_text="1, 2, 3 … in each chain.")
    runs = models.JSONField(help_text="Ids of the rows: [[first, last], …], ascending.")
    last_id = models.BigIntegerField(help_text="The highest id any seal of the chain holds so far.")
    digests = models.BinaryField(help_text="SHA-256 of each row, 32 bytes each, in the order of their ids.")
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "number"], name="seal_number_once")]

    def __str__(self):
        return f"Seal {self.number} of the {self.chain}"
