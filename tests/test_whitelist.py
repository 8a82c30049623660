"""What a volunteer can get: the whitelist of rules.md over every page, error, header, address, file and e-mail (A3).

One young person is introduced, accepted and funded through the services, with everything that must stay away in the
database. Then a volunteer asks for every URL there is, with every id there is.
"""

import collections
import dataclasses
import json
import re
import uuid
from datetime import date, timedelta

import pytest
from django.apps import apps
from django.contrib.staticfiles import finders
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import models
from django.test import Client
from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve, reverse

from careleavers.services import people, sharing
from pantry import members, roster, tablet_list, wording
from pantry.models import Membership, Pantry
from pantry.services import memberships, tablets, visitors
from pantry.services import volunteers as pins
from referrals import services as referrals
from referrals.services import directory
from referrals.services import told as tellings
from stockport_hubs.accounts.models import Role
from stockport_hubs.administration import services as administration
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from tests import factories
from tests.counter_scene import NOW, WEDNESDAY, Counter, at
from tests.factories import moment
from tests.hall import Device

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite, pytest.mark.crawls, pytest.mark.promise("A3")]
ALWAYS = ("care leaver", "careleaver", "leaving care")
SURNAME, LINE, POSTCODE, WHY = "Zephyrine", "9 Larkspur Ginnel", "ZZ99 3WZ", "Estranged since the spring"


class Hall(Counter):
    """A counter with one funded person behind the wall, one other member, and someone else's whole scheme."""

    def __init__(self):
        super().__init__(name="Plum tree agreement")
        self.council.name = "Borough of Plumbridge"
        self.council.save()
        self.advisor.name, self.advisor.email = "Petra Quillfeather", "p.quill@example.org"
        self.advisor.work_phone = "0161 496 0777"
        self.advisor.save()
        # Numbers of four figures: nothing else on a page is taken for one.
        self.collected = self.join(preferred_name="Cor")
        Membership.objects.filter(pk=self.collected.pk).update(number=7000)
        then = moment(date(2026, 4, 2), "09:30")
        self.person = people.add(
            council=self.council,
            by=self.advisor,
            at=then,
            reference="PLUM-1",
            preferred_name="Ash",
            surname=SURNAME,
            born_on=date(2006, 11, 23),
            eligibility="former_relevant",
            address=LINE,
            postcode=POSTCODE,
        )
        agreed = sharing.record_agreement(
            care_leaver=self.person,
            wording_version="1",
            privacy_notice_on=then.date(),
            given_on=then.date(),
            how_given="in_person",
            share_name=True,
            items=[("allergen", "milk"), ("language", "Dari")],
            taken_by=self.advisor,
            at=then,
        )
        self.referral = referrals.draft(
            care_leaver=self.person,
            by=self.advisor,
            at=then,
            sharing=agreed,
            pantry=self.pantry,
            agreement=self.agreement,
            why=WHY,
        )
        referrals.send(referral=self.referral, by=self.advisor, at=then)
        self.member = referrals.accept(referral=self.referral, by=self.pantry_manager, at=then)
        self.neighbour = self.other(preferred_name="Bay")
        self.collected = self.record(self.collected)
        self.visitor = visitors.record(session=self.session, key=uuid.uuid4(), called="Vi", by=self.volunteer, at=NOW)

    def tell(self):
        """The member is told about something."""
        entry = directory.add(name="Soup", kind="cooking", where="Till", by=self.pantry_manager, at=NOW)
        given = {"session": self.session, "key": uuid.uuid4(), "by": self.volunteer, "at": NOW}
        return tellings.tell(membership=self.member, entry=entry, **given)

    @property
    def secrets(self) -> list[str]:
        """What no volunteer may get, in the spellings it could have."""
        born = ["2006-11-23", "23 November 2006", "23 Nov 2006", "23/11/2006"]
        who = [self.advisor.name, self.advisor.email, self.advisor.work_phone, "Quillfeather"]
        return [*ALWAYS, SURNAME, *born, LINE, POSTCODE, WHY, *who, self.council.name, self.agreement.name]


