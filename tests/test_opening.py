"""The opening position: running memberships from a spreadsheet, to the penny, by two people, nothing charged again."""

import io
from datetime import date, timedelta

import openpyxl
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from pantry import money, opening
from pantry.models import JournalEntry, JournalLine, Membership, PaidWeek, Place, PrepaidBlock, Proposal
from pantry.services import journal, memberships, proposals, renewals
from pantry.services import opening as services
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK
from tests import factories
from tests.factories import World, moment
from tests.test_places import as_user, posted_day, text

pytestmark = pytest.mark.django_db

CUT_OVER = date(2026, 10, 5)  # a Monday
AT = moment(CUT_OVER)
HEAD = ["Reference", "Pantry", "Number", "Joined on", "Weeks left", "Pence per week", "Funder"]


@pytest.fixture
def world():
    w = World(hold_after_weeks_without_collection=0)
    w.other = factories.pantry(w.operator, weekly=450)
    return w


def forty(world) -> list[list]:
    """20 at £3.50 and 20 at £4.50 with 1 to 20 weeks left each: 210 × £3.50 + 210 × £4.50 = £1,680.00."""
    return [
        [
            f"R-{n}",
            (world.pantry if n <= 20 else world.other).name,
            500 + n,
            "06/04/2026",
            n if n <= 20 else n - 20,
            350 if n <= 20 else 450,
            world.council.name,
        ]
        for n in range(1, 41)
    ]


TOTAL = 168_000


def csv(rows, head=HEAD) -> bytes:
    return "\n".join(",".join(str(cell) for cell in row) for row in [head, *rows]).encode()


def xlsx(rows, head=HEAD) -> bytes:
    book = openpyxl.Workbook()
    for row in [head, *rows]:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(content: bytes) -> list[opening.Line]:
    return opening.read(content)


def judged(world, content: bytes, cut_over=CUT_OVER) -> list[opening.Line]:
    return services.judge(agreement=world.agreement, lines=read(content), cut_over=cut_over)


def problems(lines) -> list[tuple]:
    return [(line.row, *problem) for line in lines for problem in line.problems]


def propose(world, lines, control=TOTAL, cut_over=CUT_OVER, at=AT) -> Proposal:
    details = {
        "cut_over": cut_over.isoformat(),
        "control_pence": control,
        "rows": [line.kept() for line in lines],
    }
    return proposals.propose(
        kind="opening", agreement=world.agreement, details=details, note="Cut-over", by=world.manager, at=at
    )


def approve(world, proposal, at=AT) -> Proposal:
    return proposals.approve(proposal=proposal, seen_pence=proposal.pence, by=world.finance, at=at)


# -- what is posted ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_file", [csv, xlsx])
def test_forty_running_memberships_are_cut_over_to_the_penny(world, as_file):
    lines = judged(world, as_file(forty(world)))
    assert problems(lines) == [] and services.total(lines) == TOTAL
    made = propose(world, lines)
    assert (made.pence, Membership.objects.count()) == (TOTAL, 0)
    approve(world, made)
    members = Membership.objects.order_by("number")
    assert [m.number for m in members] == list(range(501, 541))
    assert {(m.state, m.joined_on, m.agreement_id, m.preferred_name) for m in members} == {
        ("open", date(2026, 4, 6), world.agreement.pk, "")
    }
    # No joining fee again, no week before the cut-over, nothing drawn and nothing committed.
    blocks = PrepaidBlock.objects.all()
    assert {(b.block_no, b.source, b.joining_pence, b.starts_on) for b in blocks} == {(1, "opening", 0, CUT_OVER)}
    assert sum(b.price_pence for b in blocks) == TOTAL
    assert PaidWeek.objects.count() == 420 and not PaidWeek.objects.filter(week__lt=CUT_OVER).exists()
    assert not Place.objects.exclude(from_week=CUT_OVER).exists()
    found = money.position(world.agreement, CUT_OVER)
    assert (found.bought_pence, found.joining_pence, found.drawn_pence, found.left_pence) == (TOTAL, 0, 0, 0)
    assert sum(JournalLine.objects.filter(account="opening").values_list("pence", flat=True)) == -TOTAL
    assert set(JournalEntry.objects.values_list("kind", "effective_on")) == {("opening", CUT_OVER)}
    assert world.agreement.budgets.count() == 0
    assert journal.check(CUT_OVER) == []


