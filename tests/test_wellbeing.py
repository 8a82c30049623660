"""How young people say they are: what is asked when, recorded, corrected, taken back; who sees it; who is due."""

import random
from datetime import timedelta
from importlib import import_module
from itertools import product

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from careleavers import questions
from careleavers.models import CareLeaver, Wellbeing
from careleavers.questions import LATER, NOT_ASKED, POINTS, PREFER_NOT, QUESTIONS, START
from careleavers.services import people, sharing, wellbeing
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK
from tests.test_people import NOW, TODAY, World, last_event, url

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
DAY = timedelta(days=1)
BEST = {key: each.best_first[0] for key, each in QUESTIONS.items()}
WORST = {key: each.best_first[-1] for key, each in QUESTIONS.items()}
SILENT = dict.fromkeys(QUESTIONS, PREFER_NOT)


@pytest.fixture
def world(settings):
    settings.CLOCK = NOW
    return World()


def agree(world, person, on, **more):
    return sharing.record_agreement(
        care_leaver=person, wording_version="1", privacy_notice_on=on, given_on=on, how_given="in_person",
        share_name=True, items=[], taken_by=world.advisor, at=NOW, **more,
    )  # fmt: skip


def ask(world, person, point=START, on=TODAY, answers=BEST, **more):
    return wellbeing.record(
        care_leaver=person, point=point, asked_on=on, how="in_person", answers=answers, by=world.advisor, at=NOW, **more
    )


def correct(world, earlier, on=TODAY, answers=WORST, because="Read out wrongly"):
    return wellbeing.correct(
        earlier=earlier, asked_on=on, how="on_paper", answers=answers, because=because, by=world.manager, at=NOW
    )


# -- the questions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", QUESTIONS)
def test_every_pair_of_answers_is_better_same_or_worse_from_the_best_answer_down(key):
    order = QUESTIONS[key].best_first
    assert set(order) == set(QUESTIONS[key].answers) and order[: len(QUESTIONS[key].good)] != ()
    assert set(QUESTIONS[key].good) == set(order[: len(QUESTIONS[key].good)])
    for was, start in enumerate(order):
        for now, later in enumerate(order):
            wanted = "same" if was == now else "better" if now < was else "worse"
            assert questions.change(key, start, later) == wanted
    for silent in (PREFER_NOT, NOT_ASKED, ""):
        assert questions.change(key, silent, order[0]) == questions.change(key, order[0], silent) == ""


def test_the_national_questions_are_worded_as_published_and_all_others_are_called_local():
    assert QUESTIONS["loneliness"].text == "How often do you feel lonely?"
    assert list(QUESTIONS["loneliness"].answers.values()) == [
        "Often or always", "Some of the time", "Occasionally", "Hardly ever", "Never",
    ]  # fmt: skip
    assert QUESTIONS["loneliness"].best_first[0] == "never"
    national = [key for key, each in QUESTIONS.items() if each.source == questions.NATIONAL]
    assert national == ["loneliness", "belonging"]


# -- recorded ----------------------------------------------------------------------------------------------------------


def test_answers_are_recorded_with_the_day_they_were_given(world):
    person = world.person(advisor=world.advisor)
    made = ask(world, person, on=TODAY - 3 * DAY)
    assert (made.asked_on, made.recorded_at, made.answers) == (TODAY - 3 * DAY, NOW, BEST)
    assert last_event() == ("careleavers.wellbeing.recorded", "Ann Advisor", {person.pk})


def test_preferring_not_to_say_anything_is_recorded(world):
    assert ask(world, world.person(), answers=SILENT).answers == SILENT


def test_nothing_asked_is_refused(world):
    with pytest.raises(Refused, match="Nothing was asked"):
        ask(world, world.person(), answers=dict.fromkeys(QUESTIONS, NOT_ASKED))


def test_a_day_in_the_future_is_refused(world):
    with pytest.raises(Refused, match="in the future"):
        ask(world, world.person(), on=TODAY + DAY)


def test_a_second_time_for_the_same_point_is_refused(world):
    person = world.person()
    ask(world, person)
    with pytest.raises(Refused, match="recorded already, of 12 April 2021"):
        ask(world, person)


