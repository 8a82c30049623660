"""What a meeting talks about: rows that are filled from what is known, and what was said of each.

Both organisations read every word of these rows: of young people they hold membership numbers, never a name.
"""

from uuid import uuid4

from django.db import models
from django.db.models import Q

from pantry.models import Membership, Pantry
from reviews.models.actions import Action
from reviews.models.meetings import ReviewMeeting
from stockport_hubs.accounts.models import User
from stockport_hubs.core.models import UuidModel, choices_constraint


class AgendaKind(models.TextChoices):
    """Where an item came from, in the order of the agenda."""

    ACTION = "action", "Action"
    DISAGREEMENT = "disagreement", "Disagreement"
    HOLD = "hold", "Held renewal"
    QUERY = "query", "Queried money"
    LAPSE = "lapse", "Four-week lapse"
    BARRIER = "barrier", "Barrier at a pantry"
    PEOPLE = "people", "Barriers of young people"
    CLOSURE = "closure", "Closure ahead"
    ADDED = "added", "Added by hand"


class AgendaState(models.TextChoices):
    OPEN = "open", "To discuss"
    DISCUSSED = "discussed", "Discussed"
    PUT_OFF = "put_off", "Put off to the next meeting"


class AgendaItemQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "AgendaItemQuerySet":
        """Items of the meetings this person sees."""
        return self.filter(meeting__in=ReviewMeeting.objects.for_user(user))


class AgendaItem(UuidModel):
    """One item of one meeting. The same thing at the next meeting is another row with the same kind and source."""

    Kind, State = AgendaKind, AgendaState

    meeting = models.ForeignKey(ReviewMeeting, on_delete=models.CASCADE, related_name="agenda")
    kind = models.CharField(max_length=12, choices=AgendaKind)
    source = models.UUIDField(default=uuid4, help_text="The id of what it came from; of an item by hand its own.")
    position = models.PositiveIntegerField()
    title = models.CharField(max_length=320)
    note = models.CharField(max_length=500, blank=True)
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, null=True, related_name="+")
    first_on = models.DateField(help_text="The day of the meeting it is carried from, or of this one.")
    carried = models.PositiveSmallIntegerField(default=0, help_text="How many times, this one included.")
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()

    state = models.CharField(max_length=9, choices=AgendaState, default=AgendaState.OPEN)
    discussion = models.TextField(blank=True)
    decision = models.CharField(max_length=300, blank=True)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    due_on = models.DateField(null=True)
    names_nobody = models.BooleanField(default=False, help_text="Someone has looked: words like names are none.")
    action = models.ForeignKey(Action, on_delete=models.SET_NULL, null=True, related_name="+")
    version = models.PositiveIntegerField(default=0, help_text="0: nobody has written anything here yet.")
    saved_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    saved_at = models.DateTimeField(null=True)

    objects = AgendaItemQuerySet.as_manager()

    class Meta:
        ordering = ["position", "added_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "kind", "source"], name="agenda_item_once_a_meeting"),
            choices_constraint("kind", AgendaKind, "agenda_kind_valid"),
            choices_constraint("state", AgendaState, "agenda_state_valid"),
            models.CheckConstraint(
                condition=Q(version=0, saved_by__isnull=True) | Q(version__gt=0, saved_by__isnull=False),
                name="agenda_item_saved_by_someone",
            ),
        ]
        indexes = [models.Index(fields=["kind", "source"], name="agenda_by_source")]

    def __str__(self):
        return f"{self.get_kind_display()} {self.pk}"


class AgendaSave(UuidModel):
    """One saving of an item: under its key it happens once, however often it is sent; and no words are lost."""

    item = models.ForeignKey(AgendaItem, on_delete=models.CASCADE, related_name="saves")
    key = models.UUIDField(unique=True, help_text="Made by the page before it sends.")
    version = models.PositiveIntegerField()
    said = models.JSONField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["version"]
        constraints = [models.UniqueConstraint(fields=["item", "version"], name="agenda_version_once")]
