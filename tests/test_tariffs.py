"""Prices: two people, Mondays, nothing changed in the past; who reads them and who is told what."""

from datetime import date, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse

from pantry.models import Budget, Tariff, TopUp
from pantry.services import blocks, tariffs
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from tests import factories
from tests.factories import World, moment
from tests.test_places import as_user, posted_day, refusal, text

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: one database is enough
TODAY = date(2026, 4, 2)
NOW = moment(TODAY)
MONDAY = date(2026, 4, 6)
READERS = {Role.PANTRY_MANAGER, Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER}


@pytest.fixture
def world():
    with time_machine.travel(NOW, tick=False):
        yield World()


def propose(world, from_week=MONDAY, weekly=450, pantry=None, at=NOW) -> Tariff:
    return tariffs.propose_tariff(
        pantry=pantry or world.pantry,
        from_week=from_week,
        weekly_pence=weekly,
        joining_pence=1000,
        by=world.pantry_manager,
        at=at,
    )


def agree(world, tariff, by=None, at=NOW) -> Tariff:
    return tariffs.agree_tariff(tariff=tariff, by=by or world.finance, at=at)


# -- services ----------------------------------------------------------------------------------------------------------


def test_a_price_counts_once_finance_has_agreed_it(world):
    tariff = propose(world)
    assert list(Tariff.objects.awaiting_agreement()) == [tariff]
    assert blocks.tariff_in_force(world.pantry, MONDAY).weekly_pence == 350
    agree(world, tariff)
    assert not Tariff.objects.awaiting_agreement().exists()
    assert blocks.tariff_in_force(world.pantry, MONDAY).weekly_pence == 450
    assert blocks.tariff_in_force(world.pantry, MONDAY - timedelta(days=7)).weekly_pence == 350
    verbs = AuditEvent.objects.filter(target_id=tariff.pk).order_by("id").values_list("verb", "by")
    assert list(verbs) == [
        ("pantry.tariff.proposed", world.pantry_manager.pk),
        ("pantry.tariff.agreed", world.finance.pk),
    ]


def test_prices_start_on_mondays_that_have_not_passed(world):
    assert refusal(propose, world=world, from_week=date(2026, 4, 8)) == (
        "A price starts on a Monday. The Monday of that week is 6 April 2026."
    )
    assert refusal(propose, world=world, from_week=date(2026, 3, 23)) == (
        "A price cannot change weeks that have passed. "
        "Choose 30 March 2026, the Monday of this week, or a later Monday."
    )
    assert propose(world, from_week=date(2026, 3, 30)).from_week == date(2026, 3, 30)  # this week


def test_the_first_price_of_a_pantry_may_start_on_any_monday(world):
    new = factories.pantry(world.operator, weekly=None)
    first = propose(world, pantry=new, from_week=date(2025, 9, 1))
    agree(world, first)
    assert blocks.tariff_in_force(new, date(2025, 9, 1)) == first
    assert "cannot change weeks that have passed" in refusal(
        propose, world=world, pantry=new, from_week=date(2025, 9, 8)
    )


def test_one_proposal_and_one_agreed_price_a_monday(world):
    tariff = propose(world)
    assert refusal(propose, world=world) == (
        "A price from 6 April 2026 is waiting for the finance officer already. "
        "Take that proposal back first, or choose a later Monday."
    )
    agree(world, tariff)
    assert refusal(propose, world=world) == "A price from 6 April 2026 is agreed already. Choose a later Monday."


