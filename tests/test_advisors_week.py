"""An advisor's week in Chromium, without JavaScript: a list of ten is brought in, they are offered a place, three are
introduced, one stops coming. Each introduction is counted: pages, fields (each part of a date is one) and clicks."""

import re
from datetime import date

import pytest

from careleavers.models import CareLeaver, Postcode, PostcodeDirectory
from pantry.models import Membership
from stockport_hubs.accounts.models import Role
from tests import browser, factories, lists
from tests.conftest import test_database_url
from tests.counter_scene import Counter
from tests.factories import moment
from tests.journey import Journey, Person

pytestmark = [
    pytest.mark.browser,
    pytest.mark.sqlite,
    pytest.mark.slow,  # each step is in a test of its own as well
    pytest.mark.promise("NJ"),
]
BEGINS, GOES_ON = "2026-04-08T10:15", "2026-04-29T10:15"  # Wednesdays, while the pantry is open
TODAY, LATER = date(2026, 4, 8), date(2026, 4, 29)
NAMES = "Ada Bo Cy Di Ed Flo Gil Hal Ida Jo".split()
HILL, VALE = "ZY1 1AA", "ZY1 1AB"  # postcodes that exist nowhere
KNOWN = {
    "reference",
    "preferred_name",
    "surname",
    "born_on_day",
    "eligibility",
    "postcode",
    "address",
    "phone",
    "email",
}
ASKED = "main :is(input:not([type=hidden]), select, textarea)"


class Week:
    """A pantry near nine of the young people in the council's list and one near the tenth, everybody at a screen."""

    def __init__(self, started, new_page, tmp_path):
        self.scene, self.started = Counter(), started
        self.scene.colleague = factories.user(Role.PERSONAL_ADVISOR, self.scene.council, name="Cleo Colleague")
        self.scene.pantry.name, self.scene.pantry.postcode = "Hill Pantry", HILL
        self.scene.pantry.save()
        factories.pantry(self.scene.operator, name="Vale Pantry", postcode=VALE)
        for postcode, east in ((HILL, 389_000), (VALE, 392_000)):
            Postcode.objects.create(postcode=postcode, easting=east, northing=390_000, authority="E08000007")
        PostcodeDirectory.objects.create(
            authority="E08000007", source="Two invented ones", postcodes=2, loaded_at=moment(TODAY)
        )
        self.journey = Journey(self.site(BEGINS), new_page, tmp_path, java_script=False)
        accounts = ("advisor", "pantry_manager", "volunteer", "manager", "colleague")
        for who in accounts:
            person = self.journey.people[who] = Person(self.journey, new_page(java_script_enabled=False))
            self.sign_in(person, who)

    def site(self, clock: str):
        return self.started.site(test_database_url(), CLOCK=clock)

    def list(self) -> bytes:
        """The workbook that may be filled in: ten young people of the advisor, one of them nearer to another pantry."""
        return lists.workbook(
            [*lists.TEMPLATE, "Personal Advisor"],
            *(
                {
                    "Child Unique ID": f"R{n}", "Preferred Name": name, "Surname": "Samplewood",
                    "Date of Birth": f"{n + 1:02}/06/2005", "Eligibility Category": "Former relevant",
                    "Postcode": VALE if name == "Bo" else HILL, "Personal Advisor": self.scene.advisor.name,
                }
                for n, name in enumerate(NAMES)
            ),
            sheet="Young people",
        )  # fmt: skip

    def sign_in(self, person: Person, who: str) -> None:
        email = getattr(self.scene, who).email
        person.go("/accounts/login/").type(login=email, password=browser.SAMPLE_PASSWORD).press("Sign in")


@pytest.mark.django_db(transaction=True)
def test_an_advisors_week(started, new_page, tmp_path, figures):
    week = Week(started, new_page, tmp_path)
    advisor, pantry, volunteer, manager, colleague = week.journey.people.values()
    a_list_is_brought_in(week, manager)
    ten_are_offered_a_place(advisor)
    three_are_introduced_one_of_them_in_two_sittings(week, advisor)
    the_pantry_declines_lets_wait_and_accepts(pantry, advisor)
    the_first_collection_stands_on_the_advisors_home(volunteer, advisor)
    # two weeks are missed
    week.journey.site = week.site(GOES_ON)
    two_missed_weeks_become_a_nudge_a_barrier_and_an_action(week, advisor)
    the_agreement_is_withdrawn_and_the_member_still_collects(advisor, volunteer)
    a_colleagues_cover_begins_and_ends(manager, colleague)
    figures("an advisor's week, from a list of ten to a colleague's cover")


def a_list_is_brought_in(week: Week, manager: Person) -> None:
    manager.menu("Young people").follow("Import a list").attach("file", "list.xlsx", week.list())
    manager.press("Upload and look at it").press("Tick all 10")
    assert "10 ticked in the whole list" in manager.text
    manager.press("Keep these ticks and check").press("Bring in 10 young people")
    assert "The list has been brought in" in manager.text
    assert CareLeaver.objects.filter(allocations__advisor=week.scene.advisor).count() == 10


def ten_are_offered_a_place(advisor: Person) -> None:
    for name in NAMES:
        each = CareLeaver.objects.get(preferred_name=name)
        advisor.go(f"/people/{each.pk}/offer/").press("Save")
    advisor.menu("Young people")
    assert advisor.text.count("Offered") == len(NAMES)


