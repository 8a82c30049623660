"""The audit as a leaving care manager reads it: what people of the council did and saw, and what anybody did and saw of
the council's young people and of the members it pays for. Of other members nothing, not even how many."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber
from django.urls import reverse
from django.utils import timezone

from careleavers.models import CareLeaver
from pantry.models import Membership
from referrals.models import Referral
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.models import AuditEvent, AuditSubject
from stockport_hubs.audit.words import GROUPS, words
from stockport_hubs.core.among import Among
from stockport_hubs.core.spreadsheets import safe
from stockport_hubs.core.weeks import LONDON
from stockport_hubs.jobs import services as jobs

PAGE, EXPORTED = 25, 5_000
SHOWN = 3  # people named in a row
AT_MOST = 20  # young people a search may fit


@dataclass
class Wanted:
    """What the reader looks for; empty means everything."""

    person: CareLeaver | None = None
    people: list[UUID] | None = None  # young people a search fits
    who: str = ""
    group: str = ""
    from_on: date | None = None
    until_on: date | None = None

    @property
    def names(self) -> list[str]:
        """What is asked for, for the audit of the audit: no words anyone typed."""
        return [name for name in ("person", "people", "who", "group", "from_on", "until_on") if getattr(self, name)]


@dataclass(frozen=True)
class Line:
    """One event in words."""

    at: datetime
    who: str
    role: str
    organisation: str
    did: str
    fields: str
    about: list[tuple[str, str]]  # (text, address)
    more: int


@dataclass
class Found:
    """A page of the audit, the newest first."""

    lines: list[Line]
    older: str = ""  # where the next page begins: moment~rows of that moment that were shown
    subjects: list[tuple[str, UUID]] = field(default_factory=list)  # whom the page names


def _subjects(user: User) -> QuerySet[AuditSubject]:
    """Subjects this manager may know of: each is looked up by its key, for a page holds few of all there are."""
    this = {"pk": OuterRef("subject_id")}
    people, members = CareLeaver.objects.for_user(user).filter(**this), Membership.objects.for_user(user).filter(**this)
    return AuditSubject.objects.filter(
        Q(Exists(people), kind=audit.CARE_LEAVER) | Q(Exists(members), kind=audit.MEMBERSHIP)
    )


def _events(user: User, wanted: Wanted) -> QuerySet[AuditEvent]:
    own = Q(by__organisation_id=user.organisation_id)
    # One subject's id, where EXISTS would say the same: for that PostgreSQL reads every subject there is, once a page.
    known = Subquery(_subjects(user).filter(event=OuterRef("pk")).values("pk")[:1])
    found = AuditEvent.objects.alias(known=known).filter(own | Q(known__isnull=False))
    if wanted.person is not None or wanted.people is not None:
        people = [wanted.person.pk] if wanted.person is not None else wanted.people or []
        held = Referral.objects.for_user(user).filter(care_leaver__in=people, membership__isnull=False)
        about = [*people, *held.values_list("membership", flat=True)]
        found = found.filter(pk__in=AuditSubject.objects.filter(subject_id__in=about).values("event"))
    if wanted.who.split():
        # Asked for first: how many accounts a word fits decides whether their events or the newest ones are walked.
        found = found.filter(Among("by", User.objects.search(wanted.who).values_list("pk", flat=True)))
    if wanted.group:
        found = found.filter(verb__in=GROUPS[wanted.group])
    if wanted.from_on:
        found = found.filter(at__gte=datetime.combine(wanted.from_on, time(), LONDON))
    if wanted.until_on:
        found = found.filter(at__lt=datetime.combine(wanted.until_on + timedelta(days=1), time(), LONDON))
    return found.select_related("by__organisation").order_by("-at", "-id")


def page(user: User, wanted: Wanted, before: str = "") -> Found:
    """PAGE events; `before` is `older` of the page before. A page never counts all there are: there may be millions."""
    found = _events(user, wanted)
    moment, seen = _place(before)
    if moment:
        found = found.filter(at__lte=moment)
    events = list(found[seen : seen + PAGE + 1])
    shown = Found(*_lines(user, events[:PAGE], SHOWN))
    if len(events) > PAGE:
        last = events[PAGE - 1].at
        same = sum(event.at == last for event in events[:PAGE])
        shown.older = f"{last.isoformat()}~{same + (seen if last == moment else 0)}"
    return shown


def _place(text: str) -> tuple[datetime | None, int]:
    moment, _, seen = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
        known = timezone.is_aware(at) and 2000 < at.year < 3000  # the first and the last days have no UTC
        return (at, int(seen)) if known and 0 <= int(seen) < 100_000 else (None, 0)
    except ValueError:
        return None, 0


def export(user: User, wanted: Wanted) -> tuple[str, Found]:
    """The newest EXPORTED events as a table for spreadsheets; people by reference, members by number."""
    events = list(_events(user, wanted)[:EXPORTED])
    found = Found(*_lines(user, events, AT_MOST, by_reference=True))
    out = io.StringIO()
    write = csv.writer(out).writerow
    write(["When", "Who", "Role", "Organisation", "What", "Fields changed", "About"])
    for line in found.lines:
        about = [text for text, _ in line.about] + ([f"and {line.more} more"] if line.more else [])
        when = timezone.localtime(line.at, LONDON).strftime("%Y-%m-%d %H:%M:%S")
        row = (line.who, line.role, line.organisation, line.did, line.fields, "; ".join(about))
        write([when, *(safe(text) for text in row)])
    if len(events) == EXPORTED:
        write([f"Only the newest {EXPORTED:,} are here. Choose fewer days to see older ones."])
    return out.getvalue(), found


def _lines(
    user: User, events: list[AuditEvent], shown: int, *, by_reference: bool = False
) -> tuple[list[Line], str, list[tuple[str, UUID]]]:
    nth = Window(RowNumber(), partition_by=F("event"), order_by=F("id").asc())
    counted = _subjects(user).filter(event__in=[event.pk for event in events])
    counted = counted.annotate(n=nth, of=Window(Count("*"), partition_by=F("event"))).filter(n__lte=shown)
    subjects: dict[int, list[AuditSubject]] = {}
    for subject in counted.order_by("event", "id"):
        subjects.setdefault(subject.event_id, []).append(subject)
    named = [subject for each in subjects.values() for subject in each]
    texts = {**_people(user, named, by_reference), **_members(user, named)}
    lines = []
    for event in events:
        here = subjects.get(event.pk, [])
        who, role, organisation = _who(event)
        lines.append(
            Line(
                at=event.at,
                who=who,
                role=role,
                organisation=organisation,
                did=words(event.verb),
                fields=", ".join(str(name).replace("_", " ") for name in event.detail.get("fields", [])),
                about=[texts[subject.subject_id] for subject in here if subject.subject_id in texts],
                more=here[0].of - len(here) if here else 0,  # type: ignore[attr-defined]
            )
        )
    return lines, "", list(dict.fromkeys((each.kind, each.subject_id) for each in named))


def _who(event: AuditEvent) -> tuple[str, str, str]:
    if event.by is None:
        return f"The system: {jobs.words(event.job)}", "", ""
    return event.by.name, event.by.get_role_display(), event.by.organisation.name


def _ids(subjects: Iterable[AuditSubject], kind: str) -> set[UUID]:
    return {subject.subject_id for subject in subjects if subject.kind == kind}


def _people(user: User, subjects: list[AuditSubject], by_reference: bool) -> dict[UUID, tuple[str, str]]:
    found = CareLeaver.objects.for_user(user).filter(pk__in=_ids(subjects, audit.CARE_LEAVER))
    found = found.only("preferred_name", "surname", "reference")
    return {
        each.pk: (each.reference if by_reference else each.full_name, reverse("careleavers:detail", args=[each.pk]))
        for each in found
    }


def _members(user: User, subjects: list[AuditSubject]) -> dict[UUID, tuple[str, str]]:
    found = Membership.objects.for_user(user).filter(pk__in=_ids(subjects, audit.MEMBERSHIP))
    numbers = found.values_list("pk", "number")
    return {pk: (f"Member {number}", reverse("pantry:member", args=[pk])) for pk, number in numbers}