def test_nobody_agrees_their_own_price_not_even_past_the_service(world):
    tariff = propose(world)
    assert refusal(agree, world=world, tariff=tariff, by=world.pantry_manager) == (
        "You proposed this price yourself. Someone else has to agree it."
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        Tariff.objects.filter(pk=tariff.pk).update(agreed_by=world.pantry_manager, agreed_at=NOW)


def test_whoever_answers_second_is_told_who_was_first(world):
    tariff = propose(world)
    agree(world, tariff)
    other = factories.user(Role.FINANCE_OFFICER, world.council)
    said = f"{world.finance} agreed this price on 2 April 2026 at 09:00. It stands."
    assert refusal(agree, world=world, tariff=tariff, by=other) == said
    assert refusal(tariffs.send_back_tariff, tariff=tariff, reason="No", by=other, at=NOW) == said
    assert refusal(tariffs.take_back_tariff, tariff=tariff, by=world.pantry_manager, at=NOW) == said


def test_a_price_is_sent_back_with_the_reason_and_proposed_again(world):
    tariff = propose(world)
    tariffs.send_back_tariff(tariff=tariff, reason="The budget holds £4.00.", by=world.finance, at=NOW)
    assert refusal(agree, world=world, tariff=tariff) == (
        f"{world.finance} sent this price back on 2 April 2026 at 09:00."
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        Tariff.objects.filter(pk=tariff.pk).update(sent_back_reason="")
    again = propose(world, weekly=400)
    tariffs.take_back_tariff(tariff=again, by=world.pantry_manager, at=NOW)
    assert refusal(agree, world=world, tariff=again) == "This proposal was taken back on 2 April 2026 at 09:00."


def test_a_price_whose_monday_has_passed_meanwhile_is_not_agreed(world):
    tariff = propose(world)
    said = refusal(agree, world=world, tariff=tariff, at=moment(date(2026, 4, 14)))
    assert said.startswith("A price cannot change weeks that have passed. Choose 13 April 2026")


def test_a_bought_block_keeps_its_price(world):
    member = world.join()
    agree(world, propose(world, from_week=date(2026, 6, 1)))
    assert {week.pence for week in member.paid_weeks.all()} == {350}


# -- pages -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_who_reads_proposes_and_agrees(world, client, role):
    tariff = propose(world)
    of = {Role.PANTRY_MANAGER: world.operator, Role.FINANCE_OFFICER: world.council}.get(role)
    client.force_login(factories.user(role, of))

    def status(name, *args):
        return client.get(reverse(f"pantry:{name}", args=args)).status_code

    assert status("tariffs") == (200 if role in READERS else 403)
    assert status("tariff_propose", world.pantry.pk) == (200 if role == Role.PANTRY_MANAGER else 403)
    assert status("tariff_take_back", tariff.pk) == (200 if role == Role.PANTRY_MANAGER else 403)
    assert status("tariff_agree", tariff.pk) == (200 if role == Role.FINANCE_OFFICER else 403)


def test_another_operators_price_is_not_there(world, client):
    other = World()
    tariff = propose(other)
    as_user(client, world.pantry_manager)
    assert client.post(reverse("pantry:tariff_take_back", args=[tariff.pk])).status_code == 404
    assert other.pantry.name not in text(client.get(reverse("pantry:tariffs")))
    assert list(Tariff.objects.awaiting_agreement()) == [tariff]


def test_a_price_is_proposed_and_agreed_in_the_browser(world, client):
    as_user(client, world.pantry_manager)
    url = reverse("pantry:tariff_propose", args=[world.pantry.pk])
    assert "The price in force since 6 January 2020 is £3.50 a week with a joining fee of £10.00." in text(
        client.get(url)
    )
    form = {"weekly_pence": "4.50", "joining_pence": "10.00", "food_value_pence": "15.00"}
    page = client.post(url, form | posted_day("from_week", date(2026, 3, 23)) | {"weekly_pence": "4,5"})
    assert page.context["form"].errors == {
        "weekly_pence": ["Charge a week must be an amount in pounds and pence, like 3.50"]
    }
    page = client.post(url, form | posted_day("from_week", date(2026, 3, 23)))
    assert page.context["form"].errors["from_week"][0].startswith("A price cannot change weeks that have passed.")
    client.post(url, form | posted_day("from_week", MONDAY))
    page = text(client.get(reverse("pantry:pantry", args=[world.pantry.pk])))
    assert "6 April 2026 £4.50 £10.00 Waiting for finance" in page

    as_user(client, world.finance)
    tariff = Tariff.objects.awaiting_agreement().get()
    assert "To agree" in text(client.get(reverse("pantry:tariffs")))
    url = reverse("pantry:tariff_agree", args=[tariff.pk])
    page = text(client.get(url))
    assert "Charge a week £3.50 £4.50 Joining fee £10.00 £10.00 Block of 26 weeks £91.00 £117.00" in page
    faulty = client.post(url, {"answer": "send_back"})
    assert faulty.context["form"].errors == {
        "reason": ["Enter why it goes back, so that the pantry manager can propose again"]
    }
    client.post(url, {"answer": "agree"})
    page = text(client.get(reverse("pantry:tariffs")))
    assert "Nothing waits for an answer." in page and "Agreed, to come" in page
    assert f"Agreed on 2 April 2026 by {world.finance}." in text(client.get(url))


def test_the_finance_officer_sees_what_agreeing_costs_before_and_after(world, client):
    world.agreement.tops_up_price_rises = True
    world.agreement.save()
    theirs = factories.agreement(of=world.operator, tops_up_price_rises=True)
    member, _ = world.join(), world.join(agreement=theirs)
    tariff = propose(world, from_week=date(2026, 7, 6))
    url, line = (
        reverse("pantry:tariff_agree", args=[tariff.pk]),
        f"13 weeks of 1 member, £13.00 under {world.agreement}",
    )
    as_user(client, world.finance)
    page = text(client.get(url))
    assert f"Agreeing this price tops up weeks that are bought and not yet used: {line}" in page
    assert theirs.name not in page
    Budget.objects.filter(agreement=world.agreement).update(limit_pence=10_100)
    short = "Topping up 13 weeks of 1 member costs £13.00, and the year’s budget of"
    assert short in text(client.get(url))
    assert short in text(client.post(url, {"answer": "agree"}, follow=True))
    assert not TopUp.objects.exists()
    Budget.objects.filter(agreement=world.agreement).update(limit_pence=None)
    page = text(client.post(url, {"answer": "agree"}, follow=True))
    assert f"is agreed. Topped up under {world.agreement}: 13 weeks of 1 member, £13.00." in page
    page = text(client.get(url))
    assert f"were topped up: {line}" in page
    assert theirs.name not in page
    page = text(client.get(reverse("pantry:agreement_journal", args=[world.agreement.pk]), {"kind": "top_up"}))
    assert "Price rise topped up 13 weeks of 1 member, to £4.50 a week" in page
    page = text(client.get(reverse("pantry:agreement_blocks", args=[world.agreement.pk])))
    assert "£10.00 + 26 × £3.50 + £13.00 topped up" in page
    page = text(client.get(reverse("pantry:member", args=[member.pk])))
    assert "£101.00 with £10.00 joining fee + £13.00 topped up" in page


def test_a_price_that_costs_nothing_now_says_so(world, client):
    world.join()
    tariff = propose(world, from_week=date(2026, 7, 6))
    page = text(as_user(client, world.finance).get(reverse("pantry:tariff_agree", args=[tariff.pk])))
    assert "They keep their price: agreeing this one costs nothing now." in page


def test_a_price_that_was_sent_back_shows_why(world, client):
    tariff = propose(world)
    url = reverse("pantry:tariff_agree", args=[tariff.pk])
    as_user(client, world.finance).post(url, {"answer": "send_back", "reason": "The budget holds £4.00."})
    assert "Sent back" in text(client.get(url))
    answer = client.post(url, {"answer": "agree"}, follow=True)
    assert f"{world.finance} sent this price back on 2 April 2026 at 09:00." in text(answer)
    page = text(as_user(client, world.pantry_manager).get(reverse("pantry:tariffs")))
    assert f"Sent back 2 Apr 2026 by {world.finance}: The budget holds £4.00." in page


def test_a_proposal_is_taken_back_in_the_browser(world, client):
    tariff = propose(world)
    as_user(client, world.pantry_manager)
    url = reverse("pantry:tariff_take_back", args=[tariff.pk])
    assert "Take back this proposed price?" in text(client.get(url))
    assert "The proposal is taken back." in text(client.post(url, follow=True))
    assert not Tariff.objects.awaiting_agreement().exists()


def test_no_pantry_and_no_price_read_as_sentences(client):
    with time_machine.travel(NOW, tick=False):
        as_user(client, factories.user(Role.FINANCE_OFFICER))
        assert "No pantry yet." in text(client.get(reverse("pantry:tariffs")))
        new = factories.pantry(weekly=None)
        page = text(client.get(reverse("pantry:tariffs")))
        assert f"{new.name} No price yet." in page


def test_the_number_of_queries_does_not_grow(world, client, django_assert_num_queries):
    as_user(client, world.finance)

    def fill():
        pantry = factories.pantry(world.operator)
        tariff = propose(world, pantry=pantry)
        tariffs.send_back_tariff(tariff=tariff, reason="No", by=world.finance, at=NOW)
        propose(world, pantry=pantry)

    fill()
    with django_assert_num_queries(10):
        client.get(reverse("pantry:tariffs"))
    fill(), fill()
    with django_assert_num_queries(10):
        client.get(reverse("pantry:tariffs"))
