"""Every change of a membership and every refusal: each state of rules.md with each thing that can be done to it."""

from datetime import date, timedelta
from itertools import product

import pytest

from pantry import roster, rules
from pantry.models import Membership, MembershipMove, PaidWeek, SharedNeed
from pantry.services import journal, memberships, sessions
from pantry.services.memberships import states
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK
from tests.factories import World, moment

pytestmark = pytest.mark.django_db

JOINED, FIRST = date(2026, 4, 2), date(2026, 4, 6)
PAUSED_ON, ON = date(2026, 5, 20), date(2026, 6, 10)  # both Wednesdays


@pytest.fixture
def world():
    return World(hold_after_weeks_without_collection=0)


def make(w: World, state: str) -> Membership:
    """A member in this state, through the services."""
    if state == "pending":
        return memberships.add_pending(pantry=w.pantry, preferred_name="Kim", by=w.pantry_manager, at=moment(JOINED))
    member = w.join()
    if state == "paused":
        memberships.pause(membership=member, on=PAUSED_ON, by=w.advisor, at=moment(PAUSED_ON))
    if state == "ended":
        w.leave(member, PAUSED_ON)
    return Membership.objects.get(pk=member.pk)


def confirm(w, member):
    memberships.confirm(membership=member, agreement=w.agreement, by=w.advisor, at=moment(ON))


def open_unfunded(w, member):
    memberships.confirm(membership=member, by=w.pantry_manager, at=moment(ON))


def not_confirmed(w, member):
    memberships.not_confirmed(membership=member, by=w.advisor, at=moment(ON))


def pause(w, member):
    memberships.pause(membership=member, on=ON, by=w.advisor, at=moment(ON))


def resume(w, member):
    memberships.resume(membership=member, on=ON, by=w.advisor, at=moment(ON))


def keep_paused(w, member):
    memberships.keep_paused(membership=member, by=w.manager, at=moment(ON))


def leave(w, member):
    w.leave(member, ON)


def died(w, member):
    memberships.died(membership=member, on=ON, by=w.advisor, at=moment(ON))


LEFT = "Member 1 left on 20 May 2026 already. They can join anew."
WAITS = "Member 1 is waiting to be confirmed. Confirm or end the membership first."
TABLE = {
    ("pending", confirm): "open",
    ("pending", open_unfunded): "open",
    ("pending", not_confirmed): "ended",
    ("pending", pause): WAITS,
    ("pending", resume): "Member 1 is waiting to be confirmed and not paused.",
    ("pending", keep_paused): "Member 1 is not paused.",
    ("pending", leave): "ended",
    ("pending", died): "ended",
    ("open", confirm): "Member 1 is open already.",
    ("open", open_unfunded): "Member 1 is open already.",
    ("open", not_confirmed): "Member 1 has been confirmed: it is open.",
    ("open", pause): "paused",
    ("open", resume): "Member 1 is open already.",
    ("open", keep_paused): "Member 1 is not paused.",
    ("open", leave): "ended",
    ("open", died): "ended",
    ("paused", confirm): "Member 1 has been confirmed: it is paused.",
    ("paused", open_unfunded): "Member 1 has been confirmed: it is paused.",
    ("paused", not_confirmed): "Member 1 has been confirmed: it is paused.",
    ("paused", pause): "Member 1 is paused already.",
    ("paused", resume): "open",
    ("paused", keep_paused): "paused",
    ("paused", leave): "ended",
    ("paused", died): "ended",
    ("ended", confirm): LEFT,
    ("ended", open_unfunded): LEFT,
    ("ended", not_confirmed): LEFT,
    ("ended", pause): LEFT,
    ("ended", resume): LEFT,
    ("ended", keep_paused): "Member 1 is not paused.",
    ("ended", leave): LEFT,
    ("ended", died): "ended",
}
VERBS = (confirm, open_unfunded, not_confirmed, pause, resume, keep_paused, leave, died)


@pytest.mark.parametrize(
    ("state", "verb", "expected"),
    [(*pair, expected) for pair, expected in TABLE.items()],
    ids=[f"{state}-{verb.__name__}" for state, verb in TABLE],
)
def test_what_each_verb_does_in_each_state(world, state, verb, expected):
    member = make(world, state)
    if expected in Membership.State.values:
        verb(world, member)
        member.refresh_from_db()
        assert (member.state, member.moves.last().state) == (expected, expected)
    else:
        before = list(MembershipMove.objects.values_list("pk"))
        with pytest.raises(Refused) as refusal:
            verb(world, member)
        assert str(refusal.value) == expected
        member.refresh_from_db()
        assert (member.state, list(MembershipMove.objects.values_list("pk"))) == (state, before)
    assert journal.check(ON) == []


def test_the_table_holds_every_state_with_every_verb():
    assert set(TABLE) == set(product(Membership.State.values, VERBS))


