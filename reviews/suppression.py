"""Small counts that nobody can work out: which cells of one edition may be shown together. Pure Python.

**The model.** A cell is a count with a name. Counts hang together in steps: what was left of a larger count on the way
to a smaller one,

    bigger - smaller = part + part + ...        (no `smaller`: the parts add up to `bigger`)

A cell is a *count* (bigger or smaller of any number of steps) or a *part* (of one step, and in no other). A part that
no table shows still is a cell: its name begins with "~". Every total, percentage, sentence and chart of an edition is
one of these cells or made of them, so what can be worked out from an edition is what follows from its shown cells, the
steps, and that no count is below zero.

**Exact.** Between counts a step says "equal to a sum" (all its parts are shown) or "at least a sum" (some are not), so
they are bounds on differences of two whole numbers: shortest paths give the tightest ones. The parts not shown of a
step stand nowhere else, so the range of a part follows from the range of the difference.

**Choosing.** Nothing is shown but what the audience knows anyway; then cells are shown one by one, the most important
first, as long as nothing small can be worked out. So there is no first and second suppression to fit together, and no
cell is hidden that could be shown beside those before it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

ZERO = ""  # the count that is nothing
Range = tuple[float, float]  # the least and the largest a cell can be, for a reader of the edition


class Step(NamedTuple):
    """bigger - smaller = the sum of the parts."""

    bigger: str
    smaller: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class Model:
    """The cells of one edition. `known`: exact for this audience whatever is shown. `told`: shown or not, the most
    important first. `guarded`: what may not be worked out when it is below the threshold; of cells no table shows, a
    zero may: that nobody was lost on the way singles nobody out."""

    values: Mapping[str, int]
    steps: Sequence[Step]
    told: Sequence[str]
    guarded: Collection[str]
    known: frozenset[str] = frozenset()

    def small(self, threshold: int) -> set[str]:
        """The cells to protect."""
        return {
            cell
            for cell in self.guarded
            if self.values[cell] < threshold and (self.values[cell] or not cell.startswith("~"))
        }


def shown(model: Model, threshold: int) -> set[str]:
    """The cells of `told` that may be shown together."""
    small = model.small(threshold)
    at_first = ranges(model, model.known, small)
    out = set(model.known)
    for cell in model.told:
        if cell in small or cell in out:
            continue
        then = ranges(model, out | {cell}, small)
        if all(is_safe(then[each], at_first[each], threshold) for each in small):
            out.add(cell)
    return out & set(model.told)


def is_safe(now: Range, at_first: Range, threshold: int) -> bool:
    """May it still be anything from nothing to the threshold, as far as what is known anyway leaves that open?"""
    return now[0] <= max(0, at_first[0]) and now[1] >= min(threshold, at_first[1])


def ranges(model: Model, shown: Collection[str], wanted: Collection[str]) -> dict[str, Range]:
    """What each wanted cell can be, exactly, for a reader of the shown ones who knows the steps."""
    parts = {part for step in model.steps for part in step.parts}
    counts = dict.fromkeys(name for step in model.steps for name in step[:2] if name)
    counts |= dict.fromkeys(sorted(cell for cell in wanted if cell not in parts))
    most = _shortest(_bounds(model, shown, list(counts)))
    found: dict[str, Range] = {name: (-most[name][ZERO], most[ZERO][name]) for name in counts}
    for step in model.steps:
        told = sum(model.values[part] for part in step.parts if part in shown)
        hidden = [part for part in step.parts if part not in shown]
        left = (-most[step.bigger][step.smaller] - told, most[step.smaller][step.bigger] - told)
        found |= {part: (model.values[part],) * 2 for part in step.parts if part in shown}
        found |= {part: (left[0] if len(hidden) == 1 else 0, left[1]) for part in hidden}
    return {cell: found[cell] for cell in wanted}


def _bounds(model: Model, shown: Collection[str], counts: list[str]) -> dict[str, dict[str, float]]:
    """[a][b]: the most that b can be above a, as each shown count and each step says by itself."""
    names = [ZERO, *counts]
    most: dict[str, dict[str, float]] = {a: {b: 0 if a == b else inf for b in names} for a in names}

    def bound(a: str, b: str, above: float) -> None:
        most[a][b] = min(most[a][b], above)

    for name in counts:
        bound(name, ZERO, 0)
        if name in shown:
            bound(ZERO, name, model.values[name])
            bound(name, ZERO, -model.values[name])
    for step in model.steps:
        told = sum(model.values[part] for part in step.parts if part in shown)
        bound(step.bigger, step.smaller, -told)
        if all(part in shown for part in step.parts):
            bound(step.smaller, step.bigger, told)
    return most


def _shortest(most: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """The same, as all of them together say (Floyd and Warshall)."""
    for middle, through in most.items():
        for row in most.values():
            first = row[middle]
            if first != inf:
                row.update((b, first + second) for b, second in through.items() if first + second < row[b])
    return most
