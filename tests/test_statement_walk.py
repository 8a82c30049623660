"""A finance officer's months: April agreed with one queried line, its correction in May, the year-end; by the pages,
every amount worked by hand."""

import re
from datetime import date

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from pantry.models import Statement
from pantry.services import memberships
from stockport_hubs.jobs import services as jobs
from tests.factories import moment
from tests.test_statements import World, as_pounds, row_of

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


class Person:
    """Someone who follows links and presses buttons."""

    def __init__(self, user):
        self.user, self.client, self.page = user, Client(), ""

    def go(self, address: str) -> "Person":
        self.client.force_login(self.user)  # months pass between
        answer = self.client.get(address)
        assert answer.status_code == 200, address
        self.page = answer.content.decode()
        return self

    def follow(self, words: str) -> "Person":
        links = re.findall(r'<a [^>]*href="([^"]+)"[^>]*>(.*?)</a>', self.page.split("<main")[1], re.S)
        [address, *_] = [href for href, text in links if words in re.sub(r"<[^>]+>", "", text)]
        return self.go(address.replace("&amp;", "&"))

    def post(self, address: str, **fields) -> "Person":
        answer = self.client.post(address, fields, follow=True)
        assert answer.status_code == 200
        self.page = answer.content.decode()
        return self

    @property
    def text(self) -> str:
        plain = re.sub(r"<[^>]+>", " ", self.page.split("<main")[1])
        return re.sub(r"\s+", " ", plain)


def agree(person: Person, statement: Statement) -> Person:
    person.go(reverse("pantry:statement", args=[statement.pk])).follow("Agree this statement")
    [seen] = re.findall(r'name="seen" value="(\w+)"', person.page)
    return person.post(reverse("pantry:statement_agree", args=[statement.pk]), seen=seen)


def a_month_is_over() -> None:
    """The job that comes round makes its statements; no page does."""
    assert jobs.periodic().count("pantry.make_statements") == 1
    job = jobs.enqueue("pantry.make_statements", key=f"made {Statement.objects.count()}")
    jobs.pump(job.pk, limit=0)


def test_a_month_agreed_with_one_queried_line_its_correction_in_the_next_and_the_year_end():
    world = World()
    with time_machine.travel(moment(date(2026, 5, 4)), tick=False):
        pantry, finance = Person(world.pantry_manager), Person(world.finance)
        assert "April 2026" not in pantry.go(reverse("pantry:statements")).text
        a_month_is_over()
        pantry.go(reverse("pantry:statements")).follow("April 2026")
        april = Statement.objects.get()
        assert row_of(pantry.page, "April 2026") == as_pounds(0, 18_200, 0, 0, 2800, 15_400, 2000)
        line = reverse("pantry:statement_line", args=[april.pk, world.b.pk])
        assert "Query it" in pantry.go(line).text
        assert "Answer the question “What is queried?”" in pantry.post(line, kind="queried", words="").text
        pantry.post(line, kind="queried", words="Left on 20 April, so the week of 27 April is not used.")
        assert "The line is queried" in pantry.text
        finance.go("/").follow("1 monthly statement has lines queried").follow("April 2026")
        finance.follow(f"Member {world.b.number}")
        finance.post(line, kind="answered", words="Enter the leaving day; it counts in May.")
        assert "The query is answered" in finance.text
        assert "You have agreed this statement." in agree(pantry, april).text
        assert (
            "with your answer the month is closed"
            in finance.go(reverse("pantry:statement_agree", args=[april.pk])).text
        )
        assert "April 2026 is agreed by both sides and closed." in agree(finance, april).text
        finance.follow("Record the payment")
        assert "£202.00 was drawn" in finance.text
        [payment] = re.findall(r'name="payment" value="([0-9a-f-]+)"', finance.page)
        finance.post(reverse("pantry:statement_payment", args=[april.pk]), payment=payment)
        assert "Paid on 2 April 2026, invoice INV-1, order PO-7" in finance.text
        # and what was asked and answered can still be read
        asked = pantry.go(reverse("pantry:statement", args=[april.pk])).follow(f"member {world.b.number}").text
        assert "the week of 27 April is not used." in asked and "it counts in May." in asked
    left = moment(date(2026, 5, 14))
    memberships.leave(membership=world.b, on=date(2026, 4, 20), reason="left", by=world.pantry_manager, at=left)
    with time_machine.travel(moment(date(2026, 6, 1)), tick=False):
        page = finance.go(reverse("pantry:statement", args=[april.pk])).page
        assert row_of(page, "April 2026") == as_pounds(0, 18_200, 0, 0, 2800, 15_400, 2000)  # as it was agreed
        since = page.split("Entered since it was closed")[-1]
        assert row_of(since, str(world.b.number)) == as_pounds(0, 0, 0, -8050, -350, -7700, 0)
        a_month_is_over()
        finance.go(reverse("pantry:statements")).follow("May 2026")
        assert row_of(finance.page, "Entered late for earlier months") == as_pounds(0, 0, 0, -8050, -350, -7700, 0)
        # A's four weeks from 4 May are used; B has none left: 7700 - 8050 + 350 = 0.
        assert row_of(finance.page, "Together") == as_pounds(15_400, 0, 0, -8050, 1050, 6300, 0)
        assert "Given back here £80.50" in finance.text
        assert "£0.00" in finance.text
    world.join(date(2026, 12, 31))  # 26 weeks from 4 January: 10100, of them 8050 from credit
    with time_machine.travel(moment(date(2027, 4, 10)), tick=False):
        finance.go(reverse("pantry:agreement", args=[world.agreement.pk])).follow("Year-end")
        said = finance.text
        for words in (
            "at 31 March 2027",
            "13 £45.50",  # weeks starting later
            "£20.50 is bought and not yet paid",  # 20200 paid, 20200 + 2050 drawn
            "Every week that was collected is paid for",
            "Committed £222.50",  # 20200 in April, 2050 in December
            "CC-10: £202.00",
        ):
            assert words in said
