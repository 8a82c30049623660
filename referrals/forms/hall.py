"""What is recorded in a hall, and how a wish to help goes on."""

from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError

from pantry import roster
from pantry.models import Membership, PantrySession
from referrals import rules
from referrals.forms.community import _ListForm
from referrals.models import Helper, HelpState
from stockport_hubs.core.forms import DayField, Form, helper

HELP_WORDS = {
    "wished": "They would like to help",
    "induction": "Their induction has begun",
    "volunteering": "They volunteer",
    "not_now": "Not now",
    "stopped": "They have stopped",
}


class WorryForm(Form):
    """Ask to be rung; a number only if it helps. Nothing is written about anybody."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    number = forms.IntegerField(
        label="The member’s number",
        help_text="Leave it empty if it is not about a member, or you are not sure.",
        required=False,
        min_value=1,
        max_value=99_999_999,
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-5"}),
    )

    membership: Membership | None = None  # once valid, where a number was given

    def __init__(self, data=None, *, session: PantrySession, number: str, cancel: str):
        super().__init__(data, initial={"key": uuid4(), "number": number})
        self.session = session
        self.helper = helper("key", "number", submit="Ask someone to ring me", cancel=cancel)

    def clean_number(self):
        number = self.cleaned_data["number"]
        if number:
            self.membership = roster.of_operator(self.session).filter(number=number).first()
            if self.membership is None:
                raise ValidationError("No member has this number. Leave it empty if you are not sure")
        return number


class HelperForm(Form):
    """The next step of a member who would like to help, and its day."""

    state = forms.ChoiceField(label="What happened?", widget=forms.RadioSelect)
    on = DayField(label="On which day?")

    def __init__(self, *args, of: Helper, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = [(each, HELP_WORDS[each]) for each in rules.HELP_MOVES[of.state]]
        self.helper = helper("state", "on", submit="Save", cancel=cancel)


class HelpersFilterForm(_ListForm):
    def __init__(self, *args, **kwargs):
        states = [each for each in HelpState.choices if each[0] != HelpState.TAKEN_BACK]
        super().__init__(*args, states=states, **kwargs)
