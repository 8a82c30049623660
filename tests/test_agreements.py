"""Agreements and their money: conditions, budgets, payments, figures as at a day, pages by membership number."""

import uuid
from dataclasses import asdict
from datetime import date, time, timedelta

import pytest
import time_machine
from django.urls import reverse

from pantry import money
from pantry.models import (
    Account,
    Budget,
    Closure,
    Collection,
    CreditPool,
    EntryKind,
    FundingAgreement,
    JournalEntry,
    JournalLine,
    PantrySession,
)
from pantry.services import funding, journal
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from tests import factories
from tests.factories import World, moment
from tests.test_places import as_user, posted_day, refusal, text

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: one database is enough
TODAY = date(2026, 4, 2)
NOW = moment(TODAY)
FIRST = date(2026, 4, 6)
WEEK = timedelta(days=7)
READERS = {Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER}


@pytest.fixture
def world():
    with time_machine.travel(NOW, tick=False):
        yield World()


def create(world, **more) -> FundingAgreement:
    conditions = {"name": "Places 2026", "starts_on": TODAY} | more
    return funding.create_agreement(
        funder=world.council, operator=world.operator, by=world.manager, at=NOW, **conditions
    )


def pay(world, pence=757_500, invoice="INV-1", on=TODAY):
    return journal.pay_in_advance(
        agreement=world.agreement, pence=pence, on=on, invoice=invoice, by=world.finance, at=moment(on)
    )


def collect(world, member, week) -> Collection:
    """A counted collection on the Wednesday of a week."""
    on = week + timedelta(days=2)
    session, _ = PantrySession.objects.get_or_create(
        pantry=world.pantry, on=on, opens=time(10), defaults={"closes": time(12)}
    )
    return Collection.objects.create(
        key=uuid.uuid4(),
        membership=member,
        session=session,
        pantry=world.pantry,
        week=week,
        on=on,
        collected_at=moment(on, "10:30"),
        recorded_at=moment(on, "10:30"),
        recorded_by=world.volunteer,
    )


def split(found) -> dict[str, int]:
    """The terms of weekly money that are not nothing."""
    terms = ("collected", "missed", "closed", "to_come", "credited")
    assert found.bought_pence == sum(getattr(found, f"{term}_pence") for term in terms)
    assert found.bought_weeks == sum(getattr(found, f"{term}_weeks") for term in terms)
    return {term: getattr(found, f"{term}_pence") for term in terms if getattr(found, f"{term}_pence")}


# -- conditions and budgets --------------------------------------------------------------------------------------------


def test_an_agreement_comes_with_its_pool_and_budgets(world):
    made = create(world, budget_pence=1_000_000)
    assert CreditPool.objects.get(agreement=made).balance_pence == 0
    assert list(made.budgets.values_list("year_starts_on", "limit_pence", "committed_pence")) == [
        (date(2026, 4, 1), 1_000_000, 0),
        (date(2027, 4, 1), 1_000_000, 0),
    ]
    event = AuditEvent.objects.get(verb="pantry.agreement.added")
    assert (event.by, event.target_id) == (world.manager, made.pk)


def test_an_agreement_that_ends_within_its_year_has_one_budget(world):
    assert create(world, ends_on=date(2026, 12, 31)).budgets.count() == 1


def test_a_budget_of_a_later_year_carries_the_limit_on(world):
    made = create(world, budget_pence=500_000)
    world.agreement = made
    world.join(date(2029, 5, 3))
    assert list(
        Budget.objects.filter(agreement=made, committed_pence__gt=0).values_list("year_starts_on", "limit_pence")
    ) == [(date(2029, 4, 1), 500_000)]


def test_agreements_are_refused_in_words(world):
    create(world)
    assert refusal(create, world=world) == (
        "There is already an agreement called Places 2026. Give this one another name."
    )
    assert refusal(create, world=world, name="Other", ends_on=date(2026, 4, 1)) == (
        "An agreement ends on the day it starts or later. Check the two dates."
    )
    assert refusal(create, world=world, name="Other", block_weeks=27) == "A block has 1 to 26 weeks."
    swapped = {"funder": world.operator, "operator": world.council, "by": world.manager, "at": NOW}
    assert refusal(funding.create_agreement, name="Other", starts_on=TODAY, **swapped) == (
        "An agreement is between a council and an operator of pantries."
    )


