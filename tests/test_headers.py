"""What every answer carries, whatever it answers: a policy that runs nothing inline; HEAD answers like GET."""

import contextlib
import re

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from stockport_hubs import pdf
from stockport_hubs.accounts.models import Role
from tests import factories
from tests.test_url_table import TABLE, address, every_url
from tests.world import make_scheme, small_pdf

INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style\b|<[^>]+\s(?:style|on[a-z]+)\s*=", re.IGNORECASE)
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
}


CAMERA = {"pantry:session", "tablet:shell"}  # where members' cards are read


def wrong_with(response, camera: str = "") -> list[str]:
    """What is missing from an answer, or should not be in it."""
    policy = set(response.headers.get("Content-Security-Policy", "").split("; "))
    faults = [f"policy {sorted(policy ^ POLICY)}"] if policy != POLICY else []
    faults += [
        f"{name} {response.headers.get(name)}"
        for name, value in [
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "same-origin"),
            ("Permissions-Policy", f"camera=({camera}), microphone=(), geolocation=()"),
        ]
        if response.headers.get(name) != value
    ]
    if response.headers.get("Content-Type", "").startswith("text/html"):
        faults += INLINE.findall(response.content.decode())
    return faults


WITHOUT_OBJECT = {  # links of letters, and passkeys
    "account_confirm_email": ["x"],
    "account_reset_password_from_key": ["1", "x-y"],
    "mfa_edit_webauthn": [1],
    "mfa_remove_webauthn": [1],
}


def addresses(scheme: dict, role: Role) -> dict[str, str]:
    """Name and address of every URL this role has an object for, the pages about the account among them."""
    own = {name: address(name, scheme, role) for name, row in TABLE.items() if role in row.roles}
    others = {name for name, _ in every_url() if name not in TABLE}
    return own | {name: reverse(name, args=WITHOUT_OBJECT.get(name)) for name in others}


@pytest.mark.sqlite
@pytest.mark.crawls
def test_every_page_carries_the_policy_and_answers_head_like_get(db, client, monkeypatch):
    printed = small_pdf()  # what is printed is not looked at
    monkeypatch.setattr(pdf, "from_html", lambda html, **limits: printed)
    scheme, seen, faults = make_scheme("Own"), set(), []
    for role in Role:
        client.force_login(scheme["users"][role])
        for name, url in addresses(scheme, role).items():
            if name in seen:
                continue
            seen.add(name)
            get, head = client.get(url), client.head(url)
            camera = "self" if name in CAMERA else ""
            faults += [f"{name}: {fault}" for fault in wrong_with(get, camera) + wrong_with(head, camera)]
            if (get.status_code, get.get("Content-Type"), b"") != (
                head.status_code,
                head.get("Content-Type"),
                head.content,
            ):
                faults.append(f"{name}: GET answers {get.status_code}, HEAD {head.status_code}")
    assert faults == []
    assert seen == {name for name, _ in every_url()}


@pytest.mark.sqlite
@pytest.mark.logs_errors
@pytest.mark.django_db
def test_errors_redirects_and_files_carry_the_policy(monkeypatch, settings):
    client = Client(raise_request_exception=False)
    client.force_login(factories.user(Role.PANTRY_VOLUNTEER))
    answers = {
        "not found": (client.get("/nothing/"), 404),
        "another role": (client.get(reverse("accounts:list")), 403),
        "unreadable": (client.get("/", {"q": "\0"}), 400),
        "wrong method": (client.put(reverse("home")), 405),
        "form out of date": (Client(enforce_csrf_checks=True).post(reverse("account_login")), 403),
        "sign in first": (Client().get(reverse("home")), 302),
        "slash forgotten": (client.get("/accounts/login"), 301),
        "alive": (Client().get(reverse("health")), 200),
        "no such file": (client.get("/static/nothing.css"), 404),
    }
    with contextlib.closing(client.get("/static/hubs.svg")) as file:
        answers["file"] = (file, 200)
    monkeypatch.setattr("django.db.connection.cursor", lambda *args: 1 / 0)
    answers["broken"] = (Client(raise_request_exception=False).get(reverse("health")), 500)
    monkeypatch.undo()
    settings.SECURE_SSL_REDIRECT = True
    answers["to https"] = (Client().get(reverse("account_login")), 301)
    assert {what: (answer.status_code, wrong_with(answer)) for what, (answer, _) in answers.items()} == {
        what: (status, []) for what, (_, status) in answers.items()
    }


def test_a_looser_policy_and_inline_code_are_found():
    policy = "; ".join(sorted(POLICY))
    sound = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    }
    page = '<script src="/a.js"></script><p class="x" data-on="y">style = on</p>'
    assert wrong_with(HttpResponse(page, headers=sound)) == []
    looser = sound | {"Content-Security-Policy": policy.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")}
    assert wrong_with(HttpResponse(page, headers=looser)) != []
    seeing = sound | {"Permissions-Policy": "camera=(self), microphone=(), geolocation=()"}
    assert (wrong_with(HttpResponse(page, headers=seeing)), wrong_with(HttpResponse(page, headers=seeing), "self")) == (
        ["Permissions-Policy camera=(self), microphone=(), geolocation=()"], [])  # fmt: skip
    for planted in ("<script>x()</script>", "<style>", '<p style="x">', "<a href='/' onclick='x()'>"):
        assert wrong_with(HttpResponse(planted, headers=sound)) == [INLINE.search(planted)[0]], planted
