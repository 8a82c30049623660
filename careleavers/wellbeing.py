"""How a young person's answers read on their page: the three points side by side, and what is to be asked next."""

from dataclasses import dataclass
from datetime import date

from careleavers import questions
from careleavers.models import CareLeaver, Wellbeing
from careleavers.questions import POINTS, QUESTIONS, START
from careleavers.services.wellbeing import agreed_on
from stockport_hubs.core.weeks import spoken


@dataclass(frozen=True, kw_only=True)
class Column:
    """One point: the current answers, or whether and when they can be asked."""

    point: str
    name: str
    asked: Wellbeing | None
    is_due: bool
    can_ask: bool
    note: str


@dataclass(frozen=True)
class Panel:
    """Columns for the points; rows of (question's name, [(point's name, answer, change)]) once there are answers."""

    columns: list[Column]
    rows: list[tuple[str, list[tuple[str, str, str]]]]

    @property
    def due(self) -> Column | None:
        return next((column for column in self.columns if column.is_due), None)


def panel(person: CareLeaver, on: date, *, agrees: bool) -> Panel:
    """Everything current, with the change against this person's own start; `agrees`: an agreement holds that day."""
    asked = {row.point: row for row in person.wellbeing.current()}
    first = agreed_on(person.pk)
    started_on = asked[START].asked_on if START in asked else None
    due = questions.due(asked, on, questions.counted_from(started_on, first)) if agrees and not person.has_died else ""
    columns = [
        Column(
            point=point,
            name=POINTS[point].name,
            asked=asked.get(point),
            is_due=point == due,
            can_ask=point not in asked and not person.has_died and questions.is_open(point, on, started_on, first),
            note=_note(point, on, started_on, first),
        )
        for point in POINTS
    ]
    return Panel(columns, [_row(key, asked) for key in QUESTIONS] if asked else [])


def _row(key: str, asked: dict[str, Wellbeing]) -> tuple[str, list[tuple[str, str, str]]]:
    words, start = questions.choices(key), asked[START].answers[key] if START in asked else ""
    cells = []
    for point in POINTS:
        answer = asked[point].answers[key] if point in asked else ""
        change = questions.change(key, start, answer) if point != START else ""
        cells.append((POINTS[point].name, words.get(answer, ""), change))
    return QUESTIONS[key].name, cells


def _note(point: str, on: date, started_on: date | None, first: date | None) -> str:
    """When it is asked, for a point that has not been."""
    due_on = questions.due_on(point, started_on, first)
    if due_on is None:
        return "When they first agree to take part" if point == START else "Counted from the start"
    if point != START and on < due_on:
        return f"Due on {spoken(due_on)}"
    return "" if questions.is_open(point, on, started_on, first) else "Not asked in time"
