"""After acceptance: not taken up, pause, move, leave, the next block and its warnings, each with its refusals."""

import re
from datetime import date, datetime, timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.urls import reverse

from careleavers.models import CareLeaver
from careleavers.services import allocations
from pantry.models import Collection, Membership, MembershipMove, PaidWeek
from pantry.services import collections, memberships, renewals, sessions
from referrals import attendance, caseload, services
from referrals.models import FollowUp, Pause, Referral, RenewalWarning
from referrals.services import warnings
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from tests import factories
from tests.factories import moment
from tests.test_introductions import THURSDAY, introduce, person

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
FIRST = date(2026, 4, 13)  # the first week of whoever is accepted on Thursday 9 April
LATE = FIRST + timedelta(weeks=4)  # Mon 11 May: not taken up from this day on
DUE = date(2026, 9, 14)  # block 2 would start on Mon 12 October; decided 28 days before


@pytest.fixture(autouse=True)
def clock(settings):
    settings.CLOCK = datetime(2026, 4, 9, 9, 0)  # noqa: DTZ001


@pytest.fixture
def world():
    return factories.World()


def member(world, **more) -> Referral:
    referral = introduce(world, person(world, **more))
    services.accept(referral=referral, by=world.pantry_manager, at=moment(THURSDAY))
    referral.refresh_from_db()
    return referral


def collect(world, referral, on: date) -> Collection:
    [session] = sessions.for_day(pantry=world.pantry, on=on)
    at = moment(on, "10:30")
    return collections.record(
        session=session, membership=referral.membership, key=session.pk, quantities=None, fruit_and_veg=True,
        by=world.pantry_manager, collected_at=at, at=at,
    )  # fmt: skip


def refused(verb, **given) -> str:
    with pytest.raises(Refused) as why, transaction.atomic():
        verb(**given)
    return str(why.value)


def flags(world, on: date) -> list[str]:
    [row] = caseload.rows(CareLeaver.objects.for_user(world.advisor), on)
    return [flag.text for flag in row.flags]


def url(name: str, referral: Referral) -> str:
    return reverse(f"referrals:{name}", args=[referral.pk])


def day(name: str, on: date) -> dict:
    return {f"{name}_day": on.day, f"{name}_month": on.month, f"{name}_year": on.year}


# -- not taken up ------------------------------------------------------------------------------------------------------


def follow_up(world, referral, outcome, on=LATE, **more):
    given = {"referral": referral, "outcome": outcome, "by": world.advisor, "at": moment(on)} | more
    return services.follow_up(**given)


@pytest.mark.parametrize(
    "outcome, more, again",
    [
        ("will_come", {"look_again_on": LATE + timedelta(14)}, 14),
        ("came", {}, None),
        ("will_not_come", {"note": "Works in the week"}, None),
    ],
)
def test_someone_not_taken_up_is_followed_until_there_is_an_outcome(world, outcome, more, again):
    referral = member(world)
    listed = lambda on: list(Referral.objects.for_user(world.manager).not_taken_up(on)) == [referral]  # noqa: E731
    assert [listed(LATE - timedelta(1)), listed(LATE), "Not taken up" in flags(world, LATE)] == [False, True, True]
    follow_up(world, referral, outcome, **more)
    days = [LATE, LATE + timedelta(13), LATE + timedelta(14), LATE + timedelta(60)]
    assert [listed(on) for on in days] == [False, False, again == 14, again == 14]
    assert ["Not taken up" in flags(world, on) for on in days] == [False, False, again == 14, again == 14]


def test_will_not_come_ends_the_membership_and_credits_its_weeks(world):
    referral = member(world)
    _, pence = follow_up(world, referral, "will_not_come", note="Works in the week")
    referral.membership.refresh_from_db()
    assert (referral.membership.state, referral.membership.end_reason, pence) == ("ended", "left", 21 * 350)
    assert services.check_can_start(care_leaver=referral.care_leaver, at=moment(LATE)) is None


