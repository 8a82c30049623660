"""What a pantry prints: the sheet of a session and members' cards, tagged, the whitelist and nothing else; which sheets
are out until they are destroyed."""

import io
import re
from datetime import date, time, timedelta

import pdfua
import pikepdf
import pytest
from django.db import transaction
from django.urls import reverse
from pypdf import PdfReader

from pantry import card_codes, documents
from pantry.models import Band, Card, PrintedSheet, SheetRow
from pantry.services import cards, memberships, sheets
from referrals.models import PrintedName
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.counter_scene import NOW, WEDNESDAY, Counter, at
from tests.factories import moment
from tests.test_pack_print import in_the_tree, marked
from tests.test_pdf import elements, scopes

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


def print_one(counter, **more):
    given = {"pantry": counter.pantry, "on": WEDNESDAY, "opens": time(10), "first": 0, "by": counter.pantry_manager}
    return sheets.print_one(**(given | {"at": NOW} | more))


@pytest.fixture(scope="module")
def printed(django_db_setup, django_db_blocker) -> dict:
    """A sheet of 40 members with two bands, and three cards; nothing of it stays."""
    with django_db_blocker.unblock(), transaction.atomic(), at():
        counter = Counter()
        for n, (name, items) in enumerate([("Red", 2), ("Blue", 8)]):
            Band.objects.create(pantry=counter.pantry, name=name, items=items, position=n)
        needs = [("allergen", "milk"), ("language", "Dari"), ("no_cooking", "")]
        members = [counter.join(preferred_name=f"Ash{n}", needs=needs if n % 3 else []) for n in range(38)]
        members += [counter.other(preferred_name="Bay"), counter.other(preferred_name="")]
        counter.record(members[0])
        memberships.pause(membership=members[39], on=WEDNESDAY, by=counter.pantry_manager, at=NOW)
        sheet, content = print_one(counter)
        made = [cards.make(membership=member, by=counter.pantry_manager, at=NOW) for member in members[:3]]
        kept = {
            "sheet": content,
            "rows": list(sheet.rows.values_list("membership__number", flat=True)),
            "numbers": [member.number for member in members],
            "pantry": counter.pantry.name,
            "cards": documents.cards_pdf(made),
            "codes": [(card.membership.number, card_codes.spoken(card.code)) for card in made],
        }
        transaction.set_rollback(True)
    return kept


@pytest.mark.parametrize("what", ["sheet", "cards"])
def test_what_is_printed_is_tagged_and_its_margins_are_furniture(printed, tmp_path, what):
    path = tmp_path / "printed.pdf"
    path.write_bytes(printed[what])
    assert [(each.rule_id, each.message) for each in pdfua.validate(path).findings] == []
    with pikepdf.open(path) as document:
        read = in_the_tree(document)
        for page in document.pages:
            texts = marked(document, page)
            assert sum(tag == "/Artifact" for tag, _ in texts) >= 3  # the head, the foot, the page's number
            numbers = {number for tag, number in texts if tag != "/Artifact"}
            assert None not in numbers and numbers <= set(read[page.objgen])
    kinds = [kind for kind, _ in elements(printed[what])]
    assert kinds.count("/H1") == 1
    assert set(scopes(printed[what])) <= {"/Column", "/Row"}


def test_a_sheet_holds_every_member_in_the_order_that_is_kept_and_rows_for_others(printed):
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(printed["sheet"])).pages]
    text = " ".join(" ".join(pages).split())
    assert sorted(printed["rows"]) == sorted(printed["numbers"])
    on_paper = [int(found[1]) for found in re.finditer(r"(?m)^(\d+) (?:Ash|Bay|Number)", "\n".join(pages))]
    assert on_paper == printed["rows"]
    assert "Wednesday 8 April 2026" in text and "Not on this list" in text
    for words in ("£13.50", "Red, up to 2", "Blue, up to 8", "milk", "Interpreter: Dari.", "No cooking facilities."):
        assert words in text
    assert "Paused. Ask the pantry manager." in text and "Collected today 10:42 by Jo." in text
    assert all(f"Page {n} of {len(pages)}" in page for n, page in enumerate(pages, start=1))


def test_a_card_holds_a_number_and_a_code_and_its_picture_says_what_it_is(printed):
    text = " ".join(PdfReader(io.BytesIO(printed["cards"])).pages[0].extract_text().split())
    for number, code in printed["codes"]:
        assert f"Member {number} {code}" in text
    assert "Ash" not in text
    with pikepdf.open(io.BytesIO(printed["cards"])) as document:
        spoken, waiting = [], [document.Root.StructTreeRoot]
        while waiting:
            element = waiting.pop()
            if str(element.get("/S", "")) == "/Figure":
                spoken.append(str(element.Alt))
            kids = element.get("/K")
            kids = list(kids) if isinstance(kids, pikepdf.Array) else [kids]
            waiting += [kid for kid in kids if isinstance(kid, pikepdf.Dictionary)]
    assert sorted(spoken) == sorted(f"QR code of the card {code}" for _, code in printed["codes"])