def leaks(parts: dict[str, str], secrets: list[str]) -> list[str]:
    """ "where: what" for every secret found, ignoring case."""
    low = {where: text.casefold() for where, text in parts.items()}
    return [f"{where}: {secret}" for where, text in low.items() for secret in secrets if secret.casefold() in text]


def everything_stored() -> str:
    """Every text and date of every table, to be sure that what could leak is there."""
    cells: list[str] = []
    for model in apps.get_models():
        names = [
            field.name
            for field in model._meta.concrete_fields
            if isinstance(field, models.CharField | models.TextField | models.DateField)
        ]
        cells += [str(value) for row in model._base_manager.values_list(*names) for value in row] if names else []
    return "\n".join(cells).casefold()


def every_address(ids: list) -> list[str]:
    """Every URL of the site, its variables filled with every id there is."""

    def walk(patterns, namespaces):
        for each in patterns:
            if isinstance(each, URLResolver):
                inner = [*namespaces, each.namespace] if each.namespace else namespaces
                yield from walk(each.url_patterns, inner)
            elif isinstance(each, URLPattern) and each.name:
                names = each.pattern.regex.groupindex if hasattr(each.pattern, "regex") else {}
                yield ":".join([*namespaces, each.name]), list(names)

    found = set()
    for name, variables in walk(get_resolver().url_patterns, []):
        for value in ids if variables else [None]:
            for sent in (value, str(value)):
                try:
                    found.add(reverse(name, kwargs=dict.fromkeys(variables, sent)))
                    break
                except Exception:  # a variable of another kind
                    continue
    return sorted(found)


def shut_to_volunteers(url: str) -> str:
    """The route of an address whose view's door (accounts/permissions.py) does not name them: it answers before the
    view looks for any object. "" for every other address."""
    try:
        found = resolve(url.partition("?")[0])
    except Resolver404:
        return ""
    return "" if Role.PANTRY_VOLUNTEER in getattr(found.func, "roles", Role) else found.route


def answers(client: Client, addresses: list[str]) -> dict[str, str]:
    """Status line, headers, cookies and body of every answer to GET and POST, by method and address. Of a route that is
    shut to the role two ids are enough; a view that refuses by itself is asked for all."""
    got = {}
    refused: collections.Counter[str] = collections.Counter()
    for method in ("get", "post"):
        for url in addresses:
            shut = shut_to_volunteers(url)
            if "logout" in url or refused[method + shut] == 2:
                continue
            sent = {"usual": "1", "key": uuid.uuid4(), "undo": "1"} if method == "post" else {}
            answer = getattr(client, method)(url, sent)
            refused[method + shut] += bool(shut) and answer.status_code == 403
            head = "\n".join(f"{name}: {value}" for name, value in answer.items())
            body = b"".join(answer) if answer.streaming else answer.content
            got[f"{method} {url} {answer.status_code}"] = f"{url}\n{head}\n{answer.cookies}\n" + body.decode(
                "utf-8", "replace"
            )
    return got


def assets(pages: dict[str, str]) -> dict[str, str]:
    """Name and text of every static file the pages name, and of those these name."""
    found: dict[str, str] = {}
    queue = {url for page in pages.values() for url in re.findall(r'(?:src|href|library)="/static/([^"?#]+)"', page)}
    while queue:
        name = queue.pop()
        path = finders.find(name)
        if path and name not in found:
            with open(path, "rb") as file:
                found[f"static {name}"] = found[name] = name + "\n" + file.read().decode("utf-8", "replace")
    return found


@pytest.fixture
def hall():
    with at():
        yield Hall()


@pytest.fixture
def volunteer(hall, client):
    client.force_login(hall.volunteer)
    client.raise_request_exception = False
    return client


def addresses(hall: Hall) -> list[str]:
    """With the ids of everything a volunteer may and may not know, one that is nothing, and searches."""
    ids = [hall.session.pk, hall.member.pk, hall.neighbour.pk, hall.collected.pk, hall.pantry.pk, uuid.UUID(int=0)]
    ids += [hall.tell().pk, hall.visitor.pk, hall.person.pk, hall.referral.pk, hall.agreement.pk, hall.advisor.pk]
    page = reverse("pantry:session", args=[hall.session.pk])
    searched = [f"{page}?q={word}" for word in ("ash", str(hall.member.number), "nobody")]
    known = (hall.member.pk, hall.collected.membership_id, hall.neighbour.pk, hall.person.pk)
    pairs = [reverse("pantry:record", args=[hall.session.pk, key]) for key in known]
    pairs += pairs  # the second attempt is refused
    hall_pages = ("hall:member", "hall:wish", "hall:wish_take_back", "reviews:tap", "pantry:away")
    pairs += [reverse(name, args=[hall.session.pk, key]) for name in hall_pages for key in known]
    return [*every_address(ids), *searched, *pairs, "/nothing-here/"]


