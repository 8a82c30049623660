"""Start and moves are the end, for the whole and for every part; then and entered since are now: over random histories,
against figures that are read otherwise and against what was frozen at the time."""

from collections import Counter
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest

from pantry.models import Membership
from pantry.services import collections, memberships
from reviews import audience, movement
from reviews.entered import Known
from reviews.models import Audience
from reviews.partial import figures_of
from reviews.parts import EVERYONE, Asked
from stockport_hubs.core.weeks import WEEK
from tests import factories
from tests.scheme_histories import FIRST, a_life

STATES = ("open", "paused", "ended")


def parts(life) -> dict[str, Asked]:
    return {
        "whole": EVERYONE,
        "pantry": Asked(pantry=life.pantry),
        "other pantry": Asked(pantry=life.other),
        "advisor": Asked(advisor=life.advisors[0]),
        "other advisor": Asked(advisor=life.advisors[1]),
        "cohort": Asked(cohort="in"),
        "not in it": Asked(cohort="out"),
        "both": Asked(pantry=life.pantry, advisor=life.advisors[0], cohort="in"),
    }


def standing(life, day, asked) -> dict[str, int]:
    found = figures_of(life.agreement, FIRST, day, day, asked=asked)
    return {state: len(found.members[state]) for state in STATES}


def counts(counter: Counter) -> dict[str, int]:
    return {state: counter[state] for state in STATES}


@pytest.mark.promise("M7")
def test_start_and_moves_are_the_end_and_parts_are_the_whole(db, sized, seed, figures):
    kinds: Counter[str] = Counter()
    lives = sized(1, 25)
    for n in range(lives):
        with a_life(seed + n, sized(50, 120)) as life:
            check_moves(life, kinds)
            check_rows(life)
            check_parts(life)
    assert set(kinds) == set(movement.KINDS), "the histories must hold every kind of move"
    figures(f"{lives} histories, {sum(kinds.values()):,} moves of 8 parts each: start + moves = end, parts = whole")


def check_moves(life, kinds: Counter) -> None:
    for name, asked in parts(life).items():
        for since, until in ((FIRST - timedelta(days=1), life.day), (FIRST + 2 * WEEK, FIRST + 6 * WEEK)):
            found = figures_of(life.agreement, since + timedelta(days=1), until, until, asked=asked).movement
            assert counts(found.start) == standing(life, since, asked), name
            assert counts(found.end) == standing(life, until, asked), name
            assert moved(found) == counts(found.end), name
            kinds.update({kind: times for kind, times in found.times.items() if times})


def moved(found: movement.Movement) -> dict[str, int]:
    return {state: found.start[state] + sum(step[state] for step in found.steps.values()) for state in STATES}


def check_rows(life) -> None:
    """Counted again the slow way: the states of every member in order, from their moves alone."""
    seen: Counter[str] = Counter()
    for member in Membership.objects.filter(agreement=life.agreement).prefetch_related("moves"):
        before = None
        for move in sorted(member.moves.all(), key=lambda each: (each.on, each.recorded_at)):
            if before is None:
                seen["returned" if member.previous_id else "joined"] += 1
            elif move.state != before:
                seen[{"paused": "paused", "open": "resumed", "ended": "left"}[move.state]] += 1
            before = move.state
    found = movement.between(life.agreement.pk, FIRST - timedelta(days=1), life.day)
    assert {kind: n for kind, n in found.times.items() if n} == dict(seen)


def test_a_move_that_is_missed_is_found(db, monkeypatch):
    """The control: without those who came into a part, start and moves are not the end."""
    world = factories.World()
    other = factories.pantry(world.operator)
    member = world.join()
    at = factories.moment(date(2026, 4, 15))
    memberships.move(membership=member, pantry=other, from_week=date(2026, 4, 20), by=world.pantry_manager, at=at)
    asked = (world.agreement, date(2026, 4, 13), date(2026, 4, 26), date(2026, 4, 26))
    found = figures_of(*asked, asked=Asked(pantry=other)).movement
    assert moved(found) == counts(found.end) == {"open": 1, "paused": 0, "ended": 0}
    count = movement.Movement.count
    monkeypatch.setattr(
        movement.Movement,
        "count",
        lambda self, kind, *given: None if kind == movement.IN else count(self, kind, *given),
    )
    found = figures_of(*asked, asked=Asked(pantry=other)).movement
    assert moved(found) != counts(found.end)


