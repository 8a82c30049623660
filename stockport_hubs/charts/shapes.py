"""Plain series in, geometry out: what the SVG templates draw. No ORM, no colour that carries meaning alone.

A chart says everything in its `sentence` (the SVG's <title>, read out instead of the picture) and stands beside a table
of the same numbers. Everything is in the units of the viewBox; shades are chosen to differ in grey.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 480
FONT = 11
LETTER = 6.2  # a generous average width of one letter at that size


@dataclass(frozen=True)
class Bar:
    """One horizontal bar with its words."""

    label: str
    value: str
    y: float
    text_y: float
    width: float


@dataclass(frozen=True)
class Bars:
    """Horizontal bars, one below the other, of one scale."""

    sentence: str
    bars: tuple[Bar, ...]
    left: float
    full: float
    height: float
    template = "charts/bars.html"
    width = WIDTH

    @property
    def label_x(self) -> float:
        return round(self.left - 6, 1)

    @property
    def value_x(self) -> float:
        return round(self.left + self.full + 6, 1)


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
    """Upright pairs over time: how many could, and of these how many did."""

    sentence: str
    columns: tuple[Column, ...]
    ticks: tuple[tuple[float, float, int], ...]
    behind_name: str
    front_name: str
    left: float
    right: float
    floor: float
    height: float
    template = "charts/columns.html"
    width = WIDTH

    @property
    def tick_x(self) -> float:
        return round(self.left - 4, 1)

    @property
    def label_y(self) -> float:
        return self.floor + 15

    @property
    def key(self) -> tuple[float, float, float]:
        """Where the words of the first key stand, the box of the second, and its words."""
        words = self.left + 18
        box = words + len(self.behind_name) * LETTER + 14
        return round(words, 1), round(box, 1), round(box + 18, 1)


def bars(sentence: str, rows: Sequence[tuple[str, int]], total: int | None = None) -> Bars:
    """(label, count) rows as horizontal bars; `total` is the full length (by default the largest count)."""
    full = max([total or 0, *(count for _, count in rows), 1])
    left = max((len(label) for label, _ in rows), default=0) * LETTER + 8
    room = WIDTH - left - 5 * LETTER - 8
    made = tuple(
        Bar(label=label, value=f"{count:,}", y=n * 24 + 4, text_y=n * 24 + 17, width=round(room * count / full, 1))
        for n, (label, count) in enumerate(rows)
    )
    return Bars(sentence=sentence, bars=made, left=round(left, 1), full=round(room, 1), height=len(rows) * 24 + 4)


def columns(
    sentence: str, rows: Sequence[tuple[str, int, int]], *, behind_name: str, front_name: str, height: int = 190
) -> Columns:
    """(label, behind, front) rows from left to right; labels are thinned until they fit."""
    top, floor = 30.0, height - 24.0
    ticks = scale(max([1, *(max(behind, front) for _, behind, front in rows)]))
    unit = (floor - top) / ticks[-1]
    left = len(f"{ticks[-1]:,}") * LETTER + 8
    step = (WIDTH - left - 2) / max(len(rows), 1)
    width = min(step * 0.78, 26.0)
    widest = max((len(label) for label, _, _ in rows), default=1) * LETTER + 6
    every = max(1, -(-int(widest) // max(int(step), 1)))

    def column(n: int, label: str, behind: int, front: int) -> Column:
        middle = left + step * (n + 0.5)
        return Column(
            x=round(middle - width / 2, 1),
            middle=round(middle, 1),
            width=round(width, 1),
            behind=round(behind * unit, 1),
            behind_y=round(floor - behind * unit, 1),
            front=round(front * unit, 1),
            front_y=round(floor - front * unit, 1),
            label=label if n % every == 0 and middle + widest / 2 <= WIDTH + 4 else "",
        )

    return Columns(
        sentence=sentence,
        columns=tuple(column(n, *row) for n, row in enumerate(rows)),
        ticks=tuple((round(floor - tick * unit, 1), round(floor - tick * unit + 4, 1), tick) for tick in ticks),
        behind_name=behind_name,
        front_name=front_name,
        left=round(left, 1),
        right=WIDTH,
        floor=floor,
        height=height,
    )


def scale(largest: int) -> list[int]:
    """Round steps from 0 to at least the largest value, at most six of them."""
    power = 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if largest <= 5 * step:
                return list(range(0, step * (-(-largest // step)) + 1, step))
        power *= 10
