"""allauth's hooks: nobody signs up by themselves; invitations are in services.py."""

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        """Closed: accounts exist only through invitations."""
        return False
