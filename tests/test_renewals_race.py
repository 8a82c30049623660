"""Renewals under races and `kill -9`: each block once, every penny once, and controls that fail."""

import contextlib
import random
import threading
import time
from collections import Counter
from datetime import date
from itertools import cycle

import psycopg
import pytest
from django.db import connection

from pantry.models import CreditPool, Membership, PrepaidBlock
from pantry.services import by_hand, funds, journal, renewals
from pantry.services.funds import Fund
from stockport_hubs.core.errors import Refused
from tests.conftest import test_database_url
from tests.due import DUE, make_due
from tests.factories import World, moment
from tests.processes import environment, manage

postgres = pytest.mark.postgres
SCRIPT = """
import django; django.setup()
from django.core.management import call_command
from pantry.models.memberships import MembershipQuerySet
from pantry.services import renewals
renewals.BATCH = 25  # more moments at which a process can die
{extra}
call_command("renew_blocks", "--on", "2026-09-07")
"""
# No lock on the members, and nobody goes on to the money, which has a lock of its own, before both have read the first
# batch: a race, not a matter of luck.
WITHOUT_LOCK = """
import time
from pathlib import Path
MembershipQuerySet.select_for_update = lambda rows, **how: rows.all()
folder, open_funds = Path({folder!r}), renewals.Funds

def open_together(*agreements):
    (folder / {name!r}).touch()
    until = time.monotonic() + 30
    while not all((folder / each).exists() for each in ("first", "second")) and time.monotonic() < until:
        time.sleep(0.01)
    return open_funds(*agreements)

renewals.Funds = open_together
"""
# Each batch lasts a quarter of a second: a run is found in the middle of one however fast the machine is, and the work
# does not run out before the last kill.
PAUSE = """
CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.25); RETURN NULL; END';
CREATE TRIGGER pause AFTER INSERT ON pantry_prepaidblock FOR EACH STATEMENT EXECUTE FUNCTION pause();
"""
MAKE = "import django; django.setup(); from tests.due import make_due; from tests.factories import World; "
KEYS = {
    "pantry_prepaidblock": ["block_number_once"],
    "pantry_renewaldecision": ["decision_once_a_block"],
}
PARTIAL_KEYS = ["paid_week_once_a_week"]  # indexes, not constraints: they have a condition


class Scene:
    """A database of its own with n due members, and renewal runs in processes of their own."""

    def __init__(self, started, database_url: str, n: int) -> None:
        self.started, self.url, self.n = started, database_url, n
        made = started.process("make", "-c", f"{MAKE} make_due(World(), {n})", env=environment(database_url))
        assert made.process.wait() == 0, made.text()

    def run(self, name: str, extra: str = ""):
        env = environment(self.url, PGAPPNAME=name)
        return self.started.process(name, "-c", SCRIPT.format(extra=extra), env=env)

    def ask(self, question: str):
        with psycopg.connect(self.url) as line:
            return line.execute(question.encode()).fetchone()[0]

    def is_writing(self, name: str) -> bool:
        """Is this run in the middle of a batch's transaction, with rows written and not committed?"""
        in_middle = "backend_xid IS NOT NULL AND query LIKE 'INSERT %'"
        return self.ask(f"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}' AND {in_middle}") > 0  # noqa: S608

    def facts(self) -> tuple[int, int, int, int, int]:
        """Second blocks, members who have one, their weeks, their decisions, what they cost in pence."""
        second = "pantry_prepaidblock WHERE block_no = 2"
        return (
            self.ask(f"SELECT count(*) FROM {second}"),  # noqa: S608
            self.ask(f"SELECT count(DISTINCT membership_id) FROM {second}"),  # noqa: S608
            self.ask(f"SELECT count(*) FROM pantry_paidweek WHERE block_id IN (SELECT id FROM {second})"),  # noqa: S608
            self.ask("SELECT count(*) FROM pantry_renewaldecision WHERE outcome = 'renewed'"),
            self.ask(f"SELECT sum(weeks * weekly_pence + joining_pence) FROM {second}"),  # noqa: S608
        )


