"""Why a colleague's young person is opened."""

from django import forms

from careleavers.models import RecordOpening
from stockport_hubs.core.forms import Form, helper


class OpenForm(Form):
    reference = forms.CharField(
        label="Reference",
        max_length=40,
        help_text="The Child Unique ID of the council’s case system, exactly as it is written there.",
        widget=forms.TextInput(attrs={"class": "govuk-input--width-10", "autocomplete": "off", "spellcheck": "false"}),
    )
    reason = forms.ChoiceField(
        label="Why do you need to open it?", choices=RecordOpening.Reason.choices, widget=forms.RadioSelect
    )
    words = forms.CharField(
        label="What happened?",
        max_length=300,
        help_text="In a sentence. Their own advisor and the leaving care managers read it.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("reference", "reason", "words", submit="Continue", cancel=cancel)

    def clean_reference(self):
        return "".join(self.cleaned_data["reference"].split())


class OpeningFilter(Form):
    """Which openings a manager looks at."""

    mark_optional = False
    show = forms.ChoiceField(
        label="Show", required=False, choices=[("", "Everything"), ("stands_out", "What stands out")]
    )
