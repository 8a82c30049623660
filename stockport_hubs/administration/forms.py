"""Forms of the account pages: they validate, services save."""

from crispy_forms.layout import Fieldset
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.urls import reverse

from stockport_hubs.accounts.models import PANTRY_ROLES, Organisation, Role, User, organisation_kind
from stockport_hubs.core.forms import Form, ModelForm, helper

ROLE_HINTS = {
    Role.PERSONAL_ADVISOR: "Council. Own young people: introductions, agreement to share, barriers.",
    Role.LEAVING_CARE_MANAGER: "Council. Everyone in the scheme: allocation, cohort, renewals, meetings and packs.",
    Role.FINANCE_OFFICER: "Council. Money by membership number, without names.",
    Role.PANTRY_VOLUNTEER: "Pantry operator. Today’s sessions at their own pantries.",
    Role.PANTRY_MANAGER: "Pantry operator. Introductions, members, sessions and volunteers of the organisation.",
    Role.ADMINISTRATOR: "Council. Accounts and organisations, nothing about young people.",
}
PHONE = forms.TextInput(attrs={"class": "govuk-input--width-20", "autocomplete": "off"})


class AccountFields(Form):
    name = forms.CharField(label="Full name", max_length=120)
    work_phone = forms.CharField(label="Work phone", max_length=30, required=False, widget=PHONE)

    def clean_name(self):
        return " ".join(self.cleaned_data["name"].split())


class CorrectForm(AccountFields):
    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("name", "work_phone", cancel=cancel)


class Placed(Form):
    """Role and organisation, which must fit each other."""

    role = forms.ChoiceField(label="Role", choices=Role.choices, widget=forms.RadioSelect)
    organisation: forms.ModelChoiceField = forms.ModelChoiceField(
        label="Organisation", queryset=None, empty_label="Choose an organisation"
    )

    def __init__(self, *args, user: User, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["role"].choice_hints = ROLE_HINTS
        self.fields["organisation"].queryset = Organisation.objects.for_user(user).order_by("name")

    def clean(self):
        role, organisation = self.cleaned_data.get("role"), self.cleaned_data.get("organisation")
        if role and organisation and organisation_kind(role) != organisation.kind:
            kind = "a pantry operator" if role in PANTRY_ROLES else "a council"
            self.add_error("organisation", f"Choose {kind} for the role {Role(role).label.lower()}")
        return self.cleaned_data


class MoveForm(Placed):
    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("role", "organisation", submit="Change the account", cancel=cancel)


class InviteForm(Placed, AccountFields):
    """For administrators with role and organisation; a pantry manager invites volunteers of their own organisation."""

    email = forms.EmailField(label="Work email address", max_length=254, help_text="The invitation goes to it.")
    field_order = ["name", "email", "work_phone", "role", "organisation"]

    def __init__(self, *args, user: User, **kwargs):
        super().__init__(*args, user=user, **kwargs)
        fields = ["name", "email", "work_phone"]
        if user.role == Role.ADMINISTRATOR:
            fields += ["role", "organisation"]
        else:
            del self.fields["role"], self.fields["organisation"]
        self.helper = helper(*fields, submit="Send the invitation", cancel=reverse("accounts:list"))

    def clean(self):
        if self.user.role != Role.ADMINISTRATOR:
            self.cleaned_data |= {"role": Role.PANTRY_VOLUNTEER, "organisation": self.user.organisation}
        return super().clean()


class JoinForm(Form):
    """Name and password twice; the address is the invited one whatever is posted."""

    email = forms.EmailField(
        label="Email address",
        disabled=True,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
    )
    name = forms.CharField(
        label="Full name", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name", "spellcheck": "false"})
    )
    password = forms.CharField(
        label="Password",
        max_length=128,
        strip=False,
        help_text="At least 12 characters. Three words that only you would put together work well.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password_again = forms.CharField(
        label="Password again",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args, user: User, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial = {"email": user.email, "name": user.name}
        self.user = user
        self.helper = helper("email", "name", "password", "password_again", submit="Join and sign in")

    def clean_name(self):
        return " ".join(self.cleaned_data["name"].split())

    def clean_password(self):
        password = self.cleaned_data["password"]
        validate_password(password, User(email=self.user.email, name=self.cleaned_data.get("name", "")))
        return password

    def clean_password_again(self):
        again = self.cleaned_data["password_again"]
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise ValidationError("The two passwords must be the same")
        return again


class OrganisationForm(ModelForm):
    class Meta:
        model = Organisation
        fields = ["name", "kind"]
        labels = {"name": "Name of the organisation", "kind": "What it does"}
        widgets = {"kind": forms.RadioSelect}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = Organisation.Kind.choices
        self.fields["kind"].choice_hints = {
            Organisation.Kind.COUNCIL: "Pays for places and supports young people.",
            Organisation.Kind.OPERATOR: "Runs pantries.",
        }
        self.helper = helper(
            Fieldset("", "name", "kind"), submit="Add the organisation", cancel=reverse("accounts:organisations")
        )


class FilterForm(Form):
    mark_optional = False
    role = forms.ChoiceField(label="Role", required=False, choices=[("", "All roles"), *Role.choices])
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "All"), ("active", "Active"), ("invited", "Invited"), ("deactivated", "Deactivated")],
    )
