"""Accounts: invitations, joining, deactivation; who may administer whom."""

from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from stockport_hubs.accounts.models import Invitation, Organisation, Role, User
from stockport_hubs.administration import services
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job
from stockport_hubs.notifications.models import Message

pytestmark = pytest.mark.django_db
NOW = datetime(2021, 4, 12, 9, 0, tzinfo=UTC)
PASSWORD = "a long enough password 7"


@pytest.fixture
def council():
    return Organisation.objects.create(name="Invented Council", kind="council")


@pytest.fixture
def operator():
    return Organisation.objects.create(name="Invented Homes", kind="operator")


def account(role, organisation, email=None, **more):
    values = {"name": "Sam Invented", "is_active": True, "invited_at": NOW, "joined_at": NOW} | more
    user = User(email=email or f"{role}@example.org", role=role, organisation=organisation, **values)
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def admin(council):
    return account(Role.ADMINISTRATOR, council)


@pytest.fixture
def pantry_manager(operator):
    return account(Role.PANTRY_MANAGER, operator)


def invite(organisation, role=Role.PERSONAL_ADVISOR, email="new@example.org", *, by, at=None, name="New Person"):
    return services.invite(email=email, name=name, role=role, organisation=organisation, by=by, at=at or clock.now())


def verbs():
    return list(AuditEvent.objects.order_by("id").values_list("verb", flat=True))


# -- invitations -------------------------------------------------------------------------------------------------------


def test_an_invitation_makes_the_inactive_account_and_keeps_only_the_hash_of_the_token(admin, council):
    user, path = invite(council, by=admin, email="New@Example.ORG", at=NOW)
    token = path.strip("/").split("/")[-1]
    invitation = user.invitations.get()
    assert (user.email, user.is_active, user.joined_at, user.role) == (
        "new@example.org",
        False,
        None,
        "personal_advisor",
    )
    assert invitation.token_hash == services.hash_of(token) != token
    assert invitation.expires_at == NOW + timedelta(days=14)
    assert verbs() == ["administration.account.invited"]
    stored = [str(value) for row in (*Invitation.objects.values(), *Message.objects.values()) for value in row.values()]
    assert [value for value in stored if token in value] == []


def test_the_e_mail_carries_the_link_made_at_the_moment_of_sending(admin, council, mailoutbox, settings):
    settings.SITE_URL = "https://hubs.example.org"
    _, path = invite(council, by=admin)
    assert mailoutbox == []
    assert jobs.pump() == 1
    assert [message.to for message in mailoutbox] == [["new@example.org"]]
    assert f"https://hubs.example.org{path}\n" in mailoutbox[0].body


def test_a_second_invitation_withdraws_the_first_and_its_e_mail(admin, council, mailoutbox):
    user, first = invite(council, by=admin)
    _, second = invite(council, by=admin)
    assert first != second
    assert user.invitations.filter(used_at=None, withdrawn_at=None).count() == 1
    jobs.pump()
    assert [second in message.body for message in mailoutbox] == [True]
    assert list(Message.objects.order_by("created_at").values_list("refused_because", flat=True)) == [
        "The invitation is used, withdrawn or has run out.",
        "",
    ]


def test_the_database_refuses_two_open_invitations(admin, council):
    user, _ = invite(council, by=admin)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.create(user=user, token_hash="x", created_at=NOW, expires_at=NOW + timedelta(days=1))


@pytest.mark.parametrize(
    "role, kind, refused",
    [(role, kind, (role in ("pantry_volunteer", "pantry_manager")) != (kind == "operator"))
     for role in Role.values for kind in ("council", "operator")],
)  # fmt: skip
def test_a_role_belongs_to_its_kind_of_organisation(role, kind, refused, admin, council, operator):
    organisation = council if kind == "council" else operator
    if refused:
        with pytest.raises(Refused, match="choose another"):
            invite(organisation, role, by=admin)
        assert not User.objects.filter(email="new@example.org").exists()
    else:
        assert invite(organisation, role, by=admin)[0].role == role


def test_a_pantry_manager_invites_own_volunteers_only(pantry_manager, operator, council):
    other = Organisation.objects.create(name="Other Homes", kind="operator")
    assert invite(operator, Role.PANTRY_VOLUNTEER, by=pantry_manager)[0].organisation == operator
    for organisation, role in [
        (operator, Role.PANTRY_MANAGER),
        (other, Role.PANTRY_VOLUNTEER),
        (council, Role.ADMINISTRATOR),
    ]:
        with pytest.raises(Refused, match="your own organisation only"):
            invite(organisation, role, "second@example.org", by=pantry_manager)


