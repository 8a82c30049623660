"""A hall's tablet, the PINs of who records on it, and what it sent (docs/decisions/0030)."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q

from pantry.models.collections import Collection, PantrySession
from pantry.models.places import Pantry
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint

AT_ONCE = timedelta(minutes=10)  # what arrives within them went straight away


def of_managers(rows, user: User):
    """Rows with a pantry, for the managers of its operator; nobody else sees any."""
    if user.role != Role.PANTRY_MANAGER:
        return rows.none()
    return rows.filter(pantry__operator_id=user.organisation_id)


class TabletQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "TabletQuerySet":
        """Pantry managers: their organisation's."""
        return of_managers(self, user)

    def in_use(self) -> "TabletQuerySet":
        return self.filter(revoked_at__isnull=True)


class Tablet(UuidModel):
    """A device that stays in a pantry's hall; its cookie holds a secret of which only the hash is kept."""

    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, related_name="tablets")
    name = models.CharField(max_length=40)
    secret_hash = models.CharField(max_length=64, unique=True)
    enrolled_at = models.DateTimeField()
    enrolled_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    seen_at = models.DateTimeField(null=True, help_text="When it last asked for anything, to five minutes.")
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    objects = TabletQuerySet.as_manager()

    class Meta:
        ordering = ["pantry__name", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["pantry", "name"], condition=Q(revoked_at__isnull=True), name="tablet_name_once"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="tablet_revoked_has_who_and_when",
            ),
        ]

    def __str__(self):
        return self.name


class VolunteerPin(models.Model):
    """What a volunteer unlocks their pantries' tablets with: a starting code, until a PIN is set with it."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    code_hash = models.CharField(max_length=128, blank=True, help_text="Empty: used, or none given.")
    code_until = models.DateTimeField(null=True)
    pin_hash = models.CharField(max_length=128, blank=True, help_text="Empty: not set yet.")
    salt = models.CharField(max_length=32, blank=True, help_text="For the key a device makes from the PIN.")
    changed_at = models.DateTimeField(help_text="Lists are not given to what was unlocked before this moment.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(code_hash="", code_until__isnull=True) | (~Q(code_hash="") & Q(code_until__isnull=False)),
                name="pin_code_runs_out",
            ),
            models.CheckConstraint(
                condition=Q(pin_hash="", salt="") | (~Q(pin_hash="") & ~Q(salt="")), name="pin_has_its_salt"
            ),
        ]


class PinTries(models.Model):
    """Wrong PINs and codes of one volunteer on one tablet."""

    tablet = models.ForeignKey(Tablet, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    tries = models.PositiveSmallIntegerField(default=0)
    since = models.DateField(help_text="The London date from which they count.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tablet", "user"], name="pin_tries_once")]


class EntryOutcome(models.TextChoices):
    RECORDED = "recorded", "Recorded"
    HELD = "held", "To sort out"
    SETTLED = "settled", "Recorded afterwards"
    DISMISSED = "dismissed", "Not recorded"
    TAKEN_BACK = "taken_back", "Taken back by who recorded it"


class DismissReason(models.TextChoices):
    THERE = "there", "It is recorded already"
    MISTAKE = "mistake", "Recorded by mistake: nothing was given"
    CANNOT = "cannot", "Given, but it cannot be counted"
    OTHERWISE = "otherwise", "Settled another way"


class TabletEntryQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "TabletEntryQuerySet":
        """Pantry managers: what came from their organisation's tablets."""
        return of_managers(self, user)

    def of_collections(self, collections: Iterable[Collection]) -> dict[UUID, "TabletEntry"]:
        """The entries these collections came from, by collection, of those that came from a tablet: one query, by the
        key that both have."""
        keys = {collection.key: collection.pk for collection in collections}
        entries: Any = self.filter(key__in=keys).select_related("tablet", "recorded_by", "sent_by")
        return {entry.became_id: entry for entry in entries if entry.became_id == keys[entry.key]}

    def to_sort_out(self) -> "TabletEntryQuerySet":
        return self.filter(outcome=EntryOutcome.HELD)


class TabletEntry(UuidModel):
    """One thing recorded on a tablet, under the key saved there first: who recorded it, who sent it, what became of it.

    What could not be recorded as it was is held, with its body, until the pantry manager says what becomes of it.
    """

    Outcome = EntryOutcome

    key = models.UUIDField(unique=True)
    tablet = models.ForeignKey(Tablet, on_delete=models.PROTECT, related_name="+", help_text="That sent it.")
    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, related_name="+")
    session = models.ForeignKey(PantrySession, on_delete=models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=20)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", help_text="Whose PIN it was.")
    sent_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="+", help_text="Whose PIN was open when it was sent."
    )
    told_at = models.DateTimeField(null=True, help_text="By the tablet's clock, whatever that says.")
    happened_at = models.DateTimeField(help_text="As counted: the tablet's moment where it can be, else the opening.")
    is_told_time = models.BooleanField(help_text="`happened_at` is the tablet's own moment.")
    received_at = models.DateTimeField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of what was sent: the same key is the same body.")
    outcome = models.CharField(max_length=10, choices=EntryOutcome)
    why = models.CharField(max_length=300, blank=True, help_text="Why it was held.")
    body = models.JSONField(default=dict, help_text="What was sent, of what was held.")
    became_id = models.UUIDField(null=True, help_text="The row that was made of it.")
    sorted_at = models.DateTimeField(null=True)
    sorted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=10, choices=DismissReason, blank=True)

    objects = TabletEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-id"]
        verbose_name_plural = "tablet entries"
        indexes = [
            models.Index(fields=["pantry", "outcome", "-received_at"], name="entry_by_pantry"),
            models.Index(fields=["tablet", "outcome"], name="entry_by_tablet"),
        ]
        constraints = [
            choices_constraint("outcome", EntryOutcome, "entry_outcome_valid"),
            models.CheckConstraint(condition=Q(reason__in=["", *DismissReason.values]), name="entry_reason_valid"),
            models.CheckConstraint(
                condition=Q(outcome__in=["recorded", "held"], sorted_at__isnull=True, sorted_by__isnull=True)
                | Q(
                    outcome__in=["settled", "dismissed", "taken_back"],
                    sorted_at__isnull=False,
                    sorted_by__isnull=False,
                ),
                name="entry_sorted_has_who_and_when",
            ),
            models.CheckConstraint(
                condition=Q(outcome="recorded", why="") | (~Q(outcome="recorded") & ~Q(why="")),
                name="entry_held_says_why",
            ),
        ]

    def __str__(self):
        return f"{self.kind} of {self.happened_at:%d %b %Y}"

    @property
    def is_sent_otherwise(self) -> bool:
        """Sent later than it was recorded, or while somebody else's PIN was open, or nobody's."""
        return self.sent_by_id != self.recorded_by_id or self.received_at - self.happened_at > AT_ONCE
