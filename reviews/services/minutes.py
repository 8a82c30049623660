"""Minutes: told from the meeting while they are a draft, frozen when they are agreed. Both organisations read them."""

from datetime import datetime

from reviews import rules
from reviews.models import Action, AgendaItem, AgendaKind, Disagreement, Minutes, ReviewMeeting, Rung
from stockport_hubs import pdf
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.weeks import spoken

VERSION = 1
CAME = {True: "Came", False: "Did not come", None: "Not yet known"}


def content(meeting: ReviewMeeting) -> dict:
    """Everything the minutes say, as JSON: words that both organisations have read, roles, membership numbers."""
    agreement = meeting.agreement
    items = list(AgendaItem.objects.filter(meeting=meeting).select_related("owner__organisation"))
    sources = [each.source for each in items if each.kind == AgendaKind.ACTION]
    done = set(Action.objects.filter(pk__in=sources, done_on__isnull=False).values_list("pk", flat=True))
    unsettled = Disagreement.objects.unsettled().filter(agreement=agreement)
    return {
        "version": VERSION,
        "agreement": agreement.name,
        "organisations": [agreement.funder.name, agreement.operator.name],
        "starts_at": meeting.starts_at.isoformat(),
        "where": meeting.where,
        "period_from": meeting.period_from.isoformat(),
        "period_to": meeting.period_to.isoformat(),
        "people": [
            {"name": each.name, "organisation": each.organisation.name, "came": CAME[each.came]}
            for each in meeting.attendance.select_related("organisation")
        ],
        "items": [_item(each, each.source in done) for each in items],
        "actions": [
            {"what": each.what, "owner": each.owner.name, "due_on": each.due_on.isoformat()}
            for each in meeting.actions.select_related("owner").order_by("due_on", "made_at")
        ],
        "disagreements": [{"about": each.about, "rung": Rung(each.rung).label} for each in unsettled],
    }


def _item(item: AgendaItem, is_done: bool) -> dict:
    is_action = item.kind == AgendaKind.ACTION
    return {
        "title": item.title,
        "kind": item.get_kind_display(),
        "note": "" if is_action else item.note,
        "carried": said_carried(item),
        "state": "Done" if is_action and is_done else item.get_state_display(),
        "discussion": item.discussion,
        "decision": item.decision,
        "owner": f"{item.owner.name}, {item.owner.organisation.name}" if item.owner else "",
        "due_on": item.due_on.isoformat() if item.due_on else "",
    }


def said_carried(item: AgendaItem) -> str:
    """ "Carried twice, from the meeting of 4 May 2026"; nothing for what is new."""
    return f"Carried {rules.times(item.carried)}, from the meeting of {spoken(item.first_on)}" if item.carried else ""


def freeze(*, meeting: ReviewMeeting, by: User, at: datetime) -> Minutes:
    """Keep them as they are at this moment, in the caller's transaction, which holds the meeting."""
    said = content(meeting) | {"agreed_by": by.name, "agreed_at": at.isoformat()}
    made = Minutes.objects.create(meeting=meeting, content=said, agreed_by=by, agreed_at=at)
    audit.record("reviews.minutes.agreed", at=at, by=by, target=made)
    return made


def to_pdf(said: dict) -> bytes:
    """Agreed minutes in print; the same minutes give the same bytes."""
    return pdf.render("reviews/minutes_print.html", {"said": said}, seconds=30)
