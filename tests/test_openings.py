"""Open with a reason: a colleague's young person to read for 24 hours, 404 before and after; who is told; limits."""

import re
from datetime import date, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from careleavers.models import RecordOpening
from careleavers.services import allocations, openings, people
from referrals import services as referrals
from reviews.services import barriers
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.administration import services as administration
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from stockport_hubs.notifications import services as notifications
from tests import factories
from tests.factories import moment
from tests.test_introductions import introduce, person

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
DAY = date(2026, 4, 9)
AT = moment(DAY)
ASKED = {"reason": "on_duty", "words": "Rang about a letter."}


@pytest.fixture(autouse=True)
def clock(settings):
    settings.CLOCK = AT
    return lambda at: setattr(settings, "CLOCK", at)


@pytest.fixture
def world():
    made = factories.World()
    made.colleague = factories.user(Role.PERSONAL_ADVISOR, made.council, name="Cleo Colleague")
    return made


def opens(world, care_leaver, at=AT, by=None, **more) -> RecordOpening:
    return openings.open_record(reference=care_leaver.reference, by=by or world.colleague, at=at, **(ASKED | more))


def text(response) -> str:
    main = response.content.decode().partition("<main")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def ask(client, reference, **more):
    return client.post(reverse("careleavers:open"), {"reference": reference, **ASKED, **more})


# -- asked first, for 24 hours -----------------------------------------------------------------------------------------


def test_a_record_opens_after_a_reason_and_a_yes_and_closes_after_24_hours(client, world, clock):
    care_leaver = person(world, name="Zebedee")
    own_page = reverse("careleavers:detail", args=[care_leaver.pk])
    client.force_login(world.colleague)
    assert client.get(own_page).status_code == 404
    assert "Answer the question “What happened?”" in text(ask(client, care_leaver.reference, words=""))
    sure = ask(client, care_leaver.reference)
    assert f"Open the record with the reference {care_leaver.reference}?" in text(sure)
    assert RecordOpening.objects.count() == 0
    opened = ask(client, care_leaver.reference, confirmed="yes")
    page = opened.headers["Location"]
    assert "Zebedee Quillfeather" in text(client.get(page))
    assert client.get(own_page).status_code == 404
    assert client.post(reverse("careleavers:edit", args=[care_leaver.pk])).status_code == 404
    clock(AT + timedelta(hours=23, minutes=59))
    assert client.get(page).status_code == 200
    clock(AT + timedelta(hours=24))
    assert client.get(page).status_code == 404
    verbs = AuditEvent.objects.filter(by=world.colleague, verb__startswith="careleavers.record").order_by("id")
    assert list(verbs.values_list("verb", flat=True)) == [
        "careleavers.record.opened",
        "careleavers.record.read",
        "careleavers.record.read",
    ]
    assert {each.subjects.get().subject_id for each in verbs} == {care_leaver.pk}


def test_before_the_yes_a_reference_that_exists_and_one_that_does_not_are_answered_alike(client, world):
    there = person(world).reference
    client.force_login(world.colleague)
    token = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"')
    pages = [token.sub("", ask(client, each).content.decode()).replace(each, "@") for each in (there, "R-none")]
    assert pages[0] == pages[1]
    assert not RecordOpening.objects.exists()


def test_what_is_opened_can_be_read_and_not_changed(client, world):
    care_leaver = person(world, name="Zebedee", address="7 Hidden Row", postcode="SK1 1AA", is_safe_address=True)
    referrals.accept(referral=introduce(world, care_leaver), by=world.pantry_manager, at=AT)
    barriers.raise_barrier(
        council=world.council, care_leaver=care_leaver, pantry=None, category="stigma", note="Feels watched",
        owner=world.advisor, due_on=None, raised_on=DAY, by=world.advisor, at=AT,
    )  # fmt: skip
    opening = opens(world, care_leaver)
    client.force_login(world.colleague)
    before = AuditEvent.objects.count()
    response = client.get(reverse("careleavers:opened", args=[opening.pk]))
    page = text(response)
    for words in ("Zebedee", world.advisor.name, "Allergy: milk", "Accepted", "Rang about a letter."):
        assert words in page
    for words in ("Hidden Row", "Feels watched", str(care_leaver.pk)):
        assert words not in response.content.decode()
    actions = re.findall(r'action="([^"]+)"', response.content.decode().partition("<main")[2])
    assert actions == [reverse("careleavers:opening_close", args=[opening.pk])]
    assert AuditEvent.objects.count() == before + 1


