"""The sections of a pack: frozen figures in, sentences, tables and charts out. No database."""

from dataclasses import replace

from pantry.models import MissedWeek, RenewalDecision
from reviews.figures import DEFINITIONS
from reviews.models import BarrierCategory, BarrierState
from reviews.tables import Cell, Section, Table, count, day, pence, percent
from reviews.words import is_ours, members, people, plural, said
from stockport_hubs.charts import shapes
from stockport_hubs.core.money import pounds

# One letter a week in the grid: frozen letter → (what is printed, what it means).
LETTERS = {
    "c": ("1", "came"),
    "m": ("0", "missed"),
    "t": ("·", "still to come"),
    "p": ("p", "paused"),
    "x": ("x", "closed"),
    "o": ("", "not a member yet, or any more"),
}
GRID_LIMIT = 200
STATES = {"open": "Open", "paused": "Paused", "ended": "Ended", "pending": "Pending"}


def all_of(frozen: dict, printed: bool) -> list[Section]:
    """Every section in the order of reading; the grid, which is wide, at the end."""
    parts = [_funnel, _take_up, _members, _money, _renewals, _barriers, _actions, _meeting, _definitions]
    made = [part(frozen) for part in parts if part is not _meeting or "meeting" in frozen]
    return [*made, _grid_section(frozen, printed)]


def _funnel(frozen: dict) -> Section:
    funnel, total = frozen["funnel"], frozen["funnel"]["identified"]
    names = {key: DEFINITIONS[key].name for key in funnel}
    sentence = f"Of {people(total)} identified, " + ", ".join(
        f"{funnel[key]:,} {words}"
        for key, words in (
            ("offered", "were offered an introduction"),
            ("introduced", "were introduced"),
            ("joined", "joined"),
            ("first", "came at least once"),
            ("regular", "come regularly"),
        )
    )
    rows = tuple(
        (
            Cell(names[key]),
            count(funnel[key], key),
            percent(funnel[key], frozen["funding_over"] if key == "retained" else total),
        )
        for key in funnel
    )
    answers = tuple((Cell(DEFINITIONS[key].name), count(number, key)) for key, number in frozen["answers"].items())
    note = f"Retained is out of {people(frozen['funding_over'])} whose funding ended at least 8 weeks ago."
    return Section(
        "funnel",
        "The cohort, step by step",
        (f"{sentence}.", *([_outside(frozen)] if frozen["outside_cohort"] else [])),
        shapes.bars(f"{sentence}.", [(names[key], funnel[key]) for key in funnel], total),
        (
            Table("How far each step reached", ("Step", "Young people", "Share of the cohort"), rows, note=note),
            Table("Offered, and not agreed so far", ("Latest answer", "Young people"), answers, note=_small(frozen)),
        ),
        "" if total else "Nobody has been ticked as belonging to the cohort yet.",
    )


def _outside(frozen: dict) -> str:
    number = frozen["outside_cohort"]
    return f"{members(number)} paid for by this agreement {'is' if number == 1 else 'are'} not in the cohort."


def _small(frozen: dict) -> str:
    if not frozen["threshold"]:
        return ""
    return f"Counts below {frozen['threshold']}, and those from which they could be worked out, are not shown."


def _take_up(frozen: dict) -> Section:
    weeks = frozen["weeks"]
    closed = any(each.get("closed") for each in weeks)
    rows = tuple(
        (
            day(each["week"]),
            count(each["could"]),
            count(each["paid"]),
            count(each["came"]),
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
        count(sums["could"]),
        count(sums["paid"]),
        count(sums["came"]),
        rate,
        *([Cell("")] if closed else []),
    )
    points = [(said(each["week"], "j M"), each["could"], each["came"]) for each in weeks]
    chart = shapes.columns(
        f"Take-up by week. {sentence}", points, behind_name="Members who could come", front_name="Members who came"
    )
    reasons = {**dict(MissedWeek.Reason.choices), "": "No reason recorded"}
    missed = tuple((Cell(reasons[key]), count(number)) for key, number in frozen["missed"].items() if number != 0)
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
            ),
        )
        if weeks
        else (),
        "" if weeks else "No week of the period has begun yet.",
    )


