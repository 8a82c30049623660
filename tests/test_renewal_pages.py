"""Held renewals on the screen: who reads which reasons, deciding with the cost in sight, the second of two deciders."""

from datetime import date
from importlib import import_module

import pytest
import time_machine
from django.db import connection
from django.urls import reverse

from pantry import held
from pantry.models import Membership, PrepaidBlock, RenewalDecision
from pantry.services import renewals
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from tests import factories
from tests.factories import World, moment
from tests.test_agreements import collect
from tests.test_places import as_user, posted_day, refusal, text

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]  # pages: once, on the database of production
FIRST, DUE, NEXT = date(2026, 4, 6), date(2026, 9, 7), date(2026, 10, 5)
READERS = {Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER, Role.PANTRY_MANAGER}
LIST = "/pantry/renewals/"


@pytest.fixture
def world():
    with time_machine.travel(moment(DUE), tick=False):
        yield World()


def hold(world, *, member: Membership | None = None, **facts) -> RenewalDecision:
    """A member whose renewal the sweep has held: nobody collected."""
    member = member or world.join()
    for name, value in facts.items():
        setattr(member, name, value)
    member.save()
    renewals.sweep(on=DUE, at=moment(DUE), job="test")
    return RenewalDecision.objects.get(membership=member)


def page_of(decision) -> str:
    return reverse("pantry:renewal", args=[decision.pk])


# -- reading -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_who_reads_and_who_decides(world, client, role):
    decision = hold(world)
    of = world.operator if role in (Role.PANTRY_MANAGER, Role.PANTRY_VOLUNTEER) else world.council
    as_user(client, factories.user(role, of))
    status = 200 if role in READERS else 403
    assert (client.get(LIST).status_code, client.get(page_of(decision)).status_code) == (status, status)
    answer = client.post(page_of(decision), {"outcome": "stopped", "step": "confirm"})
    assert answer.status_code == (302 if role in READERS else 403)
    decision.refresh_from_db()
    assert decision.outcome == ("stopped" if role == Role.LEAVING_CARE_MANAGER else "held")


def test_another_councils_or_operators_renewal_is_not_there(world, client):
    other = World()
    decision = hold(other)
    for user in (world.manager, world.finance, world.pantry_manager):
        as_user(client, user)
        assert client.get(page_of(decision)).status_code == 404
        assert client.post(page_of(decision), {"outcome": "stopped", "step": "confirm"}).status_code == 404
        assert str(decision.pk) not in client.get(LIST).content.decode()
    decision.refresh_from_db()
    assert decision.outcome == "held"


def test_the_reasons_that_tell_stay_with_the_council(world, client):
    decision = hold(world, funded_until=date(2026, 12, 31), stop_renewal=True)
    assert decision.reasons == ["funded_until", "no_collection", "flagged"]
    council = ["Funding ends before the block would", "No collection in the last open weeks", "Flagged by hand"]
    assert held.reasons_for(decision, world.manager) == council
    assert held.reasons_for(decision, world.finance) == council
    assert held.reasons_for(decision, world.pantry_manager) == [
        "No collection in the last open weeks",
        "Waiting for the funder",
    ]
    as_user(client, world.pantry_manager)
    for url in (LIST, page_of(decision)):
        shown = text(client.get(url))
        assert "Waiting for the funder" in shown
        assert "31 December" not in shown and "Flagged" not in shown and "unding ends" not in shown


@pytest.mark.parametrize("code", RenewalDecision.Reason.values)
def test_every_reason_is_told_or_neutral(world, code):
    decision = RenewalDecision(reasons=[code])
    told = held.reasons_for(decision, world.pantry_manager)
    expected = [RenewalDecision.Reason(code).label] if code in held.OF_THE_PANTRY else ["Waiting for the funder"]
    assert told == expected


def test_finance_and_the_pantry_read_numbers_and_the_manager_names(world, client):
    decision = hold(world, preferred_name="Ash")
    for user, named in ((world.manager, True), (world.finance, False), (world.pantry_manager, False)):
        as_user(client, user)
        for url in (LIST, page_of(decision)):
            assert ("Ash" in client.get(url).content.decode()) == named
    seen = AuditEvent.objects.filter(verb__in=["pantry.renewals.viewed", "pantry.renewal.viewed"])
    assert seen.count() == 6
    assert {s.subject_id for event in seen for s in event.subjects.all()} == {decision.membership_id}


