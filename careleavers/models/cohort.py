"""The cohort of the pilot: who belongs to it, and how far each one is."""

from django.db import models

from careleavers.models.people import CareLeaver
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint


class CohortPlaceState(models.TextChoices):
    IDENTIFIED = "identified", "Identified"
    OFFERED = "offered", "Offered"
    AGREED = "agreed", "Agreed"
    DECLINED = "declined", "Declined"
    NO_REPLY = "no_reply", "No reply"


class CohortPlaceQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "CohortPlaceQuerySet":
        """Leaving care managers: their council's; others none (they see the place of a person they see)."""
        if user.role == Role.LEAVING_CARE_MANAGER:
            return self.filter(council_id=user.organisation_id)
        return self.none()

    def counts(self) -> dict[str, int]:
        """How many are in each state."""
        return dict(self.order_by().values_list("state").annotate(people=models.Count("*")))

    def of_nobody(self) -> "CohortPlaceQuerySet":
        """Places of those who were deleted, never offered anything."""
        return self.filter(care_leaver__isnull=True)


class CohortPlace(UuidModel):
    """A manager ticks who belongs to the pilot's cohort; nobody falls out of the denominator. Of somebody deleted
    because they were never offered a place, the place stays and counts, and names nobody."""

    State = CohortPlaceState

    care_leaver = models.OneToOneField(CareLeaver, on_delete=models.SET_NULL, null=True, related_name="cohort_place")
    # Repeated from the person, and from the first step: what is counted of tens of thousands is read from an index.
    council = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+", db_index=False)
    ticked_on = models.DateField(help_text="The day of the first step; it never changes.")
    state = models.CharField(max_length=12, choices=State, default=State.IDENTIFIED)
    state_on = models.DateField(help_text="Since when.")

    objects = CohortPlaceQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["care_leaver", "state"], name="cohort_by_person_and_state"),
            models.Index(fields=["council", "state"], name="cohort_by_council_and_state"),
            models.Index(fields=["council", "care_leaver", "ticked_on"], name="cohort_by_council_and_person"),
        ]
        constraints = [choices_constraint("state", CohortPlaceState, "cohort_state_valid")]


class CohortMove(UuidModel):
    """One step of a cohort place, with who and when."""

    place = models.ForeignKey(CohortPlace, on_delete=models.CASCADE, related_name="moves")
    state = models.CharField(max_length=12, choices=CohortPlace.State)
    on = models.DateField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["on", "recorded_at"]
        constraints = [choices_constraint("state", CohortPlace.State, "cohort_move_state_valid")]
