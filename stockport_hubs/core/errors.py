"""What services raise when they will not do something."""


class Refused(Exception):
    """A refusal with one sentence a person can read: why not, and what to do next."""


class NotYours(Exception):
    """The object exists but not for this person; views answer 404."""
