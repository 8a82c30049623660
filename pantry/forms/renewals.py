"""The decision about a held renewal."""

from datetime import date

from django import forms

from pantry.models import RenewalDecision
from stockport_hubs.core import weeks
from stockport_hubs.core.forms import DayField, Form, helper

Outcome = RenewalDecision.Outcome


class DecisionForm(Form):
    """Renew, the member pays from a week, or stop."""

    outcome = forms.ChoiceField(
        label="What happens next?",
        choices=[
            (Outcome.RENEWED, "Renew: buy the next block"),
            (Outcome.SELF_PAY, "The member pays each week"),
            (Outcome.STOPPED, "Stop: buy no more"),
        ],
        widget=forms.RadioSelect,
    )
    weeks = forms.IntegerField(
        label="How many weeks?",
        required=False,
        min_value=1,
        max_value=26,
        help_text="Only to buy fewer than a whole block: 1 to 26.",
    )
    self_pay_from = DayField(
        label="The member pays from which Monday?", required=False, help_text="Only if the member pays each week."
    )
    note = forms.CharField(
        label="Note",
        required=False,
        max_length=200,
        help_text="Council staff read it. Do not write why someone is away.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args, starts_on: date, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.starts_on = starts_on
        hints = {
            Outcome.SELF_PAY: "They go on shopping and pay the charge at the counter.",
            Outcome.STOPPED: "They may go on shopping until they leave; nothing is bought.",
        }
        setattr(self.fields["outcome"], "choice_hints", hints)  # noqa: B010 - the field template reads it
        self.helper = helper("outcome", "weeks", "self_pay_from", "note", submit="Continue", cancel=cancel)

    def clean(self):
        super().clean()
        cleaned = self.cleaned_data
        if cleaned.get("outcome") != Outcome.RENEWED:
            cleaned["weeks"] = None
        if cleaned.get("outcome") != Outcome.SELF_PAY:
            cleaned["self_pay_from"] = None
        elif "self_pay_from" not in self.errors:
            start = cleaned.get("self_pay_from")
            if start is None:
                self.add_error("self_pay_from", f"Enter the Monday, for example {self.starts_on:%-d %B %Y}")
            elif not weeks.is_monday(start):
                self.add_error(
                    "self_pay_from", f"Enter a Monday. That week’s Monday is {weeks.monday(start):%-d %B %Y}"
                )
            elif start < self.starts_on:
                self.add_error(
                    "self_pay_from",
                    f"Weeks before {self.starts_on:%-d %B %Y} are paid for. Enter that Monday or a later one",
                )
        return cleaned