def test_the_picture_of_a_code_has_the_squares_of_its_qr_code():
    import qrcode

    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_Q, border=4)
    code.add_data("K7C4MXQ2R")
    side, path = documents.qr("K7C4MXQ2R")
    dark = set()
    for x, y, n in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path):
        dark |= {(int(x) + k, int(y)) for k in range(int(n))}
    matrix = code.get_matrix()
    assert side == len(matrix) == 29  # 21 and its quiet zone: the smallest there is
    assert dark == {(x, y) for y, row in enumerate(matrix) for x, is_dark in enumerate(row) if is_dark}


# -- which sheets are out ----------------------------------------------------------------------------------------------


@pytest.fixture
def counter(monkeypatch):
    monkeypatch.setattr("stockport_hubs.pdf.from_html", lambda html, **more: b"%PDF-" + html.encode())
    with at():
        yield Counter()


@pytest.fixture
def manager(counter, client):
    client.force_login(counter.pantry_manager)
    return client


def text(response) -> str:
    main = response.content.decode().partition('id="main-content">')[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_a_sheet_is_printed_listed_and_destroyed(counter, manager):
    members = [counter.join(preferred_name=name) for name in ("Bay", "Ash")]
    url = reverse("pantry:sheets", args=[counter.pantry.pk])
    assert "No sheet is out." in text(manager.get(url))
    answer = manager.post(url, {"on": "2026-04-08", "opens": "10:00", "first": "0"})
    assert (answer["Content-Type"], answer["Content-Disposition"]) == (
        "application/pdf",
        'attachment; filename="sheet-2026-04-08.pdf"',
    )
    sheet = PrintedSheet.objects.get()
    assert list(sheet.rows.values_list("position", "membership")) == [(1, members[1].pk), (2, members[0].pk)]
    event = AuditEvent.objects.get(verb="pantry.sheet.printed")
    assert set(event.subjects.values_list("subject_id", flat=True)) == {member.pk for member in members}
    counter.record(members[0])
    page = text(manager.get(url))
    assert "1 of 2 Type it in" in page
    button = reverse("pantry:sheet_destroyed", args=[sheet.pk])
    assert "Recorded: that sheet is destroyed." in manager.post(button, follow=True).content.decode()
    assert "This is recorded already." in manager.post(button, follow=True).content.decode()
    assert "No sheet is out." in text(manager.get(url))
    assert f"Destroyed 8 April 2026, 10:42 by {counter.pantry_manager.name}" in text(manager.get(url, {"all": "1"}))


def test_a_sheet_for_next_week_is_printed_before_its_day_and_nothing_can_be_typed_in_yet(counter, manager):
    counter.other(preferred_name="Ash")
    url = reverse("pantry:sheets", args=[counter.pantry.pk])
    manager.post(url, {"on": "2026-04-15", "opens": "10:00", "first": "0"})
    sheet = PrintedSheet.objects.get()
    assert sheet.session.on == date(2026, 4, 15)
    assert "Type it in" not in text(manager.get(url))
    whole = reverse("pantry:session_bulk", args=[sheet.session_id])
    assert "This session has not started yet. Nothing can be recorded before its day." in text(manager.get(whole))


def test_what_cannot_be_printed_is_refused_in_words_and_not_listed(counter, manager):
    url = reverse("pantry:sheets", args=[counter.pantry.pk])
    for sent, words in [
        (
            {"on": "2026-04-08", "opens": "10:00", "first": "0"},
            "has no members that day, so there is nothing to print.",
        ),
        ({"on": "2026-04-09", "opens": "10:00", "first": "0"}, "has no session then. Choose one of those listed."),
        ({"on": "soon", "opens": "10:00", "first": "0"}, "Choose one of the sessions listed."),
    ]:
        assert words in manager.post(url, sent, follow=True).content.decode()
    with pytest.raises(Refused, match="The pantry manager prints the sheets."):
        print_one(counter, by=counter.volunteer)
    assert not PrintedSheet.objects.exists()


def test_many_members_are_printed_in_parts(counter, manager, monkeypatch):
    monkeypatch.setattr(sheets, "AT_ONCE", 2)
    for name in ("Ash", "Bay", "Cor"):
        counter.join(preferred_name=name)
    url = reverse("pantry:sheets", args=[counter.pantry.pk])
    assert "Print 1 to 2" in text(manager.get(url)) and "Print 3 to 3" in text(manager.get(url))
    found = [print_one(counter, first=first)[0].rows.count() for first in (0, 2)]
    assert found == [2, 1]


def test_no_sheet_is_given_out_that_is_not_written_down(counter, manager, monkeypatch):
    counter.join()

    def fail(*args, **more):
        raise RuntimeError("no audit")

    monkeypatch.setattr("pantry.services.sheets.audit.record", fail)
    manager.raise_request_exception = False
    with pytest.raises(RuntimeError):
        print_one(counter)
    assert not PrintedSheet.objects.exists() and not SheetRow.objects.exists()


def test_who_stops_sharing_a_name_is_listed_with_the_sheets_that_hold_it(counter, manager):
    ash, bay = counter.join(preferred_name="Ash"), counter.join(preferred_name="Bay")
    sheet, _ = print_one(counter)
    gone, _ = print_one(counter)
    sheets.destroyed(sheet=gone, by=counter.pantry_manager, at=NOW)
    hidden_at = NOW + timedelta(minutes=10)
    PrintedName.objects.create(membership=ash, hidden_at=hidden_at)
    print_one(counter, at=hidden_at + timedelta(minutes=1))  # after it: holds the number alone
    page = text(manager.get(reverse("referrals:printed")))
    assert page.count("printed 8 April 2026, 10:42") == 1 and "10:53" not in page
    assert f"Member {bay.number}" not in page
    sheets.destroyed(sheet=sheet, by=counter.pantry_manager, at=NOW)
    assert "None printed here is known" in text(manager.get(reverse("referrals:printed")))


@pytest.mark.parametrize("n", [1, 3])
def test_the_page_of_sheets_asks_the_same_questions(counter, manager, django_assert_num_queries, n):
    for _ in range(n):
        counter.join()
        print_one(counter)
    url = reverse("pantry:sheets", args=[counter.pantry.pk])
    manager.get(url)
    with django_assert_num_queries(16):
        manager.get(url)


def test_sheets_are_the_pantry_managers_alone(counter):
    counter.join()
    print_one(counter)
    seen = {role for role in Role if PrintedSheet.objects.for_user(factories.user(role, counter.operator)).exists()}
    assert seen == {Role.PANTRY_MANAGER}


# -- funded and other members are alike on paper -----------------------------------------------------------------------


def alike(markup: str) -> str:
    """A row or a card without its whitelisted values: number, name, what is to be paid and the box for it, code."""
    markup = re.sub(r"£\d+\.\d\d", "£", re.sub(r"\b\d+\b(?=</th>|</h2>)", "NUMBER", markup))
    markup = re.sub(r"Member[A-Z]\d+", "NAME", markup)
    markup = re.sub(r"<td>(–|<span class=\"tick\"></span>)</td></tr>$", "<td>PAID</td></tr>", markup)
    return re.sub(r"[A-Z0-9]{3}(-[A-Z0-9]{3}){2}", "CODE", re.sub(r'd="[^"]*"', 'd="PATH"', markup))


def forty(counter):
    needs = [("allergen", "milk"), ("diet", "halal")]
    return [
        (counter.other if n % 4 else counter.join)(preferred_name=f"Member{chr(65 + n % 26)}{n}", needs=needs)
        for n in range(40)
    ]


@pytest.mark.promise("A3")
def test_rows_and_cards_of_10_funded_and_30_other_members_differ_in_whitelisted_values_only(counter):
    made = forty(counter)
    funded = {member.number for member in made if member.agreement_id}
    cards.make_missing(pantry=counter.pantry, by=counter.pantry_manager, at=moment(WEDNESDAY))
    _, sheet = print_one(counter)
    paper = documents.cards_pdf(Card.objects.select_related("membership"))
    for content, pattern in (
        (sheet, r"<tr><th>(\d+)</th>.*?</tr>"),
        (paper, r"<section.*?Member (\d+)</h2>.*?</section>"),
    ):
        html = content.decode()
        kinds: dict[bool, set[str]] = {True: set(), False: set()}
        for found in re.finditer(pattern, html, re.S):
            kinds[int(found[1]) in funded].add(alike(found[0]))
        assert len(funded) == 10 and [len(kinds[True]), len(kinds[False])] == [1, 1]
        assert kinds[True] == kinds[False]
        away = ["care leaver", "careleaver", "leaving care", counter.council.name, counter.agreement.name]
        assert [secret for secret in [*away, counter.advisor.name] if secret.casefold() in html.casefold()] == []


def test_a_planted_mark_of_who_pays_is_found(counter, monkeypatch):
    honest, funded = documents._said_of, set()
    monkeypatch.setattr(documents, "_said_of", lambda row: honest(row) + (" Bought." if row.number in funded else ""))
    make = counter.join
    monkeypatch.setattr(counter, "join", lambda **more: funded.add((one := make(**more)).number) or one)
    monkeypatch.setattr(counter, "other", lambda **more: make(agreement=None, **more))
    with pytest.raises(AssertionError):
        test_rows_and_cards_of_10_funded_and_30_other_members_differ_in_whitelisted_values_only(counter)
