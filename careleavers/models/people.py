"""Who the council supports. The pantry side never reads these tables (rules.md, Privacy by structure)."""

from datetime import date
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Concat

from careleavers import questions
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.core.models import UuidModel, choices_constraint

if TYPE_CHECKING:
    from careleavers.models.cohort import CohortPlace


class Eligibility(models.TextChoices):
    """DfE categories (Annex A, List 9)."""

    ELIGIBLE = "eligible", "Eligible (16–17, looked after)"
    RELEVANT = "relevant", "Relevant (16–17, no longer looked after)"
    FORMER_RELEVANT = "former_relevant", "Former relevant (18–25)"
    QUALIFYING = "qualifying", "Qualifying (16–25)"


class InTouch(models.TextChoices):
    """SSDA903 codes."""

    YES = "YES", "Yes"
    NO = "NO", "No"
    DIED = "DIED", "Died"
    REFU = "REFU", "Refused contact"
    NREQ = "NREQ", "Services no longer required"
    RHOM = "RHOM", "Returned home"


ACCOMMODATION = {
    "B": "With parents or relatives",
    "C": "Community home or other residential care",
    "D": "Semi-independent, transitional (self-contained with support)",
    "E": "Supported lodgings",
    "G": "Gone abroad",
    "H": "Deported",
    "K": "Ordinary lodgings, without formal support",
    "R": "Residence not known",
    "S": "No fixed abode or homeless",
    "T": "Foyer or similar supported accommodation",
    "U": "Independent living",
    "V": "Emergency accommodation",
    "W": "Bed and breakfast",
    "X": "In custody",
    "Y": "Other accommodation",
    "Z": "With former foster carers",
    "0": "Not known",
}


LIVING = Q(died_on=None) & ~Q(in_touch=InTouch.DIED)


class CareLeaverQuerySet(models.QuerySet):
    def for_user(self, user: User, on: date | None = None) -> "CareLeaverQuerySet":
        """Advisors: own caseload and cover of today (or `on`); leaving care managers: all of their council; others
        nobody."""
        from stockport_hubs.core import clock

        if user.role == Role.LEAVING_CARE_MANAGER:
            return self.filter(council_id=user.organisation_id)
        if user.role == Role.PERSONAL_ADVISOR:
            return self.filter(council_id=user.organisation_id).with_advisor(user, on or clock.today())
        return self.none()

    def with_advisor(self, user: User, day: date) -> "CareLeaverQuerySet":
        """Allocated to this advisor on that day, or covered by them."""
        # One set of keys to begin with: for "one or the other" PostgreSQL reads every young person there is.
        allocated = AdvisorAllocation.objects.in_force_on(day).filter(advisor=user).values("care_leaver")
        covered = AdvisorCover.objects.in_force_on(day).filter(advisor=user).values("care_leaver")
        return self.filter(pk__in=allocated.union(covered))

    def to_allocate(self, day: date) -> "CareLeaverQuerySet":
        """Nobody is allocated on that day, or only someone whose account is deactivated."""
        allocated = AdvisorAllocation.objects.in_force_on(day).filter(
            care_leaver=OuterRef("pk"), advisor__deactivated_at__isnull=True
        )
        return self.living().filter(~Exists(allocated))

    def living(self) -> "CareLeaverQuerySet":
        """Everyone we have not been told has died, whether or not the day is known."""
        return self.filter(LIVING)

    def died(self) -> "CareLeaverQuerySet":
        """Few, with an index of their own: what hangs on the living is counted by leaving these out."""
        return self.filter(~LIVING)

    def waiting_for_name(self) -> "CareLeaverQuerySet":
        """Imported, and nobody has entered a preferred name yet."""
        return self.living().filter(preferred_name="")

    def wellbeing_due(self, day: date) -> "CareLeaverQuerySet":
        """Their questions are due on that day and not asked yet, as `questions.due` says; nobody is asked whose
        agreement to share does not hold."""
        from careleavers.models.sharing import SharingAgreement

        due = Q()
        for asked, since, until in questions.due_after(day):
            due |= Q(wellbeing_asked=asked, wellbeing_from__gt=since, wellbeing_from__lte=until)
        holding = SharingAgreement.objects.holding_on(day).order_by().values("care_leaver")
        return self.living().filter(due, pk__in=holding)

    def outside_cohort(self) -> "CareLeaverQuerySet":
        """Who has no place in the cohort."""
        return self.filter(is_in_cohort=False)

    def with_allocations(self, day: date) -> "CareLeaverQuerySet":
        """Each person's allocations of that day in `allocated`, with the advisor: one query more."""
        in_force = AdvisorAllocation.objects.in_force_on(day).select_related("advisor")
        return self.prefetch_related(models.Prefetch("allocations", queryset=in_force, to_attr="allocated"))

    def search(self, words: str) -> "CareLeaverQuerySet":
        """Every word must be in the preferred name or surname, or begin the reference; one or two letters must begin a
        word there: they are somewhere in nearly every name, and no index finds them (careleaver_by_words)."""
        found = self
        for word in words.split():
            fits = Q(reference__istartswith=word)
            for name in ("preferred_name", "surname"):
                if len(word) > 2:
                    fits |= Q(**{f"{name}__icontains": word})
                else:
                    fits |= Q(**{f"{name}__istartswith": word}) | Q(**{f"{name}__icontains": f" {word}"})
            found = found.filter(fits)
        # The order is one no index has: PostgreSQL would walk through the names until it had a page of what fits.
        return found.order_by(Concat("preferred_name", Value("")), "surname", "reference") if words else found


