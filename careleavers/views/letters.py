"""Messages to young people: what is to do, one of them, and how somebody wants to be written to."""

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.shortcuts import redirect, render

from careleavers.forms import LetterChoiceForm, LetterFilter, person_url
from careleavers.models import Letter
from careleavers.services import letters
from careleavers.views.doors import PER_PAGE, council, log_list, person_or_404
from stockport_hubs.accounts.permissions import get_or_404
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator
from stockport_hubs.notifications import notify

COLOURS = {
    "waiting": "yellow",
    "sending": "blue",
    "taken": "blue",
    "sent": "green",
    "not sent": "orange",
    "settled": "grey",
    "unknown": "red",
}
ENDED = {
    "not_sent": Q(refused_at__isnull=False),
    "sent": Q(sent_at__isnull=False),
    "settled": Q(settled_at__isnull=False),
}


def row(letter: Letter, now) -> dict:
    """One message as a list shows it."""
    state = letter.state(now)
    return {"letter": letter, "label": letters.label(letter), "state": state, "colour": COLOURS[state]}


@council
@transaction.atomic
def letter_list(request):
    """Messages to the young people this user may see: what waits for somebody, the oldest first; or what has ended."""
    filters, now = LetterFilter(request.GET), clock.now()
    filters.is_valid()
    state = filters.cleaned_data.get("state", "")
    mine = Letter.objects.for_user(request.user).select_related("care_leaver", "claimed_by", "settled_by")
    found = mine.filter(ENDED[state]) if state else mine.open().order_by("created_at", "id")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    log_list(request, {letter.care_leaver for letter in page}, verb="careleavers.letters.viewed")
    context = {
        "page_obj": page,
        "rows": [row(letter, now) for letter in page],
        "filters": filters,
        "is_filtered": bool(state),
        "by_notify": notify.is_configured(),
    }
    return render(request, "careleavers/letters.html", context)


DOES = {
    "take": letters.take,
    "sent": letters.sent_by_hand,
    "not_sent": letters.not_sent_by_hand,
    "settle": letters.settle,
    "again": letters.send_again,
}
SAID = {
    "sent": "Recorded as sent.",
    "not_sent": "Recorded as not sent.",
    "settle": "The message is settled.",
    "again": "A new message waits.",
}


@council
@transaction.atomic
def letter(request, pk):
    """One message: whoever takes it sees what to send and where to; nobody else can send it then."""
    mine = Letter.objects.for_user(request.user).select_related("care_leaver", "claimed_by", "settled_by", "asked_by")
    found = get_or_404(mine, pk=pk)
    if request.method == "POST" and (do := request.POST.get("do")) in DOES:
        try:
            with transaction.atomic():
                after = DOES[do](letter=found, by=request.user, at=clock.now())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            if do == "take" and after.refused_at:
                messages.error(request, f"It is not to be sent: {after.refused_because}")
            elif do in SAID:
                messages.success(request, SAID[do])
        return redirect("careleavers:letter", found.pk)
    return _page(request, found)


def _page(request, found: Letter):
    now = clock.now()
    subjects = [(audit.CARE_LEAVER, found.care_leaver_id)]
    audit.record("careleavers.letter.viewed", at=now, by=request.user, target=found, subjects=subjects)
    is_mine = found.claimed_by_id == request.user.pk and found.state(now) in ("taken", "unknown")
    reason, written = letters.to_send(found) if is_mine else ("", None)
    context = {**row(found, now), "is_mine": is_mine, "reason": reason, "written": written}
    return render(request, "careleavers/letter.html", context | {"by_notify": notify.is_configured()})


@council
@transaction.atomic
def letter_choice(request, pk):
    """Whether and how they want to be written to, and whether it is safe."""
    person, today = person_or_404(request, pk), clock.today()
    back, last = person_url("detail", person), person.letter_choices.first()
    initial = {"asked_on": today, **({"channel": last.channel, "is_safe": last.is_safe} if last else {})}
    form = LetterChoiceForm(request.POST or None, cancel=back, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            letters.choose(care_leaver=person, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Recorded. It holds from now on, also for messages that wait.")
            return redirect(back)
    context = {"person": person, "form": form, "back_url": back}
    return render(request, "careleavers/letter_choice.html", context)
