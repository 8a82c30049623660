"""The tests' settings without a limit on wrong passwords: what the limit is compared with."""

from stockport_hubs.settings.test import *  # noqa: F403

GUESSES_ALLOWED = 30_000
