"""What young people say about how they are: at the start, after 3 and after 6 months."""

from django.db import models
from django.db.models import Q

from careleavers.models.people import CareLeaver
from careleavers.questions import POINTS, QUESTIONS, choices
from stockport_hubs.accounts.models import User
from stockport_hubs.core.models import UuidModel, choices_constraint


class WellbeingPoint(models.TextChoices):
    START = "start", POINTS["start"].name
    THREE_MONTHS = "three_months", POINTS["three_months"].name
    SIX_MONTHS = "six_months", POINTS["six_months"].name


class WellbeingHow(models.TextChoices):
    IN_PERSON = "in_person", "In person"
    BY_PHONE = "by_phone", "By phone"
    ON_PAPER = "on_paper", "On paper"


class WellbeingQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "WellbeingQuerySet":
        """Answers of the young people this user may see: council roles only."""
        return self.filter(care_leaver__in=CareLeaver.objects.for_user(user))

    def current(self) -> "WellbeingQuerySet":
        """Without those that were corrected or taken back."""
        return self.filter(replaced_at__isnull=True)


def _answer(key: str) -> models.CharField:
    return models.CharField(max_length=12, choices=list(choices(key).items()))


class Wellbeing(UuidModel):
    """One young person's answers of one point. A correction is a new row; the earlier says why it does not count."""

    Point = WellbeingPoint
    How = WellbeingHow

    care_leaver = models.ForeignKey(CareLeaver, on_delete=models.CASCADE, related_name="wellbeing")
    point = models.CharField(max_length=12, choices=Point)
    asked_on = models.DateField(help_text="The day the questions were asked, or answered on paper.")
    how = models.CharField(max_length=9, choices=How)
    home = _answer("home")
    neighbourhood = _answer("neighbourhood")
    people = _answer("people")
    money = _answer("money")
    loneliness = _answer("loneliness")
    belonging = _answer("belonging")
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()
    replaced_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    replaced_at = models.DateTimeField(null=True, help_text="When it was corrected or taken back.")
    because = models.CharField(max_length=200, blank=True)

    objects = WellbeingQuerySet.as_manager()

    class Meta:
        ordering = ["asked_on", "recorded_at"]
        indexes = [
            models.Index(fields=["point", "asked_on"], condition=Q(replaced_at__isnull=True), name="wellbeing_by_day")
        ]
        constraints = [
            choices_constraint("point", WellbeingPoint, "wellbeing_point_valid"),
            choices_constraint("how", WellbeingHow, "wellbeing_how_valid"),
            *(
                models.CheckConstraint(condition=Q(**{f"{key}__in": list(choices(key))}), name=f"wellbeing_{key}_valid")
                for key in QUESTIONS
            ),
            models.UniqueConstraint(
                fields=["care_leaver", "point"], condition=Q(replaced_at__isnull=True), name="wellbeing_once_a_point"
            ),
            models.CheckConstraint(
                condition=Q(replaced_at__isnull=True, because="") | (Q(replaced_at__isnull=False) & ~Q(because="")),
                name="wellbeing_replaced_says_why",
            ),
        ]

    @property
    def answers(self) -> dict[str, str]:
        """Answers by question."""
        return {key: getattr(self, key) for key in QUESTIONS}
