"""Every page an account can reach by links, at phone, tablet and desk width: axe, no sideways scrolling, one heading,
no console message, no link into nothing. Every form on the way is sent empty: its refusals lead to its controls."""

import collections
import html
import re
from datetime import timedelta
from urllib.parse import urljoin

import pytest
from django.urls import get_resolver, resolve

from stockport_hubs.core import clock
from stockport_hubs.home.sample.places import PANTRIES
from tests import browser, lists, promises
from tests.journey import Journey, Person

pytestmark = [pytest.mark.browser, pytest.mark.prints, pytest.mark.sqlite, pytest.mark.promise("AX")]
NOBODY = ""
ACCOUNTS = [NOBODY, "admin", "advisor", "finance", "manager", "pantry.manager", "volunteer"]
OF_A_KIND = 3  # pages of one kind that are read for their links; one of them is looked at
FILES = {
    "health/",
    "health/ready/",
    "audit/csv/",
    "people/import/template/",
    "introductions/<uuid:referral_id>/agreed/pdf/",
    "reviews/packs/<uuid:pack_id>/pdf/",
    "reviews/packs/<uuid:pack_id>/csv/",
    "reviews/meetings/<uuid:meeting_id>/minutes/pdf/",
    "reviews/meetings/<uuid:meeting_id>/calendar/",
    "reviews/packs/<uuid:pack_id>/xlsx/",
    "reviews/meetings/<uuid:meeting_id>/print/",
    "reviews/figures/csv/",
    "pantry/members/<uuid:membership_id>/card/pdf/",
    "pantry/pantries/<uuid:pantry_id>/cards/pdf/",
    "pantry/statements/<uuid:statement_id>/csv/",
    "pantry/statements/<uuid:statement_id>/pdf/",
    "pantry/agreements/<uuid:agreement_id>/year-end/csv/",
}
FOOTER = {"accessibility/", "cookies/", "privacy/"}  # the same for everyone but the council: looked at twice
ELSEWHERE = {  # why a route is not walked
    "a tablet's own page, opened with its cookie: test_tablet_app.py": {
        "tablet/",
        "tablet/manifest.webmanifest",
        "tablet/sw.js",
    },
    "a tablet's own requests, as JSON: test_tablet.py": {
        "tablet/entries/",
        "tablet/list/",
        "tablet/pin/",
        "tablet/state/",
        "tablet/unlock/",
    },
    "seen in test_components.py": {"components/"},
    "seen in test_story.py": {
        "introductions/<uuid:referral_id>/edit/",
        "introductions/<uuid:referral_id>/check/",
        "introductions/<uuid:referral_id>/withdraw/",
        "jobs/<uuid:job_id>/",
        "join/<str:token>/",
        "reviews/packs/<uuid:pack_id>/",
    },
    "seen in test_pages_that_ask_before_anything_is_done, at the one pantry with a tablet": {
        "pantry/pantries/<uuid:pantry_id>/tablets/<uuid:user_id>/end/",
        "pantry/tablets/<uuid:tablet_id>/out-of-use/",
    },
    "seen in test_statement_walk.py; no month of the sample pilot is closed yet": {
        "pantry/statements/<uuid:statement_id>/payment/",
    },
    "seen in test_cut_overs.py; nobody in the sample pilot was brought in from a spreadsheet": {
        "introductions/cut-over/",
        "introductions/cut-over/<uuid:membership_id>/",
    },
    "seen in test_pack_recipients.py": {"reviews/packs/<uuid:pack_id>/recipients/"},
    "seen in test_member_changes.py; nobody in the sample pilot is there yet": {
        "pantry/members/<uuid:membership_id>/answer/",
        "pantry/members/<uuid:membership_id>/long-pause/",
        "pantry/members/<uuid:membership_id>/move/take-back/",
        "pantry/members/<uuid:membership_id>/rejoin/",
        "pantry/renewals/<uuid:decision_id>/take-back/",
    },
    "seen in test_proposals.py; nothing waits in the sample pilot": {
        "pantry/proposals/<uuid:proposal_id>/",
        "pantry/proposals/<uuid:proposal_id>/take-back/",
    },
    "the same page as introductions/start/<uuid:person_id>/": {"introductions/<uuid:referral_id>/agreement/"},
    "seen in test_a_list_on_its_way_in": {
        "people/import/<uuid:pk>/",
        "people/import/<uuid:pk>/check/",
    },
    "seen in test_pages_of_states_the_sample_does_not_begin_with": {
        "introductions/<uuid:referral_id>/resume/",
        "introductions/people/<uuid:person_id>/died/correct/",
        "introductions/printed/",
    },
    "seen in test_meeting_journey.py; the script sends it": {"reviews/agenda/<uuid:item_id>/"},
    "seen in test_meeting_journey.py; the sample pilot has no whole year": {
        "reviews/years/<uuid:review_id>/",
        "reviews/years/<uuid:review_id>/approve/",
        "reviews/years/<uuid:review_id>/pdf/",
        "reviews/years/<uuid:review_id>/write/",
    },
    "a button; its page is seen": {
        "reviews/agenda/<uuid:item_id>/remove/",
        "reviews/meetings/<uuid:meeting_id>/agenda/",
        "reviews/years/<uuid:agreement_id>/count/",
        "introductions/<uuid:referral_id>/move/undo/",
        "introductions/<uuid:referral_id>/next-block/",
        "introductions/printed/<uuid:printed_id>/destroyed/",
        "introductions/people/<uuid:person_id>/how-are-you/",
        "introductions/walk-ins/<uuid:walk_in_id>/not-ours/",
        "introductions/walk-ins/<uuid:walk_in_id>/take-back/",
        "introductions/<uuid:referral_id>/reply/",
        "introductions/helpers/<uuid:helper_id>/take-back/",
        "introductions/worries/<uuid:worry_id>/",
        "hall/<uuid:session_id>/members/<uuid:membership_id>/told/",
        "hall/<uuid:session_id>/members/<uuid:membership_id>/helps/",
        "hall/<uuid:session_id>/members/<uuid:membership_id>/helps/take-back/",
        "hall/told/<uuid:told_id>/take-back/",
        "pantry/away/<uuid:away_id>/take-back/",
        "pantry/pantries/<uuid:pantry_id>/calls/<uuid:call_id>/take-back/",
        "introductions/directory/<uuid:entry_id>/retire/",
        "introductions/links/<uuid:link_id>/undo/",
        "introductions/people/<uuid:person_id>/volunteering/undo/",
        "jobs/<uuid:job_id>/cancel/",
        "messages/<uuid:message_id>/again/",
        "messages/<uuid:message_id>/settle/",
        "jobs/<uuid:job_id>/retry/",
        "pantry/pantries/<uuid:pantry_id>/volunteers/<uuid:staff_id>/end/",
        "pantry/visitors/<uuid:visitor_id>/take-back/",
        "pantry/sheets/<uuid:sheet_id>/destroyed/",
        "pantry/statements/<uuid:statement_id>/take-back/",
        "pantry/rota/<uuid:duty_id>/remove/",
        "pantry/notes/<uuid:note_id>/remove/",
        "people/<uuid:pk>/cover/<uuid:cover_pk>/end/",
        "people/caseloads/moves/<uuid:pk>/undo/",
        "people/opened/<uuid:opening_id>/close/",
        "people/<uuid:pk>/spoke/",
        "people/<uuid:pk>/spoke/take-back/",
        "people/<uuid:pk>/untick/",
        "people/import/<uuid:pk>/cancel/",
        "reviews/actions/<uuid:action_id>/",
        "reviews/meetings/<uuid:meeting_id>/attendance/",
        "reviews/meetings/<uuid:meeting_id>/move/",
        "reviews/meetings/<uuid:meeting_id>/packs/",
        "reviews/recipients/<uuid:recipient_id>/withdraw/",
        "users/<uuid:pk>/invite-again/",
        "users/<uuid:pk>/withdraw-invitation/",
        "your-account/empty-form/",
        "users/<uuid:pk>/reactivate/",
    },
    "seen in test_sign_in.py": {
        "accounts/2fa/recovery-codes/",
        "accounts/2fa/authenticate/",
        "accounts/2fa/webauthn/keys/<int:pk>/edit/",
    },
    "allauth's, that nothing leads to, or only two-step sign-in once it is set up": {
        "accounts/2fa/recovery-codes/generate/",
        "accounts/2fa/totp/deactivate/",
        "accounts/2fa/webauthn/keys/<int:pk>/remove/",
        "accounts/2fa/webauthn/reauthenticate/",
        "users/<uuid:pk>/second-step/",
        "accounts/2fa/reauthenticate/",
        "accounts/2fa/recovery-codes/download/",
        "accounts/2fa/webauthn/login/",
        "accounts/confirm-email/(?P<key>[-:\\w]+)/$",
        "accounts/confirm-email/",
        "accounts/email/",
        "accounts/login/code/confirm/",
        "accounts/password/set/",
    },
}
# Only fields that may stay empty: nothing to refuse.
NOTHING_TO_REFUSE = {
    "hall/<uuid:session_id>/worried/",
    "pantry/sessions/<uuid:session_id>/visitors/",
    "introductions/people/<uuid:person_id>/died/",
    "reviews/meetings/<uuid:meeting_id>/attendance/",
    "reviews/agenda/<uuid:item_id>/",  # sent by the page's script, which says the refusal in place
}
# A form as it is after everything has been taken out; the button to press, or null when there is nothing to type.
EMPTY = """form => {
    const fields = [...form.elements].filter(each => each.matches('input, select, textarea') && each.type !== 'hidden');
    for (const each of fields) {
        if (['radio', 'checkbox'].includes(each.type)) each.checked = false;
        else if (each.matches('select')) each.value = '';
        else each.value = '';
    }
    return fields.length && !fields.every(each => each.disabled) ? form.querySelector('[type=submit]') : null;
}"""


