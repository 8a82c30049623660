"""Weekly collections: recorded once, undone with who and why, paid for where that is due."""

import uuid
from datetime import date, time, timedelta

import pytest
from django.db import IntegrityError, transaction

from pantry.models import Band, Closure, Collection, MembershipMove, PaidWeek, PantrySession
from pantry.services import collections, sessions
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.counter_scene import NOW, WEDNESDAY, Counter, at
from tests.factories import moment

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


@pytest.fixture
def counter():
    return Counter()


def items(collection: Collection) -> dict:
    return {item.band.name if item.band else None: item.quantity for item in collection.items.all()}


def refusal(call, *args, **kwargs) -> str:
    with pytest.raises(Refused) as why:
        call(*args, **kwargs)
    return str(why.value)


def pause(membership, on: date):
    """As the service that pauses will write it."""
    membership.state = "paused"
    membership.save()
    MembershipMove.objects.create(membership=membership, state="paused", on=on, recorded_at=moment(on))


# -- recording ---------------------------------------------------------------------------------------------------------


def test_the_usual_ten_is_one_row_linked_to_the_paid_week(counter):
    member = counter.join()
    made = counter.record(member)
    made.refresh_from_db()
    assert items(made) == {None: 10}
    assert (made.week, made.on, made.collected_at, made.recorded_at) == (date(2026, 4, 6), WEDNESDAY, NOW, NOW)
    assert (made.recorded_by, made.is_late, made.fruit_and_veg, made.paid_pence) == (counter.volunteer, False, True, 0)
    assert made.paid_week == PaidWeek.objects.get(membership=member, week=date(2026, 4, 6))
    event = AuditEvent.objects.get(verb="pantry.collection.recorded")
    assert (event.by, event.target_id) == (counter.volunteer, made.pk)
    assert event.detail == {"week": "2026-04-06", "late": False}
    assert [(s.kind, s.subject_id) for s in event.subjects.all()] == [("membership", member.pk)]


def test_fruit_and_veg_alone_has_no_items_and_nothing_at_all_is_refused(counter):
    assert items(counter.record(counter.join(), quantities={None: 0})) == {}
    why = refusal(counter.record, counter.join(), quantities={None: 0}, fruit_and_veg=False)
    assert why == "Nothing was chosen. Enter the number of items, or fruit and vegetables."


def test_bands_have_their_own_limits_within_the_allowance(counter):
    red = Band.objects.create(pantry=counter.pantry, name="red", items=2)
    blue = Band.objects.create(pantry=counter.pantry, name="blue", items=10)
    member = counter.join()
    advice = " Enter fewer, or say why it is more."
    assert (
        refusal(counter.record, member, quantities={red.pk: 3}) == "3 red items are more than the 2 allowed." + advice
    )
    why = refusal(counter.record, member, quantities={red.pk: 2, blue.pk: 9})
    assert why == "11 items are more than the 10 allowed this week." + advice
    assert items(counter.record(member, quantities={red.pk: 2, blue.pk: 8})) == {"red": 2, "blue": 8}
    strange = Band.objects.create(pantry=factories.pantry(counter.operator), name="green", items=2)
    why = refusal(counter.record, counter.join(), quantities={strange.pk: 1})
    assert why == "This pantry has no such band of items."


def test_more_than_the_allowance_needs_a_reason_that_is_kept_as_a_code(counter):
    made = counter.record(counter.join(), quantities={None: 12}, override="surplus")
    assert items(made) == {None: 12}
    event = AuditEvent.objects.get(verb="pantry.collection.recorded")
    assert event.detail == {"week": "2026-04-06", "late": False, "override": "surplus"}
    why = refusal(counter.record, counter.join(), quantities={None: 12}, override="because they are nice")
    assert why == "Choose why more than the allowance was given."


# -- once --------------------------------------------------------------------------------------------------------------


def test_the_second_attempt_is_told_who_and_when(counter):
    member = counter.join()
    made = counter.record(member)
    other = counter.another_volunteer()
    told = "Already collected this week. Collected today 10:42 by Jo."
    assert refusal(counter.record, member, by=other, collected_at=moment(WEDNESDAY, "11:00")) == told
    with pytest.raises(collections.AlreadyCollected) as why:
        counter.record(member)
    assert why.value.collection == made
    assert Collection.objects.count() == 1


def test_another_session_of_the_same_week_is_told_the_day(counter):
    member = counter.join()
    counter.record(member)
    friday = WEDNESDAY + timedelta(days=2)
    session = PantrySession.objects.create(pantry=counter.pantry, on=friday, opens=time(10), closes=time(12))
    why = refusal(counter.record, member, day=friday, session=session)
    assert why == "Already collected this week. Collected on Wednesday 8 April 10:42 by Jo."


