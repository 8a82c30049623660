"""Introductions: the only tie between a young person and a membership."""

from datetime import date

from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery

from careleavers.models import CareLeaver, SharingAgreement
from pantry.models import Collection, FundingAgreement, Membership, Pantry
from referrals import rules
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint


class ReferralQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "ReferralQuerySet":
        """Council: introductions of the people they may see. Pantry managers: those sent to their organisation
        (templates and `facts_for_pantry` decide what of them they see)."""
        if user.role in (Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER):
            return self.filter(care_leaver__in=CareLeaver.objects.for_user(user))
        if user.role == Role.PANTRY_MANAGER:
            sent = self.filter(pantry__operator_id=user.organisation_id, sent_at__isnull=False)
            # Someone who has died is on no list again.
            return sent.filter(~Exists(CareLeaver.objects.filter(pk=OuterRef("care_leaver")).died()))
        return self.none()

    def under_way(self) -> "ReferralQuerySet":
        """Drafts and everything sent that has no outcome yet; at most one a person."""
        return self.filter(state__in=rules.UNDER_WAY)

    def to_answer(self) -> "ReferralQuerySet":
        """Sent, and the pantry's answer is still out (with questions asked and waiting lists)."""
        return self.filter(state__in=rules.TO_ANSWER)

    def not_taken_up(self, on: date, first_by: date | None = None) -> "ReferralQuerySet":
        """Accepted, nobody came in the four weeks from the first week, and no outcome is recorded that holds.

        `first_by` is that day four weeks back, for queries that are kept."""
        from referrals.models.following import FollowUp

        came = Collection.objects.counted().filter(membership=OuterRef("membership"))
        latest = FollowUp.objects.filter(referral=OuterRef("pk")).order_by("-at")
        return (
            self.filter(
                state=rules.ACCEPTED,
                membership__state=Membership.State.OPEN,
                membership__first_week__lte=first_by or on - rules.NOT_TAKEN_UP,
            )
            .annotate(
                said=Subquery(latest.values("outcome")[:1]), again_on=Subquery(latest.values("look_again_on")[:1])
            )
            .filter(~Exists(came), Q(said=None) | Q(said=FollowUp.Outcome.WILL_COME, again_on__lte=on))
        )

    def search(self, words: str, *, by_name: bool) -> "ReferralQuerySet":
        """By reference (I-00012 or 12); for the council also by the young person's name or reference."""
        words = words.strip()
        digits = words.upper().removeprefix("I").lstrip("-")
        is_number = digits.isascii() and digits.isdigit() and len(digits) < 9
        found = Q(number=int(digits)) if is_number else Q()
        if by_name:
            found |= Q(care_leaver__in=CareLeaver.objects.search(words))
        return self.filter(found) if found else self.none()

    def running_membership_of(self, care_leaver: CareLeaver) -> Membership | None:
        """The membership this person has now, if any."""
        held = self.filter(care_leaver=care_leaver, membership__isnull=False).values("membership")
        return Membership.objects.filter(pk__in=held).exclude(state=Membership.State.ENDED).first()


class ReferralState(models.TextChoices):
    DRAFT = "draft", "Draft"
    SENT = "sent", "Sent"
    MORE_ASKED = "more_asked", "More asked"
    WAITING = "waiting", "Waiting list"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ReferralDeclineReason(models.TextChoices):
    FULL = "full", "The pantry is full"
    OUT_OF_AREA = "out_of_area", "Outside the area"
    ALREADY_MEMBER = "already_member", "Already a member here"
    CANNOT_MEET_NEEDS = "cannot_meet_needs", "We cannot meet the needs"
    OTHER = "other", "Another reason"


class ReferralWaitingReason(models.TextChoices):
    FULL = "full", "The pantry is full"
    VOLUNTEERS = "volunteers", "Not enough volunteers for more members"
    NEEDS = "needs", "The pantry arranges what they need"
    OTHER = "other", "Another reason, in the note"


class Referral(UuidModel):
    """An introduction plus the instruction to fund a place."""

    State = ReferralState

    DeclineReason = ReferralDeclineReason

    WaitingReason = ReferralWaitingReason

    number = models.PositiveIntegerField(unique=True, help_text="Shown as I-00001: a reference both sides can say.")
    care_leaver = models.ForeignKey(CareLeaver, on_delete=models.PROTECT, related_name="+")
    sharing = models.ForeignKey(SharingAgreement, on_delete=models.PROTECT, null=True, related_name="+")
    agreement = models.ForeignKey(FundingAgreement, on_delete=models.PROTECT, null=True, related_name="+")
    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, null=True, related_name="+")
    first_week = models.DateField(null=True, blank=True, help_text="A Monday up to 8 weeks ahead; empty: the first.")
    pantry_needs_to_know = models.CharField(max_length=300, blank=True)
    why = models.TextField(blank=True, help_text="For the council only.")
    other_pantry_reason = models.CharField(max_length=200, blank=True)
    goes_along = models.CharField(max_length=120, blank=True, help_text="Who goes along the first time.")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    decline_reason = models.CharField(max_length=20, choices=DeclineReason, blank=True)
    waiting_reason = models.CharField(max_length=10, choices=WaitingReason, blank=True, help_text="Both sides read it.")
    outcome_note = models.CharField(max_length=200, blank=True)
    membership = models.OneToOneField(Membership, on_delete=models.PROTECT, null=True, related_name="+")

    objects = ReferralQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at"]
        indexes = [models.Index(fields=["pantry", "state"], name="referral_by_pantry")]
        constraints = [
            choices_constraint("state", ReferralState, "referral_state_valid"),
            models.CheckConstraint(
                condition=Q(decline_reason="")
                | Q(decline_reason__in=["full", "out_of_area", "already_member", "cannot_meet_needs", "other"]),
                name="referral_decline_reason_valid",
            ),
            models.CheckConstraint(
                condition=Q(waiting_reason__in=["", "full", "volunteers", "needs", "other"]),
                name="referral_waiting_reason_valid",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "withdrawn"])
                | Q(sharing__isnull=False, agreement__isnull=False, pantry__isnull=False, sent_at__isnull=False),
                name="referral_sent_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(state="accepted", membership__isnull=False)
                | (~Q(state="accepted") & Q(membership__isnull=True)),
                name="referral_accepted_has_a_membership",
            ),
            models.CheckConstraint(
                condition=Q(first_week__isnull=True) | Q(first_week__week_day=2), name="referral_first_week_a_monday"
            ),
            models.UniqueConstraint(
                fields=["care_leaver"],
                condition=Q(state__in=["draft", "sent", "more_asked", "waiting"]),
                name="referral_one_under_way",
            ),
        ]

    def __str__(self):
        return self.reference

    @property
    def reference(self) -> str:
        return f"I-{self.number:05d}"

    @property
    def goes_to(self) -> Pantry:
        """The pantry of an introduction that was sent: a constraint says there is one."""
        assert self.pantry is not None
        return self.pantry

    @property
    def is_under_way(self) -> bool:
        return self.state in rules.UNDER_WAY


class ReferralMove(UuidModel):
    """One step of an introduction, with who and when; the note is read by both sides."""

    referral = models.ForeignKey(Referral, on_delete=models.CASCADE, related_name="moves")
    state = models.CharField(max_length=10, choices=Referral.State)
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["at"]
        constraints = [choices_constraint("state", Referral.State, "referral_move_state_valid")]
