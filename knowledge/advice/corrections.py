"""Reads what a message changes of the facts that are known already: new ones, taken back ones, and "we don't know".

The words are data in corrections.toml. It knows nothing of threads, nor of what the facts were.
"""

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.advice import reader
from knowledge.advice.facts import ALLOWED, IMPRESSIONS, NUMBERS, Value, known
from knowledge.advice.reader import Reader

_CLAUSE = re.compile(r"(?:[^.,;:!?\n]|[.,](?=\d))+")
_BUT = re.compile(r"\b(?:but|and (?=(?:we|it|they|i|the|our|forget|drop|scrap)\b)|although|though)\b")
_WORD = re.compile(r"[\w'’]+")
_NOT = re.compile(r"\b(?:not|isn't|wasn't|no longer|rather than|instead of)\s+(?:\S+\s+)?$")


@dataclass(frozen=True, kw_only=True)
class Corrected:
    """What a message changes."""

    changes: Mapping[str, Value | None]
    """New values by fact; None: said to be unknown, or taken back."""
    beaten: Mapping[str, Value]
    """Of facts that the message states in two ways, the value that does not count."""
    read_by: str
    """Name of the language model that read it, if one did."""


class _Taken(NamedTuple):
    """A fact that a clause takes back."""

    fact: str
    value: Value | None
    at: int
    """Start of the clause, in characters."""


def corrections(text: str, read: Reader = reader.read) -> Corrected:
    """Read what a message changes; never raises for any text.

    Of two statements about one fact the later one counts.
    """
    text = text[: reader.MAX_CHARACTERS]
    taken, rest = _take_back(text)
    reading = read(_without_replaced(rest))
    changes: dict[str, Value | None] = {each.fact: each.value for each in taken}
    starts = {each.fact: each.at for each in taken}
    for fact, value in known(reading.facts).items():
        if fact in IMPRESSIONS:
            continue  # a follow-up is too little to have an impression of the whole case
        if fact not in starts or reading.spans[fact][0] > starts[fact]:
            changes[fact] = value
    return Corrected(changes=changes or _bare(text), beaten=reading.beaten, read_by=reading.read_by)


def unknowns(text: str) -> frozenset[str]:
    """Name the facts that a text says it does not know."""
    taken, _ = _take_back(text[: reader.MAX_CHARACTERS])
    return frozenset(each.fact for each in taken if each.value is None)


def _take_back(text: str) -> tuple[list[_Taken], str]:
    """Find the clauses that take something back; returns them, and the text with them blanked out."""
    lowered = reader.without_orders(reader.straightened(text))
    taken: list[_Taken] = []
    for start, end in _clauses(lowered):
        found = list(_taken(lowered[start:end], start))
        if found:
            taken += found
            text = text[:start] + " " * (end - start) + text[end:]
    return taken, text


def _taken(clause: str, start: int) -> Iterator[_Taken]:
    unknown, dropped = _expressions("unknown").search(clause), _expressions("dropped").search(clause)
    if unknown is None and dropped is None:
        return
    for fact, topic in _topics().items():
        if unknown and topic.search(clause, unknown.end()):
            yield _Taken(fact, None, start)
        elif dropped and not unknown and topic.match(clause, dropped.end()):
            yield _Taken(fact, None if fact in NUMBERS or fact in ALLOWED else False, start)


def _clauses(lowered: str) -> Iterator[tuple[int, int]]:
    """Cut a text at punctuation and before "but"."""
    for part in _CLAUSE.finditer(lowered):
        start = part.start()
        for cut in _BUT.finditer(part.group()):
            yield start, part.start() + cut.start()
            start = part.start() + cut.start()
        yield start, part.end()


def _bare(text: str) -> dict[str, Value | None]:
    """Read an answer that names no fact and says nothing else; a value that is negated does not count."""
    lowered = reader.straightened(text).strip(" .!")
    found: dict[str, Value | None] = {}
    for fact, values in _raw()["bare"].items():
        left = lowered
        for value, pattern in values.items():
            match = re.search(pattern, lowered)
            left = re.sub(pattern, " ", left)
            if match and not _NOT.search(lowered[: match.start()]):
                found.setdefault(fact, value)
        if "?" in text or set(_WORD.findall(left)) - set(_raw()["filling"].split()):
            found.pop(fact, None)
    return found


def _without_replaced(text: str) -> str:
    """Blank out numbers that are named only because they no longer hold: "900 instead of 120"."""
    for match in re.finditer(reader.expand(_raw()["replaced"]), reader.straightened(text)):
        text = text[: match.start()] + " " * len(match.group()) + text[match.end() :]
    return text


@functools.cache
def _raw() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "corrections.toml").read_text("utf-8"))


@functools.cache
def _expressions(name: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{each})" for each in _raw()[name]))


@functools.cache
def _topics() -> dict[str, re.Pattern[str]]:
    return {fact: re.compile(pattern) for fact, pattern in _raw()["topics"].items()}
