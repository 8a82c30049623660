"""Two councils and two operators side by side: what one writes never reaches, or changes, what is the other's."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.db import transaction
from django.urls import reverse

from careleavers.models import AdvisorAllocation, CareLeaver
from careleavers.services import sharing
from pantry.models import FundingAgreement, Membership, Tariff, TopUp
from pantry.services import sessions
from reviews.models import Action, Barrier, ReviewMeeting
from reviews.services import barriers, meetings
from stockport_hubs import pdf
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core import clock, weeks
from stockport_hubs.home import council
from stockport_hubs.jobs.models import Job
from stockport_hubs.notifications import services as notifications
from stockport_hubs.notifications.models import Message
from tests import factories
from tests.pack_scene import as_html
from tests.test_url_table import TABLE, address
from tests.world import make_scheme

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite, pytest.mark.crawls]  # pages: once


@pytest.fixture
def two():
    return factories.World(), factories.World()


def proposed(world) -> Tariff:
    return Tariff.objects.create(
        pantry=world.pantry,
        from_week=weeks.monday(clock.today()) + timedelta(weeks=4),
        weekly_pence=450,
        joining_pence=1000,
        proposed_by=world.pantry_manager,
        proposed_at=clock.now(),
    )


def test_a_price_is_agreed_by_a_council_that_pays_it(client, two):
    ours, others = two
    tariff = proposed(others)
    url = reverse("pantry:tariff_agree", args=[tariff.pk])
    client.force_login(ours.finance)
    assert client.get(url).status_code == 404
    assert client.post(url, {"answer": "agree"}).status_code == 404
    assert tariff not in client.get(reverse("pantry:tariffs")).context["waiting"].object_list
    client.force_login(others.finance)
    assert client.post(url, {"answer": "agree"}).status_code == 302
    tariff.refresh_from_db()
    assert tariff.agreed_by == others.finance


def test_the_first_price_of_an_operator_without_an_agreement_can_be_agreed(client, two):
    ours, others = two
    tariff = proposed(others)
    FundingAgreement.objects.filter(pk=others.agreement.pk).delete()
    client.force_login(ours.finance)
    assert client.get(reverse("pantry:tariff_agree", args=[tariff.pk])).status_code == 200


def test_a_barrier_is_about_a_pantry_of_an_operator_the_council_pays(client, two):
    ours, others = two
    client.force_login(ours.manager)
    url, today = reverse("reviews:barrier_add"), clock.today()
    given = {"council": ours.council.pk, "category": "hours", "note": "Words", "owner": ours.manager.pk}
    given |= {"raised_on_day": today.day, "raised_on_month": today.month, "raised_on_year": today.year}
    refused = client.post(url, given | {"pantry": others.pantry.pk})
    assert refused.status_code == 200 and "pantry" in refused.context["form"].errors
    assert others.pantry_manager.name not in client.get(url).content.decode()
    assert not Barrier.objects.exists()
    assert client.post(url, given | {"pantry": ours.pantry.pk}).status_code == 302
    client.force_login(ours.pantry_manager)
    given |= {"pantry": ours.pantry.pk, "owner": ours.pantry_manager.pk}
    refused = client.post(url, given | {"council": others.council.pk})
    assert refused.status_code == 200 and [*refused.context["form"].errors] == ["council"]
    assert client.post(url, given).status_code == 302


def test_whoever_recorded_a_barrier_sees_it_no_more_once_the_person_is_another_advisors(client, two):
    world, _ = two
    person = CareLeaver.objects.create(
        council=world.council,
        reference="R1",
        preferred_name="Kim",
        born_on=date(2004, 1, 1),
        eligibility="former_relevant",
        created_at=clock.now(),
    )
    given = AdvisorAllocation.objects.create(care_leaver=person, advisor=world.advisor, from_on=date(2024, 1, 1))
    barrier = barriers.raise_barrier(
        council=world.council,
        care_leaver=person,
        pantry=None,
        category="health",
        note="Private",
        owner=world.manager,
        due_on=None,
        raised_on=clock.today(),
        by=world.advisor,
        at=clock.now(),
    )
    client.force_login(world.advisor)
    url = reverse("reviews:barrier", args=[barrier.pk])
    assert client.get(url).status_code == 200
    AdvisorAllocation.objects.filter(pk=given.pk).update(advisor=factories.user(Role.PERSONAL_ADVISOR, world.council))
    assert client.get(url).status_code == 404
    assert "Kim" not in client.get(reverse("reviews:barriers")).content.decode()
    Barrier.objects.update(owner=world.advisor)  # who looks after it reads it, and nothing else of the person
    page = client.get(url)
    assert (page.status_code, reverse("careleavers:detail", args=[person.pk]) in page.content.decode()) == (200, False)


# Councils choose among all pantries, their prices and operators, and see work nobody asked for. Not here:
# administrators, who look after everybody's account.
CHOOSE_AMONG = {
    Role.PERSONAL_ADVISOR: {"pantry:pantries"},
    Role.LEAVING_CARE_MANAGER: {
        *("pantry:pantries", "pantry:tariffs", "pantry:members", "pantry:members q=1"),
        *("pantry:agreement_add", "pantry:statements", "jobs:list"),
    },
    Role.FINANCE_OFFICER: {
        *("pantry:pantries", "pantry:tariffs", "pantry:members", "pantry:members q=1", "pantry:statements"),
    },
}
BY_NAME = ("careleavers:list", "careleavers:cohort", "referrals:list", "referrals:find", "trail")
ALSO_ASKED = {name: "q=Dale" for name in BY_NAME} | {
    "home": "page=1",
    "pantry:members": "q=1",
    "pantry:renewals": "q=1&show=all",
    "pantry:visitors": "all=1",
    "reviews:barriers": "show=all",
}
SHOWN = re.compile(r'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|name="csrfmiddlewaretoken" value="\w+"|nonce="[^"]+"')


def more_of(scheme: dict) -> None:
    """What `make_scheme` leaves out: nobody's young person and one to be introduced, failed work, somebody who never
    came or was long away, a pantry with funded members only, yesterday's session, a meeting to come, a late barrier,
    an e-mail of unknown fate."""
    now, today = clock.now(), clock.today()
    CareLeaver.objects.create(
        council=scheme["council"], reference="N", born_on=date(2006, 1, 1), eligibility="relevant", created_at=now
    )
    sharing.record_agreement(
        care_leaver=scheme["person"],
        wording_version="1",
        privacy_notice_on=today,
        given_on=today,
        how_given="in_person",
        share_name=True,
        items=[],
        taken_by=scheme["advisor"],
        at=now,
    )
    sessions.for_day(pantry=scheme["pantry"], on=today - timedelta(days=1))
    ReviewMeeting.objects.filter(pk=scheme["meeting"].pk).update(starts_at=now + timedelta(days=1))
    accepted = scheme["colleague"]["accepted"]
    accepted.refresh_from_db()
    ours = Membership.objects.filter(operator=scheme["operator"])
    ours.filter(agreement=None).update(agreement=scheme["agreement"])
    ours.filter(pk=accepted.membership_id).update(first_week=weeks.monday(today) - timedelta(weeks=9))
    ours.filter(pk=scheme["membership"].pk).update(next_due_on=today + timedelta(days=7))
    ours.filter(pk=scheme["membership"].pk).update(state=Membership.State.PAUSED)
    long_ago = today - timedelta(weeks=40)
    scheme["membership"].moves.create(state=Membership.State.PAUSED, on=long_ago, recorded_at=now)
    scheme["membership"].moves.filter(on__gt=long_ago).delete()
    Barrier.objects.filter(council=scheme["council"]).update(due_on=today - timedelta(days=1))
    Job.objects.filter(pk__in=[job.pk for job in scheme["jobs"].values()]).update(failed_at=now, error="No")
    Message.objects.filter(pk__in=[each.pk for each in scheme["messages"].values()]).update(
        claimed_at=now - timedelta(hours=1)
    )


OF_ONE = (
    "referrals:walk_in_confirm",
    "pantry:pantry",
    "pantry:member",
    "pantry:session",
    "reviews:meeting",
    "referrals:start",
    "reviews:figure_people",
)


EMPTY_WORKBOOK = "careleavers:import_template"


def pages(client, scheme, role) -> dict[str, str]:
    """Every list, home and form to add, and a few pages about one's own objects, as this role sees them; without the
    keys of forms, which are new each time."""
    found = {}
    client.force_login(scheme["users"][role])
    for name in [name for name, row in TABLE.items() if role in row.roles and (not row.keys or name in OF_ONE)]:
        for query in ("", *([ALSO_ASKED[name]] if name in ALSO_ASKED else [])):
            with transaction.atomic():
                response = client.get(f"{address(name, scheme, role)}?{query}")
                transaction.set_rollback(True)
            # The one file without an object is an empty workbook to fill in, stamped with its parts' times on the disk.
            text = "" if name == EMPTY_WORKBOOK else SHOWN.sub("", response.content.decode())
            found[f"{name} {query}".strip()] = f"{response.status_code} {text}"
    return found


def test_what_another_scheme_has_changes_no_page_and_no_number_of_ours(client, monkeypatch):
    """The lists, the searches, the homes' counts, the choices in forms: the same to the letter, whoever is beside."""
    ours, roles = make_scheme("Own"), [role for role in Role if role != Role.ADMINISTRATOR]
    monkeypatch.setattr(pdf, "from_html", as_html)  # after the scheme's own documents, which are kept for other tests
    with time_machine.travel(clock.now(), tick=False):  # pages tell the minute in which somebody signed in
        alone = {role: pages(client, ours, role) for role in roles}
        more_of(make_scheme("Other"))
        beside = {role: pages(client, ours, role) for role in roles}
    changed = {role: {name for name in alone[role] if alone[role][name] != beside[role][name]} for role in roles}
    assert {role: names for role, names in changed.items() if names} == CHOOSE_AMONG


