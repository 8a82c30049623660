"""The questions about how someone is."""

from crispy_forms.layout import Fieldset
from django import forms

from careleavers.models import Wellbeing
from careleavers.questions import PREFER_NOT, QUESTIONS, choices
from stockport_hubs.core.forms import DayField, Form, helper

INLINE = {"class": "govuk-radios--inline"}


class WellbeingForm(Form):
    """When, how, and each question with "prefer not to say" and "not asked"; `earlier` is what is corrected."""

    asked_on = DayField(label="On which day were they asked?", help_text="Or the day they filled in the paper.")
    how = forms.ChoiceField(label="How?", choices=Wellbeing.How.choices, widget=forms.RadioSelect(attrs=INLINE))
    says_nothing = forms.BooleanField(
        label="They prefer not to answer any of these",
        required=False,
        help_text="Then leave the questions below as they are.",
    )
    because = forms.CharField(
        label="Why are the earlier answers wrong?",
        max_length=200,
        help_text="The earlier answers are kept with this, and do not count.",
    )

    def __init__(self, *args, earlier: Wellbeing | None, submit: str, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        for key, question in QUESTIONS.items():
            self.fields[key] = forms.ChoiceField(
                label=question.text,
                help_text=question.source,
                required=False,
                choices=list(choices(key).items()),
                widget=forms.RadioSelect(attrs={"class": "govuk-radios--small"}),
            )
        if earlier is None:
            del self.fields["because"]
            last = []
        else:
            last = ["because"]
            self.initial.update({"asked_on": earlier.asked_on, "how": earlier.how, **earlier.answers})
        self.mark_optional = False  # all or none of the questions: said below
        asked = Fieldset("Questions", "says_nothing", *QUESTIONS)
        self.helper = helper("asked_on", "how", asked, *last, submit=submit, cancel=cancel)

    def clean(self):
        data = super().clean()
        for key, question in QUESTIONS.items():
            if data.get("says_nothing"):
                data[key] = PREFER_NOT
            elif not data.get(key) and key not in self.errors:
                self.add_error(key, f"Choose an answer to “{question.text}”, or “Not asked”")
        return data

    @property
    def facts(self) -> dict:
        """What the service takes."""
        data = self.cleaned_data
        given = {name: data[name] for name in ("asked_on", "how", "because") if name in data}
        return given | {"answers": {key: data[key] for key in QUESTIONS}}


class TakeBackForm(Form):
    because = forms.CharField(
        label="Why do they not count?",
        max_length=200,
        help_text="Kept with your name. The answers stay in the history.",
    )

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("because", submit="Take them back", cancel=cancel, css_class="govuk-button--warning")
