"""The cohort of the pilot: who belongs to it, and how far each one is."""

from django.db import models

from careleavers.models.people import CareLeaver
from stockport_hubs.accounts.models import User
from stockport_hubs.core.models import UuidModel, choices_constraint


class CohortPlaceState(models.TextChoices):
    IDENTIFIED = "identified", "Identified"
    OFFERED = "offered", "Offered"
    AGREED = "agreed", "Agreed"
    DECLINED = "declined", "Declined"
    NO_REPLY = "no_reply", "No reply"


class CohortPlace(UuidModel):
    """A manager ticks who belongs to the pilot's cohort; nobody falls out of the denominator."""

    State = CohortPlaceState

    care_leaver = models.OneToOneField(CareLeaver, on_delete=models.CASCADE, related_name="cohort_place")
    state = models.CharField(max_length=12, choices=State, default=State.IDENTIFIED)
    state_on = models.DateField(help_text="Since when.")

    class Meta:
        indexes = [models.Index(fields=["care_leaver", "state"], name="cohort_by_person_and_state")]
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