def test_no_message_about_what_is_ours_goes_to_anybody_else():
    """Who has changed organisations between the writing and the sending of an e-mail is such a one."""
    ours, others, now = make_scheme("Own"), make_scheme("Other"), clock.now()
    due = clock.today() + timedelta(days=7)
    Membership.objects.filter(pk=ours["membership"].pk).update(next_due_on=due)
    warning = ours["accepted"].warnings.create(block_no=2, weeks_ahead=5, starts_on=due, at=now)
    gone = "The introduction is not theirs any more."
    for kind, role, ids, why_not in (
        ("sent", Role.PANTRY_MANAGER, {"referral": ours["sent"]}, gone),
        ("accepted", Role.PERSONAL_ADVISOR, {"referral": ours["accepted"]}, gone),
        ("renewal_warning", Role.PERSONAL_ADVISOR, {"referral": ours["accepted"], "warning": warning}, gone),
        (
            *("name_hidden", Role.PANTRY_MANAGER, {"membership": ours["printed"].membership}),
            "What was printed is destroyed already.",
        ),
        ("walk_in", Role.LEAVING_CARE_MANAGER, {"walk_in": ours["walk_in"]}, "The pantry has its answer."),
    ):
        may_send = notifications._kinds[f"referrals.{kind}"].may_send
        of = {name: str(each.pk) for name, each in ids.items()}
        assert may_send(of, ours["users"][role]) is None, kind
        assert may_send(of, others["users"][role]) == why_not, kind