def _members(frozen: dict) -> Section:
    now = frozen["members"]
    keys = ("open", "paused", "ended", "came_last4", "lapsing", "lapsed")
    standing = tuple((Cell(DEFINITIONS[key].name), count(now[key], key)) for key in keys)
    return Section("members", "How members stand", (), None, (Table("Members", ("Members", "Number"), standing),))


def _grid_section(frozen: dict, printed: bool) -> Section:
    rows, made = frozen["grid"], Section("grid", "Member by member, week by week")
    if not rows or not frozen["weeks"]:
        return replace(made, empty="Nobody was a member in this period.")
    if printed and len(rows) > GRID_LIMIT:
        return replace(made, empty=f"The grid of {members(len(rows))} is too large to print; it is in the CSV.")
    return replace(made, tables=(_grid(frozen, rows, is_ours(frozen)),))


def _grid(frozen: dict, rows: list[dict], named: bool) -> Table:
    weeks = [said(each["week"], "j M") for each in frozen["weeks"]]
    who = ("Member", "Name") if named else ("Member",)

    def row(each: dict) -> tuple[Cell, ...]:
        letters = each["weeks"]
        came, could = letters.count("c"), sum(letters.count(letter) for letter in "cmt")
        first = (Cell(str(each["number"])), Cell(each.get("name", "")))[: len(who)]
        return (*first, *(Cell(LETTERS[letter][0], "mark") for letter in letters), count(came), count(could))

    key = ", ".join(f"{mark} {words}" for mark, words in LETTERS.values() if mark)
    return Table(
        "Each member and week",
        (*who, *weeks, "Came", "Of"),
        tuple(row(each) for each in rows),
        note=f"{key}, empty: {LETTERS['o'][1]}. “Of” counts the weeks in which the member could come.",
        is_grid=True,
    )


def _money(frozen: dict) -> Section:
    got = frozen["money"]
    advance = (
        ("Paid in advance", got["paid_in_advance_pence"]),
        ("Drawn for blocks", got["drawn_pence"]),
        ("Left", got["left_pence"]),
        ("Credit in the pool", got["in_pool_pence"]),
        ("Joining fees", got["joining_pence"]),
    )
    weekly = [("Collected", "collected"), ("Missed", "missed"), ("To come", "to_come"), ("Credited", "credited")]
    if got["closed_weeks"] or got["closed_pence"]:
        weekly.insert(2, ("Closed after it began", "closed"))
    kinds = tuple((Cell(name), count(got[f"{key}_weeks"]), pence(got[f"{key}_pence"])) for name, key in weekly)
    total = (Cell("Bought"), count(got["bought_weeks"]), pence(got["bought_pence"]))
    recoverable = f"Recoverable if everyone left today: {pounds(got['recoverable_pence'])}, a part of what is to come."
    names = [name for name, _ in weekly]
    by_pantry = tuple(
        (
            Cell(each["name"]),
            pence(each["joining_pence"]),
            *(pence(each[f"{key}_pence"]) for _, key in weekly),
            pence(each["bought_pence"]),
        )
        for each in frozen["by_pantry"]
    )
    made = [
        Table(
            "Paid in advance and spent", ("", "Amount"), tuple((Cell(name), pence(value)) for name, value in advance)
        ),
        Table("What became of the weeks bought", ("", "Weeks", "Amount"), kinds, total, note=recoverable),
    ]
    if by_pantry:
        sums = [
            sum(each[f"{key}_pence"] for each in frozen["by_pantry"])
            for key in ("joining", *(k for _, k in weekly), "bought")
        ]
        whole = (Cell("Together"), *(pence(each) for each in sums))
        made.append(Table("By pantry", ("Pantry", "Joining fees", *names, "Bought"), by_pantry, whole))
    sentence = (
        f"{plural(got['blocks'], 'block')} bought for {members(got['members'])}: "
        f"weeks for {pounds(got['bought_pence'])} and joining fees of {pounds(got['joining_pence'])}."
    )
    return Section("money", "Money", (sentence,), None, tuple(made))


