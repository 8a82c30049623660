"""Prices: propose, agree, send back."""

from django import forms

from stockport_hubs.core.forms import DayField, Form, PoundsField, helper


class TariffForm(Form):
    """A proposed price."""

    weekly_pence = PoundsField(label="Charge a week", min_value=0, max_value=10_000)
    joining_pence = PoundsField(
        label="Joining fee", min_value=0, max_value=20_000, help_text="Once. £0.00 if there is none."
    )
    food_value_pence = PoundsField(
        label="What a week’s items are worth",
        min_value=0,
        max_value=20_000,
        help_text="About, in a shop. Members and leaflets are told this.",
    )
    from_week = DayField(label="From which Monday?")

    def __init__(self, *args, cancel: str, week_hint: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["from_week"].help_text = week_hint
        self.helper = helper(
            "weekly_pence", "joining_pence", "food_value_pence", "from_week", submit="Propose this price", cancel=cancel
        )


class AgreeForm(Form):
    """Agree, or send back with a reason."""

    AGREE, SEND_BACK = "agree", "send_back"
    answer = forms.ChoiceField(
        label="Do you agree this price?",
        choices=[(AGREE, "Yes, agree it"), (SEND_BACK, "No, send it back")],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label="Why it goes back",
        required=False,
        max_length=200,
        help_text="Only if you send it back. The pantry manager reads it.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("answer", "reason", submit="Save answer", cancel=cancel)

    def clean(self):
        super().clean()
        cleaned = self.cleaned_data
        if cleaned.get("answer") == self.SEND_BACK and not cleaned.get("reason"):
            self.add_error("reason", "Enter why it goes back, so that the pantry manager can propose again")
        return cleaned
