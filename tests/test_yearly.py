"""The yearly review: last year as at 31 March, approved by one of each organisation, then frozen; and its pages."""

import io
import re
from datetime import date, timedelta

import pdfua
import pypdf
import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from reviews.models import Audience, YearlyReview
from reviews.services import agenda, meetings, yearly
from stockport_hubs.accounts.models import Role
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from tests import factories
from tests.factories import moment

pytestmark = [pytest.mark.django_db, pytest.mark.prints]
APRIL = date(2027, 4, 6)
AT = moment(APRIL)


@pytest.fixture
def world():
    made = factories.World()
    member = made.join()
    for day in (8, 15, 22):
        made.collect(member, date(2026, 4, day))
    return made


def findings(printed: bytes, folder) -> list:
    """What the checker of PDF/UA finds."""
    path = folder / "printed.pdf"
    path.write_bytes(printed)
    return [(each.rule_id, each.message) for each in pdfua.validate(path).findings]


def counted(world, **more) -> YearlyReview:
    given = {"agreement": world.agreement, "year_from": date(2026, 4, 1), "by": world.manager, "at": AT}
    return yearly.build(**given | more)()


def written(world, review) -> YearlyReview:
    said = {"went_well": "More came.", "to_change": "Longer hours."}
    return yearly.write(review=review, by=world.manager, at=AT, **said)


def test_the_year_that_is_over_begins_on_1_april_of_the_year_before():
    days = (date(2026, 3, 31), date(2026, 4, 1), date(2027, 3, 31))
    assert [yearly.last_year(day) for day in days] == [date(2024, 4, 1), date(2025, 4, 1), date(2025, 4, 1)]


def test_figures_are_as_at_31_march_whenever_they_are_counted(world):
    early, late = counted(world, at=moment(date(2027, 4, 1))).content, None
    world.collect(world.join(date(2027, 4, 8)), date(2027, 4, 14))
    late = counted(world, at=moment(date(2027, 4, 20))).content
    assert (early["as_at"], early["period_from"], early["members"]["open"]) == ("2027-03-31", "2026-04-01", 1)
    assert late == early
    assert sum(week["came"] for week in early["weeks"]) == 3


def test_both_organisations_read_what_stockport_homes_may_see(world):
    content = counted(world).content
    assert (content["audience"], content["threshold"]) == (Audience.STOCKPORT_HOMES, world.agreement.small_number)
    assert (content["grid"], content["holds"]["rows"], content["shown_people"], content["shown_members"]) == ([],) * 4


def test_it_is_approved_by_one_of_each_and_then_stays(world):
    review = counted(world)
    with pytest.raises(Refused, match="Nothing is said of the year yet"):
        yearly.approve(review=review, by=world.manager, at=AT)
    written(world, review)
    yearly.approve(review=review, by=world.manager, at=AT)
    with pytest.raises(Refused, match=f"{world.manager.name} has approved it for your organisation already"):
        yearly.approve(review=review, by=factories.user(Role.LEAVING_CARE_MANAGER, world.council), at=AT)
    for change in (lambda: written(world, review), lambda: counted(world)):
        with pytest.raises(Refused, match="approved"):
            change()
    with pytest.raises(Refused, match="Its figures stay as they were approved"):
        yearly.ask(agreement=world.agreement, by=world.pantry_manager, at=AT)
    with pytest.raises(Refused, match="Your organisation has not approved it"):
        yearly.take_back(review=review, by=world.pantry_manager, at=AT)
    yearly.take_back(review=review, by=world.manager, at=AT)
    written(world, review)
    yearly.approve(review=review, by=world.manager, at=AT)
    done = yearly.approve(review=review, by=world.pantry_manager, at=AT)
    assert (done.is_approved, done.council_by, done.operator_by) == (True, world.manager, world.pantry_manager)
    for change in (lambda: written(world, review), lambda: yearly.take_back(review=review, by=world.manager, at=AT)):
        with pytest.raises(Refused, match="Both organisations have approved this review"):
            change()
    with pytest.raises(IntegrityError), transaction.atomic():
        YearlyReview.objects.update(council_by=None)


def test_a_year_before_the_agreement_is_not_counted(world):
    world.agreement.starts_on = date(2027, 4, 1)
    with pytest.raises(Refused, match="Its first yearly review is due next April"):
        yearly.ask(agreement=world.agreement, by=world.manager, at=AT)


@pytest.mark.sqlite
def test_the_pages_of_a_yearly_review(world, settings, tmp_path):
    settings.CLOCK = AT.replace(tzinfo=None)
    manager, theirs, other = Client(), Client(), Client()
    for client, user in ((manager, world.manager), (theirs, world.pantry_manager), (other, world.advisor)):
        client.force_login(user)
    assert "Count the year from 1 April 2026" in manager.get(reverse("reviews:meetings")).content.decode()
    assert manager.post(reverse("reviews:yearly_ask", args=[world.agreement.pk])).url.startswith("/jobs/")
    jobs.pump()
    review = YearlyReview.objects.get()
    page, write = (reverse(f"reviews:{name}", args=[review.pk]) for name in ("yearly", "yearly_write"))
    assert other.get(page).status_code == 403
    assert "There is a problem" in manager.post(write, {"save": "Save"}).content.decode()
    manager.post(write, {"went_well": "More came."})
    approve = reverse("reviews:yearly_approve", args=[review.pk])
    for client in (manager, theirs):
        client.post(approve, {"approve": "yes"})
    said = theirs.get(page).content.decode()
    assert "Both organisations have approved it" in said and "More came." in said and "Approve it" not in said
    assert "Approved" in manager.get(reverse("reviews:meetings")).content.decode()
    printed = manager.get(reverse("reviews:yearly_pdf", args=[review.pk]))
    text = " ".join(each.extract_text() for each in pypdf.PdfReader(io.BytesIO(printed.content)).pages)
    assert "Yearly review, 1 April 2026 to 31 March 2027" in text and "More came." in text
    assert findings(printed.content, tmp_path) == []


@pytest.mark.sqlite
def test_minutes_in_print_are_tagged_and_say_what_the_page_says(world, tmp_path):
    day = date(2026, 6, 10)
    made = meetings.plan(
        agreement=world.agreement, starts_at=moment(day), where="", period_from=day - timedelta(days=60),
        period_to=day, by=world.manager, at=moment(day),
    )  # fmt: skip
    more = {"by": world.manager, "at": moment(day)}
    row = meetings.invite(meeting=made, name="Bo Sample", organisation=world.operator, **more)
    meetings.mark_attendance(attendance=row, came=True, **more)
    agenda.add(meeting=made, title="<b>A second freezer</b>", note="", **more)
    for state in ("held", "minutes_agreed"):
        meetings.move(meeting=made, state=state, **more)
    client = Client()
    client.force_login(world.pantry_manager)
    answer = client.get(reverse("reviews:minutes_pdf", args=[made.pk]))
    assert answer["Content-Disposition"] == 'attachment; filename="minutes-2026-06-10.pdf"'
    assert findings(answer.content, tmp_path) == []
    text = " ".join(each.extract_text() for each in pypdf.PdfReader(io.BytesIO(answer.content)).pages)
    page = client.get(reverse("reviews:minutes", args=[made.pk])).content.decode()
    for said in ("<b>A second freezer</b>", "Bo Sample", "What stands in the way of young people"):
        assert re.sub(r"\s+", " ", said) in re.sub(r"\s+", " ", text)
        assert said.replace("<", "&lt;").replace(">", "&gt;") in page
