"""Messages to young people: each at most once, and only while it may go.

A kind says what it reads (`render`) and whether it may go (`may_send`). Both are asked in the transaction that claims
the message, with the young person's row locked: a death, a changed number or a "no" recorded meanwhile is seen or comes
after. From the claim on a message is sent, refused or unknown; an unknown one is sent again if somebody decides so.
With a key of GOV.UK Notify a job sends; without one the message waits until an advisor takes it and sends it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.crypto import salted_hmac

from careleavers.models import CareLeaver, Letter, LetterChoice
from careleavers.models.letters import LetterChannel
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date
from stockport_hubs.jobs import services as jobs
from stockport_hubs.notifications import notify

log = logging.getLogger(__name__)
SEND = "careleavers.letter"  # the kind of job


@dataclass(frozen=True)
class Kind:
    render: Callable[[dict, CareLeaver], tuple[str, str]]  # (ids, person) -> (subject, plain text)
    may_send: Callable[[dict, CareLeaver], str | None]  # (ids, person) -> None, or the reason why not
    label: str


@dataclass(frozen=True)
class Written:
    """A message as it goes out."""

    channel: str
    to: str
    subject: str
    text: str


_kinds: dict[str, Kind] = {}


def kind(name: str, *, render, may_send, label: str) -> None:
    """Register a kind. Its text can be read by whoever holds the phone: it tells nobody why they have a place."""
    _kinds[name] = Kind(render, may_send, label)


def label(letter: Letter) -> str:
    """What the message is about, in words."""
    known = _kinds.get(letter.kind)
    return known.label if known else "Message"


# -- how they want to be written to ------------------------------------------------------------------------------------


@transaction.atomic
def choose(
    *, care_leaver: CareLeaver, channel: str, is_safe: bool, asked_on: date, by: User, at: datetime
) -> LetterChoice:
    """What they said about messages; a "no" holds at once, also for what waits already."""
    care_leaver = CareLeaver.objects.select_for_update().get(pk=care_leaver.pk)
    if care_leaver.has_died:
        raise Refused("This young person has died. Nothing more is sent to them.")
    if asked_on > london_date(at):
        raise Refused("The day they were asked must not be in the future.")
    to = address(care_leaver, channel)
    if channel != LetterChannel.NONE and not to:
        what = "phone number" if channel == LetterChannel.TEXT else "email address"
        raise Refused(f"No {what} is recorded. Add it under “Change details” first.")
    last = care_leaver.letter_choices.first()
    made = LetterChoice.objects.create(
        care_leaver=care_leaver,
        number=last.number + 1 if last else 1,
        channel=channel,
        is_safe=is_safe,
        agreed_to=_digest(to),
        asked_on=asked_on,
        recorded_at=at,
        recorded_by=by,
    )
    subjects = [(audit.CARE_LEAVER, care_leaver.pk)]
    audit.record("careleavers.letters.chosen", at=at, by=by, target=made, subjects=subjects)
    return made


def address(care_leaver: CareLeaver, channel: str) -> str:
    """Where a message of this channel goes."""
    if channel == LetterChannel.TEXT:
        return care_leaver.phone
    return care_leaver.email if channel == LetterChannel.EMAIL else ""


def _digest(to: str) -> str:
    return salted_hmac("careleavers.letters", to, algorithm="sha256").hexdigest() if to else ""


def why_not(care_leaver: CareLeaver, choice: LetterChoice | None) -> str | None:
    """Why nothing may be sent to this young person at all."""
    if care_leaver.has_died:
        return "Nothing more is sent to this young person."
    if choice is None or choice.channel == LetterChannel.NONE:
        return "They have not agreed to messages."
    if not choice.is_safe:
        return "Others might read it, they say."
    to = address(care_leaver, choice.channel)
    if not to:
        return "There is no number or address to send it to any more."
    if _digest(to) != choice.agreed_to:
        return "The number or address has changed since they agreed. Ask them again."
    return None


# -- queued ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def queue(name: str, *, care_leaver: CareLeaver, key: str, ids: dict, at: datetime, by: User | None = None) -> Letter:
    """Write the message, and its job where there is a key; the same key is the same message."""
    if name not in _kinds:
        raise ValueError(f"No letter of kind {name!r} is registered.")
    letter, made = Letter.objects.get_or_create(
        key=key, defaults={"kind": name, "care_leaver": care_leaver, "ids": ids, "created_at": at, "asked_by": by}
    )
    if made and notify.is_configured():
        jobs.enqueue(SEND, key=f"letter:{letter.pk}", ids={"letter": str(letter.pk)})
    return letter


# -- sent by GOV.UK Notify ---------------------------------------------------------------------------------------------


def deliver(letter_id) -> None:
    """Send one message at most once. While Notify does not answer nothing is claimed, and the job is tried again."""
    if not _may_go(letter_id):
        return
    with notify.line() as line:
        written = _claim(letter_id)
        if written is not None:
            _hand_over(letter_id, written, line)


@transaction.atomic
def _may_go(letter_id) -> bool:
    """Is it still to be sent? Refused here when it may not go: then nobody is connected to."""
    return _sendable(letter_id) is not None


@transaction.atomic
def _claim(letter_id, by: User | None = None) -> Written | None:
    found = _sendable(letter_id)
    if found is None:
        return None
    letter, written = found
    letter.claimed_at, letter.claimed_by, letter.channel = clock.now(), by, written.channel
    letter.save(update_fields=["claimed_at", "claimed_by", "channel"])
    return written


def _sendable(letter_id) -> tuple[Letter, Written] | None:
    """The locked message and what it says, when nobody has claimed it and it may go."""
    letter = Letter.objects.select_for_update(of=("self",)).get(pk=letter_id)
    if letter.claimed_at or letter.sent_at or letter.refused_at or letter.settled_at:
        return None
    reason, written = to_send(letter)
    if written is None:
        letter.refused_at, letter.refused_because = clock.now(), reason[:200]
        letter.save(update_fields=["refused_at", "refused_because"])
        return None
    return letter, written


def to_send(letter: Letter) -> tuple[str, Written | None]:
    """(why not, what goes out): asked with the person's row locked, in a transaction."""
    person = CareLeaver.objects.select_for_update(of=("self",)).get(pk=letter.care_leaver_id)
    choice = person.letter_choices.first()
    reason = why_not(person, choice) or _kinds[letter.kind].may_send(letter.ids, person)
    if reason or choice is None:
        return reason or "", None
    subject, text = _kinds[letter.kind].render(letter.ids, person)
    return "", Written(choice.channel, address(person, choice.channel), subject, text)


