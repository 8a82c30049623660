"""Actions of meetings and barriers: listed, ticked as done, or taken back."""

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from reviews.models import Action
from reviews.services import actions as services
from reviews.views.agenda import READ
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.pages import Paginator

ROWS = 25


@roles(*READ)
@require_safe
@transaction.atomic
def actions(request):
    """One's own that wait, the first due first; everyone's and what is done on request."""
    seen = Action.objects.for_user(request.user)
    which = request.GET.get("show", "mine")
    shown = seen.filter(done_on__isnull=which != "done")
    if which not in ("all", "done"):
        which, shown = "mine", shown.filter(owner=request.user)
    shown = shown.with_carrying().select_related("owner", "barrier", "meeting")
    shown = shown.order_by("-done_on" if which == "done" else "due_on", "id")
    page = Paginator(shown, ROWS).get_page(request.GET.get("page"))
    people = [subject for each in page for subject in services.subjects(each)]
    if people:
        audit.record("reviews.actions.viewed", at=clock.now(), by=request.user, subjects=people)
    waits = Q(done_on__isnull=True)
    counts = seen.order_by().aggregate(
        mine=Count("pk", filter=waits & Q(owner=request.user)),
        all=Count("pk", filter=waits),
        done=Count("pk", filter=~waits),
    )
    tabs = [("mine", "Mine"), ("all", "Everyone’s"), ("done", "Done")]
    context = {
        "page": page,
        "which": which,
        "tabs": [(key, words, counts[key]) for key, words in tabs],
        "today": clock.today(),
    }
    return render(request, "reviews/action_page.html", context)


@roles(*READ)
@require_POST
def action_mark(request, action_id):
    """done=yes or done=no; then= is the page to come back to."""
    action = get_or_404(Action.objects.for_user(request.user), pk=action_id)
    done = request.POST.get("done") == "yes"
    services.mark(action=action, done=done, by=request.user, at=clock.now())
    messages.success(request, "The action is marked as done." if done else "The action is to be done again.")
    then = request.POST.get("then", "")
    if then and url_has_allowed_host_and_scheme(then, {request.get_host()}, require_https=request.is_secure()):
        return redirect(then)
    if action.meeting_id:
        return redirect(reverse("reviews:meeting", args=[action.meeting_id]) + "#actions")
    return redirect("reviews:barrier", action.barrier_id)
