"""Forms of the import and of how long people are kept."""

from datetime import date

from django import forms

from careleavers.models.keeping import FEWEST, MOST
from stockport_hubs.core.forms import DayField, Form, helper

KINDS = {
    "": "All rows",
    "new": "New",
    "changed": "Changed",
    "unchanged": "Unchanged",
    "duplicate": "Possible duplicates",
    "refused": "Refused",
    "ticked": "Ticked",
    "unticked": "Not ticked",
}


class FileForm(Form):
    """A list to bring in."""

    file = forms.FileField(
        label="The list",
        help_text="An Excel workbook (.xlsx) or a CSV file, up to 5 MB and 5,000 young people.",
        allow_empty_file=True,  # said in words by whoever reads it
        error_messages={"required": "Choose the file with the list"},
        widget=forms.FileInput(attrs={"accept": ".xlsx,.csv"}),
    )

    def __init__(self, *args, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = helper("file", submit="Upload and look at it", cancel=cancel)


class RowFilter(Form):
    """Which rows of the preview."""

    mark_optional = False
    show = forms.ChoiceField(label="Show", required=False, choices=list(KINDS.items()))


class KeepingForm(Form):
    """How long somebody is kept who was never offered a place."""

    days = forms.IntegerField(label="Days", min_value=FEWEST, max_value=MOST)
    from_on = DayField(label="From which day?", help_text="Today or later.")
    approved_by = forms.CharField(
        label="Approved by",
        max_length=80,
        help_text="The role, for example: Head of Social Care and Commissioning.",
        widget=forms.TextInput(attrs={"class": "govuk-input--width-20"}),
    )

    def __init__(self, *args, today: date, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.today = today
        self.helper = helper("days", "from_on", "approved_by", cancel=cancel)

    def clean_from_on(self):
        if self.cleaned_data["from_on"] < self.today:
            raise forms.ValidationError("From which day must be today or later")
        return self.cleaned_data["from_on"]
