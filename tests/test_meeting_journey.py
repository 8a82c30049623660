"""Three review meetings in Chromium, by two people of both organisations: planned, worked through with a lost line in
the middle, minuted; an action carried twice and closed; a disagreement taken up two rungs."""

import io
import re
from datetime import date, timedelta

import pypdf
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from reviews.models import Action, AgendaItem, AgendaSave, Disagreement, ReviewMeeting
from stockport_hubs.core import clock
from stockport_hubs.core.weeks import spoken
from stockport_hubs.jobs import services as jobs
from tests import browser, factories
from tests.journey import Journey, Person

pytestmark = [
    pytest.mark.browser,
    pytest.mark.prints,
    pytest.mark.postgres,  # pages: once, on the database of production
    # a lost line, a lost answer, and an answer that says who was first
    pytest.mark.console("Failed to load resource", "ERR_INTERNET_DISCONNECTED", "ERR_FAILED"),
]
FREEZER = "A second freezer"


@pytest.fixture
def world(transactional_db):
    return factories.World()


def person(journey: Journey, user) -> Person:
    made = Person(journey, journey.new_page())
    browser.sign_in(made.page, journey.site.url, user.email)
    return made


def plan(who: Person, on: date) -> ReviewMeeting:
    who.menu("Meetings").follow("Plan a meeting").day("on", on).type(starts="14:00", where="Room 1")
    who.day("period_from", on - timedelta(days=60)).day("period_to", on - timedelta(days=1)).press("Plan the meeting")
    return ReviewMeeting.objects.get(pk=who.page.url.rstrip("/").rpartition("/")[2])


def item(page: Page, title: str) -> Locator:
    """Unfold an item and give its form."""
    folded = page.locator("details", has=page.get_by_role("heading", name=title))
    if folded.get_attribute("open") is None:
        folded.locator("summary").click()
    return folded.locator("form[data-item]")


def said(form: Locator) -> Locator:
    return form.locator("[data-said]")


def agree(who: Person) -> None:
    who.follow("The meeting").press("Mark the meeting as held").press("Mark the minutes as agreed")


@pytest.mark.promise("AX")
def test_three_meetings_of_two_organisations(site, world, new_page, tmp_path):
    journey, today = Journey(site, new_page, tmp_path), clock.today()
    manager, pantry = person(journey, world.manager), person(journey, world.pantry_manager)
    days = [today - timedelta(days=28), today - timedelta(days=14), today]
    first = plan(manager, days[0])
    both_come_and_add(manager, pantry, world)
    both_work_through_the_agenda(manager, pantry, world, first)
    agree(manager)
    manager.follow("Minutes", within="main")
    assert "The door is too narrow." in manager.text and "Measure the door" in manager.text
    printed = manager.page.request.get(f"{site.url}/reviews/meetings/{first.pk}/minutes/pdf/")
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(printed.body())).pages)
    assert "The door is too narrow." in text and "Measure the door" in text
    an_action_is_carried_twice_and_closed(manager, pantry, world, days)
    a_disagreement_goes_up_two_rungs(pantry)
    a_year_is_looked_back_on(manager, pantry)


def both_come_and_add(manager: Person, pantry: Person, world) -> None:
    # Given a meeting, on whose list somebody of each organisation is put
    for name, organisation in (("Mo Manager", world.council), ("Pat Pantry", world.operator)):
        manager.follow("Put someone on the list").type(name=name).choose(organisation=organisation.name)
        manager.press("Put on the list")
    # when the pantry's manager finds it on her home and adds something, then both have it on their agenda
    pantry.menu("Meetings").follow(re.compile(", 14:00$"), within="main tbody").follow("Add to the agenda")
    pantry.type(title=FREEZER, note="Who pays for it?").press("Put it on the agenda")
    assert FREEZER in pantry.text


