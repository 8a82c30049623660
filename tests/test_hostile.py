"""What nobody types by mistake: NUL bytes, days at the ends of time, ids of another scheme. Refused, never an error."""

import io
import logging
import logging.config

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from stockport_hubs.accounts.models import Role
from stockport_hubs.jobs import services as jobs
from tests import factories

pytestmark = pytest.mark.django_db
SEARCHED = {
    Role.PERSONAL_ADVISOR: ("careleavers:list", "referrals:list", "referrals:find"),
    Role.LEAVING_CARE_MANAGER: ("careleavers:list", "careleavers:cohort", "careleavers:cohort_tick", "referrals:list"),
    Role.PANTRY_MANAGER: ("pantry:members", "pantry:pantries", "pantry:renewals", "accounts:list"),
    Role.ADMINISTRATOR: ("accounts:list",),
}


@pytest.mark.parametrize("role", SEARCHED)
def test_a_search_for_nul_is_a_bad_request_and_no_error_of_the_database(client, role):
    client.force_login(factories.user(role))
    for name in SEARCHED[role]:
        assert client.get(reverse(name), {"q": "a"}).status_code == 200, name
        assert client.get(reverse(name), {"q": "a\0"}).status_code == 400, name


def test_a_cookie_with_nul_is_a_bad_request(client):
    client.cookies["sessionid"] = "0123456789\0"
    answer = client.get(reverse("account_login"))
    assert answer.status_code == 400
    assert "We could not read that" in answer.content.decode()


def test_counts_of_wrong_passwords_are_not_pushed_out_by_many_others():
    cache.set("a-count-of-wrong-passwords", 5, 300)
    for number in range(400):
        cache.set(f"zz-another-{number}", 1, 300)
    assert cache.get("a-count-of-wrong-passwords") == 5


@pytest.mark.parametrize("year", ["0001", "1899", "2200", "9999"])
def test_a_day_at_the_ends_of_time_is_refused_with_the_years_there_are(client, year):
    client.force_login(factories.user(Role.LEAVING_CARE_MANAGER))
    day = {"starts_on_day": "1", "starts_on_month": "1", "starts_on_year": year}
    given = {"operator": factories.operator().pk, "name": "Words", "block_weeks": "26", "renews_automatically": "yes"}
    given |= {"tops_up_price_rises": "no", "hold_after_weeks_without_collection": "6", "budget_pence": "100.00"}
    answer = client.post(reverse("pantry:agreement_add"), given | day)
    assert answer.status_code == 200
    assert answer.context["form"].errors == {"starts_on": ["First day must have a year from 1900 to 2199"]}


def test_the_address_of_an_account_has_no_page(client):
    client.force_login(factories.user(Role.ADMINISTRATOR))
    assert client.get("/accounts/email/").status_code == 404
    assert client.post("/accounts/email/", {"action_add": "1", "email": "other@example.org"}).status_code == 404


def test_the_e_mail_for_a_new_password_leads_to_the_sites_own_address(client, settings, mailoutbox):
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://hubs.example.org", ["*"]
    someone = factories.user(Role.PANTRY_VOLUNTEER)
    for email in (someone.email, "nobody@example.org"):
        client.post("/accounts/password/reset/", {"email": email}, headers={"host": "evil.example"})
    jobs.pump()
    [told] = mailoutbox
    assert (told.to, told.subject) == ([someone.email], "A new password for Stockport Hubs")
    assert "\nhttps://hubs.example.org/accounts/password/reset/key/" in told.body
    assert "evil.example" not in told.body


def test_an_error_is_logged_by_its_kind_and_place_without_the_row_it_speaks_of():
    name = configured.LOGGING["formatters"]["line"]
    made = logging.config.DictConfigurator(configured.LOGGING).configure_formatter(dict(name))
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(made)
    log = logging.Logger("tried")
    log.addHandler(handler)
    try:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT Zephyrine")
        except Exception as error:
            raise IntegrityError("DETAIL: Failing row contains (Kim, Zephyrine)") from error
    except IntegrityError:
        log.warning("Internal Server Error: /people/", exc_info=True)
    lines = written.getvalue()
    assert lines.startswith("WARNING tried Internal Server Error: /people/\n")
    assert "test_an_error_is_logged" in lines and lines.rstrip().endswith("django.db.utils.IntegrityError")
    assert "OperationalError" in lines or "UndefinedColumn" in lines
    assert "Kim" not in lines.replace('raise IntegrityError("DETAIL: Failing row contains (Kim, Zephyrine)")', "")
