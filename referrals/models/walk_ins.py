"""Someone who came to a pantry by themselves, and says that the council may know."""

from django.db import models
from django.db.models import Q

from pantry.models import Membership
from referrals.models.introductions import Referral
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint


class WalkInState(models.TextChoices):
    WAITING = "waiting", "Waiting for an advisor"
    CONFIRMED = "confirmed", "Confirmed"
    NOT_OURS = "not_ours", "Not known to the council"
    TAKEN_BACK = "taken_back", "Taken back"


class WalkInQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "WalkInQuerySet":
        """Council: what was sent to their council. Pantry managers: what their organisation sent."""
        if user.role in (Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER):
            return self.filter(council_id=user.organisation_id)
        if user.role == Role.PANTRY_MANAGER:
            return self.filter(membership__operator_id=user.organisation_id)
        return self.none()

    def waiting(self) -> "WalkInQuerySet":
        """Still to be answered; someone whose membership has ended meanwhile is not."""
        return self.filter(state=WalkIn.State.WAITING).exclude(membership__state=Membership.State.ENDED)


class WalkIn(UuidModel):
    """A member nobody pays for, whose number and name a pantry manager showed a council, with the person's yes."""

    State = WalkInState

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    council = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    sent_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField()
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, null=True, related_name="walk_in")

    objects = WalkInQuerySet.as_manager()

    class Meta:
        ordering = ["sent_at"]
        indexes = [models.Index(fields=["council", "state"], name="walk_in_by_council")]
        constraints = [
            choices_constraint("state", WalkInState, "walk_in_state_valid"),
            models.UniqueConstraint(fields=["membership"], condition=Q(state="waiting"), name="walk_in_one_waiting"),
            models.CheckConstraint(
                condition=Q(state="confirmed", referral__isnull=False)
                | (~Q(state="confirmed") & Q(referral__isnull=True)),
                name="walk_in_confirmed_has_an_introduction",
            ),
        ]
