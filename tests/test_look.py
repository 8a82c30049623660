"""The frame of every page: the menu of each role, error pages, words a volunteer must never meet, sign-in pages."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.staticfiles import finders
from django.test import Client, RequestFactory
from django.urls import resolve

from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.pages import Paginator
from stockport_hubs.core.templatetags.hubs import counted, page_links, tag
from stockport_hubs.home import context, errors
from tests import factories
from tests.browser import SAMPLE_PASSWORD, axe_clean, sign_in

pytestmark = pytest.mark.sqlite  # it reads templates

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
    assert forbidden_in({name: Path(path).read_text(errors="replace") for name, path in files.items()}) == []


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


def unused_classes(written: str, css: str) -> set[str]:
    """Our own class names that the style sheet knows and nothing that is written uses, whole or put together."""
    known = set(re.findall(r"\.(hubs-[\w-]*\w)", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)))
    together = set(re.findall(r"(hubs-[\w-]+--|hubs-[\w-]+__)\{\{", written))
    used = set(re.findall(r"(?<![\w-])hubs-[\w-]*\w", written))
    return {name for name in known - used if not any(name.startswith(start) for start in together)}


def test_every_class_of_ours_has_a_style_and_every_style_is_used():
    root = settings.BASE_DIR
    css = "".join(path.read_text() for path in (root / "static/css").glob("*.css"))
    templates = "".join(p.read_text() for p in (root / "templates").rglob("*.html") if "pdf" not in p.parts)
    code = [
        p
        for app in ("stockport_hubs", "careleavers", "pantry", "referrals", "reviews")
        for p in (root / app).rglob("*.py")
    ]
    code += (root / "static/js").glob("*.js")
    assert undefined_classes(templates, css) == set()
    assert unused_classes(templates + "".join(path.read_text() for path in code), css) == set()
    assert undefined_classes('<p class="govuk-body hubs-quiet hubs-quieter">', ".hubs-quiet {}") == {"hubs-quieter"}
    assert unused_classes('<i class="hubs-a"><i class="hubs-b--{{ state }}">', ".hubs-a, .hubs-b--x, .hubs-c {}") == {
        "hubs-c"
    }


def test_every_part_is_used():
    folder = settings.BASE_DIR / "templates"
    written = "".join(path.read_text() for path in folder.rglob("*.html"))
    written += (settings.BASE_DIR / "stockport_hubs/accounts/middleware.py").read_text()  # draws one by itself
    parts = [path.name for path in (folder / "parts").glob("*.html")]
    assert [
        name for name in parts if not re.search(rf"(?:{{% include |render_to_string\()[\"']parts/{name}", written)
    ] == []


# -- what the footer leads to ------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("role", [None, *Role])
def test_accessibility_cookies_and_privacy_are_there_for_everyone(role):
    client = signed_in(person(role)) if role else Client()
    for path, heading in [
        ("/accessibility/", "Accessibility statement"),
        ("/cookies/", "Cookies"),
        ("/privacy/", "Privacy"),
    ]:
        html = client.get(path).content.decode()
        assert f'<h1 class="govuk-heading-l">{heading}</h1>' in html
        assert re.findall(r'class="govuk-footer__link" href="([^"]+)"', html) == [
            "/accessibility/",
            "/cookies/",
            "/privacy/",
        ]
        assert not FORBIDDEN.search(html)


@pytest.mark.django_db
def test_what_the_council_holds_is_told_to_the_council_alone():
    council = {Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER, Role.ADMINISTRATOR}
    told = set()
    for role in Role:
        html = signed_in(factories.user(role)).get("/privacy/").content.decode()
        told |= {role} if "Young people the council supports" in html else set()
        assert "Members of a pantry" in html
    assert told == council
    assert "Young people" not in Client().get("/privacy/").content.decode()


@pytest.mark.django_db
def test_the_pages_name_whom_to_ask(settings):
    for path in ("/accessibility/", "/privacy/"):
        assert "the person who looks after accounts in your organisation" in Client().get(path).content.decode()
    settings.CONTACT_EMAIL = "ask@council.example"
    for path in ("/accessibility/", "/privacy/"):
        assert 'href="mailto:ask@council.example"' in Client().get(path).content.decode()


@pytest.mark.django_db
def test_every_cookie_of_the_site_is_on_its_page():
    user = person(Role.ADMINISTRATOR)
    client = Client(enforce_csrf_checks=True)
    page = client.get("/accounts/login/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    client.post("/accounts/login/", {"csrfmiddlewaretoken": token[1], "login": user.email, "password": SAMPLE_PASSWORD})  # type: ignore[index]
    token = re.search(
        r'name="csrfmiddlewaretoken" value="(\w+)"', client.get("/users/organisations/add/").content.decode()
    )
    client.post(
        "/users/organisations/add/",
        {"csrfmiddlewaretoken": token[1], "name": "Hall", "kind": "operator"},  # type: ignore[index]
    )
    listed = re.findall(r'<th scope="row"[^>]*>(\w+)</th>', client.get("/cookies/").content.decode())
    assert (
        sorted(client.cookies)
        == sorted(listed)
        == [
            "csrftoken",
            "last_account",
            "messages",
            "sessionid",
        ]
    )
    lifetimes = {name: cookie["max-age"] for name, cookie in client.cookies.items()}
    assert lifetimes["sessionid"] in ("", 12 * 60 * 60)  # until the browser is closed, at most 12 hours
    assert lifetimes["csrftoken"] == 364 * 24 * 60 * 60


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


# -- logo --------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_logo_stands_beside_the_name_and_is_not_read_twice(settings):
    link = r'<a href="/" class="[^"]*hubs-header__name">(.*?)</a>'
    without = re.search(link, Client().get("/accounts/login/").content.decode())
    assert without and without[1] == "<span>Stockport Hubs</span>"
    settings.SITE_LOGO = "hubs.svg"
    beside = re.search(link, Client().get("/accounts/login/").content.decode())
    assert beside
    picture = '<img src="/static/hubs.svg" alt="" class="hubs-header__logo">'
    assert beside[1] == f"{picture}<span>Stockport Hubs</span>"


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


@pytest.mark.parametrize(
    "what, number, said",
    [("barriers", 1, "barrier"), ("young people", 1, "young person"), ("entries", 1, "entry"), ("people", 0, "people")],
)
def test_one_row_is_named_as_one(what, number, said):
    assert counted(what, number) == said


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
