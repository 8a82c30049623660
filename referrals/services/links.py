"""Onward links: offered to a young person, taken up or not, and whether it helped. Moves are in rules.py."""

from datetime import date, datetime

from django.db import transaction

from careleavers.models import CareLeaver
from referrals import rules
from referrals.models import CommunityLink, DirectoryEntry
from referrals.services import steps
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import spoken

State = CommunityLink.State


@transaction.atomic
def offer(
    *, care_leaver: CareLeaver, entry: DirectoryEntry, on: date, by: User, at: datetime, note: str = ""
) -> CommunityLink:
    """Somebody told this young person about a place of the directory."""
    care_leaver = steps.living(care_leaver)
    if entry.retired_at:
        raise Refused(f"{entry} is not in the directory any more. Choose another.")
    open_one = CommunityLink.objects.filter(
        care_leaver=care_leaver, entry=entry, state__in=[State.OFFERED, State.TAKEN_UP]
    ).first()
    if open_one:
        raise Refused(f"{entry} was offered on {spoken(open_one.offered_on)}. Say what came of it.")
    steps.check_day(on, None, at)
    link = CommunityLink.objects.create(care_leaver=care_leaver, entry=entry, offered_on=on, state_on=on)
    return _step(link, State.OFFERED, on, note, "referrals.link.offered", by, at)


@transaction.atomic
def move(*, link: CommunityLink, state: str, on: date, by: User, at: datetime, note: str = "") -> CommunityLink:
    """What came of it."""
    link = _locked(link)
    steps.living(link.care_leaver)
    if state not in rules.LINK_MOVES[link.state]:
        raise Refused(
            f"“{link.get_state_display()}” cannot become “{State(state).label}”. "
            + (
                "Read the link again."
                if rules.LINK_MOVES[link.state]
                else "That answer stands; offer it again instead."
            )
        )
    steps.check_day(on, link.state_on, at)
    link.state, link.state_on = state, on
    link.save(update_fields=["state", "state_on"])
    return _step(link, state, on, note, "referrals.link.moved", by, at)


@transaction.atomic
def undo(*, link: CommunityLink, by: User, at: datetime) -> CommunityLink:
    """Take the last step back; without its first step a link was never offered."""
    link = _locked(link)
    _, before = steps.take_back_last(link.moves, by, at)
    link.state, link.state_on = (before.state, before.on) if before else (State.TAKEN_BACK, link.offered_on)
    if link.state in (State.OFFERED, State.TAKEN_UP) and _other_open(link):
        raise Refused(f"{link.entry} has been offered again since. Take that back first.")
    link.save(update_fields=["state", "state_on"])
    _log("referrals.link.undone", link, by, at)
    return link


def _other_open(link: CommunityLink) -> bool:
    same = CommunityLink.objects.filter(care_leaver=link.care_leaver_id, entry=link.entry_id)
    return same.filter(state__in=[State.OFFERED, State.TAKEN_UP]).exclude(pk=link.pk).exists()


def _locked(link: CommunityLink) -> CommunityLink:
    rows = CommunityLink.objects.select_for_update(of=("self",)).select_related("entry", "care_leaver")
    return rows.get(pk=link.pk)


def _step(link: CommunityLink, state: str, on: date, note: str, verb: str, by: User, at: datetime) -> CommunityLink:
    steps.write(link.moves, state=state, on=on, note=note, by=by, at=at)
    _log(verb, link, by, at)
    return link


def _log(verb: str, link: CommunityLink, by: User, at: datetime) -> None:
    subjects, detail = [(audit.CARE_LEAVER, link.care_leaver_id)], {"state": link.state}
    audit.record(verb, at=at, by=by, target=link, subjects=subjects, detail=detail)
