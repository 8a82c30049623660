"""The pages of the counter: two taps for the usual ten, undo, refusals in words, a fixed number of queries."""

import re
import uuid
from datetime import date, time, timedelta

import pytest
from django.urls import reverse

from pantry.models import Collection, PantrySession
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from tests import factories
from tests.counter_scene import WEDNESDAY, Counter, at
from tests.factories import moment

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once


@pytest.fixture
def counter():
    return Counter()


@pytest.fixture
def now():
    with at():
        yield


@pytest.fixture
def browse(client, now):
    """`browse(user)`: a signed-in client at 10:42 that Wednesday."""

    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


def session_url(counter) -> str:
    return reverse("pantry:session", args=[counter.session.pk])


def record_url(counter, member) -> str:
    return reverse("pantry:record", args=[counter.session.pk, member.pk])


def text(response) -> str:
    """The words of <main>, one blank between them."""
    main = response.content.decode().partition('id="main-content">')[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def row(response, member) -> str:
    """The words of one member's row."""
    found = re.search(
        rf'<li class="hubs-row[^>]*id="member-{member.number}">(.*?)</li>', response.content.decode(), re.S
    )
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()) if found else ""


def hidden(response, member) -> dict:
    """What the row's button sends."""
    form = re.search(rf'action="[^"]*/members/{member.pk}/">(.*?)</form>', response.content.decode(), re.S)[1]
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    return {name: value for name, value in sent.items() if name != "csrfmiddlewaretoken"}


# -- today -------------------------------------------------------------------------------------------------------------


def test_today_opens_the_session_of_the_hour_first(browse):
    counter = Counter((2, time(14), time(16)), (2, time(10), time(12)), (2, time(8), time(9)))
    shown = text(browse(counter.volunteer).get(reverse("pantry:today")))
    assert re.findall(r"(\d\d:\d\d) to [\d:]+, ([\w ]+)", shown) == [
        ("10:00", "open now"),
        ("14:00", "opens later today"),
        ("08:00", "closed"),
    ]


def test_today_without_a_session_says_when_the_next_and_the_last_is(counter, client):
    counter.record(counter.join())
    client.force_login(counter.volunteer)
    with at(WEDNESDAY + timedelta(days=1)):
        shown = text(client.get(reverse("pantry:today")))
    assert (
        "No session today. The next session is on Wednesday 15 April 2026, 10:00 to 12:00. "
        "The last one was on Wednesday 8 April 2026: 1 recorded."
    ) in shown


def test_today_without_a_pantry_says_whom_to_ask(browse, counter):
    nobody = factories.user(Role.PANTRY_VOLUNTEER, counter.operator)
    shown = text(browse(nobody).get(reverse("pantry:today")))
    assert "You are not on the list of a pantry yet. Ask the pantry manager to add you." in shown


def test_the_manager_sees_past_sessions_paged(browse, counter):
    for n in range(1, 31):
        day = WEDNESDAY - timedelta(days=n)
        PantrySession.objects.create(pantry=counter.pantry, on=day, opens=time(10), closes=time(12))
    elsewhere = factories.pantry(factories.operator())
    PantrySession.objects.create(pantry=elsewhere, on=WEDNESDAY - timedelta(days=1), opens=time(10), closes=time(12))
    client = browse(counter.pantry_manager)
    assert "Showing 1 to 25 of 30 past sessions" in text(client.get(reverse("pantry:today")))
    assert "Showing 26 to 30 of 30 past sessions" in text(client.get(reverse("pantry:today"), {"page": 2}))
    assert "Past sessions" not in text(browse(counter.volunteer).get(reverse("pantry:today")))


# -- the session -------------------------------------------------------------------------------------------------------