TAG = re.compile(r"<([a-z]\w*)([^>]*)>")
LOOKS = re.compile(r'\b(class|name|type|role|action)="([^"]*)"')


def parts(text: str) -> set[tuple]:
    """What a page is made of, whatever it says: its tags, each with what it looks like and does."""
    return {
        (tag, *((name, browser.kind(said)) for name, said in LOOKS.findall(more))) for tag, more in TAG.findall(text)
    }


class Walk:
    """What an account came across: routes of pages, routes of forms sent empty, faults."""

    def __init__(self, page, base: str, account: str, sent: set[str], seen: set[str | tuple] | None):
        self.page, self.base, self.account = page, base, account
        self.pages: set[str] = set()
        self.forms: set[str] = set()
        self.sent = sent  # forms that somebody has sent empty: they refuse anyone alike
        self.seen = seen  # routes and parts of pages somebody has looked at; none: everybody looks at everything
        self.faults: list[str] = []
        self.looked = 0

    def route(self, url: str) -> str:
        """The pattern in the URL table; empty for what is not ours."""
        path = url.removeprefix(self.base).partition("#")[0].partition("?")[0]
        return resolve(path).route if path.startswith("/") and not path.startswith("/static/") else ""

    def walk(self) -> "Walk":
        if self.account == NOBODY:
            self.page.goto(f"{self.base}/accounts/login/")
        else:
            browser.sign_in(self.page, self.base, f"{self.account}@example.org")
        for route, (url, made_of) in self.reached(self.page.url).items():
            self.pages.add(route)
            if self.seen is None or not {route, *made_of} <= self.seen:
                self.visit(route, url)
            if self.seen is not None:
                self.seen |= {route, *made_of}
        return self

    def reached(self, start: str) -> dict[str, tuple[str, set[tuple]]]:
        """Follow links without drawing pages: the first address of every route, and the parts of that page."""
        first: dict[str, tuple[str, set[tuple]]] = {}
        read: collections.Counter[str] = collections.Counter()
        queue, known = collections.deque([start]), {start}
        while queue:
            route = self.route(url := queue.popleft())
            if route in FOOTER and self.account not in (NOBODY, "manager"):
                continue
            if not route and url != f"{self.base}/" or route in FILES or read[route] == OF_A_KIND:
                continue
            read[route] += 1
            answer = self.page.request.get(url)
            if answer.status != 200:
                self.faults.append(f"{route}: status {answer.status}")
                continue
            text = answer.text()
            first.setdefault(route, (url, parts(text)))
            for link in re.findall(r'<a [^>]*?href="([^"#]+)', text):
                if (found := urljoin(answer.url, html.unescape(link))) not in known:
                    known.add(found)
                    queue.append(found)
        return first

    def visit(self, route: str, url: str) -> None:
        """Look at a page, send its forms empty."""
        self.looked += 1
        self.page.goto(url)
        self.look()
        has_left = False
        for n in range(self.page.locator("main form").count()):
            if has_left:
                self.page.goto(url)
            has_left = self.send_empty(n)

    def look(self, widths=browser.WIDTHS) -> None:
        address = browser.kind(self.page.url)
        self.faults += [f"{address}: {fault}" for fault in browser.page_faults(self.page, widths, browser.AXE_AT)]

    def send_empty(self, n: int) -> bool:
        """Take everything out of the nth form and send it: an error summary comes back. False: not such a form."""
        form = self.page.locator("main form").nth(n)
        route = self.route(form.evaluate("form => form.action || location.href"))
        if form.get_attribute("role") == "search" or form.get_attribute("method") != "post" or route in self.sent:
            return False
        button = form.evaluate_handle(EMPTY).as_element()
        if button is None or route in NOTHING_TO_REFUSE:
            return False
        self.forms.add(route)
        self.sent.add(route)
        with self.page.expect_navigation():
            button.click()
        if not self.page.locator(".govuk-error-summary a, .hubs-banner--problem").count():
            self.faults.append(f"{route}: sent empty, and no refusal came back")
        self.look(widths=(360,))
        return True