def test_the_first_renewal_is_due_on_the_right_monday_and_charges_the_block_alone(world):
    approve(world, propose(world, judged(world, csv(forty(world)))))
    # Member 512 has 12 weeks left: 5 October to 21 December; block 2 starts on 28 December, due on 30 November.
    twelve = Membership.objects.get(number=512)
    assert twelve.next_due_on == date(2026, 11, 30)
    # Those with 1 to 4 weeks left are due within 28 days: at once.
    at_once = Membership.objects.filter(next_due_on__lte=CUT_OVER)
    assert sorted(at_once.values_list("number", flat=True)) == [501, 502, 503, 504, 521, 522, 523, 524]
    assert renewals.sweep(on=CUT_OVER, at=AT, job="test").renewed == 8
    due = date(2026, 11, 30)
    renewals.sweep(on=due, at=moment(due), job="test")
    block = twelve.blocks.get(block_no=2)
    assert (block.starts_on, block.joining_pence, block.price_pence) == (date(2026, 12, 28), 0, 9100)
    assert journal.check(due) == []


def test_an_opening_block_is_one_of_those_an_agreement_buys(world):
    world.agreement.blocks_per_person = 1
    world.agreement.save()
    approve(world, propose(world, judged(world, csv(forty(world)[:1])), control=350))
    assert renewals.sweep(on=CUT_OVER, at=AT, job="test").held == 1


def test_a_closed_week_is_left_out_and_leaving_credits_what_is_left(world):
    row = ["R-1", world.pantry.name, 900, "06/04/2026", 14, 350, world.agreement.name]
    world.pantry.opening_hours.update(weekday=4)  # Fridays: Christmas Day and New Year’s Day are
    approve(world, propose(world, judged(world, csv([row])), control=4900))
    weeks = list(PaidWeek.objects.order_by("position").values_list("week", flat=True))
    assert date(2026, 12, 21) not in weeks and weeks[-1] == CUT_OVER + 15 * WEEK
    day = CUT_OVER + 3 * WEEK
    assert world.leave(Membership.objects.get(), day) == 10 * 350
    assert journal.check(day) == []


def test_a_member_who_pays_at_the_counter_is_paid_for_from_the_cut_over_on(world):
    with time_machine.travel(AT, tick=False):
        member = memberships.join(
            pantry=world.pantry, preferred_name="Ash", by=world.pantry_manager, at=moment(CUT_OVER - 3 * WEEK)
        )
    row = ["R-1", world.pantry.name, member.number, "14/09/2026", 5, 350, world.agreement.name]
    approve(world, propose(world, judged(world, csv([row])), control=1750))
    member.refresh_from_db()
    assert (member.agreement, member.preferred_name, Membership.objects.count()) == (world.agreement, "Ash", 1)
    assert member.paid_weeks.count() == 5 and journal.check(CUT_OVER) == []


def test_the_next_who_joins_gets_the_next_number(world):
    approve(world, propose(world, judged(world, csv(forty(world)))))
    assert world.join(CUT_OVER).number == 541


# -- what is refused, with row, column and reason ----------------------------------------------------------------------


