"""An advisor's week in Chromium, without JavaScript: ten are offered a place, three introduced, one stops coming."""

import re
from datetime import date

import pytest

from careleavers.models import CareLeaver
from careleavers.services import allocations, cohort, people
from pantry.models import Membership
from stockport_hubs.accounts.models import Role
from tests import browser, factories
from tests.conftest import test_database_url
from tests.counter_scene import Counter
from tests.factories import moment
from tests.journey import Journey, Person

pytestmark = [pytest.mark.browser, pytest.mark.sqlite]
BEGINS, GOES_ON = "2026-04-08T10:15", "2026-04-29T10:15"  # Wednesdays, while the pantry is open
TODAY, LATER = date(2026, 4, 8), date(2026, 4, 29)
NAMES = "Ada Bo Cy Di Ed Flo Gil Hal Ida Jo".split()


class Week:
    """Ten young people of the cohort, and everybody at a screen of their own."""

    def __init__(self, started, new_page, tmp_path):
        self.scene, self.started = Counter(), started
        self.scene.colleague = factories.user(Role.PERSONAL_ADVISOR, self.scene.council, name="Cleo Colleague")
        self.everybody = [self.young_person(n, name) for n, name in enumerate(NAMES)]
        self.journey = Journey(self.site(BEGINS), new_page, tmp_path, java_script=False)
        accounts = ("advisor", "pantry_manager", "volunteer", "manager", "colleague")
        for who in accounts:
            person = self.journey.people[who] = Person(self.journey, new_page(java_script_enabled=False))
            self.sign_in(person, who)

    def site(self, clock: str):
        return self.started.site(test_database_url(), CLOCK=clock)

    def young_person(self, n: int, name: str) -> CareLeaver:
        scene, at = self.scene, moment(TODAY)
        made = people.add(
            council=scene.council, reference=f"R{n}", preferred_name=name, surname="Samplewood",
            born_on=date(2005, 6, 1), eligibility="former_relevant", by=scene.manager, at=at,
        )  # fmt: skip
        allocations.allocate(care_leaver=made, advisor=scene.advisor, on=TODAY, by=scene.manager, at=at)
        return made

    def sign_in(self, person: Person, who: str) -> None:
        email = getattr(self.scene, who).email
        person.go("/accounts/login/").type(login=email, password=browser.SAMPLE_PASSWORD).press("Sign in")


@pytest.mark.django_db(transaction=True)
def test_an_advisors_week(started, new_page, tmp_path):
    week = Week(started, new_page, tmp_path)
    advisor, pantry, volunteer, manager, colleague = week.journey.people.values()
    ten_are_offered_a_place(week, advisor)
    three_are_introduced_one_of_them_in_two_sittings(week, advisor)
    the_pantry_declines_lets_wait_and_accepts(pantry, advisor)
    the_first_collection_stands_on_the_advisors_home(volunteer, advisor)
    # two weeks are missed
    week.journey.site = week.site(GOES_ON)
    two_missed_weeks_become_a_nudge_a_barrier_and_an_action(week, advisor)
    the_agreement_is_withdrawn_and_the_member_still_collects(advisor, volunteer)
    a_colleagues_cover_begins_and_ends(manager, colleague)
    print(f"\nAn advisor's week: {advisor.counted('loads')} pages, {advisor.counted('clicks')} clicks")


def ten_are_offered_a_place(week: Week, advisor: Person) -> None:
    cohort.tick(care_leavers=week.everybody, on=TODAY, by=week.scene.manager, at=moment(TODAY))
    for each in week.everybody:
        advisor.go(f"/people/{each.pk}/offer/").press("Save")
    advisor.menu("Young people")
    assert advisor.text.count("Offered") == len(NAMES)


def three_are_introduced_one_of_them_in_two_sittings(week: Week, advisor: Person) -> None:
    for name in ("Ada", "Bo", "Cy"):
        advisor.menu("Home").follow(re.compile(rf"^Introduce\W+{name}")).day("privacy_notice_on", TODAY)
        advisor.choose(how_given="In person", share_name="Yes", allergens="Milk").press("Save and continue")
        advisor.choose(pantry=re.compile("Pantry")).press("Save and continue")
        if name == "Ada":  # called away before it is sent
            advisor.sign_out()
            week.sign_in(advisor, "advisor")
            advisor.menu("Home").follow(re.compile(rf"^Finish the introduction\W+{name}")).press("Save and continue")
        advisor.press(re.compile("^Send to"))
        assert "Sent" in advisor.text


def the_pantry_declines_lets_wait_and_accepts(pantry: Person, advisor: Person) -> None:
    for name, answer, more in (
        ("Bo", "Decline", {"reason": "Outside the area"}),
        ("Cy", "Put on the waiting list", {}),
        ("Ada", "Accept", {}),
    ):
        pantry.menu("Introductions").page.get_by_role("row", name=re.compile(rf"\b{name}\b")).get_by_role(
            "link"
        ).first.click()
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
