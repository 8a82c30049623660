"""What somebody had entered when their session ended comes back after signing in again, and to nobody else."""

import html
import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from referrals.models import Referral
from stockport_hubs.accounts import drafts
from stockport_hubs.accounts.models import Draft, Role
from stockport_hubs.accounts.refill import refill
from tests.world import PASSWORD, make_scheme

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
SPOKEN = "Nothing has been saved yet."


@pytest.fixture(scope="module")
def scheme(once):
    return make_scheme("Own")


def sign_in(client, user, **more):
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD} | more)


def session_ends(client) -> None:
    """It ran out, or was ended elsewhere; the browser notices nothing."""
    Session.objects.all().delete()


def values(page: str) -> dict[str, list[str]]:
    """What each control of a page holds: text, or what is ticked."""
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", page):
        given = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if given.get("type") not in ("radio", "checkbox") or re.search(r" checked[ >]", tag):
            found.setdefault(given.get("name", ""), []).append(given.get("value", ""))
    return found


def agreement_form(scheme) -> tuple[str, dict]:
    """The first page of an introduction, and what was entered."""
    entered = {
        "privacy_notice_on_day": "12", "privacy_notice_on_month": "4", "privacy_notice_on_year": "2021",
        "given_on_day": "31", "how_given": "in_person", "share_name": "yes", "allergens": ["milk", "eggs"],
        "diet": "Nothing <b>raw</b> & no nuts",
    }  # fmt: skip
    return f"/introductions/start/{scheme['person'].pk}/", entered


def comes_back(client, user, url, entered, page=""):
    """The page after the form was sent too late and the user signed in again."""
    session_ends(client)
    sent = client.post(url, entered, headers={"referer": f"http://testserver{page or url}"})
    assert sent.headers["Location"] == f"/accounts/login/?next={page or url}"
    return client.get(sign_in(client, user, next=page or url).headers["Location"])


def test_an_introduction_sent_after_the_session_ended_comes_back_filled_in(client, scheme):
    advisor = scheme["users"][Role.PERSONAL_ADVISOR]
    url, entered = agreement_form(scheme)
    before = Referral.objects.count()
    sign_in(client, advisor)
    assert SPOKEN not in client.get(url).content.decode()
    page = comes_back(client, advisor, url, entered).content.decode()
    assert SPOKEN in page and Referral.objects.count() == before
    shown = values(page)
    expected = {
        "privacy_notice_on_day": ["12"],
        "privacy_notice_on_year": ["2021"],
        "given_on_day": ["31"],
        "diet": [entered["diet"]],
        "how_given": ["in_person"],
        "allergens": ["eggs", "milk"],
    }
    assert {name: sorted(shown[name]) for name in expected} == expected
    # it stays until it is sent, or not wanted any more
    assert SPOKEN in client.get(url).content.decode()
    client.post("/your-account/empty-form/", {"next": url})
    assert SPOKEN not in client.get(url).content.decode()
    assert not Draft.objects.exists()


def test_a_collection_sent_too_late_comes_back_with_its_key_and_is_recorded_once(client, scheme):
    volunteer, url = scheme["users"][Role.PANTRY_VOLUNTEER], None
    url = f"/pantry/sessions/{scheme['session'].pk}/members/{scheme['neighbour'].pk}/"
    sign_in(client, volunteer)
    form = client.get(url).context["form"]
    entered = {bound.html_name: bound.value() if bound.value() is not None else "" for bound in form}
    entered = {name: value for name, value in entered.items() if value not in (False, None)}
    page = comes_back(client, volunteer, url, entered).content.decode()
    assert SPOKEN in page and str(entered["key"]) in page
    assert client.post(url, entered).status_code == 302
    assert scheme["neighbour"].collections.count() == 1
    assert not Draft.objects.exists()


def test_another_account_never_sees_it(client, scheme):
    url, entered = agreement_form(scheme)
    advisor, manager = scheme["users"][Role.PERSONAL_ADVISOR], scheme["users"][Role.LEAVING_CARE_MANAGER]
    sign_in(client, advisor)
    session_ends(client)
    client.post(url, entered)
    for visitor in (client, Client()):
        sign_in(visitor, manager)
        assert SPOKEN not in visitor.get("/").content.decode()
        assert "raw" not in visitor.get(url).content.decode()
    assert Draft.objects.get().user == advisor
    elsewhere = Client()
    sign_in(elsewhere, advisor)  # the same account on another device: it is theirs
    assert SPOKEN in elsewhere.get(url).content.decode()


