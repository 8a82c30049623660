"""Packs given by name: who may be chosen, what the e-mail holds, what they can open, and until when."""

from uuid import uuid4

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from reviews.models import Audience, PackRecipient, ReviewPack
from reviews.services import recipients
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from stockport_hubs.notifications.models import Message
from tests import factories
from tests.pack_scene import unprinted
from tests.review_scene import Scene

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
FILES = ["pack", "pack_pdf", "pack_csv", "pack_xlsx"]


@pytest.fixture
def scene():
    made = Scene(2)
    made.packs = {audience: unprinted(made, audience) for audience in Audience.values}
    made.summary = made.packs[Audience.CORPORATE_PARENTS]
    return made


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def statuses(user, pack) -> list[int]:
    return [signed_in(user).get(reverse(f"reviews:{name}", args=[pack.pk])).status_code for name in FILES]


def give(scene, user, pack=None, by=None):
    return recipients.choose(pack=pack or scene.summary, user=user, by=by or scene.manager, at=scene.at)


def test_a_summary_is_opened_by_whom_it_was_given_to_until_it_is_taken_back(scene):
    for user, colleague in ((scene.advisor, scene.finance), (scene.finance, scene.advisor)):
        assert statuses(user, scene.summary) == [404] * 4
        row = give(scene, user)
        assert statuses(user, scene.summary) == [200] * 4
        assert statuses(colleague, scene.summary) == [404] * 4
        assert [statuses(user, each) for each in scene.packs.values() if each != scene.summary] == [[404] * 4] * 2
        row.refresh_from_db()
        assert row.opened_at is not None
        recipients.withdraw(recipient=row, by=scene.manager, at=scene.at)
        assert statuses(user, scene.summary) == [404] * 4
        with pytest.raises(Refused, match="has been taken back"):
            recipients.withdraw(recipient=row, by=scene.manager, at=scene.at)
    verbs = AuditEvent.objects.filter(verb__startswith="reviews.pack.").values_list("verb", flat=True)
    assert [verb.rpartition(".")[2] for verb in verbs.order_by("id")] == [
        *("given", "viewed", "downloaded", "downloaded", "downloaded", "taken_back"),
    ] * 2


def test_an_edition_given_is_that_edition_alone_and_of_ones_own_council(scene):
    second = ReviewPack.objects.get(pk=scene.summary.pk)
    second.pk, second.edition, second._state.adding = uuid4(), 2, True
    second.save()
    give(scene, scene.advisor)
    assert statuses(scene.advisor, second) == [404] * 4
    scene.advisor.organisation = factories.user(Role.PERSONAL_ADVISOR).organisation  # moved to another council
    scene.advisor.save()
    assert statuses(scene.advisor, scene.summary) == [404] * 4


def test_only_accounts_a_pack_is_made_for_can_be_chosen(scene):
    colleague = factories.user(Role.PANTRY_MANAGER, scene.operator)
    other = factories.user(Role.LEAVING_CARE_MANAGER, scene.council)
    strangers = [factories.user(role) for role in (Role.LEAVING_CARE_MANAGER, Role.PERSONAL_ADVISOR)]
    everyone = [scene.advisor, scene.finance, scene.volunteer, scene.pantry_manager, colleague, other, *strangers]

    def offered(audience, by) -> set:
        found = set(recipients.choices(pack=scene.packs[audience], by=by))
        return {user for user in everyone if user in found}

    assert offered(Audience.LEAVING_CARE, scene.manager) == {other}
    assert offered(Audience.STOCKPORT_HOMES, scene.manager) == {other, scene.pantry_manager, colleague}
    assert offered(Audience.STOCKPORT_HOMES, scene.pantry_manager) == {colleague}
    assert offered(Audience.CORPORATE_PARENTS, scene.manager) == {other, scene.advisor, scene.finance}
    assert offered(Audience.CORPORATE_PARENTS, scene.advisor) == set()
    for user, audience in ((scene.advisor, Audience.LEAVING_CARE), (scene.volunteer, Audience.STOCKPORT_HOMES)):
        with pytest.raises(Refused, match="This pack is not for"):
            give(scene, user, scene.packs[audience])