def test_a_budget_never_falls_below_what_is_committed_nor_an_agreement_behind_its_first_block(world):
    world.agreement = create(world, budget_pence=100_000)
    world.join()
    edit = {"agreement": world.agreement, "by": world.manager, "at": NOW}
    assert refusal(funding.edit_agreement, budget_pence=10_000, **edit) == (
        "£101.00 is committed already in the year from 1 April 2026. The budget cannot be less than that."
    )
    assert refusal(funding.edit_agreement, starts_on=date(2026, 4, 3), **edit) == (
        "The first block under this agreement was bought on 2 April 2026, "
        "so the agreement cannot start later than that."
    )
    funding.edit_agreement(budget_pence=10_100, name="Places", **edit)
    assert world.agreement.budgets.first().left_pence == 0
    assert AuditEvent.objects.get(verb="pantry.agreement.changed").detail == {"fields": ["name"]}
    assert "has £0.00 left" in refusal(world.join)


# -- figures -----------------------------------------------------------------------------------------------------------


def test_9_of_12_collections_of_a_91_pound_block(world):
    member = world.join()
    for n in (0, 1, 2, 4, 5, 6, 8, 9, 10):
        collect(world, member, FIRST + n * WEEK)
    found = money.position(world.agreement, FIRST + 12 * WEEK)
    assert split(found) == {"collected": 3150, "missed": 1050, "to_come": 4900}
    assert (found.bought_pence, found.bought_weeks, found.joining_pence) == (9100, 26, 1000)
    assert (found.collected_weeks, found.missed_weeks, found.to_come_weeks) == (9, 3, 14)
    assert (found.used_pence, found.recoverable_pence) == (4200, 13 * 350)  # the 13th week's Monday has come
    assert (found.blocks, found.members) == (1, 1)


def test_a_week_is_to_come_until_its_sunday_has_passed(world):
    world.join()
    sunday = FIRST + timedelta(days=6)
    assert split(money.position(world.agreement, sunday)) == {"to_come": 9100}
    assert split(money.position(world.agreement, sunday + timedelta(days=1))) == {"missed": 350, "to_come": 8750}


def test_every_figure_takes_the_day_it_stands_at(world):
    pay(world)
    member = world.join()
    for n in range(9):
        collect(world, member, FIRST + n * WEEK)
    world.leave(member, date(2026, 6, 10))
    before_buying = money.position(world.agreement, date(2026, 4, 1))
    assert (before_buying.bought_pence, before_buying.left_pence, before_buying.blocks) == (0, 0, 0)
    bought = money.position(world.agreement, TODAY)
    assert split(bought) == {"to_come": 9100}
    assert (bought.paid_in_advance_pence, bought.drawn_pence, bought.left_pence) == (757_500, 10_100, 747_400)
    while_running = money.position(world.agreement, date(2026, 6, 9))
    assert split(while_running) == {"collected": 9 * 350, "to_come": 17 * 350}
    assert (while_running.in_pool_pence, while_running.recoverable_pence) == (0, 5600)
    after = money.position(world.agreement, date(2026, 6, 15))
    assert split(after) == {"collected": 9 * 350, "missed": 350, "credited": 5600}
    assert (after.in_pool_pence, after.recoverable_pence) == (5600, 0)


def test_a_voided_collection_does_not_count(world):
    member = world.join()
    taken = collect(world, member, FIRST)
    later = FIRST + WEEK
    assert split(money.position(world.agreement, later))["collected"] == 350
    taken.voided_at, taken.voided_by, taken.void_reason = moment(later), world.volunteer, "Wrong member"
    taken.save()
    assert split(money.position(world.agreement, later)) == {"missed": 350, "to_come": 8750}


