"""Review meetings of both organisations, and who was there."""

from django.db import models
from django.db.models import F, Q

from pantry.models import FundingAgreement
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint


class ReviewMeetingQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "ReviewMeetingQuerySet":
        """Managers and advisors of the funder; pantry managers of the operator."""
        if user.role == Role.FINANCE_OFFICER:  # they see agreements for their money
            return self.none()
        return self.filter(agreement__in=FundingAgreement.objects.for_user(user))

    def took_place(self) -> "ReviewMeetingQuerySet":
        return self.filter(state__in=[ReviewMeetingState.HELD, ReviewMeetingState.MINUTES_AGREED])


class ReviewMeetingState(models.TextChoices):
    PLANNED = "planned", "Planned"
    AGENDA_OUT = "agenda_out", "Agenda out"
    HELD = "held", "Held"
    MINUTES_AGREED = "minutes_agreed", "Minutes agreed"


class MeetingRhythm(UuidModel):
    """Every how many weeks an agreement's meetings are, from a day on; the latest that has begun holds."""

    agreement = models.ForeignKey(FundingAgreement, on_delete=models.PROTECT, related_name="+")
    from_on = models.DateField()
    weeks = models.PositiveSmallIntegerField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        ordering = ["-from_on"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "from_on"], name="rhythm_once_a_day"),
            models.CheckConstraint(condition=Q(weeks__gte=1, weeks__lte=52), name="rhythm_weeks_1_to_52"),
        ]


class ReviewMeeting(UuidModel):
    """A review meeting of the Leaving Care Team and Stockport Homes about one agreement."""

    State = ReviewMeetingState

    agreement = models.ForeignKey(FundingAgreement, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    lasts_minutes = models.PositiveSmallIntegerField(default=90)
    where = models.CharField(max_length=120, blank=True)
    period_from = models.DateField()
    period_to = models.DateField()
    state = models.CharField(max_length=14, choices=State, default=State.PLANNED)
    planned_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    planned_at = models.DateTimeField()
    times_moved = models.PositiveSmallIntegerField(default=0, help_text="Calendars keep the entry with the highest.")
    moved_at = models.DateTimeField(null=True)
    filled_at = models.DateTimeField(null=True, help_text="When the agenda was last filled from what was known.")

    objects = ReviewMeetingQuerySet.as_manager()

    class Meta:
        ordering = ["-starts_at"]
        constraints = [
            choices_constraint("state", ReviewMeetingState, "meeting_state_valid"),
            models.CheckConstraint(condition=Q(period_to__gte=F("period_from")), name="meeting_period_in_order"),
            models.CheckConstraint(
                condition=Q(lasts_minutes__gte=15, lasts_minutes__lte=480), name="meeting_lasts_15_minutes_to_8_hours"
            ),
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
