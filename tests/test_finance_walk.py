"""A finance officer's year in Chromium, every amount worked by hand in pence.

Two members join on Thu 2 April 2026 at £10.00 + 26 × £3.50 each; one of them turns out to have left on 20 April. From
June a week costs £4.50; the credit of the one who left pays a part of the other's next block; a third joins in
December. 30,000 pence were paid in advance.
"""

import csv
import io
import re
from datetime import date

import pytest
from playwright.sync_api import Locator, Page

from pantry.models import Budget, Statement
from pantry.services import renewals, statements
from stockport_hubs.core.money import pounds
from tests import browser, factories
from tests.conftest import test_database_url
from tests.factories import moment
from tests.journey import Journey, Person
from tests.processes import manage

pytestmark = [pytest.mark.browser, pytest.mark.postgres, pytest.mark.slow]

PAID = 30_000
JOINED = 2 * (1000 + 26 * 350)  # 20200: April's two first blocks
CREDIT = 23 * 350  # 8050: of 26 weeks from 6 April those from 27 April on
RENEWED = 26 * 450  # 11700: of them 8050 from credit
THIRD = 1000 + 26 * 450  # 12700
BUDGET = 50_000


class Year:
    """The scheme, and a finance officer, a manager and a pantry manager at screens of their own."""

    def __init__(self, started, new_page, tmp_path):
        self.world, self.started = factories.World(), started
        world = self.world
        Budget.objects.create(agreement=world.agreement, year_starts_on=date(2026, 4, 1), limit_pence=BUDGET)
        self.a, self.b = world.join(), world.join()
        self.journey = Journey(self.site("2026-04-02T10:15"), new_page, tmp_path)
        for who in ("finance", "manager", "pantry_manager"):
            self.journey.people[who] = Person(self.journey, new_page())
        self.comes("2026-04-02T10:15", move=False)

    def site(self, clock: str):
        return self.started.site(test_database_url(), workers=1, CLOCK=clock)

    def comes(self, clock: str, *, move: bool = True) -> None:
        """That moment comes: what jobs do every day is done, and everybody signs in."""
        if move:
            self.journey.site.process.stop()
            self.journey.site = self.site(clock)
            day = date.fromisoformat(clock[:10])
            statements.make(on=day, at=moment(day, "09:00"))
            renewals.sweep(on=day, at=moment(day, "09:00"), job="renewals")
        for who, person in self.journey.people.items():
            person.page.context.clear_cookies()
            browser.sign_in(person.page, self.journey.site.url, getattr(self.world, who).email)

    def month(self, month: date) -> Statement:
        return Statement.objects.get(month=month)


def row(within: Page | Locator, name: str | re.Pattern) -> list[str]:
    """The amounts of the first table row with that heading, without the small print under them."""
    page = within.page if isinstance(within, Locator) else within
    heading = page.get_by_role("rowheader", name=name)
    cells = within.get_by_role("row").filter(has=heading).first.get_by_role("cell")
    return [found[0] for text in cells.all_inner_texts() if (found := re.findall(r"-?£[\d,.]+", text))]


def as_pounds(*pence: int) -> list[str]:
    return [pounds(each) for each in pence]


def told(person: Person, *pairs: tuple[str, int]) -> None:
    """Each label of a summary list stands beside its amount."""
    for label, pence in pairs:
        term = person.page.locator(".govuk-summary-list__row", has_text=label).first
        assert pounds(pence) in term.inner_text(), (label, term.inner_text())


def stats(person: Person, **wanted: int) -> None:
    """The figures at the head of an agreement."""
    said = dict(re.findall(r"(-?£[\d,.]+)\s+([a-z ]+)", person.page.locator(".hubs-stats").inner_text()))
    found = {words.strip(): amount for amount, words in said.items()}
    assert found == {name.replace("_", " "): pounds(pence) for name, pence in wanted.items()}


@pytest.mark.promise("FW")
@pytest.mark.django_db(transaction=True)
def test_a_finance_officers_year(started, new_page, tmp_path, figures):
    year = Year(started, new_page, tmp_path)
    finance, manager, pantry = year.journey.people.values()
    a_payment_in_advance(year, finance)
    for day in (8, 15, 22):
        year.world.collect(year.a, date(2026, 4, day))
    year.world.collect(year.b, date(2026, 4, 8))
    year.comes("2026-05-04T09:30")
    a_rise_for_next_month(year, finance, pantry)
    april_is_agreed_with_one_queried_line(year, finance, pantry)
    year.comes("2026-05-14T09:30")
    somebody_had_left_in_april(year, pantry)
    year.comes("2026-06-01T09:30")
    the_correction_stands_in_may(year, finance, pantry)
    year.comes("2026-09-08T09:30")
    the_credit_pays_for_the_others_block(year, finance, manager)
    third = year.world.join(date(2026, 12, 31))
    for on in ("2027-01-06", "2027-03-31"):
        year.world.collect(third, date.fromisoformat(on))
    year.comes("2027-04-10T09:30")
    the_year_ends(year, finance)
    told_ok = manage(test_database_url(), "check_journal", CLOCK="2027-04-10T10:00").splitlines()[-1]
    assert told_ok.startswith("journal ok:")
    figures(f"{finance.counted('loads')} pages of a finance officer, every amount to the penny; {told_ok}")


