"""The numbers printed in packs, read back out of PDF, page, CSV and workbook, against a count of raw rows of its own:
at three dates, and after later edits, which leave an old edition as it was and are explained by the new one."""

import csv
import io
import re
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from django.core.management import call_command
from openpyxl import load_workbook
from pypdf import PdfReader

from careleavers.models import CohortMove, CohortPlace
from pantry.models import (
    Closure,
    Collection,
    JournalLine,
    Membership,
    MembershipMove,
    OpeningHours,
    PaidWeek,
    Pantry,
    PantrySession,
)
from referrals.models import Referral, VolunteeringMove
from reviews import documents, workbooks
from reviews.cohort import STAGES
from reviews.definitions import DEFINITIONS
from reviews.models import Audience, ReviewMeeting, ReviewPack
from reviews.services import packs
from stockport_hubs import pdf
from stockport_hubs.accounts.models import User
from stockport_hubs.home.management.commands import load_sample_pilot
from tests import factories, promises
from tests.pack_reading import check_everywhere_the_same, check_workbook, pages
from tests.pack_scene import BOTH, as_html, get, make
from tests.review_scene import FIRST_WEEK, WEEK, Scene
from tests.test_movement import check_since

pytestmark = [pytest.mark.prints, pytest.mark.django_db, pytest.mark.sqlite]
NOW = datetime(2026, 11, 18, 10, 30)  # noqa: DTZ001 - the clock of a site, in London
BANK_HOLIDAYS = {date(2026, 5, 25), date(2026, 8, 31)}


def lines(pack: ReviewPack) -> list[str]:
    """The lines of the PDF's text, blanks made one."""
    return [" ".join(line.split()) for page in pages(bytes(pack.pdf)) for line in page.splitlines()]


def after(printed: list[str], words: str) -> int | str:
    """The number behind the words of a row, or that it is not shown; wherever they stand it is the same."""
    found = [re.fullmatch(rf"{re.escape(words)} ([\d,]+|not shown)( .*)?", line) for line in printed]
    (number,) = {each[1].replace(",", "") for each in found if each}
    return int(number) if number.isdigit() else number


def read_out(printed: list[str]) -> dict:
    """What the pages say, in the shape of `recount`; behind this heading the same words head other counts."""
    printed = printed[: printed.index("Onward links")] if "Onward links" in printed else printed
    day = r"\d{1,2} [A-Z][a-z]{2} \d{4}"
    weeks = [re.fullmatch(rf"({day}) (\d+) (\d+) (\d+) .*", line) for line in printed]
    return {
        "funnel": {key: after(printed, DEFINITIONS[key].name) for key in STAGES},
        "answers": {key: after(printed, DEFINITIONS[key].name) for key in ("declined", "no_reply", "unanswered")},
        "weeks": [
            (datetime.strptime(found[1], "%d %b %Y").date(), *(int(each) for each in found.groups()[1:]))  # noqa: DTZ007
            for found in weeks
            if found
        ],
        "members": {
            key: after(printed, DEFINITIONS[key].name) for key in ("open", "ended", "came_last4", "lapsing", "lapsed")
        },
        "left": round(100 * float(next(line for line in printed if line.startswith("Left £"))[6:].replace(",", ""))),
    }


# -- the independent count ---------------------------------------------------------------------------------------------


def closed_weeks(pantry, weeks: list[date]) -> set[date]:
    """Weeks in which each day with a session is a bank holiday or in a closure."""
    closures = Closure.objects.filter(pantry=pantry, withdrawn_at=None)
    closed = set()
    for week in weeks:
        days = {
            week + timedelta(days=each.weekday)
            for each in OpeningHours.objects.filter(pantry=pantry)
            if each.from_on <= week + timedelta(days=each.weekday) <= (each.until_on or date.max)
        }
        shut = {day for day in days if any(each.from_on <= day <= each.until_on for each in closures)}
        shut |= days & BANK_HOLIDAYS if pantry.closes_on_bank_holidays else set()
        closed |= {week} if shut == days else set()
    return closed


def days_paused(member, as_at: date) -> set[date]:
    """Every day by `as_at` in the evening of which the membership was paused."""
    moves = list(MembershipMove.objects.filter(membership=member, on__lte=as_at).order_by("on", "recorded_at"))
    until = [each.on for each in moves[1:]] + [as_at + timedelta(days=1)]
    spans = [(a.on, b) for a, b in zip(moves, until, strict=True) if a.state == "paused"] if moves else []
    return {first + timedelta(days=n) for first, last in spans for n in range((last - first).days)}


