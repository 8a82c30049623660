"""What stands in the way, of one young person or of a pantry."""

from django.db import models
from django.db.models import Q

from careleavers.models import CareLeaver
from pantry.models import Pantry
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint


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
