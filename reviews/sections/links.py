"""Onward links offered in the period, by kind, and what came of them."""

from referrals.models import CommunityLink, DirectoryEntry
from reviews.beyond import links_key
from reviews.community import LINK_STATES, OFFERED
from reviews.tables import Cell, Section, Table, count
from reviews.words import people, plural

COLUMNS = ("Kind", "Offered", "Taken up", "Not taken up", "It helped", "It did not help", "Not yet known")


def section(frozen: dict) -> Section:
    got = frozen["links"]
    if not got["kinds"]:
        return Section("links", "Onward links", empty="No onward link was offered in this period.")
    rows = tuple((Cell(DirectoryEntry.Kind(kind).label), *_cells(counts)) for kind, counts in got["kinds"].items())
    sums = {state: sum(each[state] for each in got["kinds"].values()) for state in (OFFERED, *LINK_STATES)}
    told = got["people"][OFFERED]
    sentence = (
        f"{people(told)} {'was' if told == 1 else 'were'} told about places beyond the pantry: "
        f"{plural(sums[OFFERED], 'link')} offered, {sums['taken_up']:,} taken up so far, {sums['helped']:,} helped."
    )
    note = "A link that helped, or did not, was taken up as well. “Not yet known” is neither taken up nor turned down."
    by_state = tuple(
        (Cell(CommunityLink.State(state).label), count(number, links_key(state)))
        for state, number in got["people"].items()
    )
    tables = (
        Table("Links offered in the period", COLUMNS, rows, (Cell("Together"), *_cells(sums)), note=note),
        Table("Young people behind them", ("At least one link", "Young people"), by_state),
    )
    return Section("links", "Onward links", (sentence,), None, tables)


def _cells(counts: dict) -> tuple[Cell, ...]:
    unknown = counts[OFFERED] - counts["taken_up"] - counts["not_taken_up"]
    return (*(count(counts[state]) for state in (OFFERED, *LINK_STATES)), count(unknown))