def recount(meeting, as_at: date) -> dict:
    """The figures the slow way: person by person, week by week, from the rows alone."""
    agreement, until = meeting.agreement, factories.moment(as_at + timedelta(days=1), "00:00")
    people = set(CohortPlace.objects.filter(ticked_on__lte=as_at).values_list("care_leaver", flat=True))
    moves: dict = {key: [] for key in people}
    for move in CohortMove.objects.filter(on__lte=as_at).order_by("on", "recorded_at", "pk"):
        moves[move.place.care_leaver_id].append(move.state)
    sent = list(Referral.objects.filter(agreement=agreement, sent_at__lt=until))
    person_of = {each.membership_id: each.care_leaver_id for each in sent if each.membership_id}
    introduced = {each.care_leaver_id for each in sent} & people
    agreed = {key for key, states in moves.items() if "agreed" in states} | introduced
    offered = {key for key, states in moves.items() if set(states) - {"identified"}} | agreed
    waiting = {key: moves[key][-1] for key in offered - agreed}
    members = list(Membership.objects.filter(agreement=agreement, joined_on__lte=as_at).exclude(state="pending"))
    came = {
        each.pk: set(
            Collection.objects.filter(membership=each, voided_at=None, on__lte=as_at).values_list("week", flat=True)
        )
        for each in members
    }
    gone = {each.pk: each.ended_on for each in members if each.ended_on and each.ended_on <= as_at}
    this_week = as_at - timedelta(days=as_at.weekday())
    weeks = [meeting.period_from + timedelta(weeks=n) for n in range((this_week - meeting.period_from).days // 7 + 1)]
    closed = {pantry.pk: closed_weeks(pantry, weeks) for pantry in Pantry.objects.all()}
    places = {each.pk: list(each.places.all()) for each in members}

    paused_days = {each.pk: days_paused(each, as_at) for each in members}

    def could(member, week: date) -> bool:
        if week in came[member.pk]:
            return True
        if {week - timedelta(days=1), week} <= paused_days[member.pk]:
            return False
        if week < member.first_week or gone.get(member.pk, date.max) < week:
            return False
        here = next(p for p in places[member.pk] if p.from_week <= week <= (p.to_week or date.max))
        return week not in closed[here.pantry_id]

    def last_four(member) -> list[bool]:
        looked = [
            w for w in reversed(weeks) if w in came[member.pk] or (w + timedelta(days=6) < as_at and could(member, w))
        ]
        return [week in came[member.pk] for week in looked[:4]]

    still = {each.pk: last_four(each) for each in members if each.pk not in gone and as_at not in paused_days[each.pk]}
    run = [([*last, True]).index(True) for last in still.values()]
    over = {}
    for each in members:
        paid = PaidWeek.objects.filter(membership=each, block__agreement=agreement, state__in=["dated", "parked"])
        if paid.exists() and all(row.week and row.week < as_at - timedelta(weeks=8, days=6) for row in paid):
            over[each.pk] = max(row.week for row in paid)
    retained = {key for key, last in over.items() if any(last < w <= last + timedelta(weeks=8) for w in came[key])}
    began = VolunteeringMove.objects.filter(state="volunteering", undone_at=None, on__lte=as_at)

    def persons(keys) -> int:
        return len({person_of[key] for key in keys if key in person_of} & people)

    return {
        "funnel": {
            "identified": len(people),
            "offered": len(offered),
            "agreed": len(agreed),
            "introduced": len(introduced),
            "joined": persons(came),
            "first": persons(key for key, weeks in came.items() if weeks),
            "regular": persons(key for key, last in still.items() if sum(last) >= 3),
            "retained": persons(retained),
            "volunteering": len({each.offer.care_leaver_id for each in began.select_related("offer")} & people),
        },
        "answers": {
            key: sum(state == said for state in waiting.values())
            for key, said in (("declined", "declined"), ("no_reply", "no_reply"), ("unanswered", "offered"))
        },
        "weeks": [
            (
                week,
                sum(could(each, week) for each in members),
                PaidWeek.objects.filter(
                    block__agreement=agreement, block__bought_on__lte=as_at, week=week, state="dated"
                ).count(),
                sum(week in came[each.pk] for each in members),
            )
            for week in weeks
        ],
        "members": {
            "open": len(still),
            "ended": len(gone),
            "came_last4": sum(any(last) for last in still.values()),
            "lapsing": run.count(2) + run.count(3),
            "lapsed": run.count(4),
        },
        "left": sum(
            each.pence
            for each in JournalLine.objects.filter(
                account="advance", entry__agreement=agreement, entry__effective_on__lte=as_at
            )
        ),
    }


def differing(printed: dict, counted: dict) -> dict:
    """What is printed and was not counted so; what is not shown is told apart."""
    found = {key: (printed[key], counted[key]) for key in ("weeks", "left") if printed[key] != counted[key]}
    for group in ("funnel", "answers", "members"):
        for key, number in printed[group].items():
            if number not in ("not shown", counted[group][key]):
                found[f"{group} {key}"] = (number, counted[group][key])
    return found


@pytest.mark.promise("M7")
def test_the_sample_pilots_packs_equal_a_count_of_raw_rows_and_each_other_also_after_later_edits(
    request, sized, figures, settings, monkeypatch
):
    """Both audiences at three dates; in `make test` a small pilot at one, printed as the words of its pages."""
    settings.CLOCK, settings.SAMPLE_PILOT = NOW, True
    if not promises.full(request.config):
        monkeypatch.setattr(pdf, "from_html", as_html)
        monkeypatch.setattr(load_sample_pilot, "OTHER_MEMBERS", 2)
    size = {"care_leavers": sized(12, 75), "weeks": sized(12, 26)}
    call_command("load_sample_pilot", **size, stdout=io.StringIO(), stderr=io.StringIO())
    meeting = ReviewMeeting.objects.order_by("starts_at").last()
    manager = User.objects.get(email="manager@example.org")
    dates = [meeting.period_to - timedelta(weeks=back) for back in sized([0], [17, 8, 0])]

    def build(on: date, audience: str) -> ReviewPack:
        at = factories.moment(on, "12:00")
        return packs.build(meeting=meeting, audience=audience, by=manager, now=lambda: at)()

    kept, hidden, compared = [], 0, 0
    for on in dates:
        counted = recount(meeting, on)
        for audience in BOTH:
            pack = build(on, audience)
            said = read_out(lines(pack))
            assert differing(said, counted) == {}, (on, audience)
            hidden += str(said).count("not shown")
            assert audience == Audience.STOCKPORT_HOMES or "not shown" not in str(said)
            compared += check_everywhere_the_same(pack, manager)
            kept.append((pack.pk, bytes(pack.pdf), pack.figures))
    # One collection more, and one taken back, of days the editions have told of already.
    old, was = kept[-2][2], counted
    entered_at = factories.moment(NOW.date(), "15:00")
    for change in (enter_late, undo_late):
        change(meeting, manager, entered_at)
    now = recount(meeting, dates[-1])
    assert now != was
    latest = build(NOW.date() + timedelta(days=1), Audience.LEAVING_CARE)
    assert read_out(lines(latest)) == now
    assert differing(read_out(lines(latest)), was), "a count of one would not be found"
    editions = ReviewPack.objects.in_bulk([key for key, *_ in kept])
    assert [(key, bytes(editions[key].pdf), editions[key].figures) for key, *_ in kept] == kept
    # What was there and what has been entered since are what is there; what moved is told, and nothing else.
    differ = check_since(old, latest.figures, whole=True)
    since = latest.figures["entered"]
    assert sorted(each["kind"] for each in since["entries"]) == ["collected", "undone"]
    told = {row["what"]: (row["was"], row["now"]) for row in latest.figures["changed"]["rows"]}
    assert latest.figures["changed"]["edition"] == old["edition"]
    for (week, _, _, before), (_, _, _, came) in zip(was["weeks"], now["weeks"], strict=True):
        said = f"Take-up by week, {week.day} {week:%b %Y}, Came"
        assert told.get(said) == ((str(before), str(came)) if before != came else None)
    assert "What changed since edition" in " ".join(lines(latest))
    figures(
        f"{size['care_leavers']} people, {len(kept)} packs of {len(dates)} dates: {compared:,} numbers alike on page,"
        f" in PDF, CSV and workbook, {hidden} not shown; {differ} figures differ after later edits, all explained"
    )


def enter_late(meeting, manager, at: datetime) -> None:
    """Somebody came in a week that was told as missed."""
    told = PaidWeek.objects.filter(state="dated", week__lt=meeting.period_to - WEEK, membership__state="open")
    for row in told.order_by("-week", "membership__number"):
        week = row.week
        here = PantrySession.objects.filter(pantry__in=row.membership.places.values("pantry"))
        session = here.filter(on__range=(week, week + timedelta(days=6))).first()
        if session and not Collection.objects.filter(membership=row.membership, week=week).exists():
            came = {"week": week, "on": session.on, "collected_at": factories.moment(session.on, "12:00")}
            more = {"pantry": session.pantry, "paid_week": row, "recorded_at": at, "recorded_by": manager}
            Collection.objects.create(key=uuid4(), membership=row.membership, session=session, **came, **more)
            return
    raise AssertionError("Nobody ever missed a week.")


def undo_late(meeting, manager, at: datetime) -> None:
    """Somebody had not come in a week before that."""
    rows = Collection.objects.filter(membership__agreement=meeting.agreement, voided_at=None)
    entered = Collection.objects.get(recorded_at=at)  # of another week, or the two might tell the same as before
    before = min(entered.week, meeting.period_to - 2 * WEEK)
    row = rows.filter(week__lt=before).order_by("-week", "membership__number").first()
    Collection.objects.filter(pk=row.pk).update(voided_at=at, voided_by=manager, void_reason="Wrong member")


def test_an_edition_after_no_change_says_so_and_the_first_says_nothing(db):
    scene = Scene(12)
    first = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="x", at=scene.at)
    kept = {"meeting": scene.meeting, "as_at": scene.at, "made_by": scene.manager, "pdf": b"%PDF-", "sha256": "0"}
    for audience in Audience.values:
        frozen = packs.freeze(scene.meeting, audience, made_by="x", at=scene.at)
        ReviewPack.objects.create(audience=audience, edition=1, figures=frozen, **kept)
    again = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="x", at=scene.at)
    assert ("changed" in first, again["changed"]["rows"]) == (False, [])
    section = next(each for each in documents.document(again).sections if each.slug == "changes")
    assert section.empty == "No figure has changed since edition 1."
    # One more person joins: the summary does not say what its counts were.
    scene.collect(scene.members[5], FIRST_WEEK + 2 * WEEK + timedelta(days=2))
    summary = packs.freeze(scene.meeting, Audience.CORPORATE_PARENTS, made_by="x", at=scene.at)
    assert {row["was"] for row in summary["changed"]["rows"]} <= {"not shown"}


