"""The agenda of a review meeting: it fills itself, is carried on, worked through by two people, and becomes minutes."""

import uuid
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from careleavers.models import CareLeaver, SharingAgreement
from pantry.models import RenewalDecision
from pantry.services import places
from referrals.models import Referral
from reviews import calendar_file
from reviews.models import Action, AgendaItem, AgendaSave, Minutes, ReviewMeeting
from reviews.services import actions, agenda, barriers, meetings, reminders
from reviews.services.agenda import ChangedMeanwhile, Said
from reviews.wording import LooksLikeAName
from stockport_hubs.accounts.models import User
from stockport_hubs.audit.models import AuditEvent, AuditSubject
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK
from stockport_hubs.notifications import services as notifications
from stockport_hubs.notifications.models import Message
from tests import factories
from tests.factories import moment

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
DAY = date(2026, 6, 10)  # a Wednesday
AT = moment(DAY, "14:00")


class World(factories.World):
    """A scheme whose meetings are one after the other, 13 weeks apart."""

    def meet(self, n: int = 0) -> ReviewMeeting:
        day = DAY + 13 * n * WEEK
        return meetings.plan(
            agreement=self.agreement,
            starts_at=moment(day, "14:00"),
            where="Room 1",
            period_from=day - 12 * WEEK,
            period_to=day - timedelta(days=3),
            by=self.manager,
            at=moment(day - 3 * WEEK),
        )

    def fill(self, meeting: ReviewMeeting) -> list[tuple[str, str]]:
        agenda.fill(meeting=meeting, by=self.manager, at=meeting.starts_at)
        return [(item.kind, item.title) for item in meeting.agenda.all()]

    def hold(self, meeting: ReviewMeeting, *states: str) -> ReviewMeeting:
        for state in states or ("held",):
            meeting = meetings.move(meeting=meeting, state=state, by=self.manager, at=meeting.starts_at)
        return meeting

    def add(self, meeting: ReviewMeeting, title: str = "A second freezer", **more) -> AgendaItem:
        given = {"note": "", "by": self.pantry_manager, "at": meeting.starts_at}
        return agenda.add(meeting=meeting, title=title, **given | more)

    def save(self, item: AgendaItem, *, version: int = 0, key=None, by=None, at=AT, **said) -> AgendaItem:
        who = by or self.manager
        return agenda.save(item=item, key=key or uuid.uuid4(), version=version, said=Said(**said), by=who, at=at)

    def person(self, first: str, last: str = "", reference: str = "") -> CareLeaver:
        return CareLeaver.objects.create(
            council=self.council,
            reference=reference or f"R-{first}-{last}",
            preferred_name=first,
            surname=last,
            born_on=date(2004, 1, 1),
            eligibility="former_relevant",
            created_at=AT,
        )


@pytest.fixture
def world():
    return World()


@pytest.fixture
def meeting(world):
    return world.meet()


# -- filled ------------------------------------------------------------------------------------------------------------


