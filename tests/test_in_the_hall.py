"""What is said in a hall beside a collection: told about, would like to help, away, in the way, worried; closures."""

import re
import uuid
from datetime import date, timedelta

import pytest
from django.core import mail
from django.urls import reverse

from pantry import members, roster
from pantry.models import Away, CallNow, Closure, MissedWeek
from pantry.services import away, calls, collections, missed, offered, places, tablets, volunteers
from pantry.services.entries import NEVER_WAIT_AT_MOST
from referrals.models import CommunityLink, Helper, Told, VolunteeringOffer, Worry
from referrals.services import closures, directory, helpers, links, told, volunteering, worries
from reviews.models import Barrier, BarrierMove, BarrierTap
from reviews.services import taps
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from stockport_hubs.notifications import services as notifications
from stockport_hubs.notifications.models import Message
from tests import factories
from tests import hall as tablet_hall
from tests.counter_scene import NOW, WEDNESDAY, at
from tests.factories import moment
from tests.test_whitelist import ALWAYS, Hall, leaks

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
DAY = timedelta(days=1)
WORRIED = "Somebody at a pantry is worried about someone"


@pytest.fixture
def hall():
    with at():
        made = Hall()
        made.session.refresh_from_db()
        yield made


@pytest.fixture
def entry(hall):
    facts = {"kind": "cooking", "line": "Six soups, little washing up", "where": "By the till"}
    return directory.add(name="Soup cards", by=hall.pantry_manager, at=NOW, **facts)


def said(hall, **more) -> dict:
    return {"session": hall.session, "key": uuid.uuid4(), "by": hall.volunteer, "at": NOW} | more


def last_verbs(n: int) -> list[str]:
    return list(AuditEvent.objects.order_by("-pk").values_list("verb", flat=True)[:n])


# -- told them about ---------------------------------------------------------------------------------------------------


def test_told_once_a_session_is_a_link_of_the_councils_for_a_young_person_alone(hall, entry):
    given = said(hall, entry=entry)
    row = told.tell(membership=hall.member, **given)
    assert told.tell(membership=hall.member, **given) == row  # the same key
    assert told.tell(membership=hall.member, **said(hall, entry=entry)) == row  # the same thing twice
    other = told.tell(membership=hall.neighbour, **said(hall, entry=entry))
    with pytest.raises(Refused, match="already used"):
        told.tell(membership=hall.neighbour, **given)
    link = CommunityLink.objects.get()
    assert (link.care_leaver, link.entry, link.offered_on, link.state) == (hall.person, entry, WEDNESDAY, "offered")
    assert (row.link, other.link, Told.objects.count()) == (link, None, 2)
    assert told.counts(hall.pantry_manager, [entry], WEDNESDAY) == {entry.pk: 2}
    assert told.counts(factories.user(Role.PANTRY_MANAGER), [entry], WEDNESDAY) == {}
    told.take_back(told=row, by=hall.volunteer, at=NOW)
    link.refresh_from_db()
    assert (link.state, told.counts(hall.pantry_manager, [entry], WEDNESDAY)) == ("taken_back", {entry.pk: 1})


def test_a_link_the_advisor_offered_stays_the_only_one(hall, entry):
    link = links.offer(care_leaver=hall.person, entry=entry, on=WEDNESDAY, by=hall.advisor, at=NOW)
    row = told.tell(membership=hall.member, **said(hall, entry=entry))
    told.take_back(told=row, by=hall.volunteer, at=NOW)
    assert (row.link, CommunityLink.objects.get(), CommunityLink.objects.get().state) == (None, link, "offered")


def test_what_is_told_is_on_offer_that_day_and_taken_back_by_whom_it_may(hall, entry):
    row = told.tell(membership=hall.neighbour, **said(hall, entry=entry))
    with pytest.raises(Refused, match="Jo recorded this"):
        told.take_back(told=row, by=hall.another_volunteer(), at=NOW)
    with pytest.raises(Refused, match="This session has closed"):
        told.take_back(told=row, by=hall.volunteer, at=NOW + DAY)
    told.take_back(told=row, by=hall.pantry_manager, at=NOW + DAY)
    over = directory.add(
        name="Fair", kind="social", where="Green", until_on=WEDNESDAY - DAY, by=hall.pantry_manager, at=NOW
    )
    council_only = directory.add(name="Drop-in", kind="other", where="Row", by=hall.manager, at=NOW)
    for each in (over, council_only):
        with pytest.raises(Refused, match="not in the directory any more"):
            told.tell(membership=hall.neighbour, **said(hall, entry=each))
    with pytest.raises(Refused, match="This session has closed"):
        told.tell(membership=hall.neighbour, **said(hall, entry=entry, at=NOW + DAY))
    told.tell(membership=hall.neighbour, **said(hall, entry=entry, at=NOW + DAY, said_at=NOW))  # waited on a device
    with pytest.raises(Refused, match="it must not say"):
        directory.change(entry=entry, line="For care leavers", by=hall.pantry_manager, at=NOW)


