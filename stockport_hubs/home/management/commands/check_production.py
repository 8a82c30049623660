"""Refuse to start half-configured: run before web, worker and beat."""

from django.conf import settings
from django.core import checks
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from stockport_hubs.accounts.models import Organisation

DEMO_SECRETS = ("local-only", "tests-only", "change-me")


class Command(BaseCommand):
    help = "Names everything that keeps this installation from going live; exit 1 when there is any."
    requires_system_checks = []  # they are run below, with the deployment ones

    def handle(self, **options):
        problems = [*self._settings(), *self._database()]
        problems += [str(message) for message in checks.run_checks(include_deployment_checks=True)]
        if problems:
            raise CommandError("Not ready for production:\n" + "\n".join(f"- {problem}" for problem in problems))
        self.stdout.write("ready for production")

    def _settings(self):
        if settings.DEBUG:
            yield "DEBUG is on."
        if settings.SAMPLE_PILOT:
            yield "DJANGO_SETTINGS_MODULE must be stockport_hubs.settings.production."
        if settings.CLOCK:
            yield "CLOCK is set; it is for trying out only."
        if len(settings.SECRET_KEY) < 50 or settings.SECRET_KEY.startswith(DEMO_SECRETS):
            yield "SECRET_KEY must be at least 50 random characters."
        if not settings.REDIS_URL:
            yield "REDIS_URL is not set; workers need it."
        if not settings.SITE_URL.startswith("https://"):
            yield "SITE_URL must be the site's https:// address; links in e-mails use it."
        if settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
            yield "EMAIL_URL is not set; e-mail would be written to files."

    def _database(self):
        if connection.vendor != "postgresql":
            yield "DATABASE_URL must name a PostgreSQL database."
        try:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                yield "Migrations are pending. Run manage.py migrate."
            elif Organisation.objects.filter(is_sample=True).exists():
                yield "The database holds the sample pilot, whose password is published. Use a new database."
        except DatabaseError as error:
            yield f"The database does not answer ({type(error).__name__})."
