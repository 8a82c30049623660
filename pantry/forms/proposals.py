"""What is proposed for a second person, and the answer."""

from django import forms

from pantry.models import PaidWeek
from pantry.services.corrections import WAYS
from stockport_hubs.core import weeks
from stockport_hubs.core.forms import DayField, Form, PoundsField, helper
from stockport_hubs.core.money import pounds

MOST = 10_000_000_00


def note_field() -> forms.CharField:
    return forms.CharField(
        label="Why?",
        max_length=200,
        help_text="Council staff read it. Do not write a name, or why someone is away.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class GoodwillForm(Form):
    """How many weeks are given."""

    weeks = forms.IntegerField(label="How many weeks?", help_text="1 to 26.", min_value=1, max_value=26)
    note = note_field()

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("weeks", "note", submit="Continue", cancel=cancel)


class CreditForm(Form):
    """Which weeks go back as credit."""

    weeks = forms.MultipleChoiceField(label="Which weeks?", widget=forms.CheckboxSelectMultiple)
    note = note_field()

    def __init__(self, *args, there: list[PaidWeek], cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        choices = [
            (f"{row.week}", f"Week of {weeks.spoken(row.week)}, {pounds(row.pence)}") for row in there if row.week
        ]
        self.fields["weeks"].choices = choices[::-1]
        self.helper = helper("weeks", "note", submit="Continue", cancel=cancel)


class BackDateForm(Form):
    """A day more than 28 days ago."""

    what = forms.ChoiceField(
        label="What is it?",
        choices=[("leave", "They left"), ("pause", "They were away from a day on"), ("resume", "They came back")],
        widget=forms.RadioSelect,
    )
    on = DayField(label="Which day?", help_text="A day up to 28 days ago needs no second person.")
    note = note_field()

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        hints = {
            "leave": "The membership ends on that day. Weeks whose Monday is later are credited.",
            "pause": "Weeks whose Monday is later wait, and come back on later weeks.",
            "resume": "The weeks that wait are dated from that day on.",
        }
        setattr(self.fields["what"], "choice_hints", hints)  # noqa: B010 - the field template reads it
        self.helper = helper("what", "on", "note", submit="Continue", cancel=cancel)


class EntryForm(Form):
    """An entry of the journal by hand."""

    way = forms.ChoiceField(
        label="What happened?",
        choices=[(way, said) for way, (_, _, said) in WAYS.items()],
        widget=forms.RadioSelect,
    )
    pence = PoundsField(label="Amount", min_value=1, max_value=MOST)
    on = DayField(label="On which day?")
    invoice = forms.CharField(
        label="Reference",
        required=False,
        max_length=40,
        help_text="For example the number of the credit note.",
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20"}),
    )
    note = note_field()

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("way", "pence", "on", "invoice", "note", submit="Continue", cancel=cancel)


class ReversalForm(Form):
    """Why an entry is reversed."""

    note = note_field()

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("note", submit="Continue", cancel=cancel)


class AnswerProposalForm(Form):
    """The second person's answer."""

    APPROVE, REFUSE = "approve", "refuse"
    seen_pence = forms.IntegerField(widget=forms.HiddenInput, required=False)
    answer = forms.ChoiceField(
        label="What do you say?", choices=[(APPROVE, "Approve it"), (REFUSE, "Refuse it")], widget=forms.RadioSelect
    )
    reason = forms.CharField(
        label="Why not?",
        required=False,
        max_length=200,
        help_text="Only if you refuse it. Whoever proposed it reads this.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def __init__(self, *args, cancel: str, can_approve: bool = True, **kwargs):
        super().__init__(*args, **kwargs)
        if not can_approve:
            self.fields["answer"].choices = [(self.REFUSE, "Refuse it")]
        self.helper = helper("seen_pence", "answer", "reason", submit="Save answer", cancel=cancel)

    def clean(self):
        super().clean()
        if self.cleaned_data.get("answer") == self.REFUSE and not (self.cleaned_data.get("reason") or "").strip():
            self.add_error("reason", "Enter why it is refused")
        return self.cleaned_data


class OpeningForm(Form):
    """The spreadsheet of running memberships, its cut-over and its control total."""

    cut_over = DayField(
        label="Cut-over", help_text="A Monday. Weeks left count from that week on; earlier weeks are not entered."
    )
    control_pence = PoundsField(
        label="Control total",
        min_value=1,
        max_value=MOST,
        help_text="Weeks left × price of all rows together, from your own books and not from this spreadsheet.",
    )
    file = forms.FileField(label="Spreadsheet", help_text="Excel (.xlsx) or CSV, up to 5 MB and 2,000 memberships.")

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("cut_over", "control_pence", "file", submit="Check the rows", cancel=cancel)
