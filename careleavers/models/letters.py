"""Texts and e-mails to young people: what they agreed to, and each message with what became of it."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import OuterRef, Q, Subquery

from careleavers.models.people import CareLeaver
from stockport_hubs.accounts.models import User
from stockport_hubs.core.models import UuidModel, choices_constraint

UNKNOWN_AFTER = timedelta(minutes=2)  # sending takes seconds
UNKNOWN_BY_HAND_AFTER = timedelta(hours=24)  # whoever took it has a day to say whether they sent it


class LetterChannel(models.TextChoices):
    NONE = "none", "No messages"
    TEXT = "text", "Text message"
    EMAIL = "email", "Email"


class LetterChoice(UuidModel):
    """What a young person said about messages; the latest row holds."""

    Channel = LetterChannel

    care_leaver = models.ForeignKey(CareLeaver, on_delete=models.CASCADE, related_name="letter_choices")
    number = models.PositiveIntegerField(help_text="1, 2, 3 …: of two at one moment the later holds.")
    channel = models.CharField(max_length=5, choices=Channel)
    is_safe = models.BooleanField(default=False, help_text="Nobody else reads what arrives there, they say.")
    agreed_to = models.CharField(max_length=64, blank=True, help_text="Digest of the number or address they meant.")
    asked_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["-number"]
        constraints = [
            choices_constraint("channel", LetterChannel, "letter_choice_channel_valid"),
            models.UniqueConstraint(fields=["care_leaver", "number"], name="letter_choice_number_once"),
        ]


class LetterQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "LetterQuerySet":
        """Those to the young people this user may see."""
        return self.filter(care_leaver__in=CareLeaver.objects.for_user(user).order_by().values("pk"))

    def open(self) -> "LetterQuerySet":
        """Neither sent nor refused nor settled: somebody or the machine has to do something."""
        return self.filter(OPEN)


OPEN = Q(sent_at__isnull=True, refused_at__isnull=True, settled_at__isnull=True)


class Letter(UuidModel):
    """One message to one young person, by ids; text, number and address are made when it is sent."""

    Channel = LetterChannel

    care_leaver = models.ForeignKey(CareLeaver, on_delete=models.CASCADE, related_name="letters")
    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200, unique=True, help_text="Same key: the same message, sent once.")
    ids = models.JSONField(default=dict, help_text="Ids only.")
    created_at = models.DateTimeField()
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    channel = models.CharField(max_length=5, choices=Channel, default=LetterChannel.NONE, help_text="As it was sent.")
    claimed_at = models.DateTimeField(null=True)
    claimed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    sent_at = models.DateTimeField(null=True)
    notify_id = models.CharField(max_length=40, blank=True, help_text="What GOV.UK Notify calls it.")
    refused_at = models.DateTimeField(null=True)
    refused_because = models.CharField(max_length=200, blank=True)
    settled_at = models.DateTimeField(null=True, help_text="Someone has looked after an unknown one.")
    settled_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    objects = LetterQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["care_leaver", "-created_at"], name="letter_by_person"),
            models.Index(fields=["created_at"], condition=OPEN, name="letter_open"),
        ]
        constraints = [
            choices_constraint("channel", LetterChannel, "letter_channel_valid"),
            models.CheckConstraint(
                condition=Q(claimed_by__isnull=True) | Q(claimed_at__isnull=False), name="letter_claimed"
            ),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True) | Q(claimed_at__isnull=False), name="letter_sent_once"
            ),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True) | Q(refused_at__isnull=True), name="letter_one_end"
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.key}"

    def state(self, now: datetime) -> str:
        """waiting, sending, taken (by somebody), sent, not sent, settled or unknown."""
        if self.sent_at:
            return "sent"
        if self.refused_at:
            return "not sent"
        if self.settled_at:
            return "settled"
        if not self.claimed_at:
            return "waiting"
        if self.claimed_by_id:
            return "unknown" if self.claimed_at <= now - UNKNOWN_BY_HAND_AFTER else "taken"
        return "unknown" if self.claimed_at <= now - UNKNOWN_AFTER else "sending"


def wanting_messages(people: models.QuerySet) -> models.QuerySet:
    """Of these young people those who said how they want to be written to."""
    latest = LetterChoice.objects.filter(care_leaver=OuterRef("pk")).order_by("-number").values("channel")[:1]
    return people.annotate(written_by=Subquery(latest)).filter(written_by__in=[LetterChannel.TEXT, LetterChannel.EMAIL])