def test_nobody_else_reads_it_and_an_end_before_24_hours_holds(client, world):
    opening = opens(world, person(world))
    page = reverse("careleavers:opened", args=[opening.pk])
    client.force_login(factories.user(Role.PERSONAL_ADVISOR, world.council))
    assert client.get(page).status_code == 404
    client.force_login(world.advisor)  # their own advisor knows of it and reads their own page
    assert client.get(page).status_code == 404
    with pytest.raises(Refused, match="Whoever opened it"):
        openings.close_record(opening=opening, by=world.advisor, at=AT)
    client.force_login(world.colleague)
    assert client.get(page).status_code == 200
    assert client.post(reverse("careleavers:opening_close", args=[opening.pk])).status_code == 302
    assert client.get(page).status_code == 404
    with pytest.raises(Refused, match="closed already"):
        openings.close_record(opening=opening, by=world.manager, at=AT + timedelta(hours=1))


def test_opening_again_while_it_is_open_is_the_same_opening(world):
    care_leaver = person(world)
    first = opens(world, care_leaver)
    assert opens(world, care_leaver, at=AT + timedelta(hours=3)) == first
    assert opens(world, care_leaver, at=AT + timedelta(hours=25)) != first


def test_cover_that_begins_needs_no_opening_and_ones_own_is_refused(world):
    care_leaver = person(world)
    with pytest.raises(Refused, match="one of your own"):
        opens(world, care_leaver, by=world.advisor)
    allocations.give_cover(
        care_leaver=care_leaver, advisor=world.colleague, from_on=DAY, until_on=DAY, by=world.manager, at=AT
    )
    with pytest.raises(Refused, match="one of your own"):
        opens(world, care_leaver)
    with pytest.raises(Refused, match="sees everybody"):
        opens(world, care_leaver, by=world.manager)


def test_whoever_moves_to_another_council_leaves_what_they_opened_behind(client, world):
    opening, there = opens(world, person(world, name="Zebedee")), factories.council()
    administrator = factories.user(Role.ADMINISTRATOR, world.council)
    administration.move(user=world.colleague, role=Role.PERSONAL_ADVISOR, organisation=there, by=administrator, at=AT)
    client.force_login(User.objects.get(pk=world.colleague.pk))
    assert client.get(reverse("careleavers:opened", args=[opening.pk])).status_code == 404
    assert "Open now" not in text(client.get(reverse("careleavers:open")))
    for manager, sees in ((world.manager, 1), (factories.user(Role.LEAVING_CARE_MANAGER, there), 0)):
        client.force_login(manager)
        assert text(client.get(reverse("careleavers:openings"))).count("Zebedee") == sees


# -- guessing ----------------------------------------------------------------------------------------------------------


def test_references_nobody_has_are_kept_counted_and_stop_after_three(client, world):
    elsewhere = people.add(
        council=factories.council(), reference="R-elsewhere", preferred_name="Ash", born_on=date(2005, 1, 1),
        eligibility="former_relevant", job="test", at=AT,
    )  # fmt: skip
    client.force_login(world.colleague)
    for reference in ("R-none", elsewhere.reference):
        assert "nobody here has this reference" in text(ask(client, reference, confirmed="yes"))
    assert "for 1 more" not in text(client.get(reverse("careleavers:open")))
    ask(client, "R-other", confirmed="yes")
    assert "3 references today belonged to nobody" in text(ask(client, person(world).reference, confirmed="yes"))
    assert list(RecordOpening.objects.values_list("care_leaver", "until_at", "pattern")) == [
        (None, None, "unknown"),
        (None, None, ""),
        (None, None, ""),
    ]
    assert "as often as one can in a day" in text(client.get(reverse("careleavers:open")))
    assert opens(world, person(world), at=AT + timedelta(days=1)).care_leaver_id