def test_the_verbs_reach_exactly_the_moves_of_the_rules():
    reached = {(state, to) for (state, verb), to in TABLE.items() if to in Membership.State.values and to != state}
    assert reached == {(state, to) for state, targets in rules.MEMBERSHIP_MOVES.items() for to in targets}


PAIRS = list(product(Membership.State.values, repeat=2))


@pytest.mark.parametrize(("state", "to"), PAIRS, ids=map("-".join, PAIRS))
def test_every_pair_of_states_is_allowed_or_refused_in_words(state, to):
    member = Membership(number=1, state=state, ended_on=PAUSED_ON if state == "ended" else None)
    if to in rules.MEMBERSHIP_MOVES[state]:
        states.check_can_become(member, to)
    else:
        with pytest.raises(Refused, match="^Member 1 (is|has been|left) .*[.]$"):
            states.check_can_become(member, to)


# -- days --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "words"),
    [
        (ON + timedelta(days=1), "The first day has not come yet"),
        (ON - timedelta(days=29), "up to 28 days back"),
        (date(2026, 5, 26), "Member 1 has been open since 27 May 2026. Enter that day or a later one."),
        (date(2026, 6, 2), "Member 1 collected on 3 June 2026. The first day cannot be before that."),
    ],
    ids=["to-come", "too-far-back", "before-the-last-change", "before-a-collection"],
)
def test_the_day_of_a_pause_is_refused_in_words(world, on, words):
    member = make(world, "paused")
    back = date(2026, 5, 27)
    memberships.resume(membership=member, on=back, by=world.advisor, at=moment(back))
    world.collect(member, date(2026, 6, 3))
    assert not memberships.can_pause(Membership.objects.get(), on, ON)
    with pytest.raises(Refused, match=words):
        memberships.pause(membership=member, on=on, by=world.advisor, at=moment(ON))
    assert memberships.can_pause(Membership.objects.get(), date(2026, 6, 3), ON)


def test_nobody_resumes_before_the_pause_began(world):
    member = make(world, "paused")
    on = date(2026, 6, 3)
    assert not memberships.can_resume(member, PAUSED_ON - timedelta(days=1), on)
    with pytest.raises(Refused, match="has been paused since 20 May 2026"):
        memberships.resume(membership=member, on=PAUSED_ON - timedelta(days=1), by=world.advisor, at=moment(on))
    assert memberships.can_resume(member, PAUSED_ON, on)


# -- died, hidden ------------------------------------------------------------------------------------------------------


def test_a_death_stops_everything_and_credits_the_weeks_after_it(world):
    member = world.join()
    Membership.objects.update(stop_renewal=True)
    assert memberships.died(membership=member, on=ON, by=world.advisor, at=moment(ON + timedelta(days=5))) == 16 * 350
    member.refresh_from_db()
    assert (member.state, member.end_reason, member.ended_on, member.next_due_on) == ("ended", "died", ON, None)
    assert not member.paid_weeks.filter(state="dated", week__gt=ON).exists()
    assert journal.check(ON) == []


@pytest.mark.parametrize(
    ("on", "ended"),
    [
        (date(2026, 3, 1), date(2026, 6, 3)),  # before they joined
        (date(2026, 5, 1), date(2026, 6, 3)),  # a collection was recorded since
        (date(2026, 6, 9), date(2026, 6, 9)),
    ],
)
def test_a_death_is_never_refused_for_what_was_recorded_since(world, on, ended):
    member = world.join()
    world.collect(member, date(2026, 6, 3))
    memberships.died(membership=member, on=on, by=world.advisor, at=moment(ON))
    member.refresh_from_db()
    assert (member.state, member.ended_on) == ("ended", ended)
    assert journal.check(ON) == []


def test_who_died_is_on_no_list_of_that_very_day(world):
    member, other = world.join(), world.join()
    [session] = sessions.for_day(pantry=world.pantry, on=ON)
    memberships.died(membership=member, on=ON, by=world.advisor, at=moment(ON))
    world.leave(other, ON)
    assert list(roster.listed(session)) == [other]


def test_a_death_told_long_after_credits_28_days_back(world):
    member = world.join()
    memberships.died(membership=member, on=date(2026, 4, 10), by=world.advisor, at=moment(ON))
    member.refresh_from_db()
    assert member.ended_on == ON - timedelta(days=28)


def test_a_death_after_leaving_keeps_them_from_every_list_and_from_joining_again(world):
    member = make(world, "ended")
    assert memberships.died(membership=member, on=ON, by=world.advisor, at=moment(ON)) == 0
    member.refresh_from_db()
    assert (member.end_reason, member.ended_on) == ("died", PAUSED_ON)
    with pytest.raises(Refused, match="cannot join again"):
        world.join(ON, previous=member)
    assert memberships.died(membership=member, on=ON, by=world.advisor, at=moment(ON)) == 0
    assert AuditEvent.objects.filter(verb="pantry.membership.ended").count() == 2