def test_rows_hold_what_a_volunteer_needs(browse, counter):
    needs = [("allergen", "milk"), ("diet", "halal"), ("language", "Dari"), ("no_cooking", "")]
    funded = counter.join(preferred_name="Ash", needs=needs)
    other = counter.other(preferred_name="Bay")
    nameless = counter.join(preferred_name="")
    page = browse(counter.volunteer).get(session_url(counter))
    assert row(page, funded) == (
        f"{funded.number} Ash First visit Allergy: milk. Diet: halal. Interpreter: Dari. No cooking facilities. "
        f"To pay today £0.00 . 10 of 10 left. Other number of items for number {funded.number} "
        f"Usual 10 items with fruit and veg for number {funded.number}"
    )
    assert "To pay today £13.50 ." in row(page, other)
    assert row(page, nameless).startswith(f"{nameless.number} Number only")
    assert [m.number for m, _ in page.context["rows"]] == [funded.number, other.number, nameless.number]
    assert "0 recorded in this session" in text(page)
    event = AuditEvent.objects.get(verb="pantry.session.viewed")
    assert {s.subject_id for s in event.subjects.all()} == {funded.pk, other.pk, nameless.pk}


def test_search_by_three_letters_or_number(browse, counter):
    ash, bay = counter.join(preferred_name="Ashleigh"), counter.join(preferred_name="Bay Lee")
    client = browse(counter.volunteer)
    for query, expected in {"ash": [ash], "LEE": [bay], str(bay.number): [bay], "zzz": [], "": [ash, bay]}.items():
        page = client.get(session_url(counter), {"q": query})
        assert [r.number for r, _ in page.context["rows"]] == [m.number for m in expected], query
    assert "Nobody here is found by that." in text(client.get(session_url(counter), {"q": "zzz"}))


def test_two_taps_record_the_usual_ten_and_one_undoes_it(browse, counter):
    member = counter.join(preferred_name="Ash")
    client = browse(counter.volunteer)
    sent = hidden(client.get(session_url(counter), {"q": "ash"}), member)
    assert set(sent) == {"key", "q", "page", "usual"}
    answer = client.post(record_url(counter, member), sent)
    made = Collection.objects.get()
    assert (answer.status_code, answer.url) == (
        302,
        f"{session_url(counter)}?q=ash&page=1&recorded={made.pk}#member-{member.number}",
    )
    page = client.get(answer.url)
    assert f"Recorded: {member.number}. 10 items, fruit and veg" in text(page)
    assert "1 recorded in this session" in text(page)
    assert row(page, member) == (
        f"{member.number} Ash First visit Collected today 10:42 by Jo : 10 items, fruit and veg. 0 of 10 left. "
        f"Undo what was recorded for number {member.number}"
    )
    undone = client.post(reverse("pantry:void", args=[made.pk]), {"undo": "1", "q": "ash", "page": "1"}, follow=True)
    assert f"Undone for number {member.number}. The week is free again." in text(undone)
    assert "Usual 10" in row(undone, member)
    made.refresh_from_db()
    assert made.void_reason == "Recorded by mistake"


def test_the_same_form_sent_twice_gives_the_same_answer(browse, counter):
    member = counter.join()
    client = browse(counter.volunteer)
    sent = hidden(client.get(session_url(counter)), member)
    answers = [client.post(record_url(counter, member), sent).url for _ in range(2)]
    assert answers[0] == answers[1]
    assert Collection.objects.count() == 1


def test_the_second_attempt_is_told_who_and_when_with_409(browse, counter):
    member = counter.join()
    client = browse(counter.volunteer)
    sent = hidden(client.get(session_url(counter)), member)
    counter.record(member, by=counter.another_volunteer(), clock="10:40")
    answer = client.post(record_url(counter, member), sent)
    assert answer.status_code == 409
    assert "Already collected this week. Collected today 10:40 by Ali." in text(answer)
    page = client.get(session_url(counter))
    assert "Undo" not in row(page, member)


def test_a_broken_form_is_told_so(browse, counter):
    member = counter.join()
    answer = browse(counter.volunteer).post(record_url(counter, member), {"usual": "1", "key": "not a key"})
    assert answer.status_code == 409
    assert "The form did not arrive whole. Go back to the session and try again." in text(answer)