def test_a_collection_ends_the_following_up_by_itself(world):
    referral = member(world)
    collect(world, referral, date(2026, 5, 6))
    assert list(Referral.objects.for_user(world.advisor).not_taken_up(LATE)) == []
    assert "has come to the pantry" in refused(follow_up, world=world, referral=referral, outcome="came")


@pytest.mark.parametrize(
    "outcome, more, words",
    [
        ("will_come", {}, "Enter a day after today and within 8 weeks"),
        ("will_come", {"look_again_on": LATE}, "Enter a day after today"),
        ("will_come", {"look_again_on": LATE + timedelta(57)}, "within 8 weeks"),
        ("will_not_come", {}, "Write why they will not come"),
        ("perhaps", {}, "Choose what you found out"),
        ("came", {"on": LATE - timedelta(1)}, "counts as not taken up from 11 May 2026"),
    ],
)
def test_a_follow_up_that_makes_no_sense_is_refused(world, outcome, more, words):
    assert words in refused(follow_up, world=world, referral=member(world), outcome=outcome, **more)
    assert FollowUp.objects.count() == 0


@pytest.mark.parametrize("state", ["paused", "ended"])
def test_whoever_is_paused_or_has_left_is_not_followed_up(world, state):
    referral = member(world)
    if state == "paused":
        services.pause(referral=referral, reason="away", on=FIRST, by=world.advisor, at=moment(FIRST))
    else:
        world.leave(referral.membership, FIRST)
    referral.membership.refresh_from_db()
    assert {"paused": "is paused", "ended": "ended on"}[state] in refused(
        follow_up, world=world, referral=referral, outcome="came"
    )
    assert list(Referral.objects.not_taken_up(LATE)) == []
    assert "Not taken up" not in flags(world, LATE)


def test_the_page_shows_what_is_credited_before_the_membership_ends(world, client, settings):
    settings.CLOCK = datetime(2026, 5, 11, 9, 0)  # noqa: DTZ001
    referral = member(world)
    client.force_login(world.advisor)
    posted = {"outcome": "will_not_come", "note": "Works in the week"}
    assert "£73.50 goes back as credit" in client.post(url("follow_up", referral), posted).content.decode()
    assert (FollowUp.objects.count(), Membership.objects.get().state) == (0, "open")
    client.post(url("follow_up", referral), posted | {"confirmed": "yes"})
    assert (FollowUp.objects.count(), Membership.objects.get().state) == (1, "ended")
    page = client.get(reverse("careleavers:detail", args=[referral.care_leaver_id])).content.decode()
    assert "Works in the week" in page
    client.force_login(world.pantry_manager)
    page = client.get(reverse("pantry:member", args=[referral.membership_id])).content.decode()
    assert "Works in the week" not in page


def test_the_managers_list_filters_by_not_taken_up(world, client, settings):
    settings.CLOCK = datetime(2026, 5, 11, 9, 0)  # noqa: DTZ001
    referral, other = member(world), member(world)
    collect(world, other, date(2026, 4, 29))
    client.force_login(world.manager)
    page = client.get(reverse("referrals:list"), {"state": "not_taken_up"})
    assert [each.pk for each in page.context["page_obj"]] == [referral.pk]


# -- pause and resume --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", Pause.Reason.values)
def test_a_pause_keeps_its_reason_on_the_councils_side(world, client, settings, reason):
    settings.CLOCK = datetime(2026, 4, 20, 9, 0)  # noqa: DTZ001
    referral = member(world)
    posted = {"reason": reason, **day("on", date(2026, 4, 20))}
    client.force_login(world.advisor)
    assert client.post(url("pause", referral), posted).status_code == 302
    referral.membership.refresh_from_db()
    assert referral.membership.state == "paused"
    words = Pause.Reason(reason).label
    page = client.get(reverse("careleavers:detail", args=[referral.care_leaver_id])).content.decode()
    assert f"{words}, since 20 April 2026" in page
    for user, name, key in (
        (world.pantry_manager, "pantry:member", referral.membership_id),
        (world.pantry_manager, "referrals:detail", referral.pk),
        (world.finance, "pantry:member", referral.membership_id),
    ):
        client.force_login(user)
        shown = client.get(reverse(name, args=[key])).content.decode()
        shown = re.sub(r"<a [^>]*>They are away until a day</a>", "", shown)  # asked of every member
        assert (words in shown, reason in shown) == (False, False), name
    # Nor in what an audit row says.
    assert [e.detail for e in AuditEvent.objects.filter(verb__endswith=".paused")] == [{}, {}]


