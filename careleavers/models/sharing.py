"""What a young person agreed to share with a pantry, and until when."""

from datetime import date

from django.db import models
from django.db.models import F, Q

from careleavers.models.people import CareLeaver
from stockport_hubs.accounts.models import User
from stockport_hubs.core.models import UuidModel, choices_constraint


class SharingAgreementHowGiven(models.TextChoices):
    IN_PERSON = "in_person", "In person"
    BY_PHONE = "by_phone", "By phone"
    IN_WRITING = "in_writing", "In writing"


class SharingAgreementQuerySet(models.QuerySet):
    def holding_on(self, day: date) -> "SharingAgreementQuerySet":
        """Given, not run out and not withdrawn on that day: as `holds_on`."""
        return self.filter(
            Q(until_on=None) | Q(until_on__gte=day), Q(withdrawn_on=None) | Q(withdrawn_on__gt=day), given_on__lte=day
        )


class SharingAgreement(UuidModel):
    """The young person's agreement to take part and to have data shared with the pantry."""

    HowGiven = SharingAgreementHowGiven

    care_leaver = models.ForeignKey(CareLeaver, on_delete=models.CASCADE, related_name="sharing_agreements")
    wording_version = models.CharField(max_length=20)
    privacy_notice_on = models.DateField(help_text="The day the privacy notice was given.")
    given_on = models.DateField()
    how_given = models.CharField(max_length=12, choices=HowGiven)
    taken_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    share_name = models.BooleanField(default=True, help_text="No: the pantry sees the number only.")
    advocacy_given_on = models.DateField(null=True, help_text="The day they were told about advocacy.")
    until_on = models.DateField(null=True, blank=True)
    withdrawn_on = models.DateField(null=True)
    withdrawn_how = models.CharField(max_length=12, choices=HowGiven, blank=True)
    withdrawn_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    objects = SharingAgreementQuerySet.as_manager()

    class Meta:
        ordering = ["-given_on"]
        indexes = [models.Index(fields=["given_on"], name="sharing_by_day")]
        constraints = [
            choices_constraint("how_given", SharingAgreementHowGiven, "sharing_how_valid"),
            models.CheckConstraint(
                condition=Q(withdrawn_how__in=["", *SharingAgreementHowGiven.values]),
                name="sharing_withdrawn_how_valid",
            ),
            models.CheckConstraint(
                condition=Q(privacy_notice_on__lte=F("given_on")), name="sharing_notice_before_agreement"
            ),
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gte=F("given_on")), name="sharing_ends_after_start"
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_on__isnull=True) | Q(withdrawn_on__gte=F("given_on")),
                name="sharing_withdrawn_after_start",
            ),
        ]

    def holds_on(self, day: date) -> bool:
        """Given, not run out and not withdrawn on that day."""
        return (
            self.given_on <= day
            and (self.until_on is None or day <= self.until_on)
            and (self.withdrawn_on is None or day < self.withdrawn_on)
        )


class SharedItem(UuidModel):
    """One health, diet or practical fact the young person agreed to share, with its own date."""

    agreement = models.ForeignKey(SharingAgreement, on_delete=models.CASCADE, related_name="items")
    kind = models.CharField(max_length=12, help_text="A core.needs.NeedKind: allergen, diet, language, no_cooking.")
    value = models.CharField(max_length=60, blank=True)
    agreed_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agreement", "kind", "value"], name="shared_item_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["allergen", "diet", "language", "no_cooking"]), name="shared_item_kind_valid"
            ),
        ]
