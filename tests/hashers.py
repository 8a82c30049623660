"""Quick passwords for the tests; every check can be counted across processes."""

import os

from django.contrib.auth.hashers import MD5PasswordHasher

COUNTED_IN = os.environ.get("COUNT_PASSWORD_CHECKS", "")


class CountingHasher(MD5PasswordHasher):
    """Writes a byte into the file named by COUNT_PASSWORD_CHECKS each time it works, for a check or a new password."""

    def encode(self, password, salt):
        if COUNTED_IN:
            with open(COUNTED_IN, "ab", buffering=0) as counted:
                counted.write(b".")
        return super().encode(password, salt)
