"""Insert-only rows and their seals: both databases refuse changes; what a superuser changes all the same is named."""

import threading
from contextlib import contextmanager
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from pantry.models import JournalLine, Membership, Statement
from pantry.services import journal, statement_lines, statements, tariffs
from stockport_hubs.audit import seals
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.models import AuditEvent, AuditSubject, Seal
from stockport_hubs.core import triggers
from tests import factories
from tests.test_renewals_race import at_once

LATER = timedelta(days=2)  # too late for a transaction that was open when the seals were made


def write(verb: str = "core.test.made", subjects: int = 2) -> AuditEvent:
    named = [(audit.CARE_LEAVER, uuid4()) for _ in range(subjects)]
    return audit.record(verb, at=timezone.now(), job="test", subjects=named, detail={"fields": ["surname", "é"]})


def seal() -> int:
    return seals.seal(at=timezone.now())


def breaks(chain: str = "audit", **more) -> list[str]:
    """What the check says two days later, without the moment of the seal."""
    found = seals.check(chain, now=timezone.now() + LATER, **more).breaks
    return [text.partition(" after it was")[0] for text in found]


@contextmanager
def superuser():
    """Someone for whom the guards do not hold."""
    triggers.remove()
    with connection.cursor() as cursor:
        yield lambda statement, *values: cursor.execute(statement, values)
    triggers.install()


# -- refused by the database -------------------------------------------------------------------------------------------


def top_up(world: factories.World) -> None:
    """A price rise that reaches what is bought."""
    at = factories.moment(date(2026, 4, 3))
    rise = {"from_week": date(2026, 6, 1), "weekly_pence": 450, "joining_pence": 1000}
    proposed = tariffs.propose_tariff(pantry=world.pantry, **rise, by=world.pantry_manager, at=at)
    tariffs.agree_tariff(tariff=proposed, by=world.finance, at=at)


def close_month(world: factories.World, member: Membership) -> None:
    """April, with a line that was marked."""
    at = factories.moment(date(2026, 5, 1))
    statements.make(on=at.date(), at=at)
    april = Statement.objects.get()
    statement_lines.mark(statement=april, line=member.pk, kind="agreed", by=world.pantry_manager, at=at)
    for by in (world.pantry_manager, world.finance):
        statements.agree(statement=april, by=by, at=at)


@pytest.mark.django_db
@pytest.mark.parametrize("table", triggers.append_only_tables())
def test_update_delete_and_truncate_are_refused_for_every_insert_only_table(table):
    world = factories.World(tops_up_price_rises=True)
    member = world.join()
    top_up(world)
    close_month(world, member)
    write()
    seal()
    statements = [f"UPDATE {table} SET id = id", f"DELETE FROM {table}"]  # noqa: S608 - our own names
    statements += [f"TRUNCATE {table} CASCADE"] if connection.vendor == "postgresql" else []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
        [there] = cursor.fetchone()
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # TRUNCATE would be refused for what is still pending
    assert there or table in ("reviews_reviewpack", "reviews_minutes")  # long to make; their triggers are the same
    for statement in statements if there else []:
        with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert triggers.missing() == []


@pytest.mark.sqlite
@pytest.mark.django_db
def test_replacing_a_row_is_deleting_it_and_is_refused():
    event = write(subjects=0)
    columns = "id, at, stored_at, verb, job, target_type, detail"
    row = f"REPLACE INTO audit_auditevent ({columns}) VALUES ({event.pk}, 0, 0, 'x', 'y', '', '{{}}')"  # noqa: S608

    def replace():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(row)

    with pytest.raises(DatabaseError, match="insert-only"):
        replace()
    with connection.cursor() as cursor:  # the control: SQLite's default
        cursor.execute("PRAGMA recursive_triggers=OFF")
    replace()
    assert AuditEvent.objects.values_list("verb", flat=True).get() == "x"
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA recursive_triggers=ON")


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
def test_a_rebuilt_table_loses_its_triggers_and_migrate_puts_them_back():
    event = write()
    with connection.schema_editor() as editor:
        editor._remake_table(AuditEvent)
    lost = ["append_only_audit_auditevent_update", "append_only_audit_auditevent_delete"]
    assert triggers.missing() == lost
    with pytest.raises(CommandError, match="2 breaks"):
        call_command("check_audit")
    call_command("migrate", verbosity=0)
    assert triggers.missing() == []
    with pytest.raises(DatabaseError, match="insert-only"), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_auditevent SET verb = 'x'")
    assert AuditEvent.objects.get().verb == event.verb


