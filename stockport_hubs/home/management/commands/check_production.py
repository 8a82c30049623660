"""Refuse to start half-configured: run before web, worker and beat."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core import checks
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http.request import validate_host

from stockport_hubs.accounts import encryption
from stockport_hubs.accounts.models import Organisation, User
from stockport_hubs.core import triggers
from stockport_hubs.home.context import SAMPLE_ACCOUNTS
from stockport_hubs.settings import env

DEMO_SECRETS = ("local-only", "tests-only", "change-me", "django-insecure")


class Command(BaseCommand):
    help = "Names everything that keeps this installation from going live; exit 1 when there is any."
    requires_system_checks = []  # they are run below, with the deployment ones

    def handle(self, **options):
        problems = [*wrong_settings(), *wrong_addresses(), *wrong_files(), *wrong_database()]
        problems += [str(message) for message in checks.run_checks(include_deployment_checks=True)]
        if problems:
            raise CommandError("Not ready for production:\n" + "\n".join(f"- {problem}" for problem in problems))
        self.stdout.write("ready for production")


def wrong_settings() -> Iterator[str]:
    """What is meant for trying out, weak or missing."""
    if settings.DEBUG:
        yield "DEBUG is on."
    if settings.SAMPLE_PILOT:
        yield "DJANGO_SETTINGS_MODULE must be stockport_hubs.settings.production."
    if settings.CLOCK:
        yield "CLOCK is set; it is for trying out only."
    key = settings.SECRET_KEY
    if len(key) < 50 or len(set(key)) < 15 or key.startswith(DEMO_SECRETS):
        yield "SECRET_KEY must be at least 50 random characters."
    if not settings.REDIS_URL:
        yield "REDIS_URL is not set; workers need it."
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        yield "EMAIL_URL must name a mail server, such as smtp+tls://user:password@mail.example.org:587."
    if settings.DEFAULT_FROM_EMAIL.endswith("@localhost"):
        yield "DEFAULT_FROM_EMAIL is not set; no mail server takes a letter from localhost."
    if not settings.CONTACT_EMAIL:
        yield "CONTACT_EMAIL is not set; the pages on privacy and accessibility name it."


def wrong_addresses() -> Iterator[str]:
    """Who may ask, under which name, and how their own address is known."""
    if any(host in ("*", ".") for host in settings.ALLOWED_HOSTS):
        yield "ALLOWED_HOSTS must name the site's own host names; * lets anyone put another site's name into letters."
    site = urlsplit(settings.SITE_URL)
    if site.scheme != "https":
        yield "SITE_URL must be the site's https:// address; links in e-mails use it."
    elif not validate_host(site.hostname or "", settings.ALLOWED_HOSTS):
        yield "SITE_URL names a host that ALLOWED_HOSTS does not; links in e-mails would be refused."
    if not env.text("TRUSTED_PROXY_COUNT"):
        yield (
            "TRUSTED_PROXY_COUNT is not set. Say how many proxies of yours stand in front (0: none): "
            "too low locks a whole office out after one person's wrong passwords, too high lets a visitor choose "
            "his address."
        )


def wrong_files() -> Iterator[str]:
    """Style sheets and scripts have names with a fingerprint only once they are collected."""
    if not getattr(staticfiles_storage, "hashed_files", None):
        yield "The static files are not collected. Run manage.py collectstatic."


def wrong_database() -> Iterator[str]:
    """The tables, and who is in them."""
    if connection.vendor != "postgresql":
        yield "DATABASE_URL must name a PostgreSQL database."
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            yield "Migrations are pending. Run manage.py migrate."
            return
        if settings.CACHES["default"]["LOCATION"] not in connection.introspection.table_names():
            yield "The cache has no table; wrong passwords are counted there. Run manage.py createcachetable."
        if unguarded := triggers.missing():
            yield f"The guards of insert-only tables are missing: {', '.join(unguarded)}. Run manage.py migrate."
        if Organisation.objects.filter(is_sample=True).exists():
            yield "The database holds the sample pilot, whose password is published. Use a new database."
        elif User.objects.filter(email__in=SAMPLE_ACCOUNTS, is_active=True).exists():
            yield "A sample account can sign in, and its password is published. Deactivate it."
        if unreadable := encryption.unreadable_second_steps():
            yield f"{unreadable} second steps cannot be read with MFA_KEY. Add the key they were written with."
    except DatabaseError as error:
        yield f"The database does not answer ({type(error).__name__})."
