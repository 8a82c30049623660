"""First visits, value of food, breakdowns and ages against an independent count from raw rows; the filter of the
figures page, what it means for whom, and that each number leads to as many people as it says."""

import re
from collections import Counter
from copy import deepcopy
from datetime import date, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.template.loader import render_to_string
from django.urls import reverse

from careleavers.models import AdvisorAllocation
from pantry.models import Collection, JournalLine, PaidWeek, Tariff
from pantry.services import memberships, places
from referrals.models import Referral
from reviews import audience, documents, tables
from reviews.attendance import Attendance
from reviews.definitions import DEFINITIONS, GROUPS
from reviews.models import Audience, Barrier
from reviews.services import packs
from stockport_hubs.accounts.models import Role
from stockport_hubs.core.weeks import weeks_between
from tests import factories
from tests.pack_scene import unprinted
from tests.review_scene import FIRST_WEEK, JOINED_ON, PERIOD, Scene
from tests.test_figures import computed, query, signed_in

DATES = (PERIOD[1], date(2026, 4, 15), date(2026, 5, 12))


@pytest.fixture(scope="module")
def made(once) -> Scene:
    made = Scene(12)
    made.trouble()
    Tariff.objects.filter(pantry=made.pantry).update(food_value_pence=2000)
    factories.tariff(made.pantry, FIRST_WEEK + timedelta(weeks=5), weekly=450)
    Tariff.objects.filter(weekly_pence=450).update(food_value_pence=1500)
    # One was there before the introduction was sent; people 0 to 5 have an advisor.
    Referral.objects.filter(membership=made.members[1]).update(sent_at=factories.moment(date(2026, 3, 20)))
    for n in range(6):
        AdvisorAllocation.objects.create(care_leaver=made.people[n], advisor=made.advisor, from_on=JOINED_ON)
    return made


@pytest.fixture
def scene(made, db) -> Scene:
    return deepcopy(made)


def recount(scene, as_at: date) -> dict:
    """The slow way, from the rows alone."""
    collections = Collection.objects.filter(voided_at=None, on__lte=as_at)
    days, first, waiting = [], 0, 0
    for referral in Referral.objects.filter(sent_at__date__lte=as_at).select_related("membership"):
        member = referral.membership
        mine = [row.on for row in collections if member and row.membership_id == member.pk]
        gone = member and member.ended_on and member.ended_on <= as_at
        if not mine:
            waiting += not gone
        elif min(mine) < referral.sent_at.date():
            first += 1
        else:
            days.append((min(mine) - referral.sent_at.date()).days)
    days.sort()

    def fewest(share: float) -> int | None:
        """The fewest days within which at least that share had come."""
        return next((n for n in range(400) if days and sum(day <= n for day in days) >= share * len(days)), None)

    weeks = {row.week for row in collections if PERIOD[0] <= row.week <= PERIOD[1]}
    worth = sum(
        1500 if row.week >= FIRST_WEEK + timedelta(weeks=5) else 2000 for row in collections if row.week in weeks
    )
    weeks_paid = PaidWeek.objects.filter(state="dated", week__lte=as_at)
    came = {(row.membership_id, row.week) for row in collections}
    collected = [row for row in weeks_paid if (row.membership_id, row.week) in came]
    missed = [
        row for row in weeks_paid if (row.membership_id, row.week) not in came and row.week + timedelta(days=6) < as_at
    ]
    fees = JournalLine.objects.filter(account="joining", entry__effective_on__lte=as_at)
    used = sum(row.pence for row in (*collected, *missed, *fees))
    ages: dict[str, Counter] = {}
    for barrier in Barrier.objects.filter(raised_on__lte=as_at):
        old = (as_at - barrier.raised_on).days
        band = "up_to_4" if old < 35 else "up_to_12" if old < 91 else "older"
        ages.setdefault(barrier.category, Counter()).update(["open", band])
    return {
        "first_visits": {
            "came": len(days),
            "came_first": first,
            "waiting": waiting,
            "quarter": fewest(0.25),
            "half": fewest(0.5),
            "three_quarters": fewest(0.75),
        },
        "food": {
            "collections": sum(row.week in weeks for row in collections),
            "without_value": 0,
            "value_pence": worth,
            "used_pence": used,
            "collected_weeks": len(collected),
            "cost_each_pence": round(used / len(collected)),
        },
        "ages": {category: dict(counts) for category, counts in ages.items()},
    }


def found(scene, as_at: date) -> dict:
    frozen = audience.freeze(computed(scene, as_at), Audience.LEAVING_CARE)
    food = {key: value for key, value in frozen["food"].items() if key != "lost_pence"}
    assert frozen["food"]["lost_pence"] == 2000 * sum(week["could"] for week in frozen["weeks"])
    return {"first_visits": frozen["first_visits"], "food": food, "ages": frozen["ages"]}


