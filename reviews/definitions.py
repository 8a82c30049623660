"""What each figure means: printed in every pack, and explained on a page of its own."""

from typing import NamedTuple


class Definition(NamedTuple):
    """A figure's name, what it counts, and out of what."""

    name: str
    counts: str
    out_of: str = ""


DEFINITIONS = {
    "identified": Definition("Identified", "Young people a manager has ticked as belonging to the cohort"),
    "offered": Definition("Offered", "Of these, everyone who has been offered an introduction", "identified"),
    "agreed": Definition("Agreed", "Said yes; an introduction is sent only with their agreement", "identified"),
    "introduced": Definition("Introduced", "An introduction was sent to a pantry", "identified"),
    "joined": Definition("Joined", "The pantry accepted and the membership began", "identified"),
    "first": Definition("First collection", "Came at least once", "identified"),
    "regular": Definition("Regular", "Open members who came in at least 3 of their last 4 open weeks", "identified"),
    "retained": Definition(
        "Retained", "Came in the 8 weeks after their last funded week", "people whose funding ended 8 weeks ago or more"
    ),
    "volunteering": Definition(
        "Volunteering",
        "Have begun to volunteer at least once; each is counted once, also who has stopped",
        "identified",
    ),
    "declined": Definition("Declined", "Their latest answer is no, and they were not introduced", "offered"),
    "no_reply": Definition("No reply", "They did not reply to the latest offer, and were not introduced", "offered"),
    "unanswered": Definition("Not yet answered", "Offered, and the answer is still open", "offered"),
    "days_to_first": Definition(
        "Days to the first collection",
        "From the day an introduction was sent to the member’s first collection: how many days until a quarter, half "
        "and three quarters of those who came after it had come",
        "people whose first collection came after their introduction",
    ),
    "came_first": Definition(
        "Came first", "Their first collection was on a day before their introduction was sent", "introduced"
    ),
    "waiting_first": Definition(
        "Still waiting",
        "Introduced, not declined, withdrawn or ended, and without a collection so far",
        "introduced",
    ),
    "could": Definition(
        "Could come",
        "Members whose membership was open and not paused and whose pantry was open that week, or who came",
    ),
    "paid": Definition("Weeks paid for", "Paid weeks that fall in that week"),
    "came": Definition("Came", "Members with a collection that week, wherever it was taken", "could come"),
    "came_last4": Definition(
        "Came lately", "Open members who came at least once in their last 4 open weeks", "open members with such a week"
    ),
    "regular_members": Definition(
        "Regular members", "Open members who came in at least 3 of their last 4 open weeks", "open members"
    ),
    "lapsing": Definition("Lapsing", "Open members who missed their last 2 or 3 open weeks", "open members"),
    "lapsed": Definition("Lapsed", "Open members who missed their last 4 open weeks", "open members"),
    "missed": Definition("Missed weeks", "Open weeks of a member that have passed without a collection"),
    "open": Definition("Open", "Members whose membership is open and not paused"),
    "paused": Definition("Paused", "Members whose membership is paused; their weeks wait"),
    "ended": Definition("Ended", "Members whose membership has ended"),
    "change_joined": Definition("Joined since", "Memberships that opened in the period, for the first time"),
    "change_returned": Definition("Returned", "Memberships that opened in the period after an earlier one had ended"),
    "change_paused": Definition("Paused since", "Memberships that were paused in the period"),
    "change_resumed": Definition("Resumed", "Paused memberships that were open again in the period"),
    "change_left": Definition("Left since", "Memberships that ended in the period, whatever the reason"),
    "change_in": Definition("Came in", "Of a part: members who moved, or were given, to it in the period"),
    "change_out": Definition("Went out", "Of a part: members who moved, or were given, to another in the period"),
    "bought": Definition(
        "Bought", "Weeks bought in blocks, at the price paid: collected + missed + to come + credited"
    ),
    "recoverable": Definition("Recoverable", "What would be credited if everyone left today"),
    "joining": Definition("Joining fees", "Paid once for each membership, not returned; not part of the weeks bought"),
    "left": Definition("Left", "Paid in advance and not yet drawn for blocks"),
    "cost_each": Definition(
        "Cost of a collection", "Joining fees and weeks used, collected or missed, by the weeks collected", "collected"
    ),
    "food_value": Definition(
        "Value of food",
        "Collections of the period at the value said with the pantry’s price of that week; what was free on top is "
        "not counted",
    ),
    "lost": Definition("£20 a week", "The weekly uplift that ended in October 2021, for each week members could come"),
    "holds": Definition("Held renewals", "Next blocks that wait for a manager’s decision"),
    "barriers": Definition("Barriers", "Recorded as standing in the way and not closed"),
    "asked": Definition(
        "Asked how they are",
        "Gave answers at the start, after 3 or after 6 months; “prefer not to say” is an answer",
        "young people of the cohort whose questions were due by then",
    ),
    "better": Definition("Better", "Gave a better answer than at their own start", "those who answered both times"),
    "same": Definition("Same", "Gave the same answer as at their own start", "those who answered both times"),
    "worse": Definition("Worse", "Gave a worse answer than at their own start", "those who answered both times"),
    "links": Definition(
        "Onward links", "Places young people of the cohort were told about in the period, by what came of them since"
    ),
    "entered": Definition(
        "Entered since",
        "Recorded after a moment, and had happened before it: what was known then and what was entered since make "
        "what is known now",
    ),
}
# The order and headings of the page that explains them.
GROUPS = {
    "The cohort, step by step": (
        *("identified", "offered", "agreed", "introduced", "joined", "first", "regular", "retained", "volunteering"),
        *("declined", "no_reply", "unanswered", "days_to_first", "came_first", "waiting_first"),
    ),
    "Week by week": ("could", "paid", "came", "missed", "came_last4", "regular_members", "lapsing", "lapsed"),
    "Members, and why their number changes": (
        *("open", "paused", "ended", "change_joined", "change_returned", "change_paused", "change_resumed"),
        *("change_left", "change_in", "change_out", "entered"),
    ),
    "Money": ("bought", "recoverable", "joining", "left", "cost_each", "food_value", "lost", "holds"),
    "What stands in the way": ("barriers",),
    "How they are, and onward": ("asked", "better", "same", "worse", "links"),
}


def out_of(definition: Definition) -> str:
    """In words; "" where it is not a part of anything."""
    return DEFINITIONS[definition.out_of].name if definition.out_of in DEFINITIONS else definition.out_of
