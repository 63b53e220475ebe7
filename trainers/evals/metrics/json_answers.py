"""How JSON is found in a model's answer, however it is wrapped; it does not compare it with anything.

Strict JSON first; then each fenced code block; then the first bracket in the text that opens a JSON value and is
closed again. A value cut off at the end of an answer is not JSON, and no part of it is taken for the whole. The
reading takes linear time and is strict (`trainers.data.parsing`): equal keys, NaN, more than 32 levels of brackets or
1 MiB make an answer unreadable.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from trainers.data.limits import read_limits
from trainers.data.parsing import Refusal, parse_value

_FENCE = "```"
_OPENS = re.compile(r"\{(?=\s*+[\"}])|\[(?=\s*+(?:[\[{\"\]\d-]|true\b|false\b|null\b))")
# A text that is never closed runs to the end, which keeps the scan linear.
_TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


class Found(NamedTuple):
    """What was found in an answer."""

    value: Any
    """The JSON value; None also for JSON's null."""
    parsed: bool
    """There is a JSON value."""
    strict: bool
    """The whole answer is that value, up to white space around it."""


NOT_JSON = Found(None, parsed=False, strict=False)


def read_json(text: str, wanted: type | None = None) -> Found:
    """Find the JSON value in an answer; of several, the first of the `wanted` kind (dict or list), else the first.

    >>> read_json('Sure! ```json\\n{"total": 12}\\n```')
    Found(value={'total': 12}, parsed=True, strict=False)
    >>> read_json('As [1] says: {"total": 12}.', dict).value
    {'total': 12}
    >>> read_json('{"total": 12, "items": [{"name"').parsed  # cut off
    False
    """
    whole = _parse(text)
    if whole.parsed:
        return Found(whole.value, parsed=True, strict=True)
    first = NOT_JSON
    for part in _parts(text):
        found = _parse(part)
        if found.parsed and (wanted is None or isinstance(found.value, wanted)):
            return found
        first = first if first.parsed else found
    return first


def _parse(text: str) -> Found:
    try:
        value = parse_value(text.strip().encode("utf-8", "surrogatepass"), read_limits())
    except Refusal:
        return NOT_JSON
    return Found(value, parsed=True, strict=False)


def _parts(text: str) -> Iterator[str]:
    """Yield what may be JSON: the code blocks, then what stands between a bracket and the one that closes it."""
    if len(text) > read_limits().line_bytes:
        return
    yield from _fenced(text)
    start = 0
    while (opening := _OPENS.search(text, start)) is not None:
        end = _closed(text, opening.start())
        if end is None:
            return
        yield text[opening.start() : end]
        start = end


def _fenced(text: str) -> Iterator[str]:
    """Yield the contents of code blocks without the language on the opening line; the last may lack its end."""
    for block in text.split(_FENCE)[1::2]:
        language, newline, content = block.partition("\n")
        yield content if newline and not language.strip().startswith(("{", "[", '"')) else block


def _closed(text: str, start: int) -> int | None:
    """Return the place after the bracket that closes the one at `start`; None if it is never closed."""
    level = 0
    for token in _TOKEN.finditer(text, start):
        mark = token.group()[0]
        if mark in "[{":
            level += 1
        elif mark in "]}":
            level -= 1
            if level == 0:
                return token.end()
    return None