def test_an_agenda_fills_itself_with_holds_lapses_actions_barriers_and_closures(world):
    first = world.hold(world.meet(0))
    member = world.join()  # since 6 April 2026, and never came: her weeks until 10 June are more than four
    held = {"due_on": DAY, "starts_on": DAY + 4 * WEEK, "outcome": "held", "reasons": ["paused"], "decided_at": AT}
    RenewalDecision.objects.create(membership=member, member_number=member.number, block_no=2, **held)
    action = {"owner": world.pantry_manager, "due_on": DAY + WEEK, "by": world.manager, "at": AT}
    meetings.add_action(meeting=first, what="Ring the hall", **action)
    about = {"council": world.council, "category": "hours", "note": "", "due_on": None, "raised_on": DAY, "at": AT}
    barriers.raise_barrier(care_leaver=None, pantry=world.pantry, owner=world.manager, by=world.manager, **about)
    secret = world.person("Ash", "Sample")
    barriers.raise_barrier(care_leaver=secret, pantry=None, owner=world.advisor, by=world.advisor, **about)
    second = world.meet(1)
    away = second.starts_at.date() + WEEK
    places.announce_closure(
        pantry=world.pantry, from_on=away, until_on=away, reason="Painting", by=world.pantry_manager, at=AT
    )
    name = world.pantry.name
    assert world.fill(second) == [
        ("action", "Ring the hall"),
        ("hold", f"Member {member.number}: block 2 would start on 8 July 2026 and is held"),
        ("lapse", f"Member {member.number} missed the last 4 open weeks"),
        ("barrier", f"{name}: Opening hours clash"),
        ("people", "What stands in the way of young people"),
        ("closure", f"{name} is closed on 16 September 2026"),
    ]
    # filled again, nothing is twice; what is settled goes, and what somebody wrote under stays
    kept = second.agenda.get(kind="hold")
    world.save(kept, discussion="They are back in August.", at=second.starts_at)
    RenewalDecision.objects.update(outcome="stopped")
    Action.objects.update(done_on=DAY)
    assert [kind for kind, _ in world.fill(second)] == ["hold", "lapse", "barrier", "people", "closure"]
    assert agenda.fill(meeting=second, by=world.manager, at=second.starts_at) == 0


def test_many_holds_and_lapses_stand_in_one_line_after_the_first_twenty(world, meeting):
    for _ in range(22):
        world.join()
    lapses = [title for kind, title in world.fill(meeting) if kind == "lapse"]
    assert (len(lapses), lapses[-1]) == (21, "2 more members missed the last 4 open weeks")


def test_the_item_about_young_people_says_the_same_whether_there_are_barriers_or_none(world, meeting):
    before = world.fill(meeting)
    for n in range(3):
        about = {"council": world.council, "note": "", "due_on": None, "raised_on": DAY, "at": AT}
        person = world.person(f"Person{n}")
        more = {"owner": world.advisor, "by": world.advisor, "category": "custody"}
        barriers.raise_barrier(care_leaver=person, pantry=None, **more, **about)
    assert world.fill(meeting) == before


def test_an_action_is_carried_from_meeting_to_meeting_and_says_from_when(world):
    first = world.meet(0)
    item = world.add(first)
    due = DAY + 2 * WEEK
    said = {"state": "discussed", "decision": "Ask for a quote", "owner": world.pantry_manager, "due_on": due}
    world.save(item, **said)
    world.hold(first, "held", "minutes_agreed")
    action = Action.objects.get()
    assert (action.what, action.owner, action.due_on, action.meeting) == (
        *("Ask for a quote", world.pantry_manager, due),
        first,
    )
    seen = []
    for n in (1, 2):
        later = world.meet(n)
        world.fill(later)
        carried = later.agenda.get(kind="action")
        seen.append((carried.carried, carried.first_on, Action.objects.with_carrying().get().carried))
        world.hold(later)
    assert seen == [
        (1, DAY, "Carried once, from the meeting of 10 June 2026"),
        (2, DAY, "Carried twice, from the meeting of 10 June 2026"),
    ]
    # done at the third meeting, it is on no agenda again
    given = {"owner": action.owner, "due_on": due, "state": "discussed", "done": True}
    world.save(carried, at=later.starts_at, **given)
    action.refresh_from_db()
    assert action.done_on == DAY + 26 * WEEK
    assert "action" not in [kind for kind, _ in world.fill(world.meet(3))]


def test_what_was_not_reached_comes_to_the_next_meeting(world):
    first = world.meet(0)
    put_off, reached = world.add(first, "A second freezer"), world.add(first, "A card for the door")
    world.save(put_off, state="put_off")
    world.save(reached, state="discussed", discussion="Printed.")
    left = world.add(first, "A lift to the first session")
    world.hold(first, "held", "minutes_agreed")
    left.refresh_from_db()
    assert left.state == "put_off"
    second = world.meet(1)
    world.fill(second)
    added = [(item.title, item.carried, item.added_by) for item in second.agenda.filter(kind="added")]
    assert added == [
        ("A second freezer", 1, world.pantry_manager),
        ("A lift to the first session", 1, world.pantry_manager),
    ]