def test_while_paused_no_week_is_used_and_they_follow_on_resuming(world):
    referral = member(world)
    services.pause(referral=referral, reason="hospital", on=FIRST, by=world.advisor, at=moment(FIRST))
    dated = PaidWeek.objects.filter(membership=referral.membership)
    assert (dated.filter(state="dated").count(), dated.filter(state="parked").count()) == (1, 25)
    back = date(2026, 5, 4)
    services.resume(referral=referral, on=back, by=world.manager, at=moment(back))
    weeks = sorted(dated.filter(state="dated").values_list("week", flat=True))
    assert (len(weeks), weeks[:2]) == (26, [FIRST, back])
    pause = Pause.objects.get()
    assert (pause.from_on, pause.back_on, pause.resumed_by) == (FIRST, back, world.manager)
    assert list(MembershipMove.objects.order_by("on").values_list("state", flat=True)) == ["open", "paused", "open"]


@pytest.mark.parametrize(
    "verb, more, words",
    [
        ("pause", {"reason": "prison"}, "Choose why it is paused"),
        ("pause", {"on": FIRST + timedelta(1)}, "has not come yet"),
        ("resume", {}, "is open already"),
    ],
)
def test_a_pause_or_return_that_makes_no_sense_is_refused(world, verb, more, words):
    given = {"referral": member(world), "on": FIRST, "by": world.advisor, "at": moment(FIRST)}
    if verb == "pause":
        given["reason"] = "away"
    assert words in refused(getattr(services, verb), **given | more)
    assert Pause.objects.count() == 0


def test_pausing_twice_is_refused_and_leaving_ends_the_pause(world):
    referral = member(world)
    given = {"referral": referral, "on": FIRST, "by": world.advisor, "at": moment(FIRST)}
    services.pause(reason="custody", **given)
    assert "is paused already" in refused(services.pause, reason="away", **given)
    services.leave(reason="moved_away", **given)
    assert (Pause.objects.get().back_on, Membership.objects.get().end_reason) == (FIRST, "moved_away")


def test_a_pause_ended_by_the_pantry_is_over_for_the_council_too(world, client):
    referral = member(world)
    given = {"on": FIRST, "at": moment(FIRST)}
    services.pause(referral=referral, reason="custody", by=world.advisor, **given)
    memberships.resume(membership=referral.membership, by=world.pantry_manager, **given)
    again = FIRST + timedelta(3)
    services.pause(referral=referral, reason="away", on=again, by=world.advisor, at=moment(again))
    assert list(Pause.objects.values_list("reason", "back_on")) == [("custody", again), ("away", None)]


# -- leaving, moving ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", ["left", "moved_away"])
def test_an_advisor_records_leaving_after_seeing_what_is_credited(world, client, settings, reason):
    settings.CLOCK = datetime(2026, 6, 10, 9, 0)  # noqa: DTZ001
    referral = member(world)
    client.force_login(world.advisor)
    posted = {"reason": reason, **day("on", date(2026, 6, 10))}
    assert "£59.50 goes back as credit" in client.post(url("leave", referral), posted).content.decode()
    assert Membership.objects.get().state == "open"
    client.post(url("leave", referral), posted | {"confirmed": "yes"})
    assert Membership.objects.values_list("state", "end_reason", "ended_on").get() == (
        "ended", reason, date(2026, 6, 10),
    )  # fmt: skip


