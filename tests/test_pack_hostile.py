"""Hostile text in packs: printed, it opens no file and no socket; and words of custody, health and safety planted in
the council's fields reach nothing that Stockport Homes gets."""

import io
import re
import shutil
import subprocess
import sys

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from reviews import documents
from reviews.models import Audience
from reviews.services import packs
from stockport_hubs import pdf
from tests import pack_scene
from tests.pack_scene import make, signed_in
from tests.review_scene import Scene

pytestmark = [pytest.mark.django_db, pytest.mark.prints, pytest.mark.sqlite]


# -- hostile text ------------------------------------------------------------------------------------------------------

ADDRESSES = [
    "http://127.0.0.1:9/{n}",
    "//127.0.0.1:9/{n}",
    "file:///etc/passwd?{n}",
    "ftp://127.0.0.1:9/{n}",
    "\\\\host\\{n}",
]
SHAPES = [
    '<img src="{a}" alt="x">',
    '"><script src="{a}"></script>',
    "<style>@import url({a}); * {{ background: url({a}) }}</style>",
    '<link rel="attachment" href="{a}"><base href="{a}">',
    '<object data="{a}"></object><iframe src="{a}"></iframe>',
    "{{% include '{a}' %}}{{{{ frozen }}}}{{% load {a} %}}",
    "'><svg><image href='{a}'/><use href='{a}#x'/></svg>",
    "<!--#include file='{a}'--><?xml-stylesheet href='{a}'?>",
    "<!DOCTYPE x [<!ENTITY e SYSTEM '{a}'>]>&e;",
    "url({a}) attr(href) content: url({a}); \u202e\u0000\u200b\U0001f4a5 Ω 漢字 عربي",
    "data:text/html,<img src={a}>",
    '=HYPERLINK("{a}")',
    "\\x3cimg src={a}\\x3e%00%0d%0a{a}",
    "</td></tr></table></section></body></html><img src={a}>",
    "<meta http-equiv=refresh content='0;url={a}'><a rel=attachment href={a}>x</a>",
    "<math href={a}><annotation-xml encoding='text/html'><img src={a}>",
    "<input type=image src={a}><video poster={a}><audio src={a}>",
    "@font-face {{ src: url({a}) }} <style>@font-face {{ font-family: x; src: url({a}) }}</style>",
    "<table background={a}><td background={a}><body background={a}>",
    "<img srcset='{a} 1x' src={a}><picture><source srcset={a}></picture>",
]
HOSTILE = [shape.format(a=address.format(n=n)) for n, shape in enumerate(SHAPES) for address in ADDRESSES]
OPENED = re.compile(r'(?:open|openat)\(.*?"([^"]*)".*?\) = \d+')
SCRATCH = re.compile(r"^/tmp/\w{8,}(\.\w+)*$")  # its own files of a moment, whose names are random
FONTS = re.compile(r"/.*(fonts?|fontconfig)/")


def hostile_html(values: list[str]) -> str:
    """The pack as it is printed, with one of the values after the other in every field that holds text."""
    scene = Scene(12)
    scene.trouble()
    frozen = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="x", at=scene.at)
    used = iter(values * 40)

    def poisoned(found, key=""):
        if isinstance(found, dict):
            return {name: poisoned(each, name) for name, each in found.items()}
        if isinstance(found, list):
            return [poisoned(each, key) for each in found]
        free = key in (
            "agreement",
            "funder",
            "operator",
            "where",
            "name",
            "organisation",
            "made_by",
            "about",
            "owner",
            "what",
        )
        return next(used) if free and isinstance(found, str) else found

    from django.template.loader import render_to_string

    poisoned_ = poisoned(frozen) | {"actions": poisoned([dict(frozen["actions"][0]) for _ in values])}
    made = documents.document(poisoned_, printed=True)
    return render_to_string(
        "reviews/pack_print.html", {"frozen": poisoned_, "pack": made, "audience": values[0], "contents": True}
    )


