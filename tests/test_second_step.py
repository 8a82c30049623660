"""The second step: codes of an app, recovery codes, passkeys; which roles need one; where somebody is signed in."""

import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from stockport_hubs.accounts import encryption
from stockport_hubs.accounts.middleware import SETTING_UP
from stockport_hubs.accounts.models import Guess, Organisation, Role
from stockport_hubs.administration import services
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from tests.authenticator import app_code
from tests.test_url_table import TABLE, address, every_url, ours
from tests.world import PASSWORD, make_scheme, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite, pytest.mark.crawls]  # pages: once
COUNCIL_AND_MANAGERS = set(Role) - {Role.PANTRY_VOLUNTEER}


@pytest.fixture(autouse=True)
def standing_clock():
    """Codes change every half minute; here they do not."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


@pytest.fixture
def council(db):
    return Organisation.objects.create(name="Invented Council", kind="council")


@pytest.fixture
def advisor(council):
    return make_user(Role.PERSONAL_ADVISOR, council, "own", clock.now())


@pytest.fixture
def admin(council):
    return make_user(Role.ADMINISTRATOR, council, "own", clock.now())


@pytest.fixture
def needed(settings):
    """As in production: everybody but volunteers needs a second step."""
    settings.PASSWORD_ALONE_ROLES = ["pantry_volunteer"]


def sign_in(client, user, password=PASSWORD):
    return client.post("/accounts/login/", {"login": user.email, "password": password})


def set_up_app(client) -> str:
    """Set a code from an app up in the browser; its key."""
    key = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    done = client.post("/accounts/2fa/totp/activate/", {"code": app_code(key)})
    assert done.status_code == 302, done.context["form"].errors
    return key


def is_signed_in(client) -> bool:
    return "_auth_user_id" in client.session


# -- codes -------------------------------------------------------------------------------------------------------------


def test_signing_in_takes_the_password_and_a_code_of_the_app_each_code_once(client, advisor):
    assert sign_in(client, advisor).headers["Location"] == "/"
    key = set_up_app(client)
    used = app_code(key)
    client.logout()
    assert sign_in(client, advisor).headers["Location"] == "/accounts/2fa/authenticate/"
    assert not is_signed_in(client)
    again = client.post("/accounts/2fa/authenticate/", {"code": used})
    assert "This code is not right" in again.content.decode() and not is_signed_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": app_code(key, steps=1)})
    assert is_signed_in(client)


def test_a_code_is_good_for_half_a_minute_longer_and_no_more(client, advisor):
    sign_in(client, advisor)
    key = set_up_app(client)
    client.logout()
    sign_in(client, advisor)
    for steps in (-2, 2):
        client.post("/accounts/2fa/authenticate/", {"code": app_code(key, steps=steps)})
        assert not is_signed_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": app_code(key, steps=-1)})
    assert is_signed_in(client)


def test_a_recovery_code_works_once(client, advisor):
    sign_in(client, advisor)
    set_up_app(client)
    codes = client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    assert len(codes) == 10
    for expected in (True, False):
        client.logout()
        sign_in(client, advisor)
        client.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert is_signed_in(client) == expected


def test_secrets_lie_encrypted_in_the_database(client, advisor):
    sign_in(client, advisor)
    key = set_up_app(client)
    codes = client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    stored = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert [secret for secret in (key, *codes) if secret in stored] == []
    seeds = {each.type: each.data for each in Authenticator.objects.all()}
    assert encryption.decrypt(seeds["totp"]["secret"]) == key
    with pytest.raises(encryption.InvalidToken):  # nothing in clear is taken for a secret
        encryption.decrypt(key)


def test_keys_are_changed_without_losing_a_second_step(client, advisor, settings):
    sign_in(client, advisor)
    key = set_up_app(client)

    def enters(code) -> bool:
        client.logout()
        sign_in(client, advisor)
        client.post("/accounts/2fa/authenticate/", {"code": code})
        return is_signed_in(client)

    settings.MFA_KEYS = ["a new key of its own", settings.SECRET_KEY]
    assert enters(app_code(key, steps=1))
    said = StringIO()
    call_command("encrypt_again", stdout=said)
    assert said.getvalue() == "2 second steps are now encrypted with the newest key.\n"
    settings.MFA_KEYS = ["a new key of its own"]
    assert enters(app_code(key, steps=-1))
    assert encryption.unreadable_second_steps() == 0
    settings.MFA_KEYS = ["neither of them"]
    assert encryption.unreadable_second_steps() == 2
    client.logout()
    sign_in(client, advisor)
    page = client.post("/accounts/2fa/authenticate/", {"code": app_code(key)})
    assert "Ask an administrator to reset it" in page.content.decode()


def test_codes_are_guessed_five_times_in_five_minutes_and_no_more(client, advisor):
    sign_in(client, advisor)
    key = set_up_app(client)
    client.logout()
    sign_in(client, advisor)
    for _ in range(5):
        client.post("/accounts/2fa/authenticate/", {"code": "no code"})
    page = client.post("/accounts/2fa/authenticate/", {"code": app_code(key, steps=1)})
    assert "tried too often" in page.content.decode() and not is_signed_in(client)
    Guess.objects.update(since=timezone.now() - timedelta(minutes=5, seconds=1))
    client.post("/accounts/2fa/authenticate/", {"code": app_code(key, steps=1)})
    assert is_signed_in(client)


# -- which roles need one ----------------------------------------------------------------------------------------------


def test_every_role_is_named_by_the_settings():
    from stockport_hubs.settings import base

    assert Role.values == base.EVERY_ROLE
    assert base.env.names("PASSWORD_ALONE_ROLES", "pantry_volunteer") == ["pantry_volunteer"]


def allauths(name: str) -> str:
    """The address of a page of allauth, whatever object it names."""
    for keys in ({}, {"pk": 1}, {"key": "x"}, {"uidb36": "x", "key": "x"}):
        with suppress(NoReverseMatch):
            return reverse(name, kwargs=keys)
    raise AssertionError(name)


def reached_without(client, schemes, roles) -> dict[str, list[tuple[str, str]]]:
    """Which URLs answer each of these roles with anything but the way to the set-up page."""
    found: dict[str, list[tuple[str, str]]] = {}
    for role in roles:
        client.force_login(schemes["users"][role])
        addresses = {name: address(name, schemes, role) for name, _ in ours()}
        addresses |= {name: allauths(name) for name, _ in every_url() if name not in TABLE}
        for name, url in addresses.items():
            for method in ("get", "post"):
                response = getattr(client, method)(url)
                if response.headers.get("Location") != "/your-account/second-step/":
                    found.setdefault(role, []).append((name, method))
                    if name == "account_logout":
                        client.force_login(schemes["users"][role])
    return found


@pytest.mark.sqlite
def test_without_a_second_step_nothing_but_its_set_up_can_be_reached(client, needed):
    client.raise_request_exception = False
    schemes = make_scheme("Own")
    found = reached_without(client, schemes, COUNCIL_AND_MANAGERS)
    expected = sorted((name, method) for name in SETTING_UP for method in ("get", "post"))
    for role in COUNCIL_AND_MANAGERS:
        assert sorted(found[role]) == expected, role
    client.force_login(schemes["users"][volunteer := Role.PANTRY_VOLUNTEER])
    theirs = [name for name, row in TABLE.items() if volunteer in row.roles and name not in SETTING_UP]
    answers = [client.get(address(name, schemes, volunteer)) for name in theirs]
    assert "/your-account/second-step/" not in {each.headers.get("Location") for each in answers}
    assert len(theirs) > len(SETTING_UP)


@pytest.mark.sqlite
def test_the_control_without_the_rule_reaches_everything(client):
    schemes = make_scheme("Own")
    client.raise_request_exception = False
    assert len(reached_without(client, schemes, [Role.ADMINISTRATOR])[Role.ADMINISTRATOR]) > 100


def test_joining_leads_to_the_second_step_without_asking_for_the_password_again(client, admin, council, needed):
    _, path = services.invite(
        email="new@example.org", name="New", role=Role.FINANCE_OFFICER, organisation=council, by=admin, at=clock.now()
    )
    client.post(path, {"name": "New", "password": PASSWORD, "password_again": PASSWORD})
    assert client.get("/", follow=True).redirect_chain == [("/your-account/second-step/", 302)]
    set_up_app(client)
    assert client.get("/accounts/2fa/recovery-codes/").status_code == 200
    assert client.get("/").status_code == 200


def test_long_after_signing_in_the_password_is_asked_for_again(client, advisor):
    from allauth.usersessions.models import UserSession

    sign_in(client, advisor)
    UserSession.objects.update(created_at=timezone.now() - timedelta(minutes=6))
    page = client.get("/accounts/2fa/totp/activate/")
    assert page.headers["Location"] == "/accounts/reauthenticate/?next=%2Faccounts%2F2fa%2Ftotp%2Factivate%2F"


def test_the_last_second_step_stays_where_the_role_needs_one(client, advisor, needed):
    sign_in(client, advisor)
    set_up_app(client)
    page = client.post("/accounts/2fa/totp/deactivate/")
    assert "Your role needs a second step" in page.content.decode()
    passkey = Authenticator.objects.create(user=advisor, type="webauthn", data={"name": "Key", "credential": {}})
    Authenticator.objects.filter(type="totp").delete()
    page = client.post(f"/accounts/2fa/webauthn/keys/{passkey.pk}/remove/", follow=True)
    assert "Your role needs a second step" in page.content.decode()
    assert Authenticator.objects.filter(type="webauthn").exists()


# -- an administrator resets it ----------------------------------------------------------------------------------------


def test_an_administrator_resets_a_second_step_and_the_person_is_told(client, admin, advisor, mailoutbox):
    sign_in(client, advisor)
    set_up_app(client)
    jobs.pump()
    mailoutbox.clear()
    with pytest.raises(Refused, match="page Your account"):
        services.reset_second_step(user=admin, by=admin, at=clock.now())
    other = client.__class__()
    other.force_login(admin)
    other.post(f"/users/{advisor.pk}/second-step/")
    assert not Authenticator.objects.exists()
    assert client.get("/").status_code == 302  # signed out with the next request
    jobs.pump()
    assert [message.to for message in mailoutbox] == [[advisor.email]]
    assert "An administrator removed your second step" in mailoutbox[0].body
    event = AuditEvent.objects.latest("id")
    assert (event.verb, event.by, event.target_id, event.detail) == (
        "administration.sign_in.changed", admin, advisor.pk, {"what": "second_step_reset"},
    )  # fmt: skip
    with pytest.raises(Refused, match="nothing to reset"):
        services.reset_second_step(user=advisor, by=admin, at=clock.now())


# -- where somebody is signed in ---------------------------------------------------------------------------------------


def test_signing_out_everywhere_else_ends_the_other_sessions_only(client, advisor):
    other = client.__class__(
        headers={"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}
    )
    sign_in(other, advisor)
    sign_in(client, advisor)
    page = client.get("/accounts/sessions/").content.decode()
    assert "Firefox on Linux" in page and page.count("This one") == 1
    client.post("/accounts/sessions/")
    assert (client.get("/").status_code, other.get("/").status_code) == (200, 302)
    assert "You are signed in nowhere else" in client.get("/accounts/sessions/").content.decode()


def test_a_changed_password_keeps_this_session_and_ends_the_others(client, advisor, mailoutbox):
    other = client.__class__()
    sign_in(other, advisor)
    sign_in(client, advisor)
    new = "another long password 9"
    answers = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/accounts/password/change/", answers).status_code == 302
    assert (client.get("/").status_code, other.get("/").status_code) == (200, 302)
    jobs.pump()
    assert [(m.to, "Your password was changed." in m.body) for m in mailoutbox] == [([advisor.email], True)]


def test_a_new_password_by_link_ends_every_session_and_the_link(client, advisor, mailoutbox):
    sign_in(client, advisor)
    visitor = client.__class__()
    visitor.post("/accounts/password/reset/", {"email": advisor.email})
    jobs.pump()
    link = re.search(r"http\S+(/accounts/password/reset/key/\S+)", mailoutbox[0].body)[1]
    form = visitor.get(link, follow=True)
    new = "another long password 9"
    visitor.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert client.get("/").status_code == 302
    assert "does not work any more" in client.__class__().get(link, follow=True).content.decode()
    sign_in(visitor, advisor, new)
    assert is_signed_in(visitor)
    jobs.pump()
    assert "A new password was chosen" in mailoutbox[1].body


def test_a_wrong_present_password_counts_as_a_try(client, advisor):
    sign_in(client, advisor)
    new = "another long password 9"
    for n in range(5):
        client.post("/accounts/password/change/", {"oldpassword": f"no {n}", "password1": new, "password2": new})
    page = client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert "tried too often" in page.content.decode()