# -- the words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Sam", ""),
        ("Sam the care leaver", "care leaver"),
        ("CARE-LEAVERS welcome", "care leaver"),
        ("Care\u00adLeaver", "care leaver"),
        ("c a r e leaver", "care leaver"),
        ("ｃａｒｅｌｅａｖｅｒ", "care leaver"),
        ("Leaving  care's office", "leaving care"),
        ("Take care when leaving", ""),
        ("next to Plumbridge council", "Plumbridge Council"),
        ("Plumbridge", ""),
        ("the co-pilots", ""),
        ("PILOT money", "Pilot"),
        ("", ""),
    ],
)
def test_telling_words_are_found_however_they_are_written(text, found):
    assert wording.find_forbidden(text, ["Plumbridge Council", "Pilot"]) == found


def test_names_that_tell_are_the_funders_their_agreements_and_advisors(hall):
    for said in (hall.council.name, hall.agreement.name, hall.advisor.name, hall.advisor.email, "leaving care"):
        told = f"Volunteers read this, so it must not say “{said}”. Leave it out or put it another way."
        with pytest.raises(Refused, match=re.escape(told)):
            wording.refuse_forbidden(f"Ask {said}")
        with pytest.raises(ValidationError):
            wording.validate(f"Ask {said}")
    assert wording.refuse_forbidden("Ring the bell") == "Ring the bell"


def test_names_that_volunteers_read_are_refused_where_they_tell(hall, client):
    given = {"organisation": hall.operator, "by": hall.pantry_manager, "at": NOW, "email": "nell@example.org"}
    for name in ("Nell Care-Leaver", hall.advisor.name, f"Nell of {hall.council.name}"):
        with pytest.raises(Refused, match="it holds words they must not read"):
            administration.invite(name=name, role=Role.PANTRY_VOLUNTEER, **given)
    user, path = administration.invite(name="Nell Example", role=Role.PANTRY_VOLUNTEER, **given)
    form = {"name": "Leaving Care Nell", "password": "three words together", "password_again": "three words together"}
    told = client.post(path, form)
    assert (told.status_code, administration.NAME_TELLS in told.content.decode()) == (200, True)
    with pytest.raises(Refused):
        administration.correct(user=user, name="Leaving Care", work_phone="", by=hall.pantry_manager, at=NOW)
    client.force_login(hall.pantry_manager)
    typed = {"name": "Leaving Care", "work_phone": ""}
    page = client.post(reverse("accounts:edit", args=[user.pk]), typed).content.decode()
    assert administration.NAME_TELLS in page
    user.refresh_from_db()
    assert (user.name, user.joined_at) == ("Nell Example", None)
    of_council = {"organisation": hall.council, "by": None, "job": "test", "at": NOW, "email": "cay@example.org"}
    made, _ = administration.invite(name="Leaving Care Duty", role=Role.PERSONAL_ADVISOR, **of_council)
    admin = factories.user(Role.ADMINISTRATOR, hall.council)
    with pytest.raises(Refused, match="it holds words"):
        administration.move(user=made, role=Role.PANTRY_MANAGER, organisation=hall.operator, by=admin, at=NOW)


def test_what_a_volunteer_types_is_refused_without_spelling_out_what_tells(hall, volunteer):
    with at():
        mine = hall.record(hall.neighbour)
    url = reverse("pantry:void", args=[mine.pk])
    for typed in (
        "plumbridge, borough of plumbridge",
        "p quill example org",
        "c-a-r-e-l-e-a-v-e-r",
        "PLUM tree AGREEMENT",
    ):
        page = volunteer.post(url, {"reason": "Wrong member", "words": typed})
        assert page.status_code == 200 and "Say only what went wrong" in page.content.decode()
        assert [
            secret for secret in (hall.council.name, hall.advisor.email, "care leaver", hall.agreement.name)
            if secret in page.content.decode()
        ] == []  # fmt: skip