class CareLeaver(UuidModel):
    """A young person the leaving care team supports; `reference` is the Child Unique ID of the case system."""

    council = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=40)
    preferred_name = models.CharField(max_length=60, blank=True, help_text="Blank: imported, waiting for a name.")
    surname = models.CharField(max_length=60, blank=True)
    born_on = models.DateField()
    team = models.CharField(max_length=80, blank=True)
    eligibility = models.CharField(max_length=20, choices=Eligibility)
    in_touch = models.CharField(max_length=4, choices=InTouch, blank=True)
    accommodation = models.CharField(max_length=1, blank=True, help_text="SSDA903 letter, or 0 for not known.")
    accommodation_suitable = models.BooleanField(null=True)
    pathway_plan_review_on = models.DateField(null=True, blank=True)
    address = models.CharField(max_length=200, blank=True)
    postcode = models.CharField(max_length=8, blank=True)
    is_safe_address = models.BooleanField(default=False, help_text="Address kept from all outputs.")
    phone = models.CharField(max_length=30, blank=True)
    email = models.EmailField(blank=True)
    imported_advisor = models.CharField(max_length=120, blank=True, help_text="The advisor named in the import file.")
    died_on = models.DateField(null=True, blank=True)
    is_in_cohort = models.BooleanField(default=False, help_text="Has a place; written with it (services/cohort.py).")
    # What was asked, and from when the rest is counted: written with answers and agreements (services/wellbeing.py).
    wellbeing_asked = models.CharField(max_length=40, blank=True, help_text="Points in order, a space between.")
    wellbeing_from = models.DateField(null=True, blank=True, help_text="Start asked, or else first agreement.")
    created_at = models.DateTimeField()

    objects = CareLeaverQuerySet.as_manager()
    allocated: list["AdvisorAllocation"]  # of one day; set by with_allocations()

    class Meta:
        ordering = ["preferred_name", "surname", "reference"]
        indexes = [
            models.Index(fields=["council", "preferred_name", "surname", "reference"], name="careleaver_by_full_name"),
            # To count what hangs on people, and on the living, without reading them.
            models.Index(fields=["council", "id"], name="careleaver_by_council"),
            models.Index(fields=["council", "id"], condition=LIVING, name="careleaver_living_by_council"),
            models.Index(fields=["id"], condition=~LIVING, name="careleaver_died"),
            models.Index(fields=["council"], condition=Q(is_in_cohort=False), name="careleaver_outside_cohort"),
            models.Index(fields=["wellbeing_asked", "wellbeing_from"], name="careleaver_by_wellbeing"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["council", "reference"], name="careleaver_reference_once"),
            models.CheckConstraint(
                condition=Q(wellbeing_asked__in=questions.ASKED), name="careleaver_wellbeing_asked_valid"
            ),
            choices_constraint("eligibility", Eligibility, "careleaver_eligibility_valid"),
            models.CheckConstraint(condition=Q(in_touch__in=["", *InTouch.values]), name="careleaver_in_touch_valid"),
            models.CheckConstraint(
                condition=Q(accommodation__in=["", *ACCOMMODATION]), name="careleaver_accommodation_valid"
            ),
            models.CheckConstraint(
                condition=Q(died_on__isnull=True) | Q(died_on__gte=F("born_on")), name="careleaver_died_after_birth"
            ),
        ]

    def __str__(self):
        return self.full_name

    @property
    def full_name(self) -> str:
        """Preferred name and surname; someone imported without a name is shown by reference."""
        return f"{self.preferred_name} {self.surname}".strip() or f"Waiting for a name ({self.reference})"

    @property
    def has_died(self) -> bool:
        """Stops every contact, letter and payment; the day may not be known."""
        return self.died_on is not None or self.in_touch == InTouch.DIED

    @property
    def place(self) -> "CohortPlace | None":
        """The place in the cohort, if there is one; lists select `cohort_place` with the person."""
        return getattr(self, "cohort_place", None)

    @property
    def is_waiting_for_name(self) -> bool:
        return not self.preferred_name and not self.has_died

    def get_accommodation_display(self) -> str:
        return ACCOMMODATION.get(self.accommodation, "Not recorded")


