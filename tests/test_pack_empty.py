"""Packs of people and pantries of whom nothing optional is known.

Which fields those are is not written down here: the models that packs read are taken from their queries, and every
field of them that may be empty is emptied, so that one which is added tomorrow is tried as well. What the database
refuses to have empty, because a state asks for it, is `KEPT`.
"""

import re
from datetime import date, timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from careleavers.models import AdvisorAllocation
from pantry.models import RenewalDecision
from pantry.services import memberships, places
from referrals.models import Referral, ReferralMove
from reviews.models import Audience, PackRecipient, ReviewPack
from reviews.services import agenda, barriers, meetings, packs
from stockport_hubs import pdf
from stockport_hubs.core import triggers
from stockport_hubs.core.weeks import WEEK
from tests import pack_scene, promises
from tests.factories import moment
from tests.pack_reading import check_everywhere_the_same, pdf_text
from tests.pack_scene import ALL, get, make, unprinted
from tests.review_scene import FIRST_WEEK, PERIOD
from tests.test_beyond import Wide

pytestmark = [pytest.mark.django_db, pytest.mark.prints, pytest.mark.sqlite]
OURS = re.compile(r'"((?:pantry|careleavers|referrals|reviews)_\w+)"')
# What a state or another field asks for: an ended membership has its day, an action is of a meeting or of a barrier.
KEPT = {
    "Action": {"meeting_id", "barrier_id"},
    "AgendaItem": {"saved_by_id"},
    "Barrier": {"care_leaver_id", "closed_on", "pantry_id"},
    "JournalEntry": {"by_id", "job"},
    "Membership": {"ended_on"},
    "PaidWeek": {"credited_on", "week"},
    "Referral": {"sharing_id", "pantry_id", "agreement_id", "membership_id", "sent_at"},
    "VolunteeringOffer": {"state_on"},
    "Wellbeing": {"replaced_at", "because"},
}


@pytest.fixture(scope="module")
def known(once) -> Wide:
    """A row in every table that packs read: a meeting before and what it decided, a pause, a closure, what is held."""
    made = Wide(12)
    made.trouble()
    at, before = made.at, moment(PERIOD[0] + 6 * WEEK, "14:00")
    more = {"agreement": made.agreement, "where": "", "by": made.manager, "at": at}
    earlier = meetings.plan(starts_at=before, period_from=PERIOD[0], period_to=PERIOD[0] + timedelta(days=20), **more)
    item = agenda.add(meeting=earlier, title="A second freezer", note="", by=made.manager, at=at)
    type(item).objects.filter(pk=item.pk).update(decision="Buy one", version=1, saved_by=made.manager, saved_at=before)
    meetings.add_action(
        meeting=earlier, what="Ask the hall", owner=made.manager, due_on=PERIOD[1], by=made.manager, at=before
    )
    member = made.members[5]
    paused_on = FIRST_WEEK + 9 * WEEK
    memberships.pause(membership=member, on=paused_on, by=made.pantry_manager, at=moment(paused_on))
    held = {"due_on": PERIOD[1], "starts_on": PERIOD[1] + timedelta(days=1), "outcome": "held", "decided_at": at}
    about = {"membership": member, "member_number": member.number, "block_no": 2}
    RenewalDecision.objects.create(**about, reasons=["paused"], **held)
    away = date(2026, 6, 10)
    places.announce_closure(
        pantry=made.pantry, from_on=away, until_on=away, reason="Painting", by=made.pantry_manager, at=at
    )
    closed = made.barrier("stigma", care_leaver=made.people[0])
    barriers.move(barrier=closed, state="resolved", note="", owner=made.manager, by=made.manager, at=at)
    AdvisorAllocation.objects.create(care_leaver=made.people[0], advisor=made.advisor, from_on=PERIOD[0])
    ReferralMove.objects.create(referral=Referral.objects.first(), state="sent", by=made.advisor, at=at)
    for audience in ALL:
        pack = unprinted(made, audience)  # the next edition tells what was entered since
    PackRecipient.objects.create(pack=pack, user=made.finance, chosen_by=made.manager, chosen_at=at)
    return made


