"""The component page: accessible at every width, reachable by keyboard alone, named for screen readers, in the system's
own colours, without movement, and in print."""

import re

import pytest
from playwright.sync_api import expect

from stockport_hubs.accounts.models import Role
from tests import browser, factories

pytestmark = [pytest.mark.browser, pytest.mark.sqlite]
# What somebody sees of the element that has the focus: itself, what is drawn around it, and its label.
LOOK = """element => [element, element.closest('.hubs-stat'), element.labels?.[0]].filter(Boolean).map(each =>
    ['', '::before', '::after'].map(part => {
        const { outlineStyle, boxShadow, backgroundColor, borderStyle, borderColor } = getComputedStyle(each, part);
        return [outlineStyle, boxShadow, backgroundColor, borderStyle === 'none' || borderColor].join();
    }).join()).join()"""
FOCUSABLE = "a[href], button, input:not([type=hidden]), select, textarea, summary"
# Each control in the order of the page, by a number it is given; of radio buttons the keyboard stops at one.
NUMBERED = """query => [...document.querySelectorAll(query)].filter(each => {
    const first = each.type !== 'radio' || each === document.querySelector(`[name="${each.name}"]`);
    return first && (each.checkVisibility() || each.matches('.govuk-skip-link'));
}).map((each, n) => each.dataset.n = n)"""

TASKS = """\
- heading "What is to do" [level=2]
- list:
  - listitem:
    - link "Agreement to share":
      - /url: "#agreement"
    - text: Done
  - listitem:
    - link "The introduction":
      - /url: "#introduction"
    - strong: To do
  - listitem:
    - text: Send it to the pantry
    - strong: To do"""
ANSWERS = """\
- heading "Check your answers" [level=2]
- term: Preferred name
- definition: Rowan
- definition:
  - link "Change preferred name":
    - /url: "#id_name"
- term: First week
- definition: 12 April 2021
- definition:
  - link "Change first week":
    - /url: "#id_start_day"
- term: Reference
- definition: I-00001"""
FORM = """\
- heading "A form" [level=2]
- text: Preferred name What they like to be called.
- textbox "Preferred name"
- group "First week":
  - text: First week For example, 12 4 2021 Day
  - textbox "Day"
  - text: Month
  - textbox "Month"
  - text: Year
  - textbox "Year"
- text: Price of a week
- textbox "Price of a week"
- group "How was it given?":
  - text: How was it given?
  - radio "In person"
  - text: In person
  - radio "By phone"
  - text: By phone
- group "Allergies":
  - text: Allergies
  - checkbox "Eggs"
  - text: Eggs
  - checkbox "Milk"
  - text: Milk
- text: Pantry
- combobox "Pantry":
  - option "Choose" [selected]
  - option "Hall Pantry"
- text: What the pantry needs to know
- textbox "What the pantry needs to know"
- text: You can enter up to 300 characters You have 300 characters remaining
- checkbox "I have the agreement"
- text: I have the agreement
- button "Save and continue"
- button "Save for later"
- button "Withdraw"
- link "Cancel":
  - /url: "?\""""


@pytest.fixture
def components(site, page):
    """The page, at 1280 pixels, of an administrator."""
    factories.user(Role.ADMINISTRATOR, email="admin@example.net")
    browser.sign_in(page, site.url, "admin@example.net")
    page.goto(f"{site.url}/components/")
    expect(page.locator("body.govuk-frontend-supported")).to_be_visible()
    return page


def test_every_component_is_accessible_and_fits_320_pixels(components):
    browser.axe_clean(components, (320, 768, 1280))
    components.get_by_role("button", name="Save and continue").click()
    expect(components).to_have_title("Error: Components – Stockport Hubs")
    browser.axe_clean(components, (320, 1280))


