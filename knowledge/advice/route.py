"""Which skill a message is meant for; it knows how people ask, and neither the guide nor the rubric."""

import functools
import re
from typing import Literal

from knowledge.advice.facts import known
from knowledge.advice.reader import expand, raw_vocabulary, read

Route = Literal["advice", "question", "greeting", "off_topic"]

_WH = re.compile(
    r"^(?:i need help|help me|what|how|why|when|where|who|explain|define|tell me|describe|show|list|compare)\b"
)
_ROUTED = 2_000
"""Characters that decide where a message goes."""
_CASE_WORDS = 6
"""A wish with this many words tells enough to be treated as a case."""


def classify(text: str) -> Route:
    """Say what a message wants: advice on a use case, an answer from the guide, a greeting back, or none of these.

    A question that fits nothing else is a "question": it may be about the team's own documents.
    """
    text = text[:_ROUTED]
    clean = " ".join(text.lower().split()).replace("’", "'")
    if not any(char.isalnum() for char in clean):
        return "off_topic"
    if _has("greeting", clean):
        return "greeting"
    if _tells_a_case(text, clean):
        return "advice"
    asks = "?" in clean or _has("ask", clean) or _has("subject", clean)
    return "question" if asks else "off_topic"


def is_use_case(text: str) -> bool:
    """Tell whether a message wants advice on a use case."""
    return classify(text) == "advice"


def _tells_a_case(text: str, clean: str) -> bool:
    stated = _facts(" ".join(re.findall(r"[^.!?\n]+(?:[.!\n]|$)", text)))
    facts = _facts(text)
    if _asks_to_choose(clean, facts) or stated >= 2 or (stated and _has("decide", clean)):
        return True
    if _WH.search(clean) or clean.endswith("?"):
        return facts >= 2 and not _WH.search(clean)
    told = _has("need", clean) or not _has("subject", clean)
    return facts > 0 or (_has("want", clean) and told and len(clean.split()) >= _CASE_WORDS)


def _asks_to_choose(clean: str, facts: int) -> bool:
    options = {match[:4] for match in _expression("options").findall(clean)}
    if not options or not _has("decide", clean):
        return False
    if _WH.search(clean) and not clean.startswith("what should"):
        return facts > 0 and _has("need", clean)
    return len(options) > 1 or facts > 0 or "?" not in clean


def _facts(text: str) -> int:
    return len(known(read(text).facts))


def _has(name: str, clean: str) -> bool:
    return bool(_expression(name).search(clean))


@functools.cache
def _expression(name: str) -> re.Pattern[str]:
    return re.compile(expand(raw_vocabulary()["route"][name]))