def one(world, **changes) -> list:
    given = {
        "reference": "R-1",
        "pantry": world.pantry.name,
        "number": 900,
        "joined on": "06/04/2026",
        "weeks left": 10,
        "pence per week": 350,
        "funder": world.council.name,
    }
    return list((given | changes).values())


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("reference", "", "is empty"),
        ("reference", "=1+1", "is not an id"),
        ("pantry", "Nowhere", "is no pantry of"),
        ("number", "zero", "must be a membership number"),
        ("number", 0, "must be a membership number"),
        ("number", "#REF!", "holds an Excel error"),
        ("joined on", "31/02/2026", "is not a date"),
        ("joined on", "06/10/2026", "is later than the cut-over"),
        ("weeks left", 0, "must be 1 to 26 weeks"),
        ("weeks left", 27, "must be 1 to 26 weeks"),
        ("weeks left", "3.5", "must be 1 to 26 weeks"),
        ("pence per week", "£3.50", "must be whole pence"),
        ("pence per week", 3.5, "must be whole pence"),
        ("funder", "Another council", "is neither"),
    ],
)
def test_a_row_is_refused_with_its_column_and_reason(world, column, value, reason):
    lines = judged(world, csv([one(world, reference="R-0", number=899), one(world, **{column: value})]))
    [(row, where, why)] = problems(lines)
    assert (row, where) == (3, column) and why.startswith(reason)
    with pytest.raises(Refused, match=f"Rows refused: 1. The first is row 3: {column} "):
        propose(world, read(csv([one(world, number=899, reference="R-0"), one(world, **{column: value})])))
    assert Proposal.objects.count() == Membership.objects.count() == 0


@pytest.mark.sqlite
def test_numbers_that_are_taken_are_refused(world):
    early = moment(CUT_OVER - 3 * WEEK)
    with time_machine.travel(AT, tick=False):
        funded = world.join(CUT_OVER - 3 * WEEK)
        free = memberships.join(pantry=world.other, preferred_name="", by=world.pantry_manager, at=early)
        waits = memberships.add_pending(pantry=world.pantry, preferred_name="", by=world.pantry_manager, at=early)
        gone = memberships.join(pantry=world.pantry, preferred_name="", by=world.pantry_manager, at=early)
        world.leave(gone, CUT_OVER)
    rows = [one(world, reference=f"R-{m.number}", number=m.number) for m in (funded, free, waits, gone)]
    assert problems(judged(world, csv(rows))) == [
        (2, "number", "is a member an agreement pays for already"),
        (3, "number", "is a member of another pantry"),
        (4, "number", "is a membership that is waiting to be confirmed"),
        (5, "number", "is a membership that is ended"),
    ]


@pytest.mark.sqlite
def test_the_same_number_or_reference_twice_is_refused(world):
    rows = [one(world), one(world, reference="R-2"), one(world, number=901)]
    assert problems(judged(world, csv(rows))) == [
        (3, "number", "is also in row 2"),
        (4, "reference", "is also in row 2"),
    ]


@pytest.mark.sqlite
def test_the_control_total_must_be_met(world):
    with pytest.raises(Refused, match=r"come to £1,680.00 and the control total is £1,680.01: £0.01 apart"):
        propose(world, judged(world, csv(forty(world))), control=TOTAL + 1)


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("cut_over", "why"),
    [
        (CUT_OVER + timedelta(days=1), "is a Monday"),
        (CUT_OVER + WEEK, "has not come yet"),
        (CUT_OVER - 5 * WEEK, "up to 28 days back"),
        (date(2019, 12, 23), "up to 28 days back"),
    ],
)
def test_the_cut_over_is_a_monday_that_has_come(world, cut_over, why):
    with pytest.raises(Refused, match=why):
        propose(world, read(csv(forty(world))), cut_over=cut_over)


@pytest.mark.sqlite
def test_rows_that_fit_no_longer_are_not_approved_and_nothing_is_half_done(world):
    made = propose(world, judged(world, csv(forty(world))))
    Membership.objects.bulk_create(
        [
            Membership(
                operator=world.operator,
                number=540,
                state="open",
                joined_on=CUT_OVER,
                first_week=CUT_OVER,
                agreement=world.agreement,
                created_at=AT,
            )
        ]
    )
    with pytest.raises(Refused, match="row 41: number is a member an agreement pays for already"):
        approve(world, made)
    assert (Membership.objects.count(), PrepaidBlock.objects.count(), Proposal.objects.get().state) == (1, 0, "waiting")


