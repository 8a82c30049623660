"""The shape of the code, kept by tests: the ladder, closed doors, constraints, insert-only tables.

Each check is a function over its material, so that a planted fault proves that it bites.
"""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection, models, transaction

from stockport_hubs.audit.words import WORDS
from stockport_hubs.core import triggers
from stockport_hubs.core.models import AppendOnlyModel

pytestmark = pytest.mark.sqlite  # it reads sources

ROOT = Path(settings.BASE_DIR)
LADDER = [
    {"home"},
    {"reviews"},
    {"referrals"},
    {"pantry", "careleavers"},
    {"administration"},
    {"notifications"},
    {"jobs"},
    {"audit"},
    {"accounts"},
    {"charts", "pdf"},
    {"core"},
]
OURS = set().union(*LADDER)


def rung(app: str) -> int:
    """0 is the top; siblings share a rung."""
    return next(n for n, names in enumerate(LADDER) if app in names)


def may_reach(app: str, other: str) -> bool:
    return app == other or rung(app) < rung(other)


# -- foreign keys ------------------------------------------------------------------------------------------------------


def upward_keys(model_classes) -> list[str]:
    """Relations from one of our apps to one above it (or beside it); the import linter does not see these."""
    return [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in model_classes
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model
        if field.related_model._meta.app_label in OURS
        if not may_reach(model._meta.app_label, field.related_model._meta.app_label)
    ]


def cross_app_reverse_names(model_classes) -> list[str]:
    """Relations across apps that leave an attribute on the lower model: it could then reach up without an import."""
    return [
        f"{model._meta.label}.{field.name}"
        for model in model_classes
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model
        if field.related_model._meta.app_label in OURS - {model._meta.app_label}
        if not field.remote_field.hidden
    ]


def our_models():
    return [m for m in apps.get_models() if m._meta.app_label in OURS]


def test_foreign_keys_never_point_up_the_ladder():
    assert upward_keys(our_models()) == []
    assert cross_app_reverse_names(our_models()) == []


@pytest.fixture
def planted_model():
    made = []

    def make(name, app_label, **fields):
        attributes = {"__module__": __name__, "Meta": type("Meta", (), {"app_label": app_label}), **fields}
        made.append((app_label, name.lower()))
        return type(name, (models.Model,), attributes)

    yield make
    for app_label, name in made:
        del apps.all_models[app_label][name]
    apps.clear_cache()


def test_a_planted_upward_key_is_found(planted_model):
    fault = planted_model(
        "PlantedUpward", "pantry", referral=models.ForeignKey("referrals.Referral", models.PROTECT, related_name="+")
    )
    sibling = planted_model(
        "PlantedSibling",
        "pantry",
        person=models.ForeignKey("careleavers.CareLeaver", models.PROTECT, related_name="planted"),
    )
    assert upward_keys([fault, sibling]) == [
        "pantry.PlantedUpward.referral -> referrals.Referral",
        "pantry.PlantedSibling.person -> careleavers.CareLeaver",
    ]
    assert cross_app_reverse_names([fault, sibling]) == ["pantry.PlantedSibling.person"]


# -- constraints -------------------------------------------------------------------------------------------------------


def choices_without_constraint(model_classes) -> list[str]:
    """Fields with choices that no named check constraint of their model mentions."""
    found = []
    for model in model_classes:
        named = {name for c in model._meta.constraints if isinstance(c, models.CheckConstraint) for name in _names(c)}
        found += [
            f"{model._meta.label}.{field.name}"
            for field in model._meta.get_fields()
            if getattr(field, "choices", None) and field.name not in named
        ]
    return found


def _names(constraint: models.CheckConstraint) -> set[str]:
    def walk(node):
        for child in node.children:
            if isinstance(child, models.Q):
                yield from walk(child)
            else:
                yield child[0].split("__")[0]

    return set(walk(constraint.condition)) if isinstance(constraint.condition, models.Q) else set()


def test_every_choice_is_held_by_the_database():
    assert choices_without_constraint(our_models()) == []


def test_a_planted_choice_without_constraint_is_found(planted_model):
    fault = planted_model("PlantedChoice", "core", state=models.CharField(max_length=1, choices=[("a", "A")]))
    assert choices_without_constraint([fault]) == ["core.PlantedChoice.state"]


# -- templates ---------------------------------------------------------------------------------------------------------

LIBRARIES = {
    path.stem: next(part for part in path.parts if part in OURS)
    for path in [*ROOT.glob("*/templatetags/*.py"), *ROOT.glob("stockport_hubs/*/templatetags/*.py")]
    if path.stem != "__init__"
}


def upward_loads(pages: dict[str, str]) -> list[str]:
    """{% load %} of a library of a higher app, other than a *_panels one; `pages` maps template names to their text."""
    found = []
    for name, text in pages.items():
        app = name.split("/")[0]
        for loaded in re.findall(r"{%\s*load\s+([^%]+)%}", text):
            for library in loaded.split(" from ")[-1].split():
                owner = LIBRARIES.get(library)
                if app in OURS and owner and not may_reach(app, owner) and not library.endswith("_panels"):
                    found.append(f"{name} loads {library}")
    return found


