"""Many queries that see the rows of one moment, whatever is written meanwhile; nobody waits for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.db import connection, transaction


@contextmanager
def one_moment() -> Iterator[None]:
    """What is read within is as it was when this began. Nothing may be written within; within a transaction that has
    begun already, it is that transaction's view."""
    if connection.in_atomic_block:
        yield
        return
    on_postgres, here = connection.vendor == "postgresql", cast(Any, connection)
    mode = None if on_postgres else here.transaction_mode
    try:
        if not on_postgres:
            here.transaction_mode = None  # begins without the lock of those who write
        with transaction.atomic():
            with connection.cursor() as cursor:
                if on_postgres:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                # The moment is that of the first row that is looked for.
                cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
            yield
    finally:
        if not on_postgres:
            here.transaction_mode = mode
