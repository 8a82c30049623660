"""Statements: which to list, what is said of a line, which payment it was."""

from datetime import date

from django import forms

from pantry.models import FundingAgreement, Pantry, StatementState
from stockport_hubs.core import money
from stockport_hubs.core.forms import Form, helper
from stockport_hubs.core.short_choices import ShortChoiceField

WORDS_HINT = (
    "Say only which amount or week is meant, in at most 200 letters: no names, and nothing about a person. Both "
    "organisations read it, also at their review meeting."
)


class StatementFilters(Form):
    """Which statements are listed; what cannot be read counts as not chosen."""

    mark_optional = False
    state = forms.ChoiceField(label="State", required=False, choices=[("", "All states"), *StatementState.choices])
    month = forms.ChoiceField(label="Month", required=False)
    agreement = ShortChoiceField(label="Agreement", empty_label="All agreements")
    pantry = ShortChoiceField(label="Pantry", empty_label="All pantries")

    def __init__(self, data, *, user, months: list[date]):
        super().__init__(data)
        self.fields["month"].choices = [("", "All months"), *((each.isoformat(), f"{each:%B %Y}") for each in months)]
        more = "Another one: its page leads to its statements."
        for name, rows in (("agreement", FundingAgreement.objects), ("pantry", Pantry.objects)):
            field = self.fields[name]
            field.offer(rows.for_user(user).order_by("name"), chosen=self.data.get(name), more=more)

    @property
    def chosen(self) -> dict:
        """{name: value} of what was chosen."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class WordsForm(Form):
    """What is queried, or the answer."""

    words = forms.CharField(
        label="What is queried?", max_length=200, help_text=WORDS_HINT, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args, label: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["words"].label = label


class PaymentOfForm(Form):
    """The payment that was made for a statement."""

    payment = forms.ChoiceField(label="Which payment is it?", widget=forms.RadioSelect)

    def __init__(self, *args, payments, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["payment"].choices = [(str(each.pk), said(each)) for each in payments]
        self.helper = helper("payment", submit="Record this payment", cancel=cancel)


def said(payment) -> str:
    """A payment in a line."""
    invoice = f", invoice {payment.invoice}" if payment.invoice else ""
    order = f", order {payment.purchase_order}" if payment.purchase_order else ""
    return f"{money.pounds(payment.pence)} on {payment.effective_on:%-d %B %Y}{invoice}{order}"
