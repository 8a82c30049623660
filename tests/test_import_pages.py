"""The import in the browser: nothing before it is confirmed, only who is ticked, and nothing left lying afterwards."""

import logging
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.urls import reverse

from careleavers.models import CareLeaver, CohortPlace, PeopleImport
from careleavers.services import cohort, people, uploads
from careleavers.views import imports as pages
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent, AuditSubject
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job
from tests import factories
from tests.lists import NEW, list_9, oc3, template

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
NOW = datetime(2021, 4, 12, 9, 0, tzinfo=UTC)
TODAY = date(2021, 4, 12)
BORN = date(2002, 8, 7)


@pytest.fixture
def council(settings):
    settings.CLOCK = NOW
    return factories.council()


@pytest.fixture
def manager(council):
    return factories.user(Role.LEAVING_CARE_MANAGER, council)


@pytest.fixture
def page(client, manager):
    client.force_login(manager)
    return client


def person(council, manager, reference, in_cohort=False, **facts):
    facts = {"born_on": BORN, "eligibility": "former_relevant"} | facts
    made = people.add(council=council, by=manager, at=NOW, reference=reference, **facts)
    if in_cohort:
        cohort.tick(care_leavers=[made], on=TODAY, by=manager, at=NOW)
    return made


def send(page, content, name="list.xlsx"):
    from django.core.files.uploadedfile import SimpleUploadedFile

    return page.post(reverse("careleavers:import"), {"file": SimpleUploadedFile(name, content)})


def looked_at(page, content, name="list.xlsx"):
    """The upload, and the address of its preview."""
    answer = send(page, content, name)
    kept = PeopleImport.objects.latest("uploaded_at", "pk") if answer.status_code == 302 else None
    assert kept is not None, answer.context["form"].errors
    kept = PeopleImport.objects.unfinished().get()
    assert answer.url == reverse("careleavers:import_preview", args=[kept.pk])
    return kept, answer.url


def kinds(answer):
    return {line.outcome.row.reference: line.outcome.kind for line in answer.context["lines"]}


def bring_in(page, kept):
    answer = page.post(reverse("careleavers:import_check", args=[kept.pk]))
    kept.refresh_from_db()
    return answer


ROWS = [
    {"Child Unique ID": "NEW-1"},
    {"Child Unique ID": "NEW-2", "Date of Birth": "01/02/2003"},
    {"Child Unique ID": "OLD-1", "Allocated Team": "Other Team", "Date of Birth": "03/02/2003"},
    {"Child Unique ID": "OLD-2", "Date of Birth": "04/02/2003"},
    {"Child Unique ID": "BAD-1", "Eligibility Category": "nonsense"},
]


def test_a_list_is_looked_at_ticked_checked_and_brought_in_and_the_second_time_nothing_changes(page, council, manager):
    advisor = factories.user(Role.PERSONAL_ADVISOR, council, name="Ann Advisor")
    facts = {"team": "Care Leavers Team", "in_touch": "YES", "accommodation": "U", "accommodation_suitable": True}
    facts |= {"imported_advisor": "Ann Advisor", "pathway_plan_review_on": date(2021, 3, 1)}
    for reference, born_on in (("OLD-1", date(2003, 2, 3)), ("OLD-2", date(2003, 2, 4))):
        made = CareLeaver.objects.create(
            council=council,
            reference=reference,
            born_on=born_on,
            eligibility="former_relevant",
            created_at=NOW,
            **facts,
        )
        made.allocations.create(advisor=advisor, from_on=TODAY)
    cohort.tick(care_leavers=[CareLeaver.objects.get(reference="OLD-1")], on=TODAY, by=manager, at=NOW)
    content = list_9(*ROWS)
    kept, there = looked_at(page, content)
    shown = page.get(there)
    assert kinds(shown) == {
        "NEW-1": "new", "NEW-2": "new", "OLD-1": "changed", "OLD-2": "unchanged", "BAD-1": "refused"
    }  # fmt: skip
    text = shown.content.decode()
    assert "team: Care Leavers Team → Other Team" in text
    assert "<strong>Eligibility Category</strong> “nonsense” is not a value of this list" in text
    assert kept.ticked == [4]  # who is in the cohort already
    assert CareLeaver.objects.count() == 2
    event = AuditEvent.objects.get(verb="careleavers.person.listed")
    assert event.subjects.count() == 2  # those of the list who are stored

    answer = page.post(there, {"row": ["2", "4", "6"], "check": "yes"})  # 6 was refused: it cannot be ticked
    assert answer.url == reverse("careleavers:import_check", args=[kept.pk])
    check = page.get(answer.url)
    assert check.context["by_kind"] == {"new": 1, "changed": 1, "unchanged": 0}
    assert [check.context[name] for name in ("left_out", "refused", "undecided")] == [2, 1, 0]
    assert "Bring in 2 young people" in check.content.decode()
    assert CareLeaver.objects.count() == 2

    assert bring_in(page, kept).url == there
    assert sorted(CareLeaver.objects.values_list("reference", flat=True)) == ["NEW-1", "OLD-1", "OLD-2"]
    new = CareLeaver.objects.get(reference="NEW-1")
    assert (new.place.state, new.place.ticked_on, new.imported_advisor) == ("identified", TODAY, "Ann Advisor")
    assert [each.advisor for each in new.allocations.all()] == [advisor]
    assert CareLeaver.objects.get(reference="OLD-1").team == "Other Team"
    assert (kept.state, kept.content, kept.ticked, kept.counts["in_new"], kept.counts["in_changed"]) == (
        "done", "", [], 1, 1
    )  # fmt: skip
    event = AuditEvent.objects.get(verb="careleavers.people.imported")
    assert (event.by, event.subjects.count(), event.detail["file"]) == (manager, 2, kept.file_hash)
    assert "The list has been brought in" in page.get(there).content.decode()

    before = list(CareLeaver.objects.order_by("pk").values()), list(CohortPlace.objects.order_by("pk").values())
    again, there = looked_at(page, content)
    assert kinds(page.get(there)) == {
        "NEW-1": "unchanged", "NEW-2": "new", "OLD-1": "unchanged", "OLD-2": "unchanged", "BAD-1": "refused"
    }  # fmt: skip
    bring_in(page, again)
    assert (again.state, again.counts["in_new"], again.counts["in_changed"]) == ("done", 0, 0)
    after = list(CareLeaver.objects.order_by("pk").values()), list(CohortPlace.objects.order_by("pk").values())
    assert after == before
    assert AuditEvent.objects.filter(verb="careleavers.people.imported").count() == 1