def test_a_week_closed_after_it_had_begun_is_neither_missed_nor_collected(world):
    world.join()
    Closure.objects.create(
        pantry=world.pantry,
        from_on=FIRST + timedelta(days=2),
        until_on=FIRST + timedelta(days=2),
        reason="Flood",
        announced_at=moment(FIRST),
        announced_by=world.pantry_manager,
    )
    found = money.position(world.agreement, FIRST + WEEK)
    assert split(found) == {"closed": 350, "to_come": 8750}
    Closure.objects.update(withdrawn_at=NOW)
    assert split(money.position(world.agreement, FIRST + WEEK)) == {"missed": 350, "to_come": 8750}


def test_parked_weeks_are_to_come_and_reversed_weeks_are_nothing(world):
    member = world.join()
    member.paid_weeks.filter(position=26).update(state="parked", week=None)
    member.paid_weeks.filter(position=25).update(state="reversed")
    found = money.position(world.agreement, FIRST)
    assert split(found) == {"to_come": 25 * 350}
    assert found.recoverable_pence == 24 * 350


def test_agreements_and_pantries_do_not_mix_and_add_up(world):
    second = factories.pantry(world.operator, name="Zest", weekly=450)
    stranger = World()
    stranger.join()
    collect(world, world.join(), FIRST)
    world.leave(world.join(pantry=second), date(2026, 4, 4))
    world.join(pantry=second)
    as_at = FIRST + 2 * WEEK
    rows, whole = money.by_pantry(world.agreement, as_at), money.position(world.agreement, as_at)
    assert [(row.pantry, split(row), row.joining_pence) for row in rows] == [
        (world.pantry, {"collected": 350, "missed": 350, "to_come": 24 * 350}, 1000),
        (second, {"missed": 2 * 450, "to_come": 24 * 450, "credited": 26 * 450}, 2000),
    ]
    for name, value in asdict(whole).items():
        if name in money.WEEKLY_FIELDS or name == "joining_pence":
            assert value == sum(getattr(row, name) for row in rows), name
    blocks = money.of_blocks(list(member_blocks(world)), as_at)
    assert sum(each.bought_pence for each in blocks.values()) == whole.bought_pence
    assert sum(each.missed_pence for each in blocks.values()) == whole.missed_pence


def member_blocks(world):
    from pantry.models import PrepaidBlock

    return PrepaidBlock.objects.filter(agreement=world.agreement)


def test_a_reversed_payment_is_no_payment(world):
    entry = pay(world)
    [reversal] = journal.post(
        [
            journal.Posting(
                EntryKind.REVERSAL,
                world.agreement.pk,
                TODAY,
                [
                    journal.Leg(Account.COUNCIL, 757_500, "entry", entry.pk, "council"),
                    journal.Leg(Account.ADVANCE, -757_500, "entry", entry.pk, "advance"),
                ],
                reverses=entry.pk,
            )
        ],
        at=NOW,
        by=world.finance,
    )
    found = money.position(world.agreement, TODAY)
    assert (found.paid_in_advance_pence, found.drawn_pence, found.left_pence) == (0, 0, 0)


def test_the_position_takes_the_same_queries_for_one_member_and_for_three(world, django_assert_num_queries):
    world.join()
    as_at = FIRST + 3 * WEEK
    with django_assert_num_queries(5):
        money.position(world.agreement, as_at)
    world.join(), world.join()
    with django_assert_num_queries(5):
        money.position(world.agreement, as_at)
    assert money.position(world.agreement, as_at).missed_weeks == 9


# -- pages -------------------------------------------------------------------------------------------------------------


def urls(world) -> dict[str, str]:
    one = [world.agreement.pk]
    return {
        name: reverse(f"pantry:{name}", args=one)
        for name in ("agreement", "agreement_blocks", "agreement_journal", "agreement_edit", "payment_add")
    } | {name: reverse(f"pantry:{name}") for name in ("agreements", "agreement_add")}


@pytest.mark.parametrize("role", Role)
def test_who_reads_who_manages_and_who_pays(world, client, role):
    of = world.operator if role in (Role.PANTRY_MANAGER, Role.PANTRY_VOLUNTEER) else world.council
    as_user(client, factories.user(role, of))
    allowed = {
        "agreement_add": role == Role.LEAVING_CARE_MANAGER,
        "agreement_edit": role == Role.LEAVING_CARE_MANAGER,
        "payment_add": role == Role.FINANCE_OFFICER,
    }
    for name, url in urls(world).items():
        assert (name, client.get(url).status_code) == (name, 200 if allowed.get(name, role in READERS) else 403)