def test_an_address_with_an_account_is_refused_with_the_reason(admin, council, operator):
    joined = account(Role.PERSONAL_ADVISOR, council, "joined@example.org")
    with pytest.raises(Refused, match="already has an account"):
        invite(council, email="joined@example.org", by=admin)
    services.deactivate(user=joined, by=admin, at=NOW)
    with pytest.raises(Refused, match="deactivated account"):
        invite(council, email="joined@example.org", by=admin)
    invite(council, by=admin)
    with pytest.raises(Refused, match="already invited as personal advisor at Invented Council"):
        invite(operator, Role.PANTRY_VOLUNTEER, by=admin)


# -- joining -----------------------------------------------------------------------------------------------------------


def test_joining_makes_the_account_active_once(admin, council):
    user, path = invite(council, by=admin, at=NOW)
    invitation = services.find_invitation(path.strip("/").split("/")[-1])
    services.join(invitation=invitation, name="New Name", password=PASSWORD, at=NOW)
    user.refresh_from_db()
    assert (user.is_active, user.name, user.joined_at, user.check_password(PASSWORD)) == (True, "New Name", NOW, True)
    with pytest.raises(Refused, match="has been used"):
        services.join(invitation=invitation, name="Second", password="another password 99", at=NOW)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"used_at": NOW}, "has been used"),
        ({"withdrawn_at": NOW}, "has been withdrawn"),
        ({"expires_at": NOW + timedelta(seconds=1)}, "has run out"),
    ],
)
def test_an_invitation_that_is_over_says_so(change, words, admin, council):
    user, path = invite(council, by=admin, at=NOW)
    Invitation.objects.update(**change)
    invitation = services.find_invitation(path.strip("/").split("/")[-1])
    with pytest.raises(Refused, match=words):
        services.join(invitation=invitation, name="X", password=PASSWORD, at=NOW + timedelta(seconds=1))
    user.refresh_from_db()
    assert not user.is_active


# -- the command -------------------------------------------------------------------------------------------------------


def run_invite(capsys, *args):
    call_command("invite", *args)
    return capsys.readouterr().out.strip().splitlines()


def test_the_first_administrator_comes_by_the_command_and_makes_the_council(capsys, mailoutbox):
    with pytest.raises(CommandError, match="--organisation NAME. There is none yet."):
        call_command("invite", "first.admin@example.org", "--role", "administrator")
    lines = run_invite(capsys, "first.admin@example.org", "--role", "administrator", "--organisation", "New Council")
    user = User.objects.get()
    assert (user.name, user.email, user.organisation.name, user.organisation.kind) == (
        "First Admin", "first.admin@example.org", "New Council", "council",
    )  # fmt: skip
    assert lines[-1].startswith("http://127.0.0.1:8000/join/")
    assert services.find_invitation(lines[-1].rstrip("/").split("/")[-1]).user == user
    assert verbs() == ["administration.organisation.added", "administration.account.invited"]
    assert Message.objects.count() == 0
    assert len(run_invite(capsys, "second@example.org", "--role", "finance_officer")) == 2


def test_the_command_refuses_in_words_and_saves_nothing(council):
    for args, words in [
        (("nonsense", "--role", "administrator"), "not an e-mail address"),
        (("a@example.org", "--role", "administrator", "--organisation", "Elsewhere"), "Known: Invented Council."),
        (("a@example.org", "--role", "pantry_manager", "--organisation", "New Homes"), "page Accounts"),
    ]:
        with pytest.raises(CommandError, match=words):
            call_command("invite", *args)
    assert (User.objects.count(), Organisation.objects.count(), verbs()) == (0, 1, [])


# -- deactivation ------------------------------------------------------------------------------------------------------


def test_deactivation_ends_sessions_and_invitations_at_once(client, admin, council):
    user = account(Role.PERSONAL_ADVISOR, council)
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(user.pk)
    services.deactivate(user=user, by=admin, at=NOW)
    assert client.get("/accounts/password/change/").status_code == 302
    services.reactivate(user=user, by=admin, at=NOW)
    # The old session is gone for good, not asleep.
    assert client.get("/accounts/password/change/").status_code == 302
    assert verbs() == ["administration.account.deactivated", "administration.account.reactivated"]


def test_deactivation_withdraws_the_open_invitation_and_reactivation_sends_a_new_one(admin, council):
    user, path = invite(council, by=admin)
    services.deactivate(user=user, by=admin, at=clock.now())
    assert "withdrawn" in services.why_not(services.find_invitation(path.strip("/").split("/")[-1]), at=clock.now())
    services.reactivate(user=user, by=admin, at=clock.now())
    user.refresh_from_db()
    assert (user.is_active, user.invitations.count()) == (False, 2)


