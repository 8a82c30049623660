"""The weekly e-mail as it would go now, and the switch."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from referrals import digest as weekly
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import roles
from stockport_hubs.core import clock


@roles(Role.PERSONAL_ADVISOR)
@require_http_methods(["GET", "HEAD", "POST"])
def digest(request):
    """On or off; what it says is on the home."""
    if request.method == "POST":
        on = request.POST.get("on") == "yes"
        weekly.switch(on=on, by=request.user, at=clock.now())
        said = "The weekly email comes again." if on else "The weekly email does not come any more."
        messages.success(request, said)
        return redirect("referrals:digest")
    return render(request, "referrals/digest.html", {"is_on": weekly.is_on(request.user)})
