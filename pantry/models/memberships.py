"""Members of an operator's pantries: rows, numbers and cards are alike whoever pays."""

from datetime import date

from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from pantry.models.funding import FundingAgreement
from pantry.models.places import Pantry
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint


class MembershipQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "MembershipQuerySet":
        """Pantry managers: their organisation's; volunteers: members with a place at their own pantries today;
        leaving care managers and finance officers: those their council's agreements pay or paid for."""
        from stockport_hubs.core import clock

        if user.role == Role.PANTRY_MANAGER:
            return self.filter(operator_id=user.organisation_id)
        if user.role == Role.PANTRY_VOLUNTEER:
            return self.filter(operator_id=user.organisation_id).at_pantries(
                Pantry.objects.for_user(user), clock.today()
            )
        if user.role in (Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER):
            return self.filter(agreement__funder_id=user.organisation_id)
        return self.none()

    def at_pantries(self, pantries, day: date) -> "MembershipQuerySet":
        """A place at one of the pantries that holds the day or is still to begin."""
        places = Place.objects.filter(Q(to_week__isnull=True) | Q(to_week__gte=day), membership=OuterRef("pk"))
        return self.filter(Exists(places.filter(pantry__in=pantries)))

    def open(self) -> "MembershipQuerySet":
        return self.filter(state=Membership.State.OPEN)

    def due_on(self, day: date) -> "MembershipQuerySet":
        """Whose next renewal is to be decided on or before that day, oldest first, then by number."""
        return self.filter(next_due_on__lte=day).order_by("next_due_on", "number", "id")

    def search(self, words: str) -> "MembershipQuerySet":
        """By number, or by the beginning of any word of a preferred name that is shared."""
        found = self
        for word in words.split():
            by_name = Q(preferred_name__istartswith=word) | Q(preferred_name__icontains=f" {word}")
            found = found.filter(by_name | (Q(number=int(word)) if word.isdecimal() and len(word) < 9 else Q(pk=None)))
        return found


class MembershipState(models.TextChoices):
    PENDING = "pending", "Waiting to be confirmed"
    OPEN = "open", "Open"
    PAUSED = "paused", "Paused"
    ENDED = "ended", "Ended"


class MembershipEndReason(models.TextChoices):
    LEFT = "left", "Left"
    MOVED_AWAY = "moved_away", "Moved away"
    LAPSED = "lapsed", "Lapsed by the pantry's rule"
    FUNDING_ENDED = "funding_ended", "Funding ended"
    DIED = "died", "Died"


def called(preferred_name: str) -> str:
    """The shared name, or "Number only"."""
    return preferred_name or "Number only"


class Membership(UuidModel):
    """A member: number, what they chose to be called, needs they shared. No surname, no birth date, no address."""

    State = MembershipState

    EndReason = MembershipEndReason

    operator = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    preferred_name = models.CharField(max_length=60, blank=True, help_text="Blank: number only.")
    state = models.CharField(max_length=8, choices=State)
    joined_on = models.DateField()
    first_week = models.DateField(help_text="The Monday of the first week.")
    ended_on = models.DateField(null=True)
    end_reason = models.CharField(max_length=14, choices=EndReason, blank=True)
    previous = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    # Who pays; empty: the member pays at the counter. Volunteers' pages never read it.
    agreement = models.ForeignKey(FundingAgreement, on_delete=models.PROTECT, null=True, related_name="+")
    # The neutral facts the pantry must know, kept up by the services of `referrals`.
    funded_until = models.DateField(null=True, help_text="A block that runs past this day is not renewed by itself.")
    stop_renewal = models.BooleanField(default=False, help_text="Flagged by hand: hold the next renewal.")
    self_pay_from = models.DateField(null=True, help_text="The Monday from which the member pays each week.")
    # Follows from the last paid week, the pantry's open weeks and the decisions made; kept right by whatever moves one
    # of them and proved by check_journal. It makes "due" an index look-up; the sweep works the date out again.
    next_due_on = models.DateField(null=True, help_text="When the next renewal is to be decided; empty: nothing is.")
    created_at = models.DateTimeField()

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        indexes = [
            models.Index(fields=["operator", "preferred_name", "number"], name="membership_by_name"),
            models.Index(fields=["number"], name="membership_by_number"),
            models.Index(fields=["agreement", "state"], name="membership_by_agreement"),
            models.Index(
                fields=["next_due_on", "number"], condition=Q(next_due_on__isnull=False), name="membership_by_due_day"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["operator", "number"], name="membership_number_once"),
            choices_constraint("state", MembershipState, "membership_state_valid"),
            models.CheckConstraint(
                condition=Q(end_reason__in=["", *MembershipEndReason.values]), name="membership_end_reason_valid"
            ),
            models.CheckConstraint(
                condition=Q(state="ended", ended_on__isnull=False) | (~Q(state="ended") & Q(ended_on__isnull=True)),
                name="membership_ended_has_a_day",
            ),
            models.CheckConstraint(condition=Q(first_week__week_day=2), name="membership_first_week_a_monday"),
            models.UniqueConstraint(
                fields=["previous"],
                condition=Q(state__in=["pending", "open", "paused"]),
                name="membership_one_open_successor",
            ),
        ]

    def __str__(self):
        return f"Member {self.number}"

    @property
    def called(self) -> str:
        return called(self.preferred_name)


class MembershipMove(UuidModel):
    """One change of state, with who and when; pauses carry no reason here (it would tell)."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="moves")
    state = models.CharField(max_length=8, choices=Membership.State)
    on = models.DateField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        ordering = ["on", "recorded_at"]
        # Most members have never been anything but open: who has is found without reading the others' moves.
        indexes = [models.Index(fields=["membership", "on"], condition=~Q(state="open"), name="move_but_open")]
        constraints = [choices_constraint("state", Membership.State, "membership_move_state_valid")]


class Place(UuidModel):
    """Which pantry a member belongs to, in weeks; a move closes one place and opens the next."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="places")
    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, related_name="+")
    from_week = models.DateField(help_text="A Monday.")
    to_week = models.DateField(null=True, help_text="The Sunday of the last week.")

    class Meta:
        ordering = ["from_week"]
        indexes = [models.Index(fields=["pantry", "to_week"], name="place_by_pantry")]
        constraints = [
            models.UniqueConstraint(fields=["membership"], condition=Q(to_week__isnull=True), name="place_one_open"),
            models.CheckConstraint(condition=Q(from_week__week_day=2), name="place_from_a_monday"),
            models.CheckConstraint(
                condition=Q(to_week__isnull=True) | Q(to_week__gt=F("from_week")), name="place_weeks_in_order"
            ),
        ]


class SharedNeed(UuidModel):
    """A need the member shared with the pantry, in the words of `core.needs`."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="needs")
    kind = models.CharField(max_length=12)
    value = models.CharField(max_length=60, blank=True)

    class Meta:
        ordering = ["kind", "value"]
        constraints = [
            models.UniqueConstraint(fields=["membership", "kind", "value"], name="shared_need_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["allergen", "diet", "language", "no_cooking"]), name="shared_need_kind_valid"
            ),
        ]
