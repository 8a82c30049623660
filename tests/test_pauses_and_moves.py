"""Where paid weeks lie when a member pauses, resumes or moves, and what the journal then says."""

import re
from datetime import date, time, timedelta

import pytest
from django.db import connection

from pantry import money
from pantry.models import Account, JournalEntry, JournalLine, Membership, PaidWeek, Place
from pantry.services import by_hand, journal, memberships, places, renewals
from stockport_hubs.core import triggers
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK
from tests import factories
from tests.factories import World, moment

pytestmark = [pytest.mark.django_db, pytest.mark.vectors]

FIRST, DUE = date(2026, 4, 6), date(2026, 9, 7)
WEEKS = [FIRST + WEEK * n for n in range(80)]


@pytest.fixture
def world():
    return World(hold_after_weeks_without_collection=0)


def dated(member: Membership) -> list[date | None]:
    return list(member.paid_weeks.order_by("block__block_no", "position").values_list("week", flat=True))


def pause(w: World, member: Membership, on: date, at: date | None = None) -> None:
    memberships.pause(membership=member, on=on, by=w.advisor, at=moment(at or on))


def resume(w: World, member: Membership, on: date, clock: str = "09:00", at: date | None = None) -> None:
    memberships.resume(membership=member, on=on, by=w.advisor, at=moment(at or on, clock))


def renew(on: date) -> renewals.Sweep:
    return renewals.sweep(on=on, at=moment(on), job="test")


def announce(w: World, from_on: date, until_on: date, on: date, pantry=None) -> int:
    given = {"pantry": pantry or w.pantry, "from_on": from_on, "until_on": until_on, "reason": "Repairs"}
    return places.announce_closure(**given, by=w.pantry_manager, at=moment(on)).members_moved


# -- pause and resume --------------------------------------------------------------------------------------------------


def test_a_pause_parks_the_weeks_whose_monday_is_later_and_nothing_is_due(world):
    member = world.join()
    pause(world, member, WEEKS[9] + timedelta(days=2))
    member.refresh_from_db()
    assert dated(member) == WEEKS[:10] + [None] * 16
    assert (member.state, member.next_due_on) == ("paused", None)
    assert renew(DUE + 20 * WEEK).renewed == 0
    assert journal.check(DUE) == []


@pytest.mark.parametrize(
    ("on", "clock", "starts"),
    [
        (WEEKS[14], "09:00", 14),  # Monday: Wednesday's session is to come
        (WEEKS[14] + timedelta(days=2), "09:59", 14),
        (WEEKS[14] + timedelta(days=2), "10:00", 15),  # it has opened
        (WEEKS[14] + timedelta(days=6), "12:00", 15),
    ],
    ids=["before-the-session", "a-minute-before", "as-it-opens", "after-it"],
)
def test_resuming_dates_them_onto_the_next_free_open_weeks(world, on, clock, starts):
    member = world.join()
    pause(world, member, WEEKS[9] + timedelta(days=2))
    resume(world, member, on, clock)
    member.refresh_from_db()
    assert dated(member) == WEEKS[:10] + WEEKS[starts : starts + 16]
    assert (member.state, member.next_due_on) == ("open", WEEKS[starts + 16] - timedelta(days=28))
    assert {week.pence for week in member.paid_weeks.all()} == {350}
    assert journal.check(on) == []


def test_a_next_block_already_bought_moves_with_it_at_its_price(world):
    member = world.join()
    renew(DUE)
    factories.tariff(world.pantry, WEEKS[26], 450)
    on = WEEKS[23] + timedelta(days=1)
    pause(world, member, on)
    assert dated(member) == WEEKS[:24] + [None] * 28
    resume(world, member, on + 6 * WEEK)
    assert dated(member) == WEEKS[:24] + WEEKS[29:57]
    first, second = member.blocks.all()
    assert (first.price_pence, second.price_pence) == (10100, 9100)
    member.refresh_from_db()
    assert member.next_due_on == WEEKS[57] - timedelta(days=28)
    assert journal.check(on) == []


def test_resuming_in_the_week_of_the_pause_leaves_that_week_used(world):
    member = world.join()
    on = WEEKS[9] + timedelta(days=1)
    pause(world, member, on)
    resume(world, member, on)
    assert dated(member) == WEEKS[:26]


def test_a_pause_told_late_gives_back_the_weeks_since(world):
    member = world.join()
    pause(world, member, WEEKS[7] + timedelta(days=3), at=WEEKS[9] + timedelta(days=3))
    assert dated(member) == WEEKS[:8] + [None] * 18
    resume(world, member, WEEKS[8] + timedelta(days=1), at=WEEKS[9] + timedelta(days=3))
    assert dated(member) == WEEKS[:26]
    assert journal.check(DUE) == []


