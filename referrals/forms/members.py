"""Forms about a member the council introduced, and about the agreement to share afterwards."""

from datetime import date

from django import forms

from careleavers.models import SharingAgreement
from pantry.models import Membership
from referrals import rules
from referrals.models import FollowUp, Pause
from stockport_hubs.core.forms import DayField, Form, helper
from stockport_hubs.core.weeks import WEEK, monday

Outcome = FollowUp.Outcome


class _OneDay(Form):
    """A form with a `cancel` link and a button."""

    submit = "Save"
    warning = False

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        css = "govuk-button--warning" if self.warning else ""
        self.helper = helper(*self.fields, submit=self.submit, cancel=cancel, css_class=css)


class PauseForm(_OneDay):
    submit = "Pause"
    reason = forms.ChoiceField(
        label="Why?",
        choices=Pause.Reason.choices,
        widget=forms.RadioSelect,
        help_text="For the council only. The pantry sees that the membership is paused, and never why.",
        error_messages={"required": "Choose why it is paused"},
    )
    on = DayField(label="From which day?", help_text="Today or up to 28 days back.")


class BackForm(_OneDay):
    submit = "Resume"
    on = DayField(label="From which day can they shop again?", help_text="Today or up to 28 days back.")


class LeaveForm(_OneDay):
    submit = "Continue"
    reason = forms.ChoiceField(
        label="What happened?",
        choices=[
            (Membership.EndReason.LEFT.value, "They do not want the place any more"),
            (Membership.EndReason.MOVED_AWAY.value, "They have moved away"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what happened"},
    )
    on = DayField(label="Last day", help_text="Today or up to 28 days back. Weeks that begin later are credited.")


class MoveForm(_OneDay):
    submit = "Move"
    pantry = forms.ChoiceField(
        label="To which pantry?", widget=forms.RadioSelect, error_messages={"required": "Choose a pantry"}
    )
    from_week = forms.TypedChoiceField(label="From which week?", coerce=date.fromisoformat)

    def __init__(self, *args, pantries, on: date, **kwargs):
        super().__init__(*args, **kwargs)
        self.pantries = {str(choice.pantry.pk): choice for choice in pantries}
        pantry = self.fields["pantry"]
        pantry.choices = [(key, choice.pantry.name) for key, choice in self.pantries.items()]
        pantry.choice_hints = {key: choice.hint for key, choice in self.pantries.items()}
        mondays = [monday(on) + WEEK * n for n in range(1, rules.WEEKS_AHEAD + 1)]
        self.fields["from_week"].choices = [(day.isoformat(), f"Week of {day:%-d %B %Y}") for day in mondays]

    @property
    def answers(self) -> dict:
        """What `services.move` takes."""
        return {
            "pantry": self.pantries[self.cleaned_data["pantry"]].pantry,
            "from_week": self.cleaned_data["from_week"],
        }


class FollowUpForm(_OneDay):
    submit = "Continue"
    outcome = forms.ChoiceField(
        label="What did you find out?",
        choices=Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what you found out"},
    )
    look_again_on = DayField(
        label="When should we ask you again?", required=False, help_text="Only if they will come; within 8 weeks."
    )
    note = forms.CharField(
        label="Why will they not come?",
        required=False,
        max_length=200,
        help_text="Only if they will not come. For the council only; the pantry is not told why.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["outcome"].choice_hints = {
            Outcome.WILL_COME.value: "You are asked again on the day you say.",
            Outcome.CAME.value: "You are not asked again. Tell the pantry, so that they can enter the visit.",
            Outcome.WILL_NOT_COME.value: "The membership ends, and the next page shows what is credited.",
        }

    def clean(self):
        data = super().clean()
        day_is_missing = "look_again_on" not in self.errors and not data.get("look_again_on")
        if data.get("outcome") == Outcome.WILL_COME and day_is_missing:
            self.add_error("look_again_on", "Enter the day on which we should ask you again")
        if data.get("outcome") == Outcome.WILL_NOT_COME and not data.get("note"):
            self.add_error("note", "Write why they will not come")
        return data


class WithdrawAgreementForm(_OneDay):
    submit = "Continue"
    on = DayField(label="On which day did they tell you?")
    how = forms.ChoiceField(
        label="How did they tell you?",
        choices=SharingAgreement.HowGiven.choices,
        widget=forms.RadioSelect(attrs={"class": "govuk-radios--inline"}),
        error_messages={"required": "Choose how they told you"},
    )
    stops = forms.ChoiceField(
        label="Do they want to stop going to the pantry as well?",
        choices=[("no", "No, they go on under their number alone"), ("yes", "Yes, they want to stop")],
        widget=forms.RadioSelect,
        help_text="It is their choice, and a separate one.",
        error_messages={"required": "Choose whether they want to stop as well"},
    )

    def __init__(self, *args, is_member: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not is_member:
            del self.fields["stops"]
            self.helper.layout.fields.remove("stops")

    @property
    def answers(self) -> dict:
        """What `services.withdraw_agreement` takes."""
        data = self.cleaned_data
        return {"on": data["on"], "how": data["how"], "stops": data.get("stops") == "yes"}


class DiedForm(_OneDay):
    submit = "Continue"
    warning = True
    died_on = DayField(
        label="On which day did they die?", required=False, help_text="Leave it empty if it is not known."
    )


class CorrectDeathForm(_OneDay):
    submit = "They are alive: correct the record"
    because = forms.CharField(
        label="Why was this a mistake?",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with your name and the day.",
    )