def test_nobody_deactivates_themselves(admin):
    with pytest.raises(Refused, match="your own account"):
        services.deactivate(user=admin, by=admin, at=NOW)


# -- pages -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def signed_in(client):
    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


def join_path(user):
    invitation = user.invitations.get(used_at=None, withdrawn_at=None)
    return f"/join/{services.token_of(invitation)}/"


def test_joining_by_browser_pins_the_address_and_signs_in(client, admin, council):
    user, path = invite(council, by=admin)
    page = client.get(path)
    assert page.status_code == 200
    assert b"personal advisor" in page.content and b"new@example.org" in page.content
    answers = {"name": "New  Person", "password": PASSWORD, "password_again": PASSWORD, "email": "evil@example.org"}
    response = client.post(path, answers)
    user.refresh_from_db()
    assert (response.status_code, client.session["_auth_user_id"]) == (302, str(user.pk))
    assert (user.email, user.name, user.is_active) == ("new@example.org", "New Person", True)
    client.logout()
    assert client.get(path).status_code == 410


@pytest.mark.parametrize(
    "answers, words",
    [
        ({"password": "short", "password_again": "short"}, "at least 12 characters"),
        ({"password_again": "something else 12"}, "must be the same"),
        ({"password": "new@example.org", "password_again": "new@example.org"}, "too similar"),
        ({"name": ""}, "Enter full name"),
    ],
)
def test_what_is_wrong_with_a_password_is_said(answers, words, client, admin, council):
    user, path = invite(council, by=admin)
    page = client.post(path, {"name": "New", "password": PASSWORD, "password_again": PASSWORD} | answers)
    assert page.status_code == 200
    assert words in page.content.decode()
    user.refresh_from_db()
    assert not user.is_active


def test_links_that_are_over_get_a_page_in_words(client, admin, council):
    user, first = invite(council, by=admin)
    invite(council, by=admin)
    for path, status, words in [(first, 410, "withdrawn"), ("/join/nonsense/", 404, "do not know this link")]:
        page = client.get(path)
        assert (page.status_code, words in page.content.decode()) == (status, True)


def test_someone_signed_in_is_asked_to_sign_out_first(signed_in, admin, council):
    user, path = invite(council, by=admin)
    assert signed_in(admin).post(path, {"password": PASSWORD}).status_code == 409
    user.refresh_from_db()
    assert not user.is_active


def test_pantry_managers_see_and_touch_their_own_volunteers_only(signed_in, pantry_manager, operator, council):
    own = account(Role.PANTRY_VOLUNTEER, operator, "own@example.org", name="Own Volunteer")
    elsewhere = Organisation.objects.create(name="Other Homes", kind="operator")
    others = [
        account(Role.PANTRY_VOLUNTEER, elsewhere, "other@example.org", name="Other Volunteer"),
        account(Role.PERSONAL_ADVISOR, council, "advisor@example.org", name="Ann Advisor"),
        pantry_manager,
    ]
    client = signed_in(pantry_manager)
    page = client.get("/users/").content.decode()
    assert ("Own Volunteer" in page, "Other Volunteer" in page, "Ann Advisor" in page) == (True, False, False)
    assert client.get(f"/users/{own.pk}/").status_code == 200
    for other in others:
        for action in ("", "edit/", "deactivate/"):
            assert client.get(f"/users/{other.pk}/{action}").status_code == 404
        for action in ("edit/", "deactivate/", "reactivate/", "invite-again/"):
            assert client.post(f"/users/{other.pk}/{action}").status_code == 404
    assert User.objects.filter(deactivated_at__isnull=False).count() == 0


def test_a_pantry_manager_invites_a_volunteer_by_browser(signed_in, pantry_manager, operator, council):
    answers = {"name": "Val", "email": "val@example.org", "role": "administrator", "organisation": str(council.pk)}
    response = signed_in(pantry_manager).post("/users/invite/", answers)
    user = User.objects.get(email="val@example.org")
    assert response.headers["Location"] == f"/users/{user.pk}/"
    assert (user.role, user.organisation) == ("pantry_volunteer", operator)


def test_an_administrator_adds_an_operator_and_invites_its_manager(signed_in, admin, council):
    client = signed_in(admin)
    client.post("/users/organisations/add/", {"name": "New  Homes", "kind": "operator"})
    homes = Organisation.objects.get(name="New Homes")
    again = client.post("/users/organisations/add/", {"name": "new homes", "kind": "operator"})
    assert "already an organisation called" in again.content.decode()
    answers = {"name": "Mo", "email": "mo@example.org", "role": "pantry_manager", "organisation": str(council.pk)}
    refused = client.post("/users/invite/", answers).content.decode()
    assert "Choose a pantry operator for the role pantry manager" in refused
    client.post("/users/invite/", answers | {"organisation": str(homes.pk)})
    assert User.objects.get(email="mo@example.org").organisation == homes


