"""Tests: real parts, quick passwords, missing template variables are errors."""

from stockport_hubs.settings.base import *  # noqa: F403
from stockport_hubs.settings import env
from stockport_hubs.settings.base import TEMPLATES
from tests.guards import MissingVariable

DEBUG = False
SECRET_KEY = "tests-only-not-a-secret-refused-in-production"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
PASSWORD_HASHERS = ["tests.hashers.CountingHasher"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
if not env.text("MAIL_PATH"):  # a test that reads the e-mails of another process names a folder
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
SAMPLE_PILOT = True
PASSWORD_ALONE_ROLES = env.names("PASSWORD_ALONE_ROLES") or EVERY_ROLE
TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = MissingVariable()
STATIC_ROOT = None  # static files come from where they lie, without collecting them first
WHITENOISE_USE_FINDERS = True
