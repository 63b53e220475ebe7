"""How recipes are read and their texts filled, the same for the same seed; it does not know what they are for."""

import random
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from trainers.data.jsonl import Row
from trainers.evals.drafts.base import DraftKind

Recipe = Mapping[str, Any]
T = TypeVar("T")

_SLOT = re.compile(r"\{(\w+)\}")
_I = re.compile(r"I\b")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|day|afternoon|evening))\b[^.!?]{0,40}[.!?]$", re.IGNORECASE
)
_CUT_SHORT = re.compile(r"\b(?:mr|mrs|ms|dr|prof|no|nr|st|vs|etc|e\.g|i\.e|approx)\.$", re.IGNORECASE)


class Piece(NamedTuple):
    """What a recipe says of one row, before it is a row."""

    kind: DraftKind
    text: str
    reveals: str
    target: str
    source: str
    suggestion: str = ""


@cache
def recipe(name: str) -> Recipe:
    """Return the recipes for one kind of task, as recipes/<name>.toml has them."""
    return tomllib.loads((Path(__file__).with_name("recipes") / f"{name}.toml").read_text("utf-8"))


class Filler:
    """Fills the slots of texts; each slot's values are used up before one comes again."""

    def __init__(self, slots: Mapping[str, Sequence[str]], draw: random.Random) -> None:
        """Take the values of each slot and a seeded draw."""
        self._slots, self._draw = slots, draw
        self._left: dict[str, list[str]] = {}

    def fill(self, text: str, **known: str) -> str:
        """Put `known` and drawn values into the slots of `text`; one that nobody knows stays as it is."""
        values = dict(known)

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name not in values and name in self._slots:
                values[name] = self._next(name)
            return values.get(name, match[0])

        return _SLOT.sub(value, text)

    def _next(self, name: str) -> str:
        if not self._left.get(name):
            self._left[name] = self._draw.sample(self._slots[name], len(self._slots[name]))
        return self._left[name].pop()


def shuffled(items: Iterable[Any], draw: random.Random) -> list[Any]:
    """Return the items in a drawn order."""
    listed = list(items)
    return draw.sample(listed, len(listed))


def in_turn(streams: Sequence[Iterator[T]]) -> Iterator[T]:
    """Take one thing of each stream in turn until all have ended."""
    open_ones = list(streams)
    while open_ones:
        for stream in list(open_ones):
            piece = next(stream, None)
            if piece is None:
                open_ones.remove(stream)
            else:
                yield piece


def upper_first(text: str) -> str:
    """Begin a text with a capital."""
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """Let a sentence go on inside another: its first letter small, unless it is an I or a name in capitals."""
    if _I.match(text) or text[1:2].isupper():
        return text
    return text[:1].lower() + text[1:]


def as_sentence(text: str) -> str:
    """Let a text stand by itself between others: a capital first, a mark at its end."""
    whole = upper_first(text.strip())
    return whole if whole.endswith((".", "!", "?", "…")) else f"{whole}."


def first_sentence(row: Row, most: int = 140) -> str:
    """Return the first sentence of what a row asks, behind a greeting; "" if it is no good inside another text."""
    sentences = [each.strip() for each in _SENTENCE.split(" ".join(row.prompt.split()))]
    if len(sentences) > 1 and _GREETING.match(sentences[0]):
        del sentences[0]
    whole = 20 <= len(sentences[0]) <= most and not _CUT_SHORT.search(sentences[0])
    return sentences[0] if whole else ""


def one_system(rows: Sequence[Row]) -> str:
    """Return the system prompt of rows if they all have the same one, else ""."""
    prompts = {row.system for row in rows}
    return prompts.pop() if len(prompts) == 1 else ""
