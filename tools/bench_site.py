"""The site as `make bench` serves it: every page as it is, and beside it the floor it is measured against.

gunicorn starts `bench_site:application`. Local settings; the floors live under /floor/ and nowhere else.
"""

import inspect
import sys
import threading
import uuid
from datetime import timedelta
from typing import Any

from stockport_hubs.wsgi import application as site  # sets Django up

# isort: split

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.contrib.auth.decorators import login_not_required
from django.db import connection, transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import include, path, resolve
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from pantry.models import Collection, Membership, PantrySession, SelectedItem
from stockport_hubs.audit.models import AuditEvent, AuditSubject
from stockport_hubs.core import clock, weeks
from stockport_hubs.core.pages import Paginator
from stockport_hubs.home import trail

settings.ROOT_URLCONF = "bench_site"
kept: dict[tuple[str, object], tuple[str, dict[str, Any]]] = {}


class Rows(threading.local):
    """What this answer's list may show at most (0: a page), and the pages that were made."""

    most = 0
    pages: list


rows = Rows()
SHORTER = "HTTP_X_MOST_ROWS"
begin, make_page, make_trail, PAGE_OF_TRAIL = Paginator.__init__, Paginator.page, trail.page, trail.PAGE


def begin_with(self, found, per_page, **more):
    """Pages of no more rows than were asked for."""
    begin(self, found, min(per_page, rows.most or per_page), **more)


def noted_page(self, number):
    """A page, whose rows are counted."""
    rows.pages.append(make_page(self, number))
    return rows.pages[-1]


def noted_trail(*asked):
    """The same of the audit, which makes its pages itself."""
    trail.PAGE = min(PAGE_OF_TRAIL, rows.most or PAGE_OF_TRAIL)
    found = make_trail(*asked)
    rows.pages.append(found.lines)
    return found


patches: dict[Any, dict[str, Any]] = {
    Paginator: {"__init__": begin_with, "page": noted_page},
    trail: {"page": noted_trail},
}
for where, functions in patches.items():
    for name, function in functions.items():
        setattr(where, name, function)


def application(environ, start_response):
    """The site, telling how many queries each answer took and how many rows its longest list shows; X-Most-Rows makes
    its pages shorter."""
    queries: list[str] = []
    rows.most, rows.pages = int(environ.get(SHORTER, "0")), []

    def count(execute, sql, *rest):
        queries.append(sql)
        return execute(sql, *rest)

    def start(status, headers, *more):
        asked = len(queries)
        shown = max((len(page) for page in rows.pages), default=0)
        return start_response(status, [*headers, ("X-Queries", str(asked)), ("X-Rows", str(shown))], *more)

    with connection.execute_wrapper(count):
        return site(environ, start)


def page_floor(request, page: str):
    """The same template and middleware over the same rows already in memory: the first call runs the real page."""
    request.path = request.path_info = f"/{page}"
    match = request.resolver_match = resolve(request.path)
    key = (request.path, request.user.pk)
    if key not in kept:
        module: Any = sys.modules[inspect.unwrap(match.func).__module__]
        real = module.render

        def remember(request, template, context=None, **more):
            response = real(request, template, context, **more)  # once rendered, every query set holds its rows
            kept[key] = (template, context or {})
            return response

        module.render = remember
        try:
            return match.func(request, *match.args, **match.kwargs)
        finally:
            module.render = real
    template, context = kept[key]
    queries: list[str] = []

    def count(execute, sql, *rest):
        queries.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        response = render(request, template, context)
    response["X-Queries-Of-Template"] = str(len(queries))
    return response


@require_POST
@transaction.atomic
def record_floor(request, session_id, membership_id):
    """The rows of one collection, inserted in one transaction without asking anything."""
    session = PantrySession(pk=session_id, pantry_id=request.GET["pantry"])
    now = clock.now()
    on = weeks.london_date(now)
    collection = Collection.objects.create(
        key=uuid.UUID(request.POST["key"]),
        membership=Membership(pk=membership_id),
        session=session,
        pantry_id=session.pantry_id,
        week=on - timedelta(days=on.weekday()),
        on=on,
        collected_at=now,
        recorded_at=now,
        recorded_by=request.user,
        fruit_and_veg=True,
        paid_pence=0,
    )
    SelectedItem.objects.bulk_create([SelectedItem(collection=collection, band_id=None, quantity=10)])
    event = AuditEvent.objects.create(at=now, verb="pantry.collection.recorded", by=request.user, detail={})
    AuditSubject.objects.bulk_create([AuditSubject(event=event, kind="membership", subject_id=membership_id)])
    return redirect("home")


@login_not_required
@csrf_exempt
@require_POST
def enter(request, name):
    """Sign in as one of the sample accounts."""
    user = get_user_model().objects.get(email=f"{name}@example.org")
    login(request, user)
    return HttpResponse("in")


def empty(request):
    """Nothing but the middleware."""
    return HttpResponse("nothing")


urlpatterns = [
    path("floor/empty/", empty),
    path("floor/enter/<str:name>/", enter),
    path("floor/record/<uuid:session_id>/<uuid:membership_id>/", record_floor),
    path("floor/page/<path:page>", page_floor),
    path("floor/page/", page_floor, {"page": ""}),
    path("", include("stockport_hubs.urls")),
]
