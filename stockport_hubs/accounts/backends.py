"""Who a password belongs to: the account with exactly this address, which is stored in small letters.

allauth looks addresses up whatever their capitals, and what counts as a capital differs between databases: one account
would then have several counts of wrong passwords (guesses.py), one for each way to write its address.
"""

from allauth.account.auth_backends import AuthenticationBackend

from stockport_hubs.accounts.models import User


def canonical(email: str) -> str:
    """The address as accounts hold it."""
    return email.strip().lower()


class PasswordBackend(AuthenticationBackend):
    def _authenticate_by_email(self, email, password):
        """Unknown addresses take as long: the base class runs the hasher when no password was checked."""
        return self._check_password(User.objects.filter(email=canonical(email)).first(), password)
