"""Forms of meetings."""

from datetime import datetime

from crispy_forms.layout import Fieldset
from django import forms

from pantry.models import FundingAgreement
from stockport_hubs.accounts.models import Organisation
from stockport_hubs.core.forms import DayField, Form, helper
from stockport_hubs.core.weeks import LONDON


class MeetingForm(Form):
    """When, where, about which agreement and period."""

    agreement: forms.ModelChoiceField = forms.ModelChoiceField(
        label="Which agreement is it about?", queryset=None, empty_label=None
    )
    on = DayField(label="Which day?")
    starts = forms.TimeField(label="When does it start?", help_text="For example, 14:00")
    lasts_minutes = forms.IntegerField(
        label="How many minutes does it last?", min_value=15, max_value=480, initial=90, required=False
    )
    where = forms.CharField(label="Where?", max_length=120, required=False)
    period_from = DayField(label="From")
    period_to = DayField(label="To")

    def __init__(self, *args, user, cancel: str, editing: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["agreement"].queryset = FundingAgreement.objects.for_user(user)
        if editing:
            del self.fields["agreement"]
        first = [name for name in ("agreement", "on", "starts", "lasts_minutes", "where") if name in self.fields]
        self.helper = helper(
            *first,
            Fieldset("What period do you look back on?", "period_from", "period_to"),
            submit="Save" if editing else "Plan the meeting",
            cancel=cancel,
        )

    def clean(self):
        cleaned = super().clean()
        first, last, on = (cleaned.get(name) for name in ("period_from", "period_to", "on"))
        if first and last and last < first:
            self.add_error("period_to", "The period must end on or after the day it begins")
        if first and on and first > on:
            self.add_error("period_from", "The period must begin before the meeting")
        return cleaned

    def clean_lasts_minutes(self) -> int:
        return self.cleaned_data["lasts_minutes"] or 90

    @property
    def starts_at(self) -> datetime:
        return datetime.combine(self.cleaned_data["on"], self.cleaned_data["starts"], LONDON)


class InviteForm(Form):
    """Someone of either organisation; typed, for not everyone who comes has an account."""

    name = forms.CharField(label="Name", max_length=120)
    organisation = forms.ChoiceField(label="Organisation", widget=forms.RadioSelect)

    def __init__(self, *args, meeting, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.both = {str(each.pk): each for each in (meeting.agreement.funder, meeting.agreement.operator)}
        self.fields["organisation"].choices = [(key, each.name) for key, each in self.both.items()]
        self.helper = helper("name", "organisation", submit="Put on the list", cancel=cancel)

    def clean_organisation(self) -> Organisation:
        return self.both[self.cleaned_data["organisation"]]


class RhythmForm(Form):
    """Every so many weeks, from a day on."""

    weeks = forms.IntegerField(
        label="Every how many weeks?", min_value=1, max_value=52, help_text="13 weeks are a quarter of a year."
    )
    from_on = DayField(label="From which day on?", help_text="The first meeting of the rhythm, or when it changes.")

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("weeks", "from_on", submit="Save", cancel=cancel)
