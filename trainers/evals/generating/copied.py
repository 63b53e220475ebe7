"""Finds what an answer in JSON should have from its paper and that does not stand there; it knows no truth.

Texts with a digit are copied (numbers of orders, references, amounts as text): words may be told in others.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from trainers.data.titles import at_word
from trainers.evals.drafts.schemas import plain_schema

_SHOWN: Final = 40
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d(?:T[\d:]+Z?)?$")
_NUMBER: Final = re.compile(r"\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?:[.,]\d+)?(?!\d)|\d(?:[\d.,'\u2019]*\d)?")
_PARTED: Final = re.compile(r"\d+[.,]\d+[.,]\d+|\d+[.,]\d{4}")
"""What may be a day: `04.03.2026`, `4,2026`."""

_SMALL: Final = 12
"""Up to which a number may stand in a paper as a word."""

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


def not_in(paper: str, reply: str) -> list[str]:
    """Return the numbers and days of an answer in JSON that no number of the paper bears out; small ones may be words.

    A sum or a count may be right all the same: it is for people to look at, and no reason to refuse.
    """
    try:
        answer = json.loads(reply)
    except (ValueError, RecursionError):
        return []
    numbers = {value for token in _NUMBER.findall(paper) for value in _read(token)}
    return [str(each) for each in _leaves(answer) if not _borne_out(each, numbers)]


def _leaves(said: Any) -> Iterator[Any]:
    if isinstance(said, Mapping | list):
        for each in said.values() if isinstance(said, Mapping) else said:
            yield from _leaves(each)
    else:
        yield said


def _borne_out(said: Any, numbers: set[float]) -> bool:
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return True
    if isinstance(said, str):
        if not _DAY.match(said):
            return True
        year, _, day = (float(part) for part in said[:10].split("-"))
        return day in numbers and bool({year, year % 100} & numbers)
    try:
        return abs(said) <= _SMALL or abs(float(said)) in numbers
    except OverflowError:
        return False


def _read(token: str) -> Iterator[float]:
    """Read a number as it may be meant: `1,240.50`, `1.240,50`, `12'500`, `2026-03-04` in its parts."""
    if _PARTED.fullmatch(token):
        yield from map(float, re.split("[.,]", token))
    plain = re.sub(r"['\u2019 \u00a0\u202f]", "", token)
    for text in {plain.replace(",", ""), plain.replace(".", "").replace(",", "."), plain.replace(",", ".")}:
        try:
            yield float(text)
        except ValueError:
            continue