class DatedQuerySet(models.QuerySet):
    def in_force_on(self, day: date) -> "DatedQuerySet":
        """Rows whose dates hold the day (`until_on` is the last day)."""
        return self.filter(Q(until_on__isnull=True) | Q(until_on__gte=day), from_on__lte=day)


class AdvisorCoverQuerySet(DatedQuerySet):
    def for_user(self, user: User) -> "AdvisorCoverQuerySet":
        """Cover of the young people this user may see."""
        return self.filter(care_leaver__in=CareLeaver.objects.for_user(user))


class AdvisorAllocation(UuidModel):
    """The personal advisor of a young person, dated; a transfer closes one row and opens the next."""

    care_leaver = models.ForeignKey(CareLeaver, on_delete=models.CASCADE, related_name="allocations")
    advisor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    from_on = models.DateField()
    until_on = models.DateField(null=True)
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    move = models.ForeignKey(
        "careleavers.CaseloadMove", on_delete=models.PROTECT, null=True, related_name="allocations"
    )

    objects = DatedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["advisor", "until_on"], name="allocation_by_advisor")]
        constraints = [
            models.UniqueConstraint(
                fields=["care_leaver"], condition=Q(until_on__isnull=True), name="allocation_one_open"
            ),
            # A transfer on the day of the allocation leaves a row that never held a day.
            models.CheckConstraint(
                condition=Q(until_on__isnull=True) | Q(until_on__gte=F("from_on")), name="allocation_dates_in_order"
            ),
        ]


class AdvisorCover(UuidModel):
    """A colleague covers a young person for a while; given by a manager."""

    care_leaver = models.ForeignKey(CareLeaver, on_delete=models.CASCADE, related_name="covers")
    advisor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    from_on = models.DateField()
    until_on = models.DateField()
    given_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    move = models.ForeignKey("careleavers.CaseloadMove", on_delete=models.PROTECT, null=True, related_name="covers")

    objects = AdvisorCoverQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(until_on__gte=F("from_on")), name="cover_dates_in_order"),
        ]


class DeathCorrection(UuidModel):
    """A death recorded by mistake and taken back by a manager, with the reason."""

    care_leaver = models.ForeignKey(CareLeaver, on_delete=models.CASCADE, related_name="death_corrections")
    died_on = models.DateField(null=True, help_text="The day that had been recorded, if any.")
    because = models.CharField(max_length=300)
    corrected_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    corrected_at = models.DateTimeField()