# -- the whole site ----------------------------------------------------------------------------------------------------


def test_nothing_a_volunteer_can_get_holds_what_is_not_on_the_list(hall, volunteer):
    stored = everything_stored()
    there = [SURNAME, "2006-11-23", LINE, POSTCODE, WHY, hall.advisor.name, hall.advisor.email, hall.council.name]
    assert [secret for secret in [*there, hall.agreement.name] if secret.casefold() not in stored] == []

    asked = addresses(hall)
    got = answers(volunteer, asked)
    shown = [where for where in got if where.startswith("get") and where.endswith(" 200")]
    assert any("/pantry/sessions/" in where for where in shown)
    assert "Ash" in "".join(got.values())
    assert {where[-3:] for where in got} >= {"200", "302", "403", "404", "405", "409"}
    files = assets(got)
    assert any(name.endswith(".css") for name in files)
    assert leaks(got | files, hall.secrets) == []


def test_no_email_to_a_volunteer_holds_it_either(hall):
    user, _ = administration.invite(
        email="new.volunteer@example.org",
        name="Nell Example",
        role=Role.PANTRY_VOLUNTEER,
        organisation=hall.operator,
        by=hall.pantry_manager,
        at=NOW,
    )
    jobs.pump()
    written = {f"to {' '.join(m.to)}: {m.subject}": str(m.message()) + m.body for m in mail.outbox}
    theirs = {head: text for head, text in written.items() if user.email in head or hall.volunteer.email in head}
    assert len(theirs) == 1
    assert leaks(theirs, hall.secrets) == []


def test_a_planted_leak_is_found_in_a_page_a_header_an_address_and_a_file(hall, volunteer, monkeypatch):
    page = reverse("pantry:session", args=[hall.session.pk])
    assert leaks(answers(volunteer, [page]), hall.secrets) == []
    honest = roster._row

    def telling(session, member, *more):
        row = honest(session, member, *more)
        paid_by = f" ({hall.agreement.name.upper()})" if member.agreement_id else ""
        return dataclasses.replace(row, called=row.called + paid_by)

    monkeypatch.setattr(roster, "_row", telling)
    assert leaks(answers(volunteer, [page]), hall.secrets) == [f"get {page} 200: {hall.agreement.name}"]
    headers = {"x": f"Location: /?for={SURNAME.lower()}", "static careleavers.css": "careleavers.css"}
    assert leaks(headers, hall.secrets) == [f"x: {SURNAME}", "static careleavers.css: careleaver"]


@pytest.fixture
def tablet(hall):
    """A hall's tablet, unlocked by a volunteer without e-mail."""
    made, secret = tablets.enrol(pantry=hall.pantry, name="Blue tablet", by=hall.pantry_manager, at=NOW)
    user, code = pins.add(pantry=hall.pantry, called="Kit", by=hall.pantry_manager, at=NOW)
    token, _ = pins.set_pin(tablet=made, user=user, code=code, pin="202620", at=NOW)
    device = Device(secret)
    device.token, device.volunteer = token.sign(), user
    return device


def told(hall, device) -> dict[str, str]:
    """Everything a tablet can be told, head and body: with its PIN, without, and of what it sends."""
    asked = ["state/", "list/", *(f"list/?session={key}" for key in (hall.session.pk, hall.pantry.pk, uuid.uuid4()))]
    found = {f"get {path}": device.get(path) for path in asked}
    entry = {"kind": "collection", "session": str(hall.session.pk), "token": device.token, "at": NOW.isoformat()}
    named = [{"member": str(key)} for key in (hall.member.pk, hall.collected.membership_id, hall.person.pk)]
    named += [{"number": hall.neighbour.number}, {"number": 1}, {"kind": "visitor", "called": SURNAME + " care leaver"}]
    named += [{"kind": "void", "collection_key": str(hall.collected.key)}, {"kind": "unheard_of"}, {"token": "x"}]
    sent = [entry | each | {"key": str(uuid.uuid4())} for each in named]
    found["sent"] = device.post("entries/", {"entries": [*sent, *sent, {}]})
    for pin in ("202620", "1", ""):
        found[f"unlock {pin}"] = device.post("unlock/", {"volunteer": str(device.volunteer.pk), "pin": pin})
        found[f"pin {pin}"] = device.post("pin/", {"volunteer": str(device.volunteer.pk), "code": pin, "pin": pin})
    found["nobody"] = device.post("unlock/", {"volunteer": str(hall.advisor.pk), "pin": "202620"})
    return {where: f"{dict(each.items())}{each.cookies}{each.content.decode()}" for where, each in found.items()}


