"""Every component of the look once, as pages use it: to compare with, and for the tests with keyboard and reader."""

import datetime

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import roles
from stockport_hubs.charts import shapes
from stockport_hubs.core.forms import DayField, Form, PoundsField
from stockport_hubs.core.pages import Paginator

TAGS = {"Open": "green", "Held": "yellow", "Paused": "grey", "Overdue": "red", "New": "blue"}
WEEKS = ("collected", "collected", "missed", "closed", "paused", "credited", "to_come", "to_come")
BY_MONTH = [("June", 38), ("July", 44), ("August", 41)]


class Filters(Form):
    mark_optional = False
    state = forms.ChoiceField(label="State", required=False, choices=[("", "All"), ("open", "Open"), ("held", "Held")])


class Everything(Form):
    """One field of each kind."""

    name = forms.CharField(label="Preferred name", max_length=40, help_text="What they like to be called.")
    start = DayField(label="First week", help_text="For example, 12 4 2021")
    price = PoundsField(label="Price of a week", max_value=2000)
    how = forms.ChoiceField(
        label="How was it given?", choices=[("person", "In person"), ("phone", "By phone")], widget=forms.RadioSelect
    )
    needs = forms.MultipleChoiceField(
        label="Allergies", choices=[("eggs", "Eggs"), ("milk", "Milk")], widget=forms.CheckboxSelectMultiple
    )
    pantry = forms.ChoiceField(label="Pantry", choices=[("", "Choose"), ("hall", "Hall Pantry")])
    note = forms.CharField(label="What the pantry needs to know", widget=forms.Textarea, max_length=300)
    agreed = forms.BooleanField(label="I have the agreement")


@require_safe
@roles(Role.ADMINISTRATOR)
def components(request: HttpRequest) -> HttpResponse:
    """The form is sent to this page itself and saves nothing."""
    monday = datetime.date(2026, 4, 6)
    context = {
        "form": Everything(request.GET if "sent" in request.GET else None),
        "filters": Filters(request.GET),
        "query": request.GET.get("q", ""),
        "page_obj": Paginator(range(1200), 25).get_page(request.GET.get("page", 24)),
        "tags": TAGS.items(),
        "steps": [
            {"text": "Agreement to share", "is_done": True, "url": "#agreement"},
            {"text": "The introduction", "is_done": False, "url": "#introduction"},
            {"text": "Send it to the pantry", "is_done": False, "url": ""},
        ],
        "answers": [
            {"label": "Preferred name", "value": "Rowan", "url": "#id_name", "change": "preferred name"},
            {"label": "First week", "value": "12 April 2021", "url": "#id_start_day", "change": "first week"},
            {"label": "Reference", "value": "I-00001"},
        ],
        "weeks": [
            {"monday": monday + datetime.timedelta(weeks=n), "state": state, "words": state.replace("_", " ")}
            for n, state in enumerate(WEEKS)
        ],
        "months": BY_MONTH,
        "chart": shapes.bars("Collections by month: June 38, July 44, August 41.", BY_MONTH),
        "pence": 10100,
        "day": monday,
    }
    return render(request, "home/components.html", context)