@pytest.fixture
def scene(started, fresh_database):
    return lambda n: Scene(started, fresh_database, n)


def exactly_once(n: int) -> tuple[int, int, int, int, int]:
    return n, n, 26 * n, n, 9100 * n


@postgres
@pytest.mark.promise("M1")
def test_two_runs_killed_again_and_again_renew_every_member_once(scene, sized, seed, figures):
    """Each is killed in the middle of a batch, after a while that the seed draws."""
    here, draw = scene(sized(400, 5000)), random.Random(seed)
    with psycopg.connect(here.url) as line:
        line.execute(PAUSE)
    runs = {name: here.run(f"{name} 0") for name in ("first", "second")}
    kills: Counter[str] = Counter()
    wanted = sized(2, 20)
    for name in cycle(runs):
        if all(kills[each] == wanted for each in runs):
            break
        time.sleep(draw.uniform(0, 0.5))
        turn = f"{name} {kills[name]}"  # not the one before, whose end its server may not have noticed yet
        runs[name].wait_until(lambda turn=turn: here.is_writing(turn), seconds=60)
        runs[name].kill()
        kills[name] += 1
        runs[name] = here.run(f"{name} {kills[name]}")
    for run in runs.values():
        assert run.process.wait(300) == 0, run.text()
    assert here.facts() == exactly_once(here.n)
    bought = f"£{101 * here.n + 91 * here.n:,}.00"
    assert manage(here.url, "check_journal").splitlines()[-1] == f"journal ok: {2 * here.n} entries, bought {bought}"
    last = manage(here.url, "renew_blocks", "--on", "2026-09-07").splitlines()[-1]
    assert last == f"0 renewed, 0 held, {here.n} already done"
    figures(f"{here.n:,} due, {sum(kills.values())} kills: each renewed once, £{91 * here.n:,}.00")


def race(here: Scene) -> None:
    """Two runs at the same time that do not lock the members, again until nothing is due."""
    folder = str(here.started.folder)
    for _ in range(20):
        runs = [here.run(name, WITHOUT_LOCK.format(folder=folder, name=name)) for name in ("first", "second")]
        for run in runs:
            run.process.wait(120)
        if here.ask("SELECT count(*) FROM pantry_membership WHERE next_due_on = '2026-09-07'") == 0:
            return
    raise AssertionError(runs[0].text())


@postgres
@pytest.mark.logs_errors
def test_without_the_lock_the_unique_keys_alone_keep_it_to_one_block_each(scene):
    here = scene(60)
    race(here)
    assert here.facts() == exactly_once(60)


@postgres
@pytest.mark.slow
@pytest.mark.promise("M1")
@pytest.mark.logs_errors
def test_control_without_lock_and_keys_members_get_two_blocks(scene):
    """What the other tests would see if lock and keys were not there: proof that they look at the right thing."""
    here = scene(60)
    with psycopg.connect(here.url) as line:
        for table, names in KEYS.items():
            for name in names:
                line.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}".encode())
        for name in PARTIAL_KEYS:
            line.execute(f"DROP INDEX {name}".encode())
    race(here)
    blocks, members, *_ = here.facts()
    assert members == 60
    assert blocks > 60


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_renew_each_member_once_on_either_database(started):
    make_due(World(), 60)
    env = environment(test_database_url())
    runs = [started.process("run", "-c", SCRIPT.format(extra=""), env=env) for _ in range(2)]
    assert [run.process.wait(120) for run in runs] == [0, 0], [run.text() for run in runs]
    second = PrepaidBlock.objects.filter(block_no=2)
    assert (second.count(), second.values("membership").distinct().count()) == (60, 60)
    assert journal.check(DUE) == []


# -- people at the same moment -----------------------------------------------------------------------------------------


def at_once(deeds: list) -> list:
    """What each deed gave or raised, all of them begun at the same moment, each on a connection of its own."""
    barrier, answers = threading.Barrier(len(deeds)), [None] * len(deeds)

    def do(n: int) -> None:
        connection.ensure_connection()
        barrier.wait(60)
        try:
            answers[n] = deeds[n]()
        except Exception as error:
            answers[n] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(n,)) for n in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@postgres
