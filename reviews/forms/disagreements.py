"""Forms of disagreements and of the yearly review: words both organisations read."""

from django import forms

from reviews import rules
from reviews.forms.agenda import FOR_BOTH, NAMES_NOBODY
from reviews.forms.barriers import not_future
from reviews.models import WHO, Disagreement, Rung
from stockport_hubs.core import clock
from stockport_hubs.core.forms import DayField, Form, helper


def long_text(label: str, *, required: bool = True, help_text: str = "") -> forms.CharField:
    """A few paragraphs."""
    return forms.CharField(label=label, required=required, help_text=help_text, max_length=1500, widget=forms.Textarea)


class ForBoth(Form):
    """Ends with the tick that nobody is named."""

    names_nobody = forms.BooleanField(label=NAMES_NOBODY, required=False)


class OpenForm(ForBoth):
    """What the two organisations do not agree about."""

    about = forms.CharField(label="What is the disagreement about?", max_length=200, help_text=FOR_BOTH)
    council_position = long_text("What the Leaving Care Team holds", required=False)
    operator_position = long_text("What Stockport Homes holds", required=False)
    who = forms.MultipleChoiceField(
        label="Who talked about it so far?", choices=WHO[Rung.WORKERS], widget=forms.CheckboxSelectMultiple
    )
    on = DayField(label="When did they?", validators=[not_future])

    def __init__(self, *args, agreements, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("on", clock.today())
        self.fields["agreement"] = forms.ModelChoiceField(
            label="Which agreement is it about?", queryset=agreements, empty_label=None
        )
        only = list(agreements[:2])
        if len(only) == 1:
            self.initial["agreement"] = only[0].pk
            self.fields["agreement"].widget = forms.HiddenInput()
        order = ("agreement", "about", "council_position", "operator_position", "who", "on", "names_nobody")
        self.order_fields(order)
        self.helper = helper(*order, submit="Record the disagreement", cancel=cancel)


class PositionForm(ForBoth):
    """What one's own organisation holds."""

    position = long_text("What does your organisation hold?", help_text=FOR_BOTH)

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("position", "names_nobody", submit="Save", cancel=cancel)


class TakeUpForm(ForBoth):
    """To which rung, when, by whom, and what came of it."""

    rung = forms.TypedChoiceField(label="Where is it taken up?", coerce=int, widget=forms.RadioSelect)
    who = forms.MultipleChoiceField(label="Who talked about it?", widget=forms.CheckboxSelectMultiple)
    on = DayField(label="When did they?", validators=[not_future])
    outcome = long_text("What came of it?", help_text=FOR_BOTH)
    skipped_because = forms.CharField(
        label="Why a rung was left out",
        max_length=300,
        required=False,
        help_text="Needed when it goes to the heads of service without the team leaders.",
    )

    def __init__(self, *args, disagreement: Disagreement, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        higher = [Rung(rung) for rung in rules.next_rungs(disagreement.rung)]
        self.fields["rung"].choices = [(rung.value, rung.label) for rung in higher]
        self.fields["who"].choices = [(code, label) for rung in higher for code, label in WHO[rung].items()]
        self.initial.setdefault("rung", higher[0].value if higher else None)
        self.initial.setdefault("on", clock.today())
        shown = ["rung", "who", "on", "outcome", "skipped_because", "names_nobody"]
        if len(higher) < 2:
            del self.fields["skipped_because"]
            shown.remove("skipped_because")
        self.order_fields(shown)
        self.helper = helper(*shown, submit="Save", cancel=cancel)


class SettleForm(ForBoth):
    """When and how."""

    outcome = long_text("How was it settled?", help_text=FOR_BOTH)
    on = DayField(label="When?", validators=[not_future])

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial.setdefault("on", clock.today())
        self.order_fields(("outcome", "on", "names_nobody"))
        self.helper = helper("outcome", "on", "names_nobody", submit="Settle it", cancel=cancel)


class YearForm(ForBoth):
    """What both organisations say of the year."""

    went_well = long_text("What went well", required=False, help_text=FOR_BOTH)
    to_change = long_text("What is to change next year", required=False)

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.order_fields(("went_well", "to_change", "names_nobody"))
        self.helper = helper("went_well", "to_change", "names_nobody", submit="Save", cancel=cancel)

    def clean(self):
        cleaned = super().clean()
        if not self.errors and not (cleaned["went_well"] or cleaned["to_change"]):
            self.add_error("went_well", "Write what went well, or what is to change")
        return cleaned
