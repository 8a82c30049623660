"""Who was never offered a place is deleted when the time is over, and nobody else; the cohort goes on counting them."""

from datetime import timedelta

import pytest
from django.urls import reverse

from careleavers.models import AdvisorAllocation, CareLeaver, CohortMove, CohortPlace, KeepingRule, RecordOpening
from careleavers.services import allocations, cohort, keeping, openings, people
from reviews import cohort as figures
from reviews.attendance import Attendance
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from tests import factories
from tests.factories import BEGIN, moment
from tests.world import make_scheme

pytestmark = pytest.mark.django_db
AFTER = BEGIN + timedelta(days=90)


@pytest.fixture
def council():
    return factories.council()


@pytest.fixture
def manager(council):
    return factories.user(Role.LEAVING_CARE_MANAGER, council)


@pytest.fixture
def add(council, manager):
    def add(reference, ticked=None, on=BEGIN):
        made = people.add(
            council=council, by=manager, at=moment(on), reference=reference, preferred_name=f"Name-{reference}",
            born_on=BEGIN.replace(year=2006), eligibility="former_relevant",
        )  # fmt: skip
        if ticked:
            cohort.tick(care_leavers=[made], on=ticked, by=manager, at=moment(ticked))
        return made

    return add


def sweep(day, clock="03:00"):
    return keeping.sweep(job="careleavers.forget_people", at=moment(day, clock))


def test_deleted_on_the_day_that_was_said_and_not_the_day_before(add, council, manager):
    person, later = add("1", ticked=BEGIN), add("2", ticked=BEGIN + timedelta(days=10))
    advisor = factories.user(Role.PERSONAL_ADVISOR, council)
    allocations.allocate(care_leaver=person, advisor=advisor, on=BEGIN, by=manager, at=moment(BEGIN))
    colleague = factories.user(Role.PERSONAL_ADVISOR, council)
    openings.open_record(reference="1", reason="other", words="Duty", by=colleague, at=moment(BEGIN))
    assert keeping.deleted_on(CareLeaver.objects.select_related("cohort_place").get(pk=person.pk), 90) == AFTER
    assert sweep(AFTER - timedelta(days=1), "23:59") == 0
    assert sweep(AFTER, "00:01") == 1
    assert list(CareLeaver.objects.all()) == [later]
    assert (AdvisorAllocation.objects.count(), RecordOpening.objects.count()) == (0, 0)
    assert (sweep(AFTER), sweep(AFTER + timedelta(days=9)), sweep(AFTER + timedelta(days=10))) == (0, 0, 1)


def test_the_audit_keeps_no_personal_data(add):
    person = add("REF-1", ticked=BEGIN)
    assert sweep(AFTER) == 1
    event = AuditEvent.objects.get(verb="careleavers.person.forgotten")
    assert (event.job, event.by, event.target_id, event.detail) == (
        "careleavers.forget_people", None, None, {"people": 1}
    )  # fmt: skip
    assert [each.subject_id for each in event.subjects.all()] == [person.pk]


def test_nobody_falls_out_of_the_count(add, council, client, manager, settings):
    settings.CLOCK = moment(AFTER, "09:00")
    kept, gone = add("1", ticked=BEGIN), add("2", ticked=BEGIN)
    cohort.offer(care_leaver=kept, on=BEGIN, by=manager, at=moment(BEGIN))
    agreement = factories.agreement(council)

    def stages():
        found = figures.Cohort(agreement, Attendance(agreement, AFTER)).stages
        return {key: len(people) for key, people in found.items()}

    before = stages()
    assert sweep(AFTER) == 1
    assert stages() == before
    assert (before["identified"], before["offered"]) == (2, 1)
    assert (CohortPlace.objects.count(), CohortPlace.objects.of_nobody().count()) == (2, 1)
    assert CohortMove.objects.count() == 3
    client.force_login(manager)
    page = client.get(reverse("careleavers:cohort"))
    assert [tile["number"] for tile in page.context["tiles"]][:2] == [2, 1]
    assert page.context["page_obj"].paginator.count == 1
    assert "1 of them was never offered a place and has been deleted" in page.content.decode()
    assert client.get(reverse("careleavers:cohort") + "?state=identified").context["page_obj"].paginator.count == 0
    assert not CareLeaver.objects.filter(pk=gone.pk).exists()


