"""Forms about someone who came to a pantry by themselves."""

from django import forms

from stockport_hubs.core.forms import Form, helper


class ShowForm(Form):
    """The pantry manager's: to which council, and the person's yes."""

    council = forms.ChoiceField(label="Which council?", widget=forms.RadioSelect)
    they_agree = forms.BooleanField(
        label="They said yes to this today",
        error_messages={"required": "Ask them first, then tick that they said yes"},
    )

    def __init__(self, *args, councils, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.councils = {str(council.pk): council for council in councils}
        council = self.fields["council"]
        council.choices = [(key, each.name) for key, each in self.councils.items()]
        if len(self.councils) == 1:
            council.widget = forms.HiddenInput()
            self.initial["council"] = next(iter(self.councils))
        self.helper = helper("council", "they_agree", submit="Show them", cancel=cancel)

    @property
    def answers(self) -> dict:
        """What the service takes."""
        return {
            "council": self.councils[self.cleaned_data["council"]],
            "they_agree": self.cleaned_data["they_agree"],
        }


class TieForm(Form):
    """The council's: which of one's young people a member is."""

    person = forms.ChoiceField(
        label="Which of your young people is it?",
        help_text="Those with an agreement to share that holds today, and no place yet.",
        error_messages={"required": "Choose the young person"},
    )
    why = forms.CharField(
        label="Why this young person",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For the council only; the pantry never sees it.",
    )

    def __init__(self, *args, people, cancel: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.people = {str(person.pk): person for person in people}
        self.fields["person"].choices = [("", "Choose a young person")] + [
            (key, f"{person.full_name}, {person.reference}") for key, person in self.people.items()
        ]
        self.helper = helper("person", "why", submit="Confirm", cancel=cancel)

    @property
    def answers(self) -> dict:
        """What the service takes."""
        return {"care_leaver": self.people[self.cleaned_data["person"]], "why": self.cleaned_data["why"]}


class ConfirmWalkInForm(TieForm):
    """The advisor's, of who came by themselves: and who pays."""

    agreement = forms.ChoiceField(label="Who pays?", widget=forms.RadioSelect)

    def __init__(self, *args, agreements, cancel: str, **kwargs):
        super().__init__(*args, cancel=cancel, **kwargs)
        self.agreements = {str(agreement.pk): agreement for agreement in agreements}
        pays = self.fields["agreement"]
        pays.choices = [(key, each.name) for key, each in self.agreements.items()]
        if len(self.agreements) == 1:
            pays.widget = forms.HiddenInput()
            self.initial["agreement"] = next(iter(self.agreements))
        self.helper = helper("person", "agreement", "why", submit="Confirm", cancel=cancel)

    @property
    def answers(self) -> dict:
        """What the service takes."""
        return super().answers | {"agreement": self.agreements[self.cleaned_data["agreement"]]}
