"""A hall's tablet: enrolled, unlocked with PINs, told the whitelist, believed no further than its token says."""

import base64
import json
import re
import threading
import uuid
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import connection
from django.test import Client
from django.urls import reverse

from pantry import card_codes, roster, tablet_list
from pantry.models import Collection, PantryStaff, PinTries, SelectedItem, Tablet, TabletEntry, Visitor, VolunteerPin
from pantry.services import cards, entries, envelopes, memberships, running, sorting, tablet_tokens, tablets, volunteers
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.counter_scene import NOW, WEDNESDAY, at
from tests.hall import PIN, Device, Hall

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def hall():
    with at():
        made = Hall()
        made.device.unlock(made.kit)
        yield made


def codes(outcomes: list[dict]) -> list[str]:
    return [each["outcome"] for each in outcomes]


# -- enrolling and unlocking -------------------------------------------------------------------------------------------


@pytest.mark.sqlite
def test_a_tablet_says_who_records_here_and_when_it_opens(hall):
    new, _ = volunteers.add(pantry=hall.pantry, called="Max", by=hall.pantry_manager, at=NOW)
    found = hall.device.get("state/")
    said = found.json()
    assert found["Cache-Control"] == "no-store"
    assert said["tablet"] == {"id": str(hall.tablet.pk), "name": "Blue tablet", "pantry": hall.pantry.name}
    assert [(each["called"], each["has_pin"]) for each in said["volunteers"]] == [
        ("Jo", False), ("Kit", True), ("Lou", True), ("Max", False)]  # fmt: skip
    assert said["sessions"] == [
        {"id": str(hall.session.pk), "pantry": hall.pantry.name, "on": "2026-04-08", "opens": "10:00",
         "closes": "12:00", "when": "now"}]  # fmt: skip
    assert said["settings"]["allowance"] == 10 and said["settings"]["bands"] == []
    with at(WEDNESDAY, "12:30"):
        later = hall.device.get("state/").json()["sessions"]
        assert [(each["on"], each["when"]) for each in later] == [("2026-04-08", "last"), ("2026-04-15", "next")]
    with at(WEDNESDAY + timedelta(days=1), "09:00"):
        later = hall.device.get("state/").json()["sessions"]
        assert [(each["on"], each["when"]) for each in later] == [("2026-04-15", "next"), ("2026-04-08", "last")]


@pytest.mark.sqlite
def test_a_starting_code_sets_a_pin_once_and_the_pin_opens_the_session(hall):
    user, code = volunteers.add(pantry=hall.pantry, called="Max", by=hall.pantry_manager, at=NOW)
    given = {"volunteer": str(user.pk), "code": code}
    for plain in ("111111", "123456", code, "12345", "abcdef"):
        assert hall.device.post("pin/", given | {"pin": plain}).status_code == 409
    done = hall.device.post("pin/", given | {"pin": "480913"})
    assert done.status_code == 200 and done.json()["volunteer"] == {"id": str(user.pk), "called": "Max"}
    token = tablet_tokens.read(done.json()["token"])
    assert (token.volunteer, token.tablet, token.sessions) == (user.pk, hall.tablet.pk, (hall.session.pk,))
    assert token.until == NOW + timedelta(days=14)
    assert hall.device.post("pin/", given | {"pin": "480914"}).status_code == 409  # used
    assert hall.device.unlock(user, "480913").json()["salt"] == done.json()["salt"]
    stored = VolunteerPin.objects.get(user=user)
    assert "480913" not in f"{stored.pin_hash}{stored.salt}" and stored.code_hash == ""


