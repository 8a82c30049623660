"""A list on its way in: uploaded, looked at, brought in or not. What it holds lies encrypted, and not for long."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint

KEPT_FOR = timedelta(minutes=50)  # the sweep that deletes comes every ten minutes: within the hour in any case


class PeopleImportState(models.TextChoices):
    READING = "reading", "Being read"
    OPEN = "open", "Waiting for you"
    DONE = "done", "Brought in"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Deleted after an hour"
    REFUSED = "refused", "Could not be read"


OVER = ["done", "cancelled", "expired"]


class PeopleImportQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "PeopleImportQuerySet":
        """Leaving care managers: their council's; others none."""
        if user.role == Role.LEAVING_CARE_MANAGER:
            return self.filter(council_id=user.organisation_id)
        return self.none()

    def unfinished(self) -> "PeopleImportQuerySet":
        """Those that still hold something."""
        return self.exclude(state__in=OVER)


class PeopleImport(UuidModel):
    """One upload. `content` is the file, then what was read of it, or why it could not be; encrypted, and empty once it
    is over."""

    State = PeopleImportState

    council = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    layout = models.CharField(max_length=10, blank=True)
    file_hash = models.CharField(max_length=64)
    content = models.TextField(blank=True)
    ticked = models.JSONField(default=list, help_text="Numbers of rows that belong to the cohort.")
    decided = models.JSONField(default=dict, help_text='By row: "new", or the id of the person it is.')
    state = models.CharField(max_length=10, choices=State, default=State.READING)
    confirmed_at = models.DateTimeField(null=True, help_text="From then on nothing is ticked any more.")
    counts = models.JSONField(default=dict, help_text="What came of it: numbers only.")
    ended_at = models.DateTimeField(null=True)

    objects = PeopleImportQuerySet.as_manager()

    class Meta:
        ordering = ["-uploaded_at"]
        indexes = [models.Index(fields=["council", "-uploaded_at"], name="people_import_by_council")]
        constraints = [
            choices_constraint("state", PeopleImportState, "people_import_state_valid"),
            models.CheckConstraint(
                condition=Q(state__in=["reading", "open", "refused"], ended_at__isnull=True)
                | Q(state__in=["done", "cancelled", "expired"], content="", ended_at__isnull=False),
                name="people_import_over_holds_nothing",
            ),
        ]

    @property
    def is_over(self) -> bool:
        return self.state in OVER

    def has_expired(self, at: datetime) -> bool:
        return not self.is_over and at >= self.uploaded_at + KEPT_FOR
