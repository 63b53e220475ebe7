"""Whether a message asks us to draft training rows, and what it says about them; it drafts nothing, weighs nothing.

Only a request to do it counts: "write me some training examples". Whether, how and how many is asked of the advice.
"""

import re
from dataclasses import dataclass

_READ = 2_000
"""Characters of a message that are read."""

_ASKED = re.compile(
    r"(?:^|[.!\n]\s*)(?:(?:please|pls|hey|hi|hello|ok|okay|so|and|now|luthier)\b[\s,:!]*)*"
    r"(?P<request>(?:can|could|would|will)\s+you\s+(?:please\s+)?(?:help\s+(?:me|us)\s+(?:to\s+)?)?"
    r"|(?:i|we)(?:'d|\s+would)\s+like\s+(?:you\s+)?to\s+|(?:i|we)\s+want\s+you\s+to\s+"
    r"|help\s+(?:me|us)\s+(?:to\s+)?)?"
    r"(?:draft|generate|write|make|create|compose|produce|prepare|synthesi[sz]e)\b"
    r"(?:\s+[\w'-]+){0,5}?\s+"
    r"(?:(?:fine[- ]?tun(?:ing|e)|train(?:ing)?)\s+(?:rows?|examples?|data(?:\s*set)?s?|samples?|pairs?|set)"
    r"|(?:rows|examples|data|samples)\s+(?:to\s+train|for\s+(?:training|fine[- ]?tuning)))\b",
    re.IGNORECASE,
)
_WEIGHED = re.compile(
    r"\b(?:should|shall)\s+(?:we|i)\b|\bdo\s+(?:we|i)\s+need\b|\bis\s+it\s+worth\b|\bhow\s+(?:many|much|do|should|can)\b"
    r"|\b(?:or|versus|vs\.?|instead\s+of)\b[^.\n]{0,40}\b(?:rag|prompt\w*|retrieval|fine[- ]?tun\w*)\b",
    re.IGNORECASE,
)
"""Words of somebody who is still deciding."""

_COUNT = re.compile(r"(?<![\w.])(\d{1,4})(?![\w.]*\d)\s+(?:[\w'-]+\s+){0,4}?(?:rows|examples|samples|pairs)\b", re.I)
_LEAD = re.compile(r"^(?:[\s:,.;–—-]+|(?:please|for\s+me|for\s+us)\b)+", re.IGNORECASE)
_JOINED = re.compile(r"^(?:(?:to|for|that|which|about|so\s+that)\b\s*)", re.IGNORECASE)


@dataclass(frozen=True)
class RowWish:
    """What somebody said about the rows they want."""

    task: str
    """What a model is to do, "" where that was not said."""
    count: int
    """How many rows, 0 where that was not said."""


def row_wish(text: str) -> RowWish | None:
    """Return the wish for training rows in a message; None where it asks for anything else."""
    read = text[:_READ].replace("’", "'")  # what phones write
    asked = _ASKED.search(read)
    if asked is None or _WEIGHED.search(read):
        return None
    rest = read[asked.end() :]
    if not asked["request"] and "?" in rest:  # "Generate training data?" wonders
        return None
    number = _COUNT.search(asked[0])
    return RowWish(_task(rest), int(number[1]) if number else 0)


def _task(rest: str) -> str:
    """Return what follows the wish as a task: `to sort mails into …` is `Sort mails into …`."""
    told = _LEAD.sub("", _JOINED.sub("", _LEAD.sub("", rest))).rstrip(" ?")
    return told[:1].upper() + told[1:] if len(told.split()) > 1 else ""
