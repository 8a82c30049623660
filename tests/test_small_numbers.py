"""No small count of an edition can be worked out: an exact solver of its own reads what editions of random cohorts
show, over all their tables together. Nothing here asks the code that chose how it chose."""

import random
import re
from collections import Counter
from dataclasses import replace
from itertools import count

import pytest

from reviews import audience, documents, figures, small_numbers, suppression
from reviews.models import COUNTED_AS_OTHER, Audience, BarrierCategory
from reviews.suppression import Model, Step
from tests.review_scene import PERIOD, Scene

pytestmark = pytest.mark.sqlite  # arithmetic

HIDING = [Audience.STOCKPORT_HOMES, Audience.CORPORATE_PARENTS]
THRESHOLD = 5
MOST = 3000  # more people, weeks and barriers than any of the cohorts here has


# -- the solver --------------------------------------------------------------------------------------------------------


class Solver:
    """What each cell can be, given the shown ones: whole numbers, by narrowing and trying. It knows the steps as plain
    equations: the sum of (sign, cell) is nothing."""

    def __init__(self, steps, shown: dict[str, int], cells):
        self.rules = [
            [(1, step.bigger), *([(-1, step.smaller)] if step.smaller else []), *((-1, part) for part in step.parts)]
            for step in steps
        ]
        names = {cell for rule in self.rules for _, cell in rule} | set(cells)
        self.start = {name: (shown[name], shown[name]) if name in shown else (0, MOST) for name in names}

    def range_of(self, cell: str) -> tuple[int, int]:
        low, high = self.narrowed(self.start)[cell]
        while not self.is_possible(cell, low):
            low += 1
        while not self.is_possible(cell, high):
            high -= 1
        return low, high

    def is_possible(self, cell: str, value: int) -> bool:
        return self.solved({**self.start, cell: (value, value)})

    def solved(self, bounds) -> bool:
        bounds = self.narrowed(bounds)
        if bounds is None:
            return False
        open_ = [name for name, (low, high) in bounds.items() if low < high]
        if not open_:
            return True
        name = min(open_, key=lambda each: bounds[each][1] - bounds[each][0])
        low, high = bounds[name]
        return any(self.solved({**bounds, name: (value, value)}) for value in range(low, high + 1))

    def narrowed(self, bounds):
        """The same without what one equation alone excludes; None where nothing is left."""
        bounds = dict(bounds)
        changed = True
        while changed:
            changed = False
            for rule in self.rules:
                for sign, cell in rule:
                    others = [(s, bounds[name]) for s, name in rule if name != cell]
                    least = sum(s * (b[0] if s > 0 else b[1]) for s, b in others)
                    most = sum(s * (b[1] if s > 0 else b[0]) for s, b in others)
                    low, high = (-most, -least) if sign > 0 else (least, most)
                    now = (max(bounds[cell][0], low), min(bounds[cell][1], high))
                    if now[0] > now[1]:
                        return None
                    if now != bounds[cell]:
                        bounds[cell], changed = now, True
        return bounds


def test_the_solver_finds_what_a_pupil_finds():
    steps = [Step("all", "some", ("a", "b")), Step("some", "few", ("c",))]
    solver = Solver(steps, {"all": 10, "some": 4, "a": 5}, [])
    assert [solver.range_of(cell) for cell in ("b", "few", "c")] == [(1, 1), (0, 4), (0, 4)]
    free = Solver(steps, {"all": 10}, [])
    assert [free.range_of(cell) for cell in ("some", "a", "few")] == [(0, 10), (0, 10), (0, 10)]


# -- random cohorts ----------------------------------------------------------------------------------------------------


