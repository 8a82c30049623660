"""Any number of members whose renewal is due, and the floor a renewal run is measured against."""

import resource
import time
from datetime import date, timedelta
from typing import NamedTuple
from uuid import uuid4

import psycopg
import psycopg.types.json
from django.db import connection, transaction

from pantry.models import Collection, Membership, MembershipMove, PaidWeek, PantrySession, Place
from pantry.services import blocks, renewals
from pantry.services.blocks import Purchase
from pantry.services.funds import Funds
from stockport_hubs.core.weeks import WEEK
from tests.factories import World, moment

JOINED, FIRST, DUE = date(2026, 4, 2), date(2026, 4, 6), date(2026, 9, 7)
BATCH = 200


def make_due(world: World, n: int) -> None:
    """n open members with block 1 from 6 April 2026 and a collection in the week before their renewal is due, on
    7 September 2026; the rows `memberships.join` writes, in batches."""
    last = DUE - WEEK
    session = PantrySession.objects.get_or_create(
        pantry=world.pantry, on=last + timedelta(days=2), opens="10:00", closes="12:00"
    )[0]
    number = Membership.objects.filter(operator=world.operator).count()
    for start in range(0, n, BATCH):
        size = min(BATCH, n - start)
        with transaction.atomic():
            _join(world, session, [number + start + k + 1 for k in range(size)])


def _join(world: World, session: PantrySession, numbers: list[int]) -> None:
    at, weeks = moment(JOINED), [FIRST + WEEK * k for k in range(26)]
    members = [
        Membership(
            operator=world.operator,
            number=number,
            state="open",
            joined_on=JOINED,
            first_week=FIRST,
            agreement=world.agreement,
            next_due_on=DUE,
            created_at=at,
        )
        for number in numbers
    ]
    Membership.objects.bulk_create(members)
    MembershipMove.objects.bulk_create(
        MembershipMove(membership=m, state="open", on=JOINED, by=world.pantry_manager, recorded_at=at) for m in members
    )
    Place.objects.bulk_create(Place(membership=m, pantry=world.pantry, from_week=FIRST) for m in members)
    funds = Funds([world.agreement], JOINED)
    purchases = [
        Purchase(
            membership_id=m.pk,
            member_number=m.number,
            block_no=1,
            agreement_id=world.agreement.pk,
            pantry_id=world.pantry.pk,
            weeks=weeks,
            weekly_pence=350,
            joining_pence=1000,
            from_pool_pence=funds[world.agreement.pk].draw(10100),
        )
        for m in members
    ]
    bought = blocks.write(purchases, on=JOINED, at=at, by=world.pantry_manager)
    funds.save()
    collected = DUE - WEEK
    rows = PaidWeek.objects.filter(block__in=[block.pk for block in bought], week=collected)
    week = dict(rows.values_list("membership", "pk"))
    Collection.objects.bulk_create(
        Collection(
            key=uuid4(),
            membership=m,
            session=session,
            pantry=world.pantry,
            week=collected,
            on=session.on,
            collected_at=moment(session.on, "10:30"),
            recorded_at=moment(session.on, "10:30"),
            recorded_by=world.volunteer,
            paid_week_id=week[m.pk],
        )
        for m in members
    )


RENEWED = {  # what a run writes: table and which of its rows belong to the second blocks
    "pantry_prepaidblock": "block_no = 2",
    "pantry_paidweek": "block_id IN (SELECT id FROM pantry_prepaidblock WHERE block_no = 2)",
    "pantry_journalentry": "effective_on = '2026-09-07'",
    "pantry_journalline": "entry_id IN (SELECT id FROM pantry_journalentry WHERE effective_on = '2026-09-07')",
    "pantry_renewaldecision": "block_no = 2",
    "audit_auditevent": "verb LIKE 'pantry.renewal.%'",
    "audit_auditsubject": "event_id IN (SELECT id FROM audit_auditevent WHERE verb LIKE 'pantry.renewal.%')",
}


class Measured(NamedTuple):
    """Seconds of a run and of its floor, by how many bytes the process grew during the run, and the most it had."""

    ours: float
    floor: float
    grown: int
    peak: int


def measure(n: int) -> Measured:
    """Renew n due members and write the same rows by hand. Needs an empty, migrated PostgreSQL database."""
    make_due(World(), n)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    before, began = _peak(), time.perf_counter()
    done = renewals.sweep(on=DUE, at=moment(DUE), job="bench")
    ours, grown = time.perf_counter() - began, _peak() - before
    assert (done.renewed, done.held, done.failed) == (n, 0, []), done
    return Measured(ours, floor(), grown, before + grown)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def floor() -> float:
    """Take the rows of a run away and write them again with psycopg: multi-row inserts, 200 rows each, one transaction.
    Gives the seconds. Rows are held in memory: up to 10,000 renewals or so."""
    config = connection.get_connection_params()
    known = {key: config[key] for key in ("dbname", "user", "password", "host", "port") if config.get(key)}
    with psycopg.connect(**known) as line, line.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # the journal's triggers refuse to delete
        stored = []
        for table, which in RENEWED.items():
            cursor.execute(f"SELECT * FROM {table} WHERE {which} ORDER BY ctid".encode())  # noqa: S608 - our own names
            stored.append((table, [column.name for column in cursor.description or ()], cursor.fetchall()))
        for table, which in reversed(RENEWED.items()):
            cursor.execute(f"DELETE FROM {table} WHERE {which}".encode())  # noqa: S608
        cursor.execute("SET session_replication_role = DEFAULT")
        line.commit()
        line.autocommit = True
        cursor.execute("VACUUM ANALYZE")
        line.autocommit = False
        began = time.perf_counter()
        for table, columns, rows in stored:
            names, row = ", ".join(f'"{name}"' for name in columns), f"({', '.join(['%s'] * len(columns))})"
            for start in range(0, len(rows), BATCH):
                part = rows[start : start + BATCH]
                insert = f"INSERT INTO {table} ({names}) VALUES {', '.join([row] * len(part))}"  # noqa: S608
                cursor.execute(insert.encode(), [_plain(value) for each in part for value in each])
        line.commit()
        return time.perf_counter() - began


def _plain(value):
    return psycopg.types.json.Jsonb(value) if isinstance(value, dict | list) else value