def test_weeks_closed_meanwhile_are_passed_over_when_the_member_resumes(world):
    member = world.join()
    pause(world, member, WEEKS[9])
    assert announce(world, WEEKS[16], WEEKS[17] + timedelta(days=6), WEEKS[12]) == 0
    resume(world, member, WEEKS[14])
    assert dated(member) == WEEKS[:10] + WEEKS[14:16] + WEEKS[18:32]
    assert journal.check(DUE) == []


def test_a_pause_before_the_first_week_keeps_it_from_being_used(world):
    member = world.join(first_week=FIRST + 2 * WEEK)
    pause(world, member, date(2026, 4, 8))
    resume(world, member, date(2026, 4, 9))
    assert dated(member) == WEEKS[2:28]


def test_leaving_in_a_pause_credits_every_parked_week(world):
    member = world.join()
    pause(world, member, WEEKS[9] + timedelta(days=2))
    assert world.leave(member, WEEKS[20]) == 16 * 350
    assert journal.check(DUE) == []


def test_the_renewal_of_who_resumes_is_contiguous_with_the_weeks_as_they_lie(world):
    member = world.join()
    pause(world, member, WEEKS[9])
    resume(world, member, WEEKS[15])
    member.refresh_from_db()
    assert renew(member.next_due_on - timedelta(days=1)).renewed == 0
    assert renew(member.next_due_on).renewed == 1
    assert dated(member) == WEEKS[:10] + WEEKS[15:57]


def test_no_block_is_laid_on_the_weeks_of_a_pause(world):
    member = world.join()
    Membership.objects.update(stop_renewal=True)
    renew(DUE)
    pause(world, member, WEEKS[27] + timedelta(days=1))  # block 1 has run out, nothing is left to park
    resume(world, member, WEEKS[31])
    [decision] = member.renewal_decisions.all()
    renewals.decide(decision=decision, outcome="renewed", by=world.manager, at=moment(WEEKS[32]))
    assert dated(member) == WEEKS[:27] + WEEKS[31:56]
    assert journal.check(WEEKS[32]) == []


def test_who_is_paused_without_weeks_left_is_held_and_not_renewed(world):
    member = world.join()
    Membership.objects.update(next_due_on=None)  # nothing was decided in time
    pause(world, member, WEEKS[25] + timedelta(days=1))
    assert renew(WEEKS[26]).held == 1
    assert member.renewal_decisions.get().reasons == ["paused"]


# -- moves -------------------------------------------------------------------------------------------------------------

THURSDAY, MONDAY = (3, time(10), time(12)), (0, time(10), time(12))
ON = WEEKS[9] + timedelta(days=2)


def move(w: World, member: Membership, pantry, from_week: date, on: date = ON) -> Place:
    return memberships.move(membership=member, pantry=pantry, from_week=from_week, by=w.pantry_manager, at=moment(on))


def at(pantry) -> list[date]:
    return list(PaidWeek.objects.filter(pantry=pantry).order_by("week").values_list("week", flat=True))


def test_a_move_closes_one_place_and_opens_the_next_with_its_weeks(world):
    member, new = world.join(), factories.pantry(world.operator, THURSDAY, weekly=450)
    move(world, member, new, WEEKS[12])
    assert list(member.places.values_list("pantry", "from_week", "to_week")) == [
        (world.pantry.pk, FIRST, WEEKS[12] - timedelta(days=1)),
        (new.pk, WEEKS[12], None),
    ]
    assert (at(world.pantry), at(new)) == (WEEKS[:12], WEEKS[12:26])
    [entry] = JournalEntry.objects.filter(kind="transfer")
    assert sorted(entry.lines.values_list("account", "pence", "pantry")) == sorted(
        [("weeks", -4900, world.pantry.pk), ("weeks", 4900, new.pk)]
    )
    assert journal.check(ON) == []


def test_each_pantry_has_its_own_weeks_and_money(world):
    member, new = world.join(), factories.pantry(world.operator, THURSDAY)
    move(world, member, new, WEEKS[12])
    positions = money.by_pantry(world.agreement, WEEKS[12])
    found = {each.pantry.pk: (each.bought_weeks, each.missed_weeks) for each in positions}
    assert found == {world.pantry.pk: (12, 12), new.pk: (14, 0)}


