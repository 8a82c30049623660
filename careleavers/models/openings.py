"""A colleague's young person opened with a reason, for 24 hours (rules.md, Roles); and references nobody has."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q

from careleavers.models.people import CareLeaver
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint

SHOWN_FOR = timedelta(days=14)  # on the home of the young person's own advisor


class RecordOpeningReason(models.TextChoices):
    ON_DUTY = "on_duty", "They rang or came in while I was on duty"
    AWAY = "away", "Their advisor is away and nobody covers"
    SAFETY = "safety", "A worry about their safety"
    ASKED = "asked", "Their advisor or a manager asked me to"
    OTHER = "other", "Something else"


class RecordOpeningPattern(models.TextChoices):
    """What made an opening stand out at its time; managers are told."""

    NONE = "", "Nothing unusual"
    UNKNOWN = "unknown", "Typed references nobody has"
    MANY_A_DAY = "many_a_day", "Opened many records in a day"
    MANY_PEOPLE = "many_people", "Opened the records of many young people of others"


class RecordOpeningQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "RecordOpeningQuerySet":
        """Leaving care managers: of their council's young people, and where nobody was found, by its advisors; an
        account may have moved to another council since. Advisors: those of their own young people, and their own."""
        if user.role == Role.LEAVING_CARE_MANAGER:
            council = user.organisation_id
            nobody = Q(care_leaver__isnull=True, advisor__organisation=council)
            return self.filter(Q(care_leaver__council=council) | nobody)
        if user.role == Role.PERSONAL_ADVISOR:
            mine = CareLeaver.objects.for_user(user).order_by().values("pk")
            return self.filter(Q(advisor=user) | Q(care_leaver__in=mine))
        return self.none()

    def running(self, user: User, now: datetime) -> "RecordOpeningQuerySet":
        """What this advisor opened and may still read: nobody of a council they have left."""
        here = self.filter(advisor=user, care_leaver__council=user.organisation_id)
        return here.filter(opened_at__lte=now, until_at__gt=now)


class RecordOpening(UuidModel):
    """One advisor asked for a colleague's young person by reference. Without a person: nobody had the reference."""

    Reason = RecordOpeningReason
    Pattern = RecordOpeningPattern

    advisor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    care_leaver = models.ForeignKey(CareLeaver, on_delete=models.CASCADE, null=True, related_name="openings")
    reason = models.CharField(max_length=10, choices=Reason)
    words = models.CharField(max_length=300)
    opened_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True, help_text="From then on the record is closed again.")
    pattern = models.CharField(max_length=12, choices=Pattern, blank=True)

    objects = RecordOpeningQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-id"]
        indexes = [
            models.Index(fields=["advisor", "-opened_at"], name="opening_by_advisor"),
            models.Index(fields=["care_leaver", "-opened_at"], name="opening_by_person"),
        ]
        constraints = [
            choices_constraint("reason", RecordOpeningReason, "opening_reason_valid"),
            choices_constraint("pattern", RecordOpeningPattern, "opening_pattern_valid"),
            models.CheckConstraint(
                condition=Q(care_leaver__isnull=True, until_at__isnull=True)
                | Q(care_leaver__isnull=False, until_at__gte=F("opened_at")),
                name="opening_of_somebody_ends",
            ),
        ]

    def is_running(self, now: datetime) -> bool:
        return self.until_at is not None and self.opened_at <= now < self.until_at
