"""Who has begun to volunteer, and how far the others are."""

from referrals.models import VolunteeringOffer
from reviews.beyond import now_key
from reviews.tables import Cell, Section, Table, count
from reviews.words import people


def section(frozen: dict) -> Section:
    got = frozen["volunteering"]
    if not any(got["now"].values()):
        return Section("volunteering", "Volunteering", empty="Nobody has been asked to volunteer yet.")
    rows = tuple((Cell(_name(state)), count(number, now_key(state))) for state, number in got["now"].items())
    sentence = f"{people(got['begun'])} {'has' if got['begun'] == 1 else 'have'} begun to volunteer, each counted once."
    asked = sum(got["now"].values())
    table = Table(
        "The latest step of everyone asked, or with a wish of their own",
        ("Step", "Young people"),
        rows,
        (Cell("Together"), count(asked)),
    )
    return Section("volunteering", "Volunteering", (sentence,), None, (table,))


def _name(state: str) -> str:
    """The step of the funnel of the same name counts also those who have stopped."""
    label = VolunteeringOffer.State(state).label
    return f"{label} now" if state == VolunteeringOffer.State.VOLUNTEERING else label
