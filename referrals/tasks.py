"""Loaded at start by the job table's app: makes the e-mails about introductions known."""

from referrals import messages

messages.register()
