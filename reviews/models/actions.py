"""What meetings and barriers ask someone to do."""

from django.db import models
from django.db.models import Q

from reviews.models.barriers import Barrier
from reviews.models.meetings import ReviewMeeting
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel


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
