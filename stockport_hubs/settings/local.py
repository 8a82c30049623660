"""One machine, no set-up: embedded database, mail as files, sample accounts allowed."""

from stockport_hubs.settings.base import *  # noqa: F403
from stockport_hubs.settings import env

DEBUG = env.flag("DEBUG", False)
SECRET_KEY = env.text("SECRET_KEY") or "local-only-not-a-secret-refused-in-production"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
SAMPLE_PILOT = True
PASSWORD_ALONE_ROLES = env.names("PASSWORD_ALONE_ROLES") or EVERY_ROLE
STATIC_ROOT = None  # static files come from where they lie, without collecting them first
WHITENOISE_USE_FINDERS = True