def test_the_email_holds_a_link_and_nothing_of_the_pack_and_is_not_sent_once_taken_back(scene):
    row = give(scene, scene.advisor)
    gone = give(scene, scene.finance)
    recipients.withdraw(recipient=gone, by=scene.manager, at=scene.at)
    moved = factories.user(Role.PERSONAL_ADVISOR, scene.council)
    give(scene, moved)
    User.objects.filter(pk=moved.pk).update(organisation=factories.council())
    with pytest.raises(Refused, match="given this edition already"):
        give(scene, scene.advisor)
    jobs.pump()
    (sent,) = mail.outbox
    link = reverse("reviews:pack", args=[scene.summary.pk])
    assert (sent.to, sent.subject) == ([scene.advisor.email], "A review pack to read")
    first, rest = sent.body.split("\n\n", 1)
    assert first == "You have been given a review pack to read." and rest.startswith("Sign in to read it:\nhttp")
    assert rest.strip().endswith(link)
    refused = Message.objects.get(to=scene.finance)
    assert refused.refused_because == "The pack has been taken back."
    assert Message.objects.get(to=moved).refused_because == "The pack is not theirs to read."
    assert Client().get(link).status_code == 302  # to the sign-in
    assert str(row.pk) not in sent.body


def test_the_page_lists_who_has_it_and_when_they_opened_it(scene):
    manager, url = signed_in(scene.manager), reverse("reviews:pack_recipients", args=[scene.summary.pk])
    page = manager.get(url, {"q": scene.advisor.name}).content.decode()
    assert "Nobody has been chosen yet." in page and scene.advisor.name in page
    answer = manager.post(url, {"user": str(scene.advisor.pk)}, follow=True).content.decode()
    assert f"{scene.advisor.name} gets an email" in answer and "Not yet" in answer
    again = manager.post(url, {"user": str(scene.advisor.pk)}, follow=True).content.decode()
    assert "Choose someone from the list." in again
    assert "Choose someone from the list." in manager.post(url, {"user": "x"}, follow=True).content.decode()
    assert "Not yet" in answer and signed_in(scene.advisor).get(reverse("reviews:packs")).status_code == 200
    signed_in(scene.advisor).get(reverse("reviews:pack", args=[scene.summary.pk]))
    page = manager.get(reverse("reviews:pack", args=[scene.summary.pk])).content.decode()
    assert f"{scene.advisor.name} (opened " in page
    row = PackRecipient.objects.get()
    answer = manager.post(reverse("reviews:recipient_withdraw", args=[row.pk]), follow=True).content.decode()
    assert f"Taken back from {scene.advisor.name}." in answer and "They can still read it" not in answer
    assert "You have not been given a pack." in signed_in(scene.advisor).get(reverse("reviews:packs")).content.decode()


def test_to_whom_the_council_gave_a_pack_is_told_to_nobody_at_the_pantry(scene):
    pack = scene.packs[Audience.STOCKPORT_HOMES]
    colleague = factories.user(Role.PANTRY_MANAGER, scene.operator, name="Colleague at the pantry")
    theirs = factories.user(Role.LEAVING_CARE_MANAGER, scene.council, name="Somebody at the council")
    give(scene, colleague, pack, by=scene.pantry_manager)
    give(scene, theirs, pack)
    for name in ("pack", "pack_recipients"):
        page = signed_in(scene.pantry_manager).get(reverse(f"reviews:{name}", args=[pack.pk])).content.decode()
        assert (colleague.name in page, theirs.name in page) == (True, False), name


@pytest.mark.parametrize("name, queries", [("packs", 4), ("pack_recipients", 6), ("pack", 9)])
def test_lists_ask_as_many_queries_for_three_as_for_one(scene, name, queries, django_assert_num_queries):
    client = signed_in(scene.manager)
    url = reverse(f"reviews:{name}", args=[] if name == "packs" else [scene.summary.pk])
    for more in (1, 2):
        for _ in range(more):
            give(scene, factories.user(Role.PERSONAL_ADVISOR, scene.council))
            factories.user(Role.FINANCE_OFFICER, scene.council)
        with django_assert_num_queries(queries):
            client.get(url)
