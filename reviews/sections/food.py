"""What the food was worth, what a collection cost, and the £20 a week it is held against."""

from reviews.tables import Cell, Section, Table, count, pence, percent
from reviews.words import plural
from stockport_hubs.core.money import pounds


def section(frozen: dict) -> Section:
    got, title = frozen["food"], "What it was worth"
    if not got["collections"] and got["cost_each_pence"] is None:
        return Section("food", title, empty="Nothing has been collected yet, so nothing can be said of its worth.")
    sentences = [
        f"{plural(got['collections'], 'collection')} of the period held food worth about {pounds(got['value_pence'])}, "
        f"by the value said with each pantry’s price; fruit and vegetables free on top are not counted."
    ]
    if got["without_value"]:
        sentences.append(
            f"For {plural(got['without_value'], 'collection')} no value had been said: they count as £0.00."
        )
    worth = [
        (Cell("Food collected in the period"), pence(got["value_pence"])),
        (Cell("£20 for each week members could come"), pence(got["lost_pence"])),
    ]
    made = [
        Table(
            "Against the £20 a week that ended in October 2021",
            ("", "Amount"),
            tuple(worth),
            note=_share(got),
        )
    ]
    if got["cost_each_pence"] is not None:
        cost = (
            (Cell("Joining fees and weeks used so far"), pence(got["used_pence"])),
            (Cell("Weeks collected"), count(got["collected_weeks"])),
            (Cell("Cost of a collection"), pence(got["cost_each_pence"])),
        )
        made.append(Table("What a collection cost", ("", "Number"), cost))
    return Section("food", title, tuple(sentences), None, tuple(made))


def _share(got: dict) -> str:
    share = percent(got["value_pence"], got["lost_pence"])
    return "" if share.value is None else f"The food was worth {share.shown} of it."
