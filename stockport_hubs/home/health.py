"""Is the site alive, and is all of it well: asked by load balancers and monitors; says nothing else."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from stockport_hubs.home.alarms import alarms

_migrated = False  # once the database is as new as this code, it stays so while this process lives


@require_safe
@never_cache
@login_not_required
def health(request):
    """200 "ok" once the database answers; without sign-in, session or cookie."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


@require_safe
@never_cache
@login_not_required
def ready(request):
    """200, or 503 with the part that is not well. Redis is not asked: it is a wake-up, and its loss loses nothing."""
    parts = dict.fromkeys(("database", "migrations", "oldest_due_job", "audit_sealed"), "ok")
    try:
        if _pending():
            parts["migrations"] = "pending"
        else:
            parts |= {alarm.part: "late" for alarm in alarms(timezone.now())}
    except DatabaseError:
        parts = dict.fromkeys(parts, "not known") | {"database": "no answer"}
    well = set(parts.values()) == {"ok"}
    answer = JsonResponse({"ready": well, "parts": parts}, status=200 if well else 503)
    answer._has_been_logged = True  # type: ignore[attr-defined]  # asked every few seconds: not an ERROR each time
    return answer


def _pending() -> bool:
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return not _migrated
