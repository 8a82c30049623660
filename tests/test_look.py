"""The frame of every page: the menu of each role, error pages, words a volunteer must never meet, sign-in pages."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.staticfiles import finders
from django.core.paginator import Paginator
from django.test import Client, RequestFactory
from django.urls import resolve

from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.templatetags.hubs import page_links, tag
from stockport_hubs.home import context, errors
from tests import factories
from tests.browser import axe_clean, sign_in

FORBIDDEN = re.compile(r"care[\s_-]*leaver|leaving[\s_-]*care", re.IGNORECASE)


def person(role: str) -> User:
    """Someone who has joined."""
    return factories.user(role, name="Robin Example", email="someone@example.org")


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


# -- menus -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_every_menu_entry_leads_to_a_page_of_that_role(role):
    entries = context.menu(role)
    assert [entry["label"] for entry in entries] == [label for label, *_ in context.MENU[role]]
    shut = [e["label"] for e in entries if role not in getattr(resolve(e["url"]).func, "roles", ())]
    assert shut == []


@pytest.mark.parametrize(
    ("role", "view_name", "active"),
    [
        (Role.PERSONAL_ADVISOR, "home", {"Home": "page"}),
        (Role.LEAVING_CARE_MANAGER, "careleavers:list", {"Young people": "page"}),
        (Role.LEAVING_CARE_MANAGER, "careleavers:detail", {"Young people": "true"}),
        (Role.LEAVING_CARE_MANAGER, "careleavers:cohort", {"Cohort": "page"}),
        (Role.LEAVING_CARE_MANAGER, "pantry:payment_add", {"Money": "true"}),
        (Role.PANTRY_MANAGER, "pantry:member_add", {"Members": "true"}),
        (Role.PANTRY_MANAGER, "pantry:record", {"Sessions": "true"}),
        (Role.FINANCE_OFFICER, "mfa_index", {}),
        (Role.ADMINISTRATOR, "", {}),
    ],
)
def test_menu_marks_where_one_is(role, view_name, active):
    entries = context.menu(role, view_name)
    assert {entry["label"]: entry["active"] for entry in entries if entry["active"]} == active


# -- words -------------------------------------------------------------------------------------------------------------


def forbidden_in(files: dict[str, str]) -> list[str]:
    """Names and contents that hold a word no volunteer may meet."""
    return [name for name, text in files.items() if FORBIDDEN.search(name) or FORBIDDEN.search(text)]


def test_no_static_file_or_shared_template_holds_a_forbidden_word():
    files = {name: finders.find(name) for name in ("govuk/govuk-frontend.min.css", "govuk/govuk-frontend.min.js")}
    for folder in ("static", "templates/parts", "templates/hubs", "templates/mfa", "templates/allauth"):
        for path in (settings.BASE_DIR / folder).rglob("*.*"):
            files[str(path.relative_to(settings.BASE_DIR))] = str(path)
    for path in (settings.BASE_DIR / "templates").glob("*.html"):
        files[path.name] = str(path)
    assert len(files) > 60
    assert forbidden_in({name: Path(path).read_text() for name, path in files.items()}) == []


@pytest.mark.parametrize(
    "planted", ["/* Care Leaver rows */", ".careleavers { }", "<!-- leaving  care -->", "care-leaver"]
)
def test_planted_words_are_found(planted):
    assert forbidden_in({"css/hubs.css": planted, "js/hubs.js": "fine"}) == ["css/hubs.css"]


@pytest.mark.django_db
def test_frame_of_a_volunteer_holds_no_forbidden_word():
    page = signed_in(person(Role.PANTRY_VOLUNTEER)).get("/nothing/here/").content.decode()
    assert "Robin Example" in page and "Sign out" in page
    assert forbidden_in({"404": page}) == []


def test_no_inline_script_or_style_in_templates():
    """The content security policy would drop it without a word. JSON for a script is data, not script."""
    inline = re.compile(r"<style|\sstyle=|\son\w+=\"|<script(?![^>]*(src=|application/json))", re.IGNORECASE)
    templates = {p: p.read_text() for p in (settings.BASE_DIR / "templates").rglob("*.html")}
    found = [str(p.relative_to(settings.BASE_DIR)) for p, text in templates.items() if inline.search(text)]
    assert [name for name in found if not name.startswith(("templates/pdf/", "templates/reviews/pack_document"))] == []
    planted = ['<p style="x">', '<a onclick="x">', "<script>x</script>", "<STYLE>"]
    assert [bool(inline.search(text)) for text in [*planted, '<script src="x">']] == [True] * 4 + [False]


def undefined_classes(markup: str, css: str) -> set[str]:
    """Our own class names that a template uses and the style sheet does not know."""
    used = {name for value in re.findall(r'class="([^"]*)"', markup) for name in re.findall(r"hubs-[\w-]*\w", value)}
    return {name for name in used if not re.search(rf"\.{name}(?![\w-])", css)}


def test_every_class_of_ours_has_a_style():
    css = "".join(path.read_text() for path in (settings.BASE_DIR / "static/css").glob("*.css"))
    templates = (p for p in (settings.BASE_DIR / "templates").rglob("*.html") if "pdf" not in p.parts)
    assert undefined_classes("".join(path.read_text() for path in templates), css) == set()
    assert undefined_classes('<p class="govuk-body hubs-quiet hubs-quieter">', ".hubs-quiet {}") == {"hubs-quieter"}


# -- error pages -------------------------------------------------------------------------------------------------------


def test_server_error_page_needs_nothing():
    response = errors.server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert "has not been saved" in response.content.decode()


@pytest.mark.django_db
def test_error_pages_say_what_to_do():
    client = signed_in(person(Role.PANTRY_VOLUNTEER))
    missing = client.get("/nothing/here/")
    shut = client.get("/users/")
    assert (missing.status_code, shut.status_code) == (404, 403)
    assert '<h1 class="govuk-heading-l">Page not found</h1>' in missing.content.decode()
    assert "Nothing has been changed." in shut.content.decode()
    request = RequestFactory().get("/")
    request.user, request.resolver_match = AnonymousUser(), None
    assert errors.bad_request(request, ValueError()).status_code == 400


@pytest.mark.django_db
def test_form_out_of_date_is_explained():
    response = Client(enforce_csrf_checks=True).post("/accounts/login/", {"login": "x"})
    assert response.status_code == 403
    assert "This form is out of date" in response.content.decode()


# -- small parts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "pages", "shown"),
    [
        (1, 1, [1]),
        (1, 3, [1, 2, 3]),
        (1, 2500, [1, 2, None, 2500]),
        (1200, 2500, [1, None, 1199, 1200, 1201, None, 2500]),
        (2500, 2500, [1, None, 2499, 2500]),
    ],
)
def test_page_numbers_stay_few(number, pages, shown):
    assert page_links(Paginator(range(pages), 1).page(number)) == shown


def test_tag_escapes_and_knows_its_colours():
    assert tag("<b>", "green") == '<strong class="govuk-tag govuk-tag--green">&lt;b&gt;</strong>'
    with pytest.raises(Exception, match="No tag colour 'pink'"):
        tag("Held", "pink")


# -- sign-in pages in Chromium -----------------------------------------------------------------------------------------


@pytest.mark.browser
def test_sign_in_pages_before_signing_in(site, page):
    person(Role.PANTRY_VOLUNTEER)
    for path in ("login/", "password/reset/", "password/reset/done/", "password/reset/key/x-y/", "inactive/"):
        page.goto(f"{site.url}/accounts/{path}")
        axe_clean(page)
    page.goto(f"{site.url}/accounts/login/")
    page.fill("input[name=login]", "someone@example.org")
    page.fill("input[name=password]", "wrong")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_selector(".govuk-error-summary")
    assert page.title().startswith("Error: Sign in")
    axe_clean(page)
    page.locator(".govuk-error-summary a").first.click()
    assert page.evaluate("document.activeElement.name") == "login"


@pytest.mark.browser
def test_account_pages_after_signing_in(site, page):
    person(Role.PANTRY_VOLUNTEER)
    sign_in(page, site.url, "someone@example.org")
    for path in ("2fa/", "password/change/", "logout/"):
        page.goto(f"{site.url}/accounts/{path}")
        axe_clean(page)
        assert not FORBIDDEN.search(page.content())
    page.goto(f"{site.url}/accounts/password/change/")
    page.get_by_role("button", name="Change password").click()
    page.wait_for_selector(".govuk-error-summary")
    assert page.locator(".govuk-error-summary a").count() == 3
    axe_clean(page)
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/accounts/login/**")
