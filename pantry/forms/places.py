"""Pantries, weekly openings, closures, volunteers."""

from crispy_forms.layout import HTML, Fieldset, Row
from django import forms

from pantry.directory import DAY_NAMES
from pantry.models import Pantry
from pantry.services.places import DETAILS
from pantry.wording import validate
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.forms import DayField, Form, ModelForm, helper

BANDS = range(1, 5)
READ_BY_VOLUNTEERS = ("name", "address", "phone", "how_to_find", "catchment")


class PantryForm(ModelForm):
    """A pantry's place, allowance and bands."""

    allowance = forms.IntegerField(
        label="Items a week", min_value=1, max_value=100, help_text="Fruit and vegetables are free on top."
    )

    class Meta:
        model = Pantry
        fields = DETAILS
        labels = {
            "how_to_find": "How to find it",
            "catchment": "Who it is for",
            "capacity": "Members at most",
            "closes_on_bank_holidays": "Closed on bank holidays",
            "welcomes_other_pantries": "Members of our other pantries may shop here",
            "closing_on": "Closes for good on",
        }
        help_texts = {
            "phone": "For members and advisors to call.",
            "how_to_find": "Entrance, parking, nearest bus stop.",
            "catchment": "The streets or area, in words.",
            "capacity": "Leave empty if there is no limit.",
            "closing_on": "Leave empty unless this is decided. Renewals of blocks that reach this day are held.",
        }
        widgets = {
            "how_to_find": forms.Textarea(attrs={"rows": 3}),
            "postcode": forms.TextInput(attrs={"class": "govuk-input--width-10"}),
            "phone": forms.TextInput(attrs={"class": "govuk-input--width-20"}),
        }

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        for name in READ_BY_VOLUNTEERS:
            self.fields[name].validators.append(validate)
        bands = list(self.instance.bands.all()) if not self.instance._state.adding else []
        rows = []
        for n in BANDS:
            band = bands[n - 1] if n <= len(bands) else None
            self.fields[f"band_{n}_name"] = forms.CharField(
                label=f"Band {n}",
                required=False,
                max_length=30,
                initial=band and band.name,
                validators=[validate],
                widget=forms.TextInput(attrs={"class": "govuk-input--width-10"}),
            )
            self.fields[f"band_{n}_items"] = forms.IntegerField(
                label=f"Items of band {n}", required=False, min_value=0, max_value=100, initial=band and band.items
            )
            rows.append(Row(f"band_{n}_name", f"band_{n}_items"))
        self.helper = helper(
            Fieldset("Where it is", "name", "address", "postcode", "phone", "how_to_find", "catchment"),
            Fieldset("What members choose", "allowance", HTML(BANDS_HINT), *rows),
            Fieldset("Members", "capacity", "welcomes_other_pantries"),
            Fieldset("Closing", "closes_on_bank_holidays", "closing_on"),
            cancel=cancel,
        )

    def clean(self):
        super().clean()
        cleaned = self.cleaned_data
        names = set()
        for n in BANDS:
            name, items = cleaned.get(f"band_{n}_name", ""), cleaned.get(f"band_{n}_items")
            if name and items is None and f"band_{n}_items" not in self.errors:
                self.add_error(f"band_{n}_items", f"Enter how many items of {name} a member may choose")
            if items is not None and not name and f"band_{n}_name" not in self.errors:
                self.add_error(f"band_{n}_name", f"Enter the name of band {n}, or leave its items empty")
            if name and name.casefold() in names:
                self.add_error(f"band_{n}_name", f"{name} is there twice. Give each band its own name")
            names.add(name.casefold())
        return cleaned

    def details(self) -> dict:
        """What the service takes: the pantry's details, and its bands in order."""
        cleaned = self.cleaned_data
        bands = [(cleaned[f"band_{n}_name"], cleaned[f"band_{n}_items"]) for n in BANDS if cleaned[f"band_{n}_name"]]
        return {**{name: cleaned[name] for name in DETAILS}, "bands": bands}


BANDS_HINT = (
    '<p class="govuk-hint hubs-measure">Colour bands are optional: a band limits how many of the week’s items may be '
    "of one kind. Without bands every item counts alike.</p>"
)


class HoursForm(Form):
    """One weekly opening."""

    weekday = forms.TypedChoiceField(
        label="Day of the week",
        coerce=int,
        choices=[("", "Choose a day"), *enumerate(DAY_NAMES)],
    )
    opens = forms.TimeField(label="Opens at", help_text="For example, 10:00.")
    closes = forms.TimeField(label="Closes at", help_text="For example, 12:30.")
    from_on = DayField(label="First day", help_text="The opening counts from this day on.")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("weekday", Row("opens", "closes"), "from_on", submit="Add opening")

    def clean(self):
        super().clean()
        cleaned = self.cleaned_data
        if cleaned.get("opens") and cleaned.get("closes") and cleaned["closes"] <= cleaned["opens"]:
            self.add_error("closes", "Closes at must be later than opens at")
        return cleaned


class EndHoursForm(Form):
    """The last day of an opening."""

    until_on = DayField(label="Last day", help_text="The opening no longer counts after this day.")


class ClosureForm(Form):
    """Days without a session."""

    from_on = DayField(label="First day closed", help_text="Up to 28 days back, if nobody could say so in time.")
    until_on = DayField(label="Last day closed", help_text="The same day if it is one day.")
    reason = forms.CharField(
        label="Reason",
        max_length=120,
        validators=[validate],
        help_text="Members, volunteers and advisors read it. For example: boiler repair, hall in use for voting.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("from_on", "until_on", "reason", submit="Continue")

    def clean(self):
        super().clean()
        cleaned = self.cleaned_data
        if cleaned.get("from_on") and cleaned.get("until_on") and cleaned["until_on"] < cleaned["from_on"]:
            self.add_error("until_on", "Last day closed must be the first day closed or later")
        return cleaned


class VolunteerChoice(forms.ModelChoiceField):
    def label_from_instance(self, user: User) -> str:
        if user.email is None:
            return f"{user.name} (records on a tablet)"
        return f"{user.name} ({user.email})" if user.joined_at else f"{user.name} (invited, not joined yet)"


class VolunteerForm(Form):
    """An account to attach to a pantry: own volunteers who do not work there yet."""

    def __init__(self, *args, pantry: Pantry, volunteers, **kwargs):
        super().__init__(*args, **kwargs)
        here = pantry.staff.filter(until_on__isnull=True).values("user")
        own = volunteers.filter(
            role=Role.PANTRY_VOLUNTEER, organisation_id=pantry.operator_id, deactivated_at__isnull=True
        )
        self.fields["user"] = VolunteerChoice(
            label="Volunteer", queryset=own.exclude(pk__in=here).order_by("name"), empty_label="Choose a volunteer"
        )
        self.helper = helper("user", submit="Add volunteer")
