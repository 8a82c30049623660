"""Somebody who is not found at the counter: recorded and served, never sent away, sorted out by the pantry manager."""

import re
import uuid
from datetime import date, timedelta

import pytest
from django.urls import reverse

from pantry.models import Collection, Membership, Visitor
from pantry.services import collections, visitors
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from tests.counter_scene import NOW, WEDNESDAY, Counter, at
from tests.factories import moment

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
TOMORROW = moment(WEDNESDAY + timedelta(days=1))


@pytest.fixture
def counter():
    return Counter()


@pytest.fixture
def visitor(counter):
    return come(counter)


def come(counter, **more) -> Visitor:
    given = {"session": counter.session, "key": uuid.uuid4(), "called": "Vi", "by": counter.volunteer, "at": NOW}
    return visitors.record(**(given | more))


def refusal(call, **given) -> str:
    with pytest.raises(Refused) as why:
        call(**given)
    return str(why.value)


def by_manager(counter, visitor, **more) -> dict:
    return {"visitor": visitor, "by": counter.pantry_manager, "at": TOMORROW, **more}


# -- recorded ----------------------------------------------------------------------------------------------------------


def test_a_visitor_is_recorded_once_for_one_form(counter):
    key = uuid.uuid4()
    first, again = come(counter, key=key), come(counter, key=key)
    assert first == again
    assert (first.pantry, first.on, first.called, first.recorded_by, first.outcome) == (
        counter.pantry,
        WEDNESDAY,
        "Vi",
        counter.volunteer,
        "",
    )
    event = AuditEvent.objects.get(verb="pantry.visitor.recorded")
    assert (event.target_id, event.by, event.detail) == (first.pk, counter.volunteer, {})


def test_the_key_of_another_visitor_is_refused(counter):
    key = uuid.uuid4()
    come(counter, key=key)
    why = refusal(come, counter=counter, key=key, called="Wyn")
    assert why == "This form was already used to record somebody else. Go back to the session and start again."


def test_a_visitor_of_yesterday_is_not_for_a_volunteer_to_record(counter):
    why = refusal(come, counter=counter, at=TOMORROW)
    assert why == "This session has closed. Ask the pantry manager to add what is missing."
    assert come(counter, at=TOMORROW, by=counter.pantry_manager).on == WEDNESDAY


def test_a_visitor_before_the_day_is_refused(counter):
    why = refusal(come, counter=counter, at=moment(WEDNESDAY - timedelta(days=1)))
    assert why == "This session has not started yet. Nothing can be recorded before its day."


def test_a_visitor_of_29_days_ago_is_refused(counter):
    late = moment(WEDNESDAY + timedelta(days=29))
    why = refusal(come, counter=counter, at=late, by=counter.pantry_manager)
    assert why == "This session was more than 28 days ago. Nothing can be added to it."


def test_what_a_visitor_is_called_may_not_tell(counter):
    assert "must not say “care leaver”" in refusal(come, counter=counter, called="the care-leaver")


# -- taken back --------------------------------------------------------------------------------------------------------


def test_who_recorded_a_visitor_takes_them_back_on_the_day(counter, visitor):
    visitors.take_back(visitor=visitor, by=counter.volunteer, at=NOW)
    visitor.refresh_from_db()
    assert (visitor.outcome, visitor.sorted_by) == ("mistake", counter.volunteer)
    why = refusal(visitors.take_back, visitor=visitor, by=counter.volunteer, at=NOW)
    assert why == "This visitor has already been taken back."


def test_a_colleagues_visitor_is_not_for_a_volunteer_to_take_back(counter, visitor):
    why = refusal(visitors.take_back, visitor=visitor, by=counter.another_volunteer(), at=NOW)
    assert why == "Jo recorded this visitor. Jo or the pantry manager can take them back."


def test_a_visitor_of_yesterday_is_not_for_a_volunteer_to_take_back(counter, visitor):
    why = refusal(visitors.take_back, visitor=visitor, by=counter.volunteer, at=TOMORROW)
    assert why == "This session has closed. Ask the pantry manager to take them back."
    visitors.take_back(**by_manager(counter, visitor))