@pytest.mark.sqlite
def test_five_wrong_pins_in_all_close_the_name_on_this_tablet_until_a_new_code(hall):
    other, elsewhere = hall.enrol("Red tablet")
    said = [hall.device.unlock(hall.lou, "999998") for _ in range(3)]
    assert [(each.status_code, each.json().get("left")) for each in said] == [(403, 4), (403, 3), (403, 2)]
    assert hall.device.unlock(hall.lou).status_code == 200  # a right one gives none of them back today
    said = [hall.device.unlock(hall.lou, wrong).status_code for wrong in ("999998", "", PIN[:5], PIN)]
    assert said == [403, 410, 410, 410]
    assert hall.device.unlock(hall.kit).status_code == 200
    assert elsewhere.unlock(hall.lou).status_code == 200
    code = volunteers.new_code(user=hall.lou, pantry=hall.pantry, by=hall.pantry_manager, at=NOW)
    assert hall.device.unlock(hall.lou).status_code == 409  # the old PIN has ended
    assert hall.device.post("pin/", {"volunteer": str(hall.lou.pk), "code": code, "pin": PIN}).status_code == 200


@pytest.mark.sqlite
def test_wrong_pins_of_earlier_days_are_forgotten_with_a_right_one_and_not_by_waiting(hall):
    for _ in range(4):
        hall.device.unlock(hall.lou, "999998")
    with at(WEDNESDAY + timedelta(days=7)):
        assert hall.device.unlock(hall.lou).status_code == 200
        assert PinTries.objects.get(user=hall.lou).tries == 0
        assert [hall.device.unlock(hall.lou, "999998").status_code for _ in range(5)] == [403] * 4 + [410]
    with at(WEDNESDAY + timedelta(days=14)):
        assert hall.device.unlock(hall.lou).status_code == 410


@pytest.mark.sqlite
def test_wrong_codes_count_with_wrong_pins(hall):
    user, code = volunteers.add(pantry=hall.pantry, called="Max", by=hall.pantry_manager, at=NOW)
    given = {"volunteer": str(user.pk), "pin": "480913"}
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert [hall.device.post("pin/", given | {"code": wrong}).status_code for _ in range(5)] == [403] * 4 + [410]
    assert hall.device.post("pin/", given | {"code": code}).status_code == 410
    with at(WEDNESDAY + timedelta(days=8)):
        other, late = volunteers.add(pantry=hall.pantry, called="Ned", by=hall.pantry_manager, at=NOW)
        said = hall.device.post("pin/", {"volunteer": str(other.pk), "pin": "480913", "code": late})
        assert said.status_code == 409 and "run out" in said.json()["problem"]


@pytest.mark.promise("S1")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("counts", "looked_at"), [(True, 5), (False, 20)])
def test_of_twenty_wrong_pins_at_once_five_are_looked_at(monkeypatch, counts, looked_at):
    hall, looked, start = Hall(), [], threading.Barrier(20)
    monkeypatch.setattr(volunteers, "check_password", lambda *given: looked.append(given))
    if not counts:  # the control
        monkeypatch.setattr(volunteers, "_take", lambda *given: None)

    def guess():
        start.wait()
        try:
            volunteers.unlock(tablet=hall.tablet, user=hall.lou, pin="999998", at=NOW)
        except Refused:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(looked) == looked_at


@pytest.mark.sqlite
def test_names_are_one_first_name_without_telling_words_and_nobody_is_mixed_up(hall):
    given = {"pantry": hall.pantry, "by": hall.pantry_manager, "at": NOW}
    for name in ("Kit Smith", "kit", "J0", "", "x" * 31, "<b>", "Careleaver", hall.advisor.name):
        with pytest.raises(Refused):
            volunteers.add(called=name, **given)
    user, _ = volunteers.add(called=" Zoë-May ", **given)
    assert (user.name, user.email, user.role, user.is_active) == ("Zoë-May", None, Role.PANTRY_VOLUNTEER, True)
    twin = hall.another_volunteer("Jo Bloggs")
    called = volunteers.names(volunteers.working_at(hall.pantry, WEDNESDAY))
    assert (called[hall.volunteer.pk], called[twin.pk], called[user.pk]) == ("Jo E", "Jo B", "Zoë-May")
    stranger = factories.user(Role.PANTRY_MANAGER)
    with pytest.raises(Refused, match="The pantry manager looks after"):
        volunteers.add(called="Abe", pantry=hall.pantry, by=stranger, at=NOW)


