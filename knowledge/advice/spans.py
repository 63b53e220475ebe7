"""Checks what a language model says that it read: every fact needs words of the text; it asks no model."""

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.advice import numbers
from knowledge.advice.facts import IMPRESSIONS, NAMES, NUMBERS, Facts, UnknownFact, Value, with_fact
from knowledge.advice.reader import Found, raw_vocabulary, straightened, told

_SENTENCE_END = re.compile(r"[.;!?](?=\s|$)|\n")
_ITEM = re.compile(r",|/|;|\b(?:or|and|versus|vs)\b")
_QUOTES = "\"'` \n\r\t"


class Place(NamedTuple):
    """Where a span stands in the text, in characters."""

    start: int
    end: int


def checked(said: Mapping[str, Any], text: str) -> dict[str, Found]:
    """Keep the facts that exist, have a value that they can take, and a span in the text that bears it.

    What does not hold is dropped one by one. Sentences that give us orders are no part of the text.
    """
    heard = told(text)
    found = ((name, _checked(name, entry, heard)) for name, entry in said.items())
    return {name: each for name, each in found if each is not None}


def _checked(name: str, entry: Any, text: str) -> Found | None:
    if name not in NAMES or name in IMPRESSIONS:
        return None
    if not isinstance(entry, Mapping) or not isinstance(entry.get("span"), str):
        return None
    value = _value(name, entry.get("value"))
    place = locate(entry["span"], text)
    if value is None or place is None:
        return None
    if name in NUMBERS:
        value = supported(name, int(value), text, place)
    return None if value is None else Found(name, value, *place)


def _value(name: str, value: Any) -> Value | None:
    """Return a value of the right type and range; a whole number may come as 300.0."""
    if name in NUMBERS and isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        with_fact(Facts(), name, value)
    except UnknownFact:
        return None
    return value  # type: ignore[no-any-return]  # with_fact has checked it; None stays None


def locate(span: str, text: str) -> Place | None:
    """Find a span in a text, whatever its white space, case and quotes; None where it is not or tells nothing.

    It begins and ends at the ends of words, is no longer than a clause, holds a word that is not among the commonest
    ones, and no name of a fact: a text that talks to us in our own terms tells of no case.
    """
    words = " ".join(straightened(span).split()).strip(_QUOTES + ".…")
    if not words or len(words) > _rules()["limits"]["span_characters"] or not _tells(words):
        return None
    whole, places = _joined(text)
    for match in re.finditer(re.escape(words), whole):
        before, after = whole[: match.start()][-1:], whole[match.end() :][:1]
        if not (before.isalnum() and words[0].isalnum()) and not (after.isalnum() and words[-1].isalnum()):
            return Place(places[match.start()], places[match.end() - 1] + 1)
    return None


def supported(name: str, value: int, text: str, place: Place) -> int | None:
    """Return a number if its span bears it: as digits or words with a unit, as a list of items, or as none at all.

    A vague word ("hundreds") counts as `knowledge.advice.numbers` reads it, whatever the model made of it.
    """
    rules = _rules()["numbers"]
    span = straightened(text[place.start : place.end])
    if value == 0:
        return 0 if re.search(rf"\b(?:{rules['none']})\b|n't\b", span) or 0.0 in _numbers(span) else None
    if name == "label_count" and value == len([item for item in _ITEM.split(span) if item.strip()]) > 1:
        return value
    scale = _scale(name, span, _sentence(text, place))
    if scale is None:
        return None
    for match in numbers.find(span):
        vague = re.search(rf"\b(?:{rules['vague']})\b", match.group())
        for number in _ends(match.group()):
            ours = number * scale
            off = max(value, ours) / max(min(value, ours), 1e-9)
            if off <= (rules["vague_factor"] if vague else 1 + rules["within"]):
                return round(ours) if vague else value
    return None


def _tells(words: str) -> bool:
    common = set(raw_vocabulary()["language"]["english"].split())
    telling = any(char.isdigit() for char in words) or bool(set(re.findall(r"[^\W\d_]{3,}", words)) - common)
    return telling and not any(name in words for name in NAMES if "_" in name)


def _joined(text: str) -> tuple[str, list[int]]:
    """Return a text with single spaces between words, and where each of its characters stands in the original."""
    chars: list[str] = []
    places: list[int] = []
    for place, char in enumerate(straightened(text)):
        blank = char.isspace()
        if not blank or (chars and chars[-1] != " "):
            chars.append(" " if blank else char)
            places.append(place)
    return "".join(chars), places


def _scale(name: str, span: str, sentence: str) -> float | None:
    """Return what a number is multiplied by, from the first unit in the span, else in its sentence."""
    rule = _rules()["numbers"]["facts"][name]
    for where in (span, sentence):
        for unit in rule["units"]:
            if re.search(rf"(?<![a-z])(?:{unit['words']})(?![a-z])", where):
                return float(unit["scale"])
    return float(rule["plain"]) if "plain" in rule else None


def _sentence(text: str, place: Place) -> str:
    before = [match.end() for match in _SENTENCE_END.finditer(text, 0, place.start)]
    after = _SENTENCE_END.search(text, place.end)
    return straightened(text[before[-1] if before else 0 : after.start() if after else len(text)])


def _ends(number: str) -> Iterator[float]:
    """Yield a number, or the middle and both ends of a range."""
    for part in (number, *(number.split("-") if "-" in number else ())):
        value = numbers.parse(part)
        if value is not None:
            yield value


def _numbers(span: str) -> list[float | None]:
    return [numbers.parse(match.group()) for match in numbers.find(span)]


@functools.cache
def _rules() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "model_reader.toml").read_text("utf-8"))
