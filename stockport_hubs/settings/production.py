"""Production: everything from the environment, nothing half-set (`manage.py check_production`)."""

from django.core.exceptions import ImproperlyConfigured

from stockport_hubs.settings import env
from stockport_hubs.settings.base import *  # noqa: F403
from stockport_hubs.settings.base import CLOCK, LOGGING

DEBUG = False
SECRET_KEY = env.required("SECRET_KEY")
SECRET_KEY_FALLBACKS = env.names("SECRET_KEY_FALLBACKS")  # earlier keys: links and seals made with them still hold
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS")
env.required("DATABASE_URL")
if CLOCK:
    raise ImproperlyConfigured("CLOCK moves the clock and is for trying out only. Unset it in production.")
if not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS is empty. Name the host names the site answers to.")

LOGGING["handlers"]["stderr"]["formatter"] = "json"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 31_536_000, low=1, high=63_072_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
EMAIL_TIMEOUT = 20  # seconds: a mail server that hangs holds one worker no longer
if env.text("EMAIL_URL"):
    import environ

    vars().update(environ.Env.email_url_config(env.text("EMAIL_URL")))