def test_another_number_is_chosen_on_the_members_page(browse, counter):
    member = counter.join(preferred_name="Ash")
    client = browse(counter.volunteer)
    page = client.get(record_url(counter, member), {"q": "as"})
    assert "Ash" in text(page)
    form = {"key": uuid.uuid4(), "items": "6", "fruit": "no"}
    answer = client.post(record_url(counter, member) + "?q=as", form)
    made = Collection.objects.get()
    assert answer.url == f"{session_url(counter)}?q=as&recorded={made.pk}#member-{member.number}"
    assert ([i.quantity for i in made.items.all()], made.fruit_and_veg) == ([6], False)


def test_more_than_the_allowance_warns_and_passes_with_a_reason(browse, counter):
    member = counter.join()
    client = browse(counter.volunteer)
    form = {"key": uuid.uuid4(), "items": "12", "fruit": "yes"}
    assert "Why is it more" not in text(client.get(record_url(counter, member)))
    warned = client.post(record_url(counter, member), form)
    assert warned.status_code == 200
    told = "12 items are more than the 10 allowed this week. Enter fewer, or choose below why it is more"
    assert told in text(warned)
    assert "Why is it more than the allowance?" in text(warned)
    assert client.post(record_url(counter, member), form | {"over_reason": "they are nice"}).status_code == 200
    assert Collection.objects.count() == 0
    assert client.post(record_url(counter, member), form | {"over_reason": "surplus"}).status_code == 302
    nothing = client.post(record_url(counter, counter.join()), form | {"items": "0", "fruit": "no"})
    assert "Enter the number of items, or choose fruit and vegetables" in text(nothing)


def test_paused_ended_and_visiting_members(browse, counter):
    paused = counter.join()
    paused.state = "paused"
    paused.save()
    left = counter.join()
    counter.leave(left, WEDNESDAY - timedelta(days=1))
    elsewhere = factories.pantry(counter.operator)
    visitor = counter.join(pantry=elsewhere, preferred_name="Secret", needs=[("allergen", "fish")])
    client = browse(counter.volunteer)
    page = client.get(session_url(counter))
    assert row(page, paused).endswith("Paused. Ask the pantry manager.")
    assert (row(page, left), row(page, visitor)) == ("", "")
    found = client.get(session_url(counter), {"q": left.number})
    assert row(found, left) == f"{left.number} Number only This membership has ended. Ask the pantry manager."
    found = client.get(session_url(counter), {"q": visitor.number})
    assert row(found, visitor).startswith(
        f"{visitor.number} Number only First visit "
        "Member of another pantry, may shop. To pay today £0.00 . 10 of 10 left."
    )
    assert "Secret" not in found.content.decode()
    assert "fish" not in text(found)
    assert row(client.get(session_url(counter), {"q": "Secret"}), visitor) == ""
    assert client.post(record_url(counter, visitor), hidden(found, visitor)).status_code == 302
    answer = client.post(record_url(counter, paused), {"usual": "1", "key": uuid.uuid4()})
    assert (answer.status_code, "Paused. Ask the pantry manager." in text(answer)) == (409, True)
    counter.pantry.welcomes_other_pantries = False
    counter.pantry.save()
    another = counter.join(pantry=elsewhere)
    found = client.get(session_url(counter), {"q": another.number})
    assert row(found, another).endswith("Member of another pantry. Ask the pantry manager.")


