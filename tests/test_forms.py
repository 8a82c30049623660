"""Forms in the GOV.UK manner: what is typed and what comes out, what an error says, where an error link leads."""

import datetime
from html.parser import HTMLParser

import pytest
from allauth.account.forms import LoginForm
from crispy_forms.utils import render_crispy_form
from django import forms
from django.template.loader import render_to_string

from pantry.models import Tariff
from stockport_hubs.accounts.models import Organisation
from stockport_hubs.core.forms import DayField, Form, ModelForm, PoundsField, helper
from stockport_hubs.core.templatetags.hubs import error_links

pytestmark = pytest.mark.sqlite  # the database does not matter

CONTROLS = {"input", "select", "textarea", "button"}


class Page(HTMLParser):
    """The elements of some markup: (tag, attributes)."""

    def __init__(self, markup: str):
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def ids(self, tags=None) -> list[str]:
        return [a["id"] for tag, a in self.elements if "id" in a and (tags is None or tag in tags)]

    def with_class(self, name: str) -> list[dict]:
        return [a for _, a in self.elements if name in a.get("class", "").split()]


class Everything(Form):
    """One field of every kind."""

    name = forms.CharField(label="Preferred name", max_length=10, help_text="What they like to be called.")
    email = forms.EmailField(label="Work email address")
    weeks = forms.IntegerField(label="Weeks", min_value=1, max_value=26)
    charge = PoundsField(label="Weekly charge", min_value=1, max_value=2000)
    born = DayField(label="Date of birth")
    notes = forms.CharField(label="Notes", widget=forms.Textarea)
    how = forms.ChoiceField(
        label="How was it given?", choices=[("a", "In person"), ("b", "By phone")], widget=forms.RadioSelect
    )
    needs = forms.MultipleChoiceField(
        label="Needs", choices=[("a", "Eggs"), ("b", "Milk")], widget=forms.CheckboxSelectMultiple
    )
    pantry = forms.ChoiceField(label="Pantry", choices=[("", "Choose"), ("b", "Bridgehall")])
    agreed = forms.BooleanField(label="I have the agreement")
    password = forms.CharField(label="Password", widget=forms.PasswordInput)
    workbook = forms.FileField(label="Workbook")
    opens = forms.TimeField(label="Opening time")
    source = forms.CharField(widget=forms.HiddenInput)


class Whole(Form):
    hint = forms.CharField(required=False)

    def clean(self):
        raise forms.ValidationError("These two do not go together")


def summary_and_form(form) -> Page:
    return Page(render_to_string("parts/errors.html", {"form": form}) + str(form))


def dead_links(page: Page) -> list[str]:
    """Links of the error summary that lead to nothing one can type into, choose or press."""
    targets = [a["href"][1:] for tag, a in page.elements if tag == "a" and a.get("href", "").startswith("#")]
    return [target for target in targets if target not in page.ids(CONTROLS)]


@pytest.mark.parametrize(
    "form",
    [Everything({}), Whole({}), LoginForm({}), LoginForm({"login": "x"}), Everything({}, prefix="second")],
    ids=["every kind of field", "whole form", "sign-in, empty", "sign-in, no password", "with a prefix"],
)
def test_error_summary_links_land_on_controls(form):
    page = summary_and_form(form)
    links = [a["href"] for tag, a in page.elements if tag == "a" and a.get("href", "").startswith("#")]
    assert len(links) == len(error_links(form)) == sum(len(errors) for errors in form.errors.values())
    assert dead_links(page) == []
    assert len(page.ids()) == len(set(page.ids()))


def test_dead_link_is_found():
    page = Page('<a href="#id_how">x</a><div id="id_how"><input type="radio" id="id_how_0"></div>')
    assert dead_links(page) == ["id_how"]


def test_every_described_by_names_something_on_the_page():
    page = summary_and_form(Everything({}))
    named = {name for _, a in page.elements for name in a.get("aria-describedby", "").split()}
    assert len(named) == 14 and named <= set(page.ids())


def test_errors_name_the_field():
    form = Everything({"name": "far too long a name", "email": "x", "weeks": "40", "charge": "30", "opens": "noon"})
    assert {name: list(errors) for name, errors in form.errors.items()} == {
        "name": ["Preferred name must be 10 characters or fewer"],
        "email": ["Enter an email address in the correct format, like name@example.org"],
        "weeks": ["Weeks must be 26 or less"],
        "charge": ["Weekly charge must be £20.00 or less"],
        "born": ["Enter date of birth"],
        "notes": ["Enter notes"],
        "how": ["Answer the question “How was it given?”"],
        "needs": ["Choose needs"],
        "pantry": ["Choose pantry"],
        "agreed": ["Tick “I have the agreement” to go on"],
        "password": ["Enter password"],
        "workbook": ["Choose workbook"],
        "opens": ["Opening time must be a time, like 10:30"],
        "source": ["Enter source"],
    }


def test_own_error_messages_are_kept():
    class Own(Form):
        name = forms.CharField(error_messages={"required": "Say what they like to be called"})

    assert Own({}).errors == {"name": ["Say what they like to be called"]}


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        (("12", "4", "2021"), datetime.date(2021, 4, 12)),
        ((" 12 ", "04", "2021"), datetime.date(2021, 4, 12)),
        (("1", "Apr", "2021"), datetime.date(2021, 4, 1)),
        (("29", "february", "2024"), datetime.date(2024, 2, 29)),
    ],
)
def test_day_is_read(typed, day):
    form = Everything(dict(zip(("born_day", "born_month", "born_year"), typed, strict=True)))
    assert (form.errors.get("born"), form.cleaned_data["born"]) == (None, day)


