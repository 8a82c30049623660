"""The agenda: filled, added to, worked through. Every word of it is read by both organisations."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from reviews import agenda
from reviews.models import (
    Action,
    AgendaItem,
    AgendaKind,
    AgendaSave,
    AgendaState,
    ReviewMeeting,
    ReviewMeetingState,
)
from reviews.services import actions
from reviews.services.barriers import owners
from reviews.wording import refuse_names
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import MEMBERSHIP
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import LONDON, london_date

A_KIND = 10_000  # positions of one kind
FILLED = ("title", "note", "position", "carried", "first_on", "owner_id", "due_on")


@dataclass(frozen=True)
class Said:
    """What a page says of an item. `done` is about an item that is an action."""

    state: str = AgendaState.OPEN
    discussion: str = ""
    decision: str = ""
    owner: User | None = None
    due_on: date | None = None
    names_nobody: bool = False
    done: bool = False

    def as_json(self) -> dict:
        return {
            "state": str(self.state),
            "discussion": self.discussion,
            "decision": self.decision,
            "owner": str(self.owner.pk) if self.owner else None,
            "due_on": self.due_on.isoformat() if self.due_on else None,
            "names_nobody": self.names_nobody,
            "done": self.done,
        }


class ChangedMeanwhile(Refused):
    """Somebody else saved the item after the page was opened; `item` is what it says now."""

    def __init__(self, sentence: str, item: AgendaItem) -> None:
        super().__init__(sentence)
        self.item = item


def _locked(meeting: ReviewMeeting) -> ReviewMeeting:
    both = ("agreement__funder", "agreement__operator")
    return ReviewMeeting.objects.select_for_update(of=("self",)).select_related(*both).get(pk=meeting.pk)


def _check_open(meeting: ReviewMeeting) -> None:
    if meeting.state == ReviewMeetingState.MINUTES_AGREED:
        raise Refused("The minutes are agreed. Put it on the agenda of the next meeting.")


@transaction.atomic
def fill(*, meeting: ReviewMeeting, at: datetime, by: User | None = None, job: str = "") -> int:
    """Bring the agenda into line with what is known; what somebody wrote under stays. How many items changed."""
    locked = _locked(meeting)
    if locked.state not in (ReviewMeetingState.PLANNED, ReviewMeetingState.AGENDA_OUT):
        raise Refused("The meeting has been held. Its agenda stays as it was; add what else came up.")
    found = agenda.candidates(locked, london_date(at))
    known = {(each.kind, each.source): each for each in AgendaItem.objects.filter(meeting=locked)}
    carried, wanted, changed = agenda.carried(locked, found), set(), 0
    for n, each in enumerate(found):
        key = (str(each.kind), each.source)
        wanted.add(key)
        times, since = carried[key]
        values = {
            "title": each.title,
            "note": each.note,
            "position": agenda.KINDS.index(each.kind) * A_KIND + n,
            "carried": times,
            "first_on": since,
            "owner_id": each.owner,
            "due_on": each.due_on,
        }
        item = known.get(key)
        if item is None:
            AgendaItem.objects.create(
                meeting=locked,
                kind=each.kind,
                source=each.source,
                membership_id=each.membership,
                pantry_id=each.pantry,
                added_by_id=each.by,
                added_at=at,
                **values,
            )
            changed += 1
        elif item.version == 0 and any(getattr(item, name) != values[name] for name in FILLED):
            AgendaItem.objects.filter(pk=item.pk, version=0).update(**values)
            changed += 1
    gone = [i.pk for key, i in known.items() if key not in wanted and i.version == 0 and i.kind != AgendaKind.ADDED]
    AgendaItem.objects.filter(pk__in=gone).delete()
    locked.filled_at = at
    locked.save(update_fields=["filled_at"])
    if changed or gone:
        detail = {"items": changed, "removed": len(gone)}
        audit.record("reviews.agenda.filled", at=at, by=by, job=job, target=locked, detail=detail)
    return changed + len(gone)


@transaction.atomic
def add(
    *, meeting: ReviewMeeting, title: str, note: str, names_nobody: bool = False, by: User, at: datetime
) -> AgendaItem:
    """Something anyone of the two organisations wants to talk about."""
    locked = _locked(meeting)
    _check_open(locked)
    _check_words(locked, [title, note], by, names_nobody)
    last = AgendaItem.objects.filter(meeting=locked).order_by("-position").values_list("position", flat=True).first()
    begin = agenda.KINDS.index(AgendaKind.ADDED) * A_KIND + A_KIND // 2
    item = AgendaItem.objects.create(
        meeting=locked,
        kind=AgendaKind.ADDED,
        source=uuid4(),
        position=max(last or 0, begin) + 1,
        title=title,
        note=note,
        first_on=london_date(locked.starts_at),
        names_nobody=names_nobody,
        added_by=by,
        added_at=at,
    )
    audit.record("reviews.agenda.added", at=at, by=by, target=item)
    return item


@transaction.atomic
def remove(*, item: AgendaItem, by: User, at: datetime) -> None:
    """Take back what was added by hand and nobody has written under."""
    meeting = _locked(item.meeting)
    locked = AgendaItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
    _check_open(meeting)
    if locked.kind != AgendaKind.ADDED:
        raise Refused("This came onto the agenda by itself, and goes when it is settled. Until then, put it off.")
    if locked.version:
        raise Refused("Something is written under this item. Put it off instead.")
    audit.record("reviews.agenda.removed", at=at, by=by, target=locked)
    locked.delete()


def _check_words(meeting: ReviewMeeting, texts: list[str], by: User, names_nobody: bool) -> None:
    both = {"council_id": meeting.agreement.funder_id, "operator_id": meeting.agreement.operator_id}
    refuse_names(texts, **both, by=by, names_nobody=names_nobody)


@transaction.atomic
def save(*, item: AgendaItem, key: UUID, version: int, said: Said, by: User, at: datetime) -> AgendaItem:
    """Write down what was said. The same key and words again are the same saving; a version that is not the present one
    raises ChangedMeanwhile and writes nothing."""
    meeting = _locked(item.meeting)
    locked = AgendaItem.objects.select_for_update(of=("self",)).select_related("saved_by", "owner").get(pk=item.pk)
    before = AgendaSave.objects.filter(key=key).first()
    if before is not None:
        if (before.item_id, before.by_id, before.said) == (locked.pk, by.pk, said.as_json()):
            return locked
        raise Refused("This was sent before with other words. Load the page again and save what you have now.")
    _check_open(meeting)
    if version != locked.version:
        raise ChangedMeanwhile(_whose(locked), locked)
    if said.owner is not None:
        _check_owner(meeting, said.owner)
    if locked.kind == AgendaKind.ACTION and not (said.owner and said.due_on):
        raise Refused("An action keeps an owner and a day. If it is not to be done any more, tick that it is done.")
    _check_words(meeting, [said.discussion, said.decision], by, said.names_nobody)
    locked.state, locked.discussion, locked.decision = said.state, said.discussion, said.decision
    locked.owner, locked.due_on, locked.names_nobody = said.owner, said.due_on, said.names_nobody
    locked.version, locked.saved_by, locked.saved_at = locked.version + 1, by, at
    if locked.kind == AgendaKind.ACTION:
        _change_action(locked, said, by, at)
    else:
        _make_action(locked, by, at)
    locked.save()
    AgendaSave.objects.create(item=locked, key=key, version=locked.version, said=said.as_json(), by=by, at=at)
    subjects = [(MEMBERSHIP, locked.membership_id)] if locked.membership_id else []
    detail = {"state": str(said.state), "version": locked.version}
    audit.record("reviews.agenda.saved", at=at, by=by, target=locked, subjects=subjects, detail=detail)
    return locked


def _whose(item: AgendaItem) -> str:
    when = f"{item.saved_at.astimezone(LONDON):%H:%M}" if item.saved_at else "a moment ago"
    who = item.saved_by.name if item.saved_by else "Somebody"
    return f"{who} saved this item at {when}, after you opened it. Nothing was overwritten: compare, then save again."


def _check_owner(meeting: ReviewMeeting, owner: User) -> None:
    agreement = meeting.agreement
    if not owners(council_id=agreement.funder_id, operator_id=agreement.operator_id).filter(pk=owner.pk).exists():
        raise Refused(f"{owner.name} is of neither organisation. Choose an owner from the list.")


def _change_action(item: AgendaItem, said: Said, by: User, at: datetime) -> None:
    action = Action.objects.filter(pk=item.source).first()
    if action is None:  # taken back by the meeting it was made at
        return
    assert said.owner is not None and said.due_on is not None
    actions.change(action=action, owner=said.owner, due_on=said.due_on, by=by, at=at)
    actions.mark(action=action, done=said.done, by=by, at=at)


def _make_action(item: AgendaItem, by: User, at: datetime) -> None:
    """A decision with an owner and a day is an action; without one of them it is none any more."""
    action = Action.objects.filter(pk=item.action_id).first() if item.action_id else None
    if item.decision and item.owner and item.due_on:
        said: Any = {"what": item.decision, "owner": item.owner, "due_on": item.due_on, "by": by, "at": at}
        if action is not None:
            actions.change(action=action, **said)
            return
        barrier_id = item.source if item.kind == AgendaKind.BARRIER else None
        item.action = actions.make(meeting=item.meeting, barrier_id=barrier_id, **said)
    elif action is not None and action.done_on is None:
        item.action = None
        item.save(update_fields=["action"])
        actions.take_back(action=action, by=by, at=at)


def check_can_agree(meeting: ReviewMeeting) -> None:
    """Refused while a decision has somebody and no day, or a day and nobody."""
    for item in AgendaItem.objects.filter(meeting=meeting).exclude(kind=AgendaKind.ACTION):
        if (item.owner_id is None) != (item.due_on is None) or (item.owner_id and not item.decision):
            missing = "a day" if item.due_on is None else "an owner" if item.owner_id is None else "a decision"
            raise Refused(f"“{item.title}” still needs {missing}. Add it, or clear the rest; then agree the minutes.")


def put_off_the_rest(meeting: ReviewMeeting) -> None:
    """What was not reached goes to the next meeting, which the minutes say; in the caller's transaction."""
    AgendaItem.objects.filter(meeting=meeting, state=AgendaState.OPEN).update(state=AgendaState.PUT_OFF)