def _hand_over(letter_id, written: Written, line: notify.Line) -> None:
    claimed = Letter.objects.filter(pk=letter_id)
    try:
        notify_id = line.send(
            written.channel, to=written.to, subject=written.subject, text=written.text, reference=str(letter_id)
        )
    except notify.SaidNo as error:
        claimed.update(refused_at=clock.now(), refused_because=f"GOV.UK Notify refused it ({error}).")
    except notify.TooMany:
        claimed.update(claimed_at=None, channel=LetterChannel.NONE)  # nothing was taken: the job tries again
        raise
    except notify.NobodyKnows as error:  # it may have gone or not
        log.warning("letter %s: unknown whether it was sent: %s", letter_id, error)
    else:
        claimed.update(sent_at=clock.now(), notify_id=notify_id)


# -- sent by an advisor ------------------------------------------------------------------------------------------------


@transaction.atomic
def take(*, letter: Letter, by: User, at: datetime) -> Letter:
    """Somebody sends it themselves: from now on nobody else can. When it may not go any more, it comes back refused."""
    letter = Letter.objects.select_for_update(of=("self",)).get(pk=letter.pk)  # of two who take it, one has it
    if (state := letter.state(at)) != "waiting":
        raise Refused(f"This message is {state} already. Look at its page.")
    _claim(letter.pk, by)
    letter.refresh_from_db()
    return _log("taken" if letter.claimed_at else "refused", letter, by, at)


@transaction.atomic
def sent_by_hand(*, letter: Letter, by: User, at: datetime) -> Letter:
    """Whoever took it has sent it."""
    letter = _taken(letter, by, at)
    letter.sent_at = at
    letter.save(update_fields=["sent_at"])
    return _log("sent", letter, by, at)


@transaction.atomic
def not_sent_by_hand(*, letter: Letter, by: User, at: datetime) -> Letter:
    """Whoever took it has not sent it after all."""
    letter = _taken(letter, by, at)
    letter.refused_at, letter.refused_because = at, f"{by.name} did not send it."[:200]
    letter.save(update_fields=["refused_at", "refused_because"])
    return _log("refused", letter, by, at)


def _taken(letter: Letter, by: User, at: datetime) -> Letter:
    letter = Letter.objects.select_for_update(of=("self",)).get(pk=letter.pk)
    if letter.state(at) not in ("taken", "unknown") or letter.claimed_by_id != by.pk:
        raise Refused("You have not taken this message, or it has its end already. Look at its page.")
    return letter


# -- a human decides ---------------------------------------------------------------------------------------------------


@transaction.atomic
def settle(*, letter: Letter, by: User, at: datetime) -> Letter:
    """Someone has found out whether an unknown one arrived: it is off the list."""
    letter = Letter.objects.select_for_update(of=("self",)).get(pk=letter.pk)
    if letter.state(at) != "unknown":
        raise Refused("Nothing is to be decided about this message any more. Look at its state.")
    letter.settled_at, letter.settled_by = at, by
    letter.save(update_fields=["settled_at", "settled_by"])
    return _log("settled", letter, by, at)


@transaction.atomic
def send_again(*, letter: Letter, by: User, at: datetime) -> Letter:
    """A new message of the same kind, because someone decided so: of an unknown one, or of one that was not sent."""
    letter = Letter.objects.select_for_update(of=("self",)).get(pk=letter.pk)
    if letter.state(at) == "unknown":
        settle(letter=letter, by=by, at=at)
    elif letter.state(at) != "not sent":
        raise Refused("Only a message that was not sent, or of which nobody knows, is sent again.")
    again = queue(letter.kind, care_leaver=letter.care_leaver, key=f"again:{letter.pk}", ids=letter.ids, at=at, by=by)
    return _log("sent_again", again, by, at)


def _log(did: str, letter: Letter, by: User, at: datetime) -> Letter:
    subjects = [(audit.CARE_LEAVER, letter.care_leaver_id)]
    audit.record(f"careleavers.letter.{did}", at=at, by=by, target=letter, subjects=subjects)
    return letter
