"""Running a pantry: who of the volunteers is down for which session, and what they are told beforehand."""

from datetime import date

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from pantry.models.places import Pantry, PantryStaff
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel


class DutyQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "DutyQuerySet":
        """Pantry managers: their organisation's; volunteers: those of the pantries they work at today, of whom pages
        show them their own and, by first name, who is down for the same session."""
        if user.role in (Role.PANTRY_MANAGER, Role.PANTRY_VOLUNTEER):
            return self.filter(pantry__in=Pantry.objects.for_user(user))
        return self.none()

    def standing(self) -> "DutyQuerySet":
        """Of volunteers who can still come: their account is not closed and they work at that pantry on the day."""
        staff = PantryStaff.objects.filter(
            Q(until_on=None) | Q(until_on__gte=OuterRef("on")),
            pantry=OuterRef("pantry"),
            user=OuterRef("user"),
            from_on__lte=OuterRef("on"),
        )
        return self.filter(Exists(staff), user__deactivated_at=None)


class Duty(UuidModel):
    """A volunteer is down for one opening: the pantry, its day and when it opens. The session itself need not be there
    yet, for sessions open by themselves."""

    pantry = models.ForeignKey(Pantry, on_delete=models.CASCADE, related_name="+")
    on = models.DateField()
    opens = models.TimeField()
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    objects = DutyQuerySet.as_manager()

    class Meta:
        ordering = ["on", "opens"]
        verbose_name_plural = "duties"
        constraints = [
            models.UniqueConstraint(fields=["pantry", "on", "opens", "user"], name="duty_once"),
        ]


class NoteQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "NoteQuerySet":
        """Pantry managers and volunteers: those of their pantries."""
        if user.role in (Role.PANTRY_MANAGER, Role.PANTRY_VOLUNTEER):
            return self.filter(pantry__in=Pantry.objects.for_user(user))
        return self.none()

    def shown_on(self, day: date) -> "NoteQuerySet":
        """Shown on that day, and not taken down."""
        return self.filter(Q(until_on=None) | Q(until_on__gte=day), from_on__lte=day, removed_at=None)


class Note(UuidModel):
    """What volunteers read on the session page of a pantry, on one day or over some."""

    pantry = models.ForeignKey(Pantry, on_delete=models.CASCADE, related_name="notes")
    text = models.CharField(max_length=300)
    from_on = models.DateField()
    until_on = models.DateField(null=True, help_text="Empty: until it is taken down.")
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    removed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    removed_at = models.DateTimeField(null=True)

    objects = NoteQuerySet.as_manager()

    class Meta:
        ordering = ["from_on", "written_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until_on=None) | Q(until_on__gte=F("from_on")), name="note_days_in_order"
            ),
            models.CheckConstraint(
                condition=Q(removed_at=None, removed_by=None) | Q(removed_at__isnull=False, removed_by__isnull=False),
                name="note_removed_has_who_and_when",
            ),
        ]