@pytest.mark.sqlite
def test_who_has_no_email_address_signs_in_nowhere(hall, client):
    assert not hall.kit.has_usable_password()
    for login in ("", "None", "null", "Kit", str(hall.kit.pk)):
        client.post("/accounts/login/", {"login": login, "password": PIN})
        assert "_auth_user_id" not in client.session


# -- the cookie and the token ------------------------------------------------------------------------------------------


@pytest.mark.sqlite
@pytest.mark.parametrize("path", ["state/", "list/"])
def test_without_the_cookie_of_a_tablet_in_use_nothing_is_told(hall, path):
    assert hall.device.get("state/").status_code == 200
    stranger = Device("nothing-anybody-knows")
    stranger.token = hall.device.token
    assert (stranger.get(path).status_code, Client().get(f"/tablet/{path}").status_code) == (401, 401)
    tablets.revoke(tablet=hall.tablet, by=hall.pantry_manager, at=NOW)
    said = hall.device.get(path)
    assert (said.status_code, said.json()) == (
        401, {"problem": "This tablet is not in use. Ask the pantry manager to set it up."})  # fmt: skip
    assert hall.device.unlock(hall.kit).status_code == 401


def listed(hall, **headers):
    return hall.device.get(f"list/?session={hall.session.pk}", **headers)


@pytest.mark.sqlite
def test_the_list_holds_the_whitelist_and_nothing_else_and_is_logged(hall):
    member = hall.join(preferred_name="Ash", needs=[("allergen", "milk"), ("language", "Dari")])
    card = cards.make(membership=member, by=hall.pantry_manager, at=NOW)
    hall.join(pantry=factories.pantry(hall.operator), agreement=None, preferred_name="Bo", needs=[("diet", "halal")])
    [done] = hall.device.send(hall.entry(member=member))
    assert done["outcome"] == "recorded"
    said = listed(hall)
    shown = said.json()
    ash, other = shown["members"]
    key = str(Collection.objects.get().key)
    assert ash == {
        "id": str(member.pk), "number": member.number, "called": "Ash", "may_shop": False, "words": "", "to_pay": 0,
        "left": 0, "allowance": 10, "needs": ["Allergy: milk"], "interpreter": "Dari", "no_cooking": False,
        "first_visit": True, "here": True, "card": card_codes.digest(card.code),
        "collected": {"words": "Collected today 10:42 by Kit", "taken": "10 items, fruit and veg", "key": key},
    }  # fmt: skip
    assert (other["called"], other["needs"], other["here"], other["card"]) == ("Number only", [], False, "")
    assert card.code not in said.content.decode()  # what the list holds makes no card
    assert (other["words"], other["to_pay"]) == ("Member of another pantry, may shop", 1350)
    assert (shown["session"], shown["on"], said["Cache-Control"]) == (str(hall.session.pk), "2026-04-08", "no-store")
    event = AuditEvent.objects.filter(verb="pantry.session.viewed").get()
    assert event.by == hall.kit and event.subjects.count() == 2
    again = listed(hall, **{"If-None-Match": f"W/{said['ETag']}"})
    assert (again.status_code, again.content) == (304, b"")
    assert AuditEvent.objects.filter(verb="pantry.session.viewed").count() == 1


@pytest.mark.sqlite
def test_members_from_elsewhere_are_told_as_one_by_one(hall):
    """The rows made for all at once are those made for one who was asked for by number."""
    far = factories.pantry(hall.operator, weekly=450, joining=500)
    members = [hall.join(pantry=far), hall.join(pantry=far, agreement=None), hall.join(pantry=far, agreement=None)]
    memberships.pause(membership=members[0], on=WEDNESDAY, by=hall.pantry_manager, at=NOW)
    hall.record(members[2])

    def both():
        given = {"by": hall.kit, "today": WEDNESDAY}
        one = [roster.row_of(hall.session, member, **given) for member in members]
        return roster.elsewhere(hall.session, **given), one

    every, single = both()
    assert every == single and [row.to_pay_pence for row in every] == [0, 950, 0]
    hall.session.pantry.welcomes_other_pantries = False
    every, single = both()
    assert every == single and not any(row.may_shop for row in every)


