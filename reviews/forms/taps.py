"""What stands in a member's way: a category, no words."""

from uuid import uuid4

from django import forms

from reviews.models import CATEGORIES_FOR_BOTH
from stockport_hubs.core.forms import Form, helper


class TapForm(Form):
    """One choice."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    category = forms.ChoiceField(label="What is it?", choices=CATEGORIES_FOR_BOTH, widget=forms.RadioSelect)

    def __init__(self, data=None, *, cancel: str):
        super().__init__(data, initial={"key": uuid4()})
        self.helper = helper("key", "category", submit="Record it", cancel=cancel)