def test_a_possible_duplicate_says_what_matched_and_waits_for_a_human(page, council, manager):
    robin = person(council, manager, "7001", preferred_name="Robin", surname="Vale")
    person(council, manager, "7009", preferred_name="Somebody", surname="Different")
    content = template(["7002", "Robin", "Vale", "07/08/2002", "Former relevant", "SK1 1AA"])
    kept, there = looked_at(page, content)
    shown = page.get(there)
    [line] = shown.context["lines"]
    assert (line.outcome.kind, [twin.care_leaver for twin in line.outcome.twins]) == ("duplicate", [robin])
    assert (
        "Robin Vale, reference 7001 (same date of birth, a similar name, a similar reference)" in shown.content.decode()
    )
    page.post(there, {"row": ["2", "9" * 5_000, "x"], "all": "yes"})  # nobody is ticked by it who is not decided
    assert "Nobody is ticked" in page.get(reverse("careleavers:import_check", args=[kept.pk])).content.decode()
    assert bring_in(page, kept).url == there
    assert (kept.state, CareLeaver.objects.count()) == ("open", 2)

    page.post(there, {"same-2": str(robin.pk), "keep": "yes"})
    assert kinds(page.get(there)) == {"7002": "changed"}
    assert "reference: 7001 → 7002" in page.get(there).content.decode()
    page.post(there, {"same-2": "", "keep": "yes"})
    assert kinds(page.get(there)) == {"7002": "duplicate"}
    page.post(there, {"same-2": str(robin.pk), "keep": "yes"})
    bring_in(page, kept)
    robin.refresh_from_db()
    assert (robin.reference, robin.postcode, robin.place.state) == ("7002", "SK1 1AA", "identified")
    assert CareLeaver.objects.count() == 2

    other = template(["7003", "Robin", "Vale", "07/08/2002", "Former relevant", None])
    kept, there = looked_at(page, other)
    page.post(there, {"same-2": "new", "keep": "yes"})
    bring_in(page, kept)
    assert CareLeaver.objects.get(reference="7003").preferred_name == "Robin"


def test_who_is_in_the_file_under_their_own_reference_is_nobodys_duplicate(page, council, manager):
    person(council, manager, "1", preferred_name="Robin")
    _, there = looked_at(page, oc3(["1", "07/08/2002", "", "", ""], ["2", "07/08/2002", "", "", ""]))
    assert kinds(page.get(there)) == {"1": "unchanged", "2": "new"}


