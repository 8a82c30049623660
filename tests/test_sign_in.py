"""From nothing to everybody signed in with what their role needs, in Chromium: the command makes the first
administrator, all others join by invitation; passkeys, recovery codes and the pages about them on the way."""

import re

import pytest

from stockport_hubs.accounts.models import Role
from tests.authenticator import app_code
from tests.journey import PASSWORD, Journey
from tests.processes import manage

pytestmark = [pytest.mark.browser, pytest.mark.sqlite]
ADMINISTRATOR = [
    "admin@example.net",
    "--role",
    "administrator",
    "--organisation",
    "Invented Council",
    "--name",
    "Ali A",
]
ADD_KEY = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def journey(fresh_database, started, new_page, mail_folder) -> Journey:
    """The site as in production, where everybody but volunteers needs a second step; passkeys want a host name."""
    env = {"MAIL_PATH": str(mail_folder), "PASSWORD_ALONE_ROLES": "pantry_volunteer"}
    site = started.site(fresh_database, **env)
    site.url = site.url.replace("127.0.0.1", "localhost")
    return Journey(site, new_page, mail_folder, started.runner(fresh_database, SITE_URL=site.url, **env))


def set_up_app(person) -> str:
    """Set up a code from an app, as the page says; the key it shows."""
    assert "Set up a second step" in person.text
    person.follow("Set up a code from an app")
    key = person.page.locator("main strong.hubs-code").inner_text()
    person.type(code=app_code(key)).press("Switch on")
    assert "Recovery codes" in person.text
    return key


def sign_in(journey, who: str):
    """At the sign-in page, with the password."""
    person = journey[who].go("/accounts/login/")
    return person.type(login=f"{who}@example.net", password=PASSWORD).press(re.compile("^Sign in$"))


@pytest.mark.promise("AX")
def test_everybody_joins_with_the_second_step_their_role_needs(journey, fresh_database):
    # Given the first administrator, made by the command, who cannot go on without a second step
    link = re.search(r"/join/\S+", manage(fresh_database, "invite", *ADMINISTRATOR))[0]
    admin = journey.join("admin", link)
    key = set_up_app(admin)
    codes = admin.page.locator("main ul.hubs-code li").all_inner_texts()
    assert len(codes) == 10
    # when everybody else is invited and joins
    admin.go("/users/organisations/add/").type(name="Invented Homes").choose(kind="Pantry operator")
    admin.press("Add the organisation")
    invited = {
        "advisor": (Role.PERSONAL_ADVISOR, "Invented Council"),
        "manager": (Role.LEAVING_CARE_MANAGER, "Invented Council"),
        "finance": (Role.FINANCE_OFFICER, "Invented Council"),
        "pantry": (Role.PANTRY_MANAGER, "Invented Homes"),
        "volunteer": (Role.PANTRY_VOLUNTEER, "Invented Homes"),
    }
    for who, (role, organisation) in invited.items():
        admin.go("/users/invite/")
        person = journey.invite("admin", who, f"{who.title()} Person", role.label, organisation)
        if role == Role.PANTRY_VOLUNTEER:
            assert "second step" not in person.text  # a volunteer's password is enough
        elif who == "advisor":
            add_passkey(person)
        else:
            set_up_app(person)
        person.go("/")
        assert "second step" not in person.text
    # then the administrator signs in with password and code, and with a recovery code
    admin.sign_out()
    sign_in(journey, "admin").type(code=app_code(key, steps=1)).press("Sign in")
    assert admin.page.url == f"{journey.site.url}/"
    admin.sign_out()
    sign_in(journey, "admin").type(code="12345678").press("Sign in", refused="This code is not right")
    admin.type(code=codes[0]).press("Sign in")
    # and the advisor with the passkey alone
    advisor = journey["advisor"]
    advisor.sign_out()
    advisor.go("/accounts/login/").press("Use a passkey instead")
    assert advisor.page.url == f"{journey.site.url}/"
    advisor.go("/accounts/2fa/webauthn/").follow("Rename").type(name="Work laptop").press("Save")


def add_passkey(person) -> None:
    """Add a passkey with the browser's own authenticator."""
    line = person.page.context.new_cdp_session(person.page)
    line.send("WebAuthn.enable")
    line.send("WebAuthn.addVirtualAuthenticator", {"options": ADD_KEY})
    person.follow("Add a passkey").press("Add the passkey")
    assert "Recovery codes" in person.text
