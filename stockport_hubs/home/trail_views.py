"""Pages of the audit, for leaving care managers. Reading it is audited like any other reading."""

from django import forms
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from careleavers.models import CareLeaver
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.words import GROUPS
from stockport_hubs.core import clock
from stockport_hubs.core.forms import DayField, Form
from stockport_hubs.home import trail


class TrailFilters(Form):
    """Who acted, what they did, when."""

    mark_optional = False

    who = forms.CharField(label="Who did it", required=False, max_length=60)
    what = forms.ChoiceField(
        label="What", required=False, choices=[("", "Everything"), *((group, group) for group in GROUPS)]
    )
    from_on = DayField(label="From", required=False)
    until_on = DayField(label="To", required=False)


def _asked(request) -> tuple[trail.Wanted, dict]:
    """What to look for, and what the page says about it. A young person that is not there or not theirs is 404."""
    filters, query = TrailFilters(request.GET), request.GET.get("q", "").strip()[:60]
    filters.is_valid()
    given, key = filters.cleaned_data, request.GET.get("person", "")
    wanted = trail.Wanted(
        who=given.get("who", ""),
        group=given.get("what", ""),
        from_on=given.get("from_on"),
        until_on=given.get("until_on"),
    )
    mine, too_many = CareLeaver.objects.for_user(request.user), False
    if key:
        wanted.person = get_or_404(mine, pk=_uuid(key))
    elif query:
        wanted.people = list(mine.search(query).values_list("pk", flat=True)[: trail.AT_MOST + 1])
        too_many = len(wanted.people) > trail.AT_MOST
        wanted.people = [] if too_many else wanted.people
    asked = {name: value for name, value in request.GET.items() if name not in ("before", "csrfmiddlewaretoken")}
    return wanted, {
        "filters": filters,
        "query": query,
        "person": wanted.person,
        "too_many": too_many,
        "is_filtered": bool(query or wanted.names),
        "asked": urlencode(asked),
    }


def _uuid(text: str):
    try:
        return forms.UUIDField().clean(text)
    except forms.ValidationError:
        return None


def _read(request, verb: str, wanted: trail.Wanted, found: trail.Found) -> None:
    person = [(audit.CARE_LEAVER, wanted.person.pk)] if wanted.person else []
    subjects, detail = [*person, *found.subjects], {"asked": wanted.names, "rows": len(found.lines)}
    audit.record(verb, at=clock.now(), by=request.user, target=wanted.person, subjects=subjects, detail=detail)


@roles(Role.LEAVING_CARE_MANAGER)
@require_safe
@transaction.atomic
def read(request):
    """Who did and saw what, the newest first; `?person=` for one young person's record."""
    wanted, context = _asked(request)
    found = trail.page(request.user, wanted, request.GET.get("before", ""))
    _read(request, "audit.trail.viewed", wanted, found)
    return render(request, "home/trail.html", {**context, "found": found, "is_later": "before" in request.GET})


@roles(Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER)
@require_safe
@transaction.atomic
def read_one(request, person_id):
    """Who opened, changed or was shown one young person's record; for their advisor too."""
    person = get_or_404(CareLeaver.objects.for_user(request.user), pk=person_id)
    wanted = trail.Wanted(person=person)
    found = trail.page(request.user, wanted, request.GET.get("before", ""))
    _read(request, "audit.trail.viewed", wanted, found)
    is_manager = request.user.role == Role.LEAVING_CARE_MANAGER
    context = {
        "person": person,
        "found": found,
        "is_later": "before" in request.GET,
        "filters": None,
        "too_many": False,
        "is_filtered": False,
        "asked": urlencode({"person": person.pk}) if is_manager else "",
    }
    return render(request, "home/trail.html", context)


@roles(Role.LEAVING_CARE_MANAGER)
@require_safe
@transaction.atomic
def download(request):
    """The same as a file."""
    wanted, _ = _asked(request)
    text, found = trail.export(request.user, wanted)
    _read(request, "audit.trail.exported", wanted, found)
    response = HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8")
    name = f"audit-{clock.today().isoformat()}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
