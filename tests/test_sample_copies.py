"""The sample pilot of tens of thousands: copies of the pilot the services made, row by row, and sound as a whole."""

import hashlib
import io
import uuid
from dataclasses import asdict
from datetime import date, datetime, timedelta

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models

from careleavers.models import CareLeaver
from careleavers.services import wellbeing
from pantry import card_codes
from pantry.models import Budget, CreditPool, FundingAgreement, Membership
from reviews import figures
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.home.management.commands import load_sample_pilot
from stockport_hubs.home.sample import copies

pytestmark = pytest.mark.django_db
TODAY, COPIES = date(2026, 11, 18), 3


@pytest.fixture(autouse=True)
def sample(settings, monkeypatch):
    settings.CLOCK, settings.SAMPLE_PILOT = datetime(2026, 11, 18, 10, 30), True  # noqa: DTZ001
    monkeypatch.setattr(load_sample_pilot, "OTHER_MEMBERS", 2)


def load(people: int) -> None:
    call_command("load_sample_pilot", care_leavers=people, weeks=24, stdout=io.StringIO(), stderr=io.StringIO())


def rows(label: str) -> dict:
    model = apps.get_model(label)
    return {row[model._meta.pk.attname]: row for row in model._default_manager.order_by().values()}


def renamed(key, n: int):
    return key and uuid.UUID(hashlib.md5(f"{key}{n}".encode(), usedforsecurity=False).hexdigest())


class Expected:
    """How the rows of copy n follow from those of the services; worked out here from values, there in SQL."""

    def __init__(self, before: dict[str, dict]) -> None:
        self.before = before
        self.staff = {key for key, row in before["accounts.User"].items() if row["role"] in copies.STAFF}

    def row(self, label: str, row: dict, n: int) -> dict:
        model = apps.get_model(label)
        return {field.attname: self.value(label, field, row[field.attname], n) for field in model._meta.concrete_fields}

    def value(self, label: str, field: models.Field, value, n: int):
        target = field.related_model._meta.label if field.related_model else label if field.primary_key else ""
        if value is None:
            return None
        if target == "accounts.User":
            return renamed(value, n) if value in self.staff else value
        if target in self.before:
            return value + max(self.before[target]) * (n - 1) if isinstance(value, int) else renamed(value, n)
        if field.name in ("key", "source_id", "target_id", "subject_id"):
            return renamed(value, n)
        if field.name in ("number", "member_number") and not label.endswith("Move"):  # steps: within their row
            numbered = label if field.name == "number" else "pantry.Membership"
            return value + max(row["number"] for row in self.before[numbered].values()) * (n - 1)
        if field.name == "detail":
            return {
                k: str(renamed(v, n)) if k in ("hours", "user", "advisor", "pantry") else v for k, v in value.items()
            }
        words = {
            ("accounts.User", "email"): ("@", f".{n}@"),
            ("pantry.Pantry", "name"): (" (sample)", f" {n} (sample)"),
            ("careleavers.CareLeaver", "reference"): ("SAMPLE-", f"SAMPLE-{n}-"),
        }
        if (label, field.name) == ("accounts.User", "name"):
            return f"{value} {n}"
        if (label, field.name) == ("pantry.Card", "code"):
            signs = [card_codes.SIGNS.index(sign) for sign in value]
            signs[1] += n  # fewer copies than signs
            fitting = [
                sign for sign in range(23) if sum((i + 1) * s for i, s in enumerate([*signs[:8], sign])) % 23 == 0
            ]
            return "".join(card_codes.SIGNS[sign % 23] for sign in [*signs[:8], *fitting])
        return value.replace(*words[label, field.name]) if (label, field.name) in words else value


def is_copied(label: str, row: dict, events: dict) -> bool:
    """Staff who look after people; audit rows that are not about the agreement or its meetings."""
    shared = ("fundingagreement", "reviewmeeting", "meetingattendance", "action", "reviewpack")
    shared += ("meetingrhythm", "agendaitem", "minutes", "disagreement", "yearlyreview", "directoryentry")
    shared += ("tablet", "tabletentry")
    if label == "accounts.User":
        return row["role"] in copies.STAFF
    if label.startswith("audit."):
        return events[row.get("event_id", row["id"])]["target_type"] not in shared
    return True


