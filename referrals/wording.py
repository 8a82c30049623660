"""The words a young person agrees to. A change of the text is a new version; agreements name theirs."""

WORDING_VERSION = "2026-1"
WORDING = (
    "I would like a place at a local pantry, and the leaving care team may introduce me.",
    "The pantry is told only what I say yes to below. It is not told that I left care, why I am introduced, my "
    "surname, my date of birth or my address.",
    "The leaving care team pays for my place, and sees the weeks in which I collect.",
    "I can change my mind at any time. My place goes on under its number alone, unless I say that I want to stop.",
)