def test_the_next_week_is_free(counter):
    member = counter.join()
    counter.record(member)
    assert counter.record(member, day=WEDNESDAY + WEEK).week == date(2026, 4, 13)


def test_the_same_key_and_body_give_the_same_row_whatever_has_happened_since(counter):
    member, key = counter.join(), uuid.uuid4()
    first = counter.record(member, key=key)
    assert counter.record(member, key=key, collected_at=moment(WEDNESDAY, "10:43")) == first
    pause(member, WEDNESDAY)
    assert counter.record(member, key=key) == first
    assert Collection.objects.count() == 1
    assert AuditEvent.objects.filter(verb="pantry.collection.recorded").count() == 1


def test_the_same_key_with_another_body_is_refused_and_reported(counter):
    member, other, key = counter.join(), counter.join(), uuid.uuid4()
    first = counter.record(member, key=key, quantities={None: 4})
    told = (
        "This form was already used to record something else, so nothing was recorded. "
        "Go back to the session and start again."
    )
    bodies = [
        {"membership": other, "quantities": {None: 4}},
        {"membership": member, "quantities": {None: 5}},
        {"membership": member, "quantities": {None: 4}, "fruit_and_veg": False},
    ]
    for body in bodies:
        assert refusal(counter.record, key=key, **body) == told
    assert Collection.objects.get() == first
    events = AuditEvent.objects.filter(verb="pantry.collection.key_reused").order_by("id")
    assert [e.target_id for e in events] == [first.pk] * 3
    assert {s.subject_id for s in events[0].subjects.all()} == {member.pk, other.pk}


def test_the_database_itself_refuses_a_second_counted_row(counter):
    first = counter.record(counter.join())
    first.pk, first.key, first._state.adding = uuid.uuid4(), uuid.uuid4(), True
    with pytest.raises(IntegrityError), transaction.atomic():
        first.save()


# -- undone ------------------------------------------------------------------------------------------------------------


def test_undone_it_stays_with_who_and_why_and_the_week_is_free(counter):
    member = counter.join()
    made = counter.record(member)
    later = moment(WEDNESDAY, "10:50")
    collections.void(collection=made, reason="Recorded by mistake", by=counter.volunteer, at=later)
    made.refresh_from_db()
    assert (made.voided_at, made.voided_by, made.void_reason) == (later, counter.volunteer, "Recorded by mistake")
    again = counter.record(member)
    assert list(Collection.objects.counted()) == [again]
    assert again.paid_week == made.paid_week
    event = AuditEvent.objects.get(verb="pantry.collection.voided")
    assert (event.target_id, [s.subject_id for s in event.subjects.all()]) == (made.pk, [member.pk])


def test_undoing_twice_is_undoing_once_and_another_is_told(counter):
    made = counter.record(counter.join())
    for _ in range(2):
        collections.void(collection=made, reason="Wrong day", by=counter.volunteer, at=moment(WEDNESDAY, "10:50"))
    assert AuditEvent.objects.filter(verb="pantry.collection.voided").count() == 1
    why = refusal(collections.void, collection=made, reason="Wrong day", by=counter.pantry_manager, at=NOW)
    assert why == "Jo has already undone this, 8 April 2026, 10:50."


def test_volunteers_undo_their_own_on_its_day_and_the_manager_everything_for_28_days(counter):
    made = counter.record(counter.join())
    ali, tomorrow = counter.another_volunteer(), WEDNESDAY + timedelta(days=1)
    undo = {"collection": made, "reason": "Wrong member"}
    why = refusal(collections.void, **undo, by=ali, at=NOW)
    assert why == "Jo recorded this. Jo or the pantry manager can undo it."
    why = refusal(collections.void, **undo, by=counter.volunteer, at=moment(tomorrow))
    assert why == "This session has closed. Ask the pantry manager to undo it."
    why = refusal(collections.void, **undo, by=counter.pantry_manager, at=moment(WEDNESDAY + timedelta(days=29)))
    assert why == "This was recorded for a day more than 28 days ago, so it stays as it is."
    assert (
        refusal(collections.void, **(undo | {"reason": " "}), by=counter.volunteer, at=NOW) == "Say why it is undone."
    )
    collections.void(**undo, by=counter.pantry_manager, at=moment(WEDNESDAY + timedelta(days=28)))
    assert Collection.objects.counted().count() == 0


# -- who may shop ------------------------------------------------------------------------------------------------------