@pytest.mark.parametrize("reason", ["lapsed", "funding_ended", "died", "nonsense"])
def test_the_council_records_no_other_reason_for_leaving(world, reason):
    given = {"referral": member(world), "on": FIRST, "by": world.advisor, "at": moment(FIRST)}
    assert "left or moved away" in refused(services.leave, reason=reason, **given)


def test_rejoining_is_a_new_introduction_that_names_the_earlier_membership(world):
    referral = member(world)
    services.leave(referral=referral, reason="left", on=FIRST, by=world.advisor, at=moment(FIRST))
    again = introduce(world, referral.care_leaver)
    services.accept(referral=again, by=world.pantry_manager, at=moment(FIRST, "12:00"))
    again.refresh_from_db()
    assert (again.membership.previous, again.membership.blocks.get().joining_pence) == (referral.membership, 0)


def test_an_advisor_moves_someone_to_another_pantry_and_takes_it_back(world, client, settings):
    settings.CLOCK = datetime(2026, 4, 20, 9, 0)  # noqa: DTZ001
    referral, there = member(world), factories.pantry(world.operator, name="Elm Hall")
    client.force_login(world.advisor)
    page = client.get(url("move", referral)).content.decode()
    assert ("Elm Hall" in page, f'value="{world.pantry.pk}"' in page) == (True, False)
    posted = {"pantry": str(there.pk), "from_week": "2026-05-04"}
    assert client.post(url("move", referral), posted).status_code == 302
    at = lambda week: PaidWeek.objects.get(membership=referral.membership, week=week).pantry  # noqa: E731
    assert (at(date(2026, 4, 27)), at(date(2026, 5, 4))) == (world.pantry, there)
    page = client.get(reverse("careleavers:detail", args=[referral.care_leaver_id])).content.decode()
    assert "Elm Hall, from the week of 4 May 2026" in page and "Undo the move" in page
    client.post(url("move_take_back", referral))
    assert at(date(2026, 5, 4)) == world.pantry
    client.post(url("move_take_back", referral))
    assert "has no move to take back" in client.get(reverse("home")).content.decode()


def test_nothing_is_done_about_an_introduction_nobody_is_a_member_through(world, client):
    referral = introduce(world)
    client.force_login(world.advisor)
    for name in ("pause", "resume", "leave", "move", "follow_up"):
        assert client.get(url(name, referral)).status_code == 302
        assert "nobody is a member through it" in client.get(reverse("home")).content.decode()
    for verb in ("pause", "leave"):
        given = {"referral": referral, "on": FIRST, "by": world.advisor, "at": moment(FIRST), "reason": "left"}
        given |= {"reason": "away"} if verb == "pause" else {}
        assert "nobody is a member through it" in refused(getattr(services, verb), **given)


# -- the next block ----------------------------------------------------------------------------------------------------


def test_an_advisor_says_the_next_block_is_not_wanted_and_takes_it_back(world, client):
    referral = member(world)
    client.force_login(world.advisor)
    client.post(url("renewal", referral), {"stop": "yes"})
    assert Membership.objects.get().stop_renewal is True
    assert "Next block not wanted" in flags(world, THURSDAY)
    client.post(url("renewal", referral), {"stop": "yes"})
    assert "held for a manager already" in client.get(reverse("home")).content.decode()
    client.post(url("renewal", referral), {"stop": "no"})
    assert Membership.objects.get().stop_renewal is False


def test_a_block_that_is_not_wanted_is_held_for_a_manager(world):
    referral = member(world)
    services.stop_renewal(referral=referral, stop=True, by=world.advisor, at=moment(FIRST))
    done = renewals.sweep(on=DUE, at=moment(DUE), job="test")
    assert (done.renewed, done.held) == (0, 1)


def warn(on: date) -> int:
    return warnings.sweep(at=moment(on), job="referrals.warn")


def kept() -> list[tuple]:
    return list(RenewalWarning.objects.order_by("at").values_list("block_no", "weeks_ahead", "starts_on"))


