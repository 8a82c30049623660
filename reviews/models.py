"""Is it helping: barriers, actions, review meetings and their frozen packs."""

from django.db import models
from django.db.models import F, Q

from careleavers.models import CareLeaver
from pantry.models import FundingAgreement, Pantry
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.core.models import AppendOnlyModel, AppendOnlyQuerySet, UuidModel, choices_constraint
from stockport_hubs.jobs.models import Job


class BarrierCategory(models.TextChoices):
    DISTANCE = "distance", "Transport or distance"
    HOURS = "hours", "Opening hours clash"
    STIGMA = "stigma", "Anxiety or stigma"
    FOOD_NEEDS = "food_needs", "Dietary, cultural or allergy needs not met"
    CHILDCARE = "childcare", "Childcare"
    HEALTH = "health", "Health or disability"
    MOVED = "moved", "Moved home"
    CUSTODY = "custody", "In custody"
    FORGOT = "forgot", "Did not know or forgot"
    SAFETY = "safety", "Safety concern"
    PANTRY_FULL = "pantry_full", "Pantry full or closed"
    NO_COOKING = "no_cooking", "No cooking facilities"
    OTHER = "other", "Other"


# Barriers about the pantry itself may be listed to Stockport Homes without number.
ABOUT_THE_PANTRY = {"hours", "food_needs", "distance", "pantry_full"}
# Stockport Homes is also the landlord: these reach it as "other" only.
COUNTED_AS_OTHER = {"custody", "health", "safety"}
# So they are no category of a barrier that both organisations read.
CATEGORIES_FOR_BOTH = [(value, label) for value, label in BarrierCategory.choices if value not in COUNTED_AS_OTHER]


class BarrierQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "BarrierQuerySet":
        """Council: barriers of people they may see or were given to look after, and those of no person they recorded.
        Pantry managers: barriers about their own pantries that name no person."""
        if user.role == Role.LEAVING_CARE_MANAGER:
            return self.filter(Q(council_id=user.organisation_id))
        if user.role == Role.PERSONAL_ADVISOR:
            return self.filter(
                Q(council_id=user.organisation_id),
                Q(care_leaver__in=CareLeaver.objects.for_user(user))
                | Q(owner=user)
                | Q(raised_by=user, care_leaver__isnull=True),
            )
        if user.role == Role.PANTRY_MANAGER:
            return self.filter(pantry__operator_id=user.organisation_id, care_leaver__isnull=True)
        return self.none()


class BarrierState(models.TextChoices):
    OPEN = "open", "Open"
    IN_HAND = "in_hand", "In hand"
    RESOLVED = "resolved", "Resolved"
    WILL_NOT = "will_not", "Will not be resolved"


class Barrier(UuidModel):
    """What stands in the way, of one young person or of a pantry; carried from meeting to meeting until closed."""

    State = BarrierState

    council = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    care_leaver = models.ForeignKey(CareLeaver, on_delete=models.CASCADE, null=True, related_name="+")
    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, null=True, related_name="+")
    category = models.CharField(max_length=12, choices=BarrierCategory)
    note = models.TextField(blank=True, help_text="For the council; Stockport Homes sees categories and counts.")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField(null=True, blank=True)
    raised_on = models.DateField()
    raised_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    closed_on = models.DateField(null=True)
    outcome = models.CharField(max_length=200, blank=True)

    objects = BarrierQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "raised_on"]
        constraints = [
            choices_constraint("category", BarrierCategory, "barrier_category_valid"),
            choices_constraint("state", BarrierState, "barrier_state_valid"),
            models.CheckConstraint(
                condition=Q(care_leaver__isnull=False) | Q(pantry__isnull=False), name="barrier_of_someone_or_a_pantry"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "in_hand"], closed_on__isnull=True)
                | Q(state__in=["resolved", "will_not"], closed_on__isnull=False),
                name="barrier_closed_has_a_day",
            ),
        ]


class BarrierMove(UuidModel):
    """One step of a barrier: what was tried, who has it now."""

    barrier = models.ForeignKey(Barrier, on_delete=models.CASCADE, related_name="moves")
    state = models.CharField(max_length=8, choices=Barrier.State)
    note = models.CharField(max_length=300, blank=True)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at"]
        constraints = [choices_constraint("state", Barrier.State, "barrier_move_state_valid")]


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


class ActionQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "ActionQuerySet":
        """Managers of both organisations: those of their meetings and barriers; advisors: of barriers they work on,
        and their own."""
        seen = Q(barrier__in=Barrier.objects.for_user(user)) | Q(owner=user)
        if user.role in (Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER):
            seen |= Q(meeting__in=ReviewMeeting.objects.for_user(user))
        elif user.role != Role.PERSONAL_ADVISOR:
            return self.none()
        return self.filter(seen)

    def waiting(self) -> "ActionQuerySet":
        return self.filter(done_on__isnull=True)


class Action(UuidModel):
    """Something a meeting or a barrier asks someone to do."""

    meeting = models.ForeignKey(ReviewMeeting, on_delete=models.CASCADE, null=True, related_name="actions")
    barrier = models.ForeignKey(Barrier, on_delete=models.CASCADE, null=True, related_name="actions")
    what = models.CharField(max_length=300)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField()
    done_on = models.DateField(null=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    objects = ActionQuerySet.as_manager()

    class Meta:
        ordering = ["due_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(meeting__isnull=False) | Q(barrier__isnull=False), name="action_of_a_meeting_or_a_barrier"
            ),
        ]


class Audience(models.TextChoices):
    LEAVING_CARE = "leaving-care", "Leaving Care Team"
    STOCKPORT_HOMES = "stockport-homes", "Stockport Homes"


class ReviewPackQuerySet(AppendOnlyQuerySet):
    def for_user(self, user: User) -> "ReviewPackQuerySet":
        """Each organisation its own pack: leaving care managers theirs, pantry managers Stockport Homes'."""
        if user.role == Role.LEAVING_CARE_MANAGER:
            return self.filter(meeting__in=ReviewMeeting.objects.for_user(user))
        if user.role == Role.PANTRY_MANAGER:
            return self.filter(meeting__in=ReviewMeeting.objects.for_user(user), audience=Audience.STOCKPORT_HOMES)
        return self.none()


class ReviewPack(UuidModel, AppendOnlyModel):
    """One frozen edition: its figures and its PDF, never changed; a later edit makes a new edition."""

    meeting = models.ForeignKey(ReviewMeeting, on_delete=models.PROTECT, related_name="packs")
    audience = models.CharField(max_length=20, choices=Audience)
    edition = models.PositiveSmallIntegerField()
    as_at = models.DateTimeField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+", db_constraint=False)
    figures = models.JSONField()
    pdf = models.BinaryField()
    sha256 = models.CharField(max_length=64)

    objects = ReviewPackQuerySet.as_manager()

    class Meta:
        ordering = ["-as_at"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "audience", "edition"], name="pack_edition_once"),
            choices_constraint("audience", Audience, "pack_audience_valid"),
        ]
