"""The year-end of an agreement: the page, and the lines for the council's ledger."""

from datetime import date

from django.shortcuts import render
from django.views.decorators.http import require_safe

from pantry import statement_files as files
from pantry import year_end as figures
from pantry.models import FundingAgreement
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock
from stockport_hubs.core.spreadsheets import download

READERS = (Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER)


def _asked(request, agreement_id) -> tuple[figures.YearEnd, list[date]]:
    """The year asked for; otherwise the last that is over, or the only one."""
    agreement, today = get_or_404(FundingAgreement.objects.for_user(request.user), pk=agreement_id), clock.today()
    years = figures.years(agreement, today)
    over = [year for year in years if figures.year_until(year) < today]
    chosen = next((year for year in years if str(year.year) == request.GET.get("year")), (over or years)[0])
    return figures.of(agreement, chosen), years


@roles(*READERS)
@require_safe
def year_end(request, agreement_id):
    """Prepaid, accrued, bought, and what goes to the ledger."""
    found, years = _asked(request, agreement_id)
    context = {
        "found": found,
        "years": years,
        "is_over": found.until < clock.today(),
        "is_open": figures.has_open_months(found.agreement, found.until),
        "lines": figures.ledger(found),
    }
    return render(request, "pantry/year_end.html", context)


@roles(*READERS)
@require_safe
def year_end_csv(request, agreement_id):
    """The lines for the ledger."""
    found, _ = _asked(request, agreement_id)
    return download(files.ledger_csv(found), f"year-end-{found.until.isoformat()}")
