"""How long a sentence of a prompt wants a reply to be, in words and in sentences; it compares no prompts."""

import math
import re
from typing import NamedTuple

from trainers.evals.prompting.wishes import Wish, asked_in, compiled, table

Span = tuple[float, float]
"""The least and the most."""


class Length(NamedTuple):
    """How long a reply is to be."""

    unit: str
    amount: Span
    within: dict[str, Span]
    """The same in words and, where it can be told, in sentences."""


def length_of(wish: Wish) -> Length | None:
    """Return how long a sentence wants the whole reply; None where it names none, or speaks of parts of it."""
    if product := asked_in(table()["lengths"]["product"], wish):
        return _product(product)
    found = None if wish.parted else asked_in(table()["lengths"]["whole"], wish)
    return _read(next(filter(None, found.groups())), found.group()) if found else None


def apart(one: Length, other: Length) -> bool:
    """Say whether no reply can have both lengths."""
    pairs = [(one.within[name], other.within[name]) for name in one.within if name in other.within]
    pairs += [(one.amount, other.amount)] if one.unit == other.unit else []
    return any(most < least for (least, _), (_, most) in (*pairs, *((second, first) for first, second in pairs)))


def _product(found: re.Match[str]) -> Length | None:
    """Read `three paragraphs of 100 words`; a number of words is never met to the word."""
    parts, each, unit = _numbers(found["parts"]), _numbers(found["each"]), found["unit"].lower()
    if not (parts and each):
        return None
    slack, total = float(table()["lengths"]["slack"]) if unit == "word" else 1.0, parts[0] * each[0]
    least, most = total / slack, total * slack
    if compiled(table()["lengths"]["least"]).search(found.group()):
        most = math.inf
    elif compiled(table()["lengths"]["most"]).search(found.group()):
        least = 0.0
    amount = (least, most)
    return Length(unit, amount, {name: _times(amount, *told) for name, told in _each(unit).items()})


def _read(amount: str, said: str) -> Length | None:
    """Read `60 words`, `two to four sentences`, `one word`; whether it is a bound stands in what is `said`."""
    units = "|".join(table()["lengths"]["words"])
    found = re.search(rf"(.*?)\b({units})s?\b(.{{0,10}})", amount, re.IGNORECASE)
    numbers = _numbers(found[1]) if found else []
    if not found or not numbers:
        return None
    unit, lengths = found[2].lower(), table()["lengths"]
    slack = 1.0 if max(numbers) <= 1 else float(lengths["slack"])
    least, most = min(numbers[-2:]), max(numbers[-2:])
    bounds = said[: len(said) - len(amount) + found.end()]
    if compiled(lengths["least"]).search(bounds):
        most = math.inf
    elif compiled(lengths["most"]).search(bounds):
        least = 0.0
    elif unit == "word" and most > 1:  # a number of words is never met to the word
        least, most = least / slack, most * slack
    return Length(unit, (least, most), {name: _times((least, most), *each) for name, each in _each(unit).items()})


def _each(unit: str) -> dict[str, tuple[float, float]]:
    told = table()["lengths"]["words"][unit]
    return {name: (float(least), float(most) or math.inf) for name, (least, most) in told.items()}


def _times(amount: Span, least: float, most: float) -> Span:
    return amount[0] * least, amount[1] * most if amount[1] else 0.0


def _numbers(said: str) -> list[float]:
    known = table()["lengths"]["numbers"]
    told = [each.replace(",", "") for each in re.findall(r"\d[\d,]*|[a-z]+", said.lower())]
    return [float(known.get(each, each)) for each in told if each in known or each.isdigit()]
