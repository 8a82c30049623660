"""The young person's agreement to take part and to have data shared with the pantry (rules.md, Agreement to share)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from django.db import transaction

from careleavers.models import CareLeaver, SharedItem, SharingAgreement
from careleavers.services import wellbeing
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.needs import ALLERGENS, NEED_KINDS
from stockport_hubs.core.weeks import london_date


def current(care_leaver: CareLeaver, day: date) -> SharingAgreement | None:
    """The one agreement that holds on that day, with its items."""
    there = care_leaver.sharing_agreements.select_related("taken_by").prefetch_related("items")
    return next((agreement for agreement in there if agreement.holds_on(day)), None)


@transaction.atomic
def record_agreement(
    *,
    care_leaver: CareLeaver,
    wording_version: str,
    privacy_notice_on: date,
    given_on: date,
    how_given: str,
    share_name: bool,
    items: Iterable[tuple],
    taken_by: User,
    at: datetime,
    until_on: date | None = None,
    advocacy_given_on: date | None = None,
) -> SharingAgreement:
    """Record an agreement; `items` are (kind, value) or (kind, value, agreed_on). It replaces the one before."""
    if care_leaver.has_died:
        raise Refused("This young person has died. Nothing more is shared.")
    if given_on > london_date(at):
        raise Refused("The agreement must not be dated in the future.")
    if privacy_notice_on > given_on:
        raise Refused("The privacy notice must be given before or on the day of the agreement.")
    if until_on and until_on < given_on:
        raise Refused("The agreement must not end before it begins.")
    CareLeaver.objects.select_for_update().get(pk=care_leaver.pk)
    for earlier in care_leaver.sharing_agreements.filter(withdrawn_on=None):
        if earlier.until_on is None or earlier.until_on >= given_on:
            _replace(earlier, given_on)
    agreement = SharingAgreement.objects.create(
        care_leaver=care_leaver,
        wording_version=wording_version,
        privacy_notice_on=privacy_notice_on,
        given_on=given_on,
        how_given=how_given,
        share_name=share_name,
        until_on=until_on,
        advocacy_given_on=advocacy_given_on,
        taken_by=taken_by,
    )
    SharedItem.objects.bulk_create(
        [
            SharedItem(agreement=agreement, kind=kind, value=value, agreed_on=agreed_on)
            for kind, value, agreed_on in dict.fromkeys(_item(item, given_on) for item in items)
        ]
    )
    wellbeing.tell(care_leaver.pk)
    subjects = [(CARE_LEAVER, care_leaver.pk)]
    audit.record("careleavers.agreement.recorded", at=at, by=taken_by, target=agreement, subjects=subjects)
    return agreement


def _replace(earlier: SharingAgreement, day: date) -> None:
    """Of two agreements only the later holds: the earlier ends the day before, or never held."""
    if earlier.given_on < day:
        earlier.until_on = day - timedelta(days=1)
    else:
        earlier.withdrawn_on = earlier.given_on
    earlier.save(update_fields=["until_on", "withdrawn_on"])


def _item(item: tuple, given_on: date) -> tuple[str, str, date]:
    kind, value, agreed_on = (*item, given_on)[:3]
    if kind not in NEED_KINDS:
        raise Refused(f"“{kind}” is not something that can be shared with a pantry.")
    value = "" if kind == "no_cooking" else value.strip()
    if kind != "no_cooking" and not value:
        raise Refused(f"Say what is shared under “{NEED_KINDS[kind]}”, or leave it out.")
    if kind == "allergen" and value.casefold() in ALLERGENS:
        value = value.casefold()
    return kind, value, agreed_on


@transaction.atomic
def withdraw(*, care_leaver: CareLeaver, on: date, by: User, at: datetime, how: str = "") -> SharingAgreement:
    """The young person withdraws: from that day on only the membership number is known at the pantry.

    What follows for introductions and memberships is in `referrals.services.agreements`.
    """
    today = london_date(at)
    CareLeaver.objects.select_for_update().get(pk=care_leaver.pk)
    agreement = current(care_leaver, today)
    if on > today:
        raise Refused("A withdrawal counts from today at the latest; it must not be in the future.")
    if agreement is None:
        raise Refused("There is no agreement to withdraw on that day.")
    if on < agreement.given_on:
        raise Refused(
            f"The agreement was given on {agreement.given_on:%-d %B %Y}; it cannot have been withdrawn before. "
            "Enter that day or a later one."
        )
    agreement.withdrawn_on, agreement.withdrawn_how, agreement.withdrawn_by = on, how, by
    agreement.save(update_fields=["withdrawn_on", "withdrawn_how", "withdrawn_by"])
    subjects = [(CARE_LEAVER, care_leaver.pk)]
    audit.record("careleavers.agreement.withdrawn", at=at, by=by, target=agreement, subjects=subjects)
    return agreement
