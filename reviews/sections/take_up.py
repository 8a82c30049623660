"""Take-up week by week, and why weeks were missed."""

from pantry.models import MissedWeek
from reviews.sections.parts import small
from reviews.tables import Cell, Section, Table, count, day, percent
from reviews.words import plural, said
from stockport_hubs.charts import shapes

YEAR = 53  # weeks; beyond it the same day stands there twice


def section(frozen: dict) -> Section:
    weeks = frozen["weeks"]
    closed = any(each.get("closed") for each in weeks)
    rows = tuple(
        (
            day(each["week"]),
            count(each["could"], f"could?week={each['week']}"),
            count(each["paid"]),
            count(each["came"], f"came?week={each['week']}"),
            percent(each["came"], each["could"]),
            *([Cell("Closed" if each.get("closed") else "")] if closed else []),
        )
        for each in weeks
    )
    sums = {key: sum(each[key] for each in weeks) for key in ("could", "paid", "came")}
    rate = percent(sums["came"], sums["could"])
    sentence = (
        f"In {plural(len(weeks), 'week')} members could come {plural(sums['could'], 'time')} and came "
        f"{plural(sums['came'], 'time')}{'' if rate.value is None else f', {rate.shown}'}."
    )
    total = (
        Cell("Together"),
        count(sums["could"], "could"),
        count(sums["paid"]),
        count(sums["came"], "came"),
        rate,
        *([Cell("")] if closed else []),
    )
    form = "j M" if len(weeks) <= YEAR else "M Y"
    points = [(said(each["week"], form), each["could"], each["came"]) for each in weeks]
    chart = shapes.columns(
        f"Take-up by week. {sentence}", points, behind_name="Members who could come", front_name="Members who came"
    )
    reasons = {**dict(MissedWeek.Reason.choices), "": "No reason recorded"}
    missed = tuple(
        (Cell(reasons[key]), count(number, f"missed?reason={key or 'none'}"))
        for key, number in frozen["missed"].items()
        if number != 0
    )
    columns = ("Week from", "Could come", "Weeks paid for", "Came", "Rate", *(["Note"] if closed else []))
    return Section(
        "take-up",
        "Take-up by week",
        (sentence,),
        chart if weeks else None,
        (
            Table("Each week", columns, rows, total),
            Table(
                f"{plural(frozen['missed_total'], 'missed week')} by reason",
                ("Reason", "Weeks"),
                missed,
                note=small(frozen),
                guarded=bool(small(frozen)),
            ),
        )
        if weeks
        else (),
        "" if weeks else "No week of the period has begun yet.",
    )