def a_payment_in_advance(year: Year, finance: Person) -> None:
    name = year.world.agreement.name
    # Given two members who joined and nothing paid: 20200 are due
    finance.go("/")
    assert row(finance.page, name) == as_pounds(JOINED, -JOINED, 0, BUDGET - JOINED)
    assert "Payment due" in finance.text and "Paid in advance: used up" in finance.text
    finance.follow(re.compile("^Record a payment"))
    finance.type(pence="300.0", purchase_order="PO-7", invoice="INV-1", cost_code="CC-10")
    finance.press("Continue", refused="Amount")
    # when she pays 30000, then she sees it before it counts, and what is left: 30000 - 20200
    finance.type(pence="300.00").press("Continue")
    told(finance, ("Amount", PAID))
    finance.press("Record the payment")
    stats(finance, paid_in_advance=PAID, drawn_for_blocks=JOINED, left=9800, credit_for_the_next_blocks=0)
    assert row(finance.page.get_by_role("table", name="Budget by financial year"), "1 April 2026") == as_pounds(
        BUDGET, JOINED, 29_800
    )
    assert row(finance.menu("Home").page, name) == as_pounds(0, 9800, 0, 29_800)


def a_rise_for_next_month(year: Year, finance: Person, pantry: Person) -> None:
    pantry.go(f"/pantry/pantries/{year.world.pantry.pk}/tariffs/propose/")
    pantry.type(weekly_pence="4.50").day("from_week", date(2026, 6, 1)).press("Propose this price")
    finance.menu("Home").follow(year.world.pantry.name)
    assert row(finance.page, "Charge a week") == as_pounds(350, 450)
    assert row(finance.page, "Block of 26 weeks") == as_pounds(9100, RENEWED)
    assert "They keep their price: agreeing this one costs nothing now." in finance.text
    finance.choose(answer="Yes").press("Save answer")
    assert "from 1 June 2026 is agreed" in finance.text


def april_is_agreed_with_one_queried_line(year: Year, finance: Person, pantry: Person) -> None:
    b = year.b.number
    # Given April: 2 × 26 × 350 bought, of each 4 weeks used, 2 × 22 weeks to come, 2 joining fees
    pantry.menu("Statements").follow(re.compile("^April 2026"))
    assert row(pantry.page, "April 2026") == as_pounds(0, 18_200, 0, 0, 2800, 15_400, 2000)
    assert row(pantry.page, re.compile(rf"^{b}\b")) == as_pounds(0, 9100, 0, 0, 1400, 7700, 1000)
    # when the pantries query a line, then neither side can agree until finance has answered
    pantry.follow(re.compile(f"member {b}$"))
    pantry.press("Query this line", refused="What is queried?")
    pantry.type(words="Left on 20 April, so the week of 27 April is not used.").press("Query this line")
    finance.menu("Home").follow("1 monthly statement has lines queried").follow(re.compile("^April 2026"))
    assert "Left on 20 April" in finance.text
    for who in (pantry, finance):
        assert "Queries to answer" in who.text and "Agree this statement" not in who.text
    finance.follow(f"Member {b}")
    finance.type(words="Enter the leaving day; it counts in May.").press("Answer the query")
    for who, button in ((pantry, "Agree it"), (finance, "Agree and close the month")):
        who.go(f"/pantry/statements/{year.month(date(2026, 4, 1)).pk}/").follow("Agree this statement")
        told(who, ("Weeks and joining fees bought", JOINED), ("Credited", 0), ("Used", 2800), ("To come", 15_400))
        who.press(button)
    assert "April 2026 is agreed by both sides and closed." in finance.text
    # and the payment of April is the one of 2 April
    finance.follow("Record the payment")
    assert f"{pounds(JOINED)} was drawn" in finance.text
    finance.choose(payment=pounds(PAID)).press(re.compile("."))
    assert "Paid on 2 April 2026, invoice INV-1, order PO-7" in finance.text


def somebody_had_left_in_april(year: Year, pantry: Person) -> None:
    pantry.go(f"/pantry/members/{year.b.pk}/end/").day("on", date(2026, 4, 20)).choose(reason="Left")
    pantry.press("Continue")
    assert f"23 weeks paid in advance have not been used: {pounds(CREDIT)} go back as credit." in pantry.text
    pantry.press("End this membership")


