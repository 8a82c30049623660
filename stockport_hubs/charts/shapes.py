"""Plain series in, geometry out: what the SVG templates draw. No ORM, no colour that carries meaning alone.

A chart says everything in its `sentence` (the SVG's <title>, read out instead of the picture) and stands beside a table
of the same numbers. It has no viewBox: what lies from left to right is in per cent of whatever width it is given, text
and heights are in pixels, so letters are as large on a phone as in print. What fits into `NARROW` pixels fits
everywhere. Shades are chosen to differ in grey.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

NARROW = 320  # pixels: a phone of 360 less its margins
FONT = 13
LETTER = 7.2  # a generous average width of one letter at that size
LINE = 18
DENSE = 9  # pixels a week at `NARROW`: below it the columns touch, and read as steps


def share(pixels: float) -> float:
    """Per cent of the narrowest chart."""
    return round(100 * pixels / NARROW, 2)


@dataclass(frozen=True)
class Bar:
    """One horizontal bar with its words; no width: its count is not shown."""

    label: str
    value: str
    label_y: float
    y: float
    text_y: float
    width: float | None
    value_x: float


@dataclass(frozen=True)
class Bars:
    """Horizontal bars of one scale, their names before them, or above where a name is long."""

    sentence: str
    bars: tuple[Bar, ...]
    left: float
    full: float
    height: float
    template = "charts/bars.html"

    @property
    def label_x(self) -> float:
        return round(self.left - 2, 2)


@dataclass(frozen=True)
class Column:
    """One upright pair: the light column behind, the dark one in front; a label under some."""

    x: float
    middle: float
    width: float
    behind_y: float
    behind: float
    front_y: float
    front: float
    label: str


@dataclass(frozen=True)
class Columns:
    """Upright pairs over time: how many could, and of these how many did; many of them touch, as steps."""

    sentence: str
    columns: tuple[Column, ...]
    ticks: tuple[tuple[float, float, int, str], ...]  # line, words, number, as written
    behind_name: str
    front_name: str
    left: float
    top: float
    floor: float
    height: float
    is_dense: bool
    template = "charts/columns.html"

    @property
    def tick_x(self) -> float:
        return round(self.left - 1.5, 2)

    @property
    def label_y(self) -> float:
        return self.floor + 17


def bars(
    sentence: str,
    rows: Sequence[tuple[str, int | None]],
    total: int | None = None,
    said: Callable[[int], str] = "{:,}".format,
) -> Bars:
    """(label, count) rows as horizontal bars; `total` is the full length (by default the largest count), `said` writes
    a count. None: the count is not shown."""
    full = max([total or 0, *(count or 0 for _, count in rows), 1])
    words = ["not shown" if count is None else said(count) for _, count in rows]
    longest = max((len(label) for label, _ in rows), default=0) * LETTER + 8
    above = longest > NARROW * 0.45
    left = 0.0 if above else share(longest)
    room = round(100 - left - share(max((len(each) for each in words), default=0) * LETTER + 14), 2)
    step = LINE + 28 if above else 26

    def bar(n: int, label: str, count: int | None) -> Bar:
        top = n * step + (LINE + 2 if above else 4)
        width = None if count is None else round(room * max(count, 0) / full, 2)
        return Bar(
            label=label,
            value=words[n],
            label_y=n * step + 14 if above else top + 14,
            y=top,
            text_y=top + 14,
            width=width,
            value_x=round(left + (0 if count is None else room) + 1.5, 2),
        )

    made = tuple(bar(n, *row) for n, row in enumerate(rows))
    return Bars(sentence=sentence, bars=made, left=left, full=room, height=len(rows) * step + 4)


def columns(
    sentence: str, rows: Sequence[tuple[str, int, int]], *, behind_name: str, front_name: str, height: int = 220
) -> Columns:
    """(label, behind, front) rows from left to right; labels are thinned until they fit."""
    top, floor = 2.0 * LINE + 14, height - 26.0
    ticks = scale(max([1, *(max(behind, front) for _, behind, front in rows)]))
    unit = (floor - top) / ticks[-1]
    left = share(len(f"{ticks[-1]:,}") * LETTER + 8)
    step = (100 - left) / max(len(rows), 1)
    pixels = step * NARROW / 100
    is_dense = pixels < DENSE
    width = step if is_dense else min(step * 0.78, 8.0)
    widest = max((len(label) for label, _, _ in rows), default=1) * LETTER + 10
    every = max(1, -(-int(widest) // max(int(pixels), 1))) if pixels >= 1 else -(-int(widest * len(rows)) // 280)

    def column(n: int, label: str, behind: int, front: int) -> Column:
        middle = left + step * (n + 0.5)
        fits = middle + share(widest / 2) <= 101.5 and middle - share(widest / 2) >= -1.5
        return Column(
            x=round(middle - width / 2, 3),
            middle=round(middle, 3),
            width=round(width, 3),
            behind=round(behind * unit, 1),
            behind_y=round(floor - behind * unit, 1),
            front=round(front * unit, 1),
            front_y=round(floor - front * unit, 1),
            label=label if n % every == 0 and fits else "",
        )

    return Columns(
        sentence=sentence,
        columns=tuple(column(n, *row) for n, row in enumerate(rows)),
        ticks=tuple(
            (round(floor - tick * unit, 1), round(floor - tick * unit + 4, 1), tick, f"{tick:,}") for tick in ticks
        ),
        behind_name=behind_name,
        front_name=front_name,
        left=left,
        top=top,
        floor=floor,
        height=height,
        is_dense=is_dense,
    )


def scale(largest: int) -> list[int]:
    """Round steps from 0 to at least the largest value, at most six of them."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if largest <= 5 * step:
                return list(range(0, step * (-(-largest // step)) + 1, step))
        power *= 10