def test_the_list_says_why_since_when_and_what_is_overdue(world, client):
    late, fresh = world.join(), world.join()
    collect(world, fresh, date(2026, 8, 31))
    fresh.stop_renewal = True
    fresh.save()
    decision = hold(world, member=late)
    RenewalDecision.objects.filter(pk=decision.pk).update(starts_on=DUE)
    as_user(client, world.manager)
    page = client.get(LIST)
    rows = {row.membership.number: row for row in page.context["rows"]}
    # 22 weeks from 6 April: none is closed for a pantry that opens on Wednesdays.
    assert (rows[late.number].weeks_without, rows[late.number].is_overdue) == (22, True)
    assert rows[late.number].last_collected_on is None
    assert (rows[fresh.number].weeks_without, rows[fresh.number].is_overdue) == (0, False)
    assert rows[fresh.number].last_collected_on == date(2026, 9, 2)
    assert "2 held 1 overdue" in text(page)
    overdue = client.get(LIST, {"show": "overdue"})
    assert [row.membership for row in overdue.context["rows"]] == [late]
    assert [row.membership for row in client.get(LIST, {"q": str(fresh.number)}).context["rows"]] == [fresh]
    assert "No renewal here belongs to that membership number." in text(client.get(LIST, {"q": "ash"}))


def test_those_of_one_day_stand_by_membership_number_and_tiles_count_as_far_as_lists(world, client, monkeypatch):
    decisions = [hold(world) for _ in range(7)]
    PrepaidBlock.objects.update(bought_on=DUE)
    numbers = [decision.membership.number for decision in decisions]
    as_user(client, world.manager)
    for address in (LIST, f"{LIST}?show=all"):
        page = client.get(address)
        assert [row.membership.number for row in page.context["rows"]] == numbers == sorted(numbers)
        assert "7 held 0 overdue" in text(page)
    blocks = client.get(reverse("pantry:agreement_blocks", args=[world.agreement.pk]))
    assert [row["block"].membership.number for row in blocks.context["rows"]] == numbers
    monkeypatch.setattr("stockport_hubs.core.pages.COUNTED", 6)
    RenewalDecision.objects.filter(pk__in=[each.pk for each in decisions[:6]]).update(starts_on=DUE)
    assert "6+ held 6 overdue" in text(client.get(LIST))


def test_blocks_and_decisions_of_before_are_given_their_members_number(world):
    """What the migration fills in."""
    first, second = hold(world), hold(world)
    for model in (PrepaidBlock, RenewalDecision):
        model.objects.update(member_number=0)
    fill = import_module("pantry.migrations.0015_member_number").NUMBERS
    with connection.cursor() as cursor:
        for table in ("pantry_prepaidblock", "pantry_renewaldecision"):
            cursor.execute(fill.format(table))
    for model in (PrepaidBlock, RenewalDecision):
        found = set(model.objects.values_list("membership", "member_number"))
        assert found == {(each.membership_id, each.membership.number) for each in (first, second)}


def test_what_falls_due_within_28_days_is_counted(world, client):
    with time_machine.travel(moment(date(2026, 8, 10)), tick=False):  # 28 days before
        world.join()
        World().join()
        assert "1 due in the next 28 days" in text(as_user(client, world.manager).get(LIST))
    for day in (date(2026, 8, 9), date(2026, 9, 8)):  # not yet, and past: the next run decides it
        with time_machine.travel(moment(day), tick=False):
            assert "0 due in the next 28 days" in text(as_user(client, world.manager).get(LIST))


def test_an_empty_list_says_so(world, client):
    as_user(client, world.manager)
    assert "Nothing is held: every renewal that came up was decided." in text(client.get(LIST))
    assert "Nothing is overdue." in text(client.get(LIST, {"show": "overdue"}))
    assert "No renewal has been decided yet." in text(client.get(LIST, {"show": "all"}))


# -- deciding ----------------------------------------------------------------------------------------------------------


def test_renewing_shows_what_it_costs_before_it_is_done(world, client):
    decision = hold(world)
    with_credit = world.join()
    world.leave(with_credit, date(2026, 6, 10))  # £56.00 in the pool
    as_user(client, world.manager)
    page = client.post(page_of(decision), {"outcome": "renewed", "note": "Came to see us"})
    shown = text(page)
    assert "26, from the week of 5 October 2026 to that of 29 March 2027" in shown
    assert "Price 26 × £3.50 = £91.00 Paid from credit £56.00 Drawn from what was paid in advance £35.00" in shown
    assert PrepaidBlock.objects.filter(block_no=2).count() == 0
    carried = dict(page.context["answers"])
    done = client.post(page_of(decision), carried | {"step": "confirm"}, follow=True)
    number = decision.membership.number
    assert f"Member {number}: block 2 is bought for £91.00 and starts on 5 October 2026." in text(done)
    block = PrepaidBlock.objects.get(block_no=2)
    assert (block.price_pence, block.from_pool_pence, block.starts_on) == (9100, 5600, NEXT)
    decision.refresh_from_db()
    assert (decision.outcome, decision.decided_by, decision.note) == ("renewed", world.manager, "Came to see us")
    facts = text(client.get(page_of(decision)))
    assert f"Renewed on 7 September 2026, 09:00 by {world.manager} Came to see us" in facts
    assert "Came to see us" not in text(as_user(client, world.pantry_manager).get(page_of(decision)))


