"""What is said with one member in a session, beside the collection: told about, would like to help, away."""

from uuid import UUID, uuid4

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from pantry import roster
from pantry.models import Membership, PantrySession
from pantry.services import away
from pantry.views.sessions import can_record_on, session_or_404
from referrals.models import DirectoryEntry, Told
from referrals.services import helpers, told
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.keys import uuid_or_none
from stockport_hubs.core.pages import Paginator

AT_PANTRIES = (Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER)
PAGE = 25


def member_or_404(request, session_id, membership_id) -> tuple[PantrySession, Membership]:
    """One's own session and a member who may come to it."""
    shown = session_or_404(request, session_id)
    return shown, get_or_404(roster.of_operator(shown), pk=membership_id)


def page_of(shown: PantrySession, member: Membership) -> str:
    """The page everything here leads back to."""
    return reverse("hall:member", args=[shown.pk, member.pk])


@roles(*AT_PANTRIES)
@require_safe
@transaction.atomic
def member(request, session_id, membership_id):
    """What can be told today and what was told in this session; a wish to help; until when they are away."""
    shown, found = member_or_404(request, session_id, membership_id)
    on, user = clock.today(), request.user
    said = told.in_session(shown, found)
    page = Paginator(told.on_offer(user, shown.on), PAGE).get_page(request.GET.get("page"))
    helper, gone = helpers.of(found), away.of(found, on)
    subjects = [(audit.MEMBERSHIP, found.pk)]
    audit.record("pantry.session.viewed", at=clock.now(), by=user, target=shown, subjects=subjects)
    context = {
        "session": shown,
        "row": roster.row_of(shown, found, by=user, today=on),
        "back": f"{reverse('pantry:session', args=[shown.pk])}#member-{found.number}",
        "can_record": can_record_on(shown, user, on) and found.state != Membership.State.ENDED,
        "page_obj": page,
        "entries": [(entry, uuid4()) for entry in page if entry.pk not in said],
        "wish_key": uuid4(),
        "told": [(each, told.can_take_back(each, by=user, on=on)) for each in said.values()],
        "wished": helper is not None and helpers.was_wished_on(helper, shown.on),  # of earlier days nothing is told
        "can_unwish": helper is not None and helpers.can_take_back(helper, by=user, on=on),
        "away": gone,
        "can_come_back": gone is not None and away.can_take_back(gone, by=user, on=on),
    }
    return render(request, "referrals/hall_member.html", context)


def _uuid(request, name: str) -> UUID:
    if key := uuid_or_none(request.POST.get(name)):
        return key
    raise Refused("The form did not arrive whole. Try again.")


@roles(*AT_PANTRIES)
@require_POST
def tell(request, session_id, membership_id):
    """The button beside an entry of the directory."""
    shown, found = member_or_404(request, session_id, membership_id)
    try:
        entry = DirectoryEntry.objects.for_user(request.user).filter(pk=_uuid(request, "entry")).first()
        if entry is None:
            raise Refused(told.GONE)
        given = {"membership": found, "entry": entry, "session": shown, "key": _uuid(request, "key")}
        told.tell(**given, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, f"Recorded: {found.number} was told about {entry}.")
    return redirect(page_of(shown, found))


@roles(*AT_PANTRIES)
@require_POST
def told_take_back(request, told_id):
    """Undo."""
    row = get_or_404(Told.objects.for_user(request.user).select_related("entry", "membership", "session"), pk=told_id)
    try:
        told.take_back(told=row, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, f"Taken back: {row.entry}.")
    return redirect(page_of(row.session, row.membership))


@roles(*AT_PANTRIES)
@require_POST
def wish(request, session_id, membership_id):
    """They would like to help."""
    shown, found = member_or_404(request, session_id, membership_id)
    try:
        helpers.wish(membership=found, session=shown, key=_uuid(request, "key"), by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, f"Recorded: {found.number} would like to help. The pantry manager gets in touch.")
    return redirect(page_of(shown, found))


@roles(*AT_PANTRIES)
@require_POST
def wish_take_back(request, session_id, membership_id):
    """Undo."""
    shown, found = member_or_404(request, session_id, membership_id)
    helper = helpers.of(found)
    try:
        if helper is None:
            raise Refused("There is nothing to take back.")
        helpers.take_back(helper=helper, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, "Taken back.")
    return redirect(page_of(shown, found))
