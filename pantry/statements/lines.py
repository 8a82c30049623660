"""A line of a statement: its amounts, and what follows from them."""

from dataclasses import dataclass
from uuid import UUID

from pantry.models import AMOUNTS, Account, EntryKind

OF_KIND = {
    EntryKind.OPENING: "brought_pence",
    EntryKind.PURCHASE: "bought_pence",
    EntryKind.TOP_UP: "topped_up_pence",
    EntryKind.TRANSFER: "transferred_pence",
    EntryKind.CREDIT: "credited_pence",
}
Member = UUID | None  # None: of no one member


@dataclass
class Line:
    """One line: AMOUNTS (see the model), of a member's month or, prior, of what was entered late for months before."""

    membership: Member = None
    number: int | None = None
    is_prior: bool = False
    opening_pence: int = 0
    brought_pence: int = 0
    bought_pence: int = 0
    topped_up_pence: int = 0
    transferred_pence: int = 0
    credited_pence: int = 0
    reversed_pence: int = 0
    joining_pence: int = 0
    used_pence: int = 0
    collected_pence: int = 0
    missed_pence: int = 0
    closed_pence: int = 0
    bought_weeks: int = 0
    goodwill_weeks: int = 0
    used_weeks: int = 0
    collected_weeks: int = 0
    missed_weeks: int = 0
    closed_weeks: int = 0
    to_come_weeks: int = 0

    @property
    def amounts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in AMOUNTS}

    @property
    def weeks_pence(self) -> int:
        """What the journal's account of weeks moved by."""
        moved = (self.brought_pence, self.bought_pence, self.topped_up_pence, self.transferred_pence)
        return sum(moved) + self.credited_pence + self.reversed_pence

    @property
    def other_pence(self) -> int:
        """Topped up, moved from or to another pantry, reversed, brought in."""
        return self.weeks_pence - self.bought_pence - self.credited_pence

    @property
    def to_come_pence(self) -> int:
        """Prepaid at the end: weeks whose Monday is later."""
        return self.opening_pence + self.weeks_pence - self.used_pence

    @property
    def charged_pence(self) -> int:
        """What was bought or topped up, less what was reversed: it is paid from credit, then from the advance."""
        return self.bought_pence + self.topped_up_pence + self.reversed_pence + self.joining_pence

    @property
    def is_empty(self) -> bool:
        return not any(self.amounts.values())

    def add(self, other: "Line") -> "Line":
        for name in AMOUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self

    def post(self, kind: str, account: str, pence: int) -> None:
        """What an entry of the journal moved."""
        name = "joining_pence" if account == Account.JOINING else OF_KIND.get(EntryKind(kind), "reversed_pence")
        setattr(self, name, getattr(self, name) + pence)