def test_the_cohort_page_says_the_day_ahead(add, council, client, manager, settings):
    settings.CLOCK = moment(BEGIN + timedelta(days=30), "09:00")
    waiting, offered, outside = add("1", ticked=BEGIN), add("2", ticked=BEGIN), add("3")
    cohort.offer(care_leaver=offered, on=BEGIN, by=manager, at=moment(BEGIN))
    client.force_login(manager)
    page = client.get(reverse("careleavers:cohort"))
    assert page.context["deleted_on"] == {waiting.pk: AFTER}
    assert page.content.decode().count("will be deleted on 31 May 2026") == 1
    assert client.get(reverse("careleavers:cohort_tick")).context["deleted_on"] == {outside.pk: AFTER}


def test_whoever_anything_hangs_on_stays():
    """A whole scheme: of everybody in them only those nothing was offered to and nothing was written about go."""
    scheme = make_scheme("Own")
    council = scheme["council"]
    bare = people.add(
        council=council, by=scheme["users"][Role.LEAVING_CARE_MANAGER], at=clock.now(), reference="BARE",
        preferred_name="Bare", born_on=scheme["person"].born_on, eligibility="former_relevant",
    )  # fmt: skip
    assert list(keeping.never_offered(council)) == [bare]
    before = set(CareLeaver.objects.values_list("pk", flat=True))
    assert keeping.sweep(job="careleavers.forget_people", at=clock.now() + timedelta(days=400)) == 1
    assert before - set(CareLeaver.objects.values_list("pk", flat=True)) == {bare.pk}


def test_the_rule_is_dated_and_says_who_approved_it(add, council, client, manager, settings):
    settings.CLOCK = moment(BEGIN, "09:00")
    add("1")
    client.force_login(manager)
    url = reverse("careleavers:keeping")
    day = {"from_on_day": "2", "from_on_month": "3", "from_on_year": "2026"}
    answer = client.post(url, {"days": "40", "approved_by": "Head of Social Care"} | day)
    assert answer.status_code == 302, answer.context["form"].errors
    rule = KeepingRule.objects.get()
    assert (rule.days, rule.from_on, rule.approved_by, rule.set_by) == (40, BEGIN, "Head of Social Care", manager)
    assert KeepingRule.objects.days_of(council, BEGIN - timedelta(days=1)) == 90
    assert "Head of Social Care" in client.get(url).content.decode()
    assert client.post(url, {"days": "5", "approved_by": "x"} | day).context["form"].errors["days"]
    with pytest.raises(Refused, match="between 30 and 730"):
        keeping.set_rule(council=council, days=5, from_on=BEGIN, approved_by="x", by=manager, at=moment(BEGIN))
    assert (sweep(BEGIN + timedelta(days=39)), sweep(BEGIN + timedelta(days=40))) == (0, 1)


def test_what_another_council_has_is_not_shown(client, manager, settings):
    settings.CLOCK = moment(AFTER, "09:00")
    theirs = factories.user(Role.LEAVING_CARE_MANAGER, factories.council())
    for reference in ("1", "2"):
        person = people.add(
            council=theirs.organisation, by=theirs, at=moment(BEGIN), reference=reference,
            preferred_name="", born_on=BEGIN.replace(year=2006), eligibility="former_relevant",
        )  # fmt: skip
        on = BEGIN if reference == "1" else AFTER
        cohort.tick(care_leavers=[person], on=on, by=theirs, at=moment(on))
    keeping.set_rule(council=theirs.organisation, days=90, from_on=BEGIN, approved_by="x", by=theirs, at=moment(BEGIN))
    assert sweep(AFTER) == 1
    for of, shown in ((theirs, (1, 1, 2, 1)), (manager, (0, 0, 0, 0))):
        client.force_login(of)
        kept, overview = (client.get(reverse(f"careleavers:{page}")).context for page in ("keeping", "cohort"))
        assert (len(kept["rules"]), kept["deleted"], overview["tiles"][0]["number"], overview["deleted"]) == shown
    advisor = factories.user(Role.PERSONAL_ADVISOR, theirs.organisation)
    assert not KeepingRule.objects.for_user(advisor) and not CohortPlace.objects.for_user(advisor)


def test_it_happens_by_itself_each_night(add, settings):
    add("1", on=BEGIN)
    settings.CLOCK = moment(AFTER, "03:00")
    job = jobs.enqueue("careleavers.forget_people", key="tonight")
    jobs.pump(job.pk, limit=0)
    assert ("careleavers.forget_people" in jobs.periodic(), CareLeaver.objects.count()) == (True, 0)
