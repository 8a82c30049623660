"""The journal: insert-only integer pence in double entry; each entry sums to zero; corrections are reversals.

Accounts (a plus is what the account holds more of):
- COUNCIL: the funder's own money, minus what it has paid over.
- ADVANCE: paid in advance to the agreement and not yet drawn (below zero: blocks bought before the payment came).
- JOINING, WEEKS: joining fees and weeks bought, per pantry.
- POOL: credit given back for weeks not used, spent on the next block for anyone.
- MEMBER: what members paid for weeks themselves.
- OPENING: the counterpart of an opening position.
"""

from django.db import models
from django.db.models import Q

from pantry.models.funding import FundingAgreement
from pantry.models.places import Pantry
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import AppendOnlyModel, AppendOnlyQuerySet, UuidModel, choices_constraint


class Account(models.TextChoices):
    COUNCIL = "council", "Council"
    ADVANCE = "advance", "Paid in advance"
    JOINING = "joining", "Joining fees"
    WEEKS = "weeks", "Weeks bought"
    POOL = "pool", "Credit"
    MEMBER = "member", "Paid by members"
    OPENING = "opening", "Opening position"


class EntryKind(models.TextChoices):
    PAYMENT = "payment", "Payment in advance"
    PURCHASE = "purchase", "Block bought"
    TOP_UP = "top_up", "Price rise topped up"
    CREDIT = "credit", "Credit"
    TRANSFER = "transfer", "Transfer on a move"
    REVERSAL = "reversal", "Reversal"
    OPENING = "opening", "Opening position"
    BY_HAND = "by_hand", "Entered by hand"


class JournalEntryQuerySet(AppendOnlyQuerySet):
    def for_user(self, user: User) -> "JournalEntryQuerySet":
        """The funder's managers and finance officers, and the operator's pantry managers."""
        if user.role in (Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER):
            return self.filter(agreement__funder_id=user.organisation_id)
        if user.role == Role.PANTRY_MANAGER:
            return self.filter(agreement__operator_id=user.organisation_id)
        return self.none()


class JournalEntry(UuidModel, AppendOnlyModel):
    """One event of money under an agreement."""

    kind = models.CharField(max_length=10, choices=EntryKind)
    agreement = models.ForeignKey(FundingAgreement, on_delete=models.PROTECT, related_name="+")
    effective_on = models.DateField()
    recorded_at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    job = models.CharField(max_length=60, blank=True)
    purchase_order = models.CharField(max_length=40, blank=True)
    invoice = models.CharField(max_length=40, blank=True)
    cost_code = models.CharField(max_length=40, blank=True)
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="+")

    objects = JournalEntryQuerySet.as_manager()

    class Meta:
        ordering = ["effective_on", "recorded_at"]
        verbose_name_plural = "journal entries"
        indexes = [models.Index(fields=["agreement", "effective_on"], name="journal_by_agreement")]
        constraints = [
            choices_constraint("kind", EntryKind, "journal_kind_valid"),
            models.CheckConstraint(
                condition=Q(by__isnull=False) ^ ~Q(job=""), name="journal_by_a_person_or_a_named_job"
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()} {self.effective_on:%d %b %Y}"


class JournalLine(AppendOnlyModel):
    """One leg of an entry; (source_type, source_id, leg) is unique, so nothing posts twice."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="lines")
    account = models.CharField(max_length=8, choices=Account)
    pantry = models.ForeignKey(Pantry, on_delete=models.PROTECT, null=True, related_name="+")
    pence = models.BigIntegerField()
    source_type = models.CharField(
        max_length=20, help_text="block, top_up, credit, payment, move, or by_hand: a proposal that two people agreed"
    )
    source_id = models.UUIDField()
    leg = models.CharField(max_length=20)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source_type", "source_id", "leg"], name="journal_line_once"),
            choices_constraint("account", Account, "journal_account_valid"),
            models.CheckConstraint(condition=~Q(pence=0), name="journal_line_not_zero"),
        ]
