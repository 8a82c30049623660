"""Packs: frozen editions of the figures for one audience, and who was given one by name."""

from django.db import models
from django.db.models import Q

from reviews.models.meetings import ReviewMeeting
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import AppendOnlyModel, AppendOnlyQuerySet, UuidModel, choices_constraint
from stockport_hubs.jobs.models import Job


class Audience(models.TextChoices):
    LEAVING_CARE = "leaving-care", "Leaving Care Team"
    STOCKPORT_HOMES = "stockport-homes", "Stockport Homes"
    CORPORATE_PARENTS = "corporate-parents", "Corporate parents"


# Roles that read no pack by themselves, and may be given the summary by name.
GIVEN_ROLES = (Role.PERSONAL_ADVISOR, Role.FINANCE_OFFICER)


class ReviewPackQuerySet(AppendOnlyQuerySet):
    def for_user(self, user: User) -> "ReviewPackQuerySet":
        """Leaving care managers all of their council's packs, pantry managers Stockport Homes'; advisors and finance
        officers a summary for corporate parents that they were given by name."""
        if user.role == Role.LEAVING_CARE_MANAGER:
            return self.filter(meeting__in=ReviewMeeting.objects.for_user(user))
        if user.role == Role.PANTRY_MANAGER:
            return self.filter(meeting__in=ReviewMeeting.objects.for_user(user), audience=Audience.STOCKPORT_HOMES)
        if user.role in GIVEN_ROLES:
            given = PackRecipient.objects.filter(user=user, withdrawn_at__isnull=True)
            summaries = self.filter(
                meeting__agreement__funder=user.organisation_id, audience=Audience.CORPORATE_PARENTS
            )
            return summaries.filter(pk__in=given.values("pack"))
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


class PackRecipientQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "PackRecipientQuerySet":
        """Of the packs a manager may give away: pantry managers among their colleagues alone."""
        if user.role == Role.LEAVING_CARE_MANAGER:
            return self.filter(pack__in=ReviewPack.objects.for_user(user))
        if user.role == Role.PANTRY_MANAGER:
            return self.filter(pack__in=ReviewPack.objects.for_user(user), user__organisation=user.organisation_id)
        return self.none()


class PackRecipient(UuidModel):
    """Someone a pack was given to by name: told by e-mail, and listed with when they opened it."""

    pack = models.ForeignKey(ReviewPack, on_delete=models.PROTECT, related_name="recipients")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    chosen_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    chosen_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True, help_text="For the first time since they were chosen.")
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)

    objects = PackRecipientQuerySet.as_manager()

    class Meta:
        ordering = ["user__name", "chosen_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["pack", "user"], condition=Q(withdrawn_at__isnull=True), name="pack_recipient_once"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by__isnull=True)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="pack_recipient_withdrawn_by_someone",
            ),
        ]