@pytest.fixture(scope="module")
def walked(request, sample_site, chromium):
    """`walked(account)`: that account's walk, done once. In `make test` a page is left out when others have looked at
    that page and, there or elsewhere, at all of its parts."""
    done: dict[str, Walk] = {}
    sent: set[str] = set()
    seen: set[str | tuple] | None = None if promises.full(request.config) else set()

    def walk(account: str) -> Walk:
        if account not in done:
            context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
            page = context.new_page()
            page.set_default_timeout(15_000)
            problems = browser.collect_problems(page)
            done[account] = Walk(page, sample_site.url, account, sent, seen).walk()
            done[account].faults += problems
            context.close()
        return done[account]

    return walk


@pytest.mark.parametrize("account", ACCOUNTS)
def test_every_page_of_an_account_is_accessible_at_every_width(walked, account, figures):
    walk = walked(account)
    assert walk.faults == [], "\n".join(walk.faults)
    figures(
        f"{account or 'nobody'}: {walk.looked} of {len(walk.pages)} pages looked at, {len(walk.forms)} forms sent empty"
    )


NOWHERE = "00000000-0000-0000-0000-000000000000"
UNLINKED = {  # pages that come from an e-mail, a form or a wrong address, by account
    NOBODY: [
        ("accounts/signup/", 200, "Accounts are by invitation"),
        ("accounts/inactive/", 200, "This account is not active"),
        ("accounts/password/reset/done/", 200, "Check your email"),
        ("accounts/password/reset/key/done/", 200, "Your password is changed"),
        ("accounts/password/reset/key/1-x/", 200, "This link does not work any more"),
        ("join/x/", 404, "This link cannot be used"),
        ("nowhere/", 404, "Page not found"),
    ],
    "volunteer": [
        ("accounts/logout/", 200, "Do you want to sign out?"),
        ("accounts/reauthenticate/", 200, "Show that it is you"),
        ("your-account/second-step/", 200, "Set up a second step"),
        ("people/", 403, "You cannot open this page"),
        (f"jobs/{NOWHERE}/", 404, "Page not found"),
    ],
}


