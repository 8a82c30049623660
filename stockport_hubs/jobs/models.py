"""The job table: the truth about work to be done outside a request. Queues only wake whoever pumps it."""

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from stockport_hubs.accounts.models import Role
from stockport_hubs.core.models import UuidModel

CANCELLED = "Cancelled."
OVERSEERS = (Role.ADMINISTRATOR, Role.LEAVING_CARE_MANAGER)


class JobQuerySet(models.QuerySet):
    def for_user(self, user, *, to_look_at: bool = False, overseen: bool = False) -> "JobQuerySet":
        """Jobs this person asked for. `overseen`: for administrators every job, for leaving care managers their
        council's and nobody's. `to_look_at`: what failed, was not tried again and did not work since, of the kinds
        this role watches."""
        if not (to_look_at or overseen):
            return self.filter(asked_by=user)
        ours = self.filter(Q(asked_by__isnull=True) | Q(asked_by__organisation=user.organisation_id))
        if overseen:
            return self if user.role == Role.ADMINISTRATOR else ours if user.role in OVERSEERS else self.none()
        from stockport_hubs.jobs import services  # the kinds register there

        if user.role != Role.LEAVING_CARE_MANAGER:
            ours = ours.filter(kind__in=services.watched_by(user.role))
        # Periodic work comes round again: only its latest outcome counts.
        since = Job.objects.filter(kind=OuterRef("kind"), created_at__gt=OuterRef("created_at"))
        over = since.filter(Q(done_at__isnull=False) | Q(failed_at__isnull=False))
        made_up_for = Q(kind__in=services.periodic()) & Exists(over)
        return ours.filter(~made_up_for, failed_at__isnull=False).exclude(error=CANCELLED)

    def claimable(self, now) -> "JobQuerySet":
        """Due, unfinished, and not leased to a living worker; oldest first."""
        return (
            self.filter(done_at__isnull=True, failed_at__isnull=True, due_at__lte=now)
            .filter(Q(lease_until__isnull=True) | Q(lease_until__lte=now))
            .order_by("due_at", "id")
        )


class Job(UuidModel):
    """One piece of work, written in the business transaction (this table is the outbox)."""

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200, unique=True, help_text="Same key: the same work, done once.")
    ids = models.JSONField(default=dict, help_text="Ids only, never personal data.")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Also the fence: a finish names its attempt.")
    progress = models.PositiveSmallIntegerField(default=0, help_text="Per cent.")
    progress_note = models.CharField(max_length=120, blank=True)
    cancel_asked_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(done_at__isnull=True, failed_at__isnull=True),
                name="job_still_to_do",
            ),
            models.Index(fields=["-created_at", "-id"], condition=Q(done_at__isnull=False), name="job_done_by_moment"),
            models.Index(
                fields=["-created_at", "-id"], condition=Q(done_at__isnull=True), name="job_not_done_by_moment"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(progress__lte=100), name="job_progress_per_cent"),
            models.CheckConstraint(
                condition=Q(done_at__isnull=True) | Q(failed_at__isnull=True), name="job_done_or_failed_not_both"
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.key}"

    def state(self, now) -> str:
        """In a word: done, failed, stopped, running (leased to a living worker) or waiting."""
        if self.is_over:
            return "done" if self.done_at else "stopped" if self.is_cancelled else "failed"
        return "running" if self.lease_until and self.lease_until > now else "waiting"

    @property
    def is_cancelled(self) -> bool:
        return self.failed_at is not None and self.error == CANCELLED

    @property
    def is_over(self) -> bool:
        return self.done_at is not None or self.failed_at is not None
