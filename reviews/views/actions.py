"""Actions of meetings and barriers: ticked as done, or taken back."""

from django.contrib import messages
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from reviews.models import Action
from reviews.services import actions
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock


@roles(Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER)
@require_POST
def action_mark(request, action_id):
    """done=yes or done=no."""
    action = get_or_404(Action.objects.for_user(request.user), pk=action_id)
    done = request.POST.get("done") == "yes"
    actions.mark(action=action, done=done, by=request.user, at=clock.now())
    messages.success(request, "The action is marked as done." if done else "The action is to be done again.")
    if action.meeting_id:
        return redirect(reverse("reviews:meeting", args=[action.meeting_id]) + "#actions")
    return redirect("reviews:barrier", action.barrier_id)
