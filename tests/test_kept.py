"""Queries whose SQL is written once give what Django gives, for any value, and refuse what would go stale."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Q

from pantry.models import PaidWeek
from stockport_hubs.core import clock
from stockport_hubs.core.kept import Kept, together
from tests import factories
from tests.due import DUE, FIRST, make_due

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def weeks(members, after, before):
    rows = PaidWeek.objects.dated().filter(membership__in=members, week__gt=after, week__lt=before)
    rows = rows.exclude(state__contains="%")
    return rows.order_by().values_list("membership_id").annotate(n=Count("pk", filter=~Q(position=3)))


def test_a_kept_query_gives_what_django_gives_for_every_value(django_assert_num_queries):
    world = factories.World()
    make_due(world, 3)
    kept = Kept(weeks)
    members = list(PaidWeek.objects.order_by().values_list("membership_id", flat=True).distinct())
    for some in (members, members[:1], members[1:], []):
        for after, before in ((FIRST, DUE), (FIRST + 5 * WEEK, FIRST + 9 * WEEK), (DUE, FIRST), (DUE, DUE)):
            plain = sorted(weeks(some, after, before)) if some else []
            with django_assert_num_queries(1 if some else 0):
                assert sorted(map(tuple, kept(members=some, after=after, before=before))) == plain
    assert len(kept.texts) == 3  # lists of three, two and one: a text for each length


def test_queries_asked_together_give_what_each_gives_alone(django_assert_num_queries):
    world = factories.World()
    make_due(world, 3)
    kept, members = Kept(weeks), list(PaidWeek.objects.order_by().values_list("membership_id", flat=True).distinct())
    asked = [
        {"members": members, "after": FIRST, "before": DUE},
        {"members": [], "after": FIRST, "before": DUE},
        {"members": members[:1], "after": FIRST + 5 * WEEK, "before": FIRST + 9 * WEEK},
    ]
    alone = [kept(**each) for each in asked]
    assert [len(rows) for rows in alone] == [3, 0, 1]
    with django_assert_num_queries(2):
        assert together(*(kept.of(**each) for each in asked)) == alone


@pytest.mark.postgres
def test_postgresql_is_sent_them_before_it_answers():
    kept, seen = Kept(lambda on: PaidWeek.objects.filter(week=on).values_list("pence")), []

    def note(execute, *asked):
        execute(*asked)
        seen.append(connection.connection.info.pipeline_status.name)

    with connection.execute_wrapper(note):
        assert together(kept.of(on=DUE), kept.of(on=FIRST)) == [[], []]
    assert seen == ["ON", "ON"]


def test_an_error_of_the_last_of_several_is_djangos():
    fine = Kept(lambda on: PaidWeek.objects.filter(week=on).values_list("pence"))
    gone = Kept(lambda on: PaidWeek.objects.filter(week=on).extra(where=["no_such_column = 1"]).values_list("pence"))
    with pytest.raises(DatabaseError, match="no_such_column"), transaction.atomic():
        together(fine.of(on=DUE), gone.of(on=DUE))
    assert together(fine.of(on=DUE), fine.of(on=FIRST)) == [[], []]


@pytest.mark.postgres
def test_postgresql_plans_a_kept_query_once():
    kept = Kept(lambda on: PaidWeek.objects.filter(week=on, state="dated").values_list("pence"))
    for n in range(8):
        assert kept(on=DUE + n * WEEK) == []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans + custom_plans, statement FROM pg_prepared_statements WHERE statement LIKE '%pence%'"
        )
        [(plans, statement)] = cursor.fetchall()
    assert plans == 3  # the first five were asked for to see whether it is worth it
    assert (
        "= 'dated'" in statement and "$2" not in statement
    )  # a plan for any state could not use paid_week_once_a_week


@pytest.mark.parametrize(
    "query",
    [
        lambda on: PaidWeek.objects.filter(week=on - WEEK).values_list("pk"),
        lambda on: PaidWeek.objects.filter(week=on, block__ended_on=clock.today()).values_list("pk"),
        lambda on: PaidWeek.objects.filter(week=on).values_list("pence" if on > date(1902, 1, 1) else "position"),
    ],
    ids=["reckoned", "clock", "text"],
)
def test_a_query_that_would_go_stale_is_refused(query):
    with pytest.raises((TypeError, RuntimeError)):
        Kept(query)(on=DUE)


def test_values_the_text_could_depend_on_are_refused():
    with pytest.raises(TypeError):
        Kept(lambda name: PaidWeek.objects.filter(state=name).values_list("pk"))(name="dated")
