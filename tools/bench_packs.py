"""A pack against WeasyPrint on the same HTML, for `make bench ONLY="pack"`: run beside the database it prints from."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BARE_PRINTING = """
import sys
from weasyprint import CSS, HTML
HTML(string=sys.stdin.read()).write_pdf(stylesheets=[CSS(sys.argv[1])], pdf_variant="pdf/ua-1", pdf_tags=True)
"""


def measure(turns: int) -> tuple[float, float]:
    """Milliseconds of the Leaving Care Team's pack and of its floor, medians of turns after one to warm up; both start
    a process that prints."""
    from reviews.models import ReviewMeeting
    from reviews.services import packs
    from stockport_hubs import pdf
    from stockport_hubs.core import clock

    meeting = ReviewMeeting.objects.select_related("agreement__funder", "agreement__operator").earliest("starts_at")
    printed: list[str] = []
    real = pdf.from_html
    pdf.from_html = lambda html, **more: printed.append(html) or real(html, **more)

    def ours() -> None:
        packs.build(meeting=meeting, audience="leaving-care", by=None, now=clock.now)()

    def floor() -> None:
        command = [sys.executable, "-c", BARE_PRINTING, str(ROOT / "stockport_hubs/pdf/pack.css")]
        subprocess.run(command, input=printed[-1], text=True, check=True, capture_output=True)

    times = [(_took(ours), _took(floor)) for _ in range(1 + turns)][1:]
    return statistics.median(t for t, _ in times), statistics.median(t for _, t in times)


def _took(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000