def test_the_manager_records_late_and_undoes_with_a_reason(counter, client):
    member = counter.join()
    made = counter.record(counter.join())
    later = WEDNESDAY + timedelta(days=5)
    with at(later):
        client.force_login(counter.pantry_manager)
        page = client.get(session_url(counter))
        assert "This session has passed. What you add now is marked as entered late." in text(page)
        assert client.post(record_url(counter, member), hidden(page, member)).status_code == 302
        late = Collection.objects.get(membership=member)
        assert (late.on, late.is_late, late.collected_at) == (WEDNESDAY, True, moment(WEDNESDAY, "10:00"))
        void_url = reverse("pantry:void", args=[made.pk])
        asked = client.get(void_url)
        assert "Collected on Wednesday 8 April 10:42 by Jo." in text(asked)
        missing = client.post(void_url, {"reason": "Another reason", "words": ""})
        assert "Say in your own words why it is undone" in text(missing)
        assert client.post(void_url, {"reason": "Wrong member", "words": "was the brother"}).status_code == 302
        made.refresh_from_db()
        assert made.void_reason == "Wrong member: was the brother"
        assert "This collection has already been undone." in text(client.get(void_url))
    with at(WEDNESDAY + timedelta(days=40)):
        client.force_login(counter.pantry_manager)
        page = client.get(session_url(counter))
        assert "This session was more than 28 days ago. Nothing can be added to it." in text(page)
        assert "Usual 10" not in text(page)


def test_a_colleagues_collection_is_not_for_a_volunteer_to_undo(browse, counter):
    made = counter.record(counter.join())
    answer = browse(counter.another_volunteer()).post(reverse("pantry:void", args=[made.pk]), {"undo": "1"})
    assert answer.status_code == 409
    assert "Jo recorded this. Jo or the pantry manager can undo it." in text(answer)
    assert Collection.objects.counted().count() == 1


# -- doors -------------------------------------------------------------------------------------------------------------


def test_other_peoples_sessions_members_and_collections_are_404(browse, counter, client):
    mine, theirs = counter, Counter()
    made = theirs.record(theirs.join())
    client = browse(mine.volunteer)
    addresses = [
        session_url(theirs),
        record_url(theirs, theirs.join()),
        reverse("pantry:record", args=[mine.session.pk, theirs.join().pk]),
        reverse("pantry:void", args=[made.pk]),
    ]
    assert [client.get(url).status_code for url in addresses] == [404] * 4
    assert [client.post(url, {"usual": 1, "undo": 1}).status_code for url in addresses] == [405, 404, 404, 404]
    with at(WEDNESDAY + timedelta(days=1)):
        client.force_login(mine.volunteer)
        assert client.get(session_url(mine)).status_code == 404  # yesterday's is for the manager


@pytest.mark.parametrize("who", ["advisor", "manager", "finance"])
def test_the_council_has_no_business_at_the_counter(browse, counter, who):
    client = browse(getattr(counter, who))
    urls = [reverse("pantry:today"), session_url(counter), record_url(counter, counter.join())]
    assert [client.get(url).status_code for url in urls] == [403] * 3


# -- queries -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "queries"), [(1, 16), (3, 16), (51, 16), (120, 16)])
def test_the_session_page_asks_the_same_questions_however_many_rows(
    browse, counter, django_assert_num_queries, monkeypatch, rows, queries
):
    needs = [("allergen", "milk"), ("language", "Dari")]
    for n in range(rows):
        member = counter.join(needs=needs) if n % 3 else counter.other(needs=needs)
        counter.record(member)
    client = browse(counter.volunteer)
    with django_assert_num_queries(queries):
        found = client.get(session_url(counter)).context
    assert (len(found["rows"]), found["page"].paginator.count) == (min(rows, 50), rows)
    monkeypatch.setattr("stockport_hubs.core.pages.COUNTED", 100)
    further = client.get(session_url(counter), {"page": "2"}).context["page"].paginator
    assert (further.count, further.more) == (rows, False), "every page of a hall says how many are listed"


@pytest.mark.parametrize("pantries", [2, 4])
def test_today_asks_the_same_questions_however_many_pantries(browse, counter, django_assert_num_queries, pantries):
    for n in range(pantries - 1):
        factories.pantry(counter.operator, (n, time(9), time(10)))
    for n in range(1, pantries * 3):
        day = date(2026, 3, 1) + timedelta(days=n)
        PantrySession.objects.create(pantry=counter.pantry, on=day, opens=time(10), closes=time(12))
    client = browse(counter.pantry_manager)
    client.get(reverse("pantry:today"))
    with django_assert_num_queries(13):
        client.get(reverse("pantry:today"))