@pytest.mark.parametrize("url", ["reviews:figures", "reviews:meeting_add"])
def test_before_the_first_meeting_the_agreement_proposed_is_ones_own(client, two, url):
    for world in two:  # whichever of the agreements comes first of all
        client.force_login(world.manager)
        assert f'value="{world.agreement.pk}" selected' in client.get(reverse(url)).content.decode()


def test_what_one_owns_in_a_council_is_left_behind_in_it(two):
    ours, others = two
    for owner in (ours.advisor, others.advisor):
        barriers.raise_barrier(
            council=ours.council,
            care_leaver=None,
            pantry=ours.pantry,
            category="hours",
            note="",
            owner=ours.advisor,
            due_on=None,
            raised_on=clock.today(),
            by=owner,
            at=clock.now(),
        )
    meeting = meetings.plan(
        agreement=ours.agreement, starts_at=clock.now(), where="", period_from=clock.today(), period_to=clock.today(),
        by=ours.manager, at=clock.now(),
    )  # fmt: skip
    given = {"owner": ours.advisor, "due_on": clock.today(), "by": ours.manager, "at": clock.now()}
    action = meetings.add_action(meeting=meeting, what="Ring the hall", **given)

    def seen() -> tuple:
        found = council.my_actions(ours.advisor)
        return Barrier.objects.for_user(ours.advisor).count(), [*Action.objects.for_user(ours.advisor)], len(found)

    assert seen() == (2, [action], 1)
    ours.advisor.organisation = others.council
    assert seen() == (0, [], 0)


def test_a_pantry_manager_looks_after_volunteers_and_nobody_else(two):
    ours, _ = two
    factories.user(Role.PANTRY_MANAGER, ours.operator)
    assert list(User.objects.for_user(ours.pantry_manager)) == [ours.volunteer]


def test_whoever_has_nothing_yet_is_told_so_whatever_others_have(client, two):
    for role, words in (
        (Role.PANTRY_MANAGER, "No pantry is here yet"),
        (Role.LEAVING_CARE_MANAGER, "No agreement is in force"),
        (Role.PERSONAL_ADVISOR, "Nobody is allocated to you yet"),
    ):
        client.force_login(factories.user(role))
        assert words in client.get(reverse("home")).content.decode()


def test_what_another_council_paid_for_the_same_price_is_its_own(client, two):
    ours, others = two
    theirs = factories.agreement(others.council, ours.operator)
    tariff = factories.tariff(ours.pantry, weeks.monday(clock.today()), 450)
    first, second = (
        TopUp.objects.create(tariff=tariff, agreement=each, on=clock.today(), pence=100)
        for each in (ours.agreement, theirs)
    )
    for user, seen in (
        *((ours.finance, [first]), (ours.manager, [first]), (others.finance, [second])),
        *((ours.pantry_manager, [first, second]), (others.pantry_manager, [])),
        *((ours.advisor, []), (ours.volunteer, [])),
    ):
        assert set(TopUp.objects.for_user(user)) == set(seen), user
    client.force_login(ours.finance)
    page = client.get(reverse("pantry:tariff_agree", args=[tariff.pk])).content.decode()
    assert (ours.agreement.name in page, theirs.name in page) == (True, False)


def test_a_disagreement_is_recorded_about_what_is_ones_own(client):
    ours, others = make_scheme("Own"), make_scheme("Other")
    client.force_login(ours["users"][Role.LEAVING_CARE_MANAGER])
    for asked, named in (("barrier", "pantry_barrier"), ("hold", "decision"), ("item", "item")):
        for scheme, status in ((ours, 200), (others, 404)):
            url = f"{reverse('reviews:disagreement_add')}?{asked}={scheme[named].pk}"
            assert (asked, client.get(url).status_code) == (asked, status)