def test_an_agenda_stays_once_the_meeting_was_held(world, meeting):
    world.hold(meeting)
    with pytest.raises(Refused, match="Its agenda stays as it was"):
        world.fill(meeting)
    world.add(meeting)  # what else came up
    meetings.move(meeting=meeting, state="minutes_agreed", by=world.manager, at=AT)
    with pytest.raises(Refused, match="Put it on the agenda of the next meeting"):
        world.add(meeting)


def test_only_what_was_added_and_nobody_wrote_under_is_taken_off(world, meeting):
    world.fill(meeting)
    item = world.add(meeting)
    with pytest.raises(Refused, match="came onto the agenda by itself"):
        agenda.remove(item=meeting.agenda.get(kind="people"), by=world.manager, at=AT)
    agenda.remove(item=item, by=world.manager, at=AT)
    other = world.save(world.add(meeting), discussion="Words")
    with pytest.raises(Refused, match="Something is written under this item"):
        agenda.remove(item=other, by=world.manager, at=AT)


# -- worked through ----------------------------------------------------------------------------------------------------


def test_the_same_saving_sent_again_is_one_and_other_words_under_its_key_are_refused(world, meeting):
    item, key = world.add(meeting), uuid.uuid4()
    for _ in range(3):
        assert world.save(item, key=key, discussion="Words").version == 1
    assert AgendaSave.objects.count() == AuditEvent.objects.filter(verb="reviews.agenda.saved").count() == 1
    with pytest.raises(Refused, match="sent before with other words"):
        world.save(item, key=key, version=1, discussion="Other words")


def test_two_people_at_one_item_do_not_overwrite_each_other(world, meeting):
    item = world.add(meeting)
    world.save(item, discussion="Hers", at=AT)
    with pytest.raises(ChangedMeanwhile, match=f"{world.manager.name} saved this item at 14:00") as refused:
        world.save(item, discussion="His", by=world.pantry_manager)
    assert refused.value.item.discussion == "Hers"
    assert world.save(item, version=1, discussion="Both", by=world.pantry_manager).version == 2
    assert [(save.version, save.said["discussion"]) for save in item.saves.all()] == [(1, "Hers"), (2, "Both")]


def test_a_decision_with_an_owner_and_a_day_is_an_action_until_one_is_missing(world, meeting):
    item = world.add(meeting)
    whole = {"decision": "Ask for a quote", "owner": world.advisor, "due_on": DAY + WEEK}
    world.save(item, decision="Ask for a quote", owner=world.advisor)
    assert not Action.objects.exists()
    world.save(item, version=1, **whole)
    world.save(item, version=2, **whole | {"decision": "Ask for two quotes"})
    assert [each.what for each in Action.objects.all()] == ["Ask for two quotes"]
    world.save(item, version=3, decision="Think again")
    assert not Action.objects.exists()


def test_minutes_wait_until_each_owner_has_a_day(world, meeting):
    item = world.add(meeting)
    world.save(item, decision="Ask for a quote", owner=world.advisor)
    held = world.hold(meeting)
    with pytest.raises(Refused, match="“A second freezer” still needs a day"):
        world.hold(held, "minutes_agreed")
    assert not Minutes.objects.exists()


def test_owners_are_of_the_two_organisations(world, meeting):
    stranger = factories.World().manager
    with pytest.raises(Refused, match="is of neither organisation"):
        world.save(world.add(meeting), decision="x", owner=stranger, due_on=DAY)


