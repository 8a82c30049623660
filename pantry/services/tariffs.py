"""Prices: the pantry manager proposes, a finance officer agrees or sends back; two people by constraint."""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from pantry.models import Pantry, Tariff
from pantry.services import top_ups
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused


def check_can_start(*, pantry: Pantry, from_week: date, on: date) -> None:
    """A price starts on a Monday of this week or later; a pantry's first price may start on any Monday."""
    if not weeks.is_monday(from_week):
        raise Refused(f"A price starts on a Monday. The Monday of that week is {weeks.monday(from_week):%-d %B %Y}.")
    agreed = pantry.tariffs.agreed()
    if from_week < weeks.monday(on) and agreed.exists():
        raise Refused(
            "A price cannot change weeks that have passed. "
            f"Choose {weeks.monday(on):%-d %B %Y}, the Monday of this week, or a later Monday."
        )
    if agreed.filter(from_week=from_week).exists():
        raise Refused(f"A price from {from_week:%-d %B %Y} is agreed already. Choose a later Monday.")


@transaction.atomic
def propose_tariff(
    *,
    pantry: Pantry,
    from_week: date,
    weekly_pence: int,
    joining_pence: int,
    by: User,
    at: datetime,
    food_value_pence: int = 2000,
) -> Tariff:
    """A price that waits for a finance officer; nothing is bought at it before that."""
    pantry = Pantry.objects.select_for_update(no_key=True).get(pk=pantry.pk)
    check_can_start(pantry=pantry, from_week=from_week, on=weeks.london_date(at))
    if pantry.tariffs.awaiting_agreement().filter(from_week=from_week).exists():
        raise Refused(
            f"A price from {from_week:%-d %B %Y} is waiting for the finance officer already. "
            "Take that proposal back first, or choose a later Monday."
        )
    tariff = Tariff.objects.create(
        pantry=pantry,
        from_week=from_week,
        weekly_pence=weekly_pence,
        joining_pence=joining_pence,
        food_value_pence=food_value_pence,
        proposed_by=by,
        proposed_at=at,
    )
    audit.record("pantry.tariff.proposed", at=at, by=by, target=tariff)
    return tariff


@transaction.atomic
def agree_tariff(*, tariff: Tariff, by: User, at: datetime) -> Tariff:
    """In force from its Monday; the second person is never the first. A rise tops up what is bought and not yet used,
    where an agreement says so."""
    tariff = _waiting(tariff)
    if tariff.proposed_by_id == by.pk:
        raise Refused("You proposed this price yourself. Someone else has to agree it.")
    on = weeks.london_date(at)
    check_can_start(pantry=tariff.pantry, from_week=tariff.from_week, on=on)
    top_ups.pay(tariff=tariff, on=on, by=by, at=at)
    tariff.agreed_by, tariff.agreed_at = by, at
    try:
        with transaction.atomic():
            tariff.save(update_fields=["agreed_by", "agreed_at"])
    except IntegrityError:
        raise Refused(f"Another price from {tariff.from_week:%-d %B %Y} was agreed a moment ago.")
    audit.record("pantry.tariff.agreed", at=at, by=by, target=tariff)
    return tariff


@transaction.atomic
def send_back_tariff(*, tariff: Tariff, reason: str, by: User, at: datetime) -> Tariff:
    """Not agreed, with the reason the pantry manager reads."""
    tariff = _waiting(tariff)
    tariff.withdrawn_at, tariff.sent_back_by, tariff.sent_back_reason = at, by, reason
    tariff.save(update_fields=["withdrawn_at", "sent_back_by", "sent_back_reason"])
    audit.record("pantry.tariff.sent_back", at=at, by=by, target=tariff)
    return tariff


@transaction.atomic
def take_back_tariff(*, tariff: Tariff, by: User, at: datetime) -> Tariff:
    """The pantry manager takes a proposal back while it waits."""
    tariff = _waiting(tariff)
    tariff.withdrawn_at = at
    tariff.save(update_fields=["withdrawn_at"])
    audit.record("pantry.tariff.taken_back", at=at, by=by, target=tariff)
    return tariff


def _waiting(tariff: Tariff) -> Tariff:
    """The row, locked, still waiting; whoever comes second is told who was first and when."""
    tariff = Tariff.objects.select_for_update(of=("self",)).select_related("pantry").get(pk=tariff.pk)
    if tariff.agreed_at:
        raise Refused(f"{tariff.agreed_by} agreed this price on {_when(tariff.agreed_at)}. It stands.")
    if tariff.sent_back_by_id:
        raise Refused(f"{tariff.sent_back_by} sent this price back on {_when(tariff.withdrawn_at)}.")
    if tariff.withdrawn_at:
        raise Refused(f"This proposal was taken back on {_when(tariff.withdrawn_at)}.")
    return tariff


def _when(moment: datetime | None) -> str:
    assert moment is not None
    return f"{moment.astimezone(weeks.LONDON):%-d %B %Y at %H:%M}"
