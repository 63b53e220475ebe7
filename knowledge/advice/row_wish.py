"""Whether a message asks us for training rows or to train on those it stands under; it drafts nothing, weighs nothing.

Only a request to do it counts, and the question where more rows come from: "write me some training examples". Whether,
how and how many is asked of the advice.
"""

import re
from dataclasses import dataclass

_READ = 2_000
"""Characters of a message that are read."""

_LED = r"(?:^|[.!\n]\s*)(?:(?:please|pls|hey|hi|hello|ok|okay|so|and|now|then|luthier)\b[\s,:!]*)*"
_FEW = r"(?:(?:me|us|some|more|new|further|additional|another|a|few|\d{1,4})\s+)*"
"""Words between a wish and the rows, where these are called nothing but rows."""
_TRAINING = r"(?:fine[- ]?tun(?:ing|e)|train(?:ing)?)\s+(?:rows?|examples?|data(?:\s*set)?s?|samples?|pairs?|set)"

_ASKED = re.compile(
    _LED + r"(?P<request>(?:can|could|would|will)\s+you\s+(?:please\s+)?(?:help\s+(?:me|us)\s+(?:to\s+)?)?"
    r"|(?:i|we)(?:'d|\s+would)\s+like\s+(?:you\s+)?to\s+|(?:i|we)\s+want\s+you\s+to\s+"
    r"|help\s+(?:me|us)\s+(?:to\s+)?)?"
    r"(?:(?:draft|generate|write|make|create|compose|produce|prepare|synthesi[sz]e)\b"
    r"(?:\s+[\w'-]+){0,5}?\s+"
    rf"(?:{_TRAINING}|draft\s+(?:rows|examples)"
    r"|(?:rows|examples|data|samples)\s+(?:to\s+train|for\s+(?:training|fine[- ]?tuning)))\b"
    rf"|(?:draft|generate)\s+{_FEW}rows\b(?!\s+(?:of|in|into)\b))",
    re.IGNORECASE,
)
_LACKED = re.compile(
    _LED + r"(?:(?:where|how)\s+(?:do|can|could|would|might)\s+(?:i|we)\s+(?:get|find|obtain|come\s+by)"
    rf"\s+{_FEW}{_TRAINING}\b(?!\s+(?:in|into|out|back|ready|deleted|removed|read|that|which)\b)"
    r"|(?:(?:i|we)\s+(?:need|want|lack)|(?:i|we)(?:'d|\s+would)\s+like|give\s+(?:me|us))"
    rf"\s+{_FEW}{_TRAINING}\s*(?:please|pls)?[\s.!]*$)",
    re.IGNORECASE,
)
"""Words of somebody who has too few rows, and tells of no case beside."""
_TRAIN = re.compile(
    r"^\s*" + _LED + r"(?P<request>(?:can|could|would|will|may)\s+(?:you|we|i)\s+(?:please\s+)?(?:now\s+)?"
    r"|(?:i|we)(?:'d|\s+would)\s+like\s+(?:you\s+)?to\s+|(?:i|we)\s+want\s+(?:you\s+)?to\s+|let'?s\s+)?"
    r"(?:train|fine[- ]?tune|(?:start|begin)\s+(?:the\s+|a\s+)?(?:training|fine[- ]?tuning))\b"
    r"(?!\s+(?:of|rows?|data|sets?|loss|time)\b)",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    r"\b(?:or|versus|vs\.?|instead\s+of)\b[^.\n]{0,40}\b(?:rag|prompt\w*|retrieval|fine[- ]?tun\w*)\b", re.IGNORECASE
)
_WEIGHED = re.compile(
    r"\b(?:should|shall)\s+(?:we|i)\b|\bdo\s+(?:we|i)\s+need\b|\bis\s+it\s+worth\b|\bhow\s+(?:many|much|do|should|can)\b"
    rf"|{_OTHERWISE.pattern}",
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
    lacked = _LACKED.search(read)
    if lacked is not None and not _OTHERWISE.search(read):
        return RowWish("", _count(lacked[0]))
    asked = _ASKED.search(read)
    if asked is None or _WEIGHED.search(read):
        return None
    rest = read[asked.end() :]
    if not asked["request"] and "?" in rest:  # "Generate training data?" wonders
        return None
    return RowWish(_task(rest), _count(asked[0]))


def train_wish(text: str) -> bool:
    """Say whether a message under rows wants a model trained on them; whoever asks how or whether does not."""
    read = text[:_READ].replace("’", "'")
    asked = _TRAIN.search(read)
    return asked is not None and not _WEIGHED.search(read) and (bool(asked["request"]) or "?" not in read)


def _count(wish: str) -> int:
    number = _COUNT.search(wish)
    return int(number[1]) if number else 0


def _task(rest: str) -> str:
    """Return what follows the wish as a task: `to sort mails into …` is `Sort mails into …`."""
    told = _LEAD.sub("", _JOINED.sub("", _LEAD.sub("", rest))).rstrip(" ?")
    return told[:1].upper() + told[1:] if len(told.split()) > 1 else ""