def test_weeks_land_on_the_new_pantrys_open_weeks(world):
    member, new = world.join(), factories.pantry(world.operator, MONDAY)
    move(world, member, new, WEEKS[17])  # 31 August, WEEKS[21], is a bank holiday
    assert at(new) == WEEKS[17:21] + WEEKS[22:27]
    member.refresh_from_db()
    assert member.next_due_on == WEEKS[27] - timedelta(days=28)
    assert journal.check(ON) == []


def test_a_closure_at_the_old_pantry_sends_the_last_weeks_to_the_new_one(world):
    member, new = world.join(), factories.pantry(world.operator)
    move(world, member, new, WEEKS[12])
    assert announce(world, WEEKS[11], WEEKS[11] + timedelta(days=6), ON) == 1
    assert (at(world.pantry), at(new)) == (WEEKS[:11], WEEKS[12:27])
    assert JournalEntry.objects.filter(kind="transfer").count() == 2
    assert journal.check(ON) == []


def test_the_next_block_is_bought_at_the_new_pantry_at_its_price(world):
    member, new = world.join(), factories.pantry(world.operator, weekly=450)
    move(world, member, new, WEEKS[12])
    assert renew(DUE).renewed == 1
    block = member.blocks.get(block_no=2)
    assert (block.weekly_pence, set(block.paid_weeks.values_list("pantry", flat=True))) == (450, {new.pk})


def test_a_block_bought_across_a_coming_move_belongs_to_both(world):
    member, new = world.join(), factories.pantry(world.operator)
    on = WEEKS[24] - timedelta(days=5)
    renew(DUE - timedelta(days=7))
    move(world, member, new, WEEKS[30], on)
    assert renew(on).renewed == 1
    block = member.blocks.get(block_no=2)
    weeks = dict(block.paid_weeks.values_list("week", "pantry"))
    assert weeks == dict.fromkeys(WEEKS[26:30], world.pantry.pk) | dict.fromkeys(WEEKS[30:52], new.pk)
    assert journal.check(on) == []


def test_who_moves_while_paused_resumes_at_the_new_pantry(world):
    member, new = world.join(), factories.pantry(world.operator)
    pause(world, member, WEEKS[9])
    move(world, member, new, WEEKS[12])
    assert set(PaidWeek.objects.filter(state="parked").values_list("pantry", flat=True)) == {new.pk}
    assert journal.check(ON) == []
    resume(world, member, WEEKS[11])  # a week before the move
    assert (at(world.pantry), at(new)) == (WEEKS[:10] + WEEKS[11:12], WEEKS[12:27])
    assert journal.check(ON) == []


def test_a_move_to_and_fro_transfers_each_time(world):
    member, new = world.join(), factories.pantry(world.operator)
    move(world, member, new, WEEKS[12])
    move(world, member, world.pantry, WEEKS[15], WEEKS[12] + timedelta(days=1))
    assert (at(new), at(world.pantry)) == (WEEKS[12:15], WEEKS[:12] + WEEKS[15:26])
    assert JournalLine.objects.filter(source_type="move", account=Account.WEEKS).count() == 4
    assert journal.check(ON) == []


def test_a_move_that_has_not_begun_is_taken_back(world):
    member, new = world.join(), factories.pantry(world.operator, MONDAY)
    move(world, member, new, WEEKS[12])
    memberships.take_back_move(membership=member, by=world.pantry_manager, at=moment(ON))
    assert list(member.places.values_list("pantry", "to_week")) == [(world.pantry.pk, None)]
    assert at(world.pantry) == WEEKS[:26]
    assert journal.check(ON) == []
    with pytest.raises(Refused, match="no move to take back"):
        memberships.take_back_move(membership=member, by=world.pantry_manager, at=moment(ON))


def test_a_move_before_the_first_week_changes_the_pantry_itself(world):
    member, new = world.join(first_week=WEEKS[4]), factories.pantry(world.operator)
    move(world, member, new, WEEKS[3], date(2026, 4, 8))
    assert list(member.places.values_list("pantry", "from_week", "to_week")) == [(new.pk, WEEKS[4], None)]
    assert at(new) == WEEKS[4:30]
    assert journal.check(ON) == []