@pytest.mark.promise("M3")
@pytest.mark.django_db(transaction=True)
def test_many_managers_renewing_at_once_buy_one_block_and_are_told_who_did(sized, figures):
    n = sized(40, 200)
    world = World(hold_after_weeks_without_collection=0)
    member = world.join()
    Membership.objects.update(stop_renewal=True)
    renewals.sweep(on=DUE, at=moment(DUE), job="test")
    held = member.renewal_decisions.get()
    how = {"decision": held, "outcome": "renewed", "by": world.manager, "at": moment(DUE, "10:42")}
    answers = at_once([lambda: renewals.decide(**how)] * n)
    told = Counter(str(answer) for answer in answers if isinstance(answer, Refused))
    assert told == {f"Already renewed by {world.manager} on 7 September 2026, 10:42.": n - 1}
    assert PrepaidBlock.objects.filter(block_no=2).count() == 1
    assert journal.check(DUE) == []
    figures(f"{n} at once: 1 block, {n - 1} told who and when")


@postgres
@pytest.mark.django_db(transaction=True)
def test_renewals_at_once_spend_the_credit_once():
    world = World(hold_after_weeks_without_collection=0)
    members = [world.join() for _ in range(9)]
    world.leave(members.pop(), date(2026, 6, 7))
    Membership.objects.filter(state="open").update(stop_renewal=True)
    renewals.sweep(on=DUE, at=moment(DUE), job="test")
    deeds = [
        lambda m=m: (
            renewals.decide(
                decision=m.renewal_decisions.get(), outcome="renewed", by=world.manager, at=moment(DUE)
            ).outcome
        )
        for m in members
    ]
    assert at_once(deeds) == ["renewed"] * 8
    assert sorted(PrepaidBlock.objects.filter(block_no=2).values_list("from_pool_pence", flat=True)) == [0] * 7 + [5950]
    assert CreditPool.objects.get().balance_pence == 0
    assert journal.check(DUE) == []


@postgres
@pytest.mark.parametrize("locked", [True, False])
@pytest.mark.django_db(transaction=True)
def test_the_pools_lock_is_what_keeps_the_credit_from_being_spent_twice(locked, monkeypatch):
    """Both buyers are held up between reading the pool and writing it; without the lock the journal does not add up."""
    world = World(hold_after_weeks_without_collection=0)
    members = [world.join() for _ in range(3)]
    world.leave(members.pop(), date(2026, 6, 7))
    together, draw = threading.Barrier(2), Fund.draw

    def draw_together(fund, price):
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(1)
        return draw(fund, price)

    monkeypatch.setattr(Fund, "draw", draw_together)
    if not locked:
        monkeypatch.setattr(funds, "_locked", lambda rows, agreements, make: {r.agreement_id: r for r in rows.all()})
    at = moment(date(2026, 8, 3))
    credit = at_once([lambda m=m: by_hand.buy(membership=m, by=world.manager, at=at).from_pool_pence for m in members])
    if locked:
        assert (sorted(credit), journal.check(DUE)) == ([0, 5950], [])
    else:
        assert credit == [5950, 5950]
        assert [problem.partition(": ")[2] for problem in journal.check(DUE)][:1] == [
            "the pool of credit holds £0.00, the journal -£59.50."
        ]


@postgres
@pytest.mark.django_db(transaction=True)
def test_joins_at_once_get_numbers_of_one_series():
    world = World()
    answers = at_once([lambda: world.join().number] * 12)
    assert sorted(answers) == list(range(1, 13))
    assert journal.check(DUE) == []


@postgres
@pytest.mark.django_db(transaction=True)
def test_leaving_and_renewing_at_once_end_in_one_of_the_two_orders():
    world = World(hold_after_weeks_without_collection=0)
    member = world.join()
    credited, swept = at_once(
        [
            lambda: world.leave(member, DUE),
            lambda: renewals.sweep(on=DUE, at=moment(DUE), job="test").renewed,
        ]
    )
    assert (credited, swept) in {(3 * 350, 0), (3 * 350 + 9100, 1)}
    assert journal.check(DUE) == []