@pytest.mark.sqlite
def test_a_long_list_takes_as_many_queries_as_a_short_one(hall, django_assert_num_queries):
    far = factories.pantry(hall.operator)
    for n in (1, 3):
        for _ in range(n):
            hall.join(), hall.join(agreement=None), hall.join(pantry=far, agreement=None)
        with django_assert_num_queries(26):
            assert listed(hall).status_code == 200


@pytest.mark.sqlite
def test_a_token_shows_lists_for_twelve_hours_on_its_tablet_and_its_sessions_only(hall):
    hall.join()
    assert listed(hall).status_code == 200
    tomorrow = hall.open(WEDNESDAY + timedelta(days=7))
    assert hall.device.get(f"list/?session={tomorrow.pk}").status_code == 404
    assert hall.device.get("list/?session=nothing").status_code == 404
    other, elsewhere = hall.enrol("Red tablet")
    elsewhere.token = hall.device.token
    assert elsewhere.get(f"list/?session={hall.session.pk}").status_code == 403
    hall.device.token, kept = hall.device.token[:-1] + "x", hall.device.token
    assert listed(hall).status_code == 403
    hall.device.token = kept
    with at(WEDNESDAY, "22:43"):
        assert listed(hall).status_code == 403
    with at(WEDNESDAY, "09:00"):
        assert listed(hall).status_code == 403  # the tablet's PIN was entered later than now


ENDINGS = {
    "deactivated": lambda hall: volunteers.deactivate(
        user=hall.kit, pantry=hall.pantry, by=hall.pantry_manager, at=NOW + timedelta(seconds=1)
    ),
    "another pantry": lambda hall: PantryStaff.objects.filter(user=hall.kit).delete(),
    "another role": lambda hall: User.objects.filter(pk=hall.kit.pk).update(
        email="k@example.org", role="finance_officer"
    ),
    "another organisation": lambda hall: User.objects.filter(pk=hall.kit.pk).update(organisation=factories.operator()),
    "a new code": lambda hall: volunteers.new_code(
        user=hall.kit, pantry=hall.pantry, by=hall.pantry_manager, at=NOW + timedelta(seconds=1)
    ),
    "access changed": lambda hall: User.objects.filter(pk=hall.kit.pk).update(
        access_changed_at=NOW + timedelta(seconds=1)
    ),
}


@pytest.mark.sqlite
@pytest.mark.promise("A5")
@pytest.mark.parametrize("what", ENDINGS)
def test_an_ending_takes_effect_with_the_tablets_next_request(hall, what):
    hall.join()
    with at(WEDNESDAY, "10:43"):
        assert listed(hall).status_code == 200
        ENDINGS[what](hall)
        said = listed(hall)
        assert (said.status_code, said.json()) == (403, {"problem": "Enter your PIN again to see the list."})
        shown = [each["called"] for each in hall.device.get("state/").json()["volunteers"]]
        still = what in ("a new code", "access changed")
        assert ("Kit" in shown) == still
        assert hall.device.unlock(hall.kit).status_code == {"a new code": 409, "access changed": 200}.get(what, 404)


# -- what is sent ------------------------------------------------------------------------------------------------------