def test_a_refusal_looks_for_nobody_so_that_it_takes_as_long_for_a_reference_somebody_has(world):
    care_leaver = person(world)
    for n in range(openings.MOST_UNKNOWN):
        openings.open_record(reference=f"R-none-{n}", by=world.colleague, at=AT, **ASKED)
    asked = []
    for reference in (care_leaver.reference, "R-nobody"):
        with CaptureQueriesContext(connection) as queries, pytest.raises(Refused, match="belonged to nobody"):
            openings.open_record(reference=reference, by=world.colleague, at=AT, **ASKED)
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_ten_a_day_and_no_more_until_midnight_in_london(world):
    late = moment(date(2026, 4, 9), "23:50")
    for _ in range(10):
        opens(world, person(world), at=late)
    with pytest.raises(Refused, match="10 records today"):
        opens(world, person(world), at=late)
    assert opens(world, person(world), at=late + timedelta(minutes=10)).care_leaver_id


# -- who is told -------------------------------------------------------------------------------------------------------


def test_five_in_a_day_stand_out_and_managers_get_one_email_that_names_nobody(client, world):
    found = [opens(world, person(world, name="Zebedee")) for _ in range(6)]
    assert [each.pattern for each in found] == ["", "", "", "", "many_a_day", "many_a_day"]
    jobs.pump()
    [email] = mail.outbox
    assert (email.to, email.subject) == ([world.manager.email], "Somebody opened many records")
    assert "Zebedee" not in email.body and world.colleague.name not in email.body
    client.force_login(world.manager)
    home = text(client.get("/"))
    assert "6 records opened with a reason 2 stand out" in home
    assert text(client.get(reverse("careleavers:openings"))).count("Zebedee") == 6
    assert text(client.get(f"{reverse('careleavers:openings')}?show=stands_out")).count("Zebedee") == 2


def test_the_email_goes_to_no_manager_of_another_council(world):
    ids = {"opening": str(opens(world, person(world)).pk)}
    elsewhere = factories.user(Role.LEAVING_CARE_MANAGER, factories.council())
    may_send = notifications._kinds[openings.STANDS_OUT].may_send
    assert may_send(ids, world.manager) is None
    assert may_send(ids, elsewhere) == "They do not look after this council’s young people any more."


def test_five_people_within_four_weeks_stand_out_and_the_same_one_again_does_not(world):
    first = person(world)
    assert [opens(world, first, at=AT + timedelta(days=2 * n)).pattern for n in range(6)] == [""] * 6
    later = [opens(world, person(world), at=AT + timedelta(days=12 + n)).pattern for n in range(4)]
    assert later == ["", "", "", "many_people"]
    assert opens(world, person(world), at=AT + timedelta(days=60)).pattern == ""


def test_the_own_advisor_sees_it_on_the_home_on_the_page_and_in_the_trail(client, world, clock):
    care_leaver = person(world, name="Zebedee")
    client.force_login(world.advisor)
    assert "A colleague opened" not in text(client.get("/"))
    opens(world, care_leaver)
    assert "A colleague opened the record of one of your young people" in text(client.get("/"))
    for page in (
        reverse("careleavers:openings"),
        reverse("careleavers:detail", args=[care_leaver.pk]),
    ):
        assert "Cleo Colleague" in text(client.get(page)) and "Rang about a letter." in text(client.get(page))
    trail = text(client.get(reverse("record_trail", args=[care_leaver.pk])))
    assert "Opened a colleague’s young person with a reason" in trail and "Cleo Colleague" in trail
    clock(AT + timedelta(days=15))
    assert "A colleague opened" not in text(client.get("/"))


@pytest.mark.parametrize("rows", [1, 3])
def test_the_lists_ask_the_same_questions_however_long(client, world, rows, django_assert_num_queries):
    for _ in range(rows):
        opens(world, person(world))
    for user, queries in ((world.manager, 8), (world.advisor, 8)):
        client.force_login(user)
        with django_assert_num_queries(queries):
            client.get(reverse("careleavers:openings"))