def counted() -> tuple:
    found = figures.compute(FundingAgreement.objects.get(), TODAY - timedelta(weeks=23), TODAY, TODAY)
    money = {name: n for name, n in asdict(found.position).items() if name != "as_at"}
    return dict(found.funnel), [(each.could, each.came) for each in found.weeks], found.missed, money


def times(n: int, figure):
    if isinstance(figure, dict):
        return {key: times(n, each) for key, each in figure.items()}
    return type(figure)(times(n, each) for each in figure) if isinstance(figure, list | tuple) else figure * n


@pytest.mark.sqlite
@pytest.mark.postgres
@pytest.mark.promise("SC")
def test_every_row_of_a_copy_is_the_row_of_the_services_under_other_keys():
    load(6)
    before, whole = {label: rows(label) for label in copies.COPIED}, counted()
    budget, pool = Budget.objects.first(), CreditPool.objects.get()
    copies.multiply(COPIES, lambda per_cent: None)
    expected = Expected(before)
    for label, originals in before.items():
        events = before["audit.AuditEvent"]
        wanted = dict(originals)
        for n in range(2, COPIES + 1):
            made = [expected.row(label, row, n) for row in originals.values() if is_copied(label, row, events)]
            wanted |= {row[apps.get_model(label)._meta.pk.attname]: row for row in made}
        assert rows(label) == wanted, label
    assert sum(map(len, before.values())) > 600 and before["pantry.RenewalDecision"]
    outside = {key for key, row in rows("careleavers.CareLeaver").items() if not row["is_in_cohort"]}
    placed = {row["care_leaver_id"] for row in rows("careleavers.CohortPlace").values()}
    assert outside.isdisjoint(placed) and len(outside) + len(placed) == len(rows("careleavers.CareLeaver"))
    told = CareLeaver.objects.order_by("pk").values_list("pk", "wellbeing_asked", "wellbeing_from")
    before_told = list(told)
    for key, *_ in before_told:
        wellbeing.tell(key)
    assert list(told.all()) == before_told and len({asked for _, asked, _ in before_told}) > 1
    connection.check_constraints()
    assert counted() == times(COPIES, whole)
    assert Budget.objects.get(pk=budget.pk).committed_pence == COPIES * budget.committed_pence > 0
    assert CreditPool.objects.get().balance_pence == COPIES * pool.balance_pence
    out = io.StringIO()
    call_command("check_journal", stdout=out)
    assert "journal ok" in out.getvalue()
    audit.record("home.sample.looked_at", at=clock.now(), job="test")  # keys go on after the copies


def test_more_people_than_the_services_write_are_copies_of_a_district(monkeypatch):
    monkeypatch.setattr(load_sample_pilot, "MOST_BY_SERVICES", 2)
    monkeypatch.setattr(load_sample_pilot, "DISTRICT", 2)
    monkeypatch.setattr(load_sample_pilot, "OTHER_MEMBERS", 0)
    out = io.StringIO()
    call_command("load_sample_pilot", care_leavers=5, weeks=1, stdout=out, stderr=io.StringIO())
    assert "6 invented young people, 15 pantries, 0 other members" in out.getvalue()
    assert len(rows("careleavers.CareLeaver")) == 6


@pytest.mark.sqlite
def test_every_table_is_copied_or_shared():
    ours = ("accounts", "careleavers", "pantry", "referrals", "reviews", "notifications", "jobs", "audit")
    tables = [model._meta.label for model in apps.get_models() if model._meta.app_label in ours]
    assert sorted(tables) == sorted([*copies.COPIED, *copies.SHARED])


@pytest.mark.sqlite
def test_a_pilot_of_nobody_has_its_pantries_and_other_members():
    load(0)
    assert (len(rows("careleavers.CareLeaver")), len(rows("pantry.Pantry"))) == (0, 5)
    assert Membership.objects.open().count() == 2
