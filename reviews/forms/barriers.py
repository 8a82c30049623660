"""Forms of barriers and actions."""

from django import forms
from django.core.exceptions import ValidationError

from careleavers.models import CareLeaver
from pantry.models import FundingAgreement, Pantry
from reviews import rules
from reviews.models import CATEGORIES_FOR_BOTH, BarrierCategory, BarrierState
from reviews.services.barriers import councils, operator_of, owners
from stockport_hubs.core import clock
from stockport_hubs.core.forms import DayField, Form, helper

FOR_BOTH = "Both organisations read this. Do not name a young person."


class Owners(forms.ModelChoiceField):
    """Staff of both organisations, told apart."""

    def label_from_instance(self, obj):
        return f"{obj.name}, {obj.organisation.name}"


def not_past(day):
    if day < clock.today():
        raise ValidationError("The day must be today or later")


def not_future(day):
    if day > clock.today():
        raise ValidationError("The day must not be in the future")


class BarrierForm(Form):
    """What stands in the way: of the young person named by the address, or at a pantry."""

    council: forms.ModelChoiceField = forms.ModelChoiceField(label="Which council’s scheme is it about?", queryset=None)
    pantry: forms.ModelChoiceField = forms.ModelChoiceField(
        label="Which pantry?", queryset=None, empty_label="Choose a pantry"
    )
    category = forms.ChoiceField(label="What stands in the way?", choices=BarrierCategory, widget=forms.RadioSelect)
    note = forms.CharField(label="What you know about it", widget=forms.Textarea, max_length=2000, required=False)
    owner = Owners(label="Who looks after it?", queryset=None, empty_label="Choose someone")
    raised_on = DayField(label="When did it come up?", validators=[not_future])
    due_on = DayField(label="When should something have happened?", required=False, validators=[not_past])

    def __init__(self, *args, user, person: CareLeaver | None, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        found, pantries = councils(user), Pantry.objects.for_user(user)
        if user.is_council:  # what is recorded about a pantry is read by its operator
            pantries = pantries.filter(operator__in=FundingAgreement.objects.for_user(user).values("operator"))
        self.fields["council"].queryset = found
        self.fields["pantry"].queryset = pantries
        self.initial.setdefault("raised_on", clock.today())
        operator_id = None
        if person is not None:
            del self.fields["pantry"]
            self.fields["note"].help_text = "The Leaving Care Team reads this. Stockport Homes sees counts only."
        else:
            self.fields["category"].choices = CATEGORIES_FOR_BOTH
            operator_id = user.organisation_id if not user.is_council else self._operator(pantries)
            self.fields["note"].help_text = FOR_BOTH
        only = list(found[:2])
        council_id = only[0].pk if len(only) == 1 else self.data.get("council") or None
        if len(only) == 1:
            self.fields["council"].initial = only[0].pk
            self.fields["council"].widget = forms.HiddenInput()
        self.fields["owner"].queryset = owners(council_id=_uuid(council_id), operator_id=operator_id)
        if user.pk:
            self.initial.setdefault("owner", user.pk)
        self.helper = helper(*self.fields, submit="Record the barrier", cancel=cancel)

    def _operator(self, pantries):
        chosen = _uuid(self.data.get("pantry")) if self.is_bound else None
        found = pantries.filter(pk=chosen).first() if chosen else pantries.first()
        return found.operator_id if found else None


def _uuid(value):
    try:
        return forms.UUIDField().to_python(str(value)) if value else None
    except ValidationError:
        return None


class BarrierMoveForm(Form):
    """What happened, who has it now, and whether that closes it."""

    state = forms.ChoiceField(label="How does it stand now?", widget=forms.RadioSelect)
    note = forms.CharField(label="What was tried or agreed", widget=forms.Textarea, max_length=300, required=False)
    owner = Owners(label="Who looks after it?", queryset=None, empty_label=None)
    due_on = DayField(label="When should something have happened?", required=False, validators=[not_past])

    def __init__(self, *args, barrier, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = [
            (state, BarrierState(state).label) for state in rules.BARRIER_MOVES[barrier.state]
        ]
        self.fields["note"].help_text = "Needed when it will not be resolved."
        self.fields["due_on"].help_text = "Leave empty to keep the day as it is."
        self.fields["owner"].queryset = owners(council_id=barrier.council_id, operator_id=operator_of(barrier))
        self.initial.setdefault("owner", barrier.owner_id)
        self.helper = helper("state", "note", "owner", "due_on", submit="Save", cancel=cancel)

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("state") == BarrierState.WILL_NOT and "note" in cleaned and not cleaned["note"]:
            self.add_error("note", "Say why it will not be resolved")
        return cleaned


class ActionForm(Form):
    """Something to do, by someone, by a day."""

    what = forms.CharField(label="What is to be done?", max_length=300)
    owner = Owners(label="By whom?", queryset=None, empty_label="Choose someone")
    due_on = DayField(label="By when?", validators=[not_past])

    def __init__(self, *args, council_id, operator_id, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["owner"].queryset = owners(council_id=council_id, operator_id=operator_id)
        if operator_id is not None:
            self.fields["what"].help_text = FOR_BOTH
        self.helper = helper("what", "owner", "due_on", submit="Add the action", cancel=cancel)
