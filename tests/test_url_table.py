"""Every URL × role × own / other object, generated from the resolver. A URL that this table does not name fails.

Own: an object of the scheme the role belongs to. Other: the same kind of object of another council and operator, or
another advisor's person. Wrong role: 403. Not yours: 404. Nothing ever answers with a server error.
"""

import re
import uuid
from dataclasses import dataclass, field
from itertools import product

import pytest
from django.apps import apps
from django.db import transaction
from django.db.models import Max
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse

from careleavers.models import CareLeaver, CareLeaverQuerySet
from referrals.models import Referral
from stockport_hubs import pdf
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.home import errors
from tests.world import make_scheme

A, M, F, V, P, D = (
    Role.PERSONAL_ADVISOR,
    Role.LEAVING_CARE_MANAGER,
    Role.FINANCE_OFFICER,
    Role.PANTRY_VOLUNTEER,
    Role.PANTRY_MANAGER,
    Role.ADMINISTRATOR,
)
EVERYONE = set(Role)


@dataclass(frozen=True)
class Row:
    """Who may call a URL, and which object its keys name (argument -> key of the scheme)."""

    roles: set
    keys: dict = field(default_factory=dict)
    public: bool = False
    device: bool = False  # for an enrolled tablet's cookie, whoever is signed in: test_tablet.py
    across: frozenset = frozenset()  # roles that may see the object of another scheme: councils choose among pantries


def row(*roles, across=(), **keys) -> Row:
    return Row(set(roles), keys, across=frozenset(across))


