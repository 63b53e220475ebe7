"""Finds what an answer in JSON should have copied from its paper and that does not stand there; it knows no truth.

Only texts with a digit are looked for (numbers of orders, references, amounts as text): words may be told in others.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from trainers.data.titles import at_word
from trainers.evals.drafts.schemas import plain_schema

_SHOWN: Final = 40
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d(?:T[\d:]+Z?)?$")
_SETTLED: Final = frozenset(("enum", "const", "format", "pattern"))
"""Keywords by which a schema says itself how a text is written, which may be otherwise than in the paper."""


def not_copied(schema: Mapping[str, Any], paper: str, reply: str) -> str:
    """Name the first text of an answer that is not in the paper; "" where all are, or the answer is no JSON."""
    try:
        answer = json.loads(reply)
    except (ValueError, RecursionError):
        return ""
    told = _bare(paper)
    strange = (each for each in _texts(plain_schema(schema), answer) if _bare(each) not in told)
    found = next(strange, "")
    return f"\u201c{at_word(found, _SHOWN)}\u201d does not stand in the text: copy it as it is there." if found else ""


def _texts(node: Any, said: Any) -> Iterator[str]:
    """Yield the texts with a digit whose spelling only the paper settles."""
    known = node if isinstance(node, Mapping) else {}
    if isinstance(said, Mapping):
        for key, value in said.items():
            yield from _texts((known.get("properties") or {}).get(key), value)
    elif isinstance(said, list):
        for each in said:
            yield from _texts(known.get("items"), each)
    elif isinstance(said, str) and not _SETTLED & set(known) and _is_copied(said):
        yield said


def _is_copied(text: str) -> bool:
    """Say whether a text is a number or a name of something, and no day: these our prompts want as YYYY-MM-DD."""
    return any(sign.isdigit() for sign in text) and not _DAY.match(text)


def _bare(text: str) -> str:
    return "".join(text.casefold().split())
