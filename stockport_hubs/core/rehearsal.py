"""Do and take back: a page that asks "are you sure?" shows what the deed itself did."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction


@contextmanager
def rehearsed(*, unless: bool = False) -> Iterator[None]:
    """A savepoint that is taken back at its end, `unless` the deed is confirmed; a refusal passes through."""
    with transaction.atomic():
        yield
        if not unless:
            transaction.set_rollback(True)
