"""What is typed about members: filters of the list, someone new who pays at the counter, someone who leaves."""

from crispy_forms.layout import Fieldset
from django import forms

from pantry import wording
from pantry.models import Membership, Pantry
from stockport_hubs.core import weeks
from stockport_hubs.core.forms import DayField, Form, helper
from stockport_hubs.core.needs import ALLERGENS
from stockport_hubs.core.short_choices import ShortChoiceField


class MemberFilters(Form):
    """Pantry and state of the list; who sees no people learns nothing about pauses either."""

    mark_optional = False
    STATES = [
        ("current", "Current"),
        *Membership.State.choices,
        ("unfunded", "With collections nobody has paid for"),
        ("all", "All"),
    ]

    pantry = ShortChoiceField(empty_label="All pantries")
    state = forms.ChoiceField(choices=STATES, required=False, initial="current")

    def __init__(self, data, *, user, sees_people: bool):
        super().__init__(data)
        self.fields["pantry"].offer(  # type: ignore[attr-defined]
            Pantry.objects.for_user(user),
            chosen=self.data.get("pantry"),
            more="Another one: look for it under Pantries, then choose “Members of this pantry”.",
        )
        if not sees_people:
            self.fields["state"].choices = [self.STATES[0], *self.STATES[-2:]]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> tuple[Pantry | None, str]:
        """(pantry, state); what cannot be read counts as not chosen."""
        self.is_valid()
        return self.cleaned_data.get("pantry"), self.cleaned_data.get("state") or "current"


class MemberForm(Form):
    """Someone who joins and pays at the counter."""

    PAYS, WAITS = "pays", "waits"
    joins = forms.ChoiceField(
        label="Who pays?",
        choices=[(PAYS, "They pay each week"), (WAITS, "Somebody else may pay: it waits to be confirmed")],
        initial=PAYS,
        widget=forms.RadioSelect,
    )
    pantry: forms.ModelChoiceField = forms.ModelChoiceField(None, label="Pantry", empty_label="Choose a pantry")
    preferred_name = forms.CharField(
        label="Preferred name",
        help_text="What they would like to be called. No surname. Leave it empty to use their number only.",
        max_length=60,
        required=False,
        validators=[wording.validate],
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20", "autocomplete": "off"}),
    )
    allergens = forms.MultipleChoiceField(
        label="Allergies they want volunteers to know",
        choices=list(ALLERGENS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "govuk-checkboxes--small"}),
    )
    other_allergy = forms.CharField(
        label="Another allergy", max_length=60, required=False, validators=[wording.validate]
    )
    diet = forms.CharField(
        label="Diet",
        help_text="For example vegetarian or halal. Separate several by commas.",
        max_length=60,
        required=False,
        validators=[wording.validate],
    )
    language = forms.CharField(
        label="Interpreter needed for",
        help_text="The language, for example Dari.",
        max_length=60,
        required=False,
        validators=[wording.validate],
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20"}),
    )
    no_cooking = forms.BooleanField(label="No cooking facilities", required=False)
    first_week = DayField(
        label="First week",
        help_text="Any day of it, up to 8 weeks ahead. Leave it empty for the next session.",
        required=False,
    )

    def __init__(self, *args, user, cancel: str, again: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["pantry"].queryset = Pantry.objects.for_user(user)  # type: ignore[attr-defined]
        hints = {self.WAITS: "They may shop meanwhile, from this week on. A personal advisor confirms it."}
        setattr(self.fields["joins"], "choice_hints", hints)  # noqa: B010 - the field template reads it
        first = ["pantry", "preferred_name"]
        if again:
            del self.fields["joins"]
        else:
            first.insert(0, "joins")
        needs = Fieldset("What they share", "allergens", "other_allergy", "diet", "language", "no_cooking")
        self.helper = helper(*first, needs, "first_week", submit="Add this member", cancel=cancel)

    def clean_first_week(self):
        day = self.cleaned_data["first_week"]
        return weeks.monday(day) if day else None

    @property
    def waits(self) -> bool:
        """They wait to be confirmed."""
        return self.cleaned_data.get("joins") == self.WAITS

    @property
    def needs(self) -> list[tuple[str, str]]:
        """(kind, value) pairs."""
        given = self.cleaned_data
        shared = [("allergen", code) for code in given["allergens"]]
        shared += [("allergen", given["other_allergy"].strip())] if given["other_allergy"].strip() else []
        shared += [("diet", part.strip()) for part in given["diet"].split(",") if part.strip()]
        shared += [("language", given["language"].strip())] if given["language"].strip() else []
        return shared + ([("no_cooking", "")] if given["no_cooking"] else [])


class EndForm(Form):
    """When and why someone leaves; asked again with the credit shown before it is done."""

    on = DayField(label="Last day as a member", help_text="Today, or up to 28 days ago.")
    reason = forms.ChoiceField(
        label="Why does the membership end?", choices=Membership.EndReason.choices, widget=forms.RadioSelect
    )
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("on", "reason", submit="Continue", cancel=cancel)
        self.helper.render_hidden_fields = False