def test_paused_and_ended_members_are_refused_without_a_why(counter):
    paused, left = counter.join(), counter.join()
    pause(paused, WEDNESDAY)
    counter.leave(left, WEDNESDAY - timedelta(days=1))
    assert refusal(counter.record, paused) == "Paused. Ask the pantry manager."
    assert refusal(counter.record, left) == "This membership has ended. Ask the pantry manager."


def test_an_open_membership_shops_before_its_first_week_and_after_its_last_unfunded_and_for_nothing(counter):
    member = counter.join(on=WEDNESDAY, clock="10:30", first_week=date(2026, 4, 20))
    early = counter.record(member)
    late = counter.record(member, day=date(2026, 10, 28))
    assert [(c.paid_week, c.paid_pence) for c in (early, late)] == [(None, 0), (None, 0)]


def test_a_member_of_another_pantry_shops_where_that_is_welcome(counter):
    elsewhere = factories.pantry(counter.operator, weekly=400, joining=500)
    member = counter.other(pantry=elsewhere)
    made = counter.record(member)
    assert (made.pantry, made.paid_pence) == (counter.pantry, 900)
    told = refusal(counter.record, member, session=counter.open(WEDNESDAY, elsewhere))
    assert told == "Already collected this week. Collected today 10:42 by Jo."
    counter.pantry.welcomes_other_pantries = False
    counter.pantry.save()
    session = PantrySession.objects.select_related("pantry").get(pk=counter.session.pk)
    why = refusal(counter.record, counter.other(pantry=elsewhere), session=session)
    assert why == "Member of another pantry. Ask the pantry manager."


def test_a_member_of_another_operator_is_nobody_here(counter):
    stranger = Counter().join()
    assert refusal(counter.record, stranger) == "No member here has this number. Ask the pantry manager."


# -- paid at the counter -----------------------------------------------------------------------------------------------


def test_other_members_pay_the_weekly_price_and_the_joining_fee_on_the_first_visit(counter):
    member = counter.other()
    paid = [counter.record(member, day=WEDNESDAY + n * WEEK).paid_pence for n in range(2)]
    factories.tariff(counter.pantry, date(2026, 4, 20), weekly=450)
    paid += [counter.record(member, day=WEDNESDAY + n * WEEK).paid_pence for n in range(2, 4)]
    assert paid == [1350, 350, 450, 450]


def test_no_joining_fee_within_12_months_of_leaving(counter):
    earlier = counter.other()
    counter.leave(earlier, date(2026, 4, 7))
    earlier.refresh_from_db()
    again = counter.other(previous=earlier, on=date(2026, 4, 8))
    assert counter.record(again).paid_pence == 350


def test_the_fee_is_due_again_when_the_first_visit_was_undone(counter):
    member = counter.other()
    first = counter.record(member)
    collections.void(collection=first, reason="Wrong day", by=counter.volunteer, at=NOW)
    assert counter.record(member).paid_pence == 1350


def test_from_the_self_pay_week_on_the_member_pays_unless_the_week_is_bought(counter):
    member = counter.join()
    member.self_pay_from = date(2026, 4, 13)
    member.save()
    days = [WEDNESDAY, WEDNESDAY + WEEK, date(2026, 10, 7)]
    assert [counter.record(member, day=day).paid_pence for day in days] == [0, 0, 350]


def test_without_an_agreed_price_nothing_is_taken():
    counter = Counter(weekly=None)
    assert counter.record(counter.other()).paid_pence == 0


# -- days --------------------------------------------------------------------------------------------------------------


def test_later_rows_are_for_the_manager_and_marked_late(counter):
    member, today = counter.join(), WEDNESDAY + timedelta(days=5)
    given = {"collected_at": moment(WEDNESDAY, "10:00"), "at": moment(today)}
    why = refusal(counter.record, member, **given)
    assert why == "This session has closed. Ask the pantry manager to add what is missing."
    made = counter.record(member, **given, by=counter.pantry_manager)
    assert (made.on, made.is_late, made.week) == (WEDNESDAY, True, date(2026, 4, 6))
    words = collections.said(made, today)
    first = counter.pantry_manager.get_short_name()
    assert words == f"Collected on Wednesday 8 April, entered late on 13 April by {first}"
    too_late = given | {"at": moment(WEDNESDAY + timedelta(days=29))}
    why = refusal(counter.record, counter.join(), **too_late, by=counter.pantry_manager)
    assert why == "This session was more than 28 days ago. Nothing can be added to it."


