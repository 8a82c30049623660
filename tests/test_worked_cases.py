"""The worked cases of docs/worked-cases, to read and to check by hand: each exact to the penny and the day wherever the
server thinks it is."""

import csv
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest

from pantry import money, rules
from pantry.calendar import Closed, Hours, Plan, WeekCalendar
from pantry.services import renewals
from stockport_hubs.core.money import parse_pounds, pounds
from stockport_hubs.core.weeks import LONDON, WEEK, birthday, financial_year, london_date, monday, spoken
from tests.factories import World, moment
from tests.processes import ROOT

FOLDER = ROOT / "docs" / "worked-cases"
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
Given = dict[str, str]


def cases(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def parts(said: str) -> Given:
    return dict(part.split("=", 1) for part in said.split("; "))


def day(said: str) -> date:
    """ "6 April 2026", with or without the weekday before it."""
    found = re.search(r"\d+ [A-Z][a-z]+ \d{4}", said)
    assert found, said
    return datetime.strptime(found[0], "%d %B %Y").date()  # noqa: DTZ007 - a day


def differing(name: str, answers: dict[str, Callable[[Given], str]]) -> list[str]:
    """The cases whose answer is another."""
    wrong = []
    for case in cases(name):
        found = answers[case["case"]](parts(case["given"]))
        if found != case["answer"]:
            wrong.append(f"{name} {case['no']}: {case['answer']}, and it is {found}")
    return wrong


# -- the calendar, without a database ----------------------------------------------------------------------------------


def calendar_of(given: Given) -> tuple[WeekCalendar, object]:
    """One pantry with these sessions and closures."""
    key = uuid4()
    opens = re.search(r"\d\d:\d\d", given["opens"])
    at = time.fromisoformat(opens[0]) if opens else time(10)
    hours = [
        Hours(n, at, time(23, 59), date(2020, 1, 6), None) for n, name in enumerate(DAYS) if name in given["opens"]
    ]
    closures = []
    for each in given.get("closed", "").split(" and ") if "closed" in given else []:
        first, _, last = each.partition(" to ")
        closures.append(Closed(day(first), day(last or first), "Closed"))
    return WeekCalendar({key: Plan(True, hours, closures)}), key


def block(given: Given) -> str:
    calendar, key = calendar_of(given)
    weeks = calendar.next_open_weeks(key, day(given["from"]), int(given["weeks"]))
    following = calendar.next_open_week(key, weeks[-1] + WEEK)
    return f"last week={spoken(weeks[-1])}; next block={spoken(following)}; due={spoken(rules.due_on(following))}"


def first_week(given: Given) -> str:
    calendar, key = calendar_of(given)
    accepted = datetime.combine(day(given["accepted"]), time.fromisoformat(given["accepted"][-5:]), LONDON)
    wanted = day(given["wanted"]) if "wanted" in given else None
    return f"first week={spoken(calendar.first_week(key, accepted, wanted))}"


def london_day(given: Given) -> str:
    at = datetime.combine(day(given["moment"]), time.fromisoformat(given["moment"][-9:-4]), UTC)
    return f"day={spoken(london_date(at))}; week of={spoken(monday(london_date(at)))}"


CALENDAR: dict[str, Callable[[Given], str]] = {
    "block": block,
    "first week": first_week,
    "London day": london_day,
    "financial year": lambda given: f"year from={spoken(financial_year(day(given['day'])))}",
    "last funded day": lambda given: (
        f"last day={spoken(birthday(day(given['born']), int(given['age'])) - timedelta(days=1))}"
    ),
}


@pytest.mark.vectors
@pytest.mark.sqlite
def test_the_calendar_is_as_worked_by_hand():
    assert differing("calendar", CALENDAR) == []


# -- money -------------------------------------------------------------------------------------------------------------


def price(given: Given) -> str:
    whole = parse_pounds(given["joining fee"]) + int(given["weeks"]) * parse_pounds(given["a week"])
    if not parse_pounds(given["a week"]):
        return f"price={pounds(whole)}"
    world = World(
        weekly=parse_pounds(given["a week"]),
        joining=parse_pounds(given["joining fee"]),
        block_weeks=int(given["weeks"]),
    )
    return f"price={pounds(world.join().blocks.get().price_pence)}"


def credit(given: Given) -> str:
    whole, held = parse_pounds(given["price"]), parse_pounds(given["credit"])
    used = rules.from_pool(whole, held)
    return f"from credit={pounds(used)}; to pay={pounds(whole - used)}; credit left={pounds(held - used)}"


def joining_fee(given: Given) -> str:
    left = None if given["left on"] == "never" else day(given["left on"])
    return f"to pay={pounds(rules.joining_fee(parse_pounds(given['fee']), day(given['joins on']), left))}"


def top_up(given: Given) -> str:
    old, new = parse_pounds(given["a week"]), parse_pounds(given["new price"])
    start = date(2026, 4, 6)
    later = [(start + int(given["weeks before the new price"]) * WEEK, new)]
    weeks = [start + n * WEEK for n in range(int(given["weeks"]))]
    return f"topped up={pounds(sum(rules.topped_up(week, old, later) - old for week in weeks))}"


def world_of(given: Given) -> World:
    return World(
        weekly=parse_pounds(given["a week"]), block_weeks=int(given["weeks"]), hold_after_weeks_without_collection=0
    )


def leaving(given: Given) -> str:
    world, leaves = world_of(given), day(given["leaves"])
    member = world.join()
    assert member.first_week == day(given["block from"])
    if given["next block bought"] == "yes":
        due = rules.due_on(day(given["block from"]) + int(given["weeks"]) * WEEK)
        renewals.sweep(on=due, at=moment(due), job="test")
        assert member.blocks.count() == 2
    return f"credited={pounds(world.leave(member, leaves))}"


def prepayment(given: Given) -> str:
    world, start = world_of(given), day(given["block from"])
    assert world.join(start - timedelta(days=4)).first_week == start
    return f"prepaid={pounds(money.prepaid(world.agreement, day(given['at'])))}"


MONEY: dict[str, Callable[[Given], str]] = {
    "block": price,
    "credit": credit,
    "joining fee": joining_fee,
    "top-up": top_up,
    "leaving": leaving,
    "prepayment": prepayment,
}


@pytest.mark.vectors
@pytest.mark.sqlite
@pytest.mark.django_db
def test_money_is_as_worked_by_hand():
    assert differing("money", MONEY) == []


# -- the tables themselves ---------------------------------------------------------------------------------------------


def reckoned(working: str) -> bool:
    """Whether a working such as "£10.00 + 26 × £3.50 = £101.00" comes out."""
    left, _, right = working.rpartition(" = ")
    terms = re.split(r" (?=[+−] )", left)
    total = 0
    for term in terms:
        sign = -1 if term.startswith("− ") else 1
        factors = [
            int(factor) if factor.isdigit() else parse_pounds(factor)
            for factor in term.removeprefix("+ ").removeprefix("− ").split(" × ")
        ]
        product = 1
        for factor in factors:
            product *= factor
        total += sign * product
    return total == parse_pounds(right)


@pytest.mark.sqlite
def test_there_are_enough_cases_each_once_and_every_sum_comes_out():
    counts = {name: Counter(case["given"] for case in cases(name)) for name in ("money", "calendar")}
    assert sum(counts["money"].values()) >= 60 and sum(counts["calendar"].values()) >= 200
    assert [given for each in counts.values() for given, n in each.items() if n > 1] == []
    workings = [case["working"] for case in cases("money") if " = " in case["working"]]
    assert len(workings) > 40 and [each for each in workings if not reckoned(each)] == []
    assert not reckoned("16 × £3.50 = £56.01")


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("money", {"credit": lambda given: "from credit=£0.00"}),
        ("calendar", {"London day": lambda given: f"day={spoken(day(given['moment']))}; week of=6 April 2026"}),
    ],
)
@pytest.mark.django_db
def test_a_planted_fault_is_named(name, fault):
    answers = {kind: lambda given: "" for kind in {case["case"] for case in cases(name)}}
    found = differing(name, answers | fault)
    assert len(found) > 10 and found[0].startswith(f"{name} 1: ")
