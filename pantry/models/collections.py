"""Pantry sessions and the weekly collections recorded in them."""

from datetime import date

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from pantry.models.blocks import PaidWeek
from pantry.models.memberships import Membership
from pantry.models.places import Band, Pantry, PantryStaff
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel


def today_for_volunteers(rows, user: User, today: date | None = None):
    """Rows with a pantry and a day (`on`) that people who work at pantries may see; nobody else sees any."""
    from stockport_hubs.core import clock

    if user.role == Role.PANTRY_MANAGER:
        return rows.filter(pantry__operator_id=user.organisation_id)
    if user.role != Role.PANTRY_VOLUNTEER:
        return rows.none()
    today = today or clock.today()
    staff = PantryStaff.objects.in_force_on(today).filter(user=user, pantry=OuterRef("pantry"))
    return rows.filter(Exists(staff), on=today)


class PantrySessionQuerySet(models.QuerySet):
    def for_user(self, user: User, today: date | None = None) -> "PantrySessionQuerySet":
        """Pantry managers: their organisation's sessions; volunteers: today's at the pantries they work at."""
        return today_for_volunteers(self, user, today)


class PantrySession(UuidModel):
    """One opening of a pantry on one day; closes by itself at midnight."""

    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, related_name="sessions")
    on = models.DateField()
    opens = models.TimeField()
    closes = models.TimeField()

    objects = PantrySessionQuerySet.as_manager()

    class Meta:
        ordering = ["-on", "opens"]
        constraints = [
            models.UniqueConstraint(fields=["pantry", "on", "opens"], name="session_once"),
            models.CheckConstraint(condition=Q(closes__gt=F("opens")), name="session_closes_after_opens"),
        ]

    def __str__(self):
        return f"{self.pantry} {self.on:%d %b %Y}"


class CollectionQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "CollectionQuerySet":
        """As the sessions they were recorded in."""
        return today_for_volunteers(self, user)

    def counted(self) -> "CollectionQuerySet":
        return self.filter(voided_at__isnull=True)

    def unfunded(self) -> "CollectionQuerySet":
        """Counted, and neither bought in advance nor paid at the counter so far: managers settle these."""
        return self.counted().filter(paid_week__isnull=True, paid_pence=0)


class Collection(UuidModel):
    """One member's weekly visit. One counted collection per membership and week: the database decides."""

    # The recording device's key, saved there before anything is sent: the same key is the same collection.
    key = models.UUIDField(unique=True)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="collections")
    session = models.ForeignKey(PantrySession, on_delete=models.PROTECT, related_name="collections")
    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, related_name="+", help_text="Where it was given.")
    week = models.DateField(help_text="The Monday of the London date.")
    on = models.DateField(help_text="The London date.")
    collected_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    is_late = models.BooleanField(default=False, help_text="Recorded after the session's day.")
    fruit_and_veg = models.BooleanField(default=True)
    paid_pence = models.PositiveIntegerField(default=0, help_text="Taken at the counter.")
    paid_week = models.ForeignKey(
        PaidWeek, on_delete=models.PROTECT, null=True, related_name="+", help_text="Empty: unfunded so far."
    )
    voided_at = models.DateTimeField(null=True)
    voided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    void_reason = models.CharField(max_length=120, blank=True)

    objects = CollectionQuerySet.as_manager()

    class Meta:
        ordering = ["-collected_at"]
        indexes = [
            models.Index(fields=["session", "-collected_at"], name="collection_by_session"),
            models.Index(fields=["pantry", "week"], name="collection_by_pantry"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "week"], condition=Q(voided_at__isnull=True), name="collection_once_a_week"
            ),
            models.CheckConstraint(condition=Q(week__week_day=2), name="collection_week_is_a_monday"),
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True, voided_by__isnull=True, void_reason="")
                | (Q(voided_at__isnull=False, voided_by__isnull=False) & ~Q(void_reason="")),
                name="collection_void_has_who_and_why",
            ),
        ]

    def __str__(self):
        return f"Collection of {self.on:%d %b %Y}"

    @property
    def is_unfunded(self) -> bool:
        """As `unfunded`."""
        return self.voided_at is None and self.paid_week_id is None and self.paid_pence == 0


class SelectedItem(models.Model):
    """How many items of one band; the usual ten without bands is one row."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="items")
    band = models.ForeignKey(Band, on_delete=models.PROTECT, null=True, related_name="+")
    quantity = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["collection", "band"], name="selected_band_once"),
            models.UniqueConstraint(
                fields=["collection"], condition=Q(band__isnull=True), name="selected_without_band_once"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=0, quantity__lte=100), name="selected_quantity_0_to_100"),
        ]


class AwayQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "AwayQuerySet":
        """Whoever works at the pantries: of their operator's members."""
        if user.role not in (Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER):
            return self.none()
        return self.filter(membership__operator_id=user.organisation_id)

    def lasting(self, day: date) -> "AwayQuerySet":
        """Not over, not ended by coming and not taken back, seen from that day."""
        return self.filter(until_on__gte=day, ended_at__isnull=True)


class Away(UuidModel):
    """A member told the pantry that they are away until a day, that day included; no reason is kept."""

    key = models.UUIDField(unique=True, help_text="The form's key: the same form is the same telling.")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    from_on = models.DateField()
    until_on = models.DateField()
    told_at = models.DateTimeField()
    told_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True, help_text="Came earlier, said another day, or was a mistake.")
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    came = models.ForeignKey(
        Collection, on_delete=models.PROTECT, null=True, related_name="+", help_text="The visit that ended it."
    )

    objects = AwayQuerySet.as_manager()

    class Meta:
        ordering = ["-told_at"]
        constraints = [
            models.CheckConstraint(condition=Q(until_on__gte=F("from_on")), name="away_dates_in_order"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, came__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="away_ended_by_someone",
            ),
            models.UniqueConstraint(fields=["membership"], condition=Q(ended_at__isnull=True), name="away_once"),
        ]


class MissedWeekReason(models.TextChoices):
    PLANNED = "planned", "Planned"
    TOLD_US = "told_us", "Told us"
    NOT_SEEN = "not_seen", "Not seen"
    UNKNOWN = "unknown", "Unknown"


class MissedWeek(UuidModel):
    """The reason of a week without a collection; that it was missed is derived, not stored."""

    Reason = MissedWeekReason

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="missed_weeks")
    week = models.DateField()
    reason = models.CharField(max_length=10, choices=Reason)
    away = models.ForeignKey(
        Away, on_delete=models.CASCADE, null=True, related_name="weeks", help_text="Whose words the reason follows."
    )
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["membership", "week"], name="missed_week_once"),
            models.CheckConstraint(
                condition=Q(reason__in=["planned", "told_us", "not_seen", "unknown"]), name="missed_reason_valid"
            ),
        ]
