"""Someone came to a pantry by themselves: shown to a council with their yes, confirmed by an advisor, or not known."""

from datetime import date, datetime, timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.urls import reverse

from careleavers.services import allocations
from pantry.models import Membership, PrepaidBlock
from pantry.services import collections, memberships, sessions
from referrals import attendance, services
from referrals.models import Referral, WalkIn
from referrals.services import walk_ins
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from tests import factories
from tests.factories import moment
from tests.test_introductions import THURSDAY, agree, introduce, person

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
WEDNESDAY = date(2026, 4, 8)  # they came
AT = moment(THURSDAY)


@pytest.fixture(autouse=True)
def clock(settings):
    settings.CLOCK = datetime(2026, 4, 9, 9, 0)  # noqa: DTZ001


@pytest.fixture
def world():
    return factories.World()


def pending(world, name="Zed", needs=(("diet", "vegan"),)) -> Membership:
    """Turned up on Wednesday and collected."""
    at = moment(WEDNESDAY, "10:15")
    made = memberships.add_pending(
        pantry=world.pantry, preferred_name=name, needs=list(needs), by=world.pantry_manager, at=at
    )
    [opening] = sessions.for_day(pantry=world.pantry, on=WEDNESDAY)
    collections.record(
        session=opening, membership=made, key=made.pk, quantities=None, fruit_and_veg=True,
        by=world.pantry_manager, collected_at=at, at=at,
    )  # fmt: skip
    return made


def show(world, membership=None, **more) -> WalkIn:
    given = {"membership": membership or pending(world), "council": world.council, "they_agree": True}
    return walk_ins.show(**given | {"by": world.pantry_manager, "at": AT} | more)


def ours(world, name="Zebedee"):
    found = person(world, name=name)
    agree(world, found)
    return found


def confirm(world, walk_in, care_leaver=None, **more) -> Referral:
    given = {"walk_in": walk_in, "care_leaver": care_leaver or ours(world), "agreement": world.agreement}
    return walk_ins.confirm(**given | {"by": world.advisor, "at": AT} | more)


def refused(verb, **given) -> str:
    with pytest.raises(Refused) as why, transaction.atomic():
        verb(**given)
    return str(why.value)


def test_a_confirmed_walk_in_is_introduced_accepted_and_paid_for_from_then_on(world):
    walk_in = show(world)
    referral = confirm(world, walk_in)
    referral.refresh_from_db()
    member = referral.membership
    assert (referral.state, member, member.state) == ("accepted", walk_in.membership, "open")
    assert [move.state for move in referral.moves.all()] == ["draft", "sent", "accepted"]
    assert (member.agreement, member.funded_until) == (world.agreement, date(2030, 5, 31))
    block = PrepaidBlock.objects.get()
    assert (block.block_no, block.price_pence, block.starts_on) == (1, 10_100, date(2026, 4, 13))
    walk_in.refresh_from_db()
    assert (walk_in.state, walk_in.referral, walk_in.answered_by) == ("confirmed", referral, world.advisor)


def test_the_pantry_then_knows_what_the_agreement_holds_and_nothing_it_had_written_itself(world):
    confirm(world, show(world))
    now = Membership.objects.get()
    assert now.preferred_name == "Zebedee"
    assert sorted(now.needs.values_list("kind", "value")) == [("allergen", "milk"), ("diet", "halal")]


def test_a_visit_before_the_introduction_is_came_first_and_no_negative_time(world, client):
    referral = confirm(world, show(world))
    referral.refresh_from_db()
    assert attendance.of(referral, THURSDAY).came_first_on == WEDNESDAY
    client.force_login(world.advisor)
    page = client.get(reverse("careleavers:detail", args=[referral.care_leaver_id])).content.decode()
    assert "They came on 8 April 2026, before the introduction." in page


def test_someone_who_pays_at_the_counter_already_is_paid_for_from_then_on(world):
    member = world.join(agreement=None)
    referral = confirm(world, show(world, member))
    referral.refresh_from_db()
    assert (referral.membership, PrepaidBlock.objects.get().joining_pence) == (member, 0)


def test_someone_who_rejoins_by_themselves_names_the_earlier_membership(world):
    earlier = introduce(world)
    first = services.accept(referral=earlier, by=world.pantry_manager, at=AT)
    world.leave(first, THURSDAY)
    referral = confirm(world, show(world), earlier.care_leaver)
    referral.refresh_from_db()
    assert (referral.membership.previous, referral.membership.blocks.get().joining_pence) == (first, 0)


