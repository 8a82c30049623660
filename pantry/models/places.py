"""Pantries: where they are, when they open, when they are closed, who works there."""

from datetime import date

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint


class PantryQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "PantryQuerySet":
        """Volunteers: where they are on the staff; pantry managers: their organisation's; council roles but
        administrators: all, for they choose among them."""
        from stockport_hubs.core import clock

        if user.role == Role.PANTRY_VOLUNTEER:
            staff = PantryStaff.objects.in_force_on(clock.today()).filter(user=user, pantry=OuterRef("pk"))
            return self.filter(Exists(staff))
        if user.role == Role.PANTRY_MANAGER:
            return self.filter(operator_id=user.organisation_id)
        if user.role == Role.ADMINISTRATOR:
            return self.none()
        return self


class Pantry(UuidModel):
    """A local pantry run by volunteers for an operator."""

    operator = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    address = models.CharField(max_length=200)
    postcode = models.CharField(max_length=8, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    how_to_find = models.TextField(blank=True)
    catchment = models.CharField(max_length=200, blank=True)
    allowance = models.PositiveSmallIntegerField(default=10, help_text="Items a week.")
    capacity = models.PositiveIntegerField(null=True, blank=True, help_text="Members at most; empty: no limit.")
    closes_on_bank_holidays = models.BooleanField(default=True)
    welcomes_other_pantries = models.BooleanField(default=True)
    closing_on = models.DateField(null=True, blank=True, help_text="The pantry closes for good.")

    objects = PantryQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "pantries"
        constraints = [
            models.UniqueConstraint(fields=["operator", "name"], name="pantry_name_once"),
            models.CheckConstraint(condition=Q(allowance__gte=1, allowance__lte=100), name="pantry_allowance_1_to_100"),
        ]

    def __str__(self):
        return self.name


class Band(UuidModel):
    """A colour band with its own limit within the allowance; a pantry without bands has none of these."""

    pantry = models.ForeignKey(Pantry, on_delete=models.CASCADE, related_name="bands")
    name = models.CharField(max_length=30)
    items = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "name"]
        constraints = [models.UniqueConstraint(fields=["pantry", "name"], name="band_name_once")]


class OpeningHours(UuidModel):
    """A weekly opening, dated, so that last year's weeks are still judged by last year's hours."""

    pantry = models.ForeignKey(Pantry, on_delete=models.CASCADE, related_name="opening_hours")
    weekday = models.PositiveSmallIntegerField(
        choices=list(enumerate(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]))
    )
    opens = models.TimeField()
    closes = models.TimeField()
    from_on = models.DateField()
    until_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["weekday", "opens"]
        verbose_name_plural = "opening hours"
        constraints = [
            models.CheckConstraint(condition=Q(weekday__in=range(7)), name="hours_weekday_valid"),
            models.CheckConstraint(condition=Q(closes__gt=F("opens")), name="hours_closes_after_opens"),
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gte=F("from_on")), name="hours_dates_in_order"
            ),
        ]


class Closure(UuidModel):
    """Days on which no session opens; both dates included."""

    pantry = models.ForeignKey(Pantry, on_delete=models.CASCADE, related_name="closures")
    from_on = models.DateField()
    until_on = models.DateField()
    reason = models.CharField(max_length=120)
    announced_at = models.DateTimeField()
    announced_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    members_moved = 0  # set by `places.announce_closure`: members whose weeks moved

    class Meta:
        ordering = ["-from_on"]
        constraints = [
            models.CheckConstraint(condition=Q(until_on__gte=F("from_on")), name="closure_dates_in_order"),
        ]


class StaffQuerySet(models.QuerySet):
    def in_force_on(self, day: date) -> "StaffQuerySet":
        return self.filter(Q(until_on__isnull=True) | Q(until_on__gte=day), from_on__lte=day)


class PantryStaff(UuidModel):
    """A volunteer's pantry, dated."""

    pantry = models.ForeignKey(Pantry, on_delete=models.CASCADE, related_name="staff")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    from_on = models.DateField()
    until_on = models.DateField(null=True)

    objects = StaffQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pantry", "user"], condition=Q(until_on__isnull=True), name="staff_one_open_row"
            ),
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gte=F("from_on")), name="staff_dates_in_order"
            ),
        ]


class CallRole(models.TextChoices):
    MANAGER = "manager", "Pantry manager"
    SAFEGUARDING = "safeguarding", "Safeguarding lead"


class CallNow(UuidModel):
    """Whom to call when somebody in the hall is worried about someone; dated, so that a change can be entered ahead."""

    Role = CallRole

    pantry = models.ForeignKey(Pantry, on_delete=models.CASCADE, related_name="calls")
    role = models.CharField(max_length=12, choices=CallRole)
    called = models.CharField(max_length=60, blank=True)
    phone = models.CharField(max_length=20)
    from_on = models.DateField()
    until_on = models.DateField(null=True)
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    objects = StaffQuerySet.as_manager()

    class Meta:
        ordering = ["role", "from_on"]
        verbose_name_plural = "call now"
        constraints = [
            choices_constraint("role", CallRole, "call_role_valid"),
            models.UniqueConstraint(
                fields=["pantry", "role"], condition=Q(until_on__isnull=True), name="call_one_open_row"
            ),
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gte=F("from_on")), name="call_dates_in_order"
            ),
        ]
