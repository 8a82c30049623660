"""Every list asks as many queries for three rows as for one. Lists that have a test with their pages are counted there;
the others here, one after the other, on the same few rows."""

import inspect
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.urls import get_resolver, reverse

from careleavers.models import AdvisorAllocation
from pantry.models import PantrySession, Tablet
from pantry.services import memberships
from referrals.models import Helper, PrintedName, Worry
from referrals.services import directory
from reviews.services import disagreements
from stockport_hubs.accounts.models import Role
from tests import factories
from tests.pack_scene import signed_in
from tests.review_scene import JOINED_ON, TODAY, Scene
from tests.test_figures import query

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
HERE = {  # list: who asks, and how many queries that takes
    "reviews:disagreements": ("manager", 4),
    "reviews:figure_people": ("manager", 12),
    "accounts:organisations": ("administrator", 4),
    "pantry:pauses": ("manager", 12),
    "pantry:tablets": ("pantry_manager", 8),
    "pantry:today": ("pantry_manager", 12),
    "referrals:find": ("advisor", 15),
    "referrals:helpers": ("pantry_manager", 8),
    "referrals:worries": ("pantry_manager", 8),
    "referrals:printed": ("pantry_manager", 9),
    "hall:member": ("pantry_manager", 20),
}
ELSEWHERE = {  # list: where its queries are counted
    "accounts:list": "test_accounts.py",
    "careleavers:caseloads": "test_caseloads.py",
    "careleavers:cohort": "test_cohort.py",
    "careleavers:cohort_tick": "test_cohort.py",
    "careleavers:list": "test_people.py",
    "careleavers:import_preview": "test_import_pages.py",
    "components": "",  # no list: an example of one
    "jobs:list": "test_watch.py",
    "messages:list": "test_messages.py",
    "pantry:agreement_blocks": "test_agreements.py",
    "pantry:agreement_journal": "test_agreements.py",
    "pantry:agreements": "test_agreements.py",
    "pantry:card": "test_cards.py",
    "pantry:cards": "test_cards.py",
    "pantry:entries": "test_conflicts.py",
    "pantry:closures": "test_places.py",
    "pantry:member": "test_members.py",
    "pantry:members": "test_members.py",
    "pantry:notes": "test_running.py",
    "pantry:pantries": "test_places.py",
    "pantry:renewals": "test_renewal_pages.py",
    "pantry:sheets": "test_paper.py",
    "pantry:statement": "test_statements.py",
    "pantry:statements": "test_statements.py",
    "pantry:tariffs": "test_tariffs.py",
    "pantry:visitor_add": "test_visitors.py",
    "pantry:visitors": "test_visitors.py",
    "referrals:catchments": "test_postcodes.py",
    "referrals:directory": "test_community.py",
    "referrals:list": "test_introductions.py",
    "referrals:waiting": "test_waiting.py",
    "referrals:cut_overs": "test_cut_overs.py",
    "referrals:walk_ins": "test_walk_ins.py",
    "reviews:actions": "test_agenda.py",
    "reviews:barriers": "test_barriers.py",
    "reviews:meetings": "test_meetings.py",
    "reviews:pack_recipients": "test_pack_recipients.py",
    "reviews:packs": "test_pack_recipients.py",
}