def test_nothing_is_kept_for_nobody_nor_after_signing_out_nor_for_a_forged_cookie(client, scheme):
    url, entered = agreement_form(scheme)
    advisor = scheme["users"][Role.PERSONAL_ADVISOR]
    Client().post(url, entered)
    sign_in(client, advisor)
    client.post("/accounts/logout/")
    client.post(url, entered)
    client.cookies[drafts.COOKIE] = f"{advisor.pk}:forged"
    client.post(url, entered)
    assert not Draft.objects.exists()


def test_a_deactivated_account_leaves_no_draft(client, scheme):
    url, entered = agreement_form(scheme)
    advisor = scheme["users"][Role.PERSONAL_ADVISOR]
    sign_in(client, advisor)
    advisor.is_active = False
    advisor.save()
    client.post(url, entered)
    assert not Draft.objects.exists()


def test_files_passwords_and_very_long_texts_are_not_kept_and_all_is_encrypted(client, scheme):
    url, entered = agreement_form(scheme)
    sign_in(client, scheme["users"][Role.PERSONAL_ADVISOR])
    session_ends(client)
    client.post(url, entered | {"password": "a", "new_password": "b", "csrfmiddlewaretoken": "c", "pin": "1234"})
    kept = Draft.objects.get()
    assert "raw" not in kept.fields and "raw" in (text := drafts.encryption.decrypt(kept.fields))
    assert [word for word in ("password", "csrf", "pin") if f'["{word}' in text or f'_{word}"' in text] == []
    Draft.objects.all().delete()
    client.post(url, entered | {"diet": "x" * drafts.MOST_CHARACTERS})
    client.post(url, "{}", content_type="application/json")
    assert not Draft.objects.exists()


def test_a_draft_is_over_after_an_hour(client, scheme):
    url, entered = agreement_form(scheme)
    advisor = scheme["users"][Role.PERSONAL_ADVISOR]
    sign_in(client, advisor)
    session_ends(client)
    client.post(url, entered)
    Draft.objects.update(kept_at=timezone.now() - timedelta(hours=1))
    sign_in(client, advisor)
    assert SPOKEN not in client.get(url).content.decode()


def test_a_form_that_stood_on_another_page_leads_back_to_that_page(client, scheme):
    manager = scheme["users"][Role.PANTRY_MANAGER]
    page = f"/introductions/{scheme['sent'].pk}/"
    sign_in(client, manager)
    assert 'name="answer"' in client.get(page).content.decode()
    shown = comes_back(client, manager, f"{page}answer/", {"answer": "decline", "reason": "full"}, page=page)
    assert SPOKEN in shown.content.decode()
    stranger = Client()
    sent = stranger.post(f"{page}answer/", {}, headers={"referer": "https://elsewhere.example/x"})
    assert sent.headers["Location"] == f"/accounts/login/?next={page}answer/"


def test_only_the_form_that_was_sent_is_filled_and_its_values_are_escaped():
    page = (
        '<!DOCTYPE html><p>a &amp; b &lt;</p><form method="get"><input name="q" value="1"></form>'
        '<form method="post" action="/x/"><input name="t" value=""></form>'
        '<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="T"><input name="t" value="old">'
        '<input type="file" name="f"><input type="checkbox" name="c" value="1" checked><select name="s">'
        '<option value="a" selected>A</option><option value="b">B</option></select>'
        '<textarea name="n">old &amp; gone</textarea></form><!-- end -->'
    )
    fields = {"t": ['"><script>'], "s": ["b"], "n": ["</textarea><b>"], "f": ["x"], "csrfmiddlewaretoken": ["Y"]}
    assert refill(page, path="/here/", action="/here/", fields=fields, notice="<hr>") == (
        '<!DOCTYPE html><p>a &amp; b &lt;</p><form method="get"><input name="q" value="1"></form>'
        '<form method="post" action="/x/"><input name="t" value=""></form>'
        '<hr><form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="T">'
        '<input name="t" value="&quot;&gt;&lt;script&gt;">'
        '<input type="file" name="f"><input type="checkbox" name="c" value="1"><select name="s">'
        '<option value="a">A</option><option value="b" selected>B</option></select>'
        '<textarea name="n">\n&lt;/textarea&gt;&lt;b&gt;</textarea></form><!-- end -->'
    )
    assert refill(page, path="/here/", action="/gone/", fields=fields, notice="<hr>") == page
