"""What the figures page is asked: a period, a part, a day, and what was known when. The address holds all of it."""

from datetime import date
from urllib.parse import urlencode

from crispy_forms.layout import HTML
from django import forms

from careleavers.services import allocations
from pantry.models import FundingAgreement, Pantry
from reviews.cohort import end_of
from reviews.entered import Known
from reviews.parts import Asked
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core import clock
from stockport_hubs.core.forms import DAY_PARTS, DayField, Form, helper
from stockport_hubs.core.short_choices import ShortChoiceField

LONGEST = 3 * 366  # days
COHORT = [("", "Everyone"), ("in", "In the cohort"), ("out", "Not in the cohort")]


class AdvisorField(ShortChoiceField):
    def label_from_instance(self, obj: User) -> str:  # type: ignore[override]
        return obj.name


class FiguresForm(Form):
    """Sent by GET so that the address can be kept. Advisor and cohort are the Leaving Care Team's alone: they are facts
    about care leavers, and Stockport Homes' form has no such fields."""

    mark_optional = False

    agreement: forms.ModelChoiceField = forms.ModelChoiceField(label="Agreement", queryset=None, empty_label=None)
    period_from = DayField(label="From")
    period_to = DayField(label="To")
    as_at = DayField(
        label="As at",
        required=False,
        help_text="The day on which members stand as they do, and up to which weeks and money count. Empty: the last "
        "day of the period, or today.",
    )
    known_on = DayField(
        label="As known on",
        required=False,
        help_text="Shows apart what has been entered after that day and had happened by it. Empty: leave it out.",
    )
    pantry = ShortChoiceField(label="Pantry", empty_label="All pantries")
    advisor = AdvisorField(label="Personal advisor", empty_label="All personal advisors")
    cohort = forms.ChoiceField(label="Cohort", choices=COHORT, required=False)

    def __init__(self, *args, user: User, **kwargs):
        super().__init__(*args, **kwargs)
        agreements = FundingAgreement.objects.for_user(user).select_related("funder", "operator")
        self.fields["agreement"].queryset = agreements
        ours = user.role == Role.LEAVING_CARE_MANAGER
        pantries = Pantry.objects.for_user(user).filter(operator__in=agreements.order_by().values("operator"))
        self._offer("pantry", pantries.order_by("name"), "Only the first pantries are listed.")
        if ours:
            more = "Only the first are listed; the table by personal advisor leads to each of them."
            self._offer("advisor", allocations.advisors_ever(user), more)
        else:
            del self.fields["advisor"], self.fields["cohort"]
        asked = [name for name in ("pantry", "advisor", "cohort") if name in self.fields]
        self.helper = helper(
            *("agreement", "period_from", "period_to"),
            HTML('<h2 class="govuk-heading-s">A part of it</h2>'),
            *asked,
            HTML('<h2 class="govuk-heading-s">On another day</h2>'),
            *("as_at", "known_on"),
            submit="Show the figures",
        )
        self.helper.form_method = "get"
        self.helper.disable_csrf = True

    def _offer(self, name: str, queryset, more: str) -> None:
        chosen = self.data.get(name) if self.is_bound else None
        self.fields[name].offer(queryset, chosen=chosen, more=more)

    def clean(self):
        cleaned = super().clean()
        first, last = cleaned.get("period_from"), cleaned.get("period_to")
        if first and last and last < first:
            self.add_error("period_to", "The period must end on or after the day it begins")
        elif first and last and (last - first).days > LONGEST:
            self.add_error("period_to", "The period can be three years at most")
        today = clock.today()
        for name, said in (("as_at", "The day of the figures"), ("known_on", "The day as known on")):
            day = cleaned.get(name)
            if day and day > today:
                self.add_error(name, f"{said} must be today or earlier")
        if cleaned.get("as_at") and first and cleaned["as_at"] < first:
            self.add_error("as_at", "The day of the figures must not be before the period begins")
        agreement, pantry = cleaned.get("agreement"), cleaned.get("pantry")
        if agreement and pantry and pantry.operator_id != agreement.operator_id:
            self.add_error("pantry", f"{agreement.name} pays for no place at {pantry.name}")
        return cleaned

    @property
    def asked(self) -> Asked:
        given = self.cleaned_data
        return Asked(pantry=given.get("pantry"), advisor=given.get("advisor"), cohort=given.get("cohort", ""))

    def known(self, as_at: date) -> Known | None:
        """What was known at the end of a day, as at it or an earlier day of the figures."""
        day = self.cleaned_data.get("known_on")
        return Known(end_of(day), min(day, as_at), self.cleaned_data["period_from"]) if day else None

    @property
    def query(self) -> str:
        """The address's words for what was asked."""
        return address(**{name: value for name, value in self.cleaned_data.items() if value})


def address(**asked) -> str:
    """Days in three parts, rows by their key."""
    words: dict[str, object] = {}
    for name, value in asked.items():
        if isinstance(value, date):
            words |= {f"{name}_{part}": getattr(value, part) for part in DAY_PARTS}
        else:
            words[name] = getattr(value, "pk", value)
    return urlencode(words)


class FigureForm(forms.Form):
    """What one number on the page leads to, beside what the page was asked."""

    week = forms.DateField(required=False)
    reason = forms.SlugField(required=False)
    category = forms.SlugField(required=False)
