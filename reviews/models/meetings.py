"""Review meetings of both organisations, and who was there."""

from django.db import models
from django.db.models import F, Q

from pantry.models import FundingAgreement
from stockport_hubs.accounts.models import Organisation, User
from stockport_hubs.core.models import UuidModel, choices_constraint


class ReviewMeetingQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "ReviewMeetingQuerySet":
        """Managers and advisors of the funder; pantry managers of the operator."""
        return self.filter(agreement__in=FundingAgreement.objects.for_user(user))


class ReviewMeetingState(models.TextChoices):
    PLANNED = "planned", "Planned"
    AGENDA_OUT = "agenda_out", "Agenda out"
    HELD = "held", "Held"
    MINUTES_AGREED = "minutes_agreed", "Minutes agreed"


class ReviewMeeting(UuidModel):
    """A review meeting of the Leaving Care Team and Stockport Homes about one agreement."""

    State = ReviewMeetingState

    agreement = models.ForeignKey(FundingAgreement, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    where = models.CharField(max_length=120, blank=True)
    period_from = models.DateField()
    period_to = models.DateField()
    state = models.CharField(max_length=14, choices=State, default=State.PLANNED)
    planned_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    planned_at = models.DateTimeField()

    objects = ReviewMeetingQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at"]
        constraints = [
            choices_constraint("state", ReviewMeetingState, "meeting_state_valid"),
            models.CheckConstraint(condition=Q(period_to__gte=F("period_from")), name="meeting_period_in_order"),
        ]

    def __str__(self):
        return f"Review meeting of {self.starts_at:%d %b %Y}"


class MeetingAttendance(UuidModel):
    """Someone invited to a meeting, of either organisation, and whether they came."""

    meeting = models.ForeignKey(ReviewMeeting, on_delete=models.CASCADE, related_name="attendance")
    name = models.CharField(max_length=120)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    came = models.BooleanField(null=True, help_text="Empty: not yet known.")

    class Meta:
        ordering = ["organisation__name", "name"]
        constraints = [models.UniqueConstraint(fields=["meeting", "organisation", "name"], name="attendance_once")]