class Lists(Scene):
    """Nobody yet; each `row` puts one more into every list."""

    def __init__(self) -> None:
        super().__init__(0)
        self.administrator = factories.user(Role.ADMINISTRATOR, self.council)
        hours = {"opens": factories.WEDNESDAY[1], "closes": factories.WEDNESDAY[2]}
        self.session = PantrySession.objects.create(pantry=self.pantry, on=TODAY, **hours)

    def row(self, n: int) -> None:
        which = 12 * n + 5  # introduced, joined, never came
        self.people.append(self.person(which))
        self.walk(which, self.people[-1])
        AdvisorAllocation.objects.create(care_leaver=self.people[-1], advisor=self.advisor, from_on=JOINED_ON)
        member, hours = self.members[which], {"opens": self.session.opens, "closes": self.session.closes}
        before = PantrySession.objects.create(pantry=self.pantry, on=TODAY - timedelta(weeks=n + 1), **hours)
        PrintedName.objects.create(membership=member, hidden_at=self.at)
        Helper.objects.create(membership=member, pantry=self.pantry, state="wished", state_on=TODAY)
        said = {"session": before, "pantry": self.pantry, "on": before.on, "membership": member}
        Worry.objects.create(key=uuid4(), raised_at=self.at, raised_by=self.volunteer, **said)
        directory.add(name=f"Soup {n}", kind="cooking", where="Hall", by=self.pantry_manager, at=self.at)
        long_ago = factories.moment(date(2025, 11, 3))
        away = self.join(date(2025, 10, 2))
        memberships.pause(membership=away, on=long_ago.date(), by=self.pantry_manager, at=long_ago)
        Tablet.objects.create(
            pantry=self.pantry, name=f"Tablet {n}", secret_hash=str(n), enrolled_at=self.at,
            enrolled_by=self.manager, revoked_at=self.at, revoked_by=self.manager,
        )  # fmt: skip
        factories.council()
        disagreements.open_one(
            agreement=self.agreement, about=f"Hours {n}", council_position="Later", operator_position="",
            who=["advisor"], on=TODAY, by=self.manager, at=self.at,
        )  # fmt: skip

    def address(self, name: str) -> tuple[str, dict]:
        if name == "reviews:figure_people":
            return reverse(name, args=["joined"]), query(self)
        if name == "pantry:tablets":
            return reverse(name, args=[self.pantry.pk]), {}
        if name == "hall:member":
            return reverse(name, args=[self.session.pk, self.members[5].pk]), {}
        return reverse(name), {}


def test_lists_ask_the_same_queries_at_1_and_3_rows(settings, django_assert_num_queries):
    scheme = Lists()
    settings.CLOCK = scheme.at.replace(tzinfo=None)
    shown: dict[str, list[int]] = {name: [] for name in HERE}
    for more in ([0], [1, 2]):
        for n in more:
            scheme.row(n)
        for name, (who, queries) in HERE.items():
            client, (address, asked) = signed_in(getattr(scheme, who)), scheme.address(name)
            with django_assert_num_queries(queries, info=name):
                answer = client.get(address, asked)
            keys = (key for key in ("past", "out", "page", "page_obj") if answer.context.get(key) is not None)
            shown[name].append(len(answer.context[next(keys)]))
    organisations = shown.pop("accounts:organisations")
    assert organisations[1] - organisations[0] == 2
    assert shown == {name: [1, 3] for name in shown}


def lists() -> set[str]:
    """The routes whose view makes pages of a list itself."""

    def walk(patterns, space: str):
        for each in patterns:
            if hasattr(each, "url_patterns"):
                yield from walk(each.url_patterns, f"{space}{each.namespace}:" if each.namespace else space)
            elif each.name and "Paginator(" in inspect.getsource(inspect.unwrap(each.callback)):
                yield f"{space}{each.name}"

    return set(walk(get_resolver().url_patterns, ""))


def counts(text: str) -> bool:
    return "num_queries(" in text or "CaptureQueriesContext" in text


def test_every_list_is_counted_somewhere():
    assert {*HERE, *ELSEWHERE} - lists() == set()
    tests = Path(__file__).parent
    for name, where in ELSEWHERE.items():
        assert counts((tests / (where or Path(__file__).name)).read_text()), name
    for name in lists() - {*HERE, *ELSEWHERE}:  # a module of tests that counts queries names its route
        named = [f'"{name}"', f'"{name.partition(":")[2]}"']
        texts = [path.read_text() for path in tests.glob("test_*.py") if path.name != Path(__file__).name]
        assert any(counts(text) and any(each in text for each in named) for text in texts), name