def test_a_late_row_is_judged_as_on_its_day(counter):
    member = counter.join()
    pause(member, WEDNESDAY + timedelta(days=1))
    given = {
        "collected_at": moment(WEDNESDAY),
        "at": moment(WEDNESDAY + timedelta(days=2)),
        "by": counter.pantry_manager,
    }
    assert counter.record(member, **given).is_late is True


def test_nothing_is_recorded_before_its_day_or_on_another(counter):
    day_before = moment(WEDNESDAY - timedelta(days=1))
    why = refusal(counter.record, counter.join(), at=day_before)
    assert why == "This session has not started yet. Nothing can be recorded before its day."
    why = refusal(counter.record, counter.join(), collected_at=day_before)
    assert why == "The day of a collection is the day of its session."


def test_half_past_midnight_in_summer_belongs_to_the_london_date():
    counter = Counter((3, time(0, 0), time(2, 0)), (2, time(10), time(12)))
    thursday = counter.open(date(2026, 4, 9))
    made = counter.record(counter.join(), session=thursday, day=date(2026, 4, 9), clock="00:30")
    assert (made.collected_at.isoformat(), made.on) == ("2026-04-09T00:30:00+01:00", date(2026, 4, 9))


# -- sessions ----------------------------------------------------------------------------------------------------------


def opened(pantry, on) -> list[tuple[str, str]]:
    return [(f"{s.opens:%H:%M}", f"{s.closes:%H:%M}") for s in sessions.for_day(pantry=pantry, on=on)]


def test_a_days_sessions_open_by_themselves_and_once():
    pantry = factories.pantry(None, (2, time(14), time(16)), (2, time(10), time(12)))
    for _ in range(2):
        assert opened(pantry, WEDNESDAY) == [("10:00", "12:00"), ("14:00", "16:00")]
    assert opened(pantry, WEDNESDAY + timedelta(days=1)) == []
    assert PantrySession.objects.count() == 2


def test_closed_days_have_no_session_and_say_why(counter):
    def day(on):
        [found] = sessions.overview(pantries=[counter.pantry], on=on)
        return [s.on for s in found.sessions], found.closed_because, found.next and found.next[0]

    assert day(WEDNESDAY) == ([WEDNESDAY], "", None)
    assert day(WEDNESDAY + timedelta(days=1)) == ([], "", WEDNESDAY + WEEK)
    Closure.objects.create(
        pantry=counter.pantry,
        from_on=WEDNESDAY + WEEK,
        until_on=WEDNESDAY + WEEK,
        reason="the boiler is mended",
        announced_at=NOW,
        announced_by=counter.pantry_manager,
    )
    assert day(WEDNESDAY + WEEK) == ([], "the boiler is mended", WEDNESDAY + 2 * WEEK)
    counter.pantry.closing_on = WEDNESDAY + 2 * WEEK
    assert day(WEDNESDAY + 2 * WEEK) == ([], "the pantry has closed for good", None)


def test_bank_holidays_close_unless_the_pantry_says_otherwise():
    easter_monday = date(2026, 4, 6)
    pantry = factories.pantry(None, (0, time(10), time(12)))
    [day] = sessions.overview(pantries=[pantry], on=easter_monday)
    assert (day.sessions, day.closed_because) == ([], "bank holiday (Easter Monday)")
    pantry.closes_on_bank_holidays = False
    assert opened(pantry, easter_monday) == [("10:00", "12:00")]


def test_a_session_given_up_after_something_was_recorded_stays(counter):
    Closure.objects.create(
        pantry=counter.pantry,
        from_on=WEDNESDAY,
        until_on=WEDNESDAY,
        reason="no heating",
        announced_at=NOW,
        announced_by=counter.pantry_manager,
    )
    assert sessions.for_day(pantry=counter.pantry, on=WEDNESDAY) == []
    counter.record(counter.join())
    assert sessions.for_day(pantry=counter.pantry, on=WEDNESDAY) == [counter.session]


def test_volunteers_see_todays_sessions_and_collections_only(counter):
    made = counter.record(counter.join())
    stranger = factories.user(Role.PANTRY_VOLUNTEER, counter.operator)
    with at():
        assert list(PantrySession.objects.for_user(counter.volunteer)) == [counter.session]
        assert list(Collection.objects.for_user(counter.volunteer)) == [made]
        assert list(PantrySession.objects.for_user(stranger)) == []
    with at(WEDNESDAY + timedelta(days=1)):
        assert list(PantrySession.objects.for_user(counter.volunteer)) == []
        assert list(Collection.objects.for_user(counter.volunteer)) == []
        assert list(PantrySession.objects.for_user(counter.pantry_manager)) == [counter.session]