# -- would like to help ------------------------------------------------------------------------------------------------


def test_a_wish_is_one_row_and_carried_to_the_young_persons_own(hall):
    given = said(hall)
    helper = helpers.wish(membership=hall.member, **given)
    assert helpers.wish(membership=hall.member, **given) == helpers.wish(membership=hall.member, **said(hall)) == helper
    assert VolunteeringOffer.objects.get().state == "interested"
    for state, there in (("induction", "induction"), ("volunteering", "volunteering")):
        helpers.move(helper=helper, state=state, on=WEDNESDAY, by=hall.pantry_manager, at=NOW)
        assert VolunteeringOffer.objects.get().state == there
    helpers.take_back(helper=helper, by=hall.pantry_manager, at=NOW)
    assert (Helper.objects.get().state, VolunteeringOffer.objects.get().state) == ("induction", "induction")
    with pytest.raises(Refused, match="The next step is: volunteering or stopped"):
        helpers.move(helper=helper, state="not_now", on=WEDNESDAY, by=hall.pantry_manager, at=NOW)
    neighbour = helpers.wish(membership=hall.neighbour, **said(hall))
    assert (neighbour.state, VolunteeringOffer.objects.count()) == ("wished", 1)
    assert helpers.take_back(helper=neighbour, by=hall.volunteer, at=NOW).state == "taken_back"


def test_the_councils_own_steps_are_neither_undone_nor_shown_to_the_pantry(hall):
    volunteering.move(care_leaver=hall.person, state="asked", on=WEDNESDAY, by=hall.advisor, at=NOW)
    helper = helpers.wish(membership=hall.member, **said(hall))
    volunteering.move(care_leaver=hall.person, state="not_now", on=WEDNESDAY, by=hall.advisor, at=NOW)
    assert Helper.objects.get().state == "wished"
    helpers.take_back(helper=helper, by=hall.volunteer, at=NOW)
    assert VolunteeringOffer.objects.get().state == "not_now"


# -- what stands in the way --------------------------------------------------------------------------------------------


def test_a_tap_raises_a_barrier_for_the_council_and_is_never_read_back(hall, client):
    given = said(hall, category="hours")
    for _ in range(2):
        taps.tap(membership=hall.member, **given)
    taps.tap(membership=hall.neighbour, **said(hall, category="hours"))
    barrier = Barrier.objects.get()
    assert (barrier.care_leaver, barrier.category, barrier.owner, barrier.raised_on) == (
        hall.person, "hours", hall.advisor, WEDNESDAY,
    )  # fmt: skip
    taps.tap(membership=hall.member, **said(hall, category="hours"))  # came up again
    assert (Barrier.objects.count(), BarrierTap.objects.count(), BarrierMove.objects.count()) == (1, 3, 2)
    for refused in ("custody", "health", "safety", "odd"):
        with pytest.raises(Refused, match="from the list"):
            taps.tap(membership=hall.member, **said(hall, category=refused))
    assert hall.person.pk not in Barrier.objects.for_user(hall.pantry_manager).values_list("care_leaver", flat=True)
    for user in (hall.volunteer, hall.pantry_manager):
        client.force_login(user)
        page = client.get(reverse("hall:member", args=[hall.session.pk, hall.member.pk])).content.decode()
        assert "Opening hours" not in page and "clash" not in page


