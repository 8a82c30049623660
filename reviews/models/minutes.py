"""Minutes as they were agreed."""

from django.db import models

from reviews.models.meetings import ReviewMeeting
from stockport_hubs.accounts.models import User
from stockport_hubs.core.models import AppendOnlyModel, AppendOnlyQuerySet, UuidModel


class MinutesQuerySet(AppendOnlyQuerySet):
    def for_user(self, user: User) -> "MinutesQuerySet":
        """Of the meetings this person sees."""
        return self.filter(meeting__in=ReviewMeeting.objects.for_user(user))


class Minutes(UuidModel, AppendOnlyModel):
    """What a meeting said and decided, frozen when it was agreed; page and PDF are made of nothing else."""

    meeting = models.OneToOneField(ReviewMeeting, on_delete=models.PROTECT, related_name="minutes")
    content = models.JSONField()
    agreed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    agreed_at = models.DateTimeField()

    objects = MinutesQuerySet.as_manager()