@pytest.mark.parametrize("audience", Audience.values)
def test_the_workbook_says_in_typed_cells_what_the_document_says(audience):
    scene = Scene(12)
    scene.trouble()
    frozen = packs.freeze(scene.meeting, audience, made_by="=cmd|' /C calc'!A0", at=scene.at)
    made = documents.document(frozen)
    book = load_workbook(io.BytesIO(workbooks.to_xlsx(made)))
    everything = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in everything} <= {"s", "n", "d"}  # no formula
    assert any(str(cell.value).startswith("=cmd") for cell in everything) or "made_by" not in str(made.facts)
    check_workbook(made, workbooks.to_xlsx(made))


@pytest.mark.parametrize("name", ["Take-up [by: week]*", "x" * 40, "'quoted'", ""])
def test_names_of_sheets_are_what_excel_takes(name):
    taken: set[str] = set()
    made = [workbooks._name(name, taken) for _ in range(3)]
    assert len({each.lower() for each in made}) == 3
    assert all(0 < len(each) <= 31 and not re.search(r"[\[\]:*?/\\]", each) for each in made)


def test_the_summary_reads_the_same_on_page_pdf_csv_and_workbook():
    scene = Scene(36)
    scene.trouble({"hours": 6, "stigma": 2, "custody": 5})
    pack = make(scene, Audience.CORPORATE_PARENTS)
    made = documents.document(pack.figures)
    cells = [
        (cell.shown, cell.plain)
        for section in made.sections
        for table in section.tables
        for row in table.rows
        for cell in row
        if cell.is_numeric
    ]
    printed = " ".join(lines(pack))
    page = " ".join(re.sub(r"<[^>]+>", " ", get(scene.manager, "pack", pack).content.decode()).split())
    written = [
        cell for row in csv.reader(io.StringIO(get(scene.manager, "pack_csv", pack).content.decode())) for cell in row
    ]
    for shown, plain in cells:
        assert shown in printed and shown in page and plain in written
    for point in made.points:
        assert point.sentence in printed and point.sentence in page.replace("&#x27;", "'") and point.sentence in written
    assert len(PdfReader(io.BytesIO(bytes(pack.pdf))).pages) <= 2
    for told in ("custody", "Person1", "Sample1", "In custody"):
        assert told not in printed + page
