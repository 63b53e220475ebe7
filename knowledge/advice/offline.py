"""Reads facts without a language model: weighs what patterns find against what the learned reader senses.

Patterns understand numbers, units and negation but only the words that they know; the learned reader understands
wordings that nobody wrote down, and no numbers. Every fact keeps the words of the text that show it.
"""

import dataclasses
import functools
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from knowledge.advice import numbers, reader
from knowledge.advice.facts import NUMBERS, Value, from_mapping, known
from knowledge.advice.reader import Found, Reader, Reading
from knowledge.advice.sensing import Sensed
from knowledge.errors import ServiceError

_A_DAY: Mapping[str, float] = {
    "second": 86_400, "minute": 1_440, "hour": 24, "day": 1, "night": 1,
    "week": 1 / 7, "month": 1 / 30, "year": 1 / 365,
}  # fmt: skip
_PER = re.compile(r"\b(?:a|per|each|every) (second|minute|hour|day|night|week|month|year)\b")


PLAINLY = "I read this by known wordings alone."


class Senses(Protocol):
    """What the learned reader does."""

    def sense(self, text: str) -> list[Sensed]:
        """Return every value of every fact with its likelihood and the words that show it."""


class Limits(NamedTuple):
    """Likelihoods from which something counts; their meanings are in reader.toml."""

    alone: float
    together: float
    veto: float
    number: float
    told_like: float


def offline(senses: Senses) -> Reader:
    """Return the offline reader."""
    return functools.partial(read, senses=senses)


def read(text: str, senses: Senses, limits: Limits | None = None, patterns: Reader = reader.read) -> Reading:
    """Read the facts that a text states; never raises for any text. `patterns` reads beside the senses."""
    by_pattern = patterns(text)
    if not by_pattern.language_supported or not any(char.isalnum() for char in text):
        return by_pattern
    limits = limits or load_limits()
    try:
        sensed = senses.sense(reader.told(text))
    except ServiceError as error:
        return dataclasses.replace(by_pattern, notes=(*by_pattern.notes, f"{error.what} {PLAINLY}"))
    chosen = weigh(by_pattern, sensed, limits) | _numbers(text, by_pattern, sensed, limits)
    reader.settle(chosen)
    return dataclasses.replace(
        by_pattern,
        facts=from_mapping({fact: each.value for fact, each in chosen.items()}),
        evidence={fact: text[each.start : each.end].strip() for fact, each in chosen.items()},
        spans={fact: (each.start, each.end) for fact, each in chosen.items()},
        conflicts=tuple(dict.fromkeys((*by_pattern.conflicts, *_conflicts(sensed, limits)))),
    )


@functools.cache
def load_limits() -> Limits:
    """Read reader.toml."""
    raw = tomllib.loads((Path(__file__).parent / "reader.toml").read_text("utf-8"))
    return Limits(*(float(raw[name]) for name in Limits._fields))


def weigh(by_pattern: Reading, sensed: Sequence[Sensed], limits: Limits) -> dict[str, Found]:
    """Choose a value for each fact that is no number: the likeliest that reaches its limit."""
    found = {fact: value for fact, value in known(by_pattern.facts).items() if fact not in NUMBERS}
    chosen: dict[str, Found] = {}
    best: dict[str, float] = {}
    for each in sensed:
        if each.fact in NUMBERS or each.value is None:
            continue
        agreed = found.get(each.fact) == each.value
        alone = limits.told_like if each.fact == "told_like" else limits.alone
        enough = each.p >= (limits.together if agreed else alone)
        if enough and each.p > best.get(each.fact, 0.0):
            start, end = by_pattern.spans[each.fact] if agreed else (each.start, each.end)
            chosen[each.fact], best[each.fact] = Found(each.fact, each.value, start, end), each.p
    return chosen | _stubborn(by_pattern, found, sensed, chosen, limits)


def _stubborn(
    by_pattern: Reading,
    found: Mapping[str, Value],
    sensed: Sequence[Sensed],
    chosen: Mapping[str, Found],
    limits: Limits,
) -> dict[str, Found]:
    """Keep what a pattern found where nothing else was sensed of that fact and it is not quite unlikely."""
    likely = {(each.fact, each.value): each.p for each in sensed}
    return {
        fact: Found(fact, value, *by_pattern.spans[fact])
        for fact, value in found.items()
        if fact not in chosen and likely.get((fact, value), 1.0) > limits.veto
    }


def _numbers(text: str, by_pattern: Reading, sensed: Sequence[Sensed], limits: Limits) -> dict[str, Found]:
    likely = {each.fact: each for each in sensed if each.fact in NUMBERS}
    values = {fact: value for fact, value in known(by_pattern.facts).items() if fact in NUMBERS}
    chosen = {
        fact: Found(fact, value, *by_pattern.spans[fact])
        for fact, value in values.items()
        if fact not in likely or likely[fact].p > limits.veto
    }
    chosen = _one_each(chosen, {fact: each.p for fact, each in likely.items()})
    for fact, each in likely.items():
        if fact not in chosen and each.p >= limits.number:
            number = _number_near(text, each, [(other.start, other.end) for other in chosen.values()])
            if number is not None:
                chosen[fact] = Found(fact, number, each.start, each.end)
    return chosen


def _one_each(found: Mapping[str, Found], likely: Mapping[str, float]) -> dict[str, Found]:
    """Let each number in the text count for the likeliest of the facts that patterns took it for."""
    kept: dict[str, Found] = {}
    for fact in sorted(found, key=lambda fact: -likely.get(fact, 1.0)):
        one = found[fact]
        if not any(
            one.value == other.value and one.start < other.end and one.end > other.start for other in kept.values()
        ):
            kept[fact] = one
    return kept


def _number_near(text: str, sensed: Sensed, taken: Sequence[tuple[int, int]]) -> int | None:
    """Return the number in the clause that shows a fact, nearest to the word that the reader looked at.

    A volume needs the time that it is counted in; the size of a corpus is left to patterns, which know its units.
    """
    clause = text[sensed.start : sensed.end].lower()
    matches = sorted(numbers.find(clause), key=lambda match: abs(sensed.start + match.start() - sensed.at))
    for match in matches:
        begin, end = sensed.start + match.start(), sensed.start + match.end()
        if any(begin < stop and end > start for start, stop in taken):
            continue  # a number counts for one thing only
        number, scale = numbers.parse(match.group()), _scale(sensed.fact, clause[match.end() :])
        if number is not None and scale is not None:
            return round(number * scale)
    return None


def _scale(fact: str, after: str) -> float | None:
    if fact == "corpus_tokens":
        return None
    if fact != "volume_per_day":
        return 1.0
    unit = _PER.search(after)
    return _A_DAY[unit.group(1)] if unit else None


def _conflicts(sensed: Sequence[Sensed], limits: Limits) -> list[str]:
    stated = [each for each in sensed if each.value is not None and each.fact != "told_like"]
    sure = [each.fact for each in stated if each.p >= max(limits.alone, 0.8)]
    return [fact for fact in dict.fromkeys(sure) if sure.count(fact) > 1]
