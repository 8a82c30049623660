"""Send e-mail through the job table: each kind says what it reads (`render`) and whether it may go (`may_send`)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from stockport_hubs.accounts.models import User
from stockport_hubs.jobs import services as jobs
from stockport_hubs.notifications.models import Message


@dataclass(frozen=True)
class Kind:
    render: Callable[[dict, User], tuple[str, str]]  # (ids, to) -> (subject, plain text)
    may_send: Callable[[dict, User], str | None]  # (ids, to) -> None, or the reason why not
    to_inactive: bool = False  # an invitation goes to an account that is not active yet


_kinds: dict[str, Kind] = {}


def kind(name: str, *, render, may_send, to_inactive: bool = False) -> None:
    """Register a kind of message. E-mails name nobody: they say that there is something to see, and link to it."""
    _kinds[name] = Kind(render, may_send, to_inactive)


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
    """Send one message at most once: claim it, ask `may_send` in the same transaction, then hand it over."""
    with transaction.atomic():
        message = Message.objects.select_for_update(of=("self",)).select_related("to__organisation").get(pk=message_id)
        if message.sent_at or message.refused_at or message.claimed_at:
            return  # claimed and not sent: died while sending; a human decides, never a resend
        kind_ = _kinds[message.kind]
        why_not = None if message.to.is_active or kind_.to_inactive else "The account is not active."
        why_not = why_not or kind_.may_send(message.ids, message.to)
        if why_not:
            message.refused_at, message.refused_because = timezone.now(), why_not[:200]
            message.save(update_fields=["refused_at", "refused_because"])
            return
        subject, body = kind_.render(message.ids, message.to)
        message.claimed_at = timezone.now()
        message.save(update_fields=["claimed_at"])
    EmailMessage(subject, body, to=[message.to.email]).send()
    Message.objects.filter(pk=message.pk).update(sent_at=timezone.now())