def test_pages_of_both_members_differ_in_number_and_name_alone(hall, entry, client):
    client.force_login(hall.volunteer)

    def pages(member) -> list[str]:
        keys = [hall.session.pk, member.pk]
        client.post(reverse("hall:tell", args=keys), {"key": uuid.uuid4(), "entry": entry.pk})
        client.post(reverse("hall:wish", args=keys), {"key": uuid.uuid4()})
        sent = {"key": uuid.uuid4(), "category": "hours"}
        client.post(reverse("reviews:tap", args=keys), sent, follow=True)
        worry = reverse("hall:worry", args=[hall.session.pk])
        client.post(worry, {"key": uuid.uuid4(), "number": member.number}, follow=True)
        names = ("hall:member", "pantry:away", "reviews:tap")
        html = [client.get(reverse(name, args=keys)).content.decode() for name in names]
        html = [re.sub(r"[0-9a-f-]{36}|value=\"\w{64}\"", "KEY", page) for page in html]
        return [page.replace(str(member.number), "NUMBER").replace(member.called, "NAME") for page in html]

    theirs, others = pages(hall.member), pages(hall.neighbour)
    first = r"<p class=\"govuk-body\">(Said|Paused|Collected)[^<]*</p>\n"
    assert [re.sub(first, "", page) for page in theirs] == [re.sub(first, "", page) for page in others]
    assert leaks(dict(enumerate_as_text(theirs)), hall.secrets) == []
    assert ALWAYS[0] not in "".join(theirs).casefold()


def enumerate_as_text(pages: list[str]):
    return ((str(n), page) for n, page in enumerate(pages))


# -- worried about someone ---------------------------------------------------------------------------------------------


def written(subject: str) -> list:
    """The e-mails under that subject."""
    jobs.pump()
    return [message for message in mail.outbox if message.subject == subject]


def to(messages) -> set[str]:
    return {each for message in messages for each in message.to}


def pantry_managers(hall) -> set[str]:
    there = User.objects.filter(role=Role.PANTRY_MANAGER, organisation=hall.operator)
    return set(there.values_list("email", flat=True))


def test_a_worry_reaches_those_it_must_at_once_without_a_name_and_stays_until_answered(hall, client):
    cover = factories.user(Role.PERSONAL_ADVISOR, hall.council)
    given = said(hall)
    worry = worries.raise_worry(membership=hall.member, **given)
    assert worries.raise_worry(membership=hall.member, **given) == worry
    sent = written(WORRIED)
    assert to(sent) == {*pantry_managers(hall), hall.advisor.email, hall.manager.email}
    texts = {str(n): f"{m.subject}\n{m.body}" for n, m in enumerate(sent)}
    assert leaks(texts, [*hall.secrets, "Ash", str(hall.member.number)]) == []
    waits = {user: reverse("referrals:worries") in client_page(client, user) for user in (hall.advisor, hall.manager)}
    assert waits == {hall.advisor: True, hall.manager: True}
    assert Worry.objects.for_user(cover).count() == 0
    ids, may_send = {"worry": str(worry.pk)}, notifications._kinds[worries.KIND].may_send
    assert (may_send(ids, hall.advisor), may_send(ids, cover)) == (None, "It is not theirs any more.")
    answered = worries.answer(worry=worry, by=hall.manager, at=NOW)
    assert (answered.answered_by, answered.answered_at) == (hall.manager, NOW)
    with pytest.raises(Refused, match=f"{hall.manager.name} has answered this already, 8 April 2026, 10:42"):
        worries.answer(worry=worry, by=hall.advisor, at=NOW)
    assert reverse("referrals:worries") not in client_page(client, hall.advisor)
    client.force_login(hall.volunteer)
    page = client.get(reverse("hall:worry", args=[hall.session.pk])).content.decode()
    assert "Answered" in page and hall.manager.name not in page
    worries.open_again(worry=worry, by=hall.manager, at=NOW)
    assert Worry.objects.for_user(hall.advisor).unanswered().count() == 1


def client_page(client, user) -> str:
    client.force_login(user)
    return client.get(reverse("home")).content.decode()


def test_a_worry_about_another_member_or_nobody_reaches_the_pantry_manager_alone(hall, client):
    for member in (hall.neighbour, None):
        worries.raise_worry(membership=member, **said(hall))
    assert to(written(WORRIED)) == pantry_managers(hall)
    assert Worry.objects.for_user(hall.manager).count() == 0
    late = worries.raise_worry(membership=None, **said(hall, at=NOW + 3 * DAY))  # waited on a device
    assert late.answered_at is None
    with pytest.raises(Refused, match="Whoever rings back"):
        worries.answer(worry=late, by=hall.volunteer, at=NOW)