def test_weeks_past_the_end_of_funding_are_pointed_out_before_buying(world, client):
    decision = hold(world, funded_until=date(2026, 10, 18))
    as_user(client, world.manager)
    page = text(client.post(page_of(decision), {"outcome": "renewed"}))
    assert "Please note Funding ends on 18 October 2026: 24 of these weeks end later." in page


def test_the_member_pays_from_a_monday_that_is_not_paid_for(world, client):
    decision = hold(world)
    as_user(client, world.manager)
    url = page_of(decision)

    def errors(form):
        return client.post(url, {"outcome": "self_pay"} | form).context["form"].errors

    assert errors({}) == {"self_pay_from": ["Enter the Monday, for example 5 October 2026"]}
    assert errors(posted_day("self_pay_from", date(2026, 10, 7))) == {
        "self_pay_from": ["Enter a Monday. That week’s Monday is 5 October 2026"]
    }
    assert errors(posted_day("self_pay_from", date(2026, 9, 28))) == {
        "self_pay_from": ["Weeks before 5 October 2026 are paid for. Enter that Monday or a later one"]
    }
    assert client.post(url, {}).context["form"].errors == {"outcome": ["Answer the question “What happens next?”"]}
    form = {"outcome": "self_pay", **posted_day("self_pay_from", NEXT)}
    page = client.post(url, form)
    assert "The member pays each week from 5 October 2026 Cost to the agreement £0.00." in text(page)
    client.post(url, form | {"step": "confirm"})
    member = Membership.objects.get(pk=decision.membership_id)
    assert (member.self_pay_from, member.state) == (NEXT, "open")


def test_stopping_buys_nothing_and_leaves_the_member_in(world, client):
    decision = hold(world)
    as_user(client, world.manager)
    page = client.post(page_of(decision), {"outcome": "stopped"})
    assert "Stop: no more blocks are bought Cost to the agreement £0.00." in text(page)
    changed = client.post(page_of(decision), dict(page.context["answers"]) | {"step": "change"})
    assert changed.context["form"]["outcome"].value() == "stopped"
    client.post(page_of(decision), {"outcome": "stopped", "step": "confirm"})
    assert Membership.objects.get(pk=decision.membership_id).state == "open"
    assert "All decisions" in text(client.get(LIST, {"show": "all"}))
    assert [row.label for row in client.get(LIST, {"show": "all"}).context["rows"]] == ["Stopped"]


def test_the_second_of_two_managers_is_told_who_decided_and_when(world, client):
    decision = hold(world)
    colleague = factories.user(Role.LEAVING_CARE_MANAGER, world.council, name="Jo Example")
    renewals.decide(decision=decision, outcome="stopped", by=colleague, at=moment(DUE, "10:42"))
    as_user(client, world.manager)
    for step in ("", "confirm"):
        answer = client.post(page_of(decision), {"outcome": "renewed", "step": step}, follow=True)
        assert "Already stopped by Jo Example on 7 September 2026, 10:42." in text(answer)
    assert PrepaidBlock.objects.filter(block_no=2).count() == 0


def test_the_second_is_told_so_even_when_both_saw_it_held(world, client, monkeypatch):
    """The page was read as held; the decision of the other came in between."""
    decision = hold(world)
    colleague = factories.user(Role.LEAVING_CARE_MANAGER, world.council, name="Jo Example")
    real = renewals.decide

    def first_the_colleague(**asked):
        if asked["by"] == world.manager:
            real(decision=decision, outcome="stopped", by=colleague, at=moment(DUE, "10:42"))
        return real(**asked)

    monkeypatch.setattr(renewals, "decide", first_the_colleague)
    as_user(client, world.manager)
    answer = client.post(page_of(decision), {"outcome": "renewed", "step": "confirm"}, follow=True)
    assert "Already stopped by Jo Example on 7 September 2026, 10:42." in text(answer)


def test_a_refusal_of_the_purchase_is_said_before_anything_is_done(world, client):
    decision = hold(world)
    world.pantry.tariffs.update(withdrawn_at=moment(DUE))
    as_user(client, world.manager)
    answer = client.post(page_of(decision), {"outcome": "renewed"}, follow=True)
    assert f"{world.pantry} has no agreed price for the week of 5 October 2026." in text(answer)
    decision.refresh_from_db()
    assert decision.outcome == "held"
    assert refusal(held.preview, decision=decision, outcome="renewed", by=world.manager, at=moment(DUE))


@pytest.mark.parametrize(("kind", "expected"), [("list", 17), ("page", 14)])
def test_the_number_of_queries_does_not_grow(world, client, django_assert_num_queries, kind, expected):
    decision = hold(world)
    as_user(client, world.manager)
    url = LIST if kind == "list" else page_of(decision)
    with django_assert_num_queries(expected):
        client.get(url)
    hold(world), hold(world)
    with django_assert_num_queries(expected):
        client.get(url)