ANYONE = Row(EVERYONE, public=True)
SIGNED_IN = Row(EVERYONE)
DEVICE = Row(EVERYONE, public=True, device=True)
pytestmark = [pytest.mark.prints, pytest.mark.sqlite]  # every page for every role: once
TABLE: dict[str, Row] = {
    "home": SIGNED_IN,
    "health": ANYONE,
    "ready": ANYONE,
    "jobs:list": row(M, D),
    "trail": row(M),
    "trail_csv": row(M),
    "record_trail": row(A, M, person_id="person"),
    "accessibility": ANYONE,
    "cookies": ANYONE,
    "privacy": ANYONE,
    "components": row(D),
    "jobs:progress": row(*Role, job_id="jobs"),
    "jobs:cancel": row(*Role, job_id="jobs"),
    "jobs:retry": row(*Role, job_id="jobs"),
    "messages:list": row(M, P, D),
    "messages:settle": row(M, P, D, across={D}, message_id="messages"),
    "messages:again": row(M, P, D, across={D}, message_id="messages"),
    # accounts: administrators look after everyone's, pantry managers after their own volunteers'
    "accounts:list": row(D, P),
    "accounts:invite": row(D, P),
    "accounts:organisations": row(D),
    "accounts:organisation_add": row(D),
    "accounts:detail": row(D, P, across={D}, pk="volunteer"),
    "accounts:edit": row(D, P, across={D}, pk="volunteer"),
    "accounts:invite_again": row(D, P, across={D}, pk="volunteer"),
    "accounts:deactivate": row(D, P, across={D}, pk="volunteer"),
    "accounts:reactivate": row(D, P, across={D}, pk="volunteer"),
    "accounts:move": row(D, across={D}, pk="volunteer"),
    "accounts:invitation_withdraw": row(D, P, across={D}, pk="volunteer"),
    "accounts:second_step_reset": row(D, P, across={D}, pk="volunteer"),
    "accounts:second_step": SIGNED_IN,
    "accounts:draft_drop": SIGNED_IN,
    "accounts:join": Row(EVERYONE, {"token": "token"}, public=True),
    # young people
    "careleavers:list": row(A, M),
    "careleavers:add": row(A, M),
    "careleavers:open": row(A),
    "careleavers:openings": row(A, M),
    "careleavers:opened": row(A, opening_id="opening"),
    "careleavers:opening_close": row(A, M, opening_id="opening"),
    "careleavers:letters": row(A, M),
    "careleavers:letter": row(A, M, pk="letter"),
    "careleavers:spoke": row(A, M, pk="person"),
    "careleavers:spoke_take_back": row(A, M, pk="person"),
    "careleavers:letter_choice": row(A, M, pk="person"),
    "careleavers:cohort": row(M),
    "careleavers:cohort_tick": row(M),
    "careleavers:keeping": row(M),
    "careleavers:import": row(M),
    "careleavers:import_template": row(M),
    "careleavers:import_preview": row(M, pk="upload"),
    "careleavers:import_check": row(M, pk="upload"),
    "careleavers:import_cancel": row(M, pk="upload"),
    "careleavers:detail": row(A, M, pk="person"),
    "careleavers:edit": row(A, M, pk="person"),
    "careleavers:allocate": row(M, pk="person"),
    "careleavers:cover": row(M, pk="person"),
    "careleavers:cover_end": row(M, pk="person", cover_pk="cover"),
    "careleavers:caseloads": row(M),
    "careleavers:caseload_transfer": row(M, pk="advisor"),
    "careleavers:caseload_cover": row(M, pk="advisor"),
    "careleavers:caseload_undo": row(M, pk="caseload_move"),
    "careleavers:offer": row(A, M, pk="person"),
    "careleavers:untick": row(M, pk="person"),
    "careleavers:wellbeing": row(A, M, pk="person"),
    "careleavers:wellbeing_ask": row(A, M, pk="person", point="point"),
    "careleavers:wellbeing_take_back": row(A, M, pk="person", point="point"),
    "careleavers:wellbeing_paper": row(A, M),
    # introductions
    "referrals:list": row(A, M, P),
    "referrals:waiting": row(A, M, P),
    "referrals:catchments": row(M),
    "referrals:digest": row(A),
    "referrals:find": row(A),
    "referrals:start": row(A, person_id="person"),
    "referrals:detail": row(A, M, P, referral_id="sent"),
    "referrals:agreement": row(A, referral_id="draft"),
    "referrals:edit": row(A, referral_id="draft"),
    "referrals:check": row(A, referral_id="draft"),
    "referrals:answer": row(P, referral_id="sent"),
    "referrals:reply": row(A, referral_id="sent"),
    "referrals:withdraw": row(A, referral_id="sent"),
    "referrals:agreed": row(A, M, referral_id="accepted"),
    "referrals:agreed_pdf": row(A, M, referral_id="accepted"),
    "referrals:pause": row(A, M, referral_id="accepted"),
    "referrals:resume": row(A, M, referral_id="accepted"),
    "referrals:leave": row(A, M, referral_id="accepted"),
    "referrals:move": row(A, M, referral_id="accepted"),
    "referrals:move_take_back": row(A, M, referral_id="accepted"),
    "referrals:renewal": row(A, M, referral_id="accepted"),
    "referrals:follow_up": row(A, M, referral_id="accepted"),
    "referrals:person_share": row(A, M, person_id="person"),
    "referrals:person_withdraw": row(A, M, person_id="person"),
    "referrals:died": row(A, M, person_id="person"),
    "referrals:not_died": row(M, person_id="person"),
    "referrals:how_are_you": row(A, M, person_id="person"),
    "referrals:printed": row(P),
    "referrals:destroyed": row(P, printed_id="printed"),
    "referrals:cut_overs": row(A, M),
    "referrals:cut_over_tie": row(A, M, membership_id="brought"),
    "referrals:walk_ins": row(A, M, P),
    "referrals:walk_in_show": row(P, membership_id="neighbour"),
    "referrals:walk_in_take_back": row(P, walk_in_id="walk_in"),
    "referrals:walk_in_not_ours": row(M, walk_in_id="walk_in"),
    "referrals:walk_in_confirm": row(A, walk_in_id="walk_in"),
    # beyond the pantry
    "referrals:links": row(A, M),
    "referrals:link": row(A, M, link_id="link"),
    "referrals:link_undo": row(A, M, link_id="link"),
    "referrals:link_offer": row(A, M, person_id="person"),
    "referrals:volunteering": row(A, M),
    "referrals:volunteer": row(A, M, person_id="person"),
    "referrals:volunteer_undo": row(A, M, person_id="person"),
    "referrals:directory": row(A, M, P),
    "referrals:entry_add": row(M, P),
    "referrals:entry_edit": row(M, P, entry_id="entry"),
    "referrals:entry_retire": row(M, P, entry_id="entry"),
    # what is said in a hall
    "hall:member": row(V, P, session_id="session", membership_id="membership"),
    "hall:tell": row(V, P, session_id="session", membership_id="membership"),
    "hall:wish": row(V, P, session_id="session", membership_id="membership"),
    "hall:wish_take_back": row(V, P, session_id="session", membership_id="membership"),
    "hall:told_take_back": row(V, P, told_id="told"),
    "hall:worry": row(V, P, session_id="session"),
    "reviews:tap": row(V, P, session_id="session", membership_id="membership"),
    "referrals:helpers": row(P),
    "referrals:helper": row(P, helper_id="helper"),
    "referrals:helper_take_back": row(P, helper_id="helper"),
    "referrals:worries": row(A, M, P),
    "referrals:worry_answer": row(A, M, P, worry_id="worry"),
    "pantry:away": row(V, P, session_id="session", membership_id="membership"),
    "pantry:member_away": row(P, membership_id="membership"),
    "pantry:away_take_back": row(V, P, away_id="away"),
    "pantry:calls": row(P, pantry_id="pantry"),
    "pantry:call_take_back": row(P, pantry_id="pantry", call_id="call"),
    # the pantry
    "pantry:today": row(V, P),
    "pantry:session": row(V, P, session_id="session"),
    "pantry:record": row(V, P, session_id="session", membership_id="membership"),
    "pantry:session_bulk": row(P, session_id="session"),
    "pantry:visitor_add": row(V, P, session_id="session"),
    "pantry:visitor_take_back": row(V, P, visitor_id="visitor"),
    "pantry:visitors": row(P),
    "pantry:visitor_sort": row(P, visitor_id="visitor"),
    "pantry:tablets": row(P, pantry_id="pantry"),
    "pantry:tablet_revoke": row(P, tablet_id="tablet"),
    "pantry:volunteer_code": row(P, pantry_id="pantry", user_id="volunteer"),
    "pantry:volunteer_end": row(P, pantry_id="pantry", user_id="volunteer"),
    "pantry:entries": row(P),
    "pantry:entry": row(P, entry_id="held"),
    "pantry:void": row(V, P, collection_id="collection"),
    "pantry:card": row(P, membership_id="membership"),
    "pantry:card_pdf": row(P, membership_id="membership"),
    "pantry:cards": row(P, pantry_id="pantry"),
    "pantry:cards_pdf": row(P, pantry_id="pantry"),
    "pantry:session_summary": row(V, P, session_id="session"),
    "pantry:rota": row(P, pantry_id="pantry"),
    "pantry:my_rota": row(V),
    "pantry:rota_remove": row(P, duty_id="duty"),
    "pantry:notes": row(P, pantry_id="pantry"),
    "pantry:note_remove": row(P, note_id="note"),
    "pantry:sheets": row(P, pantry_id="pantry"),
    "pantry:sheet_destroyed": row(P, sheet_id="sheet"),
    "pantry:members": row(P, M, F),
    "pantry:member": row(P, M, F, membership_id="membership"),
    "pantry:member_add": row(P),
    "pantry:member_end": row(P, membership_id="membership"),
    "pantry:member_rejoin": row(P, membership_id="membership"),
    "pantry:member_answer": row(P, membership_id="membership"),
    "pantry:member_move": row(P, membership_id="membership"),
    "pantry:member_move_back": row(P, membership_id="membership"),
    "pantry:member_missed": row(P, membership_id="membership"),
    "pantry:member_pause": row(P, membership_id="neighbour"),
    "pantry:member_long_pause": row(M, membership_id="membership"),
    "pantry:member_buy": row(M, membership_id="membership"),
    "pantry:pauses": row(M),
    "pantry:pantries": row(P, A, M, F),
    "pantry:pantry": row(P, A, M, F, across={A, M, F}, pantry_id="pantry"),
    "pantry:pantry_add": row(P),
    "pantry:pantry_edit": row(P, pantry_id="pantry"),
    "pantry:hours": row(P, pantry_id="pantry"),
    "pantry:hours_end": row(P, pantry_id="pantry", hours_id="hours"),
    "pantry:closures": row(P, pantry_id="pantry"),
    "pantry:closure_withdraw": row(P, pantry_id="pantry", closure_id="closure"),
    "pantry:staff_attach": row(P, pantry_id="pantry"),
    "pantry:staff_detach": row(P, pantry_id="pantry", staff_id="staff"),
    "pantry:tariffs": row(F, M, P),
    "pantry:tariff_propose": row(P, pantry_id="pantry"),
    "pantry:tariff_agree": row(F, tariff_id="tariff"),
    "pantry:tariff_take_back": row(P, tariff_id="tariff"),
    "pantry:agreements": row(M, F),
    "pantry:agreement": row(M, F, agreement_id="agreement"),
    "pantry:agreement_add": row(M),
    "pantry:agreement_edit": row(M, agreement_id="agreement"),
    "pantry:agreement_blocks": row(M, F, agreement_id="agreement"),
    "pantry:agreement_journal": row(M, F, agreement_id="agreement"),
    "pantry:payment_add": row(F, agreement_id="agreement"),
    "pantry:year_end": row(M, F, agreement_id="agreement"),
    "pantry:year_end_csv": row(M, F, agreement_id="agreement"),
    "pantry:statements": row(M, F, P),
    "pantry:statement": row(M, F, P, statement_id="statement"),
    "pantry:statement_csv": row(M, F, P, statement_id="statement"),
    "pantry:statement_pdf": row(M, F, P, statement_id="statement"),
    "pantry:statement_agree": row(F, P, statement_id="statement"),
    "pantry:statement_take_back": row(F, P, statement_id="statement"),
    "pantry:statement_payment": row(F, statement_id="statement"),
    "pantry:statement_line": row(F, P, statement_id="statement", line_id="membership"),
    "pantry:member_goodwill": row(M, F, membership_id="membership"),
    "pantry:member_credit": row(M, F, membership_id="membership"),
    "pantry:member_back_date": row(M, F, membership_id="membership"),
    "pantry:entry_add": row(M, F, agreement_id="agreement"),
    "pantry:entry_reverse": row(M, F, entry_id="payment"),
    "pantry:opening": row(M, F, agreement_id="agreement"),
    "pantry:forecast": row(M, F, agreement_id="agreement"),
    "pantry:proposals": row(M, F),
    "pantry:proposal": row(M, F, proposal_id="proposal"),
    "pantry:proposal_take_back": row(M, F, proposal_id="proposal"),
    "pantry:renewals": row(M, F, P),
    "pantry:renewal": row(M, F, P, decision_id="decision"),
    "pantry:renewal_take_back": row(M, decision_id="decision"),
    # a hall's tablet
    "tablet:shell": ANYONE,
    "tablet:worker": ANYONE,
    "tablet:manifest": ANYONE,
    "tablet:enrol": row(P),
    "tablet:state": DEVICE,
    "tablet:pin": DEVICE,
    "tablet:unlock": DEVICE,
    "tablet:list": DEVICE,
    "tablet:entries": DEVICE,
    # reviews
    "reviews:meetings": row(A, M, P),
    "reviews:meeting_add": row(M, P),
    "reviews:meeting": row(A, M, P, meeting_id="meeting"),
    "reviews:meeting_edit": row(M, P, meeting_id="meeting"),
    "reviews:meeting_move": row(M, P, meeting_id="meeting"),
    "reviews:meeting_invite": row(M, P, meeting_id="meeting"),
    "reviews:meeting_attendance": row(M, P, meeting_id="meeting"),
    "reviews:meeting_action": row(M, P, meeting_id="meeting"),
    "reviews:meeting_work": row(M, P, meeting_id="meeting"),
    "reviews:meeting_ics": row(A, M, P, meeting_id="meeting"),
    "reviews:agenda_fill": row(M, P, meeting_id="meeting"),
    "reviews:agenda_add": row(A, M, P, meeting_id="meeting"),
    "reviews:agenda_item": row(M, P, item_id="item"),
    "reviews:agenda_remove": row(A, M, P, item_id="item"),
    "reviews:minutes": row(A, M, P, meeting_id="meeting"),
    "reviews:minutes_pdf": row(A, M, P, meeting_id="held_meeting"),
    "reviews:rhythm": row(M, P, agreement_id="agreement"),
    "reviews:actions": row(A, M, P),
    "reviews:action_mark": row(A, M, P, action_id="action"),
    "reviews:disagreements": row(A, M, P),
    "reviews:disagreement_add": row(M, P),
    "reviews:disagreement": row(A, M, P, disagreement_id="disagreement"),
    "reviews:disagreement_position": row(M, P, disagreement_id="disagreement"),
    "reviews:disagreement_take_up": row(M, P, disagreement_id="disagreement"),
    "reviews:disagreement_settle": row(M, P, disagreement_id="disagreement"),
    "reviews:yearly_ask": row(M, P, agreement_id="agreement"),
    "reviews:yearly": row(M, P, review_id="yearly"),
    "reviews:yearly_write": row(M, P, review_id="yearly"),
    "reviews:yearly_approve": row(M, P, review_id="yearly"),
    "reviews:yearly_pdf": row(M, P, review_id="yearly"),
    "reviews:pack_build": row(M, P, meeting_id="meeting"),
    "reviews:packs": row(A, M, F, P),
    "reviews:pack": row(A, M, F, P, pack_id="packs_of"),
    "reviews:pack_pdf": row(A, M, F, P, pack_id="packs_of"),
    "reviews:pack_csv": row(A, M, F, P, pack_id="packs_of"),
    "reviews:pack_xlsx": row(A, M, F, P, pack_id="packs_of"),
    "reviews:pack_recipients": row(M, P, pack_id="packs_of"),
    "reviews:recipient_withdraw": row(M, P, recipient_id="recipients"),
    "reviews:print_all": row(M, P, meeting_id="meeting"),
    "reviews:barriers": row(A, M, P),
    "reviews:barrier_add": row(A, M, P),
    "reviews:barrier": row(A, M, P, barrier_id="barrier"),
    "reviews:barrier_move": row(A, M, P, barrier_id="barrier"),
    "reviews:barrier_action": row(A, M, P, barrier_id="barrier"),
    "reviews:figures": row(M, P),
    "reviews:figures_csv": row(M, P),
    "reviews:figures_explained": row(M, P),
    "reviews:figure_people": row(M, across={M}, key="figure"),
}

