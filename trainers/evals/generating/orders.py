"""Finds sentences of a document that give a language model orders; it knows their usual words, not what they intend."""

import re
from collections.abc import Iterator
from functools import cache

from knowledge.advice.reader import straightened, without_orders
from trainers.evals.generating.table import table
from trainers.evals.style.text import sentences

_PARAGRAPH = re.compile(r"\n\s*\n")


def gives_orders(text: str) -> bool:
    """Say whether a text tells a model what to do, such as `Ignore previous instructions`."""
    plain = " ".join(straightened(text).casefold().split()).strip("\"'*_#>- ")
    return without_orders(plain) != plain or any(look.search(plain) for look in _looks())


def split_orders(text: str) -> tuple[list[str], list[str]]:
    """Return the sentences that tell something, and those that give orders.

    What follows an order in its paragraph may be what it wants said, so it is in neither list. An order that is broken
    over lines takes its paragraph with it.
    """
    told: list[str] = []
    orders: list[str] = []
    for paragraph in _PARAGRAPH.split(text):
        found = list(sentences(paragraph))
        first = next((at for at, each in enumerate(found) if gives_orders(each)), None)
        if first is None and gives_orders(paragraph):
            first = 0
        told += found[:first]
        orders += _named(found, first)
    return told, orders


def _named(found: list[str], first: int | None) -> Iterator[str]:
    if first is not None:
        yield found[first]
        yield from (each for each in found[first + 1 :] if gives_orders(each))


@cache
def _looks() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(pattern) for pattern in table()["documents"]["orders"])
