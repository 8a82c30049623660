"""The rota and the notes for volunteers."""

from collections.abc import Sequence
from datetime import date, time

from django import forms

from pantry.directory import Opening
from pantry.models import Pantry
from pantry.wording import validate
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core import weeks
from stockport_hubs.core.forms import DayField, Form, helper


class DutyForm(Form):
    """Who is down for which of the next openings."""

    opening = forms.ChoiceField(label="Session")

    def __init__(self, *args, pantry: Pantry, openings: Sequence[Opening], volunteers, **kwargs):
        super().__init__(*args, **kwargs)
        self.openings = {f"{each.on.isoformat()} {each.opens:%H:%M}": each for each in openings}
        self.fields["opening"].choices = [
            ("", "Choose a session"),
            *(
                (key, f"{each.on:%A} {weeks.spoken(each.on)}, {each.opens:%H:%M}")
                for key, each in self.openings.items()
            ),
        ]
        here = pantry.staff.filter(until_on=None).values("user")
        own = volunteers.filter(role=Role.PANTRY_VOLUNTEER, deactivated_at=None, pk__in=here)
        self.fields["user"] = forms.ModelChoiceField(
            label="Volunteer", queryset=own.order_by("name"), empty_label="Choose a volunteer"
        )
        self.helper = helper("opening", "user", submit="Put them down")

    @property
    def chosen(self) -> tuple[date, time, User]:
        opening = self.openings[self.cleaned_data["opening"]]
        return opening.on, opening.opens, self.cleaned_data["user"]


class NoteForm(Form):
    """What volunteers should know, and when they are told."""

    text = forms.CharField(
        label="Note",
        help_text="Volunteers read it on the session page. No names of members, and nothing about why somebody shops.",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        validators=[validate],
    )
    from_on = DayField(label="First day")
    until_on = DayField(
        label="Last day",
        help_text="The same day for one session. Leave empty to show it until you take it down.",
        required=False,
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("text", "from_on", "until_on", submit="Add note")

    def clean(self):
        super().clean()
        cleaned = self.cleaned_data
        if cleaned.get("from_on") and cleaned.get("until_on") and cleaned["until_on"] < cleaned["from_on"]:
            self.add_error("until_on", "Last day must be the first day or later")
        return cleaned