def test_nothing_a_tablet_is_told_holds_what_is_not_on_the_list(hall, tablet):
    got = told(hall, tablet)
    assert {"Ash", "Allergy: milk", "held", "recorded"} <= {
        word for word in ("Ash", "Allergy: milk", "held", "recorded") if word in "".join(got.values())
    }
    assert leaks(got, hall.secrets) == []


def test_a_leak_planted_into_a_tablets_list_is_found(hall, tablet, monkeypatch):
    honest = tablet_list._member

    def telling(row, is_here, keys):
        return honest(row, is_here, keys) | {"by": hall.advisor.name}

    monkeypatch.setattr(tablet_list, "_member", telling)
    found = leaks(told(hall, tablet), [hall.advisor.name])
    assert found == [f"get list/?session={hall.session.pk}: {hall.advisor.name}"]


# -- funded and other members are alike --------------------------------------------------------------------------------


# The buttons of who has something to pay, as those of who has not: they say no more than the whitelisted amount.
FROM_WHAT_IS_TO_PAY = {
    r"Record, £ paid(<span[^>]*>): usual (\d+) items": r"Usual \2\1 items",
    r'\s*<button[^>]*value="not_paid".*?</button>': "",
    "Record, £ paid": "Record",
    r'\s*<[^>]*name="not_paid"[^>]*>(\s*Not paid today\s*</button>)?': "",
    r"\. £ paid</p>": "</p>",
}


def alike(html: str, row: roster.Row, key: str = "") -> str:
    """The markup with the whitelisted values of that row taken out."""
    for value in (row.id, key, row.collected.id if row.collected else ""):
        html = html.replace(str(value), "ID") if value else html
    html = re.sub(r'(name="csrfmiddlewaretoken" value=)"\w+"', r'\1"TOKEN"', html)
    html = re.sub(r'(name="key"[^>]*value=)"[\w-]+"', r'\1"KEY"', html)
    html = re.sub(r"£\d+\.\d\d", "£", html)
    for paying, plain in FROM_WHAT_IS_TO_PAY.items():
        html = re.sub(paying, plain, html, flags=re.S)
    return re.sub(rf"\b{row.number}\b", "NUMBER", html.replace(row.called, "NAME"))


def rows_as_markup(page) -> list[str]:
    """Each row of the session page, made alike."""
    found = re.findall(r'<li class="hubs-row.*?</li>', page.content.decode(), re.S)
    return [alike(html, row, str(key)) for html, (row, key) in zip(found, page.context["rows"], strict=True)]


@pytest.fixture
def forty(hall):
    """10 funded and 30 other members with the same needs, mixed; half of each have collected."""
    needs = [("allergen", "milk"), ("diet", "halal")]
    made = []
    for n in range(40):
        given = {"preferred_name": f"Member{chr(65 + n % 26)}{n}", "needs": needs, "on": date(2026, 3, 2)}
        made.append(hall.join(**given) if n % 4 == 0 else hall.other(**given))
        hall.record(made[-1], day=WEDNESDAY - timedelta(weeks=1))
    for n, member in enumerate(made):
        if n // 4 % 2:
            hall.record(member)
    return made


def test_rows_of_10_funded_and_30_other_members_differ_in_whitelisted_values_only(hall, volunteer, forty):
    page = volunteer.get(reverse("pantry:session", args=[hall.session.pk]), {"q": "mem"})
    funded = {member.number for member in forty if member.agreement_id}
    kinds: dict[bool, list[set]] = {True: [set(), set()], False: [set(), set()]}
    for markup, (row, _) in zip(rows_as_markup(page), page.context["rows"], strict=True):
        kinds[row.number in funded][row.collected is None].add(markup)
    assert len(funded) == 10 and page.context["page"].paginator.count == 40
    assert kinds[True] == kinds[False]
    assert [len(markups) for markups in kinds[True]] == [1, 1]


