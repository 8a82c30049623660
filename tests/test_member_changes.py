"""The pages on which a membership changes: what is shown before it is done, what is done, what is refused."""

from datetime import timedelta

import pytest
from django.urls import reverse

from pantry import members
from pantry.models import Membership, MembershipMove, RenewalDecision
from pantry.services import memberships, renewals
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.weeks import WEEK
from tests import factories
from tests.counter_scene import WEDNESDAY, Counter, at
from tests.factories import moment
from tests.test_session_pages import text

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]  # pages: once, on the database of production
MONDAY = WEDNESDAY - timedelta(days=2)


@pytest.fixture
def counter():
    return Counter(hold_after_weeks_without_collection=0)


@pytest.fixture
def browse(client):
    with at(goes_on=True):

        def sign_in(user):
            client.force_login(user)
            return client

        yield sign_in


def url(name: str, member: Membership) -> str:
    return reverse(f"pantry:{name}", args=[member.pk])


def day(name: str, on) -> dict:
    return {f"{name}_day": on.day, f"{name}_month": on.month, f"{name}_year": on.year}


def confirmed(client, address: str, answers: dict):
    """The page shown before it is done, and the page after the confirmation."""
    check = client.post(address, answers)
    return text(check), client.post(address, answers | {"step": "confirm"}, follow=True)


def test_a_move_shows_the_weeks_that_go_before_it_is_done(browse, counter):
    ash, new = counter.join(preferred_name="Ash", first_week=MONDAY), factories.pantry(counter.operator)
    client = browse(counter.pantry_manager)
    given = {"pantry": new.pk, **day("from_week", MONDAY + 2 * WEEK + timedelta(days=3))}
    page = client.post(url("member_move", ash), given)
    assert "24, the last in the week of 28 September 2026" in text(page)
    assert ash.places.count() == 1
    done = client.post(url("member_move", ash), given | {"step": "confirm"}, follow=True)
    assert f"Member 1 moves to {new.name} from 20 April 2026." in text(done)
    assert "until 19 Apr 2026" in text(done)
    assert "Take back the move" in text(done)
    page = client.get(url("member_move_back", ash))
    assert "Take back this move?" in text(page)
    done = client.post(url("member_move_back", ash), follow=True)
    assert f"Member 1 stays at {counter.pantry.name}." in text(done)
    assert ash.places.count() == 1


def test_a_move_that_cannot_be_is_refused_on_the_page(browse, counter):
    ash, new = counter.join(), factories.pantry(counter.operator)
    answers = {"pantry": new.pk, **day("from_week", MONDAY)}
    page = text(browse(counter.pantry_manager).post(url("member_move", ash), answers))
    assert "weeks that have begun stay where they are. Choose 13 April 2026 or a later Monday." in page


def test_another_organisations_pantry_is_no_choice(browse, counter):
    ash, other = counter.join(), factories.pantry()
    page = browse(counter.pantry_manager).post(url("member_move", ash), {"pantry": other.pk})
    assert "Choose one of the options shown" in text(page)
    assert other.name not in text(page)


def test_who_pays_at_the_counter_is_paused_and_started_again(browse, counter):
    bay = counter.other(preferred_name="Bay")
    client = browse(counter.pantry_manager)
    shown, done = confirmed(client, url("member_pause", bay), day("on", WEDNESDAY))
    assert "First day of the pause 8 April 2026" in shown
    assert "Member 1 is paused." in text(done)
    assert "Start again" in text(done)
    shown, done = confirmed(client, url("member_pause", bay), day("on", WEDNESDAY))
    assert "Member 1 may shop again." in text(done)
    told = [event.what for event in members.history(bay, [], counter.pantry_manager)]
    assert told == ["Open", "Paused", "Open again"]
    assert AuditEvent.objects.filter(verb="pantry.membership.paused").count() == 1


def test_a_pause_is_shown_without_its_reason_and_by_the_organisation_alone(browse, counter):
    ash = counter.join(preferred_name="Ash")
    counter.advisor.name = "Alex Advisor"
    counter.advisor.save()
    memberships.pause(membership=ash, on=WEDNESDAY, by=counter.advisor, at=moment(WEDNESDAY))
    client = browse(counter.pantry_manager)
    page = text(client.get(url("member", ash)))
    assert "Paused" in page
    assert counter.council.name in page
    assert "Alex Advisor" not in page
    assert "Whoever introduced this member pauses the membership and starts it again." in page
    answer = client.get(url("member_pause", ash), follow=True)
    assert "Whoever introduced this member" in text(answer)


def test_who_turns_up_waits_then_joins_or_goes(browse, counter):
    client = browse(counter.pantry_manager)
    add = {"joins": "waits", "pantry": counter.pantry.pk, "preferred_name": "Kim"}
    page = client.post(reverse("pantry:member_add"), add, follow=True)
    assert "The membership number is 1. They may shop while they wait to be confirmed." in text(page)
    kim = Membership.objects.get()
    assert (kim.state, kim.first_week) == ("pending", MONDAY)
    assert "Waiting to be confirmed" in text(client.get(reverse("pantry:members")))
    shown, done = confirmed(client, url("member_answer", kim), {"answer": "open"})
    assert "They join and pay each week" in shown
    assert "Member 1 has joined and pays each week." in text(done)
    client.post(reverse("pantry:member_add"), add)
    lee = Membership.objects.get(number=2)
    shown, done = confirmed(client, url("member_answer", lee), {"answer": "end"})
    assert "It cannot be opened again" in shown
    lee.refresh_from_db()
    assert lee.state == "ended"
    again = client.post(url("member_answer", lee), {"answer": "open"})
    assert "Member 2 left on 8 April 2026 already. They can join anew." in text(again)


