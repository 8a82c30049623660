"""Job handlers of the messages."""

from stockport_hubs.jobs.services import Work, handler
from stockport_hubs.notifications import services


@handler("notifications.deliver", seconds=30, label="Sending an email")
def deliver(work: Work) -> None:
    services.deliver(work.ids["message"])