def test_a_visitor_who_is_sorted_out_is_not_taken_back(counter, visitor):
    visitors.no_further(**by_manager(counter, visitor))
    why = refusal(visitors.take_back, visitor=visitor, by=counter.volunteer, at=NOW)
    assert why == "This visitor has been sorted out already. Ask the pantry manager."


# -- sorted out --------------------------------------------------------------------------------------------------------


def test_a_matched_visit_becomes_the_members_collection_of_that_week(counter, visitor):
    member = counter.join()
    done, why = visitors.match(**by_manager(counter, visitor, membership=member))
    made = Collection.objects.get()
    assert (done.outcome, done.membership, done.collection, why) == ("member", member, made, "")
    assert (made.membership, made.on, made.week, made.is_late) == (member, WEDNESDAY, date(2026, 4, 6), True)
    assert (made.paid_pence, made.paid_week is not None, made.recorded_by) == (0, True, counter.pantry_manager)
    assert [i.quantity for i in made.items.all()] == [10]


def test_a_matched_member_who_pays_has_paid_nothing_and_owes_the_fee_still(counter, visitor):
    member = counter.other()
    visitors.match(**by_manager(counter, visitor, membership=member))
    assert Collection.objects.get().paid_pence == 0
    assert counter.record(member, day=WEDNESDAY + timedelta(days=7)).paid_pence == 1350


def test_a_matched_visit_in_a_week_that_has_a_collection_adds_none(counter, visitor):
    member = counter.join()
    first = counter.record(member)
    done, why = visitors.match(**by_manager(counter, visitor, membership=member))
    assert (done.outcome, done.membership, done.collection) == ("member", member, None)
    assert why == "Already collected this week. Collected on Wednesday 8 April 10:42 by Jo."
    assert list(Collection.objects.all()) == [first]


def test_a_member_of_another_operator_is_not_matched(counter, visitor):
    why = refusal(visitors.match, **by_manager(counter, visitor, membership=Counter().join()))
    assert why == "No member here has this number. Check it on the list of members."


def test_somebody_new_waits_to_be_confirmed_with_the_visit_as_the_first(counter, visitor):
    member = visitors.add_pending(**by_manager(counter, visitor))
    visitor.refresh_from_db()
    made = Collection.objects.get()
    assert (member.state, member.preferred_name, member.agreement) == ("pending", "Vi", None)
    assert (visitor.outcome, visitor.membership, visitor.collection) == ("turned_up", member, made)
    assert (made.membership, made.paid_pence, made.paid_week) == (member, 0, None)
    why = refusal(visitors.sort_again, **by_manager(counter, visitor))
    assert why == (
        f"Member {member.number} was added for this visitor. If that was wrong, end that membership on its page."
    )


def test_sorting_out_is_undone_with_its_collection(counter, visitor):
    member = counter.join()
    visitors.match(**by_manager(counter, visitor, membership=member))
    visitors.sort_again(**by_manager(counter, visitor))
    visitor.refresh_from_db()
    assert (visitor.outcome, visitor.membership, visitor.collection) == ("", None, None)
    assert Collection.objects.counted().count() == 0
    again, _ = visitors.match(**by_manager(counter, visitor, membership=member, at=TOMORROW + timedelta(hours=1)))
    assert list(Collection.objects.counted()) == [again.collection]


def test_sorting_out_is_undone_when_its_collection_was_undone_before(counter, visitor):
    done, _ = visitors.match(**by_manager(counter, visitor, membership=counter.join()))
    collections.void(collection=done.collection, reason="Wrong day", by=counter.pantry_manager, at=TOMORROW)
    visitors.sort_again(**by_manager(counter, visitor))
    assert Visitor.objects.to_sort_out().get() == visitor


def test_who_is_still_to_sort_out_is_not_sorted_again(counter, visitor):
    why = refusal(visitors.sort_again, **by_manager(counter, visitor))
    assert why == "This visitor is still to be sorted out."


