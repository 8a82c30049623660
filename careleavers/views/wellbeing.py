"""How a young person is: the questions, their history, and a sheet of paper with them."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from careleavers import questions
from careleavers.forms import TakeBackForm, WellbeingForm, person_url
from careleavers.models import Wellbeing
from careleavers.questions import POINTS, QUESTIONS
from careleavers.services import wellbeing
from careleavers.views.doors import council, person_or_404
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused


def _current(request, person, point: str):
    """The answers of a point that count, if there are any; 404 for what is no point."""
    if point not in POINTS:
        raise Http404
    return Wellbeing.objects.for_user(request.user).current().filter(care_leaver=person, point=point)


@council
@require_safe
@transaction.atomic
def history(request, pk):
    """Every answer of one young person, those that do not count any more with the reason."""
    person = person_or_404(request, pk)
    rows = Wellbeing.objects.for_user(request.user).filter(care_leaver=person)
    rows = rows.select_related("recorded_by", "replaced_by").order_by("-asked_on", "-recorded_at")
    shown = [(row, [(each.text, questions.choices(key)[row.answers[key]]) for key, each in QUESTIONS.items()])
             for row in rows]  # fmt: skip
    return render(request, "careleavers/wellbeing_history.html", {"person": person, "rows": shown})


@council
@transaction.atomic
def ask(request, pk, point):
    """Record the answers of a point; once there are some, correct them."""
    person = person_or_404(request, pk)
    earlier, name = _current(request, person, point).first(), POINTS.get(point, POINTS["start"]).name
    if earlier is None and person.has_died:
        messages.error(request, "This young person has died. Nothing more is asked.")
        return redirect(person_url("detail", person))
    form = WellbeingForm(
        request.POST or None,
        earlier=earlier,
        submit="Save the correction" if earlier else "Save the answers",
        cancel=person_url("wellbeing" if earlier else "detail", person),
        initial={"asked_on": clock.today()},
    )
    if request.method == "POST" and form.is_valid():
        try:
            if earlier:
                wellbeing.correct(earlier=earlier, **form.facts, by=request.user, at=clock.now())
            else:
                wellbeing.record(care_leaver=person, point=point, **form.facts, by=request.user, at=clock.now())
        except Refused as refusal:
            form.add_error("asked_on", str(refusal))
        else:
            messages.success(request, f"The answers of {name.lower()} are {'corrected' if earlier else 'recorded'}.")
            return redirect(person_url("detail", person))
    context = {"form": form, "person": person, "name": name, "earlier": earlier}
    return render(request, "careleavers/wellbeing_ask.html", context)


@council
@transaction.atomic
def take_back(request, pk, point):
    """The answers of a point were recorded by mistake."""
    person = person_or_404(request, pk)
    earlier, back = _current(request, person, point).first(), person_url("wellbeing", person)
    if earlier is None:
        messages.error(request, "There are no answers to take back.")
        return redirect(back)
    form = TakeBackForm(request.POST or None, cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            wellbeing.take_back(earlier=earlier, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The answers are taken back and stay in the history.")
            return redirect(back)
    context = {"form": form, "person": person, "earlier": earlier}
    return render(request, "careleavers/wellbeing_take_back.html", context)


@council
@require_safe
def paper(request):
    """The questions to print and fill in: no name, no reference."""
    sheet = [(each.text, [*each.answers.values(), questions.SILENT[questions.PREFER_NOT]])
             for each in QUESTIONS.values()]  # fmt: skip
    return render(request, "careleavers/wellbeing_paper.html", {"sheet": sheet})