def test_agreed_minutes_stay_whatever_is_changed_later(world, meeting):
    item = world.save(world.add(meeting), state="discussed", discussion="It hums.", decision="Buy it")
    agreed = world.hold(meeting, "held", "minutes_agreed").minutes
    before = agreed.content
    world.manager.name, world.agreement.name = "Another", "Other"
    world.manager.save()
    world.agreement.save()
    AgendaItem.objects.filter(pk=item.pk).update(discussion="Not so")
    agreed.refresh_from_db()
    assert agreed.content == before
    [said] = [each for each in before["items"] if each["title"] == "A second freezer"]
    assert (said["discussion"], said["decision"], said["state"]) == ("It hums.", "Buy it", "Discussed")
    with pytest.raises(Refused, match="The minutes are agreed"):
        world.save(item, version=1, discussion="x")


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Ash Sample came", "Sample, Ash", "ash sample's weeks", "child SSDA-0001"])
def test_words_both_read_do_not_name_a_young_person(world, meeting, text):
    world.person("Ash", "Sample", "SSDA-0001")
    with pytest.raises(Refused, match="it names a young person"):
        world.add(meeting, text, by=world.manager, names_nobody=True)
    with pytest.raises(Refused, match="it names a young person"):
        world.save(world.add(meeting), discussion=text, names_nobody=True)
    with pytest.raises(Refused, match="it names a young person"):
        meetings.add_action(meeting=meeting, what=text, owner=world.manager, due_on=DAY, by=world.manager, at=AT)


def test_what_is_written_of_a_pantrys_own_barrier_names_nobody(world):
    world.person("Ash", "Sample")
    about = {"council": world.council, "pantry": world.pantry, "category": "hours", "due_on": None, "raised_on": DAY}
    who = {"owner": world.manager, "by": world.manager, "at": AT}
    with pytest.raises(Refused, match="it names a young person"):
        barriers.raise_barrier(care_leaver=None, note="Ash Sample cannot come", **about, **who)
    made = barriers.raise_barrier(care_leaver=None, note="College days", **about, **who)
    with pytest.raises(Refused, match="it names a young person"):
        barriers.move(barrier=made, state="in_hand", note="Asked Ash Sample", **who)
    with pytest.raises(Refused, match="it names a young person"):
        barriers.add_action(barrier=made, what="Ask Ash Sample", due_on=DAY, **who)


def test_a_word_that_may_be_a_name_is_asked_about(world, meeting):
    world.person("Grace", "Sample")
    with pytest.raises(LooksLikeAName, match="If “Grace” is a young person"):
        world.add(meeting, "Grace period for late renewals", by=world.manager)
    world.add(meeting, "Grace period for late renewals", by=world.manager, names_nobody=True)
    world.add(meeting, "Days of grace", by=world.manager)


def test_a_refusal_tells_the_pantry_nothing_about_who_is_supported(world, meeting):
    world.person("Zebedee", "Quillfeather", "SSDA-0001")
    world.join(preferred_name="Robin")
    for text in ("Zebedee Quillfeather", "Zebedee", "SSDA-0001"):
        world.add(meeting, text, by=world.pantry_manager)
    with pytest.raises(LooksLikeAName, match="If “Robin” is a member"):
        world.add(meeting, "What Robin asked", by=world.pantry_manager)


# -- pages -------------------------------------------------------------------------------------------------------------


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user, name: str, *args) -> str:
    return signed_in(user).get(reverse(f"reviews:{name}", args=args)).content.decode()


def test_the_council_reads_the_name_and_stockport_homes_the_number(world, meeting):
    member, person = world.join(), world.person("Zebedee", "Quillfeather")
    sharing = SharingAgreement.objects.create(
        care_leaver=person, wording_version="1", privacy_notice_on=DAY, given_on=DAY, how_given="in_person",
        taken_by=world.advisor,
    )  # fmt: skip
    Referral.objects.create(
        care_leaver=person, sharing=sharing, number=1, made_by=world.advisor, made_at=AT, membership=member,
        state="accepted", pantry=world.pantry, agreement=world.agreement, sent_at=AT,
    )  # fmt: skip
    world.fill(meeting)
    title = f"Member {member.number} missed the last 4 open weeks"
    for name in ("meeting_work", "meeting"):
        council, homes = page(world.manager, name, meeting.pk), page(world.pantry_manager, name, meeting.pk)
        assert title in council and "Zebedee Quillfeather" in council
        assert title in homes and "Quillfeather" not in homes and "Zebedee" not in homes
    shown = AuditSubject.objects.filter(event__verb="reviews.agenda.viewed").values_list("kind", "subject_id")
    assert set(shown) == {("careleaver", person.pk), ("membership", member.pk)}
    assert "Zebedee" not in page(world.advisor, "meeting", meeting.pk)  # nobody gave her the case
    assert "Zebedee" not in page(world.manager, "minutes", meeting.pk)


