"""Disagreements of the two organisations, on the protocol's ladder (13.2 to 13.4)."""

from django.db import models
from django.db.models import F, Q

from pantry.models import FundingAgreement, RenewalDecision
from reviews.models.barriers import Barrier
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint


class Rung(models.IntegerChoices):
    WORKERS = 1, "Between workers"
    TEAM_LEADERS = 2, "Team leaders and the fortnightly panel"
    HEADS = 3, "Heads of service"


# Who takes it up at each rung: roles, never the names of officers.
WHO = {
    Rung.WORKERS: {
        "advisor": "Personal advisor",
        "care_manager": "Leaving care manager",
        "pantry_manager": "Pantry manager",
        "housing_worker": "Housing worker",
    },
    Rung.TEAM_LEADERS: {
        "team_leader": "Leaving Care Team Leader",
        "options_leader": "Housing Options Team Leader",
        "panel": "16+ Accommodation Panel",
    },
    Rung.HEADS: {
        "head_housing": "Head of Homelessness and Rehousing",
        "head_care": "Head of Social Care and Commissioning",
    },
}


class DisagreementQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "DisagreementQuerySet":
        """Managers and advisors of the funder; pantry managers of the operator."""
        if user.role == Role.FINANCE_OFFICER:  # they see agreements for their money
            return self.none()
        return self.filter(agreement__in=FundingAgreement.objects.for_user(user))

    def unsettled(self) -> "DisagreementQuerySet":
        return self.filter(settled_on__isnull=True)


class Disagreement(UuidModel):
    """What the two organisations do not agree about, with both positions; on every agenda until it is settled."""

    agreement = models.ForeignKey(FundingAgreement, on_delete=models.PROTECT, related_name="+")
    about = models.CharField(max_length=200)
    barrier = models.ForeignKey(Barrier, on_delete=models.PROTECT, null=True, related_name="+")
    hold = models.ForeignKey(RenewalDecision, on_delete=models.PROTECT, null=True, related_name="+")
    council_position = models.TextField(blank=True)
    operator_position = models.TextField(blank=True)
    rung = models.PositiveSmallIntegerField(choices=Rung, default=Rung.WORKERS)
    opened_on = models.DateField()
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    settled_on = models.DateField(null=True)
    outcome = models.TextField(blank=True)

    objects = DisagreementQuerySet.as_manager()

    class Meta:
        ordering = [F("settled_on").desc(nulls_first=True), "opened_on", "id"]
        constraints = [
            choices_constraint("rung", Rung, "disagreement_rung_valid"),
            models.CheckConstraint(
                condition=Q(settled_on__isnull=True, outcome="") | (Q(settled_on__isnull=False) & ~Q(outcome="")),
                name="disagreement_settled_with_an_outcome",
            ),
            models.CheckConstraint(
                condition=Q(settled_on__isnull=True) | Q(settled_on__gte=F("opened_on")),
                name="disagreement_settled_after_it_began",
            ),
        ]

    def __str__(self):
        return self.about


class DisagreementStep(UuidModel):
    """It was taken up at a rung: when, by which roles, with what outcome; why a rung was left out, if one was."""

    disagreement = models.ForeignKey(Disagreement, on_delete=models.CASCADE, related_name="steps")
    rung = models.PositiveSmallIntegerField(choices=Rung)
    on = models.DateField()
    who = models.JSONField(help_text="Codes of WHO: roles, never names.")
    outcome = models.TextField()
    skipped_because = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at"]
        constraints = [
            choices_constraint("rung", Rung, "disagreement_step_rung_valid"),
            models.UniqueConstraint(fields=["disagreement", "rung"], name="disagreement_each_rung_once"),
        ]

    @property
    def who_labels(self) -> str:
        return ", ".join(WHO[Rung(self.rung)][code] for code in self.who)