def test_an_entry_is_recorded_once_by_whose_pin_it_was_and_keeps_who_sent_it(hall):
    member = hall.join()
    entry = hall.entry(member=member, at=NOW - timedelta(minutes=20))
    hall.device.unlock(hall.lou)
    first, again = hall.device.send(entry), hall.device.send(entry, entry)
    assert (codes(first), codes(again)) == (["recorded"], ["same", "same"])
    made, row = Collection.objects.get(), TabletEntry.objects.get()
    assert (made.recorded_by, made.collected_at, made.is_late) == (hall.kit, NOW - timedelta(minutes=20), False)
    assert (row.recorded_by, row.sent_by, row.tablet) == (hall.kit, hall.lou, hall.tablet)
    assert (row.became_id, row.is_told_time, row.body, row.outcome) == (made.pk, True, {}, "recorded")


@pytest.mark.sqlite
def test_the_members_page_tells_the_manager_on_which_tablet_and_when_it_was_sent(hall, client):
    member, elsewhere = hall.join(), hall.join()
    entry = hall.entry(member=member, at=NOW - timedelta(minutes=20))
    odd = hall.entry(member=elsewhere, quantities={"": 30})
    hall.device.unlock(hall.lou)
    assert codes(hall.device.send(entry, odd)) == ["recorded", "held"]
    held = TabletEntry.objects.to_sort_out().get()
    sorting.settle(entry=held, override="agreed", by=hall.pantry_manager, at=NOW)

    def said(member) -> str:
        client.force_login(hall.pantry_manager)
        page = client.get(reverse("pantry:member", args=[member.pk])).content.decode()
        return re.search(r'data-label="Recorded by">(.*?)</td>', page)[1]

    assert said(member) == "Kit, on Blue tablet; sent 8 April 2026, 10:42 by Lou"
    settled = f"{hall.pantry_manager.name}, on Blue tablet by Kit; sent 8 April 2026, 10:42 by Lou"
    assert said(elsewhere) == settled
    quick = hall.join()
    assert codes(hall.device.send(hall.entry(member=quick))) == ["recorded"]
    assert said(quick) == "Lou, on Blue tablet"
    with at(WEDNESDAY + timedelta(days=1)):
        late = hall.join()
        hall.device.token, _ = "", hall.device.unlock(hall.lou)
        entry = hall.entry(member=late, session=hall.session)
        token = volunteers.token_for(hall.lou, hall.tablet, at=NOW).sign()
        assert codes(hall.device.send(entry | {"token": token})) == ["recorded"]
        assert said(late).startswith("Lou, on Blue tablet; sent 9 April 2026, 10:42")


def test_numbers_quantities_void_and_visitors_arrive_as_they_were_recorded(hall):
    far = hall.join(pantry=factories.pantry(hall.operator), agreement=None)
    by_number = hall.entry(number=far.number, quantities={"": 4}, fruit=False, paid=False)
    undone = hall.entry(member=hall.join())
    undo = hall.entry("void", collection_key=undone["key"], reason="Recorded by mistake")
    guest = hall.entry("visitor", called="Vi")
    assert codes(hall.device.send(by_number, undone, undo, guest)) == ["recorded"] * 4
    first = Collection.objects.get(key=by_number["key"])
    assert (first.membership, first.paid_pence, first.fruit_and_veg) == (far, 0, False)
    assert SelectedItem.objects.filter(collection=first).values_list("quantity", flat=True).get() == 4
    assert Collection.objects.get(key=undone["key"]).void_reason == "Recorded by mistake"
    assert Visitor.objects.get().called == "Vi"


def close(body: dict, address: str) -> str:
    """As the device does (static/js/tablet/envelope.js)."""
    own, theirs = ec.generate_private_key(envelopes.CURVE), base64.b64decode(address)
    point = own.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = own.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(envelopes.CURVE, theirs))
    rest = envelopes.key_of(shared, point).encrypt(b"n" * 12, json.dumps(body).encode(), None)
    return base64.b64encode(point + b"n" * 12 + rest).decode()