def test_nobody_who_died_is_asked(world):
    with pytest.raises(Refused, match="has died"):
        ask(world, world.person(in_touch="DIED"))


def test_a_missing_question_is_no_answer(world):
    with pytest.raises(TypeError, match="not the questions"):
        ask(world, world.person(), answers={"home": "very"})


@pytest.mark.parametrize("field", ["point", "how", *QUESTIONS])
def test_the_database_refuses_an_answer_outside_its_question(world, field):
    values = {"point": START, "how": "in_person", **BEST, field: "planted"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Wellbeing.objects.create(care_leaver=world.person(), asked_on=TODAY, recorded_at=NOW, **values)


# -- when --------------------------------------------------------------------------------------------------------------

WINDOWS = [  # point, weeks after the agreement, days more, what is said
    (START, 0, 0, ""),
    (START, 6, -1, ""),
    (START, 6, 0, "are no start"),
    ("three_months", 9, -1, "too early for 3 months, which are due on"),
    ("three_months", 9, 0, ""),
    ("three_months", 20, -1, ""),
    ("three_months", 20, 0, "too late for 3 months"),
    ("six_months", 20, -1, "too early for 6 months"),
    ("six_months", 20, 0, ""),
    ("six_months", 39, -1, ""),
    ("six_months", 39, 0, "too late for 6 months"),
]


@pytest.mark.parametrize(("point", "weeks", "days", "said"), WINDOWS)
def test_answers_belong_to_a_point_within_its_weeks(world, point, weeks, days, said):
    person = world.person()
    agree(world, person, TODAY - weeks * WEEK - days * DAY)
    if said:
        with pytest.raises(Refused, match=said):
            ask(world, person, point)
    else:
        assert ask(world, person, point).point == point


@pytest.mark.parametrize("point", LATER)
def test_later_points_need_a_start_or_an_agreement_to_count_from(world, point):
    with pytest.raises(Refused, match="Record the start first"):
        ask(world, world.person(), point)


def test_three_months_are_counted_from_the_day_the_start_was_asked(world):
    person = world.person()
    agree(world, person, TODAY - 14 * WEEK)
    ask(world, person, on=TODAY - 8 * WEEK - DAY)
    with pytest.raises(Refused, match="can be asked from 18 April 2021"):
        ask(world, person, "three_months")


def test_points_come_in_order(world):
    person = world.person()
    start = ask(world, person, on=TODAY - 12 * WEEK)
    ask(world, person, "three_months", on=TODAY - WEEK)
    with pytest.raises(Refused, match="must be earlier"):
        correct(world, start, on=TODAY)


def due_days(agreed, started=None, asked=()):
    """On which days of the year after the agreement each point is due."""
    first = TODAY
    found = {}
    for n in range(300):
        point = questions.due(asked, first + n * DAY, questions.counted_from(started, agreed))
        if point:
            found.setdefault(point, []).append(n)
    return {point: (days[0], days[-1], len(days)) for point, days in found.items()}


def test_due_days_after_the_agreement_and_after_a_late_start():
    assert due_days(TODAY) == {START: (0, 41, 42), "three_months": (91, 139, 49), "six_months": (182, 272, 91)}
    late = TODAY + 10 * DAY
    assert due_days(TODAY, late, (START,)) == {"three_months": (101, 149, 49), "six_months": (192, 282, 91)}
    assert due_days(TODAY, TODAY, (START, "three_months")) == {"six_months": (182, 272, 91)}
    assert due_days(None) == {}


def test_due_as_a_query_is_due_as_a_rule_for_random_people(world):
    draw = random.Random(4)
    wanted = {}
    for n in range(60):
        person = world.person(f"R{n}")
        agreed = TODAY - draw.randint(0, 300) * DAY if draw.random() < 0.9 else None
        holds = draw.random() < 0.85
        if agreed:
            agree(world, person, agreed, until_on=None if holds else max(agreed, TODAY - DAY))
            holds = holds or agreed == TODAY
        started = draw.choice([None, (agreed or TODAY - 100 * DAY) + draw.randint(0, 30) * DAY])
        asked = [] if started is None else [START]
        asked += [point for point in LATER if draw.random() < 0.2]
        for point in asked:
            day = started if point == START else TODAY
            Wellbeing.objects.create(
                care_leaver=person, point=point, asked_on=min(day, TODAY), how="in_person", recorded_at=NOW, **BEST
            )
        wellbeing.tell(person.pk)
        first = questions.counted_from(min(started, TODAY) if started else None, agreed)
        wanted[person] = questions.due(asked, TODAY, first) if agreed and holds else ""
    due = {person for person, point in wanted.items() if point}
    assert set(CareLeaver.objects.wellbeing_due(TODAY)) == due
    assert set(wanted.values()) == {"", START, *LATER}
    kept = CareLeaver.objects.order_by("pk").values_list("pk", "wellbeing_asked", "wellbeing_from")
    told = list(kept)
    CareLeaver.objects.update(wellbeing_asked="", wellbeing_from=None)
    with connection.cursor() as cursor:
        cursor.execute(import_module("careleavers.migrations.0012_wellbeing_asked").FILL)
    assert list(kept.all()) == told


def test_who_is_due_is_chosen_as_the_rule_says_for_each_that_was_asked_and_each_day():
    windows = list(questions.due_after(TODAY))
    for asked, n in product(questions.ASKED, range(-2, 300)):
        first = TODAY - n * DAY
        chosen = any(of == asked and since < first <= until for of, since, until in windows)
        assert (asked, n, chosen) == (asked, n, bool(questions.due(asked.split(), TODAY, first)))


def kept(person) -> tuple:
    """What stands beside the young person."""
    person.refresh_from_db()
    return person.wellbeing_asked, person.wellbeing_from


def test_every_service_tells_what_was_asked_and_from_when_the_rest_is_counted(world):
    person = world.person()
    assert kept(person) == ("", None)
    for weeks in (9, 10, 2):  # the first of them is of the tenth week back, recorded later
        agree(world, person, TODAY - weeks * WEEK)
    assert kept(person) == ("", TODAY - 10 * WEEK)
    started = ask(world, person, on=TODAY - 9 * WEEK)
    assert kept(person) == (START, TODAY - 9 * WEEK)
    started = correct(world, started, on=TODAY - 9 * WEEK - DAY)
    later = ask(world, person, "three_months")
    assert kept(person) == (f"{START} three_months", TODAY - 9 * WEEK - DAY)
    wellbeing.take_back(earlier=later, because="x", by=world.advisor, at=NOW)
    assert kept(person) == (START, TODAY - 9 * WEEK - DAY)
    wellbeing.take_back(earlier=started, because="x", by=world.advisor, at=NOW)
    assert kept(person) == ("", TODAY - 10 * WEEK)


@pytest.mark.parametrize("point", LATER)
def test_whoever_was_asked_is_not_due_again(world, point):
    began = TODAY - POINTS[point].due
    asked, waiting = world.person("R1"), world.person("R2")
    for person, points in ((asked, (START, point)), (waiting, (START,))):
        agree(world, person, began)
        for each in points:
            day = began if each == START else TODAY
            Wellbeing.objects.create(
                care_leaver=person, point=each, asked_on=day, how="in_person", recorded_at=NOW, **BEST
            )
        wellbeing.tell(person.pk)
    assert CareLeaver.objects.wellbeing_due(TODAY).get() == waiting


# -- corrected and taken back ------------------------------------------------------------------------------------------


def test_a_correction_keeps_the_earlier_answers_with_the_reason(world):
    person = world.person()
    earlier = ask(world, person)
    made = correct(world, earlier, on=TODAY - DAY)
    earlier.refresh_from_db()
    assert (earlier.replaced_by, earlier.replaced_at, earlier.because) == (world.manager, NOW, "Read out wrongly")
    assert list(person.wellbeing.current()) == [made] and person.wellbeing.count() == 2
    assert (made.answers, made.asked_on, made.how, made.point) == (WORST, TODAY - DAY, "on_paper", START)
    assert last_event() == ("careleavers.wellbeing.corrected", "Mia Manager", {person.pk})


def test_a_correction_needs_a_reason(world):
    earlier = ask(world, world.person())
    with pytest.raises(Refused, match="Write why"):
        correct(world, earlier, because=" ")
    assert Wellbeing.objects.current().get() == earlier


def test_a_correction_that_changes_nothing_is_refused_and_nothing_is_replaced(world):
    earlier = ask(world, world.person())
    with pytest.raises(Refused, match="Nothing is different"):
        wellbeing.correct(
            earlier=earlier, asked_on=TODAY, how="in_person", answers=BEST, because="x", by=world.manager, at=NOW
        )
    assert Wellbeing.objects.current().get() == earlier


def test_two_corrections_of_the_same_answers_and_the_second_is_told(world):
    earlier = ask(world, world.person())
    correct(world, earlier)
    with pytest.raises(Refused, match="Mia Manager has changed these answers meanwhile"):
        correct(world, earlier, answers=SILENT)
    assert Wellbeing.objects.current().get().answers == WORST


def test_a_correction_outside_the_weeks_of_its_point_is_refused(world):
    person = world.person()
    agree(world, person, TODAY - 14 * WEEK)
    earlier = ask(world, person, "three_months")
    with pytest.raises(Refused, match="too early"):
        correct(world, earlier, on=TODAY - 10 * WEEK)
    assert Wellbeing.objects.current().get() == earlier


def test_answers_taken_back_leave_the_point_open(world):
    person = world.person()
    earlier = ask(world, person)
    wellbeing.take_back(earlier=earlier, because="Somebody else’s", by=world.advisor, at=NOW)
    assert last_event() == ("careleavers.wellbeing.taken_back", "Ann Advisor", {person.pk})
    assert not person.wellbeing.current().exists() and person.wellbeing.count() == 1
    assert ask(world, person, answers=WORST).answers == WORST


def test_answers_taken_back_twice_are_refused(world):
    earlier = ask(world, world.person())
    wellbeing.take_back(earlier=earlier, because="x", by=world.advisor, at=NOW)
    with pytest.raises(Refused, match="meanwhile"):
        wellbeing.take_back(earlier=earlier, because="x", by=world.advisor, at=NOW)


def test_taking_back_needs_a_reason(world):
    with pytest.raises(Refused, match="Write why"):
        wellbeing.take_back(earlier=ask(world, world.person()), because="", by=world.advisor, at=NOW)


# -- pages -------------------------------------------------------------------------------------------------------------


def typed(answers=BEST, **more):
    return {
        "asked_on_day": "12", "asked_on_month": "4", "asked_on_year": "2021", "how": "by_phone", **answers,
    } | more  # fmt: skip


def page_of(person, name, point=START):
    return reverse(f"careleavers:{name}", args=[person.pk, point])


@pytest.mark.sqlite
def test_an_advisor_asks_corrects_and_takes_back_on_pages(world, client):
    person = world.person(advisor=world.advisor)
    agree(world, person, TODAY)
    client.force_login(world.advisor)
    shown = client.get(url("detail", person)).content.decode()
    assert "Ask the questions: start" in shown and "Nothing has been asked yet." in shown
    assert client.post(page_of(person, "wellbeing_ask"), {"save": "1"}).context["form"].errors.keys() == {
        "asked_on", "how", *QUESTIONS,
    }  # fmt: skip
    assert client.post(page_of(person, "wellbeing_ask"), typed()).status_code == 302
    shown = client.get(url("detail", person)).content.decode()
    assert "Very settled" in shown and "by phone" in shown and "Due on 12 July 2021" in shown
    assert client.post(page_of(person, "wellbeing_ask"), typed(WORST)).status_code == 200  # no reason
    assert client.post(page_of(person, "wellbeing_ask"), typed(WORST, because="Misheard")).status_code == 302
    history = client.get(reverse("careleavers:wellbeing", args=[person.pk])).content.decode()
    assert "Misheard" in history and "Not settled at all" in history and "Very settled" in history
    taken = {"because": "Of somebody else"}
    assert client.post(page_of(person, "wellbeing_take_back"), taken).status_code == 302
    assert not Wellbeing.objects.current().exists() and Wellbeing.objects.count() == 2
    assert client.get(page_of(person, "wellbeing_take_back")).status_code == 302


@pytest.mark.sqlite
def test_one_tick_says_that_they_prefer_not_to_answer(world, client):
    person = world.person(advisor=world.advisor)
    client.force_login(world.advisor)
    client.post(page_of(person, "wellbeing_ask"), typed({}, says_nothing="on"))
    assert Wellbeing.objects.get().answers == SILENT


@pytest.mark.sqlite
def test_a_refusal_stands_beside_the_day(world, client):
    person = world.person(advisor=world.advisor)
    client.force_login(world.advisor)
    answer = client.post(page_of(person, "wellbeing_ask", "six_months"), typed())
    assert answer.context["form"].errors["asked_on"] == ["Record the start first: 6 months are counted from there."]


@pytest.mark.sqlite
def test_the_page_says_better_or_worse_than_their_own_start(world, client):
    person = world.person(advisor=world.advisor)
    ask(world, person, on=TODAY - 13 * WEEK, answers=BEST | {"money": "difficulty", "people": PREFER_NOT})
    ask(world, person, "three_months", answers=WORST | {"money": "well", "home": "very"})
    client.force_login(world.manager)
    panel = client.get(url("detail", person)).context["wellbeing"]
    changes = {name: cells[1][2] for name, cells in panel.rows}
    assert changes == {
        "Settled in the home": "same",
        "Settled in the neighbourhood": "worse",
        "People to turn to": "",
        "Managing money": "better",
        "Loneliness": "worse",
        "Belonging to the neighbourhood": "worse",
    }


@pytest.mark.sqlite
@pytest.mark.parametrize("name", ["wellbeing", "wellbeing_ask", "wellbeing_take_back"])
def test_another_advisor_finds_no_answers(world, client, name):
    person = world.person(advisor=world.advisor)
    ask(world, person)
    client.force_login(world.other)
    keys = [person.pk] if name == "wellbeing" else [person.pk, START]
    assert client.get(reverse(f"careleavers:{name}", args=keys)).status_code == 404
    assert list(Wellbeing.objects.for_user(world.other)) == []


@pytest.mark.sqlite
def test_there_are_three_points_and_no_other(world, client):
    person = world.person(advisor=world.advisor)
    client.force_login(world.advisor)
    assert client.get(page_of(person, "wellbeing_ask", "nine_months")).status_code == 404
    assert list(POINTS) == list(Wellbeing.Point.values)


@pytest.mark.sqlite
def test_the_list_shows_whose_questions_are_due(world, client):
    due, other = world.person("R1", "Due", advisor=world.advisor), world.person("R2", "Other", advisor=world.advisor)
    agree(world, due, TODAY)
    agree(world, other, TODAY)
    ask(world, other)
    client.force_login(world.advisor)
    page = client.get(f"{url('list')}?show=wellbeing")
    assert list(page.context["page_obj"]) == [due]


@pytest.mark.sqlite
def test_nobody_is_reminded_after_a_death_or_a_withdrawal(world, client):
    died, withdrew = world.person("R1", advisor=world.advisor), world.person("R2", advisor=world.advisor)
    for person in (died, withdrew):
        agree(world, person, TODAY - WEEK)
    people.edit(care_leaver=died, in_touch="DIED", by=world.manager, at=NOW)
    sharing.withdraw(care_leaver=withdrew, on=TODAY, by=world.advisor, at=NOW)
    assert not CareLeaver.objects.wellbeing_due(TODAY).exists()
    client.force_login(world.advisor)
    assert client.get(url("detail", withdrew)).context["wellbeing"].due is None
    assert client.get(page_of(died, "wellbeing_ask")).status_code == 302


@pytest.mark.sqlite
def test_the_sheet_of_paper_holds_every_question_and_no_name(world, client):
    world.person(advisor=world.advisor)
    client.force_login(world.advisor)
    sheet = client.get(reverse("careleavers:wellbeing_paper")).content.decode()
    assert all(each.text in sheet for each in QUESTIONS.values()) and sheet.count("Prefer not to say") == 6
    assert "Robin" not in sheet
