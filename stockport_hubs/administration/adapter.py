"""allauth's hooks: nobody signs up by themselves, tries of passwords are counted, secrets are encrypted, and what
changes about signing in is written down and told to the person."""

from datetime import timedelta
from uuid import uuid4

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.utils import timezone

from stockport_hubs.accounts import drafts, encryption, guesses
from stockport_hubs.accounts.backends import canonical
from stockport_hubs.accounts.permissions import needs_second_step
from stockport_hubs.administration import services
from stockport_hubs.core import clock
from stockport_hubs.jobs import services as jobs

SILENT = ("account/messages/logged_in.txt", "account/messages/logged_out.txt")
# A password or code entered so lately need not be entered again to change how one signs in.
FRESH = timedelta(minutes=5)


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": guesses.TOO_MANY,
        "rate_limited": guesses.TOO_MANY,
        "email_password_mismatch": "The email address or the password is not right.",
        "incorrect_password": "This is not your password.",
        "enter_current_password": "This is not your present password.",
    }

    def is_open_for_signup(self, request):
        """Closed: accounts exist only through invitations."""
        return False

    def add_message(self, request, level, message_template=None, *args, **kwargs):
        """No banner for what is plain to see: being signed in or out."""
        if message_template not in SILENT:
            super().add_message(request, level, message_template, *args, **kwargs)

    def can_delete_email(self, email_address):
        """The address an account was invited under is its key; an administrator invites another."""
        return False

    def pre_authenticate(self, request, **credentials):
        """Count the try, known account or not; allauth counts for each address of the network."""
        super().pre_authenticate(request, **credentials)
        if not guesses.take("password", canonical(credentials["email"])):
            raise self.validation_error("too_many_login_attempts")

    def authenticate(self, request, **credentials):
        user = super().authenticate(request, **credentials)
        if user:
            guesses.give_back("password", canonical(credentials["email"]))
        return user

    def login(self, request, user):
        super().login(request, user)
        drafts.signed_in(request)

    def is_reauthentication_required(self, *, app, **kwargs):
        """Whoever has signed in just now has shown that it is them."""
        return not UserSession.objects.filter(
            user_id=self.request.user.pk,
            session_key=self.request.session.session_key,
            created_at__gt=timezone.now() - FRESH,
        ).exists()

    def send_password_reset_mail(self, user, email, context):
        """The same work whether the address has an account or not, so that the time tells nothing: one job."""
        jobs.enqueue("administration.password_link", key=f"password-link:{uuid4()}", ids={"user": str(user.pk)})

    def send_mail(self, template_prefix, email, context):
        """The only e-mail that is still allauth's: none, for an address nobody has an account for."""
        jobs.enqueue("administration.password_link", key=f"password-link:{uuid4()}", ids={"user": ""})

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        """Something about signing in has changed: write it down, tell the person."""
        services.tell_sign_in_changed(user=user, what=template_prefix.rpartition("/")[2], by=user, at=clock.now())


class MFAAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": "Your role needs a second step. Set up another one before you remove this one.",
    }

    def encrypt(self, text):
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text):
        return encryption.decrypt(encrypted_text)

    def generate_authenticator_name(self, user, type):
        before = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Passkey {before + 1}" if before else "Passkey"

    def get_totp_issuer(self):
        return "Stockport Hubs"

    def _get_site_name(self):
        return "Stockport Hubs"

    def can_delete_authenticator(self, authenticator):
        """Where the role needs a second step, the last one stays until another is set up."""
        steps = Authenticator.objects.filter(user_id=authenticator.user_id).exclude(
            type=Authenticator.Type.RECOVERY_CODES
        )
        return not needs_second_step(authenticator.user) or steps.exclude(pk=authenticator.pk).exists()
