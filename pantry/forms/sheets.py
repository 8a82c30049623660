"""Which sheet is printed."""

from django import forms

from stockport_hubs.core.forms import Form


class PrintForm(Form):
    """The button beside an opening: its day and time, and with which member the sheet begins."""

    on = forms.DateField(input_formats=["%Y-%m-%d"])
    opens = forms.TimeField(input_formats=["%H:%M"])
    first = forms.IntegerField(min_value=0, max_value=1_000_000, initial=0)
