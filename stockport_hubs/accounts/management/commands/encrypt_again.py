"""`manage.py encrypt_again`: after a new key was put first in MFA_KEY; then the older ones can be taken away."""

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from stockport_hubs.accounts import encryption
from stockport_hubs.accounts.models import Draft


class Command(BaseCommand):
    help = "Encrypt every second step with the newest key of MFA_KEY. Drafts, which last an hour, are dropped."

    @transaction.atomic
    def handle(self, **options):
        done = 0
        for each in Authenticator.objects.select_for_update().filter(type__in=encryption.SECRETS).order_by("pk"):
            name = encryption.SECRETS[each.type]
            try:
                each.data[name] = encryption.encrypt_again(each.data[name])
            except encryption.InvalidToken:
                raise CommandError(
                    "A second step cannot be read with any key of MFA_KEY. Add the key it was written with, after the "
                    "newest one, or have an administrator reset the second steps of the people concerned."
                )
            each.save(update_fields=["data"])
            done += 1
        Draft.objects.all().delete()
        self.stdout.write(f"{done} second steps are now encrypted with the newest key.")
