"""Forms about the directory, onward links and volunteering."""

import re

from django import forms
from django.core.exceptions import ValidationError

from referrals import rules
from referrals.models import CommunityLink, DirectoryEntry, VolunteeringOffer
from stockport_hubs.core.forms import DayField, Form, helper

PHONE = re.compile(r"[0-9+() -]{5,20}")
NOTE = "For the Leaving Care Team only."


class EntryForm(Form):
    """An organisation or a group: what it is, and at least one way to reach it."""

    name = forms.CharField(
        label="Name", max_length=80, help_text="Of the organisation or the group, never of a person."
    )
    kind = forms.ChoiceField(label="Kind", choices=DirectoryEntry.Kind.choices, widget=forms.RadioSelect)
    line = forms.CharField(label="What it is, in one line", max_length=120, required=False)
    where = forms.CharField(label="Where and when", max_length=120, required=False)
    website = forms.URLField(label="Website", max_length=200, required=False, assume_scheme="https")
    phone = forms.CharField(
        label="Telephone",
        max_length=20,
        required=False,
        help_text="The organisation’s own number.",
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20", "inputmode": "tel"}),
    )
    from_on = DayField(label="Offered from", required=False, help_text="Leave empty if it is on offer now.")
    until_on = DayField(label="Offered until", required=False, help_text="The last day, of an event for example.")
    for_pantries = forms.BooleanField(
        label="Pantries may tell their members about it",
        required=False,
        help_text="Its name must then not tell whom the council supports.",
    )

    def __init__(self, *args, is_council: bool, entry: DirectoryEntry | None, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        if entry is not None:
            self.initial.update({name: getattr(entry, name) for name in self.fields})
        if not is_council:
            del self.fields["for_pantries"]
        self.helper = helper(*self.fields, submit="Save" if entry else "Add to the directory", cancel=cancel)

    def clean_phone(self):
        typed = " ".join(self.cleaned_data["phone"].split())
        if typed and not PHONE.fullmatch(typed):
            raise ValidationError("Telephone must be a number, like 0161 496 0000")
        return typed

    def clean(self):
        data = super().clean()
        reach = ("where", "website", "phone")
        if not any(data.get(name) for name in reach) and not set(reach) & set(self.errors):
            self.add_error("where", "Say how to reach it: where it is, a website or a telephone number")
        return data


class LinkForm(Form):
    """Which place a young person was told about, and when."""

    entry = forms.ChoiceField(label="What were they told about?", error_messages={"required": "Choose from the list"})
    on = DayField(label="On which day?")
    note = forms.CharField(label="Note", max_length=200, required=False, help_text=NOTE)

    def __init__(self, *args, entries, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.entries = {str(entry.pk): entry for entry in entries}
        by_kind: dict[str, list] = {}
        for key, entry in self.entries.items():
            by_kind.setdefault(entry.get_kind_display(), []).append((key, entry.name))
        self.fields["entry"].choices = [("", "Choose"), *by_kind.items()]
        self.helper = helper("entry", "on", "note", submit="Record the link", cancel=cancel)

    @property
    def answers(self) -> dict:
        """What `links.offer` takes."""
        return self.cleaned_data | {"entry": self.entries[self.cleaned_data["entry"]]}


class _StepForm(Form):
    """The next step with its day; one possible step needs no question."""

    state = forms.ChoiceField(widget=forms.RadioSelect)
    on = DayField(label="On which day?")
    note = forms.CharField(label="Note", max_length=200, required=False, help_text=NOTE)
    question = ""
    submit = "Save"

    def __init__(self, *args, choices: list[tuple[str, str]], cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        state = self.fields["state"]
        state.label, state.choices = self.question, choices
        self.helper = helper("state", "on", "note", submit=self.submit, cancel=cancel)


class LinkMoveForm(_StepForm):
    question = "What came of it?"

    def __init__(self, *args, link: CommunityLink, **kwargs):
        then = rules.LINK_MOVES[link.state]
        super().__init__(*args, choices=[(each, CommunityLink.State(each).label) for each in then], **kwargs)


VOLUNTEERING_WORDS = {
    "asked": "They were asked whether they would like to volunteer",
    "not_now": "Not now",
    "interested": "They would like to volunteer",
    "induction": "Their induction has begun",
    "volunteering": "They volunteer",
    "stopped": "They have stopped",
}


class VolunteeringForm(_StepForm):
    question = "What happened?"

    def __init__(self, *args, offer: VolunteeringOffer, **kwargs):
        then = rules.VOLUNTEERING_MOVES[offer.state]
        super().__init__(*args, choices=[(each, VOLUNTEERING_WORDS[each]) for each in then], **kwargs)


class _ListForm(Form):
    """Filters of a list; `state` is one of the choices or empty."""

    mark_optional = False
    state = forms.ChoiceField(label="Show", required=False)

    def __init__(self, *args, states, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = [("", "Everything"), *states]


class LinksFilterForm(_ListForm):
    kind = forms.ChoiceField(
        label="Kind", required=False, choices=[("", "Any"), *DirectoryEntry.Kind.choices]
    )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, states=CommunityLink.State.choices, **kwargs)


class VolunteeringFilterForm(_ListForm):
    def __init__(self, *args, **kwargs):
        states = [each for each in VolunteeringOffer.State.choices if each[0] != "not_asked"]
        super().__init__(*args, states=states, **kwargs)
