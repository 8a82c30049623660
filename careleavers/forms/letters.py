"""How a young person wants to be written to."""

from django import forms

from careleavers.models import LetterChoice
from stockport_hubs.core.forms import DayField, Form, helper


class LetterChoiceForm(Form):
    channel = forms.ChoiceField(
        label="How do they want to hear from us?", choices=LetterChoice.Channel.choices, widget=forms.RadioSelect
    )
    is_safe = forms.BooleanField(
        label="Nobody else reads what arrives there",
        required=False,
        help_text="Ask them. Without this, nothing is sent.",
    )
    asked_on = DayField(label="On which day were they asked?")

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("channel", "is_safe", "asked_on", cancel=cancel)


class LetterFilter(Form):
    """Which messages are listed."""

    mark_optional = False
    state = forms.ChoiceField(
        label="Show",
        required=False,
        choices=[("", "To do"), ("not_sent", "Not sent"), ("sent", "Sent"), ("settled", "Settled by someone")],
    )
