"""What every environment shares. Business figures are dated records in the database, not settings."""

import copy
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from stockport_hubs.settings import env

BASE_DIR = Path(__file__).resolve().parent.parent.parent

INSTALLED_APPS = [
    "stockport_hubs.home",
    "reviews",
    "referrals",
    "pantry",
    "careleavers",
    "stockport_hubs.administration",
    "stockport_hubs.notifications",
    "stockport_hubs.jobs",
    "stockport_hubs.audit",
    "stockport_hubs.accounts",
    "stockport_hubs.charts",
    "stockport_hubs.core",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "crispy_forms",
    "csp",
    "django.forms",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    # These two first, so that redirects to https and static files carry the policies too.
    "csp.middleware.CSPMiddleware",
    "stockport_hubs.core.middleware.DeviceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "stockport_hubs.core.middleware.RequestLogMiddleware",
    "stockport_hubs.core.middleware.ReadableTextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "stockport_hubs.accounts.middleware.SignInFirstMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "stockport_hubs.accounts.middleware.PrivatePagesMiddleware",
    "stockport_hubs.accounts.middleware.SecondStepMiddleware",
    "stockport_hubs.accounts.middleware.DraftMiddleware",
]

ROOT_URLCONF = "stockport_hubs.urls"
WSGI_APPLICATION = "stockport_hubs.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "stockport_hubs.home.context.site",
            ],
        },
    }
]
FORM_RENDERER = "stockport_hubs.core.forms.Renderer"
CRISPY_ALLOWED_TEMPLATE_PACKS = ("hubs",)
CRISPY_TEMPLATE_PACK = "hubs"

# SQLite: immediate transactions and a long timeout, otherwise writers that start as readers fail at once.
SQLITE_OPTIONS = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=ON;"
    # INSERT OR REPLACE deletes: without this the insert-only tables' triggers would not hear of it.
    "PRAGMA recursive_triggers=ON;",
}


def database(url: str) -> dict:
    """Django's settings for a sqlite:// or postgres:// address; anything else is refused."""
    config = environ.Env.db_url_config(url) if url else {"ENGINE": ""}
    if config["ENGINE"] == "django.db.backends.sqlite3":
        return {**config, "OPTIONS": copy.copy(SQLITE_OPTIONS)}
    if config["ENGINE"] == "django.db.backends.postgresql":
        prepared = {"prepare_threshold": 5}  # psycopg's own; Django sets none (core/kept.py)
        # A thread keeps its connection as long as it works, and with it the plans PostgreSQL has made.
        return {**config, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True, "OPTIONS": prepared}
    raise ImproperlyConfigured(
        "DATABASE_URL must start with sqlite:/// or postgres:// and name a database, "
        "such as postgres://user:password@host:5432/stockport_hubs."
    )


