"""Finds what gives a language model orders in documents and cuts it out; it knows usual words, not what is meant."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

from knowledge.advice.reader import straightened, without_orders
from trainers.evals.generating.table import table
from trainers.evals.style.text import sentences, words

Passage = tuple[str, str]
"""Title and text."""

PARAGRAPH: Final = re.compile(r"\n\s*\n")
"""What stands between two paragraphs of a passage."""
_OPENING: Final = re.compile(r"(?:^|\s)[\s\-*+>#|(\"'\u201c]*$")  # what led up to an order: a dash, a quotation mark
_LEAST_LEFT: Final = 6
"""Words that have to be left of a passage for it to tell anything."""


class Sifted(NamedTuple):
    """A team's passages as rows may show them."""

    passages: tuple[Passage, ...]
    """Without the orders that stood in them."""
    orders: tuple[Passage, ...]
    """Each order with the title of its passage."""
    cut: int
    """Passages that held orders."""
    unused: int
    """Of these, how many are not shown at all: their title gives the order, or too little is left."""


class _Part(NamedTuple):
    """One paragraph."""

    text: str
    told: list[str]
    """Its sentences before the first order."""
    orders: list[str]


def gives_orders(text: str) -> bool:
    """Say whether a text tells a model what to do, such as `Ignore previous instructions`."""
    plain = " ".join(straightened(text).casefold().split()).strip("\"'*_#>- ")
    return without_orders(plain) != plain or any(look.search(plain) for look in _looks())


def split_orders(text: str) -> tuple[list[str], list[str]]:
    """Return the sentences that tell something, and those that give orders.

    What follows an order in its paragraph may be what it wants said, so it is in neither list. An order that is broken
    over lines takes its paragraph with it.
    """
    parts = list(_parts(text))
    return [each for part in parts for each in part.told], [each for part in parts for each in part.orders]


def sift(passages: Sequence[Passage]) -> Sifted:
    """Cut the orders out of passages, with what follows them in their paragraph; the rest stays as it is written."""
    shown: list[Passage] = []
    orders: list[Passage] = []
    cut = 0
    for title, text in passages:
        found = _orders_of(title, text)
        orders += [(title, each) for each in found]
        cut += bool(found)
        left = _cut(text) if found else text
        if not found or not (gives_orders(title) or len(words(left)) < _LEAST_LEFT):
            shown.append((title, left))
    return Sifted(tuple(shown), tuple(orders), cut, len(passages) - len(shown))


def _orders_of(title: str, text: str) -> list[str]:
    return [*([title] if gives_orders(title) else []), *split_orders(text)[1]]


def _cut(text: str) -> str:
    """Return a text without the orders; a paragraph that begins with one goes whole."""
    kept = (_before(part) if part.orders else part.text for part in _parts(text))
    return "\n\n".join(each for each in kept if each.strip())


def _before(part: _Part) -> str:
    """Return what stands in a paragraph before its first order."""
    if not part.told:
        return ""
    order = r"\s+".join(map(re.escape, part.orders[0].split()))
    found = re.search(order, part.text)
    return _OPENING.sub("", part.text[: found.start()]) if found else ""


def _parts(text: str) -> Iterator[_Part]:
    for paragraph in PARAGRAPH.split(text):
        found = list(sentences(paragraph))
        first = next((at for at, each in enumerate(found) if gives_orders(each)), None)
        if first is None and gives_orders(paragraph):
            first = 0
        yield _Part(paragraph, found[:first], list(_named(found, first)))


def _named(found: list[str], first: int | None) -> Iterator[str]:
    if first is not None and found:
        yield found[first]
        yield from (each for each in found[first + 1 :] if gives_orders(each))


@cache
def _looks() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in table()["documents"]["orders"])
