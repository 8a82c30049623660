"""What Stockport Homes' and the corporate parents' editions may say together (rules.md, Small numbers): their models.

`of` gives the model of the figures of one edition; `hide` puts None in the place of what may not be shown. A cell's
name is its key in the frozen figures; "missed:" and "barrier:" go before a reason and a category.
"""

from collections import Counter

from reviews.models import Audience
from reviews.suppression import Model, Step, shown

ANSWERS = ("declined", "no_reply", "unanswered")
# How the cohort went on. Whoever says what is shown of it says it in these cells.
ON_THE_WAY = (
    Step("identified", "offered", ("~not offered",)),
    Step("offered", "agreed", ANSWERS),
    Step("agreed", "introduced", ("~not introduced",)),
    Step("identified", "volunteering", ("~not volunteering",)),
)
AMONG_MEMBERS = (
    Step("introduced", "joined", ("~not joined",)),
    Step("joined", "first", ("~never came",)),
    Step("first", "regular", ("~not regular",)),
    Step("first", "retained", ("~came and not retained",)),
    Step("joined", "funding_over", ("~still funded",)),
    Step("funding_over", "retained", ("~not retained",)),
    # Money is blocks at known prices: where it is shown, the number of members is taken as known.
    Step("all_members", "joined", ("~other members",)),
    Step("all_members", "had_weeks", ("~without weeks",)),
    Step("had_weeks", "came_last4", ("lapsed", "~missed fewer")),
    Step("came_last4", "regular", ("~came less often",)),
    Step("could", "came", ("~not come",)),
)
# Joined again, or in no cohort; came once and is funded still: of nobody in particular.
UNGUARDED = {"~other members", "~came and not retained"}
PAGE_ONE = ("identified", "offered", "joined", "came_last4", "all_members", "had_weeks")
AFTER = ("agreed", "introduced", "first", "regular", "lapsed", "could", "came", "holds", *ANSWERS)
LAST = ("funding_over", "retained", "volunteering")
# Steps of the funnel that Stockport Homes does not know from its own work.
OF_THE_COUNCIL = ("identified", "offered", "agreed", "volunteering")


def of(frozen: dict) -> Model:
    """The model of exact figures; the Leaving Care Team's edition has none."""
    return _summary(frozen) if frozen["audience"] == Audience.CORPORATE_PARENTS else _operators(frozen)


def _summary(frozen: dict) -> Model:
    """Everything is guarded, and nothing is known."""
    values = {
        **frozen["funnel"],
        **frozen["answers"],
        **frozen["members"],
        **frozen["take_up"],
        "funding_over": frozen["funding_over"],
        "all_members": frozen["all_members"],
        "holds": frozen["holds"]["count"],
        **_barriers(frozen),
    }
    steps = (*ON_THE_WAY, *AMONG_MEMBERS)
    told = (*PAGE_ONE, *AFTER, *_by_size(frozen), *LAST)
    values = _with_parts(values, steps)
    return Model(values, steps, told, values.keys() - UNGUARDED)


def _operators(frozen: dict) -> Model:
    """Guarded is what is split by a fact about care leavers. The introductions Stockport Homes answered, its members,
    their weeks and their money are its own and exact."""
    missed = {f"missed:{reason}": number for reason, number in frozen["missed"].items()}
    values = {
        **{key: frozen["funnel"][key] for key in (*OF_THE_COUNCIL, "introduced")},
        **frozen["answers"],
        **missed,
        "missed_total": frozen["missed_total"],
        **_barriers(frozen),
    }
    steps = (*ON_THE_WAY, Step("missed_total", "", tuple(missed)))
    told = (*OF_THE_COUNCIL, *ANSWERS, *missed, *_by_size(frozen))
    known = frozenset({"introduced", "missed_total"})
    values = _with_parts(values, steps)
    return Model(values, steps, told, values.keys() - known, known)


def _barriers(frozen: dict) -> dict[str, int]:
    return {f"barrier:{category}": number for category, number in frozen["barriers"]["categories"].items()}


def _by_size(frozen: dict) -> list[str]:
    """The most common barrier first."""
    return [cell for cell, _ in Counter(_barriers(frozen)).most_common()]


def _with_parts(values: dict[str, int], steps: tuple[Step, ...]) -> dict[str, int]:
    """The same, with the parts that no table shows."""
    made = dict(values)
    for step in steps:
        for part in step.parts:
            if part.startswith("~"):
                told = sum(values[other] for other in step.parts if other in values)
                made[part] = values[step.bigger] - values[step.smaller] - told
    return made


def hide(frozen: dict) -> dict:
    """The same figures with None for each count that may not be shown."""
    tell = shown(of(frozen), frozen["threshold"])

    def cells(counts: dict, prefix: str = "") -> dict:
        return {key: number if f"{prefix}{key}" in tell else None for key, number in counts.items()}

    out = frozen | {
        "answers": cells(frozen["answers"]),
        "barriers": frozen["barriers"] | {"categories": cells(frozen["barriers"]["categories"], "barrier:")},
    }
    if frozen["audience"] == Audience.STOCKPORT_HOMES:
        own = {key: number for key, number in frozen["funnel"].items() if key not in OF_THE_COUNCIL}
        return out | {
            "funnel": cells(frozen["funnel"]) | own,
            "missed": cells(frozen["missed"], "missed:"),
        }
    money = frozen["money"] if "all_members" in tell else dict.fromkeys(frozen["money"])
    return out | {
        "all_members": None,  # nowhere said
        "funnel": cells(frozen["funnel"]),
        "members": cells(frozen["members"]),
        "take_up": cells(frozen["take_up"]),
        "funding_over": frozen["funding_over"] if "funding_over" in tell else None,
        "holds": {"count": frozen["holds"]["count"] if "holds" in tell else None},
        "money": money | {"paid_in_advance_pence": frozen["money"]["paid_in_advance_pence"]},
    }
