"""What is said in a hall between a volunteer and a member: told about something, would like to help, somebody worries.

Rows of memberships, alike for every member of the operator; none of them says who is behind a membership. What follows
for a young person is a row of the council's own (CommunityLink, VolunteeringOffer), made in the same transaction.
"""

from django.db import models
from django.db.models import Q

from careleavers.models import CareLeaver
from pantry.models import Closure, Membership, Pantry, PantrySession
from pantry.models.collections import today_for_volunteers
from referrals.models.community import CommunityLink, DirectoryEntry, VolunteeringMove, _Step
from referrals.models.introductions import Referral
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint


class InTheHall(models.QuerySet):
    def for_user(self, user: User) -> "InTheHall":
        """As the sessions they were said in: volunteers today's of their pantries, pantry managers all of theirs."""
        return today_for_volunteers(self, user)


class Told(UuidModel):
    """A member was told about an entry of the directory in a session."""

    key = models.UUIDField(unique=True, help_text="The device's or form's key: the same key is the same telling.")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="+")
    entry = models.ForeignKey(DirectoryEntry, on_delete=models.PROTECT, related_name="+")
    session = models.ForeignKey(PantrySession, on_delete=models.PROTECT, related_name="+")
    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, related_name="+")
    on = models.DateField(help_text="The session's day.")
    told_at = models.DateTimeField()
    told_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    taken_back_at = models.DateTimeField(null=True)
    taken_back_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    link = models.ForeignKey(
        CommunityLink, on_delete=models.SET_NULL, null=True, related_name="+", help_text="For the council only."
    )

    objects = InTheHall.as_manager()

    class Meta:
        ordering = ["told_at"]
        indexes = [models.Index(fields=["pantry", "on"], name="told_by_pantry")]
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "entry", "session"], condition=Q(taken_back_at__isnull=True), name="told_once"
            ),
            models.CheckConstraint(
                condition=Q(taken_back_at__isnull=True, taken_back_by__isnull=True)
                | Q(taken_back_at__isnull=False, taken_back_by__isnull=False),
                name="told_taken_back_by_someone",
            ),
        ]


class HelpState(models.TextChoices):
    WISHED = "wished", "Would like to help"
    INDUCTION = "induction", "Induction"
    VOLUNTEERING = "volunteering", "Volunteering"
    NOT_NOW = "not_now", "Not now"
    STOPPED = "stopped", "Stopped"
    TAKEN_BACK = "taken_back", "Taken back"


class HelperQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "HelperQuerySet":
        """Volunteers: members of their operator, for the page of one member; pantry managers: their organisation's."""
        if user.role in (Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER):
            return self.filter(membership__operator_id=user.organisation_id)
        return self.none()

    def waiting(self) -> "HelperQuerySet":
        """Said so, and nobody has taken it further; not of memberships that have ended."""
        return self.filter(state=HelpState.WISHED).exclude(membership__state=Membership.State.ENDED)


class Helper(UuidModel):
    """A member who said they would like to help at the pantry: one row a membership, so everyone is counted once."""

    State = HelpState

    membership = models.OneToOneField(Membership, on_delete=models.PROTECT, related_name="+")
    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, related_name="+", help_text="Where they said so.")
    state = models.CharField(max_length=12, choices=HelpState)
    state_on = models.DateField(help_text="Since when.")

    objects = HelperQuerySet.as_manager()

    class Meta:
        ordering = ["-state_on"]
        indexes = [models.Index(fields=["-state_on", "id"], name="helper_by_day")]
        constraints = [choices_constraint("state", HelpState, "helper_state_valid")]


class HelperMove(_Step):
    helper = models.ForeignKey(Helper, on_delete=models.CASCADE, related_name="moves")
    key = models.UUIDField(unique=True, null=True, help_text="The device's or form's key of a wish.")
    state = models.CharField(max_length=12, choices=HelpState)
    carried = models.ForeignKey(
        VolunteeringMove, on_delete=models.SET_NULL, null=True, related_name="+", help_text="For the council only."
    )

    class Meta(_Step.Meta):
        constraints = [
            choices_constraint("state", HelpState, "helper_move_state_valid"),
            models.UniqueConstraint(fields=["helper", "number"], name="helper_move_number_once"),
        ]


class WorryQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "WorryQuerySet":
        """Whoever works at the pantries as in the hall; the council those about its young people's memberships."""
        if user.is_council:
            mine = Referral.objects.filter(care_leaver__in=CareLeaver.objects.for_user(user).order_by())
            return self.filter(membership__in=mine.filter(membership__isnull=False).order_by().values("membership"))
        return today_for_volunteers(self, user)

    def unanswered(self) -> "WorryQuerySet":
        return self.filter(answered_at__isnull=True)


class Worry(UuidModel):
    """Somebody in a hall is worried and asks to be rung; no words are kept, and whom it is about may stay open."""

    key = models.UUIDField(unique=True, help_text="The device's or form's key: the same key is the same worry.")
    session = models.ForeignKey(PantrySession, on_delete=models.PROTECT, related_name="+")
    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, related_name="+")
    on = models.DateField(help_text="The session's day.")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    asks_to_be_rung = models.BooleanField(default=True)
    raised_at = models.DateTimeField()
    raised_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    objects = WorryQuerySet.as_manager()

    class Meta:
        ordering = ["raised_at"]
        indexes = [
            models.Index(fields=["pantry"], condition=Q(answered_at__isnull=True), name="worry_unanswered"),
            models.Index(fields=["-raised_at", "id"], name="worry_by_moment"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True, answered_by__isnull=True)
                | Q(answered_at__isnull=False, answered_by__isnull=False),
                name="worry_answered_by_someone",
            ),
        ]


class ClosureNews(models.TextChoices):
    ANNOUNCED = "announced", "Announced"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ClosureNotice(UuidModel):
    """The advisors of a pantry's members have been told of a closure, or that it is withdrawn: each once."""

    closure = models.ForeignKey(Closure, on_delete=models.CASCADE, related_name="+")
    news = models.CharField(max_length=9, choices=ClosureNews)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            choices_constraint("news", ClosureNews, "closure_news_valid"),
            models.UniqueConstraint(fields=["closure", "news"], name="closure_notice_once"),
        ]