def test_already_a_member_here_leads_to_being_shown_and_confirmed(world):
    referral, member = introduce(world), world.join(agreement=None)
    services.decline(referral=referral, reason="already_member", number=member.number, by=world.pantry_manager, at=AT)
    confirm(world, show(world, member), referral.care_leaver)
    assert Referral.objects.running_membership_of(referral.care_leaver) == member


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "what, words",
    [
        ("no yes", "Ask them first"),
        ("another council", "does not pay for places here"),
        ("paid for", "is paid for already"),
        ("ended", "has ended"),
        ("shown", "waits for an answer already"),
    ],
)
def test_nobody_is_shown_without_their_yes_or_a_reason(world, what, words):
    membership = pending(world)
    more = {"no yes": {"they_agree": False}, "another council": {"council": factories.council()}}.get(what, {})
    if what == "paid for":
        membership = world.join()
    elif what == "ended":
        memberships.not_confirmed(membership=membership, by=world.pantry_manager, at=AT)
        membership.refresh_from_db()
    elif what == "shown":
        show(world, membership)
    before = WalkIn.objects.count()
    assert words in refused(show, world=world, membership=membership, **more)
    assert WalkIn.objects.count() == before


@pytest.mark.parametrize(
    "what, words",
    [
        ("no agreement", "Record the agreement to share first"),
        ("member", "They are a member already, number"),
        ("under way", "is under way already"),
        ("died", "has died"),
        ("turned 25", "turned 25"),
        ("another council's", "another council’s"),
    ],
)
def test_what_cannot_be_confirmed_is_refused_and_nothing_is_written(world, what, words):
    walk_in, care_leaver = show(world), None
    if what == "no agreement":
        care_leaver = person(world)
    elif what == "member":
        referral = introduce(world)
        services.accept(referral=referral, by=world.pantry_manager, at=AT)
        care_leaver = referral.care_leaver
    elif what == "under way":
        care_leaver = introduce(world).care_leaver
    elif what == "died":
        care_leaver = ours(world)
        care_leaver.in_touch = "DIED"
        care_leaver.save()
    elif what == "turned 25":
        care_leaver = person(world, born_on=date(2001, 4, 1))
        agree(world, care_leaver)
    else:
        care_leaver = ours(factories.World())
    referrals, blocks = Referral.objects.count(), PrepaidBlock.objects.count()
    assert words in refused(confirm, world=world, walk_in=walk_in, care_leaver=care_leaver)
    assert (Referral.objects.count(), PrepaidBlock.objects.count()) == (referrals, blocks)
    walk_in.refresh_from_db()
    assert walk_in.state == "waiting"


VERBS = {
    "confirm": lambda world, walk_in: confirm(world, walk_in),
    "not_ours": lambda world, walk_in: walk_ins.not_ours(walk_in=walk_in, by=world.manager, at=AT),
    "take_back": lambda world, walk_in: walk_ins.take_back(walk_in=walk_in, by=world.pantry_manager, at=AT),
}
TO = {"confirm": "confirmed", "not_ours": "not_ours", "take_back": "taken_back"}


@pytest.mark.parametrize("first", VERBS)
@pytest.mark.parametrize("second", VERBS)
def test_every_pair_of_answers(world, first, second):
    walk_in = show(world)
    VERBS[first](world, walk_in)
    assert "answered already" in refused(lambda **given: VERBS[second](world, walk_in))
    walk_in.refresh_from_db()
    assert walk_in.state == TO[first]


@pytest.mark.parametrize("first", ["not_ours", "take_back"])
def test_after_no_they_shop_on_and_can_be_shown_again(world, first):
    walk_in = show(world)
    VERBS[first](world, walk_in)
    walk_in.membership.refresh_from_db()
    assert (walk_in.membership.state, walk_in.membership.agreement) == ("pending", None)
    assert confirm(world, show(world, walk_in.membership)).state == "accepted"


def test_an_advisor_cannot_say_that_nobody_knows_them(world):
    walk_in = show(world)
    assert "Only a leaving care manager" in refused(walk_ins.not_ours, walk_in=walk_in, by=world.advisor, at=AT)


def test_a_membership_that_ended_meanwhile_is_not_confirmed(world):
    walk_in = show(world)
    memberships.not_confirmed(membership=walk_in.membership, by=world.pantry_manager, at=AT)
    assert "has ended meanwhile" in refused(confirm, world=world, walk_in=walk_in)
    assert list(WalkIn.objects.for_user(world.manager).waiting()) == []


# -- pages -------------------------------------------------------------------------------------------------------------


def page(client, user, name: str, *keys) -> str:
    client.force_login(user)
    response = client.get(reverse(name, args=keys))
    assert response.status_code == 200
    return response.content.decode()


