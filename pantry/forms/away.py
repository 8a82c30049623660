"""Until when a member is away, and whom to call."""

from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError

from pantry.models import CallNow
from pantry.services.away import AT_MOST
from pantry.services.calls import PHONE
from pantry.wording import validate
from stockport_hubs.core import clock
from stockport_hubs.core.forms import DayField, Form, helper


class AwayForm(Form):
    """The last day they are away."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    until_on = DayField(label="Until which day?", help_text="The last day they are away. They may shop all the same.")

    def __init__(self, data=None, *, cancel: str):
        super().__init__(data, initial={"key": uuid4()})
        self.helper = helper("key", "until_on", submit="Save", cancel=cancel)

    def clean_until_on(self):
        day, on = self.cleaned_data["until_on"], clock.today()
        if day < on:
            raise ValidationError("The day must be today or later")
        if day > on + AT_MOST:
            raise ValidationError("The day must be in the next 26 weeks")
        return day


class CallForm(Form):
    """A number to call, from a day on."""

    role = forms.ChoiceField(label="Whose number?", choices=CallNow.Role.choices, widget=forms.RadioSelect)
    called = forms.CharField(
        label="Who answers",
        max_length=60,
        required=False,
        help_text="A name or a rota, as volunteers should ask for it.",
        validators=[validate],
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20", "autocomplete": "off"}),
    )
    phone = forms.CharField(
        label="Telephone",
        max_length=20,
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20", "inputmode": "tel", "autocomplete": "off"}),
    )
    from_on = DayField(label="From which day?")

    def __init__(self, data=None, *, cancel: str):
        super().__init__(data, initial={"from_on": clock.today()})
        self.helper = helper("role", "called", "phone", "from_on", submit="Save", cancel=cancel)

    def clean_phone(self):
        typed = " ".join(self.cleaned_data["phone"].split())
        if not PHONE.fullmatch(typed):
            raise ValidationError("Telephone must be a number, like 0161 496 0000")
        return typed

    def clean_from_on(self):
        day = self.cleaned_data["from_on"]
        if day < clock.today():
            raise ValidationError("The day must be today or later")
        return day