def the_correction_stands_in_may(year: Year, finance: Person, pantry: Person) -> None:
    late = as_pounds(0, 0, 0, -CREDIT, -350, -7700, 0)  # 22 weeks to come, and one that had been used
    finance.menu("Statements").follow(re.compile("^April 2026"))
    assert row(finance.page, "April 2026") == as_pounds(0, 18_200, 0, 0, 2800, 15_400, 2000)  # as it was agreed
    since = finance.page.get_by_role("table", name="Entered since it was closed")
    assert row(since, re.compile(rf"^{year.b.number}\b")) == late
    finance.menu("Statements").follow(re.compile("^May 2026"))
    assert row(finance.page, "May 2026") == as_pounds(15_400, 0, 0, 0, 1400, 14_000, 0)
    assert row(finance.page, "Entered late for earlier months") == late
    assert row(finance.page, "Together") == as_pounds(15_400, 0, 0, -CREDIT, 1050, 6300, 0)  # A: 18 × 350 to come
    told(finance, ("Paid from credit", 0), ("Drawn from", 0), ("Given back here", CREDIT), ("At the end", CREDIT))
    for who, button in ((pantry, "Agree it"), (finance, "Agree and close the month")):
        who.go(f"/pantry/statements/{year.month(date(2026, 5, 1)).pk}/").follow("Agree this statement").press(button)
    assert "May 2026 is agreed by both sides and closed." in finance.text
    finance.menu("Home").follow(year.world.agreement.name, within="main table")
    stats(finance, paid_in_advance=PAID, drawn_for_blocks=JOINED, left=9800, credit_for_the_next_blocks=CREDIT)


def the_credit_pays_for_the_others_block(year: Year, finance: Person, manager: Person) -> None:
    a = year.a.number
    # Given the next block of A, due on 7 September and held: nobody came for six weeks
    assert "1" in finance.menu("Renewals").page.locator(".hubs-stats").inner_text()
    finance.follow(re.compile(f"{a}$"), within="main table")
    assert "A leaving care manager decides." in finance.text
    # when a manager renews it, then 11700 is shown before it is bought: 8050 from B's credit, 3650 drawn
    manager.menu("Renewals").follow(re.compile(f"{a}$"), within="main table")
    manager.choose(outcome="Renew").type(note="They come again").press("Continue")
    told(manager, ("Price", RENEWED), ("Paid from credit", CREDIT), ("Drawn from", RENEWED - CREDIT))
    manager.press("Buy the block")
    assert f"block 2 is bought for {pounds(RENEWED)} and starts on 5 October 2026" in manager.text
    finance.menu("Home").follow(year.world.agreement.name, within="main table")
    drawn = JOINED + RENEWED - CREDIT
    stats(finance, paid_in_advance=PAID, drawn_for_blocks=drawn, left=6150, credit_for_the_next_blocks=0)
    finance.follow("Journal", within="main")
    assert f"Member {a}" in finance.text and pounds(CREDIT) in finance.text


def the_year_ends(year: Year, finance: Person) -> None:
    # Given the third's 13 weeks after 31 March, and 30000 paid for 20200 + 3650 + 12700
    drawn = JOINED + RENEWED - CREDIT + THIRD
    unpaid = drawn - PAID
    assert (drawn, unpaid) == (36_550, 6550)
    finance.menu("Home").follow(year.world.agreement.name, within="main table").follow("Year-end")
    assert f"{year.world.agreement.name} at 31 March 2027" in finance.text
    page = finance.page
    assert row(page.get_by_role("table", name=re.compile("^Weeks that start after")), "Together") == as_pounds(13 * 450)
    assert f"{pounds(unpaid)} is bought and not yet paid" in finance.text
    assert "Every week that was collected is paid for." in finance.text
    told(finance, ("Budget", BUDGET), ("Committed", drawn), ("Left", BUDGET - drawn))
    months = page.get_by_role("table", name="Purchases by month")
    assert row(months, "April 2026") == as_pounds(18_200, 2000, 0, JOINED)
    assert row(months, "September 2026") == as_pounds(RENEWED, 0, CREDIT, 3650)
    assert row(months, "December 2026") == as_pounds(11_700, 1000, 0, THIRD)
    assert row(months, "The year") == as_pounds(41_600, 3000, CREDIT, drawn)
    # then the lines for the ledger: debits and credits are the same on each day
    address = page.get_by_role("link", name="These lines as CSV").get_attribute("href")
    file = page.request.get(year.journey.site.url + (address or "")).text()
    lines = [each for each in csv.reader(io.StringIO(file.lstrip("\ufeff")))][1:]
    posted = [(on, code, account, debit, credit) for on, code, account, _, debit, credit in lines]
    assert posted == [
        ("2027-03-31", "", "Prepayments", "58.50", "0.00"),
        ("2027-03-31", "CC-10", "Places at pantries", "0.00", "58.50"),
        ("2027-03-31", "CC-10", "Places at pantries", "65.50", "0.00"),
        ("2027-03-31", "", "Accruals", "0.00", "65.50"),
        ("2027-04-01", "", "Prepayments", "0.00", "58.50"),
        ("2027-04-01", "CC-10", "Places at pantries", "58.50", "0.00"),
        ("2027-04-01", "CC-10", "Places at pantries", "0.00", "65.50"),
        ("2027-04-01", "", "Accruals", "65.50", "0.00"),
    ]