def test_leaving_before_a_move_begins_ends_at_the_old_pantry(world):
    member, new = world.join(), factories.pantry(world.operator)
    move(world, member, new, WEEKS[12])
    assert world.leave(member, ON) == 16 * 350
    assert list(member.places.values_list("pantry", "to_week")) == [(world.pantry.pk, WEEKS[9] + timedelta(days=6))]
    assert journal.check(ON) == []


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("ended", "Member 1 left on 9 June 2026. They can join anew at"),
        ("pending", "waiting to be confirmed"),
        ("another operator", "run by another organisation, so weeks cannot move there"),
        ("not a Monday", "A move begins on a Monday. That week’s Monday is 22 June 2026."),
        ("a week that has begun", "weeks that have begun stay where they are. Choose 15 June 2026 or a later Monday."),
        ("too far ahead", "up to 8 weeks ahead: choose 3 August 2026 or an earlier Monday"),
        ("a closing pantry", "closes for good on 29 June 2026. Choose another pantry."),
        ("the same pantry", "belongs to .* already"),
        ("a move to come", "Take that move back first"),
        ("a full pantry", "is full: all 1 places are taken"),
    ],
)
def test_a_move_that_cannot_be_is_refused_in_words(world, case, words):
    new = factories.pantry(None if case == "another operator" else world.operator)
    from_week = WEEKS[12]
    if case == "pending":
        given = {"pantry": world.pantry, "preferred_name": "", "by": world.pantry_manager, "at": moment(FIRST)}
        member = memberships.add_pending(**given)
    else:
        member = world.join()
    if case == "ended":
        world.leave(member, ON - timedelta(days=1))
    elif case == "not a Monday":
        from_week = WEEKS[11] + timedelta(days=1)
    elif case == "a week that has begun":
        from_week = WEEKS[9]
    elif case == "too far ahead":
        from_week = WEEKS[18]
    elif case == "a closing pantry":
        new.closing_on = WEEKS[12]
        new.save()
    elif case == "the same pantry":
        new = world.pantry
    elif case == "a move to come":
        move(world, member, new, WEEKS[11])
        new = factories.pantry(world.operator)
    elif case == "a full pantry":
        new.capacity = 1
        new.save()
        world.join(pantry=new)
    before = list(PaidWeek.objects.order_by("pk").values_list("week", "pantry"))
    with pytest.raises(Refused, match=words):
        move(world, member, new, from_week)
    assert list(PaidWeek.objects.order_by("pk").values_list("week", "pantry")) == before


def test_buying_by_hand_after_a_move_is_at_the_new_pantry(world):
    member, new = world.join(), factories.pantry(world.operator)
    move(world, member, new, WEEKS[12])
    block = by_hand.buy(membership=member, weeks=4, by=world.manager, at=moment(ON))
    assert set(block.paid_weeks.values_list("pantry", flat=True)) == {new.pk}


# -- check_journal names what is out of place --------------------------------------------------------------------------

OLD = "(SELECT pantry_id FROM pantry_journalline WHERE leg = 'out 1')"
PLANTS = {
    "transfer out": ("pantry_journalline SET pence = pence - 1 WHERE leg = 'out 1'", "Transfers of block"),
    "transfer to the wrong pantry": (
        f"pantry_journalline SET pantry_id = {OLD} WHERE leg = 'in 1'",
        r"Block 1 of member 1: £49\.00 of weeks at .*, £0\.00 in the journal",
    ),
    "transfer in an entry of another kind": (
        "pantry_journalentry SET kind = 'credit' WHERE kind = 'transfer'",
        "stands in an entry of another kind",
    ),
    "week at the pantry they left": (
        f"pantry_paidweek SET pantry_id = {OLD} WHERE week = '2026-07-06' AND state = 'dated'",
        "Member 1: the paid week of 6 July 2026 is at a pantry they do not belong to in it.",
    ),
    "week parked without a pause": (
        "pantry_paidweek SET state = 'parked', week = NULL WHERE week = '2026-07-06' AND state = 'dated'",
        "Member 1: the paid week is parked and the member is not paused.",
    ),
    "week dated in a pause": (
        "pantry_paidweek SET state = 'dated', week = '2026-08-31' WHERE state = 'parked' AND position = 26",
        "Member 2: the paid week of 31 August 2026 is dated in a pause.",
    ),
    "week dated after the end": (
        "pantry_paidweek SET state = 'dated', credited_on = NULL WHERE state = 'credited' AND position = 26",
        "Member 3: the paid week of 28 September 2026 is dated after the end.",
    ),
    "state without its change": (
        "pantry_membership SET state = 'paused' WHERE number = 1",
        "Member 1: paused, but the last change noted is open.",
    ),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_a_week_or_transfer_planted_out_of_place_is_named(world, plant):
    mover, rests, left = [world.join() for _ in range(3)]
    move(world, mover, factories.pantry(world.operator), WEEKS[12])
    pause(world, rests, ON)
    world.leave(left, ON)
    assert journal.check(ON) == []
    change, words = PLANTS[plant]
    triggers.remove()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {change}")
        assert cursor.rowcount == 1
    triggers.install()
    found = journal.check(ON)
    assert any(re.match(f".*{words}", each) for each in found), found