DATABASES = {"default": database(env.text("DATABASE_URL") or f"sqlite:///{BASE_DIR / 'db.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sessions and cache live in the database: a frozen Redis must not keep anyone out.
# Room for many: a full cache drops rows, and counts of wrong passwords are among them.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 60 * 60

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["stockport_hubs.accounts.backends.PasswordBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
PASSWORD_RESET_TIMEOUT = 60 * 60
ACCOUNT_ADAPTER = "stockport_hubs.administration.adapter.AccountAdapter"
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "stockport_hubs.accounts.tokens.ResetTokens"
ACCOUNT_FORMS = {
    "login": "stockport_hubs.accounts.forms.LoginForm",
    "reset_password": "stockport_hubs.accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "stockport_hubs.accounts.forms.ResetPasswordKeyForm",
    "change_password": "stockport_hubs.accounts.forms.ChangePasswordForm",
    "reauthenticate": "stockport_hubs.accounts.forms.ReauthenticateForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an account exists only through an invitation sent to that address
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_MAX_EMAIL_ADDRESSES = 1  # the invited one
# How often the password or the code of one account may be tried in five minutes: counted in accounts/guesses.py, in
# rows that all web processes share. What follows is counted for each address of the network. A whole office shares
# one address: these limits leave room for a Monday morning.
GUESSES_ALLOWED = 5
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip",
    "reset_password": "20/m/ip,3/300s/key",
    "reset_password_from_key": "20/m/ip",
    "change_password": "20/m/user",
    "reauthenticate": "20/m/user",
    "signup": "5/m/ip",
    "manage_email": "5/m/user",
}
MFA_ADAPTER = "stockport_hubs.administration.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # a code is good for half a minute longer: people type slowly and clocks differ
MFA_FORMS = {
    "authenticate": "stockport_hubs.accounts.forms.AuthenticateForm",
    "reauthenticate": "stockport_hubs.accounts.forms.ReauthenticateCodeForm",
    "activate_totp": "stockport_hubs.accounts.forms.ActivateTOTPForm",
    "add_webauthn": "stockport_hubs.accounts.forms.AddPasskeyForm",
    "edit_webauthn": "stockport_hubs.accounts.forms.EditPasskeyForm",
}
MFA_KEYS = env.names("MFA_KEY")  # what second steps and drafts are encrypted with; empty: SECRET_KEY
# Roles that may sign in with a password alone; all others need a second step. A role misspelt here needs one too.
EVERY_ROLE = [
    "personal_advisor",
    "leaving_care_manager",
    "finance_officer",
    "pantry_volunteer",
    "pantry_manager",
    "administrator",
]
PASSWORD_ALONE_ROLES = env.names("PASSWORD_ALONE_ROLES", "pantry_volunteer")
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", 0, low=0, high=5)

# A file that is uploaded stays in memory, never in the clear on a disk; one that is larger is not received at all.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024 + 100_000  # what is sent around the file as well

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "Europe/London"
USE_TZ = True
FORMAT_MODULE_PATH = "stockport_hubs.core.formats"

STATIC_URL = "static/"
STATIC_ROOT: Path | None = BASE_DIR / "build" / "collected"
STATICFILES_DIRS = [BASE_DIR / "static", BASE_DIR / "build" / "frontend"]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_COOKIE_HTTPONLY = True

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = env.text("MAIL_PATH") or BASE_DIR / "var" / "mail"
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "hubs@localhost")
EMAIL_TIMEOUT = 10  # seconds; a silent mail server must not hold a worker
SITE_URL = env.text("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
CONTACT_EMAIL = env.text("CONTACT_EMAIL")  # on the pages on privacy and accessibility
SITE_LOGO = env.text("SITE_LOGO")  # a path below STATIC_URL; empty: the name alone

# GOV.UK Notify sends texts and e-mails to young people; without a key advisors send them themselves.
NOTIFY_API_KEY = env.text("NOTIFY_API_KEY")
NOTIFY_URL = env.text("NOTIFY_URL") or "https://api.notifications.service.gov.uk"
NOTIFY_TEXT_TEMPLATE, NOTIFY_EMAIL_TEMPLATE = env.text("NOTIFY_TEXT_TEMPLATE"), env.text("NOTIFY_EMAIL_TEMPLATE")
if NOTIFY_API_KEY and (len(NOTIFY_API_KEY) < 74 or not (NOTIFY_TEXT_TEMPLATE and NOTIFY_EMAIL_TEMPLATE)):
    raise ImproperlyConfigured(
        "NOTIFY_API_KEY must be a whole key of GOV.UK Notify (name, service and secret), and NOTIFY_TEXT_TEMPLATE and "
        "NOTIFY_EMAIL_TEMPLATE must name its templates."
    )

REDIS_URL = env.text("REDIS_URL")
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    raise ImproperlyConfigured("REDIS_URL must start with redis://, rediss:// or unix://, or be empty.")
CLOCK = env.moment("CLOCK")

# The job table is the truth, Celery a wake-up: late acknowledgement, one task at a time, ids only,
# and a short timeout so that a frozen Redis never holds up a request.
CELERY_BROKER_URL = REDIS_URL or None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_TIME_LIMIT = 300
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 0.2,
}
CELERY_ENABLE_UTC = True
CELERY_TIMEZONE = "UTC"

SAMPLE_PILOT = False  # local settings allow the sample accounts; production refuses them

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "stockport_hubs.core.logs.PlaceFormatter",
            "format": "{levelname} {name} {message}",
            "style": "{",
        },
        "json": {"()": "stockport_hubs.core.logs.JsonFormatter"},
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"fontTools": {"level": "WARNING"}, "weasyprint": {"level": "ERROR"}},
}
