"""`manage.py invite EMAIL --role ROLE [--organisation NAME]`: prints a link; the first administrator comes so."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from stockport_hubs.accounts.models import Organisation, Role, organisation_kind
from stockport_hubs.administration import services
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused


class Command(BaseCommand):
    help = "Invite someone: makes the account, inactive until its link is used, and prints the link."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--organisation", default="", help="Needed when there is none yet, or more than one.")
        parser.add_argument("--name", default="", help="What the person is called; they can change it when they join.")

    def handle(self, *, email, role, organisation, name, **options):
        try:
            validate_email(email)
            with transaction.atomic():
                user, path = services.invite(
                    email=email,
                    name=name or email.partition("@")[0].replace(".", " ").replace("_", " ").title(),
                    role=role,
                    organisation=self._organisation(organisation, organisation_kind(role)),
                    job="invite",
                    at=clock.now(),
                )
        except ValidationError:
            raise CommandError(f"{email} is not an e-mail address.")
        except Refused as refusal:
            raise CommandError(str(refusal))
        days = services.VALID_FOR.days
        self.stdout.write(f"{Role(role).label} at {user.organisation.name}, invited. The link works once, {days} days:")
        self.stdout.write(settings.SITE_URL + path)

    def _organisation(self, name: str, kind: str) -> Organisation:
        """The named one, or the only one; the first council is made here."""
        there = list(Organisation.objects.filter(kind=kind).order_by("name"))
        label = Organisation.Kind(kind).label.lower()
        if not name:
            if len(there) == 1:
                return there[0]
            raise CommandError(f"Say which {label} with --organisation NAME. {self._known(there)}")
        found = [each for each in there if each.name.casefold() == name.strip().casefold()]
        if found:
            return found[0]
        if there or kind != Organisation.Kind.COUNCIL:
            raise CommandError(
                f"No {label} is called {name!r}. {self._known(there)} "
                "An administrator adds organisations on the page Accounts, Organisations."
            )
        return services.add_organisation(name=name, kind=kind, job="invite", at=clock.now())

    def _known(self, there: list[Organisation]) -> str:
        return f"Known: {', '.join(each.name for each in there)}." if there else "There is none yet."
