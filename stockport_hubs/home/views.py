"""The home of every role: what needs me now, before anything else."""

from django.db import transaction
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from pantry.models import Pantry
from referrals.services import closures
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import anyone_signed_in
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.home import caseload_page, council, operator, set_up
from stockport_hubs.home.alarms import alarms, unknown_emails


@require_safe
@anyone_signed_in
def home(request):
    """Each role's own."""
    return HOMES[request.user.role](request)


@transaction.atomic
def advisor(request):
    """My young people in one table: whoever needs something first, unless another order is asked for."""
    listed = caseload_page.of(request.user, request.GET, clock.today())
    _looked_at(request, [row.person.pk for row in listed.rows], "careleavers.person.listed")
    context = _actions(request, council.my_actions(request.user)) | {
        "page_obj": listed.page,
        "listed": listed,
        "rows": listed.rows,
        "worries": council.worries(request.user, clock.today()),
        "closures": closures.ahead_for(request.user, clock.today()),
        **council.aside(request.user, clock.today()),
    }
    return render(request, "home/advisor.html", context)


def manager(request):
    """The scheme at a glance."""
    overview = council.overview(request.user, clock.today(), timezone.now())
    context = _actions(request, overview.my_actions) | {
        "overview": overview,
        "worries": overview.worries,
        "failed_jobs": overview.failed_jobs,
        "alarms": overview.alarms,
        "unknown_emails": overview.unknown_emails,
    }
    return render(request, "home/manager.html", context)


@transaction.atomic
def finance(request):
    """What waits for a second person, what is unpaid, what runs out, prices to agree, what was paid last."""
    user = request.user
    waiting, count = council.proposals(user)
    subjects = [(audit.MEMBERSHIP, each.membership_id) for each in waiting if each.membership_id]
    if subjects:
        audit.record("pantry.proposals.viewed", at=clock.now(), by=user, subjects=subjects)
    context = {
        "proposals": waiting,
        "proposals_count": count,
        "tariffs": council.tariffs_to_agree(user),
        "agreements": council.money_rows(user, clock.today()),
        "payments": council.last_payments(user),
        "statements": council.statements_waiting(user),
        "failed_jobs": council.failed_jobs(user),
        "alarms": [],
        "unknown_emails": 0,
    }
    return render(request, "home/finance.html", context)


def volunteer(request):
    """Straight to the session."""
    return redirect("pantry:today")


@transaction.atomic
def pantry_manager(request):
    """Introductions to answer, today, what is ahead."""
    user, today = request.user, clock.today()
    waiting, rows, people = operator.introductions(user, today)
    _looked_at(request, people, "referrals.referral.listed")
    context = _actions(request, council.my_actions(request.user)) | {
        "waiting": waiting,
        "rows": rows,
        "worries": council.worries(user, today),
        "today": operator.today(user, today),
        "closures": operator.closures(user, today),
        "meeting": council.next_meeting(user, today),
        "packs": operator.packs(user),
        "to_sort_out": operator.to_sort_out(user),
        "has_pantries": Pantry.objects.for_user(user).exists(),
        "day": today,
        "failed_jobs": [],
        "alarms": [],
        "unknown_emails": unknown_emails(user),
    }
    return render(request, "home/pantry_manager.html", context)


def administrator(request):
    """Accounts, and what is still to set up."""
    steps = set_up.steps(request.user)
    waiting, expired = set_up.open_invitations(request.user, clock.now())
    context = {
        "steps": steps,
        "next_step": next((step for step in steps if not step.is_done and step.url), None),
        "waiting": waiting,
        "expired": expired,
        "failed_jobs": [],
        "alarms": alarms(timezone.now()),
        "unknown_emails": unknown_emails(request.user),
    }
    return render(request, "home/administrator.html", context)


def _actions(request, found: list) -> dict:
    """What this person has to do; the audit row is written before anybody reads of whom."""
    shown = found[: council.ACTIONS_SHOWN]
    _looked_at(request, [each.person for each in shown if each.person], "reviews.actions.viewed")
    return {"my_actions": shown, "more_actions": len(found) > len(shown), "on": clock.today()}


def _looked_at(request, people: list, verb: str) -> None:
    if people:
        subjects = [(audit.CARE_LEAVER, person) for person in people]
        audit.record(verb, at=clock.now(), by=request.user, subjects=subjects)


HOMES = {
    Role.PERSONAL_ADVISOR: advisor,
    Role.LEAVING_CARE_MANAGER: manager,
    Role.FINANCE_OFFICER: finance,
    Role.PANTRY_VOLUNTEER: volunteer,
    Role.PANTRY_MANAGER: pantry_manager,
    Role.ADMINISTRATOR: administrator,
}
