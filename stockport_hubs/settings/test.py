"""Tests: real parts, quick passwords, missing template variables are errors."""

from stockport_hubs.settings.base import *  # noqa: F403
from stockport_hubs.settings.base import TEMPLATES

DEBUG = False
SECRET_KEY = "tests-only-not-a-secret-refused-in-production"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
SAMPLE_PILOT = True
TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = "MISSING VARIABLE %s"