def test_who_left_joins_again_under_a_new_number(browse, counter):
    bay = counter.other(preferred_name="Bay")
    counter.leave(bay, WEDNESDAY)
    client = browse(counter.pantry_manager)
    assert "Join again" in text(client.get(url("member", bay)))
    assert "No joining fee is taken within 12 months of 8 April 2026" in text(client.get(url("member_rejoin", bay)))
    done = client.post(url("member_rejoin", bay), {"pantry": counter.pantry.pk, "preferred_name": "Bay"}, follow=True)
    assert "The membership number is 2." in text(done)
    assert Membership.objects.get(number=2).previous == bay
    assert "They have joined again as member 2" in text(client.get(url("member", bay)))


def test_who_died_is_never_asked_to_join_again(browse, counter):
    bay = counter.other()
    memberships.died(membership=bay, on=WEDNESDAY, by=counter.advisor, at=moment(WEDNESDAY))
    client = browse(counter.pantry_manager)
    assert "Join again" not in text(client.get(url("member", bay)))
    assert "cannot be joined again" in text(client.get(url("member_rejoin", bay), follow=True))


def test_weeks_are_bought_by_hand_with_the_price_shown_first(browse, counter):
    ash = counter.join()
    client = browse(counter.manager)
    assert "Buy weeks" in text(client.get(url("member", ash)))
    shown, done = confirmed(client, url("member_buy", ash), {"weeks": "4"})
    assert "4 × £3.50 = £14.00" in shown
    assert "Member 1: 4 weeks are bought for £14.00." in text(done)
    assert [block.weeks for block in ash.blocks.all()] == [26, 4]


def test_after_26_paused_weeks_a_manager_decides(browse, counter):
    long, short = counter.join(), counter.join()
    for member, back in ((long, 26), (short, 25)):
        on = WEDNESDAY - back * WEEK
        Membership.objects.filter(pk=member.pk).update(joined_on=on, state="paused")
        MembershipMove.objects.filter(membership=member).update(on=on)
        MembershipMove.objects.create(membership=member, state="paused", on=on, recorded_at=moment(on))
        member.paid_weeks.update(state="parked", week=None)
    client = browse(counter.manager)
    assert "1 long pauses" in text(client.get(reverse("pantry:renewals")))
    page = text(client.get(reverse("pantry:pauses")))
    assert "26 £91.00" in page
    address = url("member_long_pause", long)
    shown, done = confirmed(client, address, {"answer": "keep"})
    assert "The pause goes on for another 26 weeks" in shown
    assert "Member 1 stays paused." in text(done)
    assert "No membership has been paused for that long." in text(client.get(reverse("pantry:pauses")))
    shown, done = confirmed(client, address, {"answer": "resume"})
    assert "Paid weeks to come 26" in shown
    long.refresh_from_db()
    assert long.state == "open"
    assert "is not paused" in text(client.get(address, follow=True))
    shown, done = confirmed(client, url("member_long_pause", short), {"answer": "end"})
    assert "Credited £91.00" in shown
    short.refresh_from_db()
    assert (short.state, short.end_reason) == ("ended", "funding_ended")


def test_a_stop_is_taken_back_on_the_page_of_the_renewal(browse, counter):
    ash = counter.join()
    decision = RenewalDecision.objects.create(
        membership=ash, member_number=ash.number, block_no=2, due_on=WEDNESDAY, starts_on=MONDAY + 26 * WEEK,
        outcome="held", reasons=["flagged"], decided_at=moment(WEDNESDAY),
    )  # fmt: skip
    renewals.decide(decision=decision, outcome="stopped", by=counter.manager, at=moment(WEDNESDAY))
    client = browse(counter.manager)
    page = reverse("pantry:renewal", args=[decision.pk])
    assert "Take back this decision" in text(client.get(page))
    address = reverse("pantry:renewal_take_back", args=[decision.pk])
    assert "Take back this decision?" in text(client.get(address))
    assert "block 2 is held again" in text(client.post(address, follow=True))
    decision.refresh_from_db()
    assert decision.outcome == "held"
    assert "A bought block stays." in text(client.post(address, follow=True))


def test_the_pages_of_changes_ask_the_same_questions_however_much_there_is(browse, counter, django_assert_num_queries):
    client = browse(counter.manager)

    def pause_one():
        member = counter.join(first_week=MONDAY)
        on = WEDNESDAY - 30 * WEEK
        Membership.objects.filter(pk=member.pk).update(joined_on=on, state="paused")
        MembershipMove.objects.create(membership=member, state="paused", on=on, recorded_at=moment(on))
        MembershipMove.objects.filter(membership=member, state="open").update(on=on)

    pause_one()
    with django_assert_num_queries(12):
        client.get(reverse("pantry:pauses"))
    pause_one(), pause_one()
    with django_assert_num_queries(12):
        client.get(reverse("pantry:pauses"))
