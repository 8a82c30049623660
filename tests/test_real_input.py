"""An Annex A List 9 workbook from import to both packs: six people named, allocated, introduced, recorded over 26 weeks
and renewed. ANNEX_A_FILE names another workbook of six; without it the test makes one with the same spellings."""

import io
import os
import uuid
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pypdf
import pytest
from django.core.management import call_command

from careleavers.models import CareLeaver
from careleavers.services import allocations, cohort, people, sharing
from pantry.models import Collection, Membership, PantrySession, RenewalDecision
from pantry.services import collections, journal, sessions
from referrals import services as referrals
from reviews.models import ReviewPack
from reviews.services import meetings, packs
from stockport_hubs.accounts.models import Role
from stockport_hubs.core.weeks import WEEK
from tests import browser, factories
from tests.conftest import ON_POSTGRES, test_database_url

pytestmark = [
    pytest.mark.browser,
    pytest.mark.prints,
    pytest.mark.sqlite,
    pytest.mark.postgres,
    pytest.mark.promise("RI"),
]
PASSWORD = "three words put together"
FIRST, DUE = date(2021, 4, 12), date(2021, 9, 13)
MONDAY = factories.moment(FIRST)
HEADER = [
    "Child Unique ID", "Gender", "Ethnicity", "Date of Birth", "Age",
    "Unaccompanied Asylum Seeking Child (UASC), or formerly UASC if 18 or over (Y/N)",
    "Does the Child have a Disability", "Allocated Team", "Allocated Worker", "Allocated Personal Advisor",
    "Eligibility Category", "Latest Pathway Plan Review Date", "LA in Touch", "Latest Date of Contact",
    "Type of Accommodation", "Suitability of Accommodation", "Activity Status",
]  # fmt: skip


def workbook(folder: Path) -> Path:
    """Six invented rows of the 17-column layout, numbers as numbers and blanks as a real file has them."""
    if given := os.environ.get("ANNEX_A_FILE"):
        return Path(given)
    book = openpyxl.Workbook()
    book.active.title = "List 1"
    sheet = book.create_sheet("List 9")
    sheet.append(HEADER)
    for n in range(6):
        born = datetime(1999 + n % 4, 1 + n, 3 + n)  # noqa: DTZ001
        home = ("", "", "") if n == 3 else ("U: Independent living", "a) Suitable", "F3: Full time in training")
        sheet.append(
            [7_000_000 + n, "b) Female", "r) OOTH", born, 18.6, None, "b) No", "Leaving Care", "Al Sample", None,
             "b) Former relevant child", None, "a) Yes", None, *home]
        )  # fmt: skip
    path = folder / "annex.xlsx"
    book.save(path)
    return path


@pytest.fixture
def world(transactional_db, settings):
    """A scheme whose pantry opens on Wednesdays, on Monday 12 April 2021."""
    settings.CLOCK = datetime(2021, 4, 12, 9)  # noqa: DTZ001
    return factories.World((2, time(10), time(12)))


def command(capsys, name: str, *arguments: str) -> str:
    """The last line a command prints."""
    capsys.readouterr()
    call_command(name, *arguments)
    last = capsys.readouterr().out.strip().splitlines()[-1]
    with capsys.disabled():
        print(f"\n{name}: {last}", end="")
    return last


def introduce(world, care_leaver: CareLeaver, advisor, name: str) -> Membership:
    """Named, allocated, ticked, agreed, introduced and accepted."""
    people.name(care_leaver=care_leaver, preferred_name=name, by=world.manager, at=MONDAY)
    allocations.allocate(care_leaver=care_leaver, advisor=advisor, on=FIRST, by=world.manager, at=MONDAY)
    care_leaver.refresh_from_db()
    cohort.tick(care_leavers=[care_leaver], on=FIRST, by=world.manager, at=MONDAY)
    agreed = sharing.record_agreement(
        care_leaver=care_leaver, wording_version="1", privacy_notice_on=FIRST, given_on=FIRST, how_given="in_person",
        share_name=True, items=[], taken_by=advisor, at=MONDAY,
    )  # fmt: skip
    referral = referrals.draft(
        care_leaver=care_leaver, by=advisor, at=MONDAY, sharing=agreed, pantry=world.pantry, agreement=world.agreement
    )
    referrals.send(referral=referral, by=advisor, at=MONDAY)
    return referrals.accept(referral=referral, by=world.pantry_manager, at=MONDAY)


