"""What becomes of a member's card."""

from django import forms

from stockport_hubs.core.forms import Form, helper

LOST, WORN, LOST_ONLY, NOT_WANTED = "lost", "worn", "lost_only", "not_wanted"


class CardForm(Form):
    """Why the card that counts ends, and whether another is made."""

    what = forms.ChoiceField(
        label="What has happened to this card?",
        choices=[
            (LOST, "It is lost: make a new one"),
            (WORN, "It is worn out: make a new one"),
            (LOST_ONLY, "It is lost, and no new one is wanted"),
            (NOT_WANTED, "It is not wanted any more"),
        ],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("what", submit="End this card", cancel=cancel)

    @property
    def is_lost(self) -> bool:
        return self.cleaned_data["what"] in (LOST, LOST_ONLY)

    @property
    def makes_new(self) -> bool:
        return self.cleaned_data["what"] in (LOST, WORN)