@pytest.mark.parametrize("role", [r for r in Role if r not in (Role.ADMINISTRATOR, Role.PANTRY_MANAGER)])
def test_other_roles_have_no_door_to_accounts(role, client, council, operator):
    user = account(role, operator if role.startswith("pantry") else council)
    client.force_login(user)
    for path in ("", "invite/", "organisations/", "organisations/add/", f"{user.pk}/"):
        assert client.get(f"/users/{path}").status_code == 403


@pytest.mark.parametrize("rows", [1, 3])
def test_the_account_list_asks_four_queries_however_long(rows, signed_in, admin, council, django_assert_num_queries):
    for n in range(rows - 1):
        account(Role.FINANCE_OFFICER, council, f"{n}@example.org")
    client = signed_in(admin)
    with django_assert_num_queries(4):
        assert client.get("/users/").content.decode().count('scope="row"') == rows


def test_the_account_list_searches_and_filters(signed_in, admin, council):
    account(Role.FINANCE_OFFICER, council, "fin@example.org", name="Fran Finance")
    invite(council, by=admin, name="Ivy Invited")
    client = signed_in(admin)
    for query, names in [
        ("q=fran", ["Fran Finance"]),
        ("q=EXAMPLE+ivy", ["Ivy Invited"]),
        ("role=personal_advisor", ["Ivy Invited"]),
        ("state=active", ["Fran Finance", "Sam Invented"]),
        ("state=nonsense&page=99", ["Fran Finance", "Ivy Invited", "Sam Invented"]),
    ]:
        page = client.get(f"/users/?{query}")
        assert [each.name for each in page.context["page_obj"]] == names


def test_known_and_unknown_accounts_are_answered_alike(client, admin):
    def answer(login):
        page = client.post("/accounts/login/", {"login": login, "password": "wrong password here"})
        return page.status_code, page.content.decode().replace(login, "ADDRESS").replace(_csrf(page), "")

    def _csrf(page):
        return str(page.context["csrf_token"])

    known, unknown = answer(admin.email), answer("nobody@example.org")
    assert known == unknown
    assert known[0] == 200


def test_nobody_adds_or_changes_an_address_by_themselves(signed_in, admin, council, client):
    user, path = invite(council, by=admin)
    services.join(invitation=user.invitations.get(), name="New", password=PASSWORD, at=clock.now())
    signed_in(user)
    for action in ({"action_add": "", "email": "other@example.org"}, {"action_remove": "", "email": user.email}):
        client.post("/accounts/email/", action)
    assert list(EmailAddress.objects.filter(user=user).values_list("email", flat=True)) == ["new@example.org"]
    user.refresh_from_db()
    assert user.email == "new@example.org"


def test_a_new_password_cannot_be_asked_for_an_account_that_is_not_active(client, admin, council, mailoutbox):
    user, _ = invite(council, by=admin)
    gone = account(Role.PERSONAL_ADVISOR, council, "gone@example.org")
    services.deactivate(user=gone, by=admin, at=NOW)
    for email in (user.email, gone.email, admin.email):
        assert client.post("/accounts/password/reset/", {"email": email}).status_code == 302
    # The same work for each, so that the time tells nothing; one e-mail.
    assert (mailoutbox, Job.objects.filter(kind="administration.password_link").count()) == ([], 3)
    jobs.pump()
    assert [message.to for message in mailoutbox if "/password/reset/key/" in message.body] == [[admin.email]]
    assert gone.email not in [to for message in mailoutbox for to in message.to]


def test_after_five_wrong_passwords_even_the_right_one_is_not_tried(client, admin):
    for n in range(5):
        client.post("/accounts/login/", {"login": admin.email, "password": f"wrong password {n}"})
    client.post("/accounts/login/", {"login": admin.email, "password": PASSWORD})
    assert "_auth_user_id" not in client.session


def test_closed_doors_stay_closed(client, admin, council):
    page = client.post("/accounts/signup/", {"email": "self@example.org", "password1": PASSWORD})
    assert not User.objects.filter(email="self@example.org").exists()
    assert page.status_code == 200
    gone = account(Role.PERSONAL_ADVISOR, council, "gone@example.org")
    services.deactivate(user=gone, by=admin, at=NOW)
    client.post("/accounts/login/", {"login": gone.email, "password": PASSWORD})
    assert "_auth_user_id" not in client.session
