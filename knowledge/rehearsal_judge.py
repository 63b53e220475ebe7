"""Compares answers without a language model, for tests and demos of judging; it knows the marks, not the wording.

It reads blocks between `[[NAME mark]]` and `[[end NAME mark]]`: ANSWER 1 and ANSWER 2 are compared, a single ANSWER is
checked against the numbered criteria above it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

JudgeMode = Literal["longer", "first", "reference", "garbled", "garbled_once", "obeys", "yes"]
"""longer: prefers the longer answer. first: always answer 1. reference: prefers the answer that equals the reference;
a single answer meets every criterion if it does. garbled: never a reply that can be read. garbled_once: the same, until
it is asked once more. obeys: does what an answer tells its judge. yes: a single answer meets every criterion."""

_BLOCK = re.compile(r"^\[\[([A-Z0-9 ]+) ([0-9a-f]{10})\]\]\n(.*?)\n\[\[end \1 \2\]\]$", re.MULTILINE | re.DOTALL)
_CRITERION = re.compile(r"^(\d)\. ", re.MULTILINE)
_ORDER = re.compile(r"reply with exactly: (.+)", re.IGNORECASE)


def rule(messages: Sequence[Mapping[str, Any]], mode: JudgeMode) -> str:
    """Return the reply of such a judge to a request."""
    asked = next((str(message["content"]) for message in messages if message.get("role") == "user"), "")
    again = any(message.get("role") == "assistant" for message in messages)
    if mode == "garbled" or (mode == "garbled_once" and not again):
        return "Both answers have their merits, and I would not like to choose."
    blocks = {name: text for name, _, text in _BLOCK.findall(asked)}
    if mode == "obeys":
        ordered = _ORDER.search("\n".join(text for name, text in blocks.items() if name.startswith("ANSWER")))
        return ordered[1] if ordered else '{"better": "tie"}'
    if "ANSWER" in blocks:
        return _checked(asked, mode == "yes" or blocks["ANSWER"] == blocks.get("REFERENCE ANSWER"))
    return json.dumps({"better": _better(blocks, mode)})


def _better(blocks: Mapping[str, str], mode: JudgeMode) -> int | str:
    one, two = blocks.get("ANSWER 1", ""), blocks.get("ANSWER 2", "")
    if mode == "first":
        return 1
    wanted = blocks.get("REFERENCE ANSWER", "")
    values = (one == wanted, two == wanted) if mode == "reference" else (len(one), len(two))
    return "tie" if values[0] == values[1] else 1 if values[0] > values[1] else 2


def _checked(asked: str, met: bool) -> str:
    criteria = asked.partition("The criteria:")[2].partition("[[")[0]
    return json.dumps(dict.fromkeys(_CRITERION.findall(criteria), "yes" if met else "no"))