def cohort(draw: random.Random) -> dict:
    """The counts of a made-up scheme, person by person, in the shape of frozen figures before anything is hidden."""
    people = draw.choice([draw.randrange(0, 12), draw.randrange(5, 90), draw.randrange(60, 150)])
    lost = [draw.choice([0.0, 0.02, 0.05, 0.3]) for _ in range(8)]  # on each step
    seen, members, barriers = Counter(), Counter(), Counter()
    for _ in range(people):
        far = next((n for n, part in enumerate(lost) if draw.random() < part), 8)
        for n, name in enumerate(("identified", "offered", "agreed", "introduced", "joined", "first")):
            seen[name] += far >= n
        if far == 1:
            seen[draw.choices(small_numbers.ANSWERS, [6, 2, 1])[0]] += 1
        if far >= 4:
            over = draw.random() < 0.1
            seen["funding_over"] += over
            kept = far >= 5 and over and draw.random() < 0.5
            seen["retained"] += kept
            open_ = draw.random() < 0.9
            came = open_ and far >= 5 and draw.random() < 0.9
            members["had_weeks"] += open_
            members["came_last4"] += came
            members["lapsed"] += open_ and not came and draw.random() < 0.8
            seen["regular"] += came and draw.random() < 0.85
            members["could"] += 13
            members["came"] += draw.randrange(14) if far >= 5 else 0
        if draw.random() < 0.5:
            barriers[draw.choice([each for each in BarrierCategory.values if each not in COUNTED_AS_OTHER][:6])] += 1
    reasons = Counter(draw.choices(audience.MISSED_REASONS, [1, 1, 9, 3, 2], k=draw.choice([0, 3, 40])))
    funnel = {key: seen[key] for key in ("identified", "offered", "agreed", "introduced", "joined", "first", "regular")}
    volunteers = random.Random(people).randint(0, seen["identified"])
    categories = {key: barriers[key] for key in BarrierCategory.values if key not in COUNTED_AS_OTHER}
    drawn = seen["joined"] * 10_100
    return {
        "version": audience.VERSION,
        "threshold": THRESHOLD,
        "agreement": "An agreement",
        "funder": "A council",
        "operator": "An operator",
        "period_from": "2026-03-02",
        "period_to": "2026-05-31",
        "as_at": "2026-05-31",
        "funnel": funnel | {"retained": seen["retained"], "volunteering": volunteers},
        "funding_over": seen["funding_over"],
        "answers": {key: seen[key] for key in small_numbers.ANSWERS},
        "actions_done": 0,
        "all_members": seen["joined"] + draw.choice([0, 0, 1, 7]),
        "period_weeks": 13,
        "members": {key: members[key] for key in audience.SUMMARY_MEMBERS},
        "take_up": {key: members[key] for key in ("could", "came")},
        "money": {"paid_in_advance_pence": 900_000, "drawn_pence": drawn, "left_pence": 900_000 - drawn},
        "holds": {"count": draw.randrange(9)},
        "barriers": {"categories": categories},
        "actions": {"waiting": 0, "overdue": 0},
        "missed": {reason: reasons[reason] for reason in audience.MISSED_REASONS},
        "missed_total": reasons.total(),
    }


def shown_cells(told: dict, model: Model) -> dict[str, int]:
    """Cell → number of what is not hidden in frozen figures; money tells how many members were paid for."""
    flat = {**told["funnel"], **told["answers"]}
    flat |= {f"barrier:{key}": number for key, number in told["barriers"]["categories"].items()}
    if told["audience"] == Audience.CORPORATE_PARENTS:
        flat |= {**told["members"], **told["take_up"], "funding_over": told["funding_over"]}
        flat |= {"holds": told["holds"]["count"]}
        flat |= {"all_members": None if told["money"]["drawn_pence"] is None else model.values["all_members"]}
    else:
        flat |= {f"missed:{key}": number for key, number in told["missed"].items()}
        flat |= {"missed_total": told["missed_total"]}
    return {cell: number for cell, number in flat.items() if number is not None and cell in model.values}


