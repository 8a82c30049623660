"""Why weeks were missed: a choice for each."""

from datetime import date

from django import forms

from pantry.models import MissedWeek
from stockport_hubs.core import weeks
from stockport_hubs.core.forms import Form, helper


class MissedForm(Form):
    """One select for each missed week; `reasons` after it is valid: code by Monday, "" where nothing is said."""

    mark_optional = False  # a week nobody has heard about stays empty

    def __init__(self, data=None, *, mondays: list[date], said: dict[date, str], cancel: str):
        super().__init__(data)
        self.mondays = {f"week_{monday:%Y%m%d}": monday for monday in mondays}
        for name, monday in self.mondays.items():
            self.fields[name] = forms.ChoiceField(
                label=f"Week of {weeks.spoken(monday)}",
                choices=[("", "No reason recorded"), *MissedWeek.Reason.choices],
                initial=said.get(monday, ""),
                required=False,
            )
        self.helper = helper(*self.mondays, submit="Save reasons", cancel=cancel)

    @property
    def reasons(self) -> dict[date, str]:
        return {monday: self.cleaned_data[name] for name, monday in self.mondays.items()}
