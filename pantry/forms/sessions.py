"""What is typed at the counter."""

from crispy_forms.layout import Submit
from django import forms

from pantry import counter, wording
from pantry.services.collections import UNDONE, OverrideReason
from stockport_hubs.core.forms import Form, helper

NOT_PAID = "not_paid"


class UsualForm(Form):
    """The row's button: the usual number of items with fruit and veg."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    @property
    def is_paid(self) -> bool:
        """What is to be paid is, unless the other button was pressed."""
        return self.data.get("usual") != NOT_PAID

    @property
    def quantities(self):
        return None

    @property
    def fruit_and_veg(self) -> bool:
        return True

    @property
    def override(self) -> str:
        return ""


class RecordForm(Form):
    """Number of items (a field for each band, or one), fruit and veg, and why it is more than the allowance."""

    mark_optional = False  # the reason is needed where it is shown

    key = forms.UUIDField(widget=forms.HiddenInput)
    fruit = forms.TypedChoiceField(
        label="Fruit and vegetables?",
        choices=[("yes", "Yes"), ("no", "No")],
        coerce=lambda value: value == "yes",
        initial="yes",
        widget=forms.RadioSelect(attrs={"class": "govuk-radios--inline"}),
    )
    over_reason = forms.ChoiceField(
        label="Why is it more than the allowance?",
        choices=OverrideReason.choices,
        required=False,
        widget=forms.RadioSelect(attrs={"class": "govuk-radios--small"}),
    )

    def __init__(self, *args, pantry, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.pantry = pantry
        self.bands = {f"band_{band.pk}": band for band in pantry.bands.all()}
        left = pantry.allowance
        for name, band in self.bands.items():
            usual = min(band.items, left)
            left -= usual
            self.fields[name] = self._number(f"{band.name} items", usual, f"Up to {band.items}")
        if not self.bands:
            self.fields["items"] = self._number("Number of items", left, f"The allowance is {left}")
        self.shown, self.cancel = ["key", *self._numbers, "fruit"], cancel
        self.is_over, self.to_pay = False, ""

    @property
    def helper(self):
        """The layout: the reason is asked for once the number is more than the allowance, not before; `to_pay`
        ("£3.50", set before the form is shown) is on the button, with another for who has not paid."""
        shown = [*self.shown, "over_reason"] if self.is_over else self.shown
        submit = "Record more than the allowance" if self.is_over else "Record"
        if not self.to_pay:
            return helper(*shown, submit=submit, cancel=self.cancel)
        other = Submit(NOT_PAID, "Not paid today", css_class="govuk-button--secondary", css_id="not-paid-button")
        return helper(*shown, submit=f"{submit}, {self.to_pay} paid", other=other, cancel=self.cancel)

    @property
    def is_paid(self) -> bool:
        """As in UsualForm."""
        return NOT_PAID not in self.data

    @staticmethod
    def _number(label: str, initial: int, hint: str) -> forms.IntegerField:
        return forms.IntegerField(
            label=label,
            initial=initial,
            min_value=0,
            max_value=100,
            help_text=hint,
            widget=forms.NumberInput(attrs={"class": "govuk-input--width-3"}),
        )

    @property
    def _numbers(self) -> list[str]:
        return list(self.bands) or ["items"]

    def clean(self):
        super().clean()
        cleaned = self.cleaned_data
        if any(name not in cleaned for name in self._numbers) or "fruit" not in cleaned:
            return cleaned
        given = self.quantities  # before an error takes a number out of cleaned_data
        if not any(given.values()) and not cleaned["fruit"]:
            self.add_error(self._numbers[0], "Enter the number of items, or choose fruit and vegetables")
        bands = {band.pk: (band.name, band.items) for band in self.bands.values()}
        more = counter.over_allowance(given, allowance=self.pantry.allowance, bands=bands)
        self.is_over = bool(more)
        if more and "over_reason" not in self.errors and not cleaned["over_reason"]:
            self.add_error(self._numbers[0], f"{more} Enter fewer, or choose below why it is more")
        return cleaned

    @property
    def quantities(self) -> dict:
        """Items by band id; None where the pantry has no bands."""
        if not self.bands:
            return {None: self.cleaned_data["items"]}
        return {band.pk: self.cleaned_data[name] for name, band in self.bands.items()}

    @property
    def fruit_and_veg(self) -> bool:
        return self.cleaned_data["fruit"]

    @property
    def override(self) -> str:
        return self.cleaned_data["over_reason"] if self.is_over else ""


class VoidForm(Form):
    """Why a collection is undone."""

    REASONS = (UNDONE, "Wrong member", "Wrong day", "Nothing was taken", "Another reason")

    reason = forms.ChoiceField(
        label="Why is it undone?", choices=[(reason, reason) for reason in REASONS], widget=forms.RadioSelect
    )
    words = forms.CharField(
        label="In your own words",
        help_text="Needed for another reason. No names, please.",
        max_length=80,
        required=False,
        validators=[wording.validate_unspoken],
    )

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("reason", "words", submit="Undo this collection", cancel=cancel)

    def clean(self):
        super().clean()
        cleaned = self.cleaned_data
        if cleaned.get("reason") == self.REASONS[-1] and "words" in cleaned and not cleaned["words"]:
            self.add_error("words", "Say in your own words why it is undone")
        return cleaned

    @property
    def said(self) -> str:
        """The reason as it is kept."""
        return ": ".join(part for part in (self.cleaned_data["reason"], self.cleaned_data["words"]) if part)