def test_another_councils_agreement_is_not_there(world, client):
    other = World()
    for user, pages in (
        (world.manager, ("agreement", "agreement_blocks", "agreement_journal", "agreement_edit")),
        (world.finance, ("agreement", "agreement_blocks", "agreement_journal", "payment_add")),
    ):
        as_user(client, user)
        for name in pages:
            assert (name, client.get(urls(other)[name]).status_code) == (name, 404)
        assert other.agreement.name not in text(client.get(urls(world)["agreements"]))


def test_the_page_says_where_the_money_is(world, client):
    pay(world)
    member = world.join(preferred_name="Ash")
    collect(world, member, FIRST)
    with time_machine.travel(moment(date(2026, 4, 20)), tick=False):
        page = as_user(client, world.finance).get(urls(world)["agreement"])
    shown = text(page)
    assert "£7,575.00 paid in advance £101.00 drawn for blocks £7,474.00 left" in shown
    assert (
        f"{world.pantry} £10.00 £91.00 26 weeks £3.50 1 week £3.50 1 week £84.00 24 weeks £0.00 0 weeks £80.50 23 weeks"
        in shown
    )
    assert page.context["position"] == money.position(world.agreement, date(2026, 4, 20))
    assert "Ash" not in shown


def test_the_figures_of_another_day_are_shown_when_asked_for(world, client):
    pay(world)
    world.join()
    as_user(client, world.finance)
    page = client.get(urls(world)["agreement"], posted_day("as_at", date(2026, 4, 1)))
    assert page.context["position"] == money.position(world.agreement, date(2026, 4, 1))
    assert "Figures as at the end of 1 April 2026." in text(page)
    faulty = client.get(urls(world)["agreement"], posted_day("as_at", TODAY) | {"as_at_month": "13"})
    assert faulty.context["form"].errors == {"as_at": ["As at the end of must be a real date"]}


def test_an_agreement_is_added_and_changed_in_the_browser(world, client):
    as_user(client, world.manager)
    form = {
        "operator": str(world.operator.pk),
        "name": "Places 2026",
        **posted_day("starts_on", TODAY),
        "block_weeks": "26",
        "renews_automatically": "yes",
        "tops_up_price_rises": "no",
        "hold_after_weeks_without_collection": "6",
        "budget_pence": "10,000.00",
    }
    page = client.post(urls(world)["agreement_add"], form | {"block_weeks": "27", "operator": str(world.council.pk)})
    assert page.context["form"].errors == {
        "operator": ["Choose one of the options shown"],
        "block_weeks": ["Weeks in a block must be 26 or less"],
    }
    client.post(urls(world)["agreement_add"], form)
    made = FundingAgreement.objects.get(name="Places 2026")
    assert (made.funder, made.operator, made.renews_automatically) == (world.council, world.operator, True)
    assert made.budgets.first().limit_pence == 1_000_000
    edit = reverse("pantry:agreement_edit", args=[made.pk])
    assert 'value="10,000.00"' in client.get(edit).content.decode()
    assert "weeks that are bought keep their price" in text(client.get(reverse("pantry:agreement", args=[made.pk])))
    client.post(edit, form | {"renews_automatically": "no", "tops_up_price_rises": "yes", "budget_pence": ""})
    made.refresh_from_db()
    assert (made.renews_automatically, made.budgets.first().limit_pence) == (False, None)
    assert made.tops_up_price_rises
    assert "weeks not yet used are topped up" in text(client.get(reverse("pantry:agreement", args=[made.pk])))
    page = client.post(edit, form | {"name": world.agreement.name})
    assert "There is already an agreement called" in text(page)


