"""Forms of the agenda: something added, and what was said of an item."""

from collections.abc import Iterable

from django import forms

from reviews.models import AgendaItem, AgendaKind, AgendaState
from reviews.services.agenda import Said
from stockport_hubs.accounts.models import User
from stockport_hubs.core.forms import DayField, Form, helper

FOR_BOTH = "Both organisations read this. Use membership numbers, not names of young people."
NAMES_NOBODY = "I have checked: no young person is named here"


class AddForm(Form):
    """Something to talk about."""

    title = forms.CharField(label="What is to be talked about?", max_length=200, help_text=FOR_BOTH)
    note = forms.CharField(label="What the others should know before", max_length=500, required=False)
    note.widget = forms.Textarea()
    names_nobody = forms.BooleanField(label=NAMES_NOBODY, required=False)

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("title", "note", "names_nobody", submit="Put it on the agenda", cancel=cancel)


class ItemForm(Form):
    """What was said of one item; many of them stand on one page, so owners are given as choices made once."""

    mark_optional = False
    key = forms.UUIDField(widget=forms.HiddenInput)
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0)
    state = forms.ChoiceField(label="Where does it stand?", choices=AgendaState, widget=forms.RadioSelect)
    discussion = forms.CharField(label="Discussed", widget=forms.Textarea(attrs={"rows": "3"}), required=False)
    decision = forms.CharField(label="Decision", max_length=300, required=False)
    owner = forms.ChoiceField(label="Owner", required=False)
    due_on = DayField(label="By when", required=False)
    done = forms.BooleanField(label="It is done", required=False)
    names_nobody = forms.BooleanField(label=NAMES_NOBODY, required=False)

    def __init__(self, *args, item: AgendaItem, people: Iterable[User], **kwargs):
        super().__init__(*args, **kwargs | {"auto_id": f"i{item.pk.hex}_%s"})
        self.item, self.people = item, {str(each.pk): each for each in people}
        if item.owner and str(item.owner_id) not in self.people:
            self.people[str(item.owner_id)] = item.owner
        self.fields["state"].widget.attrs["class"] = "govuk-radios--small govuk-radios--inline"
        self.fields["names_nobody"].widget.attrs["class"] = "govuk-checkboxes--small"
        listed = [(key, f"{each.name}, {each.organisation.name}") for key, each in self.people.items()]
        self.fields["owner"].choices = [("", "Nobody"), *listed]
        if item.kind != AgendaKind.ACTION:
            del self.fields["done"]

    def clean_discussion(self) -> str:
        text = self.cleaned_data["discussion"]
        if len(text) > 4000:
            raise forms.ValidationError("Discussed must be 4,000 characters or fewer")
        return text

    @property
    def said(self) -> Said:
        given = self.cleaned_data
        return Said(
            state=given["state"],
            discussion=given["discussion"],
            decision=given["decision"],
            owner=self.people.get(given["owner"]),
            due_on=given["due_on"],
            names_nobody=given["names_nobody"],
            done=given.get("done", False),
        )


def initial(item: AgendaItem, *, is_done: bool = False) -> dict:
    """What an item says, as its form shows it."""
    return {
        "version": item.version,
        "state": item.state,
        "discussion": item.discussion,
        "decision": item.decision,
        "owner": str(item.owner_id) if item.owner_id else "",
        "due_on": item.due_on,
        "names_nobody": item.names_nobody,
        "done": is_done,
    }
