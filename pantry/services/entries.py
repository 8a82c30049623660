"""What a hall's tablet sends: each entry once, in its own transaction, recorded or held, never lost.

An entry is refused only where nobody vouches for it: it did not arrive whole, or no PIN of this organisation signed it.
Everything else that cannot be recorded as it is stays as a row for the pantry manager, with the reason in words
(docs/conflicts.md). Other areas add their kinds to HANDLERS.
"""

import hashlib
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.db import IntegrityError, InterfaceError, OperationalError, models, transaction

from pantry.models import EntryOutcome, Membership, PantrySession, Tablet, TabletEntry
from pantry.services import entry_kinds, envelopes, tablet_tokens, volunteers
from pantry.services.tablet_tokens import GOOD_FOR_DAYS, Token
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused

log = logging.getLogger(__name__)

AT_ONCE = 50  # entries of one call
AHEAD = timedelta(minutes=5)  # how far a tablet's clock may be ahead and still be believed
MOST_HELD = 500  # of one tablet, to sort out: a stolen one cannot bury the manager
LONGEST = 4000  # characters of one entry

# kind -> function(entry, *, by, session, tablet, collected_at, at) that gives the row made, or raises Refused. `entry`
# is what was sent, as it was sent; `session` is of the tablet's operator; `by` is whose PIN it was, or the manager who
# records what was held. The entry's `key` makes it safe to call twice.
HANDLERS: dict[str, Callable[..., models.Model]] = {
    "collection": entry_kinds.collection,
    "void": entry_kinds.void,
    "visitor": entry_kinds.visitor,
}

# Kinds that wait for nobody: whoever's PIN it was, however late, the handler is asked.
NEVER_WAITS: set[str] = set()
NEVER_WAIT_AT_MOST, A_DAY = 20, timedelta(days=1)  # of one kind from one tablet

NOT_WHOLE = "This did not arrive whole, so it was not recorded. Record it again."
NOT_SIGNED = "No PIN of this pantry vouches for this, so it was not recorded. Show it to the pantry manager."
TOO_MANY = "Too much of this tablet waits for the pantry manager already. It stays here until that is sorted out."
OTHER_BODY = "Something else was sent under the same key before. The pantry manager looks at both."
NOT_DONE = "This could not be recorded because of a fault. The pantry manager can try again."


