"""allauth's hooks: nobody signs up by themselves; invitations are in administration."""

from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings

SILENT = ("account/messages/logged_in.txt", "account/messages/logged_out.txt")


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        """Closed: accounts exist only through invitations."""
        return False

    def add_message(self, request, level, message_template=None, *args, **kwargs):
        """No banner for what is plain to see: being signed in or out."""
        if message_template not in SILENT:
            super().add_message(request, level, message_template, *args, **kwargs)

    def can_delete_email(self, email_address):
        """The address an account was invited under is its key; an administrator invites another."""
        return False

    def get_reset_password_from_key_url(self, key):
        """At the site's own address, whatever host the request named."""
        return settings.SITE_URL + urlsplit(super().get_reset_password_from_key_url(key)).path
