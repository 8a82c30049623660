"""Members' cards: a random code that tells nothing, found by scanning or typing, revoked at once, never needed."""

import re
import uuid

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from pantry import card_codes
from pantry.models import Card, Collection, Pantry
from pantry.services import cards
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.counter_scene import NOW, WEDNESDAY, Counter, at

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


@pytest.fixture
def counter():
    with at():
        yield Counter()


def make(counter, member, **more) -> Card:
    return cards.make(membership=member, by=counter.pantry_manager, at=NOW, **more)


def text(response) -> str:
    main = response.content.decode().partition('id="main-content">')[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


# -- the code ----------------------------------------------------------------------------------------------------------


def test_one_wrong_sign_or_two_changed_places_never_pass_the_check():
    for code in [card_codes.new() for _ in range(20)]:
        assert card_codes.is_whole(code) and card_codes.read(card_codes.spoken(code).lower()) == code
        for place, sign in enumerate(code):
            for other in set(card_codes.SIGNS) - {sign}:
                assert not card_codes.is_whole(code[:place] + other + code[place + 1 :])
            for later in range(place + 1, card_codes.LENGTH):
                if code[later] != sign:
                    changed = list(code)
                    changed[place], changed[later] = code[later], sign
                    assert not card_codes.is_whole("".join(changed))


def test_codes_are_random_and_of_signs_that_look_like_no_other():
    codes = {card_codes.new() for _ in range(500)}
    assert len(codes) == 500
    assert not set("".join(codes)) & set("01258ABEIOSUZ")
    assert {code[0] for code in codes} <= set(card_codes.LETTERS)


@pytest.mark.parametrize(
    "typed", ["7001", "12345678", "123456789", "Ash", "Bartholomew", "Ann-Marie Lee", "", "K7C-4MX"]
)
def test_numbers_and_names_are_no_codes(typed):
    assert card_codes.read(typed) == ""


# -- made, replaced, revoked -------------------------------------------------------------------------------------------


def test_a_new_card_replaces_the_old_one_at_once(counter):
    member = counter.join()
    first = make(counter, member)
    second = make(counter, member, lost=True)
    first.refresh_from_db()
    assert (first.revoked_at, first.revoked_by, first.revoked_as) == (NOW, counter.pantry_manager, "lost")
    assert list(Card.objects.valid()) == [second] and first.code != second.code
    make(counter, member)
    second.refresh_from_db()
    assert second.revoked_as == "replaced"
    verbs = list(
        AuditEvent.objects.filter(verb__startswith="pantry.card.").order_by("pk").values_list("verb", flat=True)
    )
    assert verbs == ["pantry.card.made", *["pantry.card.revoked", "pantry.card.made"] * 2]


def test_the_database_holds_one_valid_card_a_member_and_a_code_once(counter):
    ash, bay = counter.join(), counter.join()
    card = make(counter, ash)
    for wrong in ({"membership": ash, "code": card_codes.new()}, {"membership": bay, "code": card.code}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Card.objects.create(made_at=NOW, made_by=counter.pantry_manager, **wrong)


def test_refusals_of_cards_in_words(counter):
    member, left = counter.join(), counter.join()
    with pytest.raises(Refused, match="has no card that counts. Nothing was changed."):
        cards.revoke(membership=member, reason="lost", by=counter.pantry_manager, at=NOW)
    with pytest.raises(Refused, match="Choose why the card no longer counts."):
        cards.revoke(membership=member, reason="replaced", by=counter.pantry_manager, at=NOW)
    counter.leave(left, WEDNESDAY)
    with pytest.raises(Refused, match="This membership has ended, so it has no card."):
        make(counter, left)
    for other in (counter.volunteer, Counter().pantry_manager):
        with pytest.raises(Refused, match="The pantry manager looks after the cards."):
            cards.make(membership=member, by=other, at=NOW)


def test_the_missing_cards_of_a_pantry_are_made_once_and_so_many_at_a_time(counter, monkeypatch):
    members = [counter.join(), counter.other(), counter.other()]
    counter.join(pantry=factories.pantry(counter.operator))
    counter.leave(counter.join(), WEDNESDAY)
    kept = make(counter, members[1])
    monkeypatch.setattr(cards, "AT_ONCE", 1)
    given = {"pantry": counter.pantry, "by": counter.pantry_manager, "at": NOW}
    made = [cards.make_missing(**given) for _ in range(3)]
    assert [[card.membership for card in each] for each in made] == [[members[0]], [members[2]], []]
    assert Card.objects.get(membership=members[1]) == kept
    digests = cards.on_lists([m.pk for m in members])
    assert digests == {card.membership_id: card_codes.digest(card.code) for card in Card.objects.all()}


# -- at the counter ----------------------------------------------------------------------------------------------------


@pytest.fixture
def volunteer(counter, client):
    client.force_login(counter.volunteer)
    return client


def scan(counter, client, typed):
    return client.get(reverse("pantry:session", args=[counter.session.pk]), {"q": typed})


def test_a_scanned_or_typed_code_shows_its_member_alone_and_then_waits_for_the_next(counter, volunteer):
    ash = counter.join(preferred_name="Ash")
    counter.join(preferred_name="Bay")
    code = make(counter, ash).code
    for typed in (code, card_codes.spoken(code), f" {code.lower()} "):
        page = scan(counter, volunteer, typed)
        assert [row.number for row, _ in page.context["rows"]] == [ash.number]
        assert 'value="" autofocus' in page.content.decode() and code not in page.content.decode()
    record = reverse("pantry:record", args=[counter.session.pk, ash.pk])
    done = volunteer.post(record, {"usual": "1", "key": uuid.uuid4(), "scan": "1"}, follow=True)
    assert f"Recorded: {ash.number}." in text(done) and "Bay" in text(done)
    assert 'value="" autofocus' in done.content.decode()
    assert Collection.objects.get().membership == ash
    assert "autofocus" not in scan(counter, volunteer, "ash").content.decode()


def test_a_lost_replaced_mistyped_or_unknown_code_is_told_in_words_and_shows_nobody(counter, volunteer):
    ash, theirs = counter.join(preferred_name="Ash"), Counter()
    lost = make(counter, ash)
    worn = make(counter, ash, lost=True)
    code = make(counter, ash).code
    wrong = code[:-1] + next(sign for sign in card_codes.SIGNS if sign != code[-1])
    foreign = make(theirs, theirs.join())
    instead = "Ask for the name or the number instead."
    for typed, words in {
        lost.code: "This card was reported lost on 8 April 2026 and no longer counts. Keep it for the pantry manager.",
        worn.code: "This card was replaced or given back on 8 April 2026 and no longer counts.",
        wrong: "This code is not quite right: a sign is wrong or two have changed places.",
        code[:4] + "0" + code[5:]: "This code is not quite right",
        foreign.code: "No card of ours has this code.",
        card_codes.new(): "No card of ours has this code.",
    }.items():
        page = scan(counter, volunteer, typed)
        assert words in text(page) and instead in text(page)
        assert page.context["rows"] == [] and "Ash" not in text(page)


def test_the_card_of_another_pantrys_member_shows_the_number_without_the_name(counter, volunteer):
    guest = counter.join(preferred_name="Gale", pantry=factories.pantry(counter.operator))
    code = make(counter, guest).code
    page = text(scan(counter, volunteer, code))
    assert f"{guest.number} Number only" in page and "Member of another pantry, may shop" in page and "Gale" not in page
    Pantry.objects.filter(pk=counter.pantry.pk).update(welcomes_other_pantries=False)
    assert "Member of another pantry. Ask the pantry manager." in text(scan(counter, volunteer, code))
    counter.leave(guest, WEDNESDAY)
    assert "This membership has ended. Ask the pantry manager." in text(scan(counter, volunteer, code))


@pytest.mark.parametrize("members", [1, 3])
def test_scanning_asks_the_same_questions_however_many_cards_there_are(
    counter, volunteer, django_assert_num_queries, members
):
    code = [make(counter, counter.join()).code for _ in range(members)][0]
    scan(counter, volunteer, code)
    with django_assert_num_queries(17):
        scan(counter, volunteer, code)


# -- the manager's pages -----------------------------------------------------------------------------------------------


@pytest.fixture
def manager(counter, client):
    client.force_login(counter.pantry_manager)
    return client


def test_the_manager_makes_replaces_and_ends_a_card_on_the_members_page(counter, manager):
    member = counter.join()
    url = reverse("pantry:card", args=[member.pk])
    assert f"Member {member.number} has no card." in text(manager.get(url))
    said = text(manager.post(url, {"make": "1"}, follow=True))
    first = Card.objects.get()
    assert card_codes.spoken(first.code) in said and "The new card counts from now." in said
    assert "Answer the question “What has happened to this card?”" in text(manager.post(url, {"save": "1"}))
    manager.post(url, {"what": "lost"})
    assert Card.objects.valid().get() != first
    said = text(manager.post(url, {"what": "not_wanted"}, follow=True))
    assert "The card no longer counts." in said and not Card.objects.valid().exists()
    assert [line in said for line in ("Lost", "Not wanted any more")] == [True, True]
    counter.leave(member, WEDNESDAY)
    refused = manager.post(url, {"make": "1"})
    assert refused.status_code == 409 and "This membership has ended, so it has no card." in text(refused)


def test_the_manager_makes_and_prints_the_cards_of_a_pantry(counter, manager, monkeypatch):
    printed = []
    monkeypatch.setattr("stockport_hubs.pdf.from_html", lambda html, **more: printed.append(html) or b"%PDF-")
    url, file = (reverse(name, args=[counter.pantry.pk]) for name in ("pantry:cards", "pantry:cards_pdf"))
    assert "This pantry has no members yet" in text(manager.get(url))
    assert "There is no card to print. Make one first." in text(manager.get(file, follow=True))
    members = [counter.join(), counter.other()]
    assert "0 of 2 members have a card." in text(manager.get(url))
    assert "Made: 2 cards." in text(manager.post(url, follow=True))
    answer = manager.get(file)
    assert (answer["Content-Type"], answer["Content-Disposition"]) == (
        "application/pdf",
        'attachment; filename="cards.pdf"',
    )
    codes = [card_codes.spoken(member.cards.get().code) for member in members]
    assert [code in printed[0] for code in codes] == [True, True]
    event = AuditEvent.objects.get(verb="pantry.cards.printed")
    assert set(event.subjects.values_list("subject_id", flat=True)) == {member.pk for member in members}
    assert "There is no card to print." in text(manager.get(file, {"part": "2"}, follow=True))
    one = reverse("pantry:card_pdf", args=[members[0].pk])
    assert manager.get(one).content == b"%PDF-" and codes[1] not in printed[-1]
    assert {manager.get(file, {"part": part}).status_code for part in ("0", "x", "99999999")} == {200}


@pytest.mark.parametrize("members", [1, 3])
def test_the_page_of_cards_asks_the_same_questions(counter, manager, django_assert_num_queries, members):
    for _ in range(members):
        make(counter, counter.join())
    url = reverse("pantry:cards", args=[counter.pantry.pk])
    manager.get(url)
    with django_assert_num_queries(11):
        manager.get(url)


def test_cards_are_the_pantry_managers_alone(counter):
    make(counter, counter.join())
    seen = {role for role in Role if Card.objects.for_user(factories.user(role, counter.operator)).exists()}
    assert seen == {Role.PANTRY_MANAGER}