def check_parts(life) -> None:
    """By pantry, by advisor, by cohort: members, weeks, collections and money of the parts together are the whole."""
    period = (life.agreement, FIRST, life.day, life.day)
    whole = figures_of(*period)
    for one, two in (("pantry", "other pantry"), ("cohort", "not in it")):
        found = [figures_of(*period, asked=parts(life)[name]) for name in (one, two)]
        for state in STATES:
            assert sum(len(each.members[state]) for each in found) == len(whole.members[state])
        for n, week in enumerate(whole.weeks):
            assert sum(each.weeks[n].could for each in found) == week.could
            assert sum(each.weeks[n].came for each in found) == week.came
            assert sum(each.paid.get(week.week, 0) for each in found) == whole.paid.get(week.week, 0)
        for name in ("bought_pence", "collected_pence", "missed_weeks", "to_come_weeks", "joining_pence"):
            assert sum(getattr(each.position, name) for each in found) == getattr(whole.position, name), (one, name)
        assert sum(each.missed.total() for each in found) == whole.missed.total()
        assert {each.position.left_pence for each in found} == {whole.position.left_pence}
    for shares in (whole.by_pantry_shares, whole.by_advisor):
        sums = sum((each.counts for each in shares), Counter())
        assert {state: sums[state] for state in STATES} == {state: len(whole.members[state]) for state in STATES}
        assert (sums["could"], sums["came"]) == (
            sum(each.could for each in whole.weeks),
            sum(each.came for each in whole.weeks),
        )
        assert sums["lapsed"] == len(whole.members["lapsed"])
    for share in whole.by_pantry_shares:
        part = figures_of(*period, asked=parts(life)["pantry" if share.key == life.pantry.pk else "other pantry"])
        assert share.counts["open"] == len(part.members["open"])
        assert share.counts["came"] == sum(each.came for each in part.weeks)


@pytest.mark.promise("M7")
def test_what_was_frozen_and_what_was_entered_since_are_what_is_known_now(db, sized, seed, figures):
    """A pack of then, three weeks of later edits (collections recorded and undone late, pauses and leaving back-dated,
    closures told late, payments and credits for days before), and the pack of now for the same day."""
    differs, lives, entries = 0, sized(1, 25), 0
    for n in range(lives):
        with a_life(seed + n, sized(40, 90)) as life:
            known_at, as_at = life.at("00:00"), life.day - timedelta(days=1)
            asked = (EVERYONE, Asked(pantry=life.pantry), Asked(advisor=life.advisors[0]))
            then = [frozen(life, as_at, asked=each) for each in asked]
            life.live(16)
            for old, each in zip(then, asked, strict=True):
                now = frozen(life, as_at, known_at, each)
                differs += check_since(old, now, whole=not each)
                entries += now["entered"]["count"]
            check_entries(now["entered"] if not each else frozen(life, as_at, known_at)["entered"], as_at, known_at)
            since = frozen(life, life.day, life.at("23:59"))["entered"]
            assert (since["count"], since["weeks"]) == (0, [])
            assert all(was == is_now for was, is_now in [*since["members"].values(), *since["money"].values()])
    assert differs > 5 * lives
    figures(f"{lives} histories, {entries:,} late entries, {differs:,} figures that differ: then + since = now")


def test_a_collection_undone_and_entered_again_was_there_then(db):
    world = factories.World()
    member, week, known_at = world.join(), date(2026, 4, 6), factories.moment(date(2026, 4, 10))
    first, as_at = world.collect(member, date(2026, 4, 8)), date(2026, 4, 12)
    later = {"by": world.pantry_manager, "at": factories.moment(date(2026, 4, 13))}
    collections.void(collection=first, reason="By mistake", **later)
    given = {"membership": member, "quantities": None, "fruit_and_veg": False, "collected_at": first.collected_at}
    collections.record(session=first.session, key=uuid4(), **given, **later)
    found = figures_of(world.agreement, week, as_at, as_at, known=Known(known_at, as_at, week))
    since = audience.freeze(found, Audience.LEAVING_CARE)["entered"]
    assert since["came"] == [1, 1]
    assert sorted(each["kind"] for each in since["entries"]) == ["collected", "undone"]


def check_since(old: dict, now: dict, whole: bool) -> int:
    """How many figures differ; every one is explained."""
    since = now["entered"]
    told = {week["week"]: (week["could"], week["came"]) for week in since["weeks"]}
    for before, after in zip(old["weeks"], now["weeks"], strict=True):
        could, came = told.get(after["week"], ([after["could"]] * 2, [after["came"]] * 2))
        assert (could, came) == ([before["could"], after["could"]], [before["came"], after["came"]])
    for key, pair in since["members"].items():
        assert pair == [old["members"][key], now["members"][key]], key
    of_the_part = ("joining_pence", "bought_pence", "credited_pence")
    money = {key: pair for key, pair in since["money"].items() if whole or key not in of_the_part}
    for key, pair in money.items():
        assert pair == [old["money"][key], now["money"][key]], key
    return len(told) + sum(was != is_now for was, is_now in [*money.values(), *since["members"].values()])


def check_entries(since: dict, as_at: date, known_at: datetime) -> None:
    """Listed once each; collections and payments add up to what they changed."""
    kinds = Counter(each["kind"] for each in since["entries"])
    assert len(since["entries"]) == since["count"]
    assert kinds["collected"] - kinds["undone"] == since["came"][1] - since["came"][0]
    paid = sum(each["pence"] for each in since["entries"] if each["kind"] == "payment")
    assert [paid] == [now - then for then, now in [since["money"]["paid_in_advance_pence"]]]
    days = [(date.fromisoformat(each["on"]), datetime.fromisoformat(each["recorded_at"])) for each in since["entries"]]
    assert all(on <= as_at and recorded_at > known_at for on, recorded_at in days)


def frozen(life, as_at, known_at=None, asked=EVERYONE) -> dict:
    known = Known(known_at, as_at, FIRST) if known_at else None
    found = figures_of(life.agreement, FIRST, as_at, as_at, known=known, asked=asked)
    return audience.freeze(found, Audience.LEAVING_CARE)