def test_a_payment_is_checked_before_it_is_recorded_and_an_invoice_counts_once(world, client):
    as_user(client, world.finance)
    url = urls(world)["payment_add"]
    form = {**posted_day("on", TODAY), "pence": "7,575.00", "purchase_order": "PO-7", "invoice": "INV-1"}
    faulty = client.post(url, form | posted_day("on", date(2026, 4, 3)) | {"invoice": "", "pence": "0"})
    assert faulty.context["form"].errors == {
        "on": ["Paid on must be today or earlier: a payment is recorded once it has been made"],
        "pence": ["Amount must be £0.01 or more"],
        "invoice": ["Enter invoice number"],
    }
    page = client.post(url, form)
    assert "Amount £7,575.00 Paid on 2 April 2026 Purchase order PO-7 Invoice number INV-1" in text(page)
    assert not JournalEntry.objects.exists()
    carried = dict(page.context["answers"])
    done = client.post(url, carried | {"step": "confirm"}, follow=True)
    assert "£7,575.00 paid in advance is recorded." in text(done)
    again = client.post(url, carried | {"step": "confirm"})
    assert again.context["form"].errors == {
        "invoice": ["Invoice INV-1 is recorded already: £7,575.00 on 2 April 2026."]
    }
    assert JournalLine.objects.get(account=Account.ADVANCE).pence == 757_500
    journal_page = text(client.get(urls(world)["agreement_journal"]))
    assert "Payment in advance Invoice INV-1 Order PO-7" in journal_page
    assert "Council -£7,575.00 Paid in advance £7,575.00" in journal_page


def test_blocks_and_journal_name_numbers_only_and_write_down_who_saw_them(world, client):
    member = world.join(preferred_name="Ash", needs=[("allergen", "milk")])
    other = World()
    other.join()
    as_user(client, world.finance)
    blocks, entries = client.get(urls(world)["agreement_blocks"]), client.get(urls(world)["agreement_journal"])
    assert f"{member.number} Block 1 2 Apr 2026 6 Apr 2026 £101.00 £10.00 + 26 × £3.50 £0.00" in text(blocks)
    assert f"Member {member.number}, block 1" in text(entries)
    for page in (blocks, entries):
        assert "Ash" not in page.content.decode() and "ilk" not in page.content.decode()
    seen = AuditEvent.objects.filter(verb__in=["pantry.blocks.viewed", "pantry.journal.viewed"])
    assert [[s.subject_id for s in event.subjects.all()] for event in seen] == [[member.pk], [member.pk]]
    found = client.get(urls(world)["agreement_blocks"], {"q": str(member.number + 1)})
    assert "No block of this agreement belongs to that membership number." in text(found)


def test_empty_agreements_say_what_comes_next(world, client):
    as_user(client, factories.user(Role.LEAVING_CARE_MANAGER))
    assert "No agreement yet. An agreement says" in text(client.get(urls(world)["agreements"]))
    as_user(client, factories.user(Role.FINANCE_OFFICER))
    assert "A leaving care manager adds it" in text(client.get(urls(world)["agreements"]))
    as_user(client, world.finance)
    assert "Nothing is bought yet." in text(client.get(urls(world)["agreement"]))
    assert "None recorded yet." in text(client.get(urls(world)["agreement"]))
    assert "Nothing is bought yet." in text(client.get(urls(world)["agreement_blocks"]))
    assert "No entry of this kind." in text(client.get(urls(world)["agreement_journal"]))


QUERIES = {"agreements": 5, "agreement": 12, "agreement_blocks": 12, "agreement_journal": 13}


@pytest.mark.parametrize("name", QUERIES)
def test_the_number_of_queries_does_not_grow(world, client, django_assert_num_queries, name):
    def fill():
        world.join()
        pay(world, invoice=f"INV-{uuid.uuid4()}")
        if name == "agreements":
            create(world, name=f"Places {uuid.uuid4()}")

    with time_machine.travel(moment(date(2026, 5, 20)), tick=False):
        as_user(client, world.finance)
        fill()
        with django_assert_num_queries(QUERIES[name]):
            assert client.get(urls(world)[name]).status_code == 200
        fill(), fill()
        with django_assert_num_queries(QUERIES[name]):
            assert client.get(urls(world)[name]).status_code == 200