@pytest.mark.sqlite
def test_what_was_closed_on_the_device_is_opened_here_alone_and_also_after_the_key_was_changed(hall, settings):
    address = hall.device.get("state/").json()["address"]
    guest = hall.entry("visitor", closed=close({"called": "Vi"}, address))
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another one", [settings.SECRET_KEY]
    assert codes(hall.device.send(guest, guest)) == ["recorded", "same"]
    assert Visitor.objects.get().called == "Vi"
    settings.SECRET_KEY_FALLBACKS = []
    hall.device.token = volunteers.token_for(hall.kit, hall.tablet, at=NOW).sign()
    whole = base64.b64decode(close({"called": "Vi"}, hall.device.get("state/").json()["address"]))
    broken = [guest["closed"], "", "x", "é", None, 3, [], {}, base64.b64encode(whole[:-1]).decode(), "A" * 9000]
    broken += [base64.b64encode(bytes([each]) + whole[1:]).decode() for each in (0, 2, 5)]
    broken += [close(each, hall.device.get("state/").json()["address"]) for each in ([], "x", None, 1)]
    outcomes = hall.device.send(*(hall.entry("visitor", closed=each) for each in broken))
    assert {(each["outcome"], each["words"]) for each in outcomes} == {("refused", entries.NOT_WHOLE)}
    assert Visitor.objects.count() == 1


@pytest.mark.sqlite
def test_what_does_not_arrive_whole_or_signed_is_refused_and_leaves_nothing(hall):
    entry = hall.entry(member=hall.join())
    broken = [
        *("text", None, 7, [], {}),
        {**entry, "key": "1"}, {**entry, "session": None}, {**entry, "kind": "Drop table"}, {**entry, "kind": 3},
        {**entry, "reason": "x" * 5000}, {**entry, "called": "a\0b"}, {**entry, "called": "\ud800"},
        {**entry, "token": ""}, {**entry, "token": None}, {**entry, "token": entry["token"][:-2] + "xx"},
        {name: value for name, value in entry.items() if name != "token"},
    ]  # fmt: skip
    outcomes = hall.device.send(*broken)
    assert codes(outcomes) == ["refused"] * len(broken)
    assert {each["words"] for each in outcomes} == {entries.NOT_WHOLE, entries.NOT_SIGNED}
    assert (TabletEntry.objects.count(), Collection.objects.count()) == (0, 0)
    endless = json.dumps({"entries": [entry | {"more": 7777}]}).replace("7777", "1e999")  # no database's JSON holds it
    said = hall.device.client.post("/tablet/entries/", endless, content_type="application/json")
    assert said.json()["outcomes"][0]["words"] == entries.NOT_WHOLE
    for body in ([], {"entries": {}}, {"entries": "x"}, "x"):
        assert hall.device.post("entries/", body).status_code == 400
    assert hall.device.client.post("/tablet/entries/", {"entries": "[]"}).status_code == 400
    assert hall.device.post("entries/", {"entries": [{}] * 51}).status_code == 413


@pytest.mark.sqlite
def test_odd_bodies_are_held_and_never_a_server_error(hall):
    odd = [
        {"member": "x"}, {"number": -1}, {"number": True}, {"number": "7001"}, {"number": 10**30},
        {"quantities": []}, {"quantities": {"x": 1}}, {"quantities": {"": 1.5}}, {"quantities": {"": -1}},
        {"quantities": {"": 10**30}}, {"fruit": "yes"}, {"override": ["x"]}, {"override": "x" * 30}, {"paid": 0},
    ]  # fmt: skip
    given = {"member": str(hall.join().pk)}
    sent = [hall.entry(**(body if {"member", "number"} & set(body) else given | body)) for body in odd]
    sent += [hall.entry("void", collection_key=key) for key in ("x", None, 3)]
    sent += [hall.entry("visitor", called=called) for called in (["x"], "x" * 61, "the careleaver")]
    sent += [hall.entry("unheard_of", at=NOW, more={"a": [1]})]
    assert codes(hall.device.send(*sent)) == ["held"] * len(sent)
    assert Collection.objects.count() == 0 and TabletEntry.objects.to_sort_out().count() == len(sent)
    words = " ".join(each.why for each in TabletEntry.objects.all())
    assert not re.search(r"careleaver|Error|Traceback", words)