def test_the_story_in_the_browser(world, client):
    member, care_leaver = pending(world), ours(world)
    assert reverse("referrals:walk_in_show", args=[member.pk]) in page(
        client, world.pantry_manager, "pantry:member", member.pk
    )
    here = reverse("referrals:walk_in_show", args=[member.pk])
    council = str(world.council.pk)
    assert "Ask them first, then tick" in client.post(here, {"council": council}).content.decode()
    assert client.post(here, {"council": council, "they_agree": "on"}).status_code == 302
    assert "Shown to" in page(client, world.pantry_manager, "pantry:member", member.pk)
    shown = page(client, world.advisor, "referrals:walk_ins")
    assert f"Number {member.number}" in shown and "Zed" in shown and world.pantry.name in shown
    assert "vegan" not in shown  # number, pantry and name alone
    walk_in = WalkIn.objects.get()
    answer = reverse("referrals:walk_in_confirm", args=[walk_in.pk])
    assert "Zebedee" in client.get(answer).content.decode()
    posted = {"person": str(care_leaver.pk), "agreement": str(world.agreement.pk), "why": ""}
    assert client.post(answer, posted).headers["Location"] == reverse("careleavers:detail", args=[care_leaver.pk])
    assert "Nobody waits for an answer" in page(client, world.advisor, "referrals:walk_ins")
    assert reverse("referrals:walk_in_show", args=[member.pk]) not in page(
        client, world.pantry_manager, "pantry:member", member.pk
    )


def test_a_manager_says_nobody_knows_them_and_the_council_sees_them_no_more(world, client):
    walk_in = show(world)
    assert "Nobody here knows them" in page(client, world.manager, "referrals:walk_ins")
    client.post(reverse("referrals:walk_in_not_ours", args=[walk_in.pk]))
    assert "Zed" not in page(client, world.manager, "referrals:walk_ins")
    assert "does not know them" in page(client, world.pantry_manager, "pantry:member", walk_in.membership_id)


def test_the_council_sees_no_member_who_was_not_shown(world, client):
    pending(world, "Unshown"), world.join(agreement=None, preferred_name="Counter")
    show(world, pending(world, "Zed"))
    for user in (world.advisor, world.manager):
        shown = page(client, user, "referrals:walk_ins")
        assert [name in shown for name in ("Unshown", "Counter", "Zed")] == [False, False, True]


def test_only_own_people_can_be_chosen_and_others_walk_ins_are_404(world, client):
    walk_in, mine = show(world), ours(world)
    colleagues, placed = ours(world, "Colleague"), introduce(world).care_leaver
    other = factories.user(Role.PERSONAL_ADVISOR, world.council)
    allocations.allocate(care_leaver=colleagues, advisor=other, on=THURSDAY, by=world.manager, at=AT)
    client.force_login(world.advisor)
    here = reverse("referrals:walk_in_confirm", args=[walk_in.pk])
    assert [
        str(each.pk) for each in (mine, colleagues, placed) if str(each.pk) in client.get(here).content.decode()
    ] == [str(mine.pk)]
    posted = {"person": str(colleagues.pk), "agreement": str(world.agreement.pk)}
    assert client.post(here, posted).status_code == 200
    assert WalkIn.objects.get().state == "waiting"
    stranger = factories.World()
    for user, name in (
        (stranger.advisor, "walk_in_confirm"), (stranger.manager, "walk_in_not_ours"),
        (stranger.pantry_manager, "walk_in_take_back"),
    ):  # fmt: skip
        client.force_login(user)
        assert client.post(reverse(f"referrals:{name}", args=[walk_in.pk])).status_code == 404
        assert "Zed" not in client.get(reverse("referrals:walk_ins")).content.decode()


def test_the_managers_are_told_by_an_email_that_names_nobody(world):
    walk_in = show(world)
    jobs.pump()
    assert [(each.to, each.subject) for each in mail.outbox] == [
        ([world.manager.email], "Someone came to a pantry by themselves")
    ]
    assert "Zed" not in mail.outbox[0].body
    again = show(world, pending(world, "Later"))
    walk_ins.take_back(walk_in=again, by=world.pantry_manager, at=AT)
    jobs.pump()
    assert (len(mail.outbox), walk_in.state) == (1, "waiting")


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_asks_the_same_number_of_queries_however_long(world, client, count, django_assert_num_queries):
    for n in range(count):
        show(world, pending(world, f"Zed{n}"))
    for user in (world.advisor, world.manager, world.pantry_manager):
        client.force_login(user)
        with django_assert_num_queries(10):
            client.get(reverse("referrals:walk_ins"))
        assert AuditEvent.objects.latest("id").subjects.count() == count


def test_a_pause_in_between_changes_nothing(world):
    """A member who was confirmed is paused and resumed like any other."""
    referral = confirm(world, show(world))
    referral.refresh_from_db()
    monday = date(2026, 4, 13)
    services.pause(referral=referral, reason="away", on=monday, by=world.advisor, at=moment(monday))
    later = monday + timedelta(weeks=2)
    assert services.resume(referral=referral, on=later, by=world.advisor, at=moment(later)).state == "open"