@pytest.mark.console("Failed to load resource")
@pytest.mark.parametrize("account", UNLINKED)
def test_pages_without_a_link_are_accessible_too(sample_site, page, account):
    if account:
        browser.sign_in(page, sample_site.url, f"{account}@example.org")
    for path, status, heading in UNLINKED[account]:
        answer = page.goto(f"{sample_site.url}/{path}")
        assert (path, answer.status, page.locator("h1").inner_text()) == (path, status, heading)
        browser.axe_clean(page)


def test_pages_that_ask_before_anything_is_done(sample_site, new_page, tmp_path):
    journey = Journey(sample_site, new_page, tmp_path)
    pantry, manager = (Person(journey, new_page()) for _ in range(2))
    browser.sign_in(pantry.page, sample_site.url, "pantry.manager@example.org")
    pantry.menu("Pantries").follow("", within="main tbody").follow("Announce or withdraw a closure")
    day = clock.today() + timedelta(days=70)
    pantry.day("from_on", day).day("until_on", day).type(reason="Boiler repair").press("Continue")
    assert "Announce the closure" in pantry.text
    pantry.menu("Members").follow("", within="main tbody").follow(re.compile("End"), within="main")
    pantry.choose(reason="Left").press("Continue")
    assert "End this membership" in pantry.text
    pantry.menu("Pantries").follow(PANTRIES[0][0], within="main").follow("Tablets, and volunteers with a PIN")
    pantry.follow("Take out of use").follow("Cancel").follow("Records no more")
    assert "records no more" in pantry.text
    browser.sign_in(manager.page, sample_site.url, "manager@example.org")
    manager.menu("Renewals").follow("", within="main tbody").choose(outcome="Stop").press("Continue")
    assert "Cancel" in manager.text or "Change" in manager.text


