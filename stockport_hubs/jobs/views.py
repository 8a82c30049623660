"""The progress of work someone asked for: shown to them alone, with a way to stop it and what to do when it failed.

`?next=` is where the result is: when the work is done the page leads there by itself.
"""

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_POST, require_safe

from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import anyone_signed_in, get_or_404, roles
from stockport_hubs.core.forms import Form
from stockport_hubs.core.pages import Paginator
from stockport_hubs.jobs import services
from stockport_hubs.jobs.models import CANCELLED, OVERSEERS, Job

PAGE = 25
OPEN = Q(done_at__isnull=True, failed_at__isnull=True)
FAILED = Q(failed_at__isnull=False) & ~Q(error=CANCELLED)
STATES = {  # of the filter: words and what fits
    "": ("Not done yet, or failed", OPEN | FAILED),
    "open": ("Waiting or running", OPEN),
    "failed": ("Failed", FAILED),
    "stopped": ("Stopped by someone", Q(failed_at__isnull=False, error=CANCELLED)),
    "done": ("Done", Q(done_at__isnull=False)),
}
COLOURS = {"waiting": "grey", "running": "blue", "failed": "red", "stopped": "yellow", "done": "green"}


class StateFilter(Form):
    """Which jobs to list."""

    mark_optional = False
    state = forms.ChoiceField(
        label="State", required=False, choices=[(key, words) for key, (words, _) in STATES.items()]
    )


@require_safe
@roles(*OVERSEERS)
def overview(request):
    """Work in the background: what it is, how it stands, since when; the newest first."""
    form, now = StateFilter(request.GET), timezone.now()
    form.is_valid()
    state = form.cleaned_data.get("state", "")
    found = Job.objects.for_user(request.user, overseen=True).filter(STATES[state][1]).select_related("asked_by")
    page = Paginator(found.order_by("-created_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    sees_refusals = request.user.role != Role.ADMINISTRATOR  # they may speak of members
    rows = [
        {
            "job": job,
            "label": services.label(job),
            "state": job.state(now),
            "colour": COLOURS[job.state(now)],
            "why": job.error if sees_refusals or not services.was_refused(job) else "A leaving care manager reads why.",
        }
        for job in page
    ]
    context = {
        "page_obj": page,
        "rows": rows,
        "form": form,
        "is_filtered": bool(state),
        "may_retry": sees_refusals,
    }
    return render(request, "jobs/list.html", context)


def _next(request) -> str:
    """The page of the result, when it is one of ours."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/")
    return wanted if ours else ""


def _page(job: Job, then: str) -> str:
    url = reverse("jobs:progress", args=[job.pk])
    return f"{url}?{urlencode({'next': then})}" if then else url


@require_safe
@anyone_signed_in
def progress(request, job_id):
    """How far it is; done: on to the result."""
    job = get_or_404(Job.objects.for_user(request.user), pk=job_id)
    then = _next(request)
    if job.done_at and then:
        return redirect(then)
    context = {
        "job": job,
        "label": services.label(job),
        "then": then,
        "text": job.progress_note or ("Working" if job.attempts else "Waiting for its turn"),
        "percent": job.progress if job.attempts else None,
        "was_refused": services.was_refused(job),
    }
    return render(request, "jobs/progress.html", context)


@require_POST
@anyone_signed_in
def cancel(request, job_id):
    """Ask it to stop; it does so at its next step."""
    job = get_or_404(Job.objects.for_user(request.user), pk=job_id)
    if job.is_over:
        messages.error(request, "It is over already, so there is nothing to stop.")
    else:
        services.ask_cancel(job=job, by=request.user)
    return redirect(_page(job, _next(request)))


@require_POST
@anyone_signed_in
def retry(request, job_id):
    """Try again: one's own job, or as a manager any that failed."""
    own = Job.objects.for_user(request.user).filter(pk=job_id).first()
    job = own or get_or_404(Job.objects.for_user(request.user, to_look_at=True), pk=job_id)
    if job.failed_at is None:
        messages.error(request, "It has not failed, so there is nothing to try again.")
    else:
        services.retry(job=job, by=request.user)
        if own is None:
            messages.success(request, f"“{services.label(job)}” is tried again.")
    return redirect(_page(job, _next(request)) if own else "home")
