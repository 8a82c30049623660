"""Write audit rows in the transaction of the change or the disclosure: no log, no data."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import models, transaction

from stockport_hubs.accounts.models import User
from stockport_hubs.audit.models import AuditEvent, AuditSubject

CARE_LEAVER, MEMBERSHIP = "careleaver", "membership"


def record(
    verb: str,
    *,
    at: datetime,
    by: User | None = None,
    job: str = "",
    target: models.Model | None = None,
    subjects: Iterable[tuple[str, UUID]] = (),
    detail: dict | None = None,
) -> AuditEvent:
    """One event by a person or a named job; `subjects` are (CARE_LEAVER | MEMBERSHIP, id) pairs.

    Detail holds ids, codes and names of fields, never what a person is called or said.
    """
    if (by is None) == (job == ""):
        raise ValueError("An audit row needs a person or a named job, and not both.")
    with transaction.atomic(savepoint=False):  # an event is never seen, nor sealed, without its subjects
        event = AuditEvent.objects.create(
            at=at,
            verb=verb,
            by=by,
            job=job,
            target_type=(target._meta.model_name or "") if target is not None else "",
            target_id=target.pk if target is not None else None,
            detail=detail or {},
        )
        AuditSubject.objects.bulk_create(
            [AuditSubject(event=event, kind=kind, subject_id=key) for kind, key in dict.fromkeys(subjects)]
        )
    return event
