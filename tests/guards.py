"""What fails a test even when its assertions hold: the outside world, ERROR records, missing template variables."""

import logging
import re
import socket
import sys
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
OURS = tuple(
    str(ROOT / part) for part in ("templates", "stockport_hubs", "careleavers", "pantry", "referrals", "reviews")
)


class MissingVariable(str):
    """For `string_if_invalid`: a variable that one of our templates uses and nobody passed is an error.

    Templates of other packages keep Django's own behaviour: they lean on it. The text is empty; being true, holding
    "%s" and being formatted are the questions Django asks in turn.
    """

    __slots__ = ()

    def __bool__(self) -> bool:
        return _rendering_template().startswith(OURS)

    def __contains__(self, part: object) -> bool:
        return part == "%s"

    def __mod__(self, variable: object) -> str:
        raise AssertionError(f"missing template variable {variable} in {_rendering_template()}")


def _rendering_template() -> str:
    """The file of the innermost template node being rendered."""
    from django.template.base import Node

    frame: FrameType | None = sys._getframe(2)
    while frame:
        node = frame.f_locals.get("self")
        if isinstance(node, Node) and getattr(node, "origin", None):
            return str(node.origin.name)
        frame = frame.f_back
    return ""


WRITTEN_BY_MIGRATIONS = {'"django_content_type"', '"auth_permission"'}


class OutsideWorld(Exception):
    """A test tried to reach an address beyond this machine."""


def refuse_outside_sockets() -> None:
    """From now on Python code in this process connects to loopback addresses and local sockets only."""
    for name in ("connect", "connect_ex"):
        real = getattr(socket.socket, name)

        def guarded(self, address, *, real=real):
            host = address[0] if isinstance(address, tuple) else ""
            if host and host not in ("localhost", "::1") and not host.startswith("127."):
                raise OutsideWorld(f"no test may connect to {host}")
            return real(self, address)

        setattr(socket.socket, name, guarded)


class ErrorRecords(logging.Handler):
    """Collects what is logged at ERROR or above, from any thread."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {record.name} {record.getMessage()}")

    def __enter__(self) -> "ErrorRecords":
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_) -> None:
        logging.getLogger().removeHandler(self)


def flush_quickly() -> None:
    """Let the clean-up after a transactional test empty the insert-only tables; the triggers are back afterwards.

    What migrations have written stays, and is not written anew: that took most of the time of each clean-up.
    """
    from django.core.management.commands import flush as command
    from django.db import transaction
    from django.db.backends.base.operations import BaseDatabaseOperations

    real = BaseDatabaseOperations.execute_sql_flush

    def flush(self, sql_list):
        tables = [table for table in re.findall(r'"\w+"', " ".join(sql_list)) if table not in WRITTEN_BY_MIGRATIONS]
        sql_list = [f"DELETE FROM {table}" for table in tables]  # noqa: S608 - our own names
        with transaction.atomic(using=self.connection.alias), self.connection.cursor() as cursor:
            if self.connection.vendor == "postgresql":  # the throw-away server lets us be superuser
                cursor.execute("SET LOCAL session_replication_role = replica")
                return real(self, sql_list)
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'append_only_%%'")
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
            real(self, sql_list)
            for _, statement in triggers:
                cursor.execute(statement)

    BaseDatabaseOperations.execute_sql_flush = flush  # type: ignore[method-assign]
    command.emit_post_migrate_signal = lambda *_, **__: None  # type: ignore[attr-defined]