def templates() -> dict[str, str]:
    return {str(path.relative_to(ROOT / "templates")): path.read_text() for path in ROOT.glob("templates/**/*.html")}


def test_templates_load_no_library_from_above_except_panels():
    assert upward_loads(templates()) == []


def test_a_planted_upward_load_is_found(monkeypatch):
    monkeypatch.setitem(LIBRARIES, "review_tags", "reviews")
    assert upward_loads({"pantry/x.html": "{% load hubs review_tags %}"}) == ["pantry/x.html loads review_tags"]


def inline_code(pages: dict[str, str]) -> list[str]:
    """Inline script, style or event handlers: the content security policy would refuse them without a word."""
    bad = re.compile(r"<script(?![^>]*(\bsrc=|application/json))|<style|\sstyle=|\son[a-z]+=\"|javascript:", re.I)
    return sorted(name for name, text in pages.items() if not name.startswith("pdf/") and bad.search(text))


def test_templates_hold_no_inline_script_or_style():
    assert inline_code(templates()) == []
    assert inline_code({"x.html": '<p style="color:red">'}) == ["x.html"]


# -- views -------------------------------------------------------------------------------------------------------------


def unscoped_reads(sources: dict[str, str]) -> list[str]:
    """`Model.objects.<anything but for_user>` or `_base_manager`/`_default_manager` in a view or form module."""
    found = []
    for name, text in sources.items():
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Attribute):
                continue
            if isinstance(node.value, ast.Attribute) and node.value.attr == "objects" and node.attr != "for_user":
                found.append(f"{name}:{node.lineno} .objects.{node.attr}")
            if node.attr in {"_base_manager", "_default_manager"}:
                found.append(f"{name}:{node.lineno} {node.attr}")
    return found


def view_sources() -> dict[str, str]:
    found = {}
    for app in OURS:
        for base in (ROOT / app, ROOT / "stockport_hubs" / app):
            for path in [
                *base.glob("views.py"),
                *base.glob("views/*.py"),
                *base.glob("forms.py"),
                *base.glob("forms/*.py"),
            ]:
                found[str(path.relative_to(ROOT))] = path.read_text()
    return found


def test_views_and_forms_fetch_through_for_user_only():
    assert unscoped_reads(view_sources()) == []


def test_a_planted_unscoped_read_is_found():
    fault = "def view(request, pk):\n    return CareLeaver.objects.get(pk=pk)\n"
    assert unscoped_reads({"v.py": fault}) == ["v.py:2 .objects.get"]


# -- the audit's words -------------------------------------------------------------------------------------------------

VERB = re.compile(rf"({'|'.join(sorted(OURS))})\.[a-z_]+\.([a-z_]+)?")


def verbs_without_words(sources: dict[str, str]) -> list[str]:
    """Verbs of the audit that stockport_hubs/audit/words.py has no words for; of an f-string its beginning counts."""
    constants = {
        node.value
        for text in sources.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and VERB.fullmatch(node.value)
    }
    known = {*WORDS, *(verb.rpartition(".")[0] + "." for verb in WORDS)}
    return sorted(constants - known)


def test_every_verb_of_the_audit_has_plain_words():
    code = {
        str(path): path.read_text()
        for app in OURS
        for path in [*ROOT.glob(f"{app}/**/*.py"), *ROOT.glob(f"stockport_hubs/{app}/**/*.py")]
    }
    assert verbs_without_words(code) == []
    fault = "record('pantry.pantry.burnt')\nrecord(f'pantry.oven.{what}')\nrecord('pantry.pantry.added')"
    assert verbs_without_words({"x.py": fault}) == ["pantry.oven.", "pantry.pantry.burnt"]


# -- insert-only tables ------------------------------------------------------------------------------------------------


def test_the_insert_only_tables_are_these():
    assert triggers.append_only_tables() == [
        "audit_auditevent",
        "audit_auditsubject",
        "audit_seal",
        "pantry_earlierprice",
        "pantry_journalentry",
        "pantry_journalline",
        "pantry_statement",
        "pantry_statementclosing",
        "pantry_statementline",
        "pantry_statementmark",
        "pantry_statementstep",
        "pantry_topup",
        "reviews_minutes",
        "reviews_reviewpack",
    ]


@pytest.mark.django_db
def test_the_database_refuses_update_and_delete_of_insert_only_rows(django_user_model):
    from stockport_hubs.audit.models import AuditEvent
    from stockport_hubs.core import clock

    event = AuditEvent.objects.create(at=clock.now(), verb="core.test.made", job="test")
    for statement in ("UPDATE audit_auditevent SET verb = 'x'", "DELETE FROM audit_auditevent"):
        with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    event.refresh_from_db()
    assert event.verb == "core.test.made"


@pytest.mark.django_db
def test_triggers_are_there_for_every_insert_only_table():
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        names = {row[0] for row in cursor.fetchall()}
    wanted = {f"append_only_{table}_{verb}" for table in triggers.append_only_tables() for verb in ("update", "delete")}
    assert wanted - names == set()


def test_insert_only_models_refuse_in_python_too():
    for model in our_models():
        if issubclass(model, AppendOnlyModel):
            with pytest.raises(Exception, match="never changed"):
                model.objects.all().update(pk=1)