def test_the_pages_of_one_member_differ_in_whitelisted_values_only(hall, volunteer, forty):
    def pages(member, taken):
        row = roster.row_of(hall.session, member, by=hall.volunteer, today=WEDNESDAY)
        urls = [reverse("pantry:record", args=[hall.session.pk, member.pk])]
        urls += [reverse("pantry:void", args=[row.collected.id])] if taken else []
        return [alike(volunteer.get(url).content.decode(), row) for url in urls]

    (funded, paying), (funded_done, paying_done) = forty[0:2], forty[4:6]
    assert [bool(m.agreement_id) for m in (funded, paying, funded_done, paying_done)] == [True, False, True, False]
    assert pages(funded, False) == pages(paying, False)
    assert pages(funded_done, True) == pages(paying_done, True)


WHITELISTED = ("id", "number", "called", "to_pay")


def test_a_tablets_list_of_10_funded_and_30_other_members_differs_in_whitelisted_values_only(hall, tablet, forty):
    found = tablet.get(f"list/?session={hall.session.pk}").json()["members"]
    funded = {member.number for member in forty if member.agreement_id}
    kinds: dict[bool, set] = {True: set(), False: set()}
    for row in found:
        if row["number"] in {member.number for member in forty}:
            taken = row["collected"] and row["collected"] | {"key": bool(row["collected"]["key"])}
            alike = row | dict.fromkeys(WHITELISTED) | {"collected": taken}
            kinds[row["number"] in funded].add(json.dumps(alike))
    assert kinds[True] == kinds[False] and len(kinds[True]) == 2


@pytest.fixture
def pair(hall):
    """`pair(**more)`: a funded and another member with the same needs."""
    needs = [("allergen", "milk"), ("language", "Dari")]

    def make(**more):
        return [join(preferred_name="Twin", needs=needs, **more) for join in (hall.join, hall.other)]

    return make


def paused(hall, pair):
    made = pair()
    for member in made:
        memberships.pause(membership=member, on=WEDNESDAY, by=hall.pantry_manager, at=NOW)
    return made


def ended(hall, pair):
    made = pair()
    for member in made:
        hall.leave(member, WEDNESDAY - timedelta(days=1))
    return made


def pending(hall, pair):
    """One of them introduced already, which nobody knows at the pantry."""
    given = {"pantry": hall.pantry, "preferred_name": "Twin", "by": hall.pantry_manager, "at": NOW}
    made = [memberships.add_pending(**given) for _ in range(2)]
    Membership.objects.filter(pk=made[0].pk).update(agreement=hall.agreement)
    return made


def of_another_pantry(hall, pair):
    return pair(pantry=factories.pantry(hall.operator))


def of_another_pantry_who_asks(hall, pair):
    Pantry.objects.filter(pk=hall.pantry.pk).update(welcomes_other_pantries=False)
    return of_another_pantry(hall, pair)


def self_paying(hall, pair):
    """Nothing is bought for either; a council paid for the first until last week."""
    made = [hall.other(preferred_name="Twin") for _ in range(2)]
    for member in made:
        hall.record(member, day=WEDNESDAY - timedelta(weeks=1))
    Membership.objects.filter(pk=made[0].pk).update(agreement=hall.agreement, self_pay_from=date(2026, 4, 6))
    return made


def number_only(hall, pair):
    """The agreement to share was withdrawn by the first; the other never shared a name."""
    made = [hall.join(preferred_name="Twin", needs=[("diet", "halal")]), hall.other(preferred_name="")]
    memberships.hide(membership=made[0], by=hall.pantry_manager, at=NOW)
    return made


def unfunded(hall, pair):
    """Whose weeks are used up; whose week is paid."""
    made = [hall.join(preferred_name="Twin", first_week=date(2026, 4, 20)), hall.other(preferred_name="Twin")]
    return made


