"""Whom to call when somebody in the hall is worried: dated, kept by the pantry manager, one of each role at a time."""

import re
from datetime import date, datetime, timedelta

from django.db import transaction

from pantry.models import CallNow, Pantry
from pantry.wording import refuse_forbidden
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date, spoken

PHONE = re.compile(r"[0-9+() -]{5,20}")


def listed(pantry: Pantry, on: date) -> list[dict[str, str]]:
    """The numbers in force that day, the pantry manager's first: role and called in words, phone."""
    rows = CallNow.objects.in_force_on(on).filter(pantry=pantry).order_by("role")
    return [{"role": row.get_role_display(), "called": row.called, "phone": row.phone} for row in rows]


@transaction.atomic
def set_call(
    *, pantry: Pantry, role: str, phone: str, from_on: date, by: User, at: datetime, called: str = ""
) -> CallNow:
    """The number of that role from a day on; the one before it ends the day before. Another number for a day that is
    still to come replaces what was said for it."""
    _check_may_keep(pantry, by)
    pantry = Pantry.objects.select_for_update(no_key=True).get(pk=pantry.pk)
    phone, called = " ".join(phone.split()), " ".join(called.split())
    if role not in CallNow.Role.values:
        raise Refused("Choose whose number it is.")
    if not PHONE.fullmatch(phone):
        raise Refused("Enter a telephone number, like 0161 496 0000.")
    if from_on < london_date(at):
        raise Refused("What was in force before today stays on record. Choose today or a later day.")
    refuse_forbidden(called)
    last = pantry.calls.filter(role=role, until_on__isnull=True).first()
    if last and last.from_on > from_on:
        raise Refused(f"Another number is set from {spoken(last.from_on)}. Take that one back first.")
    if last and last.from_on == from_on:
        last.delete()
    elif last:
        last.until_on = from_on - timedelta(days=1)
        last.save(update_fields=["until_on"])
    made = CallNow.objects.create(pantry=pantry, role=role, called=called, phone=phone, from_on=from_on, set_by=by)
    audit.record("pantry.call.set", at=at, by=by, target=pantry, detail={"role": role})
    return made


@transaction.atomic
def take_back(*, call: CallNow, by: User, at: datetime) -> None:
    """A number that is not in force yet is taken back, and the one before it goes on."""
    _check_may_keep(call.pantry, by)
    Pantry.objects.select_for_update(no_key=True).get(pk=call.pantry_id)
    call = CallNow.objects.select_related("pantry").get(pk=call.pk)
    if call.until_on or call.from_on <= london_date(at):
        raise Refused("This number is in force already. Set another one from today instead.")
    before = call.pantry.calls.filter(role=call.role, until_on=call.from_on - timedelta(days=1)).first()
    call.delete()
    if before:
        before.until_on = None
        before.save(update_fields=["until_on"])
    audit.record("pantry.call.taken_back", at=at, by=by, target=call.pantry, detail={"role": call.role})


def _check_may_keep(pantry: Pantry, by: User) -> None:
    if by.role != Role.PANTRY_MANAGER or by.organisation_id != pantry.operator_id:
        raise Refused("The pantry manager keeps these numbers.")