@pytest.mark.sqlite
@pytest.mark.logs_errors
def test_a_fault_holds_one_entry_and_lets_the_others_through(hall, monkeypatch):
    def broken(entry, **given):
        raise ZeroDivisionError

    monkeypatch.setitem(entries.HANDLERS, "visitor", broken)
    said = hall.device.send(hall.entry("visitor"), hall.entry(member=hall.join()))
    assert codes(said) == ["held", "recorded"]
    assert said[0]["words"] == entries.NOT_DONE


@pytest.mark.sqlite
def test_a_version_follows_from_what_is_shown_notes_and_rota_with_it(hall):
    def told() -> dict:
        return tablet_list.day(hall.session, by=hall.kit, today=WEDNESDAY)

    first, given = told(), {"pantry": hall.pantry, "by": hall.pantry_manager, "at": NOW}
    hall.join()
    versions = [tablet_list.version(first), tablet_list.version(told())]
    running.write_note(text="Bring bags.", from_on=WEDNESDAY, until_on=WEDNESDAY, **given)
    versions.append(tablet_list.version(told()))
    for user in (hall.lou, hall.volunteer):
        running.put_down(on=WEDNESDAY, opens=hall.session.opens, user=user, **given)
    twin = hall.another_volunteer("Jo Bloggs")
    running.put_down(on=WEDNESDAY, opens=hall.session.opens, user=twin, **given)
    versions.append(tablet_list.version(told()))
    assert versions[0] == tablet_list.version(first) and len(set(versions)) == 4
    assert (told()["notes"], told()["down"]) == (["Bring bags."], ["Jo B", "Jo E", "Lou"])
    assert json.loads(json.dumps(first, default=str)) == first


# -- attacked ----------------------------------------------------------------------------------------------------------


@pytest.mark.sqlite
def test_a_stolen_token_is_nothing_without_its_tablets_cookie_and_little_with_another(hall):
    entry, token = hall.entry(member=hall.join()), hall.device.token
    stolen = Device("")
    stolen.token = token
    assert stolen.post("entries/", {"entries": [entry]}).status_code == 401
    _, red = hall.enrol("Red tablet")
    assert codes(red.send(entry)) == ["held"] and Collection.objects.count() == 0
    far = factories.pantry(hall.operator)  # of another pantry of the operator
    _, away = hall.enrol("Far tablet", far)
    away.unlock(hall.add("Ida", far))
    assert codes(hall.device.send(hall.entry(member=hall.join()) | {"token": away.token})) == ["held"]
    assert Collection.objects.count() == 0


@pytest.mark.sqlite
def test_what_another_sites_page_can_send_is_not_taken(hall):
    """No form can send JSON, and the cookie does not go with what other sites send."""
    entry = {"entries": [hall.entry(member=hall.join())]}
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        body, url = json.dumps(entry), "/tablet/entries/"
        assert hall.device.client.post(url, body, content_type=kind).status_code == 400
    cookie = hall.device.get("state/").cookies["tablet"]
    assert (cookie["samesite"], cookie["httponly"], cookie["path"]) == ("Strict", True, "/tablet/")
    assert Collection.objects.count() == 0


@pytest.mark.sqlite
def test_a_tablet_opens_no_page_and_a_signed_in_person_no_tablet(hall, client):
    for path in (f"/pantry/sessions/{hall.session.pk}/", "/pantry/today/", "/tablet/enrol/"):
        assert hall.device.client.get(path).status_code == 302  # to sign in
    client.force_login(hall.volunteer)
    assert client.get("/tablet/state/").status_code == 401
    assert client.get("/tablet/enrol/").status_code == 403


