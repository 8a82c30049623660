"""Year-end: prepaid at 31 March, used and not paid for, purchases by their dates, the lines for the ledger; worked by
hand, in pence."""

import csv
import io
from datetime import date

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pantry import year_end
from pantry.models import Collection, Membership
from pantry.services import by_hand, journal
from tests.factories import World, moment

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
YEAR = date(2026, 4, 1)
NEW_YEAR = date(2026, 12, 31)  # joins on this day begin in the week of Mon 4 January 2027


def pay(world, pence: int, on: date = NEW_YEAR, cost_code: str = "CC-10") -> None:
    journal.pay_in_advance(
        agreement=world.agreement, pence=pence, on=on, cost_code=cost_code, invoice=str(pence), by=world.finance,
        at=moment(on),
    )  # fmt: skip


def ledger(found: year_end.YearEnd) -> list[tuple]:
    return [(each.on.isoformat(), each.cost_code, each.account, each.debit_pence, each.credit_pence)
            for each in year_end.ledger(found)]  # fmt: skip


def test_a_block_from_4_january_is_prepaid_with_45_50_at_31_march():
    world = World()
    pay(world, 15_000)
    world.join(NEW_YEAR)
    found = year_end.of(world.agreement, YEAR)
    assert (found.position.recoverable_pence, found.position.recoverable_weeks) == (4550, 13)
    assert (found.position.left_pence, found.overdrawn_pence, found.accrued) == (4900, 0, [])
    [bought] = found.bought
    assert (bought.month, bought.weeks_pence, bought.joining_pence, bought.credit_pence) == (
        date(2026, 12, 1), 9100, 1000, 0,
    )  # fmt: skip
    assert (found.committed_pence, found.budget.committed_pence, found.paid) == (10_100, 10_100, [("CC-10", 15_000)])
    assert ledger(found) == [
        ("2027-03-31", "", "Prepayments", 4550, 0),
        ("2027-03-31", "CC-10", "Places at pantries", 0, 4550),
        ("2027-03-31", "", "Prepayments", 4900, 0),
        ("2027-03-31", "CC-10", "Places at pantries", 0, 4900),
        ("2027-04-01", "", "Prepayments", 0, 4550),
        ("2027-04-01", "CC-10", "Places at pantries", 4550, 0),
        ("2027-04-01", "", "Prepayments", 0, 4900),
        ("2027-04-01", "CC-10", "Places at pantries", 4900, 0),
    ]


def test_what_is_bought_and_not_paid_and_credit_that_is_left_are_in_the_ledger_too():
    world = World()
    world.leave(world.join(), date(2026, 6, 10))  # 16 × 350 = 5600 credited
    world.join(NEW_YEAR)  # 10100, of them 5600 from credit
    found = year_end.of(world.agreement, YEAR)
    assert [(each.month.month, each.committed_pence) for each in found.bought] == [(4, 10_100), (12, 4500)]
    assert (found.overdrawn_pence, found.position.in_pool_pence, found.cost_code) == (14_600, 0, "")
    assert ledger(found)[:4] == [
        ("2027-03-31", "", "Prepayments", 4550, 0),
        ("2027-03-31", "", "Places at pantries", 0, 4550),
        ("2027-03-31", "", "Places at pantries", 14_600, 0),
        ("2027-03-31", "", "Accruals", 0, 14_600),
    ]


def collect_unpaid(world, member: Membership, on: date = date(2027, 3, 31)) -> Collection:
    made = world.collect(member, on)
    assert made.paid_week is None
    return made


def test_a_week_used_by_31_march_and_bought_later_is_accrued_and_one_the_member_pays_is_not():
    world = World(block_weeks=4)
    member, pays = (world.join(date(2027, 2, 25)) for _ in range(2))  # 1 to 22 March; nothing is renewed
    Membership.objects.filter(pk=pays.pk).update(self_pay_from=date(2027, 3, 29))
    collect_unpaid(world, member)
    Collection.objects.create(
        **{f.attname: getattr(Collection.objects.get(), f.attname) for f in Collection._meta.fields
           if f.attname not in ("id", "key", "membership_id")},
        key=pays.pk, membership=pays,
    )  # fmt: skip
    assert [(each.weeks, each.pence) for each in year_end.accrued(world.agreement, date(2027, 3, 31))] == [(1, 350)]
    # Bought on 2 April, in that week: linked to its collection, and for 31 March still used and not paid for.
    by_hand.buy(membership=member, by=world.manager, at=moment(date(2027, 4, 2)))
    assert Collection.objects.get(membership=member).paid_week.block.bought_on == date(2027, 4, 2)
    found = year_end.of(world.agreement, YEAR)
    assert [(each.pantry, each.weeks, each.pence) for each in found.accrued] == [(world.pantry, 1, 350)]
    assert ("2027-03-31", "", "Accruals", 0, 350) in ledger(found)
    assert year_end.accrued(world.agreement, date(2027, 3, 30)) == []


def test_the_csv_sums_to_nothing_and_runs_nothing(client):
    world = World()
    world.agreement.name = "=1+1"
    world.agreement.save()
    pay(world, 15_000, cost_code="-2+3")
    world.join(NEW_YEAR)
    with time_machine.travel(moment(date(2027, 4, 10)), tick=False):
        client.force_login(world.finance)
        answer = client.get(reverse("pantry:year_end_csv", args=[world.agreement.pk]))
    assert answer.status_code == 200, answer
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 8
    assert sum(round(float(row["Debit"]) * 100) - round(float(row["Credit"]) * 100) for row in rows) == 0
    assert {row["Description"][0] for row in rows} == {"'"} and {row["Cost code"] for row in rows} == {"", "'-2+3"}
    assert answer["Content-Disposition"] == 'attachment; filename="year-end-2027-03-31.csv"'


def test_the_page_is_of_the_last_year_that_is_over_and_of_any_other(client):
    world = World()
    pay(world, 15_000)
    world.join(NEW_YEAR)
    address = reverse("pantry:year_end", args=[world.agreement.pk])
    with time_machine.travel(moment(date(2027, 4, 10)), tick=False):
        for user, status in ((world.finance, 200), (world.manager, 200), (world.pantry_manager, 403)):
            client.force_login(user)
            assert client.get(address).status_code == status
        client.force_login(world.finance)
        page = client.get(address).content.decode()
        with CaptureQueriesContext(connection) as few:
            client.get(address)
        assert "at 31 March 2027" in page and "£45.50" in page and "£49.00" in page
        assert "The year is not over" in client.get(f"{address}?year=2027").content.decode()
        for _ in range(3):
            world.join(NEW_YEAR)
        with CaptureQueriesContext(connection) as many:
            client.get(address)
        assert len(few) == len(many)