def test_the_list_for_the_leaving_care_team_is_on_nobody_elses_page(world, meeting):
    about = {"council": world.council, "note": "", "due_on": None, "raised_on": DAY, "at": AT}
    more = {"owner": world.advisor, "by": world.advisor, "category": "custody"}
    barriers.raise_barrier(care_leaver=world.person("Ash", "Sample"), pantry=None, **more, **about)
    assert "In custody" in page(world.manager, "meeting_work", meeting.pk)
    homes = page(world.pantry_manager, "meeting_work", meeting.pk)
    assert "custody" not in homes and "Leaving Care Team alone" not in homes


def form(item: AgendaItem, **more) -> dict:
    blank = {"discussion": "", "decision": "", "owner": "", "state": "open"}
    return blank | {"key": str(uuid.uuid4()), "version": item.version} | more


@pytest.mark.sqlite
def test_the_script_gets_its_answers_as_json(world, meeting):
    item, client = world.add(meeting), signed_in(world.manager)
    url, json = reverse("reviews:agenda_item", args=[item.pk]), {"HTTP_ACCEPT": "application/json"}
    sent = form(item, discussion="Words")
    first, again = (client.post(url, sent, **json) for _ in range(2))
    assert (first.status_code, first.json()["version"], again.json()["version"]) == (200, 1, 1)
    other = client.post(url, form(item, discussion="Mine"), **json)
    assert (other.status_code, other.json()["theirs"]["discussion"]) == (409, "Words")
    assert other.json()["problem"].startswith(f"{world.manager.name} saved this item at ")
    wrong = client.post(url, form(item, state="x"), **json)
    assert (wrong.status_code, wrong.json()["fields"]) == (400, ["state"])


@pytest.mark.sqlite
def test_who_came_is_saved_by_the_script_too(world, meeting):
    row = meetings.invite(meeting=meeting, name="Bo", organisation=world.operator, by=world.manager, at=AT)
    client, json = signed_in(world.pantry_manager), {"HTTP_ACCEPT": "application/json"}
    url = reverse("reviews:meeting_attendance", args=[meeting.pk])
    assert client.post(url, {f"came-{row.pk}": "yes"}, **json).json() == {"saved": "The list is saved."}
    row.refresh_from_db()
    assert row.came is True
    world.hold(meeting, "held", "minutes_agreed")
    refused = client.post(url, {f"came-{row.pk}": "no"}, **json)
    assert (refused.status_code, refused.json()["problem"]) == (
        400,
        "The minutes are agreed. The list stays as it is.",
    )


@pytest.mark.sqlite
def test_without_the_script_a_page_says_the_same(world, meeting):
    item, client = world.add(meeting), signed_in(world.manager)
    url = reverse("reviews:agenda_item", args=[item.pk])
    saved = client.post(url, form(item, discussion="Words"))
    assert (saved.status_code, saved.url.endswith(f"#item-{item.pk}")) == (302, True)
    refused = client.post(url, form(item, discussion="Mine")).content.decode()
    assert "There is a problem" in refused and "saved meanwhile" in refused and "Discussed: Words" in refused
    assert 'name="version" value="1"' in refused and ">\nMine</textarea>" in refused
    world.person("Grace", "Sample")
    item.refresh_from_db()
    asked = client.post(url, form(item, discussion="With Grace")).content.decode()
    assert "If “Grace” is a young person" in asked and "With Grace</textarea>" in asked


