"""Forms of an introduction."""

from datetime import date

from crispy_forms.layout import HTML, Fieldset
from django import forms

from careleavers.models import SharingAgreement
from pantry import wording
from referrals import facts, rules
from referrals.models import Referral
from referrals.pantries import nearest_suitable
from stockport_hubs.accounts.models import User
from stockport_hubs.core import needs
from stockport_hubs.core.forms import DayField, Form, helper

NARROW = {"class": "govuk-input--width-20"}
NOTES = ("other_pantry_reason", "pantry_needs_to_know", "why", "goes_along")


def yes_no(label: str, **kwargs) -> forms.TypedChoiceField:
    """A question answered by yes or no; nothing is ticked beforehand."""
    return forms.TypedChoiceField(
        label=label,
        choices=[("yes", "Yes"), ("no", "No")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect(attrs={"class": "govuk-radios--inline"}),
        **kwargs,
    )


class AgreementForm(Form):
    """What the young person agreed to share, and how they were asked."""

    privacy_notice_on = DayField(
        label="Privacy notice given on", error_messages={"required": "Enter the day the privacy notice was given"}
    )
    given_on = DayField(label="Agreement given on", error_messages={"required": "Enter the day they agreed"})
    how_given = forms.ChoiceField(
        label="How did they agree?",
        error_messages={"required": "Choose how they agreed"},
        choices=SharingAgreement.HowGiven.choices,
        widget=forms.RadioSelect(attrs={"class": "govuk-radios--inline"}),
    )
    advocacy = forms.BooleanField(
        label="They were told about advocacy",
        required=False,
        help_text="That somebody independent can help them to be heard.",
    )
    share_name = yes_no(
        "May the pantry know their preferred name?",
        help_text="If not, the pantry knows them by a number only.",
        error_messages={"required": "Choose whether the pantry may know their preferred name"},
    )
    allergens = forms.MultipleChoiceField(
        label="Allergies they want the pantry to know",
        required=False,
        choices=list(needs.ALLERGENS.items()),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "govuk-checkboxes--small hubs-choice-columns"}),
    )
    diet = forms.CharField(
        label="Diet",
        required=False,
        max_length=60,
        help_text="For example: halal, vegetarian.",
        widget=forms.TextInput(attrs=NARROW),
        validators=[wording.validate],
    )
    language = forms.CharField(
        label="Interpreter needed for",
        required=False,
        max_length=60,
        help_text="A language.",
        widget=forms.TextInput(attrs=NARROW),
        validators=[wording.validate],
    )
    no_cooking = forms.BooleanField(label="They have no cooking facilities", required=False)

    def __init__(self, *args, on: date, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.on = on
        self.helper = helper(
            Fieldset("How they were asked", "privacy_notice_on", "given_on", "how_given", "advocacy"),
            Fieldset(
                "What the pantry may know",
                HTML(
                    '<p class="govuk-body">Only what they said yes to. Leave the rest empty: nothing else about them '
                    "is shared.</p>"
                ),
                "share_name",
                "allergens",
                "diet",
                "language",
                "no_cooking",
            ),
            submit="Save and continue",
            cancel=cancel,
        )

    def _not_later(self, name: str) -> date:
        day = self.cleaned_data[name]
        if day > self.on:
            raise forms.ValidationError(f"{self.fields[name].label} must be today or earlier")
        return day

    def clean_privacy_notice_on(self):
        return self._not_later("privacy_notice_on")

    def clean_given_on(self):
        return self._not_later("given_on")

    def clean(self):
        data = super().clean()
        notice, given = data.get("privacy_notice_on"), data.get("given_on")
        if notice and given and notice > given:
            self.add_error("privacy_notice_on", "The privacy notice must come on or before the day they agreed")
        return data

    @property
    def items(self) -> list[tuple[str, str]]:
        """(kind, value) of what they agreed to share."""
        data = self.cleaned_data
        shared = [("allergen", allergen) for allergen in data["allergens"]]
        shared += [(kind, data[kind].strip()) for kind in ("diet", "language") if data[kind].strip()]
        return shared + ([("no_cooking", "")] if data["no_cooking"] else [])


class PlaceForm(Form):
    """Pantry, first week, who pays, and the three notes."""

    pantry = forms.ChoiceField(
        label="Which pantry?", widget=forms.RadioSelect, error_messages={"required": "Choose a pantry"}
    )
    other_pantry_reason = forms.CharField(
        label="Why not the nearest?",
        required=False,
        max_length=200,
    )
    first_week = forms.TypedChoiceField(
        label="First week",
        required=False,
        coerce=date.fromisoformat,
        empty_value=None,
        help_text="As soon as the pantry opens, unless they would rather start later.",
    )
    agreement = forms.ChoiceField(label="Who pays?", widget=forms.RadioSelect)
    pantry_needs_to_know = forms.CharField(
        label="What the pantry needs to know",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="This is what the pantry reads. Only what they agreed to share; never why they are introduced.",
        validators=[wording.validate],
    )
    why = forms.CharField(
        label="Why this young person",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For the council only; the pantry never sees it.",
    )
    goes_along = forms.CharField(
        label="Who goes along the first time",
        required=False,
        max_length=120,
        widget=forms.TextInput(attrs=NARROW),
        help_text="For example: nobody, a friend, me. For the council only.",
    )

    def __init__(self, *args, pantries, agreements, on: date, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.pantries = {str(choice.pantry.pk): choice for choice in pantries}
        self.agreements = {str(agreement.pk): agreement for agreement in agreements}
        pantry, agreement = self.fields["pantry"], self.fields["agreement"]
        pantry.choices = [(key, choice.pantry.name) for key, choice in self.pantries.items()]
        pantry.choice_hints = {key: choice.hint for key, choice in self.pantries.items()}
        self.nearest = nearest_suitable(list(self.pantries.values()))
        if self.nearest:
            self.fields["other_pantry_reason"].help_text = (
                f"Only if you choose another than {self.nearest.pantry}, the nearest with free places. For the council "
                "only. For example: on their way to college, a friend goes there."
            )
        else:
            del self.fields["other_pantry_reason"]
        agreement.choices = [(key, each.name) for key, each in self.agreements.items()]
        if len(self.agreements) == 1:
            # Nothing to choose: the only agreement pays, and the page says so.
            agreement.widget = forms.HiddenInput()
            agreement.initial = self.initial["agreement"] = next(iter(self.agreements))
        mondays = rules.first_weeks(on)
        self.fields["first_week"].choices = [
            ("", "The first week the pantry opens"),
            *((day.isoformat(), f"Week of {day:%-d %B %Y}") for day in mondays),
        ]
        self.helper = helper(*self.fields, submit="Save and continue", cancel=cancel)

    def clean(self):
        data = super().clean()
        choice, agreement = self.pantries.get(data.get("pantry", "")), self.agreements.get(data.get("agreement", ""))
        if choice and agreement and choice.pantry.operator_id != agreement.operator_id:
            self.add_error("agreement", f"{agreement.name} does not pay for places at {choice.pantry}")
        if (
            choice
            and self.nearest
            and choice.metres != self.nearest.metres
            and "other_pantry_reason" not in self.errors
        ):
            if not data.get("other_pantry_reason"):
                nearest = f"{self.nearest.pantry}, the nearest pantry with free places"
                self.add_error("other_pantry_reason", f"Write why it is not {nearest}")
        elif "other_pantry_reason" in data:
            data["other_pantry_reason"] = ""  # it is the nearest
        return data

    @property
    def answers(self) -> dict:
        """What `services.fill` takes."""
        data = self.cleaned_data
        notes = {name: data.get(name, "") for name in NOTES}
        return {
            "pantry": self.pantries[data["pantry"]].pantry,
            "agreement": self.agreements[data["agreement"]],
            "first_week": data["first_week"],
            **notes,
        }


ACCEPT, WAIT, ASK, DECLINE = "accept", "wait", "ask", "decline"


class AnswerForm(Form):
    """The pantry's answer; one page without script, so every answer's fields are always there."""

    mark_optional = False
    answer = forms.ChoiceField(
        label="What is your answer?", widget=forms.RadioSelect, error_messages={"required": "Choose your answer"}
    )
    reason = forms.ChoiceField(
        label="Reason",
        required=False,
        choices=[("", "Choose a reason"), *Referral.DeclineReason.choices],
        help_text="Only if you decline.",
    )
    waiting_reason = forms.ChoiceField(
        label="Why they have to wait",
        required=False,
        choices=Referral.WaitingReason.choices,
        initial=Referral.WaitingReason.FULL,
        help_text="Only if you put them on the waiting list. The advisor reads it.",
    )
    number = forms.IntegerField(
        label="Member number",
        required=False,
        min_value=1,
        max_value=99_999_999,
        help_text="Only if they are a member here already.",
    )
    note = forms.CharField(
        label="Note for the advisor",
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Your question, or anything they should know.",
    )

    def __init__(self, *args, waiting: bool, asked: bool, **kwargs):
        super().__init__(*args, **kwargs)
        hints = {
            ACCEPT: "They become a member and the first block of weeks is bought.",
            WAIT: "No place yet. The advisor sees that they are waiting.",
            ASK: "The advisor answers, and the introduction comes back to you.",
            DECLINE: "Give a reason. You will keep the reference and the outcome only.",
        }
        offered = [(ACCEPT, "Accept")]
        if waiting:
            del self.fields["waiting_reason"]
        else:
            offered += [(WAIT, "Put on the waiting list")]
        if not waiting and not asked:
            offered += [(ASK, "Ask the advisor something")]
        answer = self.fields["answer"]
        answer.choices = [*offered, (DECLINE, "Decline")]
        answer.choice_hints = hints

    def clean(self):
        data = super().clean()
        answer = data.get("answer")
        if answer == ASK and not data.get("note"):
            self.add_error("note", "Write your question to the advisor")
        if answer == WAIT and data.get("waiting_reason") == Referral.WaitingReason.OTHER and not data.get("note"):
            self.add_error("note", "Write in the note why they have to wait")
        if answer == DECLINE and "reason" not in self.errors:
            if not data.get("reason"):
                self.add_error("reason", "Choose why you decline")
            elif data["reason"] == Referral.DeclineReason.ALREADY_MEMBER and not data.get("number"):
                self.add_error("number", "Enter the number of the member who is here already")
            elif data["reason"] == Referral.DeclineReason.OTHER and not data.get("note"):
                self.add_error("note", "Write the reason in the note")
        return data


class ReplyForm(Form):
    note = forms.CharField(
        label="Your answer to the pantry",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="This is what the pantry reads.",
    )


class WithdrawForm(Form):
    reason = forms.CharField(
        label="Why is it withdrawn?", max_length=200, help_text="For the council only; the pantry is told the outcome."
    )


class FilterForm(Form):
    """Filters of the list."""

    mark_optional = False
    state = forms.ChoiceField(label="State", required=False)

    def __init__(self, *args, user: User, **kwargs):
        super().__init__(*args, **kwargs)
        states = Referral.State.choices
        if not user.is_council:
            states = [(state, facts.TO_PANTRY.get(state, label)) for state, label in states if state != rules.DRAFT]
        followed = [("not_taken_up", "Not taken up")] if user.is_council else []
        self.fields["state"].choices = [("", "All"), ("to_answer", "Without an outcome"), *followed, *states]
