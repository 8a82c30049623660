"""allauth's forms in our words: labels in plain English, and every try of a secret counted before it is looked at."""

import re
from typing import Any

from allauth.account import forms
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.webauthn import forms as webauthn_forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator

from stockport_hubs.accounts import guesses
from stockport_hubs.accounts.encryption import InvalidToken

WRONG_CODE = "This code is not right. Enter the newest code that the app shows"
UNREADABLE = "Your second step cannot be checked. Ask an administrator to reset it, then set it up again."


class LoginForm(forms.LoginForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "Email address"
        self.fields["password"].help_text = ""


class ResetPasswordForm(forms.ResetPasswordForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].label = "Email address"


class ResetPasswordKeyForm(forms.ResetPasswordKeyForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = "New password"
        self.fields["password2"].label = "New password again"


class ChangePasswordForm(forms.ChangePasswordForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = "Present password"
        self.fields["oldpassword"].help_text = ""
        self.fields["password1"].label = "New password"
        self.fields["password2"].label = "New password again"

    def clean_oldpassword(self):
        if not guesses.take("password", self.user.email):
            raise ValidationError(guesses.TOO_MANY)
        old = super().clean_oldpassword()
        guesses.give_back("password", self.user.email)
        return old


class ReauthenticateForm(forms.ReauthenticateForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""


class _Code:
    """A field for a code; guesses are counted for each account, codes of an app work once."""

    fields: dict[str, Any]
    user: Any
    wrong = f"{WRONG_CODE}, or a recovery code you have not used yet."

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "Code"
        self.fields["code"].validators.append(MaxLengthValidator(30))
        self.fields["code"].widget.attrs |= {"inputmode": "numeric", "class": "govuk-input--width-10"}

    def clean_code(self):
        whom = str(self.user.pk)
        if not guesses.take("code", whom):
            raise ValidationError(guesses.TOO_MANY)
        try:
            code = super().clean_code()  # type: ignore[misc]
        except InvalidToken:
            raise ValidationError(UNREADABLE)
        except ValidationError as wrong:
            if wrong.code == "incorrect_code":
                raise ValidationError(self.wrong)
            raise
        used = getattr(self, "authenticator", None)
        is_app_code = used is None or used.type == Authenticator.Type.TOTP
        if is_app_code and not guesses.take(f"used code {re.sub(r'[^0-9]', '', code)}", whom, allowed=1):
            raise ValidationError(self.wrong)
        guesses.give_back("code", whom)
        return code


class AuthenticateForm(_Code, mfa_forms.AuthenticateForm):
    pass


class ReauthenticateCodeForm(_Code, mfa_forms.ReauthenticateForm):
    pass


class ActivateTOTPForm(_Code, totp_forms.ActivateTOTPForm):
    wrong = f"{WRONG_CODE}."

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["code"].label = "6-digit code"


class AddPasskeyForm(webauthn_forms.AddWebAuthnForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Name of the passkey"
        self.fields["name"].validators.append(MaxLengthValidator(60))
        self.fields["name"].help_text = "So that you can tell several apart, such as “Work laptop”."
        self.fields["passwordless"].label = "Let me sign in with it alone, without my password"
        self.fields["passwordless"].help_text = "It then asks for your fingerprint, face or PIN."
        self.fields["passwordless"].initial = True


class EditPasskeyForm(webauthn_forms.EditWebAuthnForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["name"].label = "Name of the passkey"
        self.fields["name"].validators.append(MaxLengthValidator(60))