def test_new_figures_equal_an_independent_count_at_three_dates_and_a_fault_of_one_is_found(scene):
    for as_at in DATES:
        counted = recount(scene, as_at)
        assert found(scene, as_at) == counted
        assert counted["first_visits"]["came_first"] == 1 and counted["first_visits"]["waiting"] >= 1
    for fault in (sent_earlier, worth_a_penny_more, raised_earlier):
        before = found(scene, PERIOD[1])
        key = fault(scene)
        after = found(scene, PERIOD[1])
        assert {each for each in after if after[each] != before[each]} == {key}


def sent_earlier(scene) -> str:
    """Every introduction by a day: all days are one more."""
    for referral in Referral.objects.exclude(membership=scene.members[1]):
        referral.sent_at -= timedelta(days=1)
        referral.save()
    return "first_visits"


def worth_a_penny_more(scene) -> str:
    Tariff.objects.filter(weekly_pence=450).update(food_value_pence=1501)
    return "food"


def raised_earlier(scene) -> str:
    Barrier.objects.filter(category="stigma").update(raised_on=PERIOD[0])
    return "ages"


@pytest.mark.sqlite
def test_stockport_homes_gets_nothing_by_advisor_cohort_or_age(scene):
    theirs = audience.freeze(computed(scene), Audience.STOCKPORT_HOMES)
    assert not {"advisors", "ages"} & set(theirs)
    assert scene.advisor.name not in str(theirs)
    ours = audience.freeze(computed(scene), Audience.LEAVING_CARE)
    assert [each["name"] for each in ours["advisors"]] == [scene.advisor.name, ""]
    assert theirs["pantries"] == ours["pantries"] and theirs["movement"] == ours["movement"]


@pytest.mark.sqlite
def test_days_of_few_people_are_not_told_to_stockport_homes(db):
    scene = Scene(4)  # four of them come
    theirs = audience.freeze(computed(scene), Audience.STOCKPORT_HOMES)["first_visits"]
    ours = audience.freeze(computed(scene), Audience.LEAVING_CARE)["first_visits"]
    assert (theirs["half"], ours["half"] is None, theirs["came"]) == (None, False, 4)


# -- the page ----------------------------------------------------------------------------------------------------------


@pytest.mark.sqlite
def test_the_address_holds_the_filter_on_page_and_file(scene):
    client = signed_in(scene.manager)
    asked = query(scene) | {"advisor": str(scene.advisor.pk), "cohort": "in", "pantry": str(scene.pantry.pk)}
    page = client.get(reverse("reviews:figures"), asked)
    text = page.content.decode()
    assert f"A part: {scene.pantry.name}, personal advisor {scene.advisor.name}, young people in the cohort" in text
    assert "money paid in advance are of the whole agreement" in text
    links = [unescape(link) for link in re.findall(r'href="([^"]*figures/[^"]*)"', text) if "?" in link]
    kept = [parse_qs(urlsplit(link).query) for link in links if "/csv/" in link or "/joined/" in link]
    assert len(kept) >= 2 and all(each["advisor"] == [str(scene.advisor.pk)] for each in kept)
    written = client.get(reverse("reviews:figures_csv"), asked).content.decode()
    whole = client.get(reverse("reviews:figures_csv"), query(scene)).content.decode()
    assert "Joined,6" in written and "Joined,7" in whole
    assert client.get(reverse("reviews:figure_people", args=["joined"]), asked).context["page"].paginator.count == 6


@pytest.mark.sqlite
def test_stockport_homes_cannot_filter_by_a_fact_about_care_leavers(scene):
    client = signed_in(scene.pantry_manager)
    plain = client.get(reverse("reviews:figures_csv"), query(scene)).content
    asked = query(scene) | {"advisor": str(scene.advisor.pk), "cohort": "out"}
    assert client.get(reverse("reviews:figures_csv"), asked).content == plain
    page = client.get(reverse("reviews:figures"), asked).content.decode()
    assert 'name="advisor"' not in page and 'name="cohort"' not in page and scene.advisor.name not in page
    part = client.get(reverse("reviews:figures"), query(scene) | {"pantry": str(scene.pantry.pk)}).content.decode()
    assert f"A part: {scene.pantry.name}" in part
    # The whole less a part, or one day less the day before, would be a count of very few: not one of them is told.
    for told in (page, part):
        kinds = told[told.index("Open barriers by kind") : told.index("What the figures mean</h2>")]
        assert kinds.count("not shown") >= 10 and not re.search(r"numeric\">\d", kinds.split("</table>")[0])
        assert "are in the packs alone" in told and 'id="volunteering"' not in told