# -- sealed ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_everything_is_sealed_once_in_a_chain(monkeypatch, capsys):
    monkeypatch.setattr(seals, "BATCH", 2)
    for _ in range(5):
        write()
    assert (seal(), seal()) == (5, 0)
    write(subjects=0)
    assert (seal(), breaks()) == (1, [])
    made = list(Seal.objects.order_by("number"))
    assert [one.number for one in made] == [1, 2, 3, 4]
    assert [one.previous for one in made] == ["", *(one.hash for one in made[:-1])]
    assert [len(one.digests) // 32 for one in made] == [2, 2, 1, 1]
    call_command("check_audit", known=[f"audit:4:{made[3].hash}"])
    assert capsys.readouterr().out.splitlines() == [f"last seal audit:4:{made[3].hash}", "audit ok: 6 events, 6 sealed"]


@pytest.mark.django_db
def test_what_waits_for_its_seal_is_known_by_the_real_clock(settings):
    assert seals.oldest_unsealed() is None
    old = audit.record("core.test.made", at=timezone.now() - timedelta(days=99), job="test")
    assert seals.oldest_unsealed() == old.stored_at
    seal()
    assert seals.oldest_unsealed() is None
    new = write()
    assert seals.oldest_unsealed() == new.stored_at


TAMPERING = {
    "verb": ("UPDATE audit_auditevent SET verb = 'x' WHERE id = %s", "Audit event {} was altered"),
    "moment": ("UPDATE audit_auditevent SET at = '2026-01-01' WHERE id = %s", "Audit event {} was altered"),
    "detail": ("UPDATE audit_auditevent SET detail = '{{}}' WHERE id = %s", "Audit event {} was altered"),
    "person": ("UPDATE audit_auditevent SET by_id = NULL, job = 'y' WHERE id = %s", "Audit event {} was altered"),
    "subject": ("UPDATE audit_auditsubject SET kind = 'membership' WHERE event_id = %s", "Audit event {} was altered"),
    "subject gone": ("DELETE FROM audit_auditsubject WHERE event_id = %s", "Audit event {} was altered"),
    "gone": ("DELETE FROM audit_auditevent WHERE id = %s", "Audit event {} was taken out"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("what", TAMPERING)
def test_a_row_changed_by_a_superuser_is_named(what):
    events = [write(subjects=0 if what == "gone" else 1) for _ in range(3)]
    seal()
    assert breaks() == []
    statement, said = TAMPERING[what]
    with superuser() as run:
        run(statement.replace("{{}}", "{}"), events[1].pk)
    assert breaks() == [said.format(events[1].pk)]


@pytest.mark.django_db
def test_rows_put_in_or_exchanged_are_named():
    first, second, third = (write(f"core.test.{n}", subjects=0) for n in ("one", "two", "three"))
    columns = "at, stored_at, verb, by_id, job, target_type, target_id, detail"
    with superuser() as run:
        run("DELETE FROM audit_auditevent WHERE id = %s", second.pk)  # an id that was given out and never committed
    seal()
    assert breaks() == []
    with superuser() as run:
        copy = f"INSERT INTO audit_auditevent (id, {columns}) SELECT %s, {columns} FROM audit_auditevent WHERE id = %s"  # noqa: S608
        run(copy, second.pk, first.pk)
    assert breaks() == [f"Audit event {second.pk} was put in later: no seal holds it."]
    with superuser() as run:
        run("DELETE FROM audit_auditevent WHERE id = %s", second.pk)
        exchange = "UPDATE audit_auditevent SET verb = CASE verb WHEN %s THEN %s ELSE %s END"
        run(exchange, first.verb, third.verb, first.verb)
    assert breaks() == [f"Audit event {key} was altered" for key in (first.pk, third.pk)]


@pytest.mark.django_db
def test_seals_altered_taken_out_or_made_by_someone_else_are_named(monkeypatch, settings, caplog):
    monkeypatch.setattr(seals, "BATCH", 1)
    with caplog.at_level("INFO", "stockport_hubs.audit.seals"):
        for _ in range(4):
            write()
        seal()
    known = caplog.messages[-1].removeprefix("sealed ")
    assert breaks(known=[known]) == []
    settings.SECRET_KEY, old = "another-key-altogether", settings.SECRET_KEY
    unknown = "was altered, or made with a SECRET_KEY that is not known here."
    assert breaks() == [f"Seal {n} of the audit {unknown}" for n in (1, 2, 3, 4)]
    settings.SECRET_KEY_FALLBACKS = [old]
    assert breaks() == []
    with superuser() as run:
        run("UPDATE audit_seal SET sealed_at = '2026-01-01' WHERE number = 2")
    assert breaks() == [f"Seal 2 of the audit {unknown}"]
    with superuser() as run:
        run("DELETE FROM audit_seal WHERE number = 2")
        run("DELETE FROM audit_seal WHERE number = 4")
    assert breaks(known=[known]) == [
        "Seal 2 of the audit is gone.",
        f"The seal {known} of the log is not there.",
        f"Audit event {AuditEvent.objects.order_by('id')[1].pk} was put in later: no seal holds it.",
    ]


@pytest.mark.django_db
def test_the_journal_is_sealed_and_an_altered_payment_is_named(capsys):
    """Both legs altered: the entry still sums to zero, and no block speaks of a payment."""
    world = factories.World()
    world.join()
    journal.pay_in_advance(
        agreement=world.agreement, pence=757_500, on=factories.BEGIN, by=world.finance,
        at=factories.moment(factories.BEGIN),
    )  # fmt: skip
    lines = JournalLine.objects.filter(source_type="payment").order_by("pk")
    seal()
    assert journal.check(factories.BEGIN) == []
    with superuser() as run:
        run("UPDATE pantry_journalline SET pence = pence * 2 WHERE source_type = 'payment'")
    with pytest.raises(CommandError, match="2 breaks"):
        call_command("check_journal")
    out = capsys.readouterr().out.splitlines()
    assert [text.partition(" after")[0] for text in out] == [f"Journal line {line.pk} was altered" for line in lines]


@pytest.mark.django_db
def test_an_altered_entry_is_named_by_its_lines():
    world = factories.World()
    world.join()
    seal()
    with superuser() as run:
        run("UPDATE pantry_journalentry SET effective_on = '2026-01-01'")
    keys = JournalLine.objects.order_by("pk").values_list("pk", flat=True)
    assert breaks("journal") == [f"Journal line {key} was altered" for key in keys] and len(keys) > 1


# -- many at once ------------------------------------------------------------------------------------------------------


def commit_late() -> tuple[int, int]:
    """An event that commits after one with a higher id was sealed: (its id, the other's)."""
    inserted, sealed, early = threading.Event(), threading.Event(), []

    def slow():
        with transaction.atomic():
            early.append(write().pk)
            inserted.set()
            sealed.wait(20)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    inserted.wait(20)
    late = write().pk
    assert seal() == 1
    sealed.set()
    thread.join()
    return early[0], late


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_event_that_commits_late_is_sealed_when_it_comes():
    write()
    seal()
    early, late = commit_late()
    assert early < late
    assert (seal(), seal(), breaks()) == (1, 0, [])
    assert Seal.objects.order_by("-number").first().runs == [[early, early]]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_sealer_that_is_overtaken_sees_what_its_own_last_seal_left_open():
    """Its seal will find its number taken; until then nothing of the others' may stand among its rows twice."""
    write()
    seal()
    last = seals._last(seals.chains["audit"])
    second = write().pk
    seal()
    early, late = commit_late()
    assert seals._waiting(seals.chains["audit"], last, timezone.now()) == [second, early, late]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_control_a_chain_that_only_goes_forward_leaves_the_late_one_out(monkeypatch):
    write()
    seal()
    monkeypatch.setattr(seals, "_gaps", lambda *_: [])
    early, _ = commit_late()
    assert (seal(), breaks()) == (0, [f"Audit event {early} was put in later: no seal holds it."])


@pytest.mark.django_db(transaction=True)
def test_writers_and_sealers_at_once_leave_every_event_sealed_once(monkeypatch):
    monkeypatch.setattr(seals, "BATCH", 7)
    stop = threading.Event()

    def writer(n: int) -> int:
        for k in range(25):
            with transaction.atomic():
                write(subjects=k % 3)
                if k % 5 == n % 5:  # a gap: the id is given out and never comes
                    transaction.set_rollback(True)
        return 20

    def sealer() -> int:
        rows = 0
        while not stop.wait(0.01):  # SQLite's lock is not fair: two that never pause leave it to nobody
            rows += seal()
        return rows

    def writers() -> int:
        try:
            return sum(at_once([lambda n=n: writer(n) for n in range(6)]))
        finally:
            stop.set()

    written, *by_sealers = at_once([writers, sealer, sealer])
    assert written == 120 == AuditEvent.objects.count(), by_sealers
    assert sum(by_sealers) + seal() == 120
    found = seals.check("audit", now=timezone.now() + LATER)
    assert (found.breaks, found.rows, found.sealed) == ([], 120, 120)
    assert AuditSubject.objects.count() > 0