def test_warnings_fall_due_8_and_5_weeks_before_the_monday_and_once_each(world):
    member(world)
    starts = DUE + timedelta(28)
    eight, five = starts - timedelta(weeks=8), starts - timedelta(weeks=5)
    days = [
        eight - timedelta(1),
        eight,
        eight,
        eight + timedelta(1),
        five - timedelta(1),
        five,
        five,
        DUE - timedelta(1),
    ]
    assert [warn(on) for on in days] == [0, 1, 0, 0, 0, 1, 0, 0]
    assert kept() == [(2, 8, starts), (2, 5, starts)]


def test_after_jobs_were_off_for_40_days_the_advisor_is_warned_once_by_the_nearer_one(world):
    member(world)
    late = DUE + timedelta(28) - timedelta(weeks=8) + timedelta(days=40 - 14)
    assert [warn(late), warn(late)] == [1, 0]
    assert [(block, weeks) for block, weeks, _ in kept()] == [(2, 5)]
    assert [warn(DUE), warn(DUE + timedelta(40))] == [0, 0]  # decided by then


def test_nobody_is_warned_of_who_is_paused_has_left_or_has_no_advisor(world):
    paused, gone, alone = member(world), member(world), member(world)
    services.pause(referral=paused, reason="away", on=FIRST, by=world.advisor, at=moment(FIRST))
    services.leave(referral=gone, reason="left", on=FIRST, by=world.advisor, at=moment(FIRST))
    alone.care_leaver.allocations.all().delete()
    assert warn(DUE - timedelta(7)) == 0


def test_the_warning_reaches_whoever_advises_or_covers_and_names_nobody(world, settings):
    on = DUE - timedelta(7)
    settings.CLOCK = datetime(on.year, on.month, on.day, 9, 0)  # noqa: DTZ001
    referral = member(world)
    cover = factories.user(Role.PERSONAL_ADVISOR, world.council)
    allocations.give_cover(
        care_leaver=referral.care_leaver, advisor=cover, from_on=on, until_on=on, by=world.manager, at=moment(on)
    )
    jobs.pump()
    mail.outbox.clear()
    warn(on)
    jobs.pump()
    assert {each.to[0] for each in mail.outbox} == {world.advisor.email, cover.email}
    [text] = {each.subject + each.body for each in mail.outbox}
    assert "12 October 2026" in text and referral.reference in text
    assert [w for w in ("Ash", "Quillfeather", "care", world.pantry.name) if w in text] == []


@pytest.mark.parametrize("what", ["left", "died", "transferred"])
def test_a_warning_that_is_no_longer_news_is_not_sent(world, settings, what):
    on = DUE - timedelta(7)
    settings.CLOCK = datetime(on.year, on.month, on.day, 9, 0)  # noqa: DTZ001
    referral = member(world)
    jobs.pump()
    mail.outbox.clear()
    warn(on)
    if what == "left":
        services.leave(referral=referral, reason="left", on=on, by=world.advisor, at=moment(on))
    elif what == "died":
        services.record_death(care_leaver=referral.care_leaver, died_on=on, by=world.advisor, at=moment(on))
    else:
        other = factories.user(Role.PERSONAL_ADVISOR, world.council)
        allocations.allocate(care_leaver=referral.care_leaver, advisor=other, on=on, by=world.manager, at=moment(on))
    jobs.pump()
    assert mail.outbox == []


def test_the_home_says_when_the_next_block_starts(world):
    member(world)
    eight = DUE + timedelta(28) - timedelta(weeks=8)
    assert ["Next block from 12 Oct" in flags(world, on) for on in (eight - timedelta(1), eight, DUE)] == [
        False, True, False,
    ]  # fmt: skip


# -- what the page reads -----------------------------------------------------------------------------------------------


def test_the_members_page_asks_the_same_number_of_queries_whatever_came_of_it(world, client, django_assert_num_queries):
    referral = member(world)
    with django_assert_num_queries(9):
        attendance.of(referral, THURSDAY)
    collect(world, referral, date(2026, 4, 15))
    collect(world, referral, date(2026, 4, 22))
    with django_assert_num_queries(7):
        attendance.of(referral, date(2026, 4, 23))