@pytest.mark.sqlite
def test_what_cannot_be_told_is_refused_in_words(scene):
    client, later = signed_in(scene.manager), date(2031, 1, 1)
    for asked, refusal in (
        ({"as_at": later}, "The day of the figures must be today or earlier"),
        ({"as_at": date(2026, 1, 1)}, "The day of the figures must not be before the period begins"),
        ({"known_on": later}, "The day as known on must be today or earlier"),
    ):
        assert refusal in client.get(reverse("reviews:figures"), query(scene, **asked)).content.decode()
    for wrong in ({"pantry": str(factories.pantry().pk)}, {"advisor": str(factories.user(Role.PERSONAL_ADVISOR).pk)}):
        assert client.get(reverse("reviews:figures_csv"), query(scene) | wrong).status_code == 404
        page = client.get(reverse("reviews:figures"), query(scene) | wrong)
        assert (page.status_code, page.context["document"]) == (200, None)


@pytest.mark.sqlite
def test_what_was_entered_since_a_day_is_on_the_page(scene):
    on = FIRST_WEEK + timedelta(weeks=11, days=2)
    late = scene.collect(scene.members[5], on)
    Collection.objects.filter(pk=late.pk).update(recorded_at=factories.moment(PERIOD[1] + timedelta(days=2)))
    page = signed_in(scene.manager).get(reverse("reviews:figures"), query(scene, known_on=PERIOD[1])).content.decode()
    assert "Entered since the end of 31 May 2026" in page and "Collection entered" in page
    assert "Person5 Sample5" in page[page.index("Each entry") :]


def test_each_number_leads_to_as_many_people_as_it_says(scene):
    """One link of each kind: a step, a week, a pantry, an advisor, a reason, a category, a move."""
    client = signed_in(scene.manager)
    text = client.get(reverse("reviews:figures"), query(scene)).content.decode()
    pattern = r'<a class="govuk-link" href="(/reviews/figures/[^"]+\?[^"]+)">(?:<strong>)?([+−]?[\d,]+)<'
    links = {unescape(link): number for link, number in re.findall(pattern, text)}
    seen: dict[tuple, int] = {}
    for link, number in links.items():
        asked = parse_qs(urlsplit(link).query)
        kind = (urlsplit(link).path, *(name for name in ("week", "pantry", "advisor", "category") if name in asked))
        times = kind[0].endswith(("/could/", "/came/", "/missed/")) and "week" not in asked
        if seen.get(kind) or times:
            continue
        seen[kind] = 1
        page = client.get(link)
        people = page.context["page"].paginator.count + page.context["by_number"]
        if "barriers" in kind[0]:
            people = len(set(Barrier.objects.filter(category=asked["category"][0]).values_list("pk")))
        assert people == abs(int(number.replace("−", "-").replace(",", ""))), link
    assert len(seen) > 25
    assert {"week", "pantry", "advisor", "category"} <= {name for kind in seen for name in kind[1:]}


@pytest.mark.parametrize("audience", [Audience.LEAVING_CARE, Audience.STOCKPORT_HOMES])
def test_a_pack_and_what_was_entered_since_it_are_the_next_edition(scene, audience):
    first = unprinted(scene, audience).figures
    assert "entered" not in first
    scene.at += timedelta(days=2)
    scene.collect(scene.members[5], FIRST_WEEK + timedelta(weeks=11, days=2))
    Collection.objects.filter(membership=scene.members[5]).update(recorded_at=scene.at)
    memberships.leave(membership=scene.members[4], on=PERIOD[1], reason="left", by=scene.pantry_manager, at=scene.at)
    now = packs.freeze(scene.meeting, audience, made_by="Someone", at=scene.at + timedelta(days=1))
    since = now["entered"]
    assert sorted(each["kind"] for each in since["entries"]) == ["collected", "credit", "left"]
    assert since["came"] == [sum(week["came"] for week in pack["weeks"]) for pack in (first, now)]
    assert since["came"][1] == since["came"][0] + 1
    assert since["members"]["ended"] == [pack["members"]["ended"] for pack in (first, now)] == [1, 2]
    for name, pair in since["money"].items():
        assert pair == [pack["money"][name] for pack in (first, now)], name
    assert since["money"]["credited_pence"][1] > since["money"]["credited_pence"][0]
    assert ("name" in since["entries"][0]) == (audience == Audience.LEAVING_CARE)
    titles = [section.title for section in documents.document(now).sections]
    assert any(title.startswith("Entered since 3 June 2026, 12:00") for title in titles)