def test_a_list_on_its_way_in(sample_site, new_page, tmp_path):
    manager = Person(Journey(sample_site, new_page, tmp_path), new_page())
    browser.sign_in(manager.page, sample_site.url, "manager@example.org")
    born = f"{clock.today().year - 19}"
    rows = [["WALK-1", f"01/02/{born}", "YES", "F1", "U1"], ["WALK-2", "31/02/2002", "YES", "F3", "S1"]]
    manager.go("/people/import/").attach("file", "oc3.csv", lists.oc3(*rows)).press("Upload and look at it")
    manager.page.get_by_label("WALK-1").check()
    manager.press("Keep these ticks and check")
    assert manager.page.get_by_role("button", name="Bring in 1 young person").is_visible()
    manager.follow("Go back").press("Cancel, and delete this list")
    assert "The uploaded list is deleted" in manager.text
    manager.follow("", within="main tbody")


SOUND = """<!DOCTYPE html><html lang="en"><head><title>Title</title></head><body><main><h1>One</h1>
<p>Words and <a href="/more">more</a></p><h2>Two</h2><ul><li>First</li></ul><a href="/x">Next</a><br><br><br>
<form><label for="a">Name</label><input id="a" type="text" aria-describedby="b"><div id="b">Hint</div></form>
<table><tr><th scope="col">Head</th></tr><tr><td>Cell</td></tr></table></main></body></html>"""
SPOILT = {
    "label": ('for="a"', 'for="z"'),
    "color-contrast": ("<p>", '<p style="color: #bbb">'),
    "link-name": (">more<", "><"),
    "heading-order": ("h2>", "h4>"),
    "document-title": ("<title>Title</title>", ""),
    "listitem": ("ul>", "div>"),
    "image-alt": ("Words", '<img src="data:,">'),
    "target-size": (
        "<a ",
        '<a style="font: 9px serif; display: block" href="/y">One</a><a style="font: 9px serif; display: block" ',
    ),
    "landmark-no-duplicate-main": ("</main>", "</main><main><p>Words</p></main>"),
}


@pytest.mark.parametrize("rule", SPOILT)
def test_a_fault_in_what_is_like_a_page_seen_before_is_found(page, rule):
    page.set_content(SOUND)
    browser.axe_clean(page)
    page.set_content(SOUND.replace("First", "Other words, and a number 17").replace("/x", "/elsewhere"))
    assert browser.fine.without(page.evaluate(browser.PARTS)) == []
    page.set_content(SOUND.replace(*SPOILT[rule]))
    assert f"360: {rule} ×" in "; ".join(browser.page_faults(page, (360,)))


def test_pages_of_states_the_sample_does_not_begin_with(sample_site, new_page, tmp_path):
    journey = Journey(sample_site, new_page, tmp_path)
    advisor, pantry, manager = (Person(journey, new_page()) for _ in range(3))
    for person, account in ((advisor, "advisor"), (pantry, "pantry.manager"), (manager, "manager")):
        browser.sign_in(person.page, sample_site.url, f"{account}@example.org")
    advisor.go("/introductions/?state=accepted").follow("", within="main tbody td[data-label='Young person']")
    advisor.follow("Pause").choose(reason="Away").press("Pause")
    advisor.follow("Resume").press("Resume")
    advisor.follow("They no longer agree").choose(how="By phone", stops="No").press("Continue")
    advisor.press("Record that it is withdrawn")
    assert "Agreement withdrawn" in advisor.text
    pantry.menu("Home").follow("Destroy what was printed before").press("Destroyed")
    pantry.go("/pantry/members/add/").type(preferred_name="Wren").choose(pantry=re.compile("^(?!Choose)")).press(
        re.compile("Add")
    )
    pantry.follow("Ask a council").choose(they_agree="yes").press("Show them")
    advisor.menu("Home").follow("Is one of them yours?").follow("One of mine")
    manager.go("/introductions/walk-ins/").press("Nobody here knows them")
    manager.go("/introductions/?state=accepted").follow("", within="main tbody td[data-label='Young person']")
    manager.follow("Record that they have died").press("Continue").press("Record the death")
    manager.follow("This was recorded by mistake").type(because="A mix-up of two references").press(re.compile("alive"))
    assert "A mix-up of two references" in manager.text


def test_no_page_is_left_out(walked):
    walks = [walked(account) for account in ACCOUNTS]
    seen = set().union(*(walk.pages | walk.forms for walk in walks))
    unlinked = {resolve(f"/{path}").route for pages in UNLINKED.values() for path, status, _ in pages if status == 200}
    rest = {route for route in routes() if route not in seen | unlinked | FILES}
    assert rest == {route for routes in ELSEWHERE.values() for route in routes}


def routes(resolver=None, before: str = ""):
    """Every pattern of the URL table, put together."""
    for each in (resolver or get_resolver()).url_patterns:
        here = before + str(each.pattern).removeprefix("^")
        yield from routes(each, here) if hasattr(each, "url_patterns") else [here]
