"""The chain of seals over insert-only tables: what was altered, taken out or put in past the triggers is named.

A job seals what is new every minute, in a transaction of its own: the business transactions only insert, and wait for
nobody. Ids are given out before a transaction commits, so a lower id may become visible after a higher one was sealed.
A seal therefore names the very ids it holds; ids that were skipped stay open for LATE and are sealed when they come.

The hash of a seal is keyed with SECRET_KEY, so that someone who can write every table still cannot write a new chain.
Whoever also takes away the newest seals is found by the log, which holds number and hash of every seal
(`check_audit --known`).
"""

import hashlib
import hmac
import json
import logging
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import Q, Subquery
from django.db.models.functions import Coalesce

from stockport_hubs.audit.models import AuditEvent, AuditSubject, Seal
from stockport_hubs.core.kept import Kept

log = logging.getLogger(__name__)

BATCH = 2_000  # rows of one seal
NEAR = 500  # runs that lie closer than this are read together
LATE = timedelta(hours=24)  # no transaction stays open for longer
UNSEALED_ALARM = timedelta(minutes=10)
Runs = list[list[int]]


@dataclass(frozen=True)
class Chain:
    """A table to seal. `content(first, last)` gives (id, content as JSON holds it) for the rows with these ids."""

    name: str
    what: str
    model: type[models.Model]
    content: Callable[[int, int], Iterable[tuple[int, list]]]


chains: dict[str, Chain] = {}


def register(chain: Chain) -> Chain:
    """Make a table one that is sealed."""
    chains[chain.name] = chain
    return chain


def _events(first: int, last: int) -> Iterator[tuple[int, list]]:
    subjects: dict[int, list] = {}
    named = AuditSubject.objects.filter(event_id__gte=first, event_id__lte=last).order_by("id")
    for event, *subject in named.values_list("event_id", "id", "kind", "subject_id"):
        subjects.setdefault(event, []).append(subject)
    fields = ("at", "stored_at", "verb", "by_id", "job", "target_type", "target_id", "detail")
    for key, *row in AuditEvent.objects.filter(id__range=(first, last)).values_list("id", *fields):
        yield key, [*row, subjects.get(key, [])]


register(Chain("audit", "Audit event", AuditEvent, _events))