def test_a_death_to_come_is_refused(world):
    with pytest.raises(Refused, match="has not come yet"):
        memberships.died(membership=world.join(), on=ON, by=world.advisor, at=moment(ON - WEEK))


def test_who_is_hidden_goes_on_under_the_number_alone(world):
    member = world.join(needs=[("allergen", "milk"), ("diet", "halal")])
    memberships.hide(membership=member, by=world.advisor, at=moment(ON))
    member.refresh_from_db()
    assert (member.preferred_name, member.called, member.state) == ("", "Number only", "open")
    assert SharedNeed.objects.count() == 0
    assert world.collect(member, ON).paid_week.week == date(2026, 6, 8)


# -- who turned up by themselves ---------------------------------------------------------------------------------------


def turns_up(w: World, on: date, clock: str = "10:20", **more) -> Membership:
    at = moment(on, clock)
    return memberships.add_pending(pantry=w.pantry, preferred_name="Kim", by=w.pantry_manager, at=at, **more)


def test_who_turns_up_is_pending_unfunded_and_a_member_from_this_week_on(world):
    member = turns_up(world, date(2026, 4, 8), "11:59", needs=[("diet", "halal")])
    assert (member.state, member.number, member.agreement, member.first_week) == ("pending", 1, None, FIRST)
    assert (member.places.get().from_week, PaidWeek.objects.count(), member.next_due_on) == (FIRST, 0, None)
    assert list(member.needs.values_list("kind", "value")) == [("diet", "halal")]


def test_confirming_buys_block_1_with_the_fee_and_links_what_was_collected(world):
    member = turns_up(world, date(2026, 4, 8))
    taken = world.collect(member, date(2026, 4, 15))
    assert (taken.paid_week, taken.paid_pence) == (None, 0)
    at = moment(date(2026, 4, 20))
    memberships.confirm(
        membership=member, agreement=world.agreement, first_week=date(2026, 4, 13), by=world.advisor, at=at
    )
    [block] = member.blocks.all()
    assert (block.block_no, block.price_pence, block.starts_on) == (1, 10100, date(2026, 4, 13))
    taken.refresh_from_db()
    assert taken.paid_week.week == date(2026, 4, 13)
    member.refresh_from_db()
    assert member.next_due_on == date(2026, 4, 13) + 26 * WEEK - timedelta(days=28)
    assert journal.check(ON) == []


@pytest.mark.parametrize(
    ("wanted", "starts"),
    [(None, date(2026, 4, 27)), (date(2026, 5, 11), date(2026, 5, 11)), (FIRST, FIRST)],
    ids=["the-next-session", "weeks-ahead", "back-to-the-first-visit"],
)
def test_a_confirmed_member_is_paid_for_from_the_chosen_week(world, wanted, starts):
    member = turns_up(world, date(2026, 4, 8))
    at = moment(date(2026, 4, 23))
    memberships.confirm(membership=member, agreement=world.agreement, first_week=wanted, by=world.advisor, at=at)
    assert member.blocks.get().starts_on == starts


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (date(2026, 3, 30), "from 6 April 2026 on"),
        (date(2026, 6, 29), "up to 8 weeks ahead"),
    ],
)
def test_a_week_that_cannot_be_paid_for_is_refused(world, wanted, words):
    member = turns_up(world, date(2026, 4, 8))
    at = moment(date(2026, 4, 23))
    with pytest.raises(Refused, match=words):
        memberships.confirm(membership=member, agreement=world.agreement, first_week=wanted, by=world.advisor, at=at)
    assert Membership.objects.get().state == "pending"


def test_who_is_opened_unfunded_pays_at_the_counter(world):
    member = turns_up(world, date(2026, 4, 8))
    memberships.confirm(membership=member, by=world.pantry_manager, at=moment(date(2026, 4, 9)))
    assert world.collect(member, date(2026, 4, 15)).paid_pence == 350 + 1000
    assert journal.check(ON) == []


def test_a_confirmed_member_who_was_here_before_pays_no_second_fee(world):
    before = make(world, "ended")
    member = turns_up(world, ON)
    memberships.confirm(membership=member, agreement=world.agreement, previous=before, by=world.advisor, at=moment(ON))
    assert [b.joining_pence for b in member.blocks.all()] == [0]


def test_nobody_is_funded_while_pending(world):
    member = turns_up(world, ON)
    with pytest.raises(Refused, match="waiting to be confirmed"):
        memberships.fund(membership=member, agreement=world.agreement, by=world.manager, at=moment(ON))


def test_a_pantry_that_closes_for_good_takes_nobody(world):
    world.pantry.closing_on = FIRST
    world.pantry.save()
    with pytest.raises(Refused, match="closes for good on 6 April 2026"):
        turns_up(world, date(2026, 4, 8))
    assert Membership.objects.count() == 0