@dataclass(frozen=True)
class Sent:
    """One entry, taken apart."""

    key: UUID
    kind: str
    session_id: UUID
    told_at: datetime | None
    token: Token
    raw: dict[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        """What was sent, without the signature."""
        return {name: value for name, value in self.raw.items() if name != "token"}

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()


def receive(*, tablet: Tablet, entries: list, sent_by: User | None, at: datetime) -> list[dict]:
    """One {key, outcome, words} for each entry, in their order: recorded, same, held, refused, or later: sent again."""
    return [_receive(tablet, entry, sent_by, at) for entry in entries]


def _receive(tablet: Tablet, entry: object, sent_by: User | None, at: datetime) -> dict:
    key = str(entry.get("key", ""))[:40] if isinstance(entry, dict) else ""
    sent = _taken_apart(entry)
    if isinstance(sent, str):
        return {"key": key, "outcome": "refused", "words": sent}
    origin = Tablet.objects.select_related("pantry").filter(pk=sent.token.tablet).first()
    by = User.objects.filter(pk=sent.token.volunteer).first()
    if origin is None or by is None or origin.pantry.operator_id != tablet.pantry.operator_id:
        return {"key": key, "outcome": "refused", "words": NOT_SIGNED}
    outcome, words = _kept(tablet, sent, by, sent_by, at)
    return {"key": key, "outcome": outcome, "words": words}


def _taken_apart(entry: object) -> Sent | str:
    """The entry, or why it is none."""
    if isinstance(entry, dict) and "closed" in entry:
        inside = envelopes.opened(entry["closed"])
        entry = inside and inside | {name: value for name, value in entry.items() if name != "closed"}
    try:
        if not isinstance(entry, dict) or len(text := json.dumps(entry, allow_nan=False)) > LONGEST:
            return NOT_WHOLE
        json.dumps(entry, ensure_ascii=False).encode()  # half of a pair of signs is none: no database takes it
        key, session_id, kind = UUID(entry["key"]), UUID(entry["session"]), entry["kind"]
        if not isinstance(kind, str) or not re.fullmatch(r"[a-z_]{1,20}", kind) or "\\u0000" in text:
            return NOT_WHOLE
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return NOT_WHOLE
    token = tablet_tokens.read(entry.get("token"))
    if token is None:
        return NOT_SIGNED
    return Sent(key, kind, session_id, _moment(entry.get("at")), token, entry)


def _moment(text: object) -> datetime | None:
    try:
        told = datetime.fromisoformat(text) if isinstance(text, str) else None
        return told.astimezone(weeks.LONDON) if told and told.tzinfo and 2000 < told.year < 2200 else None
    except (ValueError, OverflowError):
        return None


def _kept(tablet: Tablet, sent: Sent, by: User, sent_by: User | None, at: datetime) -> tuple[str, str]:
    """(outcome, words): the key is claimed first, so that of the same entry sent many times at once one is applied."""
    if earlier := TabletEntry.objects.filter(key=sent.key).first():
        return _again(tablet, earlier, sent, by, sent_by, at)
    session = PantrySession.objects.select_related("pantry").filter(pk=sent.session_id).first()
    if session and session.pantry.operator_id != tablet.pantry.operator_id:
        return "refused", NOT_SIGNED
    try:
        with transaction.atomic():
            return _apply(tablet, sent, session, by, sent_by, at)
    except IntegrityError:
        if earlier := TabletEntry.objects.filter(key=sent.key).first():
            return _again(tablet, earlier, sent, by, sent_by, at)
        raise


def _apply(
    tablet: Tablet, sent: Sent, session: PantrySession | None, by: User, sent_by: User | None, at: datetime
) -> tuple[str, str]:
    row = _row(tablet, sent, session, by, sent_by, at)
    row.save(force_insert=True)
    why = _why_held(tablet, sent, session, by, at)
    if not why and session:
        try:
            with transaction.atomic():
                made = HANDLERS[sent.kind](
                    sent.raw, by=by, session=session, tablet=tablet, collected_at=row.happened_at, at=at
                )
        except Refused as refusal:
            why = str(refusal)
        except (OperationalError, InterfaceError):
            raise  # the database, not the entry: the tablet sends it again
        except Exception:
            log.exception("An entry of a tablet could not be applied: it is held")
            why = NOT_DONE
        else:
            row.became_id = made.pk
            row.save(update_fields=["became_id"])
            return "recorded", "Recorded."
    return _hold(row, sent, why, at)


def _row(
    tablet: Tablet, sent: Sent, session: PantrySession | None, by: User, sent_by: User | None, at: datetime
) -> TabletEntry:
    """Not stored yet."""
    happened_at, is_told = _happened(sent, session, at)
    return TabletEntry(
        key=sent.key,
        tablet=tablet,
        pantry=session.pantry if session else tablet.pantry,
        session=session,
        kind=sent.kind,
        recorded_by=by,
        sent_by=sent_by,
        told_at=sent.told_at,
        happened_at=happened_at,
        is_told_time=is_told,
        received_at=at,
        digest=sent.digest,
        outcome=EntryOutcome.RECORDED,
    )


def _hold(row: TabletEntry, sent: Sent, why: str, at: datetime) -> tuple[str, str]:
    if TabletEntry.objects.to_sort_out().filter(tablet=row.tablet).count() >= MOST_HELD:
        transaction.set_rollback(True)
        return "later", TOO_MANY
    row.outcome, row.why, row.body = EntryOutcome.HELD, why[:300], sent.body
    row.save(update_fields=["outcome", "why", "body"])
    named = entry_kinds.member_id(sent.raw)
    ours = Membership.objects.filter(pk=named, operator=row.pantry.operator_id).exists() if named else False
    subjects = [(audit.MEMBERSHIP, named)] if named and ours else []
    audit.record("pantry.entry.held", at=at, by=row.recorded_by, target=row, subjects=subjects)
    return "held", why


def _why_held(tablet: Tablet, sent: Sent, session: PantrySession | None, by: User, at: datetime) -> str:
    """Why it is not tried at all; "" where it may be."""
    if session and sent.kind in NEVER_WAITS and not _too_often(tablet, sent.kind, at):
        return ""
    called = by.get_short_name()
    if tablet.revoked_at:
        return f"This tablet was taken out of use on {weeks.london_date(tablet.revoked_at):%-d %B %Y}."
    if sent.token.tablet != tablet.pk:
        return "It was recorded on another tablet, or before this one was set up again."
    if not volunteers.works_at(by, tablet.pantry, at=at):
        return f"{called} no longer records at this pantry."
    if session is None:
        return "Its session is not known here."
    if session.pk not in sent.token.sessions:
        return f"{called}’s PIN was not entered for the session of {session.on:%-d %B %Y}."
    if at > sent.token.until:
        return f"It arrived more than {GOOD_FOR_DAYS} days after it was recorded."
    if sent.kind not in HANDLERS:
        return "The tablet is newer than this site and recorded something that is not known here."
    return ""


def _too_often(tablet: Tablet, kind: str, at: datetime) -> bool:
    """A stolen tablet cannot bury people in e-mails: past so many in a day they wait as others do."""
    return TabletEntry.objects.filter(tablet=tablet, kind=kind, received_at__gt=at - A_DAY).count() > NEVER_WAIT_AT_MOST


def _happened(sent: Sent, session: PantrySession | None, at: datetime) -> tuple[datetime, bool]:
    """(moment, whether it is the tablet's own): its clock is believed within the session's day and not in the future;
    otherwise it was at the session's opening."""
    told = sent.told_at
    if session is None:
        return at, False
    if told and weeks.london_date(told) == session.on and told <= at + AHEAD:
        return min(told, at) if session.on == weeks.london_date(at) else told, True
    return datetime.combine(session.on, session.opens, weeks.LONDON), False


def _again(
    tablet: Tablet, earlier: TabletEntry, sent: Sent, by: User, sent_by: User | None, at: datetime
) -> tuple[str, str]:
    """The same entry gets the same answer; another one under its key is reported and held under a key of its own."""
    if earlier.digest == sent.digest:
        if earlier.outcome == EntryOutcome.HELD:
            return "held", earlier.why
        return "same", "Recorded."
    session = PantrySession.objects.filter(pk=sent.session_id, pantry__operator=tablet.pantry.operator_id).first()
    row = _row(tablet, sent, session, by, sent_by, at)
    row.key, row.outcome, row.why = uuid5(sent.key, sent.digest), EntryOutcome.HELD, OTHER_BODY
    row.body = sent.body | {"key": str(row.key)}
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            audit.record("pantry.entry.key_reused", at=at, by=by, target=row, detail={"first": str(earlier.pk)})
    except IntegrityError:
        return "held", TabletEntry.objects.get(key=row.key).why  # it has come before
    return "held", OTHER_BODY