def test_six_people_from_the_councils_file_to_both_packs(
    world, capsys, tmp_path, settings, site, new_page, runner, request
):
    # Given the council's file: a preview saves nothing, then all rows are saved, and a second time nothing is new
    path = str(workbook(tmp_path))
    council = f"--organisation={world.council.name}"
    assert command(capsys, "import_care_leavers", path, council).startswith("6 rows: 6 new, 0 changed, 0 unchanged")
    assert CareLeaver.objects.count() == 0
    assert command(capsys, "import_care_leavers", path, council, "--apply").startswith("6 rows: 6 new")
    assert command(capsys, "import_care_leavers", path, council, "--apply").startswith("6 rows: 0 new, 0 changed, 6 un")
    assert CareLeaver.objects.waiting_for_name().count() == CareLeaver.objects.to_allocate(FIRST).count() == 6

    # when each is introduced and comes for 26 weeks
    advisor = factories.user(Role.PERSONAL_ADVISOR, world.council)
    names = ["Ash", "Bay", "Coral", "Dale", "Ember", "Fern"]
    members = [
        introduce(world, care_leaver, advisor, name)
        for care_leaver, name in zip(CareLeaver.objects.order_by("reference"), names, strict=True)
    ]
    volunteer = factories.user(Role.PANTRY_VOLUNTEER, world.operator)
    for n in range(26):
        wednesday = FIRST + n * WEEK + timedelta(days=2)
        [session] = sessions.for_day(pantry=world.pantry, on=wednesday)
        at = factories.moment(wednesday, "10:30")
        for member in members:
            collections.record(
                session=session, membership=member, key=uuid.uuid4(), quantities=None, fruit_and_veg=True, by=volunteer,
                collected_at=at, at=at,
            )  # fmt: skip
        if FIRST + n * WEEK == DUE:  # then all six are renewed on the day, once
            settings.CLOCK = datetime(2021, 9, 13, 9)  # noqa: DTZ001
            assert command(capsys, "renew_blocks", "--on", "2021-09-13") == "6 renewed, 0 held, 0 already done"
            assert command(capsys, "renew_blocks", "--on", "2021-09-13") == "0 renewed, 0 held, 6 already done"
    assert (Collection.objects.count(), PantrySession.objects.count()) == (156, 26)
    assert set(RenewalDecision.objects.values_list("due_on", "starts_on", "outcome")) == {
        (DUE, date(2021, 10, 11), "renewed")
    }
    settings.CLOCK = datetime(2021, 10, 10, 9)  # noqa: DTZ001
    assert command(capsys, "check_journal") == "journal ok: 12 entries, bought £1,152.00"  # 6 × (£101.00 + £91.00)
    assert journal.check(date(2021, 10, 10)) == []

    # and both packs are made by the job and by the command, and read in the browser
    at = factories.moment(date(2021, 10, 10))
    meeting = meetings.plan(
        agreement=world.agreement, starts_at=factories.moment(date(2021, 10, 12), "14:00"), where="Town Hall",
        period_from=FIRST, period_to=date(2021, 10, 10), by=world.manager, at=at,
    )  # fmt: skip
    asked = packs.ask(meeting=meeting, by=world.manager, at=at)
    if ON_POSTGRES:
        worker = request.getfixturevalue("celery_worker")(test_database_url(), CLOCK="2021-10-10T09:00")
        from celery import Celery

        nudge = Celery(broker=request.getfixturevalue("redis_url"))
        for job in asked:
            nudge.send_task("jobs.pump", args=[str(job.pk)])
    else:
        worker = runner(test_database_url(), CLOCK="2021-10-10T09:00")
    worker.wait_until(lambda: ReviewPack.objects.count() == 3, 120)
    output = tmp_path / "pack.pdf"
    command(
        capsys, "build_pack", "--meeting", str(meeting.pk), "--audience", "stockport-homes", "--output", str(output)
    )
    by_job = bytes(ReviewPack.objects.get(audience="leaving-care").pdf)
    for printed, named in ((by_job, True), (output.read_bytes(), False)):
        text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(printed)).pages)
        assert "£1,152.00" in text and "156" in text and ("Coral" in text) == named
    world.manager.set_password(PASSWORD)
    world.manager.save()
    page = new_page()
    browser.sign_in(page, site.url, world.manager.email, PASSWORD)
    for pack in ReviewPack.objects.filter(edition=1):
        assert page.goto(f"{site.url}/reviews/packs/{pack.pk}/").status == 200
        browser.axe_clean(page)
        # Six members times a known price would be a count of few in the summary, which travels furthest.
        told = pack.audience != "corporate-parents"
        assert ("£1,152.00" in page.locator("main").inner_text()) == told