@pytest.mark.sqlite
def test_every_figure_is_explained_to_all_who_read_figures(scene):
    keys = [key for keys in GROUPS.values() for key in keys]
    assert sorted(keys) == sorted(DEFINITIONS)
    for user in (scene.manager, scene.pantry_manager):
        page = signed_in(user).get(reverse("reviews:figures_explained")).content.decode()
        assert all(f'id="{key}"' in page for key in DEFINITIONS)
    assert "personal advisor" not in page.lower()
    assert signed_in(scene.advisor).get(reverse("reviews:figures_explained")).status_code == 403


@pytest.mark.sqlite
def test_a_grid_too_large_for_the_page_is_in_the_file_and_names_nobody(scene, monkeypatch):
    from reviews.views import figures as views

    monkeypatch.setattr(views, "GRID_LIMIT", 3)
    client = signed_in(scene.manager)
    page = client.get(reverse("reviews:figures"), query(scene)).content.decode()
    assert "The grid of 7 members is too large for a page; it is in the CSV." in page
    assert "Person4 Sample4" not in page
    assert "Person4 Sample4" in client.get(reverse("reviews:figures_csv"), query(scene)).content.decode()


# -- many at once ------------------------------------------------------------------------------------------------------


def test_weeks_told_at_once_are_the_weeks_told_one_by_one(scene):
    """Members who paused, who left, and who moved are told otherwise than the rest."""
    more = {"by": scene.pantry_manager}
    paused, moves = scene.members[5], scene.members[0]
    on = date(2026, 4, 20)
    memberships.pause(membership=paused, on=on, at=factories.moment(on), **more)
    elsewhere = factories.pantry(scene.operator)
    closed = date(2026, 4, 29)
    places.announce_closure(
        pantry=scene.pantry, from_on=closed, until_on=closed, reason="Paint", at=factories.moment(on), **more
    )
    memberships.move(membership=moves, pantry=elsewhere, from_week=date(2026, 6, 8), at=scene.at, **more)
    seen = set()
    for as_at in (*DATES, date(2026, 6, 30)):
        attendance, weeks = Attendance(scene.agreement, as_at), weeks_between(PERIOD[0], date(2026, 6, 30))
        at_once = attendance.statuses(weeks)
        for member in attendance.members.values():
            assert at_once(member) == [attendance.status(member, week) for week in weeks], member
            seen.update(at_once(member))
    assert seen == {"came", "missed", "to_come", "closed", "paused", "outside"}


def test_of_more_pantries_than_fit_the_greatest_are_shown_and_the_file_has_all(scene):
    frozen = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="x", at=scene.at)
    [share], [money] = frozen["pantries"], frozen["by_pantry"]
    many = range(tables.MOST + 5)
    frozen["pantries"] = [share | {"key": str(n), "name": f"Hall {n:02}", "could": 2 * n, "came": n} for n in many]
    frozen["by_pantry"] = [money | {"name": f"Hall {n:02}", "bought_pence": n} for n in many]
    made = documents.document(frozen)
    for title in ("Take-up by pantry", "Money by pantry"):
        [table] = [each for part in made.sections for each in part.tables if each.caption == title]
        assert [row[0].value for row in table.in_view] == [*(f"Hall {n:02}" for n in many if n > 4), "5 others"]
        for column, (_, is_number) in enumerate(table.heads):
            if is_number and table.total[column].kind != "percent":  # rows and all of them together
                for rows in (table.rows, table.in_view):
                    assert sum(row[column].value for row in rows) == table.total[column].value
        assert f"The {tables.MOST} with the most" in table.note and table.note.endswith("the CSV has all.")
        page = render_to_string("reviews/section_table.html", {"table": table, "links": ""})
        assert page.count('<th scope="row"') == tables.MOST + 2 and "Hall 04" not in page
    assert all(tables.to_csv(made).count(f"Hall {n:02}") == 2 for n in many)


def test_a_list_too_long_for_the_page_is_shown_to_its_first_rows_and_whole_in_the_file(scene):
    frozen = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="x", at=scene.at)
    barrier = frozen["barriers"]["rows"][0]
    frozen["barriers"]["rows"] = [barrier | {"about": f"Somebody {n:03}"} for n in range(tables.LISTED + 3)]
    made = documents.document(frozen)
    [table] = [each for part in made.sections for each in part.tables if each.caption.startswith("Each barrier")]
    assert (len(table.rows), table.in_view) == (203, table.rows[:200])
    assert table.note == "The first 200 of 203 are shown; the CSV has all."
    assert tables.to_csv(made).count("Somebody ") == 203