@pytest.mark.sqlite
def test_setting_a_tablet_up_signs_the_manager_out_there(hall, client):
    client.force_login(hall.pantry_manager)
    client.cookies["tablet"] = hall.device.client.cookies["tablet"].value
    assert "This device is Blue tablet of" in client.get("/tablet/enrol/").content.decode()
    again = client.post("/tablet/enrol/", {"pantry": hall.pantry.pk, "name": "Blue tablet"})
    assert again.status_code == 200 and "has a tablet called Blue tablet already" in again.content.decode()
    elsewhere = factories.pantry()
    assert client.post("/tablet/enrol/", {"pantry": elsewhere.pk, "name": "Mine"}).status_code == 200
    done = client.post("/tablet/enrol/", {"pantry": hall.pantry.pk, "name": "Green tablet"})
    assert (done.status_code, done["Location"]) == (302, "/tablet/")
    assert client.get("/tablet/state/").json()["tablet"]["name"] == "Green tablet"
    assert client.get("/pantry/today/").status_code == 302  # to sign in
    stored = Tablet.objects.get(name="Green tablet")
    assert client.cookies["tablet"].value not in (stored.secret_hash, str(stored.pk))


@pytest.mark.sqlite
def test_the_managers_page_shows_a_code_once_and_who_is_closed_out(hall, client):
    client.force_login(hall.pantry_manager)
    page = reverse("pantry:tablets", args=[hall.pantry.pk])
    shown = client.post(page, {"called": "Max"}).content.decode()
    code = re.search(r"<strong>(\d{3}) (\d{3})</strong>", shown)
    user = User.objects.get(name="Max")
    given = {"volunteer": str(user.pk), "code": "".join(code.groups()), "pin": "480913"}
    assert hall.device.post("pin/", given).status_code == 200
    for _ in range(5):
        hall.device.unlock(hall.lou, "999998")
    found = client.get(page).content.decode()
    assert "Closed on Blue tablet" in found and "".join(code.groups()) not in found
    fresh = client.post(reverse("pantry:volunteer_code", args=[hall.pantry.pk, hall.lou.pk])).content.decode()
    assert "Starting code for Lou" in fresh
    assert "Closed on Blue tablet" not in client.get(page).content.decode()
    client.post(reverse("pantry:volunteer_end", args=[hall.pantry.pk, hall.lou.pk]))
    assert hall.device.unlock(hall.lou).status_code == 404
    by_email = reverse("pantry:volunteer_end", args=[hall.pantry.pk, hall.volunteer.pk])
    assert "signs in by email" in client.post(by_email, follow=True).content.decode()
    assert "Out of use" not in found
    client.post(reverse("pantry:tablet_revoke", args=[hall.tablet.pk]))
    assert hall.device.get("state/").status_code == 401
    found = client.get(page).content.decode()
    by = f'data-label="Taken out of use">8 April 2026, 10:42 by {hall.pantry_manager.name}<'
    assert "No tablet is in use here" in found and by in found


@pytest.mark.promise("C1")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("same_key", [True, False])
def test_the_same_entry_many_times_at_once_is_one_row_and_many_for_one_member_count_once(same_key):
    with at():
        hall = Hall()
        hall.device.token = volunteers.token_for(hall.kit, hall.tablet, at=NOW).sign()
        entry, told, start = hall.entry(member=hall.join()), [], threading.Barrier(12)

    def send(n: int):
        start.wait()
        mine = entry if same_key else entry | {"key": str(uuid.uuid5(uuid.UUID(entry["key"]), str(n)))}
        try:
            told.extend(entries.receive(tablet=hall.tablet, entries=[mine], sent_by=None, at=NOW))
        finally:
            connection.close()

    threads = [threading.Thread(target=send, args=[n]) for n in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(codes(told)) == (["recorded"] + ["same"] * 11 if same_key else ["held"] * 11 + ["recorded"])
    assert (Collection.objects.count(), TabletEntry.objects.count()) == (1, 1 if same_key else 12)
