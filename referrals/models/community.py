"""What is beyond the pantry: a small directory, onward links a young person was offered, and their volunteering."""

from datetime import date

from django.db import models
from django.db.models import F, Q

from careleavers.models import CareLeaver
from pantry.models import FundingAgreement
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint

COUNCIL = (Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER)


class DirectoryKind(models.TextChoices):
    COOKING = "cooking", "Recipes and cooking"
    HOME = "home", "Home and DIY"
    MONEY = "money", "Money and benefits"
    WORK = "work", "Work, training and learning"
    HEALTH = "health", "Health"
    SOCIAL = "social", "Groups, sport and events"
    OTHER = "other", "Other"


class DirectoryEntryQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "DirectoryEntryQuerySet":
        """Council: its own entries and those of the operators it pays. Who works at pantries: their organisation's, and
        what councils that pay it keep for pantries too."""
        agreements = FundingAgreement.objects.for_user(user).order_by()
        own = Q(kept_by_id=user.organisation_id)
        if user.role in COUNCIL:
            return self.filter(own | Q(kept_by__in=agreements.values("operator")))
        if user.role in (Role.PANTRY_MANAGER, Role.PANTRY_VOLUNTEER):
            of_councils = FundingAgreement.objects.filter(operator_id=user.organisation_id).order_by().values("funder")
            return self.filter(own | Q(for_pantries=True, kept_by__in=of_councils))
        return self.none()

    def kept_by(self, user: User) -> "DirectoryEntryQuerySet":
        """Those this manager may change: their own organisation's."""
        return self.filter(kept_by_id=user.organisation_id)

    def in_use(self) -> "DirectoryEntryQuerySet":
        return self.filter(retired_at__isnull=True)

    def on(self, day: date) -> "DirectoryEntryQuerySet":
        """In use, and on offer that day."""
        begun = Q(from_on__isnull=True) | Q(from_on__lte=day)
        return self.in_use().filter(begun, Q(until_on__isnull=True) | Q(until_on__gte=day))


class DirectoryEntry(UuidModel):
    """Somewhere to go or to ask: an organisation or a group, never a person."""

    Kind = DirectoryKind

    kept_by = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=7, choices=Kind)
    line = models.CharField(max_length=120, blank=True, help_text="What it is, in one line.")
    where = models.CharField(max_length=120, blank=True)
    website = models.URLField(blank=True)
    phone = models.CharField(max_length=20, blank=True)
    from_on = models.DateField(null=True, blank=True, help_text="Empty: already.")
    until_on = models.DateField(null=True, blank=True, help_text="The last day; empty: until it is retired.")
    for_pantries = models.BooleanField(default=False, help_text="Pantries may tell their members about it.")
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, help_text="Not offered any more; links that name it stay.")

    objects = DirectoryEntryQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            choices_constraint("kind", DirectoryKind, "directory_kind_valid"),
            models.UniqueConstraint(
                fields=["kept_by", "name"], condition=Q(retired_at__isnull=True), name="directory_name_once"
            ),
            models.CheckConstraint(
                condition=Q(from_on__isnull=True) | Q(until_on__isnull=True) | Q(until_on__gte=F("from_on")),
                name="directory_dates_in_order",
            ),
        ]

    def __str__(self):
        return self.name


class CommunityLinkState(models.TextChoices):
    OFFERED = "offered", "Offered"
    TAKEN_UP = "taken_up", "Taken up"
    NOT_TAKEN_UP = "not_taken_up", "Not taken up"
    HELPED = "helped", "It helped"
    DID_NOT_HELP = "did_not_help", "It did not help"
    TAKEN_BACK = "taken_back", "Taken back"


class OfAPerson(models.QuerySet):
    def for_user(self, user: User, words: str = "") -> "OfAPerson":
        """Of the young people this user may see, and of those the words find: council roles only."""
        # One choice: as two, each person found would be looked up again.
        return self.filter(care_leaver__in=CareLeaver.objects.for_user(user).search(words).order_by())


class CommunityLink(UuidModel):
    """An onward link one young person was offered, and what came of it."""

    State = CommunityLinkState

    care_leaver = models.ForeignKey(CareLeaver, on_delete=models.CASCADE, related_name="+")
    entry = models.ForeignKey(DirectoryEntry, on_delete=models.PROTECT, related_name="+")
    offered_on = models.DateField()
    state = models.CharField(max_length=12, choices=State, default=State.OFFERED)
    state_on = models.DateField(help_text="Since when.")

    objects = OfAPerson.as_manager()

    class Meta:
        ordering = ["-offered_on"]
        indexes = [models.Index(fields=["-offered_on", "id"], name="link_by_day")]
        constraints = [
            choices_constraint("state", CommunityLinkState, "link_state_valid"),
            models.UniqueConstraint(
                fields=["care_leaver", "entry"], condition=Q(state__in=["offered", "taken_up"]), name="link_one_open"
            ),
        ]


class VolunteeringState(models.TextChoices):
    NOT_ASKED = "not_asked", "Not asked"
    ASKED = "asked", "Asked"
    NOT_NOW = "not_now", "Not now"
    INTERESTED = "interested", "Interested"
    INDUCTION = "induction", "Induction"
    VOLUNTEERING = "volunteering", "Volunteering"
    STOPPED = "stopped", "Stopped"


class VolunteeringOffer(UuidModel):
    """One young person on the way to volunteering: one row a person, so that everyone is counted once."""

    State = VolunteeringState

    care_leaver = models.OneToOneField(CareLeaver, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=12, choices=State, default=State.NOT_ASKED)
    state_on = models.DateField(null=True, help_text="Since when.")

    objects = OfAPerson.as_manager()

    class Meta:
        ordering = ["-state_on"]
        indexes = [models.Index(fields=["-state_on", "id"], name="volunteering_by_day")]
        constraints = [
            choices_constraint("state", VolunteeringState, "volunteering_state_valid"),
            models.CheckConstraint(
                condition=Q(state="not_asked", state_on__isnull=True)
                | (~Q(state="not_asked") & Q(state_on__isnull=False)),
                name="volunteering_state_has_a_day",
            ),
        ]


class _Step(UuidModel):
    """One step, with the day it happened and who recorded it; one taken back stays and does not count."""

    number = models.PositiveSmallIntegerField()
    on = models.DateField()
    note = models.CharField(max_length=200, blank=True, help_text="For the council only.")
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()
    undone_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        ordering = ["number"]


class CommunityLinkMove(_Step):
    link = models.ForeignKey(CommunityLink, on_delete=models.CASCADE, related_name="moves")
    state = models.CharField(max_length=12, choices=CommunityLinkState)

    class Meta(_Step.Meta):
        constraints = [
            choices_constraint("state", CommunityLinkState, "link_move_state_valid"),
            models.UniqueConstraint(fields=["link", "number"], name="link_move_number_once"),
        ]


class VolunteeringMove(_Step):
    offer = models.ForeignKey(VolunteeringOffer, on_delete=models.CASCADE, related_name="moves")
    state = models.CharField(max_length=12, choices=VolunteeringState)

    class Meta(_Step.Meta):
        constraints = [
            choices_constraint("state", VolunteeringState, "volunteering_move_state_valid"),
            models.UniqueConstraint(fields=["offer", "number"], name="volunteering_move_number_once"),
        ]
