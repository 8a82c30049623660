"""What the council keeps about a member it introduced. Nothing here is read by the pantry side but `PrintedName`."""

from django.db import models
from django.db.models import F, Q

from pantry.models import Membership
from referrals.models.introductions import Referral
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint


class FollowUpOutcome(models.TextChoices):
    WILL_COME = "will_come", "They will come"
    CAME = "came", "They have come, and the pantry has not recorded it"
    WILL_NOT_COME = "will_not_come", "They will not come"


class FollowUp(UuidModel):
    """What an advisor found out about someone who was accepted and never came; the latest row counts."""

    Outcome = FollowUpOutcome

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="follow_ups")
    outcome = models.CharField(max_length=13, choices=Outcome)
    look_again_on = models.DateField(null=True, help_text="Until then nobody is asked again.")
    note = models.CharField(max_length=200, blank=True, help_text="For the council only.")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at"]
        constraints = [
            choices_constraint("outcome", FollowUpOutcome, "follow_up_outcome_valid"),
            models.CheckConstraint(
                condition=Q(outcome="will_come", look_again_on__isnull=False)
                | (~Q(outcome="will_come") & Q(look_again_on__isnull=True)),
                name="follow_up_looks_again",
            ),
        ]


class PauseReason(models.TextChoices):
    CUSTODY = "custody", "In custody"
    HOSPITAL = "hospital", "In hospital"
    AWAY = "away", "Away"
    OWN_CHOICE = "own_choice", "Their own choice"


class Pause(UuidModel):
    """Why a membership is paused: for the council alone. The pantry sees that it is paused, and never why."""

    Reason = PauseReason

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="pauses")
    reason = models.CharField(max_length=10, choices=Reason)
    from_on = models.DateField()
    back_on = models.DateField(null=True, help_text="The first day on which they may shop again.")
    paused_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    paused_at = models.DateTimeField()
    resumed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["from_on", "paused_at"]
        constraints = [
            choices_constraint("reason", PauseReason, "pause_reason_valid"),
            models.CheckConstraint(
                condition=Q(back_on__isnull=True) | Q(back_on__gte=F("from_on")), name="pause_days_in_order"
            ),
            models.UniqueConstraint(fields=["referral"], condition=Q(back_on__isnull=True), name="pause_one_open"),
        ]


class RenewalWarning(UuidModel):
    """An advisor was told that a member's next block is about to be bought; the key makes it happen once."""

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="warnings")
    block_no = models.PositiveSmallIntegerField(help_text="The block that would be bought.")
    weeks_ahead = models.PositiveSmallIntegerField(help_text="8 or 5, before the Monday on which it starts.")
    starts_on = models.DateField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["referral", "block_no", "weeks_ahead"], name="warning_once"),
            models.CheckConstraint(condition=Q(weeks_ahead__in=[8, 5]), name="warning_8_or_5_weeks"),
        ]


class PrintedNameQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "PrintedNameQuerySet":
        """Pantry managers: their organisation's."""
        if user.role == Role.PANTRY_MANAGER:
            return self.filter(membership__operator_id=user.organisation_id)
        return self.none()

    def to_destroy(self) -> "PrintedNameQuerySet":
        return self.filter(destroyed_at=None)


class PrintedName(UuidModel):
    """A member's name and needs are not shared any more: sheets and cards printed before hold them still."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="+")
    hidden_at = models.DateTimeField()
    destroyed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    destroyed_at = models.DateTimeField(null=True)

    objects = PrintedNameQuerySet.as_manager()

    class Meta:
        ordering = ["hidden_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["membership"], condition=Q(destroyed_at__isnull=True), name="printed_name_one_open"
            ),
        ]