def _plain(value) -> str:
    """Moments in UTC, UUIDs and days as text: the same on both databases and in every time zone."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def _canonical(value) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain).encode()


def _digests(chain: Chain, runs: Runs) -> dict[int, bytes]:
    """The digest of every row that is there between the ends of these runs."""
    spans: Runs = []
    for first, last in runs:
        if spans and first - spans[-1][1] <= NEAR:
            spans[-1][1] = last
        else:
            spans.append([first, last])
    return {
        key: hashlib.sha256(_canonical([chain.name, key, content])).digest()
        for first, last in spans
        for key, content in chain.content(first, last)
    }


def _hash(seal: Seal, key: str) -> str:
    head = [seal.chain, seal.number, seal.runs, seal.last_id, seal.sealed_at, seal.previous]
    secret = hashlib.sha256(b"seals of the audit:" + key.encode()).digest()
    return hmac.new(secret, _canonical(head) + bytes(seal.digests), hashlib.sha256).hexdigest()


# -- sealing -----------------------------------------------------------------------------------------------------------


def seal(*, at: datetime) -> int:
    """Seal everything of every chain that is there and not sealed yet; how many rows."""
    sealed = 0
    for chain in chains.values():
        while rows := _seal_batch(chain, at):
            sealed += rows
            if rows < BATCH:
                break
    return sealed


def _seal_batch(chain: Chain, at: datetime) -> int:
    try:
        with transaction.atomic():
            last = _last(chain)
            ids = _waiting(chain, last, at)
            if not ids:
                return 0
            runs = _runs(ids)
            digests = _digests(chain, runs)
            made = Seal(
                chain=chain.name,
                number=last.number + 1 if last else 1,
                runs=runs,
                last_id=max(ids[-1], last.last_id if last else 0),
                digests=b"".join(digests[key] for key in ids),
                previous=last.hash if last else "",
                sealed_at=at,
            )
            made.hash = _hash(made, settings.SECRET_KEY)
            made.save()
    except IntegrityError:  # another one sealed at the same moment: this number is taken
        return 0
    log.info("sealed %s:%s:%s", chain.name, made.number, made.hash)
    return len(ids)


def _last(chain: Chain) -> Seal | None:
    return Seal.objects.filter(chain=chain.name).order_by("-number").defer("digests", "runs").first()


def _waiting(chain: Chain, last: Seal | None, now: datetime) -> list[int]:
    """Ids to seal next, ascending: first those that came late, then the new ones; at most BATCH."""
    rows = chain.model._base_manager.order_by("id")
    gaps = _gaps(chain, last, now) if last else []
    late: list[int] = []
    for n in range(0, len(gaps), 100):
        anywhere = reduce(or_, (Q(id__range=gap) for gap in gaps[n : n + 100]))
        late += rows.filter(anywhere).values_list("id", flat=True)[:BATCH]
    new = rows.filter(id__gt=last.last_id if last else 0).values_list("id", flat=True)
    return [*late, *new[:BATCH]][:BATCH]


def _open_since(chain: Chain, now: datetime) -> int:
    """The id up to which everything was sealed or skipped longer than LATE ago."""
    old = Seal.objects.filter(chain=chain.name, sealed_at__lte=now - LATE).order_by("-number")
    return old.values_list("last_id", flat=True).first() or 0


def _gaps(chain: Chain, last: Seal, now: datetime) -> Runs:
    """Ids that no seal up to the last one holds and that may still come."""
    low = _open_since(chain, now)
    until = Seal.objects.filter(chain=chain.name, number__lte=last.number)  # others may have sealed since
    recent = until.filter(sealed_at__gt=now - LATE).values_list("runs", flat=True)
    gaps, at = [], low
    for first, end in sorted(run for runs in recent for run in runs if run[1] > low):
        if first > at + 1:
            gaps.append([at + 1, first - 1])
        at = max(at, end)
    return gaps


def _runs(ids: list[int]) -> Runs:
    runs: Runs = []
    for key in ids:
        if runs and key == runs[-1][1] + 1:
            runs[-1][1] = key
        else:
            runs.append([key, key])
    return runs


def unsealed() -> models.QuerySet:
    """When the first audit row that waits for its seal was stored, as a query."""
    sealed = Seal.objects.filter(chain="audit").order_by("-number").values("last_id")[:1]
    return AuditEvent.objects.filter(id__gt=Coalesce(Subquery(sealed), 0)).order_by("id").values_list("stored_at")[:1]


UNSEALED = Kept(unsealed)


def oldest_unsealed() -> datetime | None:
    """When the first audit row that waits for its seal was stored. Late comers are left to the check."""
    return next((stored for (stored,) in UNSEALED()), None)


# -- checking ----------------------------------------------------------------------------------------------------------


@dataclass
class Checked:
    """What a check of one chain found."""

    breaks: list[str]
    rows: int = 0
    sealed: int = 0
    last: str = ""  # chain:number:hash of the newest seal, as the log has it


def check(name: str, *, now: datetime, known: Iterable[str] = ()) -> Checked:
    """Hold every row against its seal and every seal against the one before it. `known`: chain:number:hash lines of the
    log, which must be there."""
    chain, found = chains[name], Checked([])
    sought = {text for text in known if text.startswith(f"{name}:")}
    expected, previous, held = 1, "", []
    for each in Seal.objects.filter(chain=name).order_by("number").iterator(chunk_size=20):
        if each.number != expected:
            found.breaks.append(f"{_seals(chain, expected, each.number - 1)} gone.")
        elif each.previous != previous:
            found.breaks.append(f"{each} does not follow the one before it.")
        keys = [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]
        if not any(_hash(each, key) == each.hash for key in keys):
            found.breaks.append(f"{each} was altered, or made with a SECRET_KEY that is not known here.")
        found.breaks += _broken_rows(chain, each)
        found.sealed += len(each.digests) // 32
        held += each.runs
        expected, previous, found.last = each.number + 1, each.hash, f"{name}:{each.number}:{each.hash}"
        sought.discard(found.last)
    found.breaks += [f"The seal {text} of the log is not there." for text in sorted(sought)]
    found.rows, loose = _loose(chain, sorted(held), now)
    found.breaks += [f"{chain.what} {key} was put in later: no seal holds it." for key in loose]
    return found


def _seals(chain: Chain, first: int, last: int) -> str:
    return (
        f"Seal {first} of the {chain.name} is" if first == last else f"Seals {first} to {last} of the {chain.name} are"
    )


def _broken_rows(chain: Chain, each: Seal) -> Iterator[str]:
    there, sealed = _digests(chain, each.runs), bytes(each.digests)
    ids = (key for first, last in each.runs for key in range(first, last + 1))
    when = f"after it was sealed on {each.sealed_at.astimezone(UTC):%-d %B %Y at %H:%M} UTC"
    for n, key in zip(range(0, len(sealed), 32), ids, strict=False):  # a seal's own faults are named by its hash
        if key not in there:
            yield f"{chain.what} {key} was taken out {when}."
        elif there[key] != sealed[n : n + 32]:
            yield f"{chain.what} {key} was altered {when}."


def _loose(chain: Chain, held: Runs, now: datetime) -> tuple[int, list[int]]:
    """The number of rows, and those that no seal holds although it is too late for them to come."""
    low, starts, rows, loose = _open_since(chain, now), [run[0] for run in held], 0, []
    for key in chain.model._base_manager.order_by("id").values_list("id", flat=True).iterator(chunk_size=5_000):
        rows += 1
        if key <= low:
            run = bisect_right(starts, key) - 1
            if run < 0 or held[run][1] < key:
                loose.append(key)
    return rows, loose