def test_the_keyboard_alone_reaches_and_shows_every_control(components):
    page = components
    # Tab goes through every control in the order of the page, and each one shows that it has the focus
    numbers = page.evaluate(NUMBERED, FOCUSABLE)
    assert len(numbers) > 45
    blurred = {n: page.locator(f"[data-n='{n}']").evaluate(LOOK) for n in numbers}
    reached, unseen = [], []
    for _ in numbers:
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        reached.append(int(focused.get_attribute("data-n") or -1))
        if focused.evaluate(LOOK) == blurred.get(reached[-1]):
            unseen.append(focused.evaluate("each => each.outerHTML.slice(0, 120)"))
    assert (reached, unseen) == (numbers, [])
    # the first of them skips to the main part, and the next one after that is inside it
    page.reload()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("main").get_by_role("button", name="Go to the form")).to_be_focused()
    # Space ticks, the arrows choose, Enter opens
    page.get_by_label("Eggs").focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("Eggs")).to_be_checked()
    page.get_by_label("In person").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("By phone")).to_be_checked()
    page.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("table", name="Collections by month")).to_be_visible()
    # a link drawn as a button answers to Space as buttons do
    page.get_by_role("button", name="Go to the form").focus()
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("#form$"))
    # Enter in a field sends the form; the errors get the focus, and each leads to its control
    page.get_by_label("Preferred name").focus()
    page.keyboard.press("Enter")
    summary = page.locator(".govuk-error-summary")
    expect(summary).to_be_focused()
    page.get_by_role("link", name="Enter preferred name").press("Enter")
    expect(page.get_by_label("Preferred name")).to_be_focused()
    page.get_by_role("link", name="Choose pantry").press("Enter")
    expect(page.get_by_label("Pantry", exact=True)).to_be_focused()


def test_a_control_that_does_not_show_the_focus_is_found(components):
    link = components.get_by_role("link", name="Cookies")
    blurred = link.evaluate(LOOK)
    link.focus()
    assert link.evaluate(LOOK) != blurred
    for name in ("outline", "box-shadow", "background-color"):
        link.evaluate("(each, name) => each.style.setProperty(name, 'unset', 'important')", name)
    assert link.evaluate(LOOK) == blurred


def test_screen_readers_get_names_and_states(components):
    assert components.locator("#tasks").aria_snapshot() == TASKS
    assert components.locator("#answers").aria_snapshot() == ANSWERS
    assert components.locator("#form").aria_snapshot() == FORM
    for role, name in [
        ("search", ""),
        ("navigation", "Menu"),
        ("navigation", "Back"),
        ("navigation", "Pages"),
        ("list", "Key"),
        ("table", "Members"),
        ("rowheader", "701"),
        ("link", "Next page"),
        ("link", "Page 48"),
        ("link", "51 members this week"),
        ("img", "Collections by month: June 38, July 44, August 41."),
        ("region", "Done"),
    ]:
        assert (name, components.get_by_role(role, name=name, exact=True).count()) == (name, 1)
    # what was refused is said with the control it belongs to
    components.get_by_role("button", name="Save and continue").click()
    expect(components.get_by_role("alert").get_by_role("heading", name="There is a problem")).to_be_visible()
    expect(components.get_by_label("Preferred name")).to_have_accessible_description(
        "What they like to be called. Error: Enter preferred name"
    )
    expect(components.get_by_role("group", name="Allergies")).to_have_accessible_description("Error: Choose allergies")
    expect(components.get_by_label("What the pantry needs to know")).to_have_accessible_description(
        "Error: Enter what the pantry needs to know You can enter up to 300 characters"
    )


def test_the_systems_own_colours_and_no_movement(site, new_page):
    page = new_page(forced_colors="active", reduced_motion="reduce")
    factories.user(Role.ADMINISTRATOR, email="admin@example.net")
    browser.sign_in(page, site.url, "admin@example.net")
    page.goto(f"{site.url}/components/")
    # what else stands out by its background alone has an edge
    for css in (".govuk-button", ".hubs-stat", ".hubs-empty", ".hubs-filters", ".govuk-tag", ".hubs-weeks__week"):
        edge = page.locator(f"main {css}").first.evaluate("each => getComputedStyle(each).borderStyle")
        assert (css, "solid" in edge) == (css, True)
    moving = page.evaluate("""() => [...document.querySelectorAll('*')].filter(each => {
        const { transitionDuration, animationName, scrollBehavior } = getComputedStyle(each);
        return transitionDuration !== '0s' || animationName !== 'none' || scrollBehavior === 'smooth';
    }).map(each => each.outerHTML.slice(0, 80))""")
    assert moving == []


def test_print_holds_the_content_and_nothing_to_press(components):
    components.emulate_media(media="print")
    shown = components.evaluate("""() => [...document.querySelectorAll('button, nav, header, footer, .hubs-filters')]
        .filter(each => each.checkVisibility() && each.innerText.trim()).map(each => each.outerHTML.slice(0, 80))""")
    assert shown == []
    for words in ("Check your answers", "Rowan", "Nobody is waiting for an answer."):
        assert components.get_by_text(words).first.is_visible(), words
