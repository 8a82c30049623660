"""Closing a month while the journal is written: no entry falls between the months."""

import threading
from datetime import date
from uuid import uuid4

import pytest
from django.db import connection, transaction

from pantry import statements
from pantry.models import Account, Statement, StatementClosing
from pantry.services import journal
from pantry.services import statements as services
from pantry.services.journal import Leg, Posting
from tests import factories
from tests.factories import moment

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def post(world, on: date) -> None:
    """Something of a penny at the pantry."""
    source = uuid4()
    legs = [
        Leg(Account.WEEKS, 1, "entry", source, "weeks", world.pantry.pk),
        Leg(Account.ADVANCE, -1, "entry", source, "advance"),
    ]
    journal.post([Posting("purchase", world.agreement.pk, on, legs)], at=moment(on), by=world.finance)


def close_beside_an_open_entry(world) -> Statement:
    """An entry of April is written and not committed yet; a later one is; the second side agrees."""
    services.make(on=date(2026, 5, 1), at=moment(date(2026, 5, 1)))
    april, at = Statement.objects.get(), moment(date(2026, 5, 4))
    services.agree(statement=april, by=world.pantry_manager, at=at)
    written, agreed = threading.Event(), threading.Event()

    def writer():
        try:
            with transaction.atomic():
                post(world, date(2026, 4, 30))
                written.set()
                agreed.wait(0.5)
        finally:
            connection.close()

    thread = threading.Thread(target=writer)
    thread.start()
    assert written.wait(20)
    post(world, date(2026, 5, 2))
    services.agree(statement=april, by=world.finance, at=at)
    agreed.set()
    thread.join()
    if not services.has_agreed(april, "operator"):  # asked again, and agreed with the entry
        services.agree(statement=april, by=world.pantry_manager, at=at)
    assert StatementClosing.objects.filter(statement=april).exists()
    return april


def test_closing_waits_for_an_entry_that_is_being_written():
    world = factories.World()
    world.join()
    april = close_beside_an_open_entry(world)
    shown = statements.show(april)
    assert (shown.total.bought_pence, shown.apart) == (9101, 0)


def test_control_without_the_lock_the_entry_is_in_no_statement(monkeypatch):
    monkeypatch.setattr(services, "_lock_journal", lambda agreement_id: None)
    world = factories.World()
    world.join()
    april = close_beside_an_open_entry(world)
    shown = statements.show(april)
    assert (shown.total.bought_pence, shown.apart) == (9100, 1)