@pytest.mark.sqlite
@pytest.mark.parametrize("rows", [1, 3])
def test_the_pages_take_the_same_queries_at_1_and_3_rows(world, meeting, rows, django_assert_num_queries):
    for n in range(rows):
        world.join()
        world.add(meeting, f"Item {n}")
        meetings.add_action(meeting=meeting, what="Ring", owner=world.manager, due_on=DAY, by=world.manager, at=AT)
    world.hold(meeting)
    later = world.meet(1)
    world.fill(later)
    client = signed_in(world.manager)
    for name, number in (("meeting_work", 11), ("meeting", 12), ("minutes", 12)):
        client.get(reverse(f"reviews:{name}", args=[later.pk]))
        with django_assert_num_queries(number):
            client.get(reverse(f"reviews:{name}", args=[later.pk]))
    with django_assert_num_queries(7):
        client.get(reverse("reviews:actions"))


# -- rhythm and calendar -----------------------------------------------------------------------------------------------


def test_the_rhythm_proposes_the_next_meeting(world):
    with pytest.raises(Refused, match="Choose 1 to 52 weeks"):
        meetings.set_rhythm(agreement=world.agreement, weeks=0, from_on=DAY, by=world.manager, at=AT)

    def proposed(on: date) -> date | None:
        return meetings.proposals([world.agreement], on)[0][2]

    assert proposed(DAY) is None
    more = {"agreement": world.agreement, "by": world.manager, "at": AT}
    meetings.set_rhythm(weeks=13, from_on=date(2026, 5, 20), **more)
    assert proposed(date(2026, 5, 1)) == date(2026, 5, 20)
    made = world.meet()
    assert proposed(DAY) is None  # one is planned
    world.hold(made)
    assert proposed(DAY) == date(2026, 9, 9)
    meetings.set_rhythm(weeks=28, from_on=date(2026, 6, 1), **more)
    assert proposed(DAY) == date(2026, 12, 23)
    assert proposed(date(2026, 12, 24)) == date(2026, 12, 30)
    meetings.set_rhythm(weeks=26, from_on=date(2026, 12, 25), **more)  # a bank holiday, and 1 January another
    assert proposed(DAY) == date(2026, 12, 23)  # it has not begun
    assert proposed(date(2026, 12, 25)) == date(2027, 1, 8)