def both_work_through_the_agenda(manager: Person, pantry: Person, world, meeting: ReviewMeeting) -> None:
    for who in (manager, pantry):
        who.menu("Meetings").follow(re.compile(", 14:00$"), within="main tbody").follow("Work through the agenda")
    manager.press("Bring the agenda up to date")
    pantry.page.reload()
    ours, theirs = item(manager.page, FREEZER), item(pantry.page, FREEZER)
    # typed, and saved as she goes
    ours.get_by_label("Discussed").first.fill("The door is")
    expect(said(ours)).to_have_text(re.compile(f"^Saved at .* by {world.manager.name}$"))
    # the line is lost in the middle: the words are kept, and it says so
    line = manager.page.context
    line.set_offline(True)
    ours.get_by_label("Discussed").first.fill("The door is too narrow.")
    expect(said(ours)).to_have_text(re.compile("^Not yet saved. There is no connection"))
    expect(manager.page.locator("[data-unsaved]")).to_have_text(re.compile("^Not yet saved: 1 item"))
    assert AgendaItem.objects.get(title=FREEZER).discussion == "The door is"
    line.set_offline(False)
    expect(said(ours)).to_have_text(re.compile("^Saved at"))
    expect(manager.page.locator("[data-unsaved]")).to_be_empty()
    # the other side wrote under the same item meanwhile: a plain sentence, and nothing is overwritten
    theirs.get_by_label("Discussed").first.fill("Where would it stand?")
    expect(said(theirs)).to_have_text(re.compile(f"{world.manager.name} saved this item at .* Nothing was overwritten"))
    assert AgendaItem.objects.get(title=FREEZER).discussion == "The door is too narrow."
    theirs.get_by_role("button", name="Take theirs").click()
    expect(theirs.get_by_label("Discussed").first).to_have_value("The door is too narrow.")
    # an answer is lost on its way back: sent again under its key, it is one saving
    saves = AgendaSave.objects.count()
    manager.page.route("**/reviews/agenda/**", lambda route: (route.fetch(), route.abort()), times=1)
    ours.get_by_label("Decision").fill("Measure the door")
    expect(said(ours)).to_have_text(re.compile("^Not yet saved"))
    expect(said(ours)).to_have_text(re.compile("^Saved at"), timeout=10_000)
    assert AgendaSave.objects.count() == saves + 1
    # the browser is closed before the words are sent: they come back and go
    manager.page.route("**/reviews/agenda/**", lambda route: route.abort())
    ours.get_by_label("Owner").select_option(label=f"{world.pantry_manager.name}, {world.operator.name}")
    due = clock.today() + timedelta(days=7)
    for part in ("day", "month", "year"):
        ours.locator(f"[name=due_on_{part}]").fill(str(getattr(due, part)))
    ours.get_by_text("Discussed", exact=True).last.click()
    expect(said(ours)).to_have_text(re.compile("^Not yet saved"))
    manager.page.unroute("**/reviews/agenda/**")
    kept = """for (const hours of [11, 13]) localStorage.setItem(`meeting:another:${hours}`, JSON.stringify({
        at: Date.now() - hours * 3600000, words: "" }))"""
    manager.page.evaluate(kept)
    manager.page.reload()
    left = manager.page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('meeting:another'))")
    assert left == ["meeting:another:11"]  # what anybody typed here goes after twelve hours
    ours = item(manager.page, FREEZER)
    expect(said(ours)).to_have_text(re.compile("^Saved at"))
    saved = AgendaItem.objects.get(title=FREEZER)
    assert (saved.state, saved.owner, saved.due_on) == ("discussed", world.pantry_manager, due)
    assert [(each.what, each.owner) for each in Action.objects.all()] == [("Measure the door", world.pantry_manager)]
    # who came is said on the same page
    line.set_offline(True)
    for select in manager.page.locator("form[data-list] select").all():
        select.select_option("yes")
    expect(said(manager.page.locator("form[data-list]"))).to_have_text(re.compile("^Not yet saved"))
    line.set_offline(False)
    expect(said(manager.page.locator("form[data-list]"))).to_have_text("The list is saved.")
    assert set(meeting.attendance.values_list("came", flat=True)) == {True}


def an_action_is_carried_twice_and_closed(manager: Person, pantry: Person, world, days: list[date]) -> None:
    # it is on its owner's home
    assert "Measure the door" in pantry.menu("Home").text
    # it comes to the second meeting and the third by itself, and says from when
    plan(manager, days[1])
    manager.follow("Work through the agenda").press("Bring the agenda up to date")
    assert f"Carried once, from the meeting of {spoken(days[0])}" in manager.text
    agree(manager)
    plan(manager, days[2])
    manager.press("Mark the agenda as out").follow("Work through the agenda")
    assert f"Carried twice, from the meeting of {spoken(days[0])}" in manager.text
    form = item(manager.page, "Measure the door")
    form.get_by_text("It is done").click()
    form.get_by_text("Discussed", exact=True).last.click()
    expect(said(form)).to_have_text(re.compile("^Saved at"))
    assert Action.objects.get().done_on == clock.today()
    assert "Measure the door" not in pantry.menu("Home").text


def a_disagreement_goes_up_two_rungs(pantry: Person) -> None:
    pantry.menu("Meetings").follow(re.compile(", 14:00$"), within="main tbody").follow("Work through the agenda")
    item(pantry.page, "What stands in the way of young people")
    pantry.follow("Record a disagreement", within="details:has-text('What stands in the way')")
    pantry.type(council_position="Open later", operator_position="No volunteers").choose(who="Pantry manager")
    pantry.press("Record the disagreement")
    pantry.follow("Take it up").choose(rung="Heads of service", who="Head of Homelessness").type(outcome="None")
    pantry.press("Save", refused="No rung is left out without a reason")
    pantry.follow("Cancel").follow("Take it up").choose(who="Leaving Care Team Leader").type(outcome="No agreement")
    pantry.press("Save")
    pantry.follow("Take it up").choose(who="Head of Homelessness").type(outcome="One evening a month")
    pantry.press("Save")
    pantry.follow("Settle it").type(outcome="One evening a month, tried until March").press("Settle it")
    found = Disagreement.objects.get()
    assert (found.rung, [step.rung for step in found.steps.all()]) == (3, [1, 2, 3])
    assert "Settled" in pantry.text and "16+ Accommodation Panel" not in pantry.text


def a_year_is_looked_back_on(manager: Person, pantry: Person) -> None:
    manager.menu("Meetings").press(re.compile("^Count the year"))
    # a link clicked just before the work is done is where she gets to, and not where the page of its progress leads
    held: list[Route] = []
    home = f"{manager.journey.site.url}/"
    manager.page.route(home, lambda route: held.append(route), times=1)
    manager.page.get_by_role("link", name="Home", exact=True).first.click(no_wait_after=True)
    jobs.pump()
    manager.page.wait_for_timeout(3_000)  # that page looks every two seconds
    held[0].continue_()
    manager.page.wait_for_url(home)
    link = re.compile("1 April .* to 31 March")
    manager.menu("Meetings").follow(link, within="main").follow("Write what is said of the year")
    manager.press("Save", refused="Write what went well").type(went_well="More came than the year before.")
    manager.press("Save").press("Approve it for our organisation")
    pantry.menu("Meetings").follow(link, within="main").press("Approve it for our organisation")
    assert "Both organisations have approved it" in pantry.text and "More came" in pantry.text