def test_a_second_sorting_is_told_who_and_when(counter, visitor):
    visitors.no_further(**by_manager(counter, visitor))
    first = counter.pantry_manager.get_short_name()
    why = refusal(visitors.no_further, **by_manager(counter, visitor))
    assert why == f"{first} sorted this visitor out on 9 April 2026: not a member, no further."


def test_volunteers_and_other_operators_do_not_sort_out(counter, visitor):
    for stranger in (counter.volunteer, Counter().pantry_manager):
        why = refusal(visitors.no_further, visitor=visitor, by=stranger, at=TOMORROW)
        assert why == "The pantry manager sorts out visitors."


# -- pages -------------------------------------------------------------------------------------------------------------


def text(response) -> str:
    """The words of <main>, one blank between them."""
    main = response.content.decode().partition('id="main-content">')[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_a_volunteer_records_and_takes_back_and_the_manager_sorts_out(counter, client):
    session = reverse("pantry:session", args=[counter.session.pk])
    add = reverse("pantry:visitor_add", args=[counter.session.pk])
    member = counter.join(preferred_name="Ash")
    strangers = Counter()
    theirs = [strangers.join() for _ in range(2)][-1].number  # a number nobody has here
    with at():
        client.force_login(counter.volunteer)
        assert f'href="{add}"' in client.get(session).content.decode()
        assert "Visitors in this session None so far." in text(client.get(add))
        told = client.post(add, {"key": uuid.uuid4(), "called": "p.quill care leaver"})
        assert "Say only what went wrong" in text(told) and "care leaver&" not in text(told)
        for called in ("Vi", ""):
            sent = {"key": uuid.uuid4(), "called": called}
            page = client.post(add, sent, follow=True)
            assert "Visitor recorded with the usual items." in text(page)
        nameless = Visitor.objects.get(called="")
        page = client.post(reverse("pantry:visitor_take_back", args=[nameless.pk]), follow=True)
        assert "Taken back. Nobody is recorded for that visit." in text(page)
        assert "No name given" not in text(page) and "Vi 8 April 2026, 10:42, recorded by Jo" in text(page)
        visitor = Visitor.objects.to_sort_out().get()
        come(Counter())  # to another operator
        client.force_login(counter.pantry_manager)
        assert "1 visitor to sort out" in text(client.get(reverse("pantry:today")))
        url = reverse("pantry:visitor_sort", args=[visitor.pk])
        assert f'href="{url}"' in client.get(reverse("pantry:visitors")).content.decode()
        assert "Enter the member’s number" in text(client.post(url, {"outcome": "member"}))
        for number in (theirs, 99):
            assert "No member has this number" in text(client.post(url, {"outcome": "member", "number": number}))
        done = client.post(url, {"outcome": "member", "number": member.number}, follow=True)
        assert f"Matched to number {member.number}. The visit is their collection of that week." in text(done)
        assert "Nobody is waiting to be sorted out." in text(done)
        assert f"A member, number {member.number}" in text(client.get(reverse("pantry:visitors"), {"all": 1}))
        late = client.post(url, {"outcome": "nobody"})
        assert (late.status_code, "sorted this visitor out on 8 April 2026: a member." in text(late)) == (409, True)
        assert "to be sorted out again" in text(client.post(url, {"again": "1"}, follow=True))
        added = client.post(url, {"outcome": "turned_up"}, follow=True)
        assert f"Added as number {Membership.objects.get(state='pending').number}, to be confirmed." in text(added)


@pytest.mark.parametrize("rows", [1, 3])
def test_lists_of_visitors_ask_the_same_questions_however_many(counter, client, django_assert_num_queries, rows):
    for _ in range(rows):
        visitors.match(**by_manager(counter, come(counter), membership=counter.join()))
    with at():
        client.force_login(counter.pantry_manager)
        with django_assert_num_queries(8):
            client.get(reverse("pantry:visitors"), {"all": "1"})
        client.force_login(counter.volunteer)
        with django_assert_num_queries(8):
            client.get(reverse("pantry:visitor_add", args=[counter.session.pk]))
