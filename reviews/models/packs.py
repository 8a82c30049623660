"""Packs: frozen editions of the figures for one audience."""

from django.db import models

from reviews.models.meetings import ReviewMeeting
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import AppendOnlyModel, AppendOnlyQuerySet, UuidModel, choices_constraint
from stockport_hubs.jobs.models import Job


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