def _renewals(frozen: dict) -> Section:
    holds, named = frozen["holds"], is_ours(frozen)
    if not holds["count"]:
        return Section("renewals", "Held renewals", empty="No renewal is held.")
    labels = dict(RenewalDecision.Reason.choices)
    reasons = tuple((Cell(labels[key]), count(number)) for key, number in holds["reasons"].items())

    def row(each: dict) -> tuple[Cell, ...]:
        first = (Cell(str(each["number"])), *([Cell(each["name"])] if named else []))
        why = [Cell("; ".join(labels[key] for key in each["reasons"]))] if named else []
        return (*first, Cell(f"Block {each['block_no']}"), day(each["starts_on"]), *why)

    columns = (
        "Member",
        *(["Name"] if named else []),
        "Next block",
        "Would start",
        *(["Held because"] if named else []),
    )
    return Section(
        "renewals",
        "Held renewals",
        (f"{plural(holds['count'], 'renewal waits', 'renewals wait')} for a manager’s decision.",),
        None,
        (
            Table("Waiting", columns, tuple(row(each) for each in holds["rows"])),
            Table("Why they are held", ("Reason", "Renewals"), reasons, note=_small(frozen)),
        ),
    )


def _barriers(frozen: dict) -> Section:
    got, ours = frozen["barriers"], is_ours(frozen)
    if not got["rows"] and not any(number is None or number for number in got["categories"].values()):
        return Section("barriers", "What stands in the way", empty="No barrier is recorded as open.")
    shown = {key: number for key, number in got["categories"].items() if not ours or number}
    kinds = tuple((Cell(BarrierCategory(key).label), count(number)) for key, number in shown.items())
    rows = tuple(
        (
            Cell(each["about"]),
            Cell(BarrierCategory(each["category"]).label),
            Cell(BarrierState(each["state"]).label),
            Cell(each["owner"]),
            day(each["due_on"]),
            Cell("; ".join(each["actions"])),
        )
        for each in got["rows"]
    )
    made = [Table("Open barriers by kind", ("Kind", "Open"), kinds, note=_small(frozen))]
    if rows:
        caption = "Each barrier, its owner and what is being done" if ours else "About the pantries themselves"
        about = "About" if ours else "Pantry"
        made.append(Table(caption, (about, "Kind", "State", "Owner", "Due", "Actions"), rows))
    sentences = (f"{plural(got['count'], 'barrier')} {'is' if got['count'] == 1 else 'are'} open.",) if ours else ()
    return Section("barriers", "What stands in the way", sentences, None, tuple(made))


def _actions(frozen: dict) -> Section:
    rows = tuple(
        (Cell(each["what"]), Cell(each["owner"]), day(each["due_on"]), Cell("Overdue" if each["overdue"] else ""))
        for each in frozen["actions"]
    )
    done = f"{plural(frozen['actions_done'], 'action')} done in the period."
    if not rows:
        return Section("actions", "Actions of the meetings", (done,), empty="No action of a meeting is waiting.")
    return Section(
        "actions", "Actions of the meetings", (done,), None, (Table("Still to do", ("What", "Owner", "Due", ""), rows),)
    )


def _meeting(frozen: dict) -> Section:
    came = {True: "Came", False: "Did not come", None: "Not yet known"}
    rows = tuple(
        (Cell(each["name"]), Cell(each["organisation"]), Cell(came[each["came"]])) for each in frozen["invited"]
    )
    if not rows:
        return Section("meeting", "Who is invited", empty="Nobody has been put on the list yet.")
    return Section(
        "meeting", "Who is invited", (), None, (Table("Both organisations", ("Name", "Organisation", "Came"), rows),)
    )


def _definitions(frozen: dict) -> Section:
    rows = tuple(
        (
            Cell(each.name),
            Cell(each.counts),
            Cell(DEFINITIONS[each.out_of].name if each.out_of in DEFINITIONS else each.out_of),
        )
        for each in DEFINITIONS.values()
    )
    sentences = ("A figure counts the day on which something happened, not the day on which it was entered.",)
    columns = ("Figure", "What it counts", "Out of")
    return Section("definitions", "What the figures mean", sentences, None, (Table("Definitions", columns, rows),))
