"""allauth's hooks: nobody signs up by themselves; invitations are in administration."""

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        """Closed: accounts exist only through invitations."""
        return False

    def can_delete_email(self, email_address):
        """The address an account was invited under is its key; an administrator invites another."""
        return False
