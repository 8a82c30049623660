"""What is typed about a hall's tablet, its volunteers, and what it could not record."""

from django import forms

from pantry import wording
from pantry.models import DismissReason, Membership, Pantry
from pantry.services.collections import OverrideReason
from stockport_hubs.accounts.models import User
from stockport_hubs.core.forms import Form, helper


class EnrolForm(Form):
    """Which hall the tablet is for, and what it is called."""

    pantry: forms.ModelChoiceField = forms.ModelChoiceField(
        label="Pantry", queryset=None, empty_label="Choose a pantry", help_text="The tablet shows its sessions only."
    )
    name = forms.CharField(
        label="Name of the tablet",
        help_text="What tells it from others, such as Blue tablet. Volunteers read it.",
        max_length=40,
        validators=[wording.validate],
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20", "autocomplete": "off"}),
    )

    def __init__(self, *args, user: User, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["pantry"].queryset = Pantry.objects.for_user(user)
        self.helper = helper("pantry", "name", submit="Use this tablet in the hall", cancel=cancel)


class NameForm(Form):
    """A volunteer who records on the tablet."""

    called = forms.CharField(
        label="First name or nickname",
        help_text="One name, no surname. Everybody at the tablet reads it.",
        max_length=30,
        validators=[wording.validate],
        widget=forms.TextInput(attrs={"class": "govuk-input--width-10", "autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("called", submit="Add and show the starting code")


class SortEntryForm(Form):
    """What becomes of something that was held."""

    mark_optional = False  # what is needed hangs on the answer above

    what = forms.ChoiceField(label="What becomes of it?", widget=forms.RadioSelect)
    number = forms.IntegerField(
        label="For another member’s number",
        help_text="Only where the number was wrong.",
        required=False,
        min_value=1,
        max_value=99_999_999,
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-5"}),
    )
    override = forms.ChoiceField(
        label="Why it was more than the allowance",
        required=False,
        choices=[("", "It was not"), *OverrideReason.choices],
    )

    def __init__(self, data=None, *, kind: str, user: User, cancel: str):
        super().__init__(data)
        self.members = Membership.objects.for_user(user)
        choices = [("record", "Record it now, for the day it happened")]
        self.fields["what"].choices = choices + [
            (code, f"Set it aside: {name[0].lower()}{name[1:]}") for code, name in DismissReason.choices
        ]
        fields = ["what"]
        if kind == "collection":
            fields += ["number", "override"]
        else:
            del self.fields["number"], self.fields["override"]
        self.helper = helper(*fields, submit="Save", cancel=cancel)

    @property
    def reason(self) -> str:
        """Why it is set aside; "" where it is recorded."""
        what = self.cleaned_data["what"]
        return "" if what == "record" else what

    def clean_number(self):
        number = self.cleaned_data["number"]
        if number and not self.members.filter(number=number).exists():
            raise forms.ValidationError("No member has this number. Check it on the list of members")
        return number