def given_away(model: Model, shown: dict[str, int]) -> list[str]:
    """Small cells that are shown, or can be narrowed further than what the audience knows anyway leaves them."""
    small = model.small(THRESHOLD)
    solver = Solver(model.steps, shown, small)
    at_first = Solver(model.steps, {cell: model.values[cell] for cell in model.known}, small)
    found = []
    for cell in sorted(small):
        low, high = solver.range_of(cell)
        widest = at_first.range_of(cell) if model.known else (0, MOST)
        if low > widest[0] or high < min(THRESHOLD, widest[1]) or (low == high and widest[0] < widest[1]):
            found.append(f"{cell} is {low} to {high}, and {model.values[cell]}")
    return found


@pytest.mark.promise("SN")
@pytest.mark.parametrize("audience_", HIDING)
def test_no_small_count_can_be_worked_out_from_the_editions_of_random_cohorts(audience_, sized, seed, figures):
    hidden = shown = 0
    for n in range(sized(8, 200)):
        exact = cohort(random.Random(f"{seed} {n}")) | {"audience": audience_}
        model = small_numbers.of(exact)
        told = shown_cells(small_numbers.hide(exact), model)
        assert told == {cell: model.values[cell] for cell in told}, "what is shown is true"
        assert given_away(model, told) == [], f"cohort {n}"
        shown, hidden = shown + len(told), hidden + len(set(model.told) - set(told))
    figures(f"{audience_}: {sized(8, 200)} cohorts, {shown} cells shown, {hidden} hidden, none to be worked out")
    assert shown > 0 and hidden > 0


@pytest.mark.promise("SN")
@pytest.mark.parametrize("audience_", HIDING)
def test_without_secondary_suppression_small_counts_are_worked_out(audience_, sized, seed, figures):
    """The control: every cell that is not small itself is shown."""
    found = 0
    for n in range(sized(8, 200)):
        model = small_numbers.of(cohort(random.Random(f"{seed} {n}")) | {"audience": audience_})
        shown = (set(model.told) | model.known) - model.small(THRESHOLD)
        found += bool(given_away(model, {cell: model.values[cell] for cell in shown}))
    figures(f"{audience_}, control: {found} of {sized(8, 200)} cohorts give a small count away")
    assert found >= sized(3, 75)


# -- by hand -----------------------------------------------------------------------------------------------------------


def shown_of(values: dict[str, int], *steps: Step, guarded=None, known=frozenset()) -> list[str]:
    model = Model(values, steps, list(values), guarded or values.keys(), frozenset(known))
    return sorted(suppression.shown(model, THRESHOLD))


@pytest.mark.parametrize(
    "cells, expected",
    [
        ({"all": 16, "a": 9, "b": 7}, ["a", "all", "b"]),
        ({"all": 13, "a": 9, "b": 4}, ["all"]),
        ({"all": 20, "a": 9, "b": 4, "c": 7}, ["a", "all"]),
        ({"all": 12, "a": 9, "b": 1, "c": 2}, ["all"]),
        ({"all": 14, "a": 9, "b": 3, "c": 2}, ["a", "all"]),
        ({"all": 9, "a": 9, "b": 0}, ["all"]),
        ({"all": 0, "a": 0, "b": 0}, []),
        ({"all": 4, "a": 4}, []),
    ],
)
def test_small_counts_and_those_they_follow_from_are_hidden(cells, expected):
    assert shown_of(cells, Step("all", "", tuple(cells)[1:])) == expected


def test_a_small_loss_on_the_way_hides_one_of_its_ends_and_no_loss_hides_nothing():
    steps = [Step("all", "some", ("~lost",)), Step("some", "few", ("~lost later",))]
    values = {"all": 75, "few": 40, "some": 73, "~lost": 2, "~lost later": 33}
    model = Model(values, steps, ["all", "few", "some"], values.keys())
    assert suppression.shown(model, THRESHOLD) == {"all", "few"}
    none_lost = replace(model, values={"all": 75, "few": 75, "some": 75, "~lost": 0, "~lost later": 0})
    assert suppression.shown(none_lost, THRESHOLD) == {"all", "few", "some"}