def three_are_introduced_one_of_them_in_two_sittings(week: Week, advisor: Person) -> None:
    """Ada with everything that can be shared and told, Bo to another pantry than the nearest, Cy with little."""
    everything = {"diet": "Halal", "language": "Dari"}, {"pantry_needs_to_know": "Quiet", "goes_along": "I do"}
    another: tuple[dict, dict] = {}, {"other_pantry_reason": "A friend goes there"}
    for name, (needs, notes) in {"Ada": everything, "Bo": another, "Cy": ({}, {})}.items():
        advisor.start_counting()
        asked: list[str] = []
        advisor.menu("Home").follow(re.compile(rf"^Introduce\W+{name}")).day("privacy_notice_on", TODAY)
        advisor.choose(how_given="In person", share_name="Yes", allergens="Milk").type(**needs)
        if needs:
            advisor.choose(advocacy="They were told", no_cooking="no cooking")
        asked += names_of_fields(advisor)
        advisor.press("Save and continue")
        assert "in order of distance" in advisor.text
        advisor.choose(pantry="Hill Pantry").type(**notes)
        if name == "Ada":
            advisor.type(why="Money runs out.")
        asked += names_of_fields(advisor)
        advisor.press("Save and continue")
        if name == "Bo":  # called away before it is sent
            advisor.sign_out()
            week.sign_in(advisor, "advisor")
            advisor.menu("Home").follow(re.compile(rf"^Finish the introduction\W+{name}")).press("Save and continue")
        asked += names_of_fields(advisor)
        advisor.press(re.compile("^Send to"))
        assert "Sent" in advisor.text
        assert len(asked) == len(set(asked)) > 12, asked  # no page asks what another has asked,
        assert not KNOWN & set(asked)  # nor what is known of the person
        work = {each: advisor.counted(each) for each in ("loads", "fields", "clicks")}
        print(f"\nIntroducing {name}: {work['loads']} pages, {work['fields']} fields, {work['clicks']} clicks")
        pages = 8 if name != "Bo" else 8 + 4  # signing out, signing in, home, where it was left
        assert (work["loads"] <= pages, work["fields"] <= 14, work["clicks"] <= 25) == (True, True, True), work
        assert min(work.values()) >= 5, work  # they are counted


def names_of_fields(person: Person) -> set[str]:
    """What the page asks for, each question once."""
    return set(person.page.locator(ASKED).evaluate_all("all => all.map(field => field.name)"))


def the_pantry_declines_lets_wait_and_accepts(pantry: Person, advisor: Person) -> None:
    for name, answer, more in (
        ("Bo", "Decline", {"reason": "Outside the area"}),
        ("Cy", "Put on the waiting list", {}),
        ("Ada", "Accept", {}),
    ):
        row = pantry.menu("Introductions").page.get_by_role("row", name=re.compile(rf"\b{name}\b"))
        with pantry.page.expect_navigation():
            row.get_by_role("link").first.click()
        pantry.choose(answer=answer, **more).press("Send your answer")
    advisor.menu("Introductions").go("/introductions/?state=")
    for said in ("Declined", "Waiting list", "Accepted"):
        assert said in advisor.text
    advisor.menu("Home").follow("Ada").follow("What they agreed, to print")
    assert "Once a week you choose 10 items yourself." in advisor.text and "Samplewood" not in advisor.text


def the_first_collection_stands_on_the_advisors_home(volunteer: Person, advisor: Person) -> None:
    volunteer.menu("Today’s session").follow(re.compile("^Open the session")).search("Ada").press(
        re.compile("^Usual 10")
    )
    assert "8 Apr 2026" in advisor.menu("Home").text


def two_missed_weeks_become_a_nudge_a_barrier_and_an_action(week: Week, advisor: Person) -> None:
    advisor.go("/")
    assert "Not seen for 2 weeks" in advisor.text
    advisor.press(re.compile(r"^I spoke to them\W+Ada"))
    assert "Not seen for 2 weeks, spoken to 29 Apr" in advisor.text
    advisor.follow(re.compile(r"^Say what is in the way\W+Ada")).choose(category="Opening hours")
    advisor.day("due_on", date(2026, 5, 13)).press("Record the barrier")
    advisor.follow("Opening hours clash").follow("Add an action").type(what="Ask for an evening").choose(
        owner=week.scene.advisor.name
    )
    advisor.day("due_on", date(2026, 5, 13))
    advisor.press("Add the action")
    assert "Ask for an evening" in advisor.menu("Home").text
    advisor.follow("Ada")
    assert "In the way: opening hours clash" in advisor.text and "2 missed, " in advisor.text


def the_agreement_is_withdrawn_and_the_member_still_collects(advisor: Person, volunteer: Person) -> None:
    number = str(Membership.objects.get(preferred_name="Ada").number)
    volunteer.go("/").follow(re.compile("^Open the session")).search(number)
    assert "Ada" in volunteer.text and "milk" in volunteer.text
    advisor.follow("They no longer agree").choose(how="By phone", stops="No").press("Continue")
    advisor.press("Record that it is withdrawn")
    volunteer.follow("Show everyone").search(number)
    assert "Ada" not in volunteer.text and "milk" not in volunteer.text and "Number only" in volunteer.text
    volunteer.press(re.compile("^Usual 10"))
    assert "29 Apr 2026" in advisor.menu("Home").text


def a_colleagues_cover_begins_and_ends(manager: Person, colleague: Person) -> None:
    assert "Ada" not in colleague.go("/").text
    manager.go("/people/?q=Ada").follow("Ada").follow("Arrange cover").choose(advisor="Cleo Colleague")
    manager.day("from_on", LATER).day("until_on", LATER).press("Give cover")
    assert "Cover" in colleague.menu("Home").text and "Ada" in colleague.text
    manager.press(re.compile("^End cover"))
    assert "Ada" not in colleague.menu("Home").text