@pytest.mark.sqlite
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02binary", "neither an Excel workbook"),
        (b"PK\x03\x04 not a zip", "not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + b"0" * 600, "old .xls format"),
        (b"x" * (5 * 1024 * 1024 + 1), "larger than 5 MB"),
        (b"a,b,c\n1,2,3", "has no line of headings: reference, pantry"),
        (b"Reference,Pantry,Number,Joined on\n", "has no column headed weeks left, pence per week, funder"),
        (csv([], [*HEAD, "Ref"]), "Two columns are headed"),
        (csv([]), "headings and no membership"),
        (b'"' + b"x" * 200_000, "cannot be read"),
        (b"\n" * 20_001 + csv([]), "goes on past line 20,000"),
    ],
)
def test_a_hostile_file_is_refused_politely(content, why):
    with pytest.raises(Refused, match=why):
        read(content)


@pytest.mark.sqlite
def test_files_as_programs_write_them_are_read(world):
    rows = [one(world)]
    semicolons = csv(rows).replace(b",", b";")
    windows = csv([one(world, reference="R-1 caf\xe9")]).decode().encode("cp1252")
    marked = b"\xef\xbb\xbf" + csv(rows).replace(b"\n", b"\r\n")
    titled = b"Running memberships\n\n" + csv(rows)
    dated = xlsx([one(world, **{"joined on": date(2026, 4, 6), "weeks left": 10.0})])
    for content in (semicolons, windows, marked, titled, dated):
        [line] = judged(world, content)
        assert (line.problems, line.number, line.joined_on, line.pence) == ([], 900, "2026-04-06", 3500)


# -- pages -------------------------------------------------------------------------------------------------------------


def post(client, url, content: bytes, control: str = "1680.00", **more):
    given = {"control_pence": control, "file": SimpleUploadedFile("list (1).csv", content)}
    return client.post(url, given | posted_day("cut_over", CUT_OVER) | more)


@pytest.mark.sqlite
def test_the_page_previews_every_row_and_proposes_what_was_looked_at(world, client):
    with time_machine.travel(AT, tick=False):
        url = reverse("pantry:opening", args=[world.agreement.pk])
        as_user(client, world.finance)
        assert 'enctype="multipart/form-data"' in client.get(url).content.decode()
        bad = forty(world)
        bad[3][4] = 40
        shown = text(post(client, url, csv(bad)))
        assert "39 new, 1 refused" in shown and "weeks left: must be 1 to 26 weeks" in shown
        assert "£1,666.00" in shown and "£14.00 apart" in shown and "Propose it" not in shown
        assert "£0.01 apart" in text(post(client, url, csv(forty(world)), control="1680.01"))
        assert "is empty" in text(post(client, url, b"\n\n"))
        assert "The cut-over is a Monday" in text(post(client, url, csv(bad), cut_over_day=6))
        page = post(client, url, csv(forty(world)))
        assert "40 new, 0 refused" in text(page) and "Matches" in text(page)
        signed = page.context["signed"]
        for wrong in ("", signed[:-3] + "abc"):
            assert "looked at too long ago" in text(client.post(url, {"step": "confirm", "signed": wrong}, follow=True))
        as_user(client, world.manager)
        assert "too long ago" in text(client.post(url, {"step": "confirm", "signed": signed}, follow=True))
        assert Proposal.objects.count() == 0
        as_user(client, world.finance)
        done = client.post(url, {"step": "confirm", "signed": signed})
        made = Proposal.objects.get()
        assert made.note == "Cut-over of 40 running memberships on 5 October 2026"
        assert done.url == reverse("pantry:proposal", args=[made.pk]) and Membership.objects.count() == 0
        as_user(client, world.manager)
        assert "£1,680.00" in text(client.get(done.url))
        client.post(done.url, {"answer": "approve", "seen_pence": made.pence})
        assert Membership.objects.count() == 40 and journal.check(CUT_OVER) == []