def test_what_an_audience_knows_anyway_is_shown_and_widens_nothing():
    values = {"total": 3, "a": 2, "b": 1}
    assert shown_of(values, Step("total", "", ("a", "b")), guarded={"a", "b"}, known={"total"}) == ["total"]


# -- the editions themselves -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_steps_of_the_model_hold_for_counted_figures():
    """The model is true: no part is below nothing, in figures of a scheme at four dates."""
    scene = Scene(24)
    scene.trouble()
    for n in (20, 48, 75, 90):
        counted = figures.compute(scene.agreement, *PERIOD, PERIOD[0] + n * (PERIOD[1] - PERIOD[0]) // 90)
        for audience_ in HIDING:
            exact = _unhidden(counted, audience_)
            model = small_numbers.of(exact)
            below = {cell: number for cell, number in model.values.items() if number < 0}
            sums = [
                step
                for step in model.steps
                if model.values[step.bigger] - model.values.get(step.smaller, 0)
                != sum(model.values[part] for part in step.parts)
            ]
            assert (below, sums) == ({}, []), (audience_, n)
            assert given_away(model, shown_cells(audience.freeze(counted, audience_), model)) == []


def _unhidden(counted, audience_) -> dict:
    """Frozen figures before anything is hidden."""
    seen = {}
    keep = small_numbers.hide
    try:
        small_numbers.hide = lambda frozen: seen.setdefault("exact", frozen)
        audience.freeze(counted, audience_)
    finally:
        small_numbers.hide = keep
    return seen["exact"]


def test_the_summary_says_nothing_but_the_cells_of_its_model():
    """Every number of every sentence, point, table and chart is one that may be shown, or no count of people at all."""
    for n in range(12):
        exact = cohort(random.Random(f"words {n}")) | {"audience": Audience.CORPORATE_PARENTS}
        told = small_numbers.hide(exact)
        shown = set(shown_cells(told, small_numbers.of(exact)).values())
        shares = {(200 * a + b) // (2 * b) for a in shown for b in shown if b}
        money = [number / 100 for number in told["money"].values() if number is not None]
        allowed = {f"{each:,}" for each in shown | shares} | {f"{abs(each):,.2f}" for each in money}
        allowed |= {str(THRESHOLD), "4", "3", "8", "13", "0"}  # the threshold, weeks looked at, weeks of the period
        made = documents.document(told)
        words = [point.number + " " + point.sentence for point in made.points] + made.decisions
        for section in made.sections:
            words += [*section.sentences, section.empty]
            words += [bar.value for bar in section.chart.bars] if section.chart else []
            for table in section.tables:
                words += [table.caption, table.note]
                words += [cell.shown for row in table.rows for cell in row if section.slug != "definitions"]
        found = {number for text in words for number in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", text)}
        assert found <= allowed, found - allowed


def test_counting_up_is_no_way_round():
    """Cells of several steps together: the summary's own steps, with one small loss after the other."""
    base = cohort(random.Random("plenty")) | {"audience": Audience.CORPORATE_PARENTS}
    for loss in range(1, THRESHOLD):
        steps = count(120, -loss)
        funnel = {key: next(steps) for key in ("identified", "offered", "agreed", "introduced", "joined", "first")}
        exact = base | {
            "funnel": funnel | {"regular": next(steps) - 20, "retained": 0, "volunteering": 0},
            "answers": {"declined": loss, "no_reply": 0, "unanswered": 0},
            "funding_over": 0,
            "members": {"had_weeks": funnel["first"], "came_last4": funnel["first"] - 10, "lapsed": 10},
            "all_members": funnel["joined"],
        }
        model = small_numbers.of(exact)
        assert given_away(model, shown_cells(small_numbers.hide(exact), model)) == []