# allauth's own pages concern nobody but the visitor or the one who is signed in: no object, no role.
ALLAUTH = ("account_", "mfa_", "socialaccount_", "usersessions_")


def every_url() -> list[tuple[str, list[str]]]:
    """(name with namespace, argument names) of every URL of the site."""

    def walk(patterns, namespace=""):
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                yield f"{namespace}{pattern.name}", list(pattern.pattern.converters)
            else:
                inner = f"{pattern.namespace}:" if pattern.namespace else ""
                yield from walk(pattern.url_patterns, f"{namespace}{inner}")

    return sorted(walk(get_resolver().url_patterns))


def ours() -> list[tuple[str, list[str]]]:
    return [(name, arguments) for name, arguments in every_url() if not name.startswith(ALLAUTH)]


def test_every_url_stands_in_the_table_and_every_row_is_a_url():
    assert sorted(name for name, _ in ours()) == sorted(TABLE)
    for name, arguments in ours():
        assert sorted(arguments) == sorted(TABLE[name].keys), name


# What another advisor of the same council has: not this advisor's either.
COLLEAGUES = {"person", "draft", "sent", "accepted", "barrier", "link", "worry", "letter"}


def _key(scheme: dict, kind: str, role: Role):
    found = scheme[kind]
    if kind in ("jobs", "messages", "entry", "packs_of", "recipients"):
        found = found[role]
    if kind == "barrier" and role == P:
        found = scheme["pantry_barrier"]  # a young person's barrier is never theirs
    return getattr(found, "pk", found)