def test_whom_to_call_is_dated_and_on_every_page_of_a_session(hall, client):
    given = {"pantry": hall.pantry, "role": CallNow.Role.SAFEGUARDING, "by": hall.pantry_manager, "at": NOW}
    calls.set_call(phone="0161 496 0001", from_on=WEDNESDAY, **given)
    later = calls.set_call(phone="0161 496 0002", from_on=WEDNESDAY + 7 * DAY, **given)
    listed = {day: [each["phone"] for each in calls.listed(hall.pantry, day)] for day in (WEDNESDAY, later.from_on)}
    assert listed == {WEDNESDAY: ["0161 496 0001"], later.from_on: ["0161 496 0002"]}
    calls.take_back(call=later, by=hall.pantry_manager, at=NOW)
    assert [each["phone"] for each in offered.settings(hall.pantry, later.from_on)["call"]] == ["0161 496 0001"]
    with pytest.raises(Refused, match="in force already"):
        calls.take_back(call=CallNow.objects.get(), by=hall.pantry_manager, at=NOW)
    client.force_login(hall.volunteer)
    url = reverse("hall:worry", args=[hall.session.pk])
    page = client.get(url).content.decode()
    assert 'href="tel:999"' in page and 'href="tel:01614960001"' in page
    keys = [hall.session.pk, hall.neighbour.pk]
    for name, args in (("session", keys[:1]), ("record", keys), ("visitor_add", keys[:1])):
        assert f'href="{url}' in client.get(reverse(f"pantry:{name}", args=args)).content.decode()
    unknown = client.post(url, {"key": uuid.uuid4(), "number": 99}).content.decode()
    assert "No member has this number" in unknown and Worry.objects.count() == 0


# -- away until, and closures ------------------------------------------------------------------------------------------


def reasons(member) -> dict[date, str]:
    return dict(MissedWeek.objects.filter(membership=member).values_list("week", "reason"))


def test_away_until_gives_the_weeks_their_reason_and_coming_earlier_takes_it_back(hall):
    monday = date(2026, 4, 6)
    weeks = [monday + n * 7 * DAY for n in range(4)]
    row = away.tell(membership=hall.neighbour, until_on=date(2026, 4, 29), key=uuid.uuid4(), by=hall.volunteer, at=NOW)
    assert reasons(hall.neighbour) == dict.fromkeys(weeks, "told_us")
    with at(date(2026, 4, 15)):
        shown = hall.open(date(2026, 4, 15))
        words = "Said they are away until 29 April 2026, may shop"
        here = roster.row_of(shown, hall.neighbour, by=hall.volunteer, today=shown.on)
        assert (here.may_shop, here.words) == (True, words)
        came = hall.record(hall.neighbour, day=date(2026, 4, 15))
    row.refresh_from_db()
    assert (row.came, reasons(hall.neighbour)) == (came, {monday: "told_us"})
    collections.void(collection=came, reason="Wrong", by=hall.volunteer, at=moment(date(2026, 4, 15), "11:00"))
    row.refresh_from_db()
    assert (row.ended_at, reasons(hall.neighbour)) == (None, dict.fromkeys(weeks, "told_us"))
    assert "pantry.away.told" in last_verbs(2)


def test_a_reason_somebody_gave_stays_and_another_day_replaces_the_first(hall):
    on = date(2026, 4, 22)
    given = {"by": hall.pantry_manager, "at": moment(on)}
    week = date(2026, 4, 13)
    assert week in members.missed_weeks(hall.member, on)
    missed.say(membership=hall.member, reasons={week: "planned"}, **given)
    first = away.tell(membership=hall.member, until_on=on + 14 * DAY, key=uuid.uuid4(), **given)
    away.tell(membership=hall.member, until_on=on + 7 * DAY, key=uuid.uuid4(), **given)
    first.refresh_from_db()
    kept = {week: "planned", date(2026, 4, 20): "told_us", date(2026, 4, 27): "told_us"}
    assert (first.ended_by, reasons(hall.member)) == (hall.pantry_manager, kept)
    with pytest.raises(Refused, match="Ask the pantry manager"):
        away.take_back(away=Away.objects.get(ended_at=None), by=hall.volunteer, at=moment(on))
    away.take_back(away=Away.objects.get(ended_at=None), by=hall.pantry_manager, at=moment(on))
    assert reasons(hall.member) == {week: "planned"}
    for bad, why in ((on - DAY, "today or later"), (on + 200 * DAY, "26 weeks")):
        with pytest.raises(Refused, match=why):
            away.tell(membership=hall.member, until_on=bad, key=uuid.uuid4(), **given)


