"""How a file that is one JSON list of rows is read, and on which line each row begins; it does not judge the rows."""

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from trainers.data.findings import Finding, block
from trainers.data.limits import ReadLimits, read_limits
from trainers.data.parsing import FIXES, Refusal, parse_value

_MARK = b"\xef\xbb\xbf"
_OPEN = b"{"
_OPENERS = b"[{"
# Texts are skipped whole, so that only brackets take a step; one that is never closed runs to the end.
_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z))*+([\[\]{}])', re.DOTALL)

Value = dict[str, object]


def read_list(content: bytes) -> list[Value]:
    """Return the rows of a file that is one JSON list, or one object; raises `Refusal` for all else."""
    value: Any = parse_value(content.removeprefix(_MARK), _whole())
    rows: list[Any] = value if isinstance(value, list) else [value]
    strange = next((number for number, row in enumerate(rows, start=1) if not isinstance(row, dict)), None)
    if strange is not None:
        raise Refusal("not_an_object", f"something other than an object as row {strange:,}")
    return rows


def blame(content: bytes, refusal: Refusal) -> Finding | None:
    """Say by line why a list could not be read; None where the file is no list of rows at all."""
    content = content.removeprefix(_MARK)
    if not content.lstrip().startswith(b"[") and refusal.code == "invalid_json":
        return None
    line = _line(content, refusal)
    what = f"That file is one JSON {'list' if content.lstrip().startswith(b'[') else 'object'}"
    reason = refusal.reason.partition(";")[0]
    if line is None:
        return block(refusal.code, (), f"{what} with {reason}.", FIXES[refusal.code])
    return block(refusal.code, (line,), f"{what}; line {line:,} has {reason}.", FIXES[refusal.code])


def starts_in(content: bytes) -> Sequence[int]:
    """Return the line on which each row begins, from 1; none where all begin on the same one.

    >>> list(starts_in(b'[{"a": "]"},\\n\\n {"b": [{}]}, {}]'))
    [1, 3, 3]
    """
    starts, line, seen = array("Q"), 1, 0
    for place, _ in _spans(content):
        line += content.count(b"\n", seen, place)
        seen = place
        starts.append(line)
    return starts if len(set(starts)) > 1 else ()


def starts_of(path: Path) -> Sequence[int]:
    """Return the same for a file that was read as one list."""
    return starts_in(path.read_bytes())


def _line(content: bytes, refusal: Refusal) -> int | None:
    """Find the line of what was refused: by its place, else that of the row that is refused by itself."""
    if refusal.place is not None:
        text = refusal.code == "invalid_json"  # whose place is counted in characters
        return (content.decode().count("\n", 0, refusal.place) if text else content.count(b"\n", 0, refusal.place)) + 1
    for start, end in _spans(content):
        try:
            row = parse_value(content[start:end], _whole())
        except Refusal:
            return content.count(b"\n", 0, start) + 1
        if not isinstance(row, dict):
            break
    return None


def _spans(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each row begins and ends: the objects of the list, or the one object."""
    depth, level, begun = 0, -1, 0
    for found in _BRACKET.finditer(content):
        place = found.start(1)
        if content[place] in _OPENERS:
            if level < 0 and content[place] in _OPEN:
                level = depth
            begun = place if depth == level else begun
            depth += 1
            continue
        depth -= 1
        if depth == level:
            yield begun, place + 1


def _whole() -> ReadLimits:
    """Return limits for which the whole file is one line."""
    return replace(read_limits(), line_bytes=read_limits().file_bytes)