STATES = {
    each.__name__: (each, words)
    for each, words in [
        (paused, "Paused. Ask the pantry manager."),
        (ended, "This membership has ended. Ask the pantry manager."),
        (pending, "Not confirmed yet, may shop. To pay today £0.00."),
        (of_another_pantry, "Member of another pantry, may shop. To pay today £"),
        (of_another_pantry_who_asks, "Member of another pantry. Ask the pantry manager."),
        (self_paying, "To pay today £3.50."),
        (number_only, "Number only"),
        (unfunded, "To pay today £"),
    ]
}


def seen_of(hall, volunteer, member) -> list[str]:
    """A member's row, their page and what recording answers, without the whitelisted values."""
    session = reverse("pantry:session", args=[hall.session.pk])
    record = reverse("pantry:record", args=[hall.session.pk, member.pk])

    def markup(page) -> str:
        row = roster.row_of(hall.session, member, by=hall.volunteer, today=WEDNESDAY)
        return alike(page.content.decode(), row)

    before = [markup(volunteer.get(session, {"q": member.number})), markup(volunteer.get(record))]
    answer = volunteer.post(record, {"usual": "1", "key": uuid.uuid4(), "q": member.number}, follow=True)
    return [*before, markup(answer)]


@pytest.mark.parametrize("state", STATES)
def test_in_every_state_a_funded_member_is_like_another(hall, volunteer, pair, state):
    make, words = STATES[state]
    funded, other = make(hall, pair)
    page = volunteer.get(reverse("pantry:session", args=[hall.session.pk]), {"q": funded.number})
    assert words in re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page.content.decode()))
    one, two = seen_of(hall, volunteer, funded), seen_of(hall, volunteer, other)
    assert [re.sub(r"recorded=ID|\d+ recorded in", "", each) for each in one] == [
        re.sub(r"recorded=ID|\d+ recorded in", "", each) for each in two
    ]
    assert leaks(dict(enumerate(one)), hall.secrets) == []


def test_a_planted_word_about_one_state_is_found(hall, volunteer, pair, monkeypatch):
    honest = roster.rows

    def telling(session, people, **more):
        people = list(people)
        made = honest(session, people, **more)
        return [
            dataclasses.replace(row, words=row.words + (" Bought." if member.agreement_id else ""))
            for row, member in zip(made, people, strict=True)
        ]

    monkeypatch.setattr(roster, "rows", telling)
    with pytest.raises(AssertionError):
        test_in_every_state_a_funded_member_is_like_another(hall, volunteer, pair, "paused")


def test_who_withdrew_the_agreement_to_share_collects_under_the_number_alone(hall, volunteer):
    page = reverse("pantry:session", args=[hall.session.pk])
    assert "milk" in volunteer.get(page, {"q": hall.member.number}).content.decode()
    memberships.hide(membership=hall.member, by=hall.pantry_manager, at=NOW)
    shown = volunteer.get(page, {"q": hall.member.number}).content.decode()
    assert [word for word in ("Ash", "milk", "Dari") if word in shown] == []
    record = reverse("pantry:record", args=[hall.session.pk, hall.member.pk])
    assert volunteer.post(record, {"usual": "1", "key": uuid.uuid4()}).status_code == 302


def test_a_planted_difference_is_found(hall, volunteer, forty, monkeypatch):
    honest = roster.rows

    def telling(session, people, **more):
        people = list(people)
        made = honest(session, people, **more)
        return [
            dataclasses.replace(row, words="" if member.agreement_id else "Member")
            for row, member in zip(made, people, strict=True)
        ]

    monkeypatch.setattr(roster, "rows", telling)
    with pytest.raises(AssertionError):
        test_rows_of_10_funded_and_30_other_members_differ_in_whitelisted_values_only(hall, volunteer, forty)


def test_a_row_has_the_fields_of_the_whitelist_and_no_others():
    fields = [
        "id",
        "number",
        "called",
        "may_shop",
        "words",
        "to_pay_pence",
        "left",
        "allowance",
        "needs",
        "interpreter",
    ]
    assert list(roster.Row.__dataclass_fields__) == [*fields, "no_cooking", "is_first_visit", "collected"]


def test_who_sees_people_is_the_pantry_manager_alone(hall):
    seen = {role for role in Role if members.sees_people(factories.user(role))}
    assert seen == {Role.PANTRY_MANAGER}