def test_a_closure_is_told_once_to_the_members_advisors_and_once_more_when_withdrawn(hall, client):
    day = WEDNESDAY + 21 * DAY
    given = {"pantry": hall.pantry, "by": hall.pantry_manager, "at": NOW}
    closure = places.announce_closure(from_on=day, until_on=day, reason="Boiler", **given)
    told_at = [closures.sweep(at=NOW, job="referrals.closures") for _ in range(2)]
    assert (told_at, to(written(f"{hall.pantry} closes"))) == ([1, 0], {hall.advisor.email})
    assert "Boiler" in client_page(client, hall.advisor)
    moved = places.announce_closure(from_on=day + DAY, until_on=day + DAY, reason="Boiler", **given)
    places.withdraw_closure(closure=closure, by=hall.pantry_manager, at=NOW)
    places.withdraw_closure(closure=moved, by=hall.pantry_manager, at=NOW)  # before anybody was told of it
    told_at = [closures.sweep(at=NOW, job="referrals.closures") for _ in range(2)]
    assert (told_at, to(written(f"{hall.pantry} opens after all"))) == ([1, 0], {hall.advisor.email})
    assert len(written(f"{hall.pantry} closes")) == 1
    assert "Boiler" not in client_page(client, hall.advisor)
    assert Closure.objects.count() == 2


# -- from a tablet -----------------------------------------------------------------------------------------------------


def test_a_tablet_is_told_what_there_is_and_records_each_kind_once():
    with at():
        there = tablet_hall.Hall()
        there.device.unlock(there.kit)
        member = there.other(preferred_name="Bay")
        given = {"kind": "social", "where": "Green", "by": there.pantry_manager, "at": NOW}
        topic = directory.add(name="Walk", **given)
        elsewhere = directory.add(name="Swim", **given | {"by": factories.user(Role.PANTRY_MANAGER)})
        settings = there.device.get("state/").json()["settings"]
        assert [each["name"] for each in settings["topics"]] == ["Walk"]
        assert "custody" not in [each["id"] for each in settings["barriers"]] and settings["call"] == []
        kinds = {"told": {"topic": str(topic.pk)}, "wish": {}, "barrier": {"category": "hours"}, "worry": {}}
        sent = [there.entry(kind, member=member, **body) for kind, body in kinds.items()]
        sent.append(there.entry("worry", member=None, ring_me=True))
        sent.append(there.entry("barrier", member=member, category="custody"))
        sent.append(there.entry("told", member=member, topic=str(elsewhere.pk)))
        outcomes = [[each["outcome"] for each in there.device.send(*sent)] for _ in range(2)]
    assert outcomes == [["recorded"] * 5 + ["held"] * 2, ["same"] * 5 + ["held"] * 2]
    counts = [model.objects.count() for model in (Told, Helper, BarrierTap, Worry, Barrier)]
    assert (counts, Told.objects.get().told_by) == ([1, 1, 1, 2, 0], there.kit)


def test_a_worry_waits_for_nobody():
    """From a tablet out of use, of a volunteer who no longer records, weeks late: the pantry manager is told."""
    with at():
        there = tablet_hall.Hall()
        there.device.unlock(there.kit)
        sent = there.entry("worry", member=None), there.entry("wish", member=there.other(preferred_name="Bay"))
        tablets.revoke(tablet=there.tablet, by=there.pantry_manager, at=NOW)
        volunteers.deactivate(user=there.kit, pantry=there.pantry, by=there.pantry_manager, at=NOW)
        of_a_number = [there.entry("worry", number=99123) for _ in range(NEVER_WAIT_AT_MOST)]
    with at(WEDNESDAY + 20 * DAY):
        outcomes = [each["outcome"] for each in there.device.send(*sent, *of_a_number)]
    # About a number nobody has it is about nobody; past so many in a day they wait as others do.
    assert outcomes == ["recorded", "held", *["recorded"] * (NEVER_WAIT_AT_MOST - 1), "held"]
    told = Message.objects.filter(kind="referrals.worry").values_list("to", flat=True)
    assert there.pantry_manager.pk in told
