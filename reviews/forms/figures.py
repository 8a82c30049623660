"""The period of the figures page."""

from django import forms

from pantry.models import FundingAgreement
from stockport_hubs.core.forms import DayField, Form, helper


class PeriodForm(Form):
    """Which agreement, from when to when; sent by GET so that the address can be kept."""

    mark_optional = False

    agreement: forms.ModelChoiceField = forms.ModelChoiceField(label="Agreement", queryset=None, empty_label=None)
    period_from = DayField(label="From")
    period_to = DayField(label="To")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["agreement"].queryset = FundingAgreement.objects.for_user(user).select_related("funder", "operator")
        self.helper = helper("agreement", "period_from", "period_to", submit="Show the figures")
        self.helper.form_method = "get"
        self.helper.disable_csrf = True

    def clean(self):
        cleaned = super().clean()
        first, last = cleaned.get("period_from"), cleaned.get("period_to")
        if first and last and last < first:
            self.add_error("period_to", "The period must end on or after the day it begins")
        elif first and last and (last - first).days > 3 * 366:
            self.add_error("period_to", "The period can be three years at most")
        return cleaned
