"""Agreements and payments in advance."""

from crispy_forms.layout import Fieldset
from django import forms

from pantry import directory
from pantry.models import FundingAgreement
from pantry.services.funding import CONDITIONS
from stockport_hubs.core.forms import DayField, Form, ModelForm, PoundsField, helper


class AgreementForm(ModelForm):
    """An agreement's conditions; the operator is chosen once."""

    operator = forms.ModelChoiceField(
        label="Who runs the pantries?", queryset=directory.operators(), empty_label="Choose an organisation"
    )
    renews_automatically = forms.TypedChoiceField(
        label="How are blocks renewed?",
        choices=[("yes", "By themselves, while the conditions hold"), ("no", "Every renewal waits for a manager")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
    )
    tops_up_price_rises = forms.TypedChoiceField(
        label="When a pantry’s price rises",
        choices=[
            ("no", "Weeks that are bought keep their price"),
            ("yes", "Weeks that are bought are topped up to the new price"),
        ],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
        help_text=(
            "Topping up costs the difference for each week that is bought and not yet used, from the new price’s "
            "Monday on. It is paid when a finance officer agrees the price, who sees beforehand what it costs. Weeks "
            "that wait while a member is paused keep their price. It holds for prices agreed and blocks bought from "
            "now on."
        ),
    )
    daily_limit_pence = PoundsField(
        label="Spend in a day at most",
        required=False,
        max_value=10_000_000_00,
        help_text="Renewals beyond it are held for a manager. Leave empty if there is no limit.",
    )
    budget_pence = PoundsField(
        label="Budget a year",
        required=False,
        max_value=10_000_000_00,
        help_text="From 1 April. No block is bought beyond it. Leave empty if there is no limit.",
    )

    class Meta:
        model = FundingAgreement
        fields = CONDITIONS
        labels = {
            "name": "Name of the agreement",
            "starts_on": "First day",
            "ends_on": "Last day",
            "block_weeks": "Weeks in a block",
            "blocks_per_person": "Blocks for each person at most",
            "hold_after_weeks_without_collection": "Hold a renewal after how many weeks without a collection?",
        }
        help_texts = {
            "name": "Only council and pantry managers read it.",
            "ends_on": "Leave empty if it is open-ended.",
            "block_weeks": "1 to 26. Six months of weekly places are 26.",
            "blocks_per_person": "Leave empty to renew as long as the conditions hold.",
            "hold_after_weeks_without_collection": "Counted in open weeks. 0 holds none for this reason.",
        }

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        for name, low, high in (
            ("block_weeks", 1, 26),
            ("blocks_per_person", 1, 100),
            ("hold_after_weeks_without_collection", 0, 26),
        ):
            self.fields[name] = forms.IntegerField(
                label=self.fields[name].label,
                help_text=self.fields[name].help_text,
                required=self.fields[name].required,
                min_value=low,
                max_value=high,
                initial=self.fields[name].initial,
            )
        first = ["name", "starts_on", "ends_on"]
        if self.instance._state.adding:
            first.insert(0, "operator")
        else:
            del self.fields["operator"]
        for name in ("renews_automatically", "tops_up_price_rises"):
            self.initial[name] = "yes" if getattr(self.instance, name) else "no"
        self.helper = helper(
            Fieldset("The agreement", *first),
            Fieldset("What it buys", "block_weeks", "blocks_per_person", "renews_automatically", "tops_up_price_rises"),
            Fieldset(
                "When a manager decides", "hold_after_weeks_without_collection", "daily_limit_pence", "budget_pence"
            ),
            cancel=cancel,
        )

    def clean(self):
        super().clean()
        cleaned = self.cleaned_data
        if cleaned.get("starts_on") and cleaned.get("ends_on") and cleaned["ends_on"] < cleaned["starts_on"]:
            self.add_error("ends_on", "Last day must be the first day or later")
        return cleaned

    def conditions(self) -> dict:
        """What the service takes."""
        return {name: self.cleaned_data[name] for name in (*CONDITIONS, "budget_pence")}


class PaymentForm(Form):
    """Money the council has paid over."""

    on = DayField(label="Paid on")
    pence = PoundsField(label="Amount", min_value=1, max_value=10_000_000_00)
    purchase_order = forms.CharField(
        label="Purchase order",
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20"}),
    )
    invoice = forms.CharField(
        label="Invoice number",
        max_length=40,
        help_text="Each invoice is recorded once.",
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20"}),
    )
    cost_code = forms.CharField(
        label="Cost code",
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20"}),
    )

    def __init__(self, *args, cancel: str, today, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        self.helper = helper("on", "pence", "purchase_order", "invoice", "cost_code", submit="Continue", cancel=cancel)

    def clean_on(self):
        if self.cleaned_data["on"] > self.today:
            raise forms.ValidationError("Paid on must be today or earlier: a payment is recorded once it has been made")
        return self.cleaned_data["on"]


class AsAtForm(Form):
    """The day at whose end the figures stand."""

    mark_optional = False
    as_at = DayField(label="As at the end of", required=False)


class WhatIfForm(Form):
    """Another weekly charge, for the forecast."""

    mark_optional = False
    weekly_pence = PoundsField(
        label="What if a week cost", required=False, min_value=1, max_value=100_00, help_text="For example 4.50."
    )
