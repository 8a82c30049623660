"""check_production: an installation that is ready passes, and each thing that is not is named in a sentence."""

import io
import re
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from stockport_hubs.accounts.models import Organisation, Role
from stockport_hubs.core import triggers
from stockport_hubs.home.management.commands import check_production
from tests import factories
from tests.conftest import ON_POSTGRES
from tests.test_compose import compose

READY = {
    "DEBUG": False,
    "SAMPLE_PILOT": False,
    "CLOCK": None,
    "SECRET_KEY": "".join(chr(33 + n) for n in range(60)),
    "REDIS_URL": "redis://redis:6379/0",
    "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    "DEFAULT_FROM_EMAIL": "hubs@council.example",
    "CONTACT_EMAIL": "hubs@council.example",
    "ALLOWED_HOSTS": ["hubs.council.example"],
    "SITE_URL": "https://hubs.council.example",
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": 31_536_000,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SECURE_HSTS_PRELOAD": True,
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
}


@pytest.fixture
def installation(db, settings, monkeypatch):
    """Ready but for what a test changes."""
    for name, value in READY.items():
        setattr(settings, name, value)
    monkeypatch.setenv("TRUSTED_PROXY_COUNT", "1")
    monkeypatch.setattr(check_production, "staticfiles_storage", SimpleNamespace(hashed_files={"a.css": "a.1.css"}))
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE", raising=False)  # the tests need it, and the check refuses it
    return settings


def said() -> list[str]:
    """The sentences the command refuses with; on SQLite it says so too, every time, and that one is taken out."""
    try:
        call_command("check_production", stdout=io.StringIO())
    except CommandError as refusal:
        sentences = str(refusal).removeprefix("Not ready for production:\n- ").split("\n- ")
        if not ON_POSTGRES:
            sentences.remove("DATABASE_URL must name a PostgreSQL database.")
        return sentences
    assert ON_POSTGRES
    return []


def test_an_installation_that_is_ready_passes(installation):
    assert said() == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DEBUG", True, "DEBUG is on"),
        ("SAMPLE_PILOT", True, "DJANGO_SETTINGS_MODULE must be stockport_hubs.settings.production"),
        ("CLOCK", factories.moment(factories.BEGIN), "CLOCK is set"),
        ("SECRET_KEY", "short", "SECRET_KEY must be at least 50 random characters"),
        ("SECRET_KEY", "ab" * 30, "SECRET_KEY must be at least 50 random characters"),
        ("SECRET_KEY", "change-me" + READY["SECRET_KEY"], "SECRET_KEY must be at least 50 random characters"),
        ("REDIS_URL", "", "REDIS_URL is not set"),
        ("EMAIL_BACKEND", "django.core.mail.backends.filebased.EmailBackend", "EMAIL_URL must name a mail server"),
        ("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend", "EMAIL_URL must name a mail server"),
        ("DEFAULT_FROM_EMAIL", "hubs@localhost", "DEFAULT_FROM_EMAIL is not set"),
        ("CONTACT_EMAIL", "", "CONTACT_EMAIL is not set"),
        ("ALLOWED_HOSTS", ["*"], "ALLOWED_HOSTS must name the site's own host names"),
        ("SITE_URL", "http://hubs.council.example", "SITE_URL must be the site's https:// address"),
        ("SITE_URL", "https://other.example", "SITE_URL names a host that ALLOWED_HOSTS does not"),
        ("SESSION_COOKIE_SECURE", False, "security.W012"),
        ("SECURE_HSTS_SECONDS", 0, "security.W004"),
    ],
)
def test_what_is_not_ready_is_named(installation, name, value, sentence):
    setattr(installation, name, value)
    first, *rest = said()
    assert sentence in first
    assert [words for words in rest if "(security." not in words] == []  # Django may say the same in its words


def test_the_number_of_proxies_has_to_be_said(installation, monkeypatch):
    monkeypatch.setenv("TRUSTED_PROXY_COUNT", "0")
    assert said() == []
    monkeypatch.delenv("TRUSTED_PROXY_COUNT")
    assert [words.startswith("TRUSTED_PROXY_COUNT is not set.") for words in said()] == [True]


def test_files_that_are_not_collected_are_named(installation, monkeypatch):
    monkeypatch.setattr(check_production, "staticfiles_storage", SimpleNamespace(hashed_files={}))
    assert said() == ["The static files are not collected. Run manage.py collectstatic."]


def test_pending_migrations_are_named(installation):
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM django_migrations WHERE id IN (SELECT MAX(id) FROM django_migrations WHERE app = 'pantry')"
        )
    assert said() == ["Migrations are pending. Run manage.py migrate."]


def test_insert_only_tables_without_their_triggers_are_named(installation):
    triggers.remove()
    assert [words.startswith("The guards of insert-only tables are missing: append_only_") for words in said()] == [
        True
    ]
    triggers.install()
    assert said() == []


def test_a_missing_table_of_the_cache_is_named(installation):
    installation.CACHES = {"default": {**installation.CACHES["default"], "LOCATION": "nowhere"}}
    assert ["Run manage.py createcachetable." in words for words in said()] == [True]


def test_the_sample_pilot_and_its_accounts_are_named(installation):
    factories.user(Role.PERSONAL_ADVISOR, email="advisor@example.org")
    assert said() == ["A sample account can sign in, and its password is published. Deactivate it."]
    Organisation.objects.update(is_sample=True)
    assert [words.startswith("The database holds the sample pilot") for words in said()] == [True]


@pytest.mark.logs_errors
def test_a_database_that_does_not_answer_is_named(installation, monkeypatch):
    def frozen(*args, **kwargs):
        raise check_production.DatabaseError

    monkeypatch.setattr(check_production, "MigrationExecutor", frozen)
    assert said() == ["The database does not answer (DatabaseError)."]


@pytest.mark.sqlite
def test_what_the_compose_file_sets_by_itself_is_not_left_to_chance():
    """Every variable the check asks for has a value or is demanded by the compose file."""
    environment = compose()["services"]["web"]["environment"]
    asked = {"SECRET_KEY", "REDIS_URL", "EMAIL_URL", "DEFAULT_FROM_EMAIL", "CONTACT_EMAIL", "ALLOWED_HOSTS", "SITE_URL"}
    assert {name for name in asked if not re.search(r":\?|redis://", str(environment[name]))} == set()
    assert environment["TRUSTED_PROXY_COUNT"] == "${TRUSTED_PROXY_COUNT:-1}"