def address(name: str, scheme: dict, role: Role) -> str:
    keys = TABLE[name].keys
    return reverse(name, kwargs={argument: _key(scheme, kind, role) for argument, kind in keys.items()})


@pytest.fixture(scope="module")
def schemes(django_db_setup, django_db_blocker):
    """Made once for every URL; each call is undone."""
    with django_db_blocker.unblock(), transaction.atomic():
        own, other = make_scheme("Own"), make_scheme("Other")
        people = CareLeaver.objects.filter(council=own["council"]).values_list("pk", "reference", "preferred_name")
        own["people"] = {key: words for key, *words in people}
        members = Referral.objects.exclude(membership=None).values_list("care_leaver_id", "membership_id")
        own["member_of"] = dict(members)
        yield {"own": own, "other": other, "colleague": own | own["colleague"]}
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def no_words(monkeypatch):
    """Who may have a PDF does not hang on what is printed, nor who is refused on what the page of a refusal says:
    there are thousands of them, and other tests read it."""
    monkeypatch.setattr(pdf, "from_html", lambda html, **limits: b"%PDF-")
    monkeypatch.setattr(errors, "render", lambda *page, status: HttpResponse(status=status))


@pytest.fixture(scope="module")
def clients(schemes):
    """A visitor's client and one for each role, signed in once."""
    found = {role: Client(raise_request_exception=False) for role in (None, *Role)}
    for role in Role:
        found[role].force_login(schemes["own"]["users"][role])
    return found


UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def ids_of(scheme: dict) -> dict[str, str]:
    """The ids of a scheme's objects and what they are."""
    found: dict[str, str] = {}
    for kind, each in scheme.items():
        nested = ids_of(each).items() if isinstance(each, dict) else [(str(getattr(each, "pk", "")), kind)]
        found |= {key: what for key, what in nested if key}
    return found


PRIVATE = ("person", "member_person", "draft", "barrier", "council_pack", "link", "council_entry", "opening", "letter")
CASES = (*PRIVATE, "entry", "sent", "accepted", "walk_in", "pack")
# What one's own scheme has and does not show to this role.
NOT_FOR = {
    P: (*PRIVATE, "summary", "proposal"),
    V: (
        *(each for each in CASES if each != "entry"),  # what may be told is theirs to read
        *("tablet", "held", "summary", "agreement", "block", "payment", "decision", "statement", "proposal"),
        *("printed", "sheet", "card"),
    ),
    F: (*CASES, "tablet", "held", "printed", "session", "collection", "visitor", "sheet", "card"),
    D: (
        *CASES,
        "summary",
        "printed",
        "session",
        "collection",
        "visitor",
        "membership",
        "agreement",
        "block",
        "payment",
        "decision",
        "statement",
        "proposal",
    ),
}