@pytest.mark.parametrize(
    ("typed", "error", "leads_to"),
    [
        (("", "", ""), "Enter date of birth", "id_born_day"),
        (("12", "", "2021"), "Date of birth must include a month", "id_born_month"),
        (("", "4", ""), "Date of birth must include a day and year", "id_born_day"),
        (("31", "2", "2021"), "Date of birth must be a real date", "id_born_day"),
        (("12", "Avril", "2021"), "Date of birth must be a real date", "id_born_day"),
        (("12", "4", "21"), "Date of birth must have a year of 4 numbers, like 2021", "id_born_year"),
        (("12", "4", "²⁰²¹"), "Date of birth must have a year of 4 numbers, like 2021", "id_born_year"),
        (("12", "9" * 20, "2021"), "Date of birth must be a real date", "id_born_day"),
        (("12", "4", "0000"), "Date of birth must be a real date", "id_born_day"),
    ],
)
def test_day_says_what_is_wrong_and_leads_there(typed, error, leads_to):
    form = Everything(dict(zip(("born_day", "born_month", "born_year"), typed, strict=True)))
    assert (list(form.errors["born"]), form["born"].control_id) == ([error], leads_to)


def test_only_the_wrong_part_of_a_day_is_marked():
    form = Everything({"born_day": "12", "born_month": "", "born_year": "2021"})
    wrong = [a["id"] for a in Page(str(form["born"])).with_class("govuk-input--error")]
    assert wrong == ["id_born_month"]


def test_day_shows_its_initial_value():
    form = Everything(initial={"born": datetime.date(2003, 3, 27)})
    assert [a["value"] for a in Page(str(form["born"])).with_class("govuk-date-input__input")] == ["27", "3", "2003"]


def test_day_has_not_changed_when_typed_the_same():
    form = Everything(
        {"born_day": "27", "born_month": "3", "born_year": "2003"}, initial={"born": datetime.date(2003, 3, 27)}
    )
    assert "born" not in form.changed_data


@pytest.mark.parametrize(
    ("typed", "pence"),
    [("3.50", 350), ("£3.50", 350), ("10", 1000), ("0.01", 1), ("20.00", 2000)],
)
def test_pounds_become_pence(typed, pence):
    form = Everything({"charge": typed})
    assert (form.errors.get("charge"), form.cleaned_data["charge"]) == (None, pence)


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("", "Enter weekly charge"),
        ("3.5.0", "Weekly charge must be an amount in pounds and pence, like 3.50"),
        ("-1", "Weekly charge must be an amount in pounds and pence, like 3.50"),
        ("0", "Weekly charge must be £0.01 or more"),
    ],
)
def test_pounds_say_what_is_wrong(typed, error):
    assert list(Everything({"charge": typed}).errors["charge"]) == [error]


def test_pounds_show_pence_as_pounds():
    [shown] = Page(str(Everything(initial={"charge": 123450})["charge"])).with_class("govuk-input")
    assert shown["value"] == "1,234.50"


def test_model_form_reads_dates_as_three_inputs_and_pence_as_pounds():
    class TariffForm(ModelForm):
        class Meta:
            model = Tariff
            fields = ["weekly_pence", "from_week"]

    kinds = {name: type(field) for name, field in TariffForm.base_fields.items()}
    assert kinds == {"weekly_pence": PoundsField, "from_week": DayField}


def test_crispy_and_plain_forms_draw_fields_alike():
    class Laid(Form):
        name = forms.CharField(label="Preferred name")

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.helper = helper("name", submit="Save", cancel="/people/")

    form = Laid({})
    markup = render_crispy_form(form)
    assert str(form["name"].as_field_group()) in markup
    page = Page(markup)
    assert [a.get("href") for tag, a in page.elements if tag == "a"] == ["/people/"]
    assert [a["class"].split() for tag, a in page.elements if tag == "button"] == [["govuk-button"]]
    assert [("novalidate" in a, a["method"]) for tag, a in page.elements if tag == "form"] == [(True, "post")]


def test_optional_fields_say_so_except_on_filters():
    class Filter(Form):
        mark_optional = False
        state = forms.ChoiceField(required=False, choices=[("", "All")])

    class Asks(Form):
        state = forms.ChoiceField(required=False, choices=[("", "All")])

    assert ("(optional)" in str(Asks()), "(optional)" in str(Filter())) == (True, False)


def test_labels_hints_and_errors_are_escaped():
    class Hostile(Form):
        name = forms.CharField(label="<b>x</b>", help_text="<i>y</i>")

    form = Hostile({})
    form.add_error("name", "<script>z</script>")
    markup = str(form) + render_to_string("parts/errors.html", {"form": form})
    assert [tag for tag in ("<b>", "<i>", "<script>") if tag in markup] == []


@pytest.mark.django_db
def test_empty_choice_is_a_word():
    class OrganisationForm(ModelForm):
        class Meta:
            model = Organisation
            fields = ["kind"]

    class Picks(Form):
        organisation = forms.ModelChoiceField(queryset=Organisation.objects.none())

    shown = [str(OrganisationForm()["kind"]), str(Picks()["organisation"])]
    assert [(markup.count(">Choose<"), "---" in markup) for markup in shown] == [(1, False)] * 2
