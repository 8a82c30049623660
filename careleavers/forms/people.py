"""Forms about young people and those who look after them."""

from datetime import date

from crispy_forms.layout import Fieldset
from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse

from careleavers import rules
from careleavers.models import ACCOMMODATION, CareLeaver, CohortPlace, InTouch
from careleavers.services import allocations, people
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.forms import DayField, Form, ModelForm, helper
from stockport_hubs.core.short_choices import ShortChoiceField

SUITABLE = [("", "Not known"), ("True", "Suitable"), ("False", "Not suitable")]


def width(characters: int, **attrs) -> forms.TextInput:
    return forms.TextInput(attrs={"class": f"govuk-input--width-{characters}", "autocomplete": "off"} | attrs)


class PersonForm(ModelForm):
    """Add or edit a young person; `twins` are people who may be the same one."""

    born_on = DayField(label="Date of birth", help_text="For example, 27 3 2003")
    in_touch = forms.ChoiceField(
        label="In touch",
        required=False,
        choices=[("", "Not recorded"), *InTouch.choices],
    )
    accommodation = forms.ChoiceField(
        label="Accommodation", required=False, choices=[("", "Not recorded"), *ACCOMMODATION.items()]
    )
    accommodation_suitable = forms.TypedChoiceField(
        label="Is the accommodation suitable?",
        required=False,
        choices=SUITABLE,
        coerce=lambda value: value == "True",
        empty_value=None,
        widget=forms.RadioSelect(attrs={"class": "govuk-radios--inline"}),
    )
    advisor: forms.ModelChoiceField = forms.ModelChoiceField(
        label="Personal advisor", queryset=None, required=False, empty_label="Allocate later",
    )  # fmt: skip
    different_person = forms.BooleanField(
        label="This is a different person", required=False, help_text="Somebody like this is already here, see above."
    )

    class Meta:
        model = CareLeaver
        fields = [
            *("preferred_name", "surname", "born_on", "reference", "eligibility", "team", "in_touch", "died_on"),
            *("accommodation", "accommodation_suitable", "pathway_plan_review_on"),
            *("phone", "email", "address", "postcode", "is_safe_address"),
        ]
        labels = {
            "preferred_name": "Preferred name",
            "reference": "Reference",
            "eligibility": "Eligibility",
            "died_on": "Date of death",
            "pathway_plan_review_on": "Last pathway plan review",
            "phone": "Phone",
            "email": "Email address",
            "is_safe_address": "Keep this address safe",
        }
        help_texts = {
            "preferred_name": "What the young person likes to be called. The pantry sees it if they agree.",
            "reference": "The Child Unique ID of the council’s case system.",
            "died_on": "If it is known.",
            "is_safe_address": "The address is then left out of every page, list and file.",
            "address": "Leave out the postcode.",
        }
        widgets = {
            "preferred_name": width(20, spellcheck="false"),
            "surname": width(20, spellcheck="false"),
            "reference": width(10, spellcheck="false"),
            "team": width(20),
            "phone": width(20, inputmode="tel"),
            "email": forms.EmailInput(attrs={"class": "govuk-input--width-20", "autocomplete": "off"}),
            "address": forms.TextInput(attrs={"autocomplete": "off"}),
            "postcode": width(10, spellcheck="false"),
        }

    def __init__(self, *args, user: User, today: date, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.user, self.today = user, today
        self.twins: list[CareLeaver] = []
        self.is_new = self.instance._state.adding
        self.keeps_address = self.instance.is_safe_address and not self.is_new
        self.fields["preferred_name"].required = self.is_new or bool(self.instance.preferred_name)
        if self.keeps_address:
            self.initial.update({"address": "", "postcode": ""})
            self.fields[
                "address"
            ].help_text = "Kept safe and not shown. Type a new one to replace it, or leave it empty."
        contact = Fieldset("Contact", "phone", "email", "address", "postcode", "is_safe_address")
        who = Fieldset("Who", "preferred_name", "surname", "born_on", "reference")
        support = ["eligibility", "team", "in_touch"]
        if self.instance.has_died:
            support[-1] = "died_on"
            del self.fields["in_touch"]
        else:
            # A death is recorded on a page of its own, where what it stops is shown first.
            self.fields["in_touch"].choices = [c for c in self.fields["in_touch"].choices if c[0] != InTouch.DIED]
            del self.fields["died_on"]
        if self.is_new and user.role == Role.LEAVING_CARE_MANAGER:
            self.fields["advisor"].queryset = allocations.advisors_for(user)
            support.append("advisor")
        else:
            del self.fields["advisor"]
        self.helper = helper(
            who,
            Fieldset("Support", *support, "pathway_plan_review_on"),
            Fieldset("Home", "accommodation", "accommodation_suitable"),
            contact,
            submit="Add this young person" if self.is_new else "Save",
            cancel=cancel,
        )

    def clean_preferred_name(self):
        return " ".join(self.cleaned_data["preferred_name"].split())

    def clean_surname(self):
        return " ".join(self.cleaned_data["surname"].split())

    def clean_reference(self):
        return "".join(self.cleaned_data["reference"].split())

    def clean_born_on(self):
        born = self.cleaned_data["born_on"]
        if born != self.instance.born_on and (why_not := rules.why_not_born_on(born, self.today)):
            raise ValidationError(f"Date of birth {why_not}")
        return born

    def clean_postcode(self):
        tidy = rules.tidy_postcode(self.cleaned_data["postcode"])
        if tidy is None:
            raise ValidationError("Postcode must be a full one, like SK1 1AA")
        return tidy

    def clean(self):
        data = super().clean()
        if {"born_on", "preferred_name"} <= data.keys() and (
            self.is_new or {"born_on", "preferred_name", "surname"} & set(self.changed_data)
        ):
            name = f"{data['preferred_name']} {data.get('surname', '')}".strip()
            self.twins = people.likely_the_same(
                council=self.user.organisation,
                born_on=data["born_on"],
                full_name=name,
                except_for=None if self.is_new else self.instance,
            )
        if self.twins and data.get("reference") in {twin.reference for twin in self.twins}:
            self.add_error("reference", "This reference already belongs to someone in the scheme")
        elif self.twins and not data.get("different_person"):
            self.add_error("different_person", "Somebody with this date of birth and a similar name is already here")
        if self.twins:
            self.helper.layout.fields.insert(0, "different_person")
        return data

    def _post_clean(self):
        """Validates nothing more: services compare with what is stored, so the instance stays as it is."""

    def facts(self) -> dict:
        """What the service is told: everything when adding, otherwise what was changed here."""
        names = [name for name in self.Meta.fields if name in self.fields]
        if not self.is_new:
            names = [name for name in names if name in self.changed_data]
        if self.keeps_address:
            names = [name for name in names if name not in ("address", "postcode") or self.cleaned_data[name]]
        return {name: self.cleaned_data[name] for name in names}


class AllocateForm(Form):
    advisor: forms.ModelChoiceField = forms.ModelChoiceField(
        label="Personal advisor", queryset=None, empty_label="Choose an advisor"
    )
    on = DayField(label="From which day?")

    def __init__(self, *args, user: User, transfers: bool, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        advisor = self.fields["advisor"]
        advisor.queryset = allocations.advisors_for(user)
        advisor.label_from_instance = caseload_label
        self.helper = helper("advisor", "on", submit="Transfer" if transfers else "Allocate", cancel=cancel)


def caseload_label(advisor) -> str:
    """An advisor of `advisors_for` with the number of young people they have."""
    held = f"{advisor.held} young {'person' if advisor.held == 1 else 'people'}" if advisor.held else "nobody yet"
    return f"{advisor.name} ({held}{'' if advisor.joined_at else ', has not joined yet'})"


class CoverForm(Form):
    advisor: forms.ModelChoiceField = forms.ModelChoiceField(
        label="Who covers?", queryset=None, empty_label="Choose an advisor"
    )
    from_on = DayField(label="First day")
    until_on = DayField(label="Last day")

    def __init__(self, *args, user: User, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["advisor"].queryset = allocations.advisors_for(user)
        self.fields["advisor"].label_from_instance = caseload_label
        self.helper = helper("advisor", "from_on", "until_on", submit="Give cover", cancel=cancel)


class _CaseloadForm(Form):
    """Who takes over, and the ticked young people of one caseload; everybody is ticked at first."""

    to: forms.ModelChoiceField = forms.ModelChoiceField(
        label="Which advisor?", queryset=None, empty_label="Choose an advisor"
    )
    people: forms.ModelMultipleChoiceField = forms.ModelMultipleChoiceField(
        label="Which young people?",
        queryset=None,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "govuk-checkboxes--small hubs-choice-columns"}),
        error_messages={"required": "Tick at least one young person"},
    )
    days: tuple[str, ...] = ()
    submit = "Continue"

    def __init__(self, *args, user: User, of: User, people: list[CareLeaver], cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        to, who = self.fields["to"], self.fields["people"]
        to.queryset = allocations.advisors_for(user).exclude(pk=of.pk)
        to.label_from_instance = caseload_label
        who.queryset = CareLeaver.objects.for_user(user).filter(pk__in=[person.pk for person in people])
        who.choices = [(str(person.pk), f"{person.full_name}, {person.reference}") for person in people]
        self.initial["people"] = [str(person.pk) for person in people]
        self.helper = helper("to", *self.days, "people", submit=self.submit, cancel=cancel)

    @property
    def answers(self) -> dict:
        """What the service takes."""
        data = self.cleaned_data
        return {"to": data["to"], "people": list(data["people"]), **{name: data[name] for name in self.days}}


class CaseloadTransferForm(_CaseloadForm):
    on = DayField(label="From which day?")
    days = ("on",)


class CaseloadCoverForm(_CaseloadForm):
    from_on = DayField(label="First day")
    until_on = DayField(label="Last day")
    days = ("from_on", "until_on")


class CohortMoveForm(Form):
    """The next step of a cohort place and its day; one possible step needs no question."""

    state = forms.ChoiceField(label="What did the young person answer?", widget=forms.RadioSelect)
    on = DayField(label="On which day?")

    def __init__(self, *args, states: tuple[str, ...], cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = [(state, CohortPlace.State(state).label) for state in states]
        if len(states) == 1:
            self.fields["state"].widget = forms.HiddenInput()
            self.initial["state"] = states[0]
        self.fields["state"].choice_hints = {"no_reply": "An introduction may be offered again later."}
        self.helper = helper("state", "on", cancel=cancel)


SHOW = {
    "": "Everyone",
    "waiting_for_name": "Waiting for a name",
    "to_allocate": "To allocate",
    "cohort": "In the cohort",
    "not_cohort": "Not in the cohort",
    "wellbeing": "Wellbeing questions due",
}


class FilterForm(Form):
    """Managers choose an advisor too; advisors see their own people."""

    mark_optional = False
    show = forms.ChoiceField(label="Show", required=False, choices=list(SHOW.items()))
    advisor = ShortChoiceField(label="Personal advisor", empty_label="Any")

    def __init__(self, *args, user: User, **kwargs):
        super().__init__(*args, **kwargs)
        if user.role == Role.LEAVING_CARE_MANAGER:
            self.fields["advisor"].offer(
                allocations.advisors_of(user),
                chosen=self.data.get("advisor"),
                more="Somebody else: hand over or cover a whole caseload, then follow their number of young people.",
            )
        else:
            del self.fields["advisor"]
            self.fields["show"].choices = [
                (k, v) for k, v in SHOW.items() if k in ("", "waiting_for_name", "cohort", "wellbeing")
            ]


def person_url(name: str, person: CareLeaver) -> str:
    return reverse(f"careleavers:{name}", args=[person.pk])