@pytest.mark.sqlite
def test_the_calendar_file_names_nobody_and_replaces_itself_when_the_meeting_moves(world, settings):
    settings.SITE_URL = "https://hubs.example"
    made = world.meet()
    meetings.edit(
        meeting=made, where="Rööm; 2, upstairs " + "x" * 60, starts_at=moment(DAY, "15:30"), lasts_minutes=60,
        period_from=made.period_from, period_to=made.period_to, by=world.pantry_manager, at=moment(DAY - WEEK, "09:00"),
    )  # fmt: skip
    made.refresh_from_db()
    for user in (world.manager, world.pantry_manager, world.advisor):
        answer = signed_in(user).get(reverse("reviews:meeting_ics", args=[made.pk]))
        assert answer["Content-Type"] == "text/calendar; charset=utf-8"
        assert answer.content == calendar_file.to_ics(made)
    raw = calendar_file.to_ics(made)
    assert all(len(line) <= 75 for line in raw.split(b"\r\n")) and raw.endswith(b"END:VCALENDAR\r\n")
    lines = raw.decode().replace("\r\n ", "").split("\r\n")
    link = f"https://hubs.example/reviews/meetings/{made.pk}/"
    assert lines == [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Stockport Hubs//Review meetings//EN", "METHOD:PUBLISH",
        "BEGIN:VEVENT", f"UID:{made.pk}@stockport-hubs", "DTSTAMP:20260603T080000Z", "SEQUENCE:1",
        "DTSTART:20260610T143000Z", "DTEND:20260610T153000Z", "SUMMARY:Review meeting",
        r"LOCATION:Rööm\; 2\, upstairs " + "x" * 60,
        rf"DESCRIPTION:Agenda and minutes\, after signing in: {link}", f"URL:{link}",
        "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip


# -- reminders ---------------------------------------------------------------------------------------------------------


def test_owners_are_reminded_a_few_days_before_and_once_it_is_late(world, meeting, settings):
    settings.SITE_URL = "https://hubs.example"
    given = {"owner": world.advisor, "by": world.manager, "at": AT}
    action = meetings.add_action(meeting=meeting, what="Ring the secret hall", due_on=DAY + WEEK, **given)

    def told(day: date) -> int:
        return reminders.sweep(at=moment(day, "08:00"), job="reviews.remind")

    due = DAY + WEEK
    days = [due - timedelta(days=4), due - timedelta(days=3), due, due + timedelta(days=1), due + timedelta(days=9)]
    assert [told(day) for day in days] == [0, 1, 0, 1, 0]
    kind = notifications._kinds[reminders.KIND]
    letters = [kind.render(each.ids, each.to) for each in Message.objects.order_by("created_at")]
    assert [subject for subject, _ in letters] == ["An action is due soon", "An action is overdue"]
    link = "https://hubs.example/reviews/actions/"
    assert letters[0][1] == (
        f"An action of yours is due on 17 June 2026. Sign in to read it, and to say when it is done:\n{link}\n"
    )
    # another day is another reminder; nothing is sent about what is done, or somebody else's by now
    late = Message.objects.order_by("created_at").last()
    assert kind.may_send(late.ids, late.to) is None
    moved = User.objects.get(pk=late.to.pk)
    moved.organisation = factories.council()
    assert kind.may_send(late.ids, moved) == "The action is not theirs any more."
    actions.change(action=action, owner=world.pantry_manager, due_on=due + 4 * WEEK, by=world.manager, at=AT)
    assert kind.may_send(late.ids, late.to) == "The action is not theirs any more."
    assert told(due + 4 * WEEK) == 1
    again = Message.objects.order_by("created_at").last()
    assert again.to == world.pantry_manager and kind.may_send(again.ids, again.to) is None
    actions.mark(action=action, done=True, by=world.pantry_manager, at=AT)
    assert kind.may_send(again.ids, again.to) == "The action is done, or is not asked for any more."
    assert told(due + 9 * WEEK) == 0


def test_what_is_late_already_is_told_once_not_twice(world, meeting):
    meetings.add_action(meeting=meeting, what="Ring", owner=world.advisor, due_on=DAY, by=world.manager, at=AT)
    late = moment(DAY + 6 * WEEK)
    assert [reminders.sweep(at=late, job="reviews.remind") for _ in range(2)] == [1, 0]


@pytest.mark.parametrize("owner", ["manager", "advisor"])
def test_what_a_council_has_to_do_is_on_the_home_of_whoever_has_to(world, meeting, owner):
    given = {"meeting": meeting, "due_on": DAY, "by": world.manager, "at": AT}
    meetings.add_action(what="Ring the hall", owner=getattr(world, owner), **given)
    homes = {name: signed_in(getattr(world, name)).get("/").content.decode() for name in ("manager", "advisor")}
    assert [name for name, home in homes.items() if "Ring the hall" in home] == [owner]


@pytest.mark.sqlite
def test_actions_are_on_their_owners_home_and_go_from_there(world, meeting):
    action = meetings.add_action(
        meeting=meeting, what="Ring the hall", owner=world.pantry_manager, due_on=DAY, by=world.manager, at=AT
    )
    client = signed_in(world.pantry_manager)
    assert "Ring the hall" in client.get("/").content.decode()
    assert "Ring the hall" not in signed_in(world.manager).get("/").content.decode()
    answer = client.post(reverse("reviews:action_mark", args=[action.pk]), {"done": "yes", "then": "/"})
    assert (answer.status_code, answer.url) == (302, "/")
    assert "Ring the hall" not in client.get("/").content.decode().split("Your actions")[-1].split("Introductions")[0]
    outside = client.post(reverse("reviews:action_mark", args=[action.pk]), {"then": "https://elsewhere.example/"})
    assert outside.url.startswith(reverse("reviews:meeting", args=[meeting.pk]))
