"""PDF out of a Django template: `render(template, context) -> bytes`.

WeasyPrint runs in a child process (child.py) with limits on memory and time: a huge document ends in a sentence and
slows nothing else. The child sees the HTML it is given and the project's own stylesheet: no network, no other files.
"""

import subprocess
import sys
from pathlib import Path

from django.template.loader import render_to_string

from stockport_hubs.core.errors import Refused

CHILD = Path(__file__).with_name("child.py")
MEMORY_MIB = 1200
SECONDS = 120

# Exit codes of the child.
NO_PANGO, NO_MEMORY = 3, 4

MISSING_PANGO = (
    "PDF packs need the Pango libraries, which are not on this machine: libpango-1.0-0, libpangoft2-1.0-0 and "
    "libharfbuzz-subset0. The same figures can be made as a page and as CSV meanwhile."
)
TOO_BIG = "The document is too big to print. Choose a shorter period; the page and the CSV hold everything."
TOO_LONG = "Printing took too long and was stopped. Choose a shorter period; the page and the CSV hold everything."


class Failed(Exception):
    """The child died for a reason that no sentence explains; its error text stays out of the message."""


def render(template: str, context: dict, *, seconds: int = SECONDS, memory_mib: int = MEMORY_MIB) -> bytes:
    """The template as tagged PDF/UA-1. The same HTML gives the same bytes. Raises Refused in words."""
    return from_html(render_to_string(template, context), seconds=seconds, memory_mib=memory_mib)


def from_html(html: str, *, seconds: int = SECONDS, memory_mib: int = MEMORY_MIB) -> bytes:
    """A whole HTML document as PDF, printed by the child process."""
    command = [sys.executable, "-I", str(CHILD), str(memory_mib), str(seconds)]
    try:
        done = subprocess.run(command, input=html.encode(), capture_output=True, timeout=seconds, cwd="/")
    except subprocess.TimeoutExpired:
        raise Refused(TOO_LONG)
    if done.returncode == NO_PANGO:
        raise Refused(MISSING_PANGO)
    if done.returncode == NO_MEMORY or done.returncode < 0:  # ended by the kernel: a limit was passed
        raise Refused(TOO_BIG)
    if done.returncode or not done.stdout.startswith(b"%PDF-"):
        raise Failed(f"The printing process ended with {done.returncode}.")
    return done.stdout
