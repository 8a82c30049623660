"""Links for a new password: over once the password, the last sign-in or what the account may do has changed."""

from django.contrib.auth.tokens import PasswordResetTokenGenerator


class ResetTokens(PasswordResetTokenGenerator):
    def _make_hash_value(self, user, timestamp):
        return f"{super()._make_hash_value(user, timestamp)}|{user.is_active}|{user.access_changed_at}"