def strangers(schemes: dict, role: Role | None) -> dict[str, str]:
    """What no page of this role may hold the id of: what the other council and operator have, what a colleague has, and
    what the role does not see of its own scheme.
    Councils choose among pantries and operators; administrators look after everyone's accounts."""
    theirs = ids_of(schemes["other"])
    if role in (A, M, F):
        theirs = {key: what for key, what in theirs.items() if what not in ("pantry", "operator")}
    if role == D:
        people = {str(user.pk) for user in schemes["other"]["users"].values()}
        theirs = {k: what for k, what in theirs.items() if k not in people and what not in ("council", "operator")}
    if role == A:
        theirs |= ids_of(schemes["own"]["colleague"])
    theirs |= ids_of({kind: schemes["own"][kind] for kind in NOT_FOR.get(role, ())})
    return theirs


def calls(name: str, role: Role | None) -> list[tuple[str, str]]:
    """Whose object, and by which method."""
    keys = set(TABLE[name].keys.values())
    whose = ["own", "other"] if keys else ["own"]
    if role == A and COLLEAGUES & keys:
        whose.append("colleague")
    return list(product(whose, ("get", "post")))


def shown(content: str, people: dict) -> set[uuid.UUID]:
    """Whom a page names, by id, reference or the name they are called by."""
    return {
        key
        for key, (reference, name) in people.items()
        if str(key) in content or re.search(rf"\b({re.escape(reference)}|{re.escape(name)})\b", content)
    }


def unlogged(content: str, scheme: dict, before: int) -> str:
    """What is wrong with the audit of a page that names young people: one event names all of them, as young people or
    as the members they became."""
    if not (named := shown(content, scheme["people"])):
        return ""
    events = [
        set(event.subjects.values_list("subject_id", flat=True)) for event in AuditEvent.objects.filter(pk__gt=before)
    ]
    if len(events) != 1:
        return f"names {len(named)} young people and writes {len(events)} events"
    left_out = {key for key in named if not {key, scheme["member_of"].get(key)} & events[0]}
    return f"names {len(left_out)} young people its event leaves out" if left_out else ""


def answers(clients, schemes, names) -> dict[tuple, int | str]:
    """Status by (URL, role, own or other, method), or what is wrong: whose id the page holds, who is named and not
    logged. Each call is undone."""
    found: dict[tuple, int | str] = {}
    for name, (role, client) in product(names, clients.items()):
        for whose, method in calls(name, role):
            with transaction.atomic():
                before = AuditEvent.objects.aggregate(last=Max("pk"))["last"]
                response = getattr(client, method)(address(name, schemes[whose], role or A))
                if hasattr(response, "render") and not response.is_rendered:
                    response.render()
                found[name, role, whose, method] = response.status_code
                if whose == "own" and response.status_code == 200 and not response.streaming:
                    content, away = response.content.decode(errors="replace"), strangers(schemes, role)
                    if held := set(UUID.findall(content)) & set(away):
                        found[name, role, whose, method] = f"holds the id of another's {away[min(held)]}"
                    elif method == "get" and (wrong := unlogged(content, schemes["own"], before)):
                        found[name, role, whose, method] = wrong
                transaction.set_rollback(True)
    return found


