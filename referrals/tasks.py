"""Job handlers of introductions; loaded at start, and makes their e-mails known."""

from careleavers.models import CareLeaver
from referrals import digest, letters, messages
from referrals.services import agreements, closures, warnings, worries
from stockport_hubs.core import clock
from stockport_hubs.jobs.services import Work, handler

messages.register()
letters.register()
digest.register()
worries.register()
closures.register()


@handler("referrals.follow", seconds=120, every_minutes=10)
def follow(work: Work):
    """Bring memberships into line with their young people: the one named, or everybody who is out of line by now (an
    agreement to share has run out, a death came with an import)."""
    key = work.ids.get("care_leaver")
    if key is None:
        agreements.sweep(at=clock.now(), job="referrals.follow")
        return None
    person = CareLeaver.objects.get(pk=key)
    return lambda: agreements.follow(care_leaver=person, job="referrals.follow", at=clock.now())


@handler("referrals.warn", seconds=120, every_minutes=10)
def warn(work: Work) -> None:
    """Tell advisors whose members' next block is near."""
    warnings.sweep(at=clock.now(), job="referrals.warn")


@handler("referrals.closures", seconds=120, every_minutes=10, label="Telling advisors of closures")
def tell_of_closures(work: Work) -> None:
    """Tell the advisors of a pantry's members that it closes, or opens after all."""
    closures.sweep(at=clock.now(), job="referrals.closures")


@handler("referrals.digest", seconds=120, every_minutes=60, label="Writing the weekly emails to advisors")
def write_digests(work: Work) -> None:
    """Mondays in London: to advisors, about their young people."""
    digest.sweep(at=clock.now())
