"""What is typed about someone who was not found: at the counter, and by the pantry manager afterwards."""

from uuid import uuid4

from django import forms

from pantry import wording
from pantry.models import Membership, Visitor
from stockport_hubs.accounts.models import User
from stockport_hubs.core.forms import Form, helper


class VisitorForm(Form):
    """What they are called, where they say."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    called = forms.CharField(
        label="What they are called",
        help_text="Only if they like to say. No surname.",
        max_length=60,
        required=False,
        validators=[wording.validate_unspoken],
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20", "autocomplete": "off"}),
    )

    def __init__(self, data=None, *, cancel: str):
        super().__init__(data, initial={"key": uuid4()})
        self.helper = helper("key", "called", submit="Record this visitor", cancel=cancel)


class SortForm(Form):
    """Who a visitor is."""

    mark_optional = False  # the number is needed where it is shown

    OUTCOMES = [
        (Visitor.Outcome.MEMBER, "A member: the visit becomes their collection of that week"),
        (Visitor.Outcome.TURNED_UP, "Somebody new: add them as a member who waits to be confirmed"),
        (Visitor.Outcome.NOBODY, "Not a member: nothing follows"),
        (Visitor.Outcome.MISTAKE, "Recorded by mistake: nobody came"),
    ]

    outcome = forms.ChoiceField(label="Who was it?", choices=OUTCOMES, widget=forms.RadioSelect)
    number = forms.IntegerField(
        label="The member’s number",
        help_text="Needed for a member.",
        required=False,
        min_value=1,
        max_value=99_999_999,
        widget=forms.NumberInput(attrs={"class": "govuk-input--width-5"}),
    )

    membership: Membership  # once valid, where a member was chosen

    def __init__(self, data=None, *, user: User, cancel: str):
        super().__init__(data)
        self.members = Membership.objects.for_user(user)
        self.helper = helper("outcome", "number", submit="Save", cancel=cancel)

    def clean(self):
        super().clean()
        cleaned = self.cleaned_data
        if cleaned.get("outcome") == Visitor.Outcome.MEMBER and "number" in cleaned:
            if not cleaned["number"]:
                self.add_error("number", "Enter the member’s number")
            else:
                if found := self.members.filter(number=cleaned["number"]).first():
                    self.membership = found
                else:
                    self.add_error("number", "No member has this number. Check it on the list of members")
        return cleaned
