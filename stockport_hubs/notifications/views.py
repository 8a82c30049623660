"""E-mails and what became of them: for managers, of their own organisation's people."""

from django import forms
from django.contrib import messages
from django.db.models import Q
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.forms import Form
from stockport_hubs.core.pages import Paginator
from stockport_hubs.notifications import services
from stockport_hubs.notifications.models import Message

PAGE = 25
OPEN = Q(sent_at__isnull=True, settled_at__isnull=True)
STATES = {  # of the filter: words and what fits
    "": ("Not sent", OPEN & Q(refused_at__isnull=False) | OPEN & Q(claimed_at__isnull=False)),
    "waiting": ("Waiting to be sent", OPEN & Q(refused_at__isnull=True, claimed_at__isnull=True)),
    "sent": ("Sent", Q(sent_at__isnull=False)),
    "settled": ("Settled by someone", Q(settled_at__isnull=False)),
}
COLOURS = {"waiting": "grey", "sending": "blue", "sent": "green", "not sent": "yellow", "unknown": "red"}
readers = roles(Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER, Role.ADMINISTRATOR)


class StateFilter(Form):
    """Which messages to list."""

    mark_optional = False
    state = forms.ChoiceField(
        label="State", required=False, choices=[(key, words) for key, (words, _) in STATES.items()]
    )


@require_safe
@readers
def overview(request):
    """What was not sent and why, or whatever the filter asks for; the newest first."""
    form, now = StateFilter(request.GET), timezone.now()
    form.is_valid()
    state = form.cleaned_data.get("state", "")
    mine = Message.objects.for_user(request.user).select_related("to", "settled_by")
    found = mine.filter(STATES[state][1]).order_by("-created_at", "-pk")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    rows = [
        {
            "message": message,
            "label": services.label(message),
            "state": message.state(now),
            "colour": COLOURS.get(message.state(now), ""),
        }
        for message in page
    ]
    context = {"page_obj": page, "rows": rows, "form": form, "is_filtered": bool(state)}
    return render(request, "notifications/list.html", context)


@require_POST
@readers
def settle(request, message_id):
    """Take an unknown one off the list: it arrived after all, or the person knows."""
    return _decide(request, message_id, services.settle, "The email is settled.")


@require_POST
@readers
def send_again(request, message_id):
    """Send an unknown one again, because this person decides so."""
    return _decide(request, message_id, services.send_again, "The email is sent again.")


def _decide(request, message_id, service, said: str):
    message = get_or_404(Message.objects.for_user(request.user), pk=message_id)
    try:
        service(message=message, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said)
    return redirect("messages:list")
