"""The page of a pantry's own tablet and what keeps it there without a network. Nothing here is about a person."""

import hashlib
import json
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

from pantry.forms.sessions import VoidForm
from pantry.services.collections import UNDONE, OverrideReason
from stockport_hubs.core.middleware import with_camera

NAME = "Pantry session"
FOLDER, FIRST = "js/tablet", "js/tablet/app.js"
PICTURES = ("hubs.svg",)
# Where the browser reads no codes itself. Not part of the page: kept once it has been asked for.
DECODER = ("qr/decode.js", "qr/index.js")
ICONS = ((192, "tablet/icon-192.png"), (512, "tablet/icon-512.png"))


def _script_names() -> list[str]:
    """The page's scripts. They name each other by the names they lie under, so they are served under these."""
    folder = Path(str(finders.find(FOLDER)))
    return [FIRST, *sorted(f"{FOLDER}/{path.name}" for path in folder.glob("*.js") if path.name != "app.js")]


def _page() -> str:
    scripts = [f"{settings.STATIC_URL}{name}" for name in _script_names()]
    lists = {"over": OverrideReason.choices, "void": VoidForm.REASONS[:-1], "undone": UNDONE}
    context = {"name": NAME, "first": scripts[0], "modules": scripts[1:], "lists": json.dumps(lists)}
    return render_to_string("pantry/tablet.html", context)  # without the request: whoever is signed in is not in it


@require_safe
@login_not_required
@with_camera
def shell(request: HttpRequest) -> HttpResponse:
    """The same for everyone; a browser asks each time whether it is still so, the service worker answers without."""
    return HttpResponse(_page(), headers={"Cache-Control": "no-cache"})


@require_safe
@login_not_required
def worker(request: HttpRequest) -> HttpResponse:
    """The service worker. Its text changes with any file it keeps: that is how a tablet learns of a new version."""
    page, names = _page(), [*_script_names(), "css/tablet.css", *PICTURES, *DECODER]
    whole = hashlib.sha256(page.encode())
    for path in filter(None, map(finders.find, names)):
        whole.update(Path(str(path)).read_bytes())
    addresses = [f"{settings.STATIC_URL}{name}" for name in _script_names()]
    addresses += [reverse("tablet:shell"), *(static(name) for name in ("css/tablet.css", *PICTURES))]
    later = [f"{settings.STATIC_URL}{name}" for name in DECODER]
    context = {"version": whole.hexdigest()[:16], "kept": json.dumps(addresses), "later": json.dumps(later)}
    script = render_to_string("pantry/tablet_worker.js", context)
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": reverse("tablet:shell")}
    return HttpResponse(script, content_type="text/javascript; charset=utf-8", headers=headers)


@require_safe
@login_not_required
def manifest(request: HttpRequest) -> JsonResponse:
    """What a tablet needs to put the page on its home screen."""
    icons = [
        {"src": static(name), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size, name in ICONS
        for purpose in ("any", "maskable")
    ]
    told = {
        "id": reverse("tablet:shell"),
        "name": NAME,
        "short_name": "Pantry",
        "lang": "en-GB",
        "start_url": reverse("tablet:shell"),
        "scope": reverse("tablet:shell"),
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#12494f",
        "icons": icons,
    }
    return JsonResponse(told, content_type="application/manifest+json", headers={"Cache-Control": "no-cache"})
