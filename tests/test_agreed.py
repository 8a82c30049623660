"""What a young person agreed, on one page: plain words, no codes, nothing that tells whoever finds it."""

import io
import re
from datetime import date

import pikepdf
import pytest
from django.urls import reverse

from careleavers.services import sharing
from referrals import agreed
from referrals import services as referrals
from stockport_hubs.audit.models import AuditEvent
from tests import factories
from tests.test_introductions import AT, THURSDAY, agree, introduce, person
from tests.test_introductions import clock as clock

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


@pytest.fixture
def world():
    made = factories.World()
    made.advisor.work_phone = "0161 496 0001"
    made.advisor.save()
    return made


def parts(referral, on=THURSDAY) -> dict[str, list[str]]:
    return {part.title: part.lines for part in agreed.of(referral, on).parts}


def test_every_part_says_what_holds_for_this_young_person(world):
    care_leaver = person(world)
    referral = introduce(world, care_leaver)
    agree(world, care_leaver, advocacy_given_on=date(2026, 4, 8))
    member = referrals.accept(referral=referral, by=world.pantry_manager, at=AT)
    referral.refresh_from_db()
    assert parts(referral) == {
        "Your place": [
            f"{world.pantry}: 1 Example Street.",
            "Open: Wednesday, 10:00 to 12:00.",
            f"Your number there is {member.number}. Say it when you come.",
            "Your first week is that of 13 April 2026.",
            "Who comes with you the first time: A friend.",
        ],
        "The food": [
            "Once a week you choose 10 items yourself. Fruit and vegetables come free on top.",
            "It is paid for: you pay nothing.",
            "Please read the labels yourself if there is something you must not eat.",
        ],
        "What the pantry knows about you": [
            "The name you like to be called: Ash.",
            "What you need: Allergy: milk; Diet: halal.",
            "Also: Prefers a quiet moment",
            "Not your surname, your date of birth or your address, and not why you have a place.",
        ],
        "If you miss a week": [
            "That week is used up. Nobody tells you off, and you can come the week after.",
            f"If two weeks in a row are missed, {world.advisor.name} asks how you are. After four we talk about what "
            "gets in the way.",
            "Tell us before you go away or into hospital: your weeks can wait for you.",
        ],
        "If you want to stop, or change something": [
            f"Tell {world.advisor.name} (0161 496 0001, {world.advisor.email}). You need not say why.",
            "You can also keep your place and share less: the pantry then knows your number alone.",
        ],
        "Somebody on your side": [
            "We told you about advocacy on 8 April 2026. An advocate is independent and helps you to be heard. Ask us "
            "for one at any time: it is free."
        ],
        "If you are not happy": [
            f"About the pantry: tell its manager or {world.advisor.name}.",
            f"About us: ask {world.advisor.name} or their manager at {world.council.name} how to complain. Your place "
            "does not depend on it.",
        ],
    }


def test_an_agreement_withdrawn_leaves_the_number_alone_on_it(world):
    referral = introduce(world)
    referrals.accept(referral=referral, by=world.pantry_manager, at=AT)
    sharing.withdraw(care_leaver=referral.care_leaver, on=THURSDAY, by=world.advisor, at=AT)
    referral.refresh_from_db()
    assert parts(referral)["What the pantry knows about you"] == [
        "No name: your number alone.",
        "Nothing about what you eat or need.",
        "Not your surname, your date of birth or your address, and not why you have a place.",
    ]


def test_whoever_finds_it_learns_nothing_of_care(client, world):
    referral = introduce(world)
    client.force_login(world.advisor)
    page = client.get(reverse("referrals:agreed", args=[referral.pk])).content.decode()
    said = re.sub(r"<[^>]+>", " ", page.partition("<main")[2].partition("</main>")[0])
    assert "The pantry has not said yes yet" in said
    for words in ("care", referral.reference, referral.care_leaver.reference, "Quillfeather", "Money is short"):
        assert words not in said.replace(world.council.name, "")


def test_there_is_none_of_a_draft_or_of_what_came_to_nothing(client, world):
    draft = introduce(world, sent=False)
    client.force_login(world.advisor)
    for name in ("referrals:agreed", "referrals:agreed_pdf"):
        answer = client.get(reverse(name, args=[draft.pk]), follow=True)
        assert answer.redirect_chain and "There is nothing to print" in answer.content.decode()


@pytest.mark.prints
def test_in_print_it_is_one_page_with_everything_filled_in(client, world):
    world.pantry.how_to_find = "Behind the library, the blue door. Ring the bell twice, it is loud inside."
    world.pantry.phone = "0161 496 0002"
    world.pantry.save()
    care_leaver = person(world, name="Maximiliana")
    needs = [("allergen", each) for each in ("milk", "eggs", "celery", "sesame", "mustard")]
    referral = introduce(world, care_leaver, pantry_needs_to_know="Quiet please. " * 20)
    agree(world, care_leaver, advocacy_given_on=date(2026, 4, 8), items=[*needs, ("diet", "halal")])
    client.force_login(world.advisor)
    before = AuditEvent.objects.count()
    answer = client.get(reverse("referrals:agreed_pdf", args=[referral.pk]))
    assert answer["Content-Disposition"] == 'attachment; filename="what-you-agreed.pdf"'
    with pikepdf.open(io.BytesIO(answer.content)) as opened:
        assert len(opened.pages) == 1
    assert AuditEvent.objects.count() == before + 1