def test_somebody_with_a_row_of_their_own_is_not_brought_in_by_another_row_too(page, council, manager):
    factories.user(Role.PERSONAL_ADVISOR, council, name="Ann Advisor")
    robin = person(council, manager, "7001", preferred_name="Robin", surname="Vale")
    rows = [
        {"Child Unique ID": reference, "Preferred Name": "Robin", "Surname": "Vale"}
        for reference in "7001 7002".split()
    ]
    kept, there = looked_at(page, list_9(*rows, headings=[*NEW, "Preferred Name", "Surname"], sheet="Young people"))
    page.post(there, {"row": ["2"], "same-3": str(robin.pk), "keep": "yes"})
    assert kinds(page.get(there)) == {"7001": "changed", "7002": "duplicate"}
    bring_in(page, kept)
    robin.refresh_from_db()
    assert (robin.reference, robin.allocations.count(), CareLeaver.objects.count()) == ("7001", 1, 1)


def test_a_death_of_somebody_here_is_recorded_ticked_or_not_and_nobody_dead_is_brought_in(page, council, manager):
    person(council, manager, "1", preferred_name="Robin")
    died = ("07/08/2002", "DIED", "0", "0")
    kept, there = looked_at(page, oc3(("1", *died), ("2", *died)))
    assert "1 death of people who are here will be recorded in any case" in page.get(there).content.decode()
    page.post(there, {"all": "yes"})
    bring_in(page, kept)
    assert [(each.reference, each.has_died) for each in CareLeaver.objects.all()] == [("1", True)]
    assert (CohortPlace.objects.count(), kept.counts["deaths"]) == (0, 1)


def many(count):
    return oc3(*([f"R{n:04}", f"{n % 28 + 1:02}/{n % 12 + 1:02}/2002", "", "", ""] for n in range(count)))


def test_all_none_and_what_a_filter_finds_are_ticked_over_pages(page, council, manager, monkeypatch):
    monkeypatch.setattr(pages, "ROWS", 10)
    kept, there = looked_at(page, many(25))

    def ticked():
        kept.refresh_from_db()
        return len(kept.ticked)

    answer = page.post(there, {"row": ["2", "3"], "next": "yes"})
    assert (answer.url, ticked()) == (f"{there}?page=2", 2)
    answer = page.post(f"{there}?page=2", {"row": ["12", "2"], "next": "yes"})  # 2 is on another page: left as it is
    assert (answer.url, ticked(), kept.ticked) == (f"{there}?page=3", 3, [2, 3, 12])
    page.post(there, {"row": ["3"], "keep": "yes"})
    assert (ticked(), kept.ticked) == (2, [3, 12])
    page.post(f"{there}?q=r001", {"all": "yes"})  # R0010 to R0019
    assert ticked() == 11
    assert len(page.get(f"{there}?show=ticked").context["page_obj"].paginator.object_list) == 11
    page.post(f"{there}?q=r001", {"none": "yes"})
    assert (ticked(), kept.ticked) == (1, [3])
    page.post(there, {"all": "yes"})
    assert ticked() == 25
    page.post(there, {"none": "yes"})
    assert ticked() == 0
    assert page.get(f"{there}?q=nobody").context["lines"] == []
    assert page.post(there, {"row": ["²", "-1", "99999999999", ""], "keep": "yes"}).status_code == 302
    assert ticked() == 0


def test_a_large_file_and_many_people_go_through_jobs_that_show_progress(page, council, manager, monkeypatch):
    monkeypatch.setattr(uploads, "AT_ONCE", 10)
    monkeypatch.setattr(uploads, "ROWS_AT_ONCE", 2)
    answer = send(page, many(5), "list.csv")
    kept, job = PeopleImport.objects.get(), Job.objects.get()
    there = reverse("careleavers:import_preview", args=[kept.pk])
    assert (kept.state, job.ids, answer.url.startswith(reverse("jobs:progress", args=[job.pk]))) == (
        "reading", {"upload": str(kept.pk)}, True
    )  # fmt: skip
    assert "still being read" in page.get(there).content.decode()
    jobs.pump()
    assert len(page.get(there).context["lines"]) == 5
    page.post(there, {"all": "yes"})
    answer = bring_in(page, kept)
    job = Job.objects.get(kind=uploads.BRING_IN)
    assert answer.url.startswith(reverse("jobs:progress", args=[job.pk]))
    assert bring_in(page, kept).url == answer.url  # pressed twice: the same work
    page.post(there, {"none": "yes"})  # too late: what was confirmed is brought in
    assert CareLeaver.objects.count() == 0
    jobs.pump()
    kept.refresh_from_db()
    assert (kept.state, kept.content, CareLeaver.objects.count(), CohortPlace.objects.count()) == ("done", "", 5, 5)


def test_why_a_job_could_not_read_a_file_is_told_on_its_page_alone(page, council, manager, monkeypatch):
    monkeypatch.setattr(uploads, "AT_ONCE", 10)
    send(page, list_9({}, sheet="Zephyrine"))
    jobs.pump()
    kept, job = PeopleImport.objects.get(), Job.objects.get()
    assert (kept.state, job.done_at is not None, job.error) == ("refused", True, "")
    assert "Zephyrine" not in kept.content
    assert (
        "It holds: List 8, Zephyrine."
        in page.get(reverse("careleavers:import_preview", args=[kept.pk])).content.decode()
    )
    uploads.forget_old(at=NOW + timedelta(hours=1))
    kept.refresh_from_db()
    assert (kept.state, kept.content) == ("expired", "")