def opened_by_printing(html: str) -> tuple[set[str], list[str]]:
    """Files the printing process and its threads opened, and its calls for sockets, as the system saw them."""
    command = [sys.executable, "-I", str(pdf.CHILD), "2000", "120"]
    seen = subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=open,openat,socket,connect,execve", *command],
        input=html.encode(),
        capture_output=True,
        timeout=180,
        cwd="/",
    )
    assert seen.stdout.startswith(b"%PDF-")
    calls = seen.stderr.decode(errors="replace").splitlines()
    opened = {SCRATCH.sub("/tmp/own", found[1]) for line in calls if (found := OPENED.search(line))}
    asked = [line for line in calls if re.search(r"\b(socket|connect)\(", line)]
    return opened, asked


@pytest.mark.skipif(not shutil.which("strace"), reason="the system's calls are watched with strace")
def test_a_hundred_hostile_values_open_no_file_and_no_socket(tmp_path):
    assert len(HOSTILE) == len(set(HOSTILE)) == 100
    html = hostile_html(HOSTILE)
    assert all(value.split("<")[0][:10] in html or "&lt;" in html for value in HOSTILE)
    opened, sockets = opened_by_printing(html)
    plain, none = opened_by_printing(
        "<!DOCTYPE html><html lang='en-GB'><title>x</title><h1>x</h1><table><tr><td>x</table>"
    )
    assert sockets == none == []
    # Letters of other scripts need fonts; nothing else is opened that a document of one word does not open.
    assert [path for path in sorted(opened - plain) if not FONTS.match(path)] == []
    assert str(pdf.CHILD.with_name("pack.css")) in plain and not any("passwd" in path for path in opened - plain)


def test_what_watches_the_printing_would_see_a_file(tmp_path):
    """The control: a document that a less careful fetcher is asked for opens the file it names."""
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"x")
    code = "import sys; from weasyprint import HTML; HTML(string=sys.argv[1]).write_pdf(sys.stdout.buffer)"
    command = [sys.executable, "-c", code, f'<img src="file://{secret}">']
    seen = subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=openat", *command], capture_output=True, timeout=120
    )
    lines = seen.stderr.decode(errors="replace").splitlines()
    assert str(secret) in {found[1] for line in lines if (found := OPENED.search(line))}


# -- Stockport Homes is also the landlord ------------------------------------------------------------------------------


def test_no_custody_health_or_safety_word_planted_anywhere_reaches_stockport_homes(monkeypatch):
    """Words of the council's own fields: notes, outcomes, reasons, what was tried."""
    scene = Scene(12)
    scene.trouble({"custody": 7, "health": 6, "safety": 8, "hours": 6})
    planted = ["HMP Sampleton", "in custody", "epilepsy", "threatened by a neighbour"]
    from careleavers.models import CareLeaver, CohortMove
    from pantry.models import MembershipMove, RenewalDecision
    from referrals.models import Referral
    from reviews.models import Barrier, BarrierMove

    words = " ".join(planted)
    for model in (CareLeaver, CohortMove, MembershipMove, RenewalDecision, Referral, Barrier, BarrierMove):
        free = [
            field
            for field in model._meta.get_fields()
            if field.get_internal_type() in ("CharField", "TextField")
            and not field.choices
            and field.name not in ("reference", "preferred_name", "key", "wellbeing_asked")
        ]
        for row in model.objects.all():
            for field in free:
                setattr(row, field.attname, words[: field.max_length or 300])
            model.objects.filter(pk=row.pk).update(**{field.attname: getattr(row, field.attname) for field in free})
    monkeypatch.setattr(pdf, "from_html", pack_scene.as_html)  # the words that would be printed
    client, pack = signed_in(scene.pantry_manager), make(scene, Audience.STOCKPORT_HOMES)
    texts = [bytes(pack.pdf).decode(), str(pack.figures)]
    for name in ("pack", "pack_csv"):
        texts.append(client.get(reverse(f"reviews:{name}", args=[pack.pk])).content.decode())
    book = load_workbook(io.BytesIO(client.get(reverse("reviews:pack_xlsx", args=[pack.pk])).content))
    texts.append(
        " ".join([*book.sheetnames, *(str(c.value) for sheet in book for row in sheet.iter_rows() for c in row)])
    )
    assert all("not shown" in text or "None" in text for text in texts)  # each of them is the pack
    for text in texts:
        for word in (*planted, "HMP", "ustody", "ealth or dis", "afety"):
            assert word not in text, word
    ours = str(packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="x", at=scene.at))
    assert "custody" in ours  # the words are there to be left out
