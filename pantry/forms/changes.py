"""What is asked before a membership changes: which pantry, from which day, how many weeks."""

from django import forms

from pantry.models import Membership, Pantry
from stockport_hubs.core import weeks
from stockport_hubs.core.forms import DayField, Form, helper


class MoveForm(Form):
    """The next pantry and the first week there."""

    pantry: forms.ModelChoiceField = forms.ModelChoiceField(None, label="Pantry", empty_label="Choose a pantry")
    from_week = DayField(label="First week there", help_text="Any day of it, from next week up to 8 weeks ahead.")

    def __init__(self, *args, user, member: Membership, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        now = member.places.filter(to_week__isnull=True).values("pantry")
        self.fields["pantry"].queryset = Pantry.objects.for_user(user).exclude(pk__in=now)  # type: ignore[attr-defined]
        self.helper = helper("pantry", "from_week", submit="Continue", cancel=cancel)

    def clean_from_week(self):
        return weeks.monday(self.cleaned_data["from_week"])


class DayForm(Form):
    """From which day; today or up to 28 days ago."""

    on = DayField(help_text="Today, or up to 28 days ago.")

    def __init__(self, *args, label: str, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["on"].label = label
        self.helper = helper("on", submit="Continue", cancel=cancel)


class AnswerForm(Form):
    """Someone who turned up: they pay themselves, or the membership ends."""

    OPEN, END = "open", "end"
    answer = forms.ChoiceField(
        label="What happens next?",
        choices=[(OPEN, "They join and pay each week"), (END, "The membership ends")],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        hints = {self.END: "For example because they do not come any more."}
        setattr(self.fields["answer"], "choice_hints", hints)  # noqa: B010 - the field template reads it
        self.helper = helper("answer", submit="Continue", cancel=cancel)


class LongPauseForm(Form):
    """What becomes of a pause of 26 weeks and more."""

    KEEP, RESUME, END = "keep", "resume", "end"
    answer = forms.ChoiceField(
        label="What happens next?",
        choices=[
            (KEEP, "The pause goes on"),
            (RESUME, "They may shop again from today"),
            (END, "The membership ends today"),
        ],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        hints = {
            self.KEEP: "You are asked again in 26 weeks.",
            self.RESUME: "The weeks that wait are dated onto the next open weeks.",
            self.END: "The weeks that wait are credited.",
        }
        setattr(self.fields["answer"], "choice_hints", hints)  # noqa: B010 - the field template reads it
        self.helper = helper("answer", submit="Continue", cancel=cancel)


class BuyForm(Form):
    """How many weeks to buy by hand."""

    weeks = forms.IntegerField(
        label="How many weeks?", help_text="1 to 26.", min_value=1, max_value=26, widget=forms.NumberInput
    )

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("weeks", submit="Continue", cancel=cancel)