def read_by_packs(scene: Wide) -> list[type[models.Model]]:
    """The models whose tables making a pack and showing it asks for."""
    with CaptureQueriesContext(connection) as asked:
        for audience in ALL:
            packs.freeze(scene.meeting, audience, made_by="x", at=scene.at)
        get(scene.manager, "pack", ReviewPack.objects.first())
    tables = {table for query in asked.captured_queries for table in OURS.findall(query["sql"])}
    return sorted((model for model in apps.get_models() if model._meta.db_table in tables), key=lambda m: m.__name__)


def optional(model: type[models.Model], ties: bool) -> dict[str, object]:
    """What every field that may be empty is when it is; `ties`: those that name another row as well."""
    fields = [field for field in model._meta.concrete_fields if field.null or field.blank]
    return {
        field.attname: None if field.null else ""
        for field in fields
        if not field.primary_key and not isinstance(field, models.JSONField) and (ties or not field.is_relation)
    }


def asked_for(model: type[models.Model], why: str) -> set[str]:
    """The columns that the constraint looks at which a database names, or of which it names the unique columns."""
    found: set[str] = set()
    for each in model._meta.constraints:
        unique = {model._meta.get_field(name).column for name in getattr(each, "fields", ())}
        named = unique and set(re.findall(rf"{model._meta.db_table}\.(\w+)", why)) == unique
        if named or re.search(rf"\b{each.name}\b", why):
            found |= {model._meta.get_field(name).attname for name in each.condition.referenced_base_fields}
    return found


def empty(model: type[models.Model], ties: bool) -> set[str]:
    """Empties them in all rows; the fields the database keeps."""
    left, kept = optional(model, ties), set()
    while left:
        try:
            with transaction.atomic():
                models.QuerySet(model).update(**left)
            break
        except IntegrityError as why:
            refused = asked_for(model, str(why)) & set(left)
            assert refused, f"{model.__name__}: {why}"
            kept |= refused
            left = {name: value for name, value in left.items() if name not in refused}
    return kept


@pytest.fixture
def emptied(known, db):
    """`emptied(ties)`: the scene with the fields emptied, and what was kept, by model."""

    def do(ties: bool) -> dict[str, set[str]]:
        found = read_by_packs(known)
        assert {each.__name__ for each in found if optional(each, True) and not each._base_manager.exists()} == set()
        triggers.remove()  # insert-only rows too: older ones hold less
        kept = {model.__name__: empty(model, ties) for model in found}
        return {name: fields for name, fields in kept.items() if fields}

    return do


def said_of(frozen: dict) -> tuple[set, set]:
    """What a pack says of the first member, and the days by which barriers of opening hours are to be gone."""
    first = {row["name"] for row in frozen["grid"] if row["number"] == 1}
    return first, {row["due_on"] for row in frozen["barriers"]["rows"] if row["category"] == "hours"}


@pytest.mark.parametrize("ties", [False, True])
def test_packs_render_with_every_optional_field_empty(known, emptied, ties, monkeypatch, request):
    before = packs.freeze(known.meeting, Audience.LEAVING_CARE, made_by="x", at=known.at)
    assert said_of(before) == ({"Person0 Sample0"}, {"2026-06-01"})
    kept = emptied(ties)
    if ties:
        assert kept == KEPT
    if not promises.full(request.config):  # what paper holds is made of the page's own words
        monkeypatch.setattr(pdf, "from_html", pack_scene.as_html)
    for audience in ALL:
        pack = make(known, audience)
        assert pack.edition == 2
        if not ties:  # the numbers are there: it is not a pack of nobody
            assert pack.figures["funnel"]["joined"] == 7
        if not ties and audience == Audience.LEAVING_CARE:
            assert said_of(pack.figures) == ({"Waiting for a name (R00000)"}, {None})
        check_everywhere_the_same(pack, known.manager)
        said = get(known.manager, "pack", pack).content.decode() + pdf_text(pack)
        said += get(known.manager, "pack_csv", pack).content.decode()
        assert re.findall(r"\bNone\b|\[\]|\{\}", said) == []
