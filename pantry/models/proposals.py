"""What one person proposes and a second one agrees: money by hand, goodwill, days long past, the opening position."""

from django.db import models
from django.db.models import F, Q

from pantry.models.funding import FundingAgreement
from pantry.models.memberships import Membership
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint

COUNCIL = (Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER)


class ProposalKind(models.TextChoices):
    GOODWILL = "goodwill", "Goodwill weeks"
    CREDIT = "credit", "Weeks credited by hand"
    ENTRY = "entry", "Journal entry by hand"
    REVERSAL = "reversal", "Entry reversed"
    BACK_DATED = "back_dated", "A day more than 28 days ago"
    OPENING = "opening", "Opening position"


class ProposalState(models.TextChoices):
    WAITING = "waiting", "Waits for a second person"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
    TAKEN_BACK = "taken_back", "Taken back"


class ProposalQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "ProposalQuerySet":
        """Of one's own council's agreements, for its leaving care managers and finance officers."""
        if user.role in COUNCIL:
            return self.filter(agreement__funder_id=user.organisation_id)
        return self.none()

    def waiting(self) -> "ProposalQuerySet":
        return self.filter(state=ProposalState.WAITING)


class Proposal(UuidModel):
    """Nothing of it counts until a second person has approved it; the answer, once given, stands."""

    Kind = ProposalKind

    State = ProposalState

    kind = models.CharField(max_length=10, choices=ProposalKind)
    agreement = models.ForeignKey(FundingAgreement, on_delete=models.PROTECT, related_name="+")
    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, null=True, related_name="+")
    details = models.JSONField(help_text="What is to be done, as the service of its kind takes it.")
    note = models.CharField(max_length=200, help_text="Why; council staff read it.")
    # What it does, worked out when it was proposed and again when it was approved.
    pence = models.BigIntegerField(help_text="The money that moves.")
    facts = models.JSONField(help_text="Its consequence: pairs of what and how much.")
    state = models.CharField(max_length=10, choices=ProposalState, default=ProposalState.WAITING)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was refused.")

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering = ["-proposed_at", "id"]
        indexes = [models.Index(fields=["agreement", "state"], name="proposal_by_agreement")]
        constraints = [
            choices_constraint("kind", ProposalKind, "proposal_kind_valid"),
            choices_constraint("state", ProposalState, "proposal_state_valid"),
            models.CheckConstraint(
                condition=Q(state="waiting", answered_by__isnull=True, answered_at__isnull=True)
                | (~Q(state="waiting") & Q(answered_by__isnull=False, answered_at__isnull=False)),
                name="proposal_answered_by_someone",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["approved", "refused"]) | ~Q(answered_by=F("proposed_by")),
                name="proposal_two_people",
            ),
            models.CheckConstraint(
                condition=~Q(state="taken_back") | Q(answered_by=F("proposed_by")), name="proposal_taken_back_by_first"
            ),
            models.CheckConstraint(
                condition=(Q(state="refused") & ~Q(reason="")) | (~Q(state="refused") & Q(reason="")),
                name="proposal_refused_has_why",
            ),
        ]

    def __str__(self):
        return self.get_kind_display()