def allowed(this: Row, role: Role | None, whose: str) -> set[int]:
    """The statuses an answer may have; 405 where the method is not offered."""
    if this.device:
        return {401}
    if this.public:
        return {200, 404, 405}
    if role is None:
        return {302, 405}  # to sign in
    if role not in this.roles:
        return {403, 405}
    if whose != "own" and role not in this.across:
        return {404, 405}
    return {200, 302, 400, 405, 409}


def faults(found: dict[tuple, int | str]) -> list[str]:
    """Answers that must not be, in words."""
    return [
        f"{name} {role or 'visitor'} {whose} {method}: {status}"
        for (name, role, whose, method), status in found.items()
        if status not in allowed(TABLE[name], role, whose)
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(TABLE))
def test_a_url_for_every_role_with_own_and_other_objects(clients, schemes, name):
    found = answers(clients, schemes, [name])
    wrong = faults(found)
    assert not wrong, "\n".join(wrong)
    # every URL with an object is reached by someone with their own: the table is not satisfied by refusals alone
    own = {status for (_, role, whose, _), status in found.items() if whose == "own" and role}
    assert TABLE[name].public or own & {200, 302, 400, 409}


def test_a_visitor_is_sent_to_sign_in_and_back(client, db):
    response = client.get(reverse("careleavers:list"))
    assert response.status_code == 302
    assert response.headers["Location"] == f"{reverse('account_login')}?next={reverse('careleavers:list')}"


@pytest.mark.django_db
def test_a_key_that_never_was_is_not_found(client, schemes):
    for name, _ in ours():
        keys = TABLE[name].keys
        if not keys or TABLE[name].public:
            continue
        for role in TABLE[name].roles:
            client.force_login(schemes["own"]["users"][role])
            url = reverse(name, kwargs=dict.fromkeys(keys, uuid.uuid4()))
            assert client.get(url).status_code in (404, 405), (name, role)


@pytest.mark.django_db
def test_the_table_fails_when_one_scope_is_removed(clients, schemes, monkeypatch):
    monkeypatch.setattr(CareLeaverQuerySet, "for_user", lambda self, user: self.all())
    names = {"careleavers:detail", "careleavers:edit"}
    assert any("careleavers:detail" in fault for fault in faults(answers(clients, schemes, names)))


NAMING = {  # pages that name young people, and for whom
    "careleavers:detail": {A, M},
    "careleavers:wellbeing": {A, M},
    "referrals:list": {A, M, P},
    "referrals:links": {A, M},
    "reviews:figures": {M},
    "pantry:session": {V, P},
}


@pytest.mark.django_db
def test_the_table_fails_when_a_page_that_names_someone_writes_no_event_or_two(clients, schemes, monkeypatch):
    record = audit.record
    for times in (0, 2):

        def planted(*args, times=times, **kwargs):
            for _ in range(times):
                record(*args, **kwargs)

        monkeypatch.setattr(audit, "record", planted)
        wrong = {}
        for (name, role, whose, method), said in answers(clients, schemes, NAMING).items():
            if "young people and writes" in str(said) and (whose, method) == ("own", "get"):
                wrong.setdefault(name, set()).add(role)
                assert said.endswith(f"and writes {times} events")
        assert wrong == NAMING


@pytest.mark.django_db
def test_the_table_fails_when_an_event_leaves_somebody_out(clients, schemes, monkeypatch):
    record = audit.record
    monkeypatch.setattr(audit, "record", lambda *args, subjects=(), **more: record(*args, **more))
    found = answers(clients, schemes, {"careleavers:list"})
    assert "its event leaves out" in found["careleavers:list", M, "own", "get"]


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_no_scope_holds_what_belongs_to_another_scheme(schemes, role):
    """Every `for_user` there is, asked directly: what no page happens to show is no one else's either."""
    user, away = schemes["own"]["users"][role], strangers(schemes, role)
    held = {
        (model.__name__, away[str(key)])
        for model in apps.get_models()
        if hasattr(model._default_manager, "for_user")
        for key in model._default_manager.for_user(user).order_by().values_list("pk", flat=True)  # type: ignore[attr-defined]
        if str(key) in away
    }
    open_to = {("Tariff", "tariff")} if role in (A, M) else set()  # prices of pantries they choose among
    if role == Role.ADMINISTRATOR:  # look after everybody's account, and so after whether e-mails reach them
        open_to = {("Message", each) for each in Role}
    assert held == open_to