def test_a_job_that_comes_to_a_list_cancelled_before_leaves_it_as_it_is(page, council, monkeypatch):
    monkeypatch.setattr(uploads, "AT_ONCE", 10)
    send(page, many(2), "list.csv")
    kept = PeopleImport.objects.get()
    page.post(reverse("careleavers:import_cancel", args=[kept.pk]))
    jobs.pump()
    kept.refresh_from_db()
    assert (kept.state, kept.content, Job.objects.get().done_at is not None) == ("cancelled", "", True)


def everything_stored() -> str:
    """Every text of every table, as it lies in the database."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = []
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            found += [str(row) for row in cursor.fetchall()]
    return "\n".join(found)


def test_nothing_of_a_list_lies_open_before_it_is_confirmed_nor_anything_afterwards(page, council, manager, caplog):
    caplog.set_level(logging.DEBUG)
    content = template(["REF-Zephyrine", "Zephyrine", "Quill", "07/08/2002", "Former relevant", None])
    kept, there = looked_at(page, content, "Zephyrine.xlsx")
    page.get(there)
    stored = everything_stored() + caplog.text + there
    assert [word for word in ("Zephyrine", "Quill") if word in stored] == []
    assert len(kept.content) > 100
    page.post(reverse("careleavers:import_cancel", args=[kept.pk]))
    kept.refresh_from_db()
    assert (kept.state, kept.content) == ("cancelled", "")
    assert "It was deleted before anybody was added or changed" in page.get(there).content.decode()
    assert CareLeaver.objects.count() == 0


def test_a_list_is_deleted_within_the_hour_and_unreadable_even_where_no_sweep_comes(page, council, settings):
    kept, there = looked_at(page, many(1))
    assert uploads.forget_old(at=kept.uploaded_at + timedelta(minutes=49)) == 0
    settings.CLOCK = NOW + timedelta(minutes=51)
    answer = page.get(there)
    assert ("an hour has passed" in answer.content.decode(), "R0000" in answer.content.decode()) == (True, False)
    with pytest.raises(Refused, match="an hour has passed"):
        uploads.choose(upload=kept, tick=[2], at=kept.uploaded_at + timedelta(minutes=50))
    assert jobs.periodic().count("careleavers.forget_lists") == 1
    job = jobs.enqueue("careleavers.forget_lists", key="now")
    jobs.pump(job.pk, limit=0)
    kept.refresh_from_db()
    assert (kept.state, kept.content, CareLeaver.objects.count()) == ("expired", "", 0)


def test_a_key_that_is_gone_closes_the_list_in_words(page, council, settings):
    _, there = looked_at(page, many(1))
    settings.MFA_KEYS = ["another"]
    assert "Upload the file again" in page.get(there).content.decode()


def test_the_next_upload_deletes_the_one_before_and_a_refused_one_does_not(page, council):
    first, _ = looked_at(page, many(1))
    assert send(page, b"no list").status_code == 200
    first.refresh_from_db()
    assert first.state == "open"
    looked_at(page, many(2))
    first.refresh_from_db()
    assert (first.state, first.content) == ("cancelled", "")


@pytest.mark.parametrize(
    "content, words",
    [
        (None, "Choose the file with the list"),
        (b"", "is empty"),
        (b"PK nothing", "is not an Excel workbook"),
        (b"0" * (5 * 1024 * 1024 + 1), "is larger than 5 MB"),
        (b"0" * (6 * 1024 * 1024), "The file is larger than 5 MB"),
    ],
)
def test_what_is_no_list_is_refused_at_its_field(page, council, content, words):
    answer = page.post(reverse("careleavers:import")) if content is None else send(page, content, "x.csv")
    assert answer.status_code == 200
    [said] = answer.context["form"].errors["file"]
    assert words in said
    assert (PeopleImport.objects.count(), AuditEvent.objects.count(), AuditSubject.objects.count()) == (0, 0, 0)


def test_an_upload_never_reaches_a_disk(settings):
    assert settings.FILE_UPLOAD_HANDLERS == ["django.core.files.uploadhandler.MemoryFileUploadHandler"]


def test_the_number_of_queries_does_not_grow_with_the_rows(page, council, django_assert_max_num_queries):
    counts = []
    for count in (1, 3, 90):
        _, there = looked_at(page, many(count))
        with django_assert_max_num_queries(40) as seen:
            page.get(there)
        counts.append(len(seen))
    assert counts[0] == counts[1] == counts[2]
