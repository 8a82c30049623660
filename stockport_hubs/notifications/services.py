"""Send e-mail through the job table: each kind says what it reads (`render`) and whether it may go (`may_send`)."""

import logging
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.utils import timezone

from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from stockport_hubs.notifications.models import Message

log = logging.getLogger(__name__)
SAID_NO = (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException)  # the mail server took nothing


@dataclass(frozen=True)
class Kind:
    render: Callable[[dict, User], tuple[str, str]]  # (ids, to) -> (subject, plain text)
    may_send: Callable[[dict, User], str | None]  # (ids, to) -> None, or the reason why not
    to_inactive: bool = False  # an invitation goes to an account that is not active yet
    label: str = ""


_kinds: dict[str, Kind] = {}


def kind(name: str, *, render, may_send, to_inactive: bool = False, label: str = "") -> None:
    """Register a kind of message. E-mails name nobody: they say that there is something to see, and link to it.

    `may_send` is asked in the transaction that claims the message and locks the row of the person it is about, so that
    a death or a withdrawal recorded at the same moment is either seen or comes after. `label` is what managers read.
    """
    _kinds[name] = Kind(render, may_send, to_inactive, label)


def label(message: Message) -> str:
    """What the message is about, in words."""
    known = _kinds.get(message.kind)
    return known.label if known and known.label else "Email"


def send(name: str, *, to: User, key: str, ids: dict, at: datetime) -> Message:
    """Write the message and its job in the caller's transaction; the same key is the same message."""
    if name not in _kinds:
        raise ValueError(f"No message of kind {name!r} is registered.")
    message, made = Message.objects.get_or_create(
        key=key, defaults={"kind": name, "to": to, "ids": ids, "created_at": at}
    )
    if made:
        jobs.enqueue("notifications.deliver", key=f"message:{message.pk}", ids={"message": str(message.pk)})
    return message


def deliver(message_id) -> None:
    """Send one message at most once. A mail server that does not answer raises before anything is claimed, and the job
    is tried again; from the claim on it is sent, refused, or unknown to us and left to a human."""
    if not _may_go(message_id):
        return
    line = get_connection()
    line.open()
    try:
        email = _claim(message_id)
        if email is not None:
            email.connection = line
            _hand_over(message_id, email)
    finally:
        line.close()


@transaction.atomic
def _may_go(message_id) -> bool:
    """Is it still to be sent? Refused here when it may not go: then no mail server is asked at all."""
    return _sendable(message_id) is not None


@transaction.atomic
def _claim(message_id) -> EmailMessage | None:
    message = _sendable(message_id)
    if message is None:
        return None
    subject, body = _kinds[message.kind].render(message.ids, message.to)
    message.claimed_at = timezone.now()
    message.save(update_fields=["claimed_at"])
    return EmailMessage(subject, body, to=[message.to.email or ""])


def _sendable(message_id) -> Message | None:
    """The locked message, when nobody has claimed it and it may go."""
    # Without their keys: whoever records a death meanwhile writes rows that name this account, and is waited for below.
    rows = Message.objects.select_for_update(of=("self", "to"), no_key=True).select_related("to__organisation")
    message = rows.get(pk=message_id)
    if message.sent_at or message.refused_at or message.claimed_at or message.settled_at:
        return None  # claimed and not sent: whoever sent it died; a human decides, never a resend
    kind_ = _kinds[message.kind]
    why_not = None if message.to.is_active or kind_.to_inactive else "The account is not active."
    why_not = why_not or ("" if message.to.email else "The account has no email address.")
    why_not = why_not or kind_.may_send(message.ids, message.to)
    if why_not:
        message.refused_at, message.refused_because = timezone.now(), why_not[:200]
        message.save(update_fields=["refused_at", "refused_because"])
    return None if why_not else message


def _hand_over(message_id, email: EmailMessage) -> None:
    claimed = Message.objects.filter(pk=message_id)
    try:
        email.send()
    except SAID_NO as error:
        said = f"The mail server refused it ({getattr(error, 'smtp_code', 'address')})."
        claimed.update(refused_at=timezone.now(), refused_because=said)
    except Exception as error:  # it may have gone or not
        log.warning("message %s: unknown whether it was sent: %s", message_id, type(error).__name__)
    else:
        claimed.update(sent_at=timezone.now())


# -- a human decides ---------------------------------------------------------------------------------------------------


@transaction.atomic
def settle(*, message: Message, by: User, at: datetime) -> Message:
    """Someone has found out, or told the person themselves: it is off the list of the unknown."""
    message = _unknown(message)
    message.settled_at, message.settled_by = at, by
    message.save(update_fields=["settled_at", "settled_by"])
    audit.record("notifications.message.settled", at=at, by=by, target=message)
    return message


@transaction.atomic
def send_again(*, message: Message, by: User, at: datetime) -> Message:
    """A new message of the same kind, because someone decided so; it is asked again whether it may go."""
    message = _unknown(message)
    message.settled_at, message.settled_by = at, by
    message.save(update_fields=["settled_at", "settled_by"])
    audit.record("notifications.message.sent_again", at=at, by=by, target=message)
    return send(message.kind, to=message.to, key=f"again:{message.pk}", ids=message.ids, at=at)


def _unknown(message: Message) -> Message:
    message = Message.objects.select_for_update(of=("self",)).select_related("to").get(pk=message.pk)
    if message.state(timezone.now()) != "unknown":
        raise Refused("Nothing is to be decided about this email any more. Look at its state in the list.")
    return message
