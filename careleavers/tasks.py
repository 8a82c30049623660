"""Job handlers about young people; loaded at start."""

from careleavers import messages
from careleavers.models import PeopleImport
from careleavers.services import keeping, letters, uploads
from stockport_hubs.accounts.models import User
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs.services import Work, handler

messages.register()


def _upload(work: Work) -> PeopleImport:
    return PeopleImport.objects.select_related("council").get(pk=work.ids["upload"])


@handler(uploads.READ, seconds=180, label="Reading the list")
def read(work: Work):
    """ids: upload. What is wrong with the file may repeat words of it, so the job itself does not say it."""
    work.progress(20, "Reading the rows")
    upload = _upload(work)
    try:
        return uploads.read_in_job(upload=upload, at=clock.now())
    except Refused as refusal:
        why = str(refusal)
        return lambda: uploads.refuse(upload=upload, why=why)


@handler(uploads.BRING_IN, seconds=240, label="Bringing the list in")
def bring_in(work: Work):
    """ids: upload, by."""
    work.progress(30, "Comparing and saving")
    upload, by = _upload(work), User.objects.get(pk=work.ids["by"])
    return lambda: uploads.bring_in(upload=upload, by=by, at=clock.now())


@handler("careleavers.forget_lists", seconds=60, every_minutes=10, label="Deleting lists that were not brought in")
def forget_lists(work: Work) -> None:
    """Lists uploaded and left lying."""
    uploads.forget_old(at=clock.now())


@handler(
    "careleavers.forget_people", seconds=240, every_minutes=24 * 60, label="Deleting who was never offered a place"
)
def forget_people(work: Work) -> None:
    """Each night, whose time is over."""
    keeping.sweep(job="careleavers.forget_people", at=clock.now())


@handler(letters.SEND, seconds=30, label="Sending a message to a young person")
def send(work: Work) -> None:
    letters.deliver(work.ids["letter"])
