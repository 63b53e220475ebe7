"""Finds wishes of a prompt that rule each other out, by class, with the words that say so; it does not say which holds.

Words tell: a contradiction in words that no class of contradictions.toml knows is not found.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final, NamedTuple

from trainers.data.titles import at_word
from trainers.evals.prompting.lengths import apart, length_of
from trainers.evals.prompting.opposites import opposites
from trainers.evals.prompting.wishes import Wish, asked_in, compiled, table, wishes

_SHOWN: Final = 120
"""Characters of a sentence that are quoted."""

_SAME: Final = "that of whoever writes"


class Contradiction(NamedTuple):
    """Two wishes that rule each other out."""

    asks: str
    """What both ask for together, in words; "" where one sentence wants what the other forbids."""
    said: tuple[str, ...]
    """The sentences, or the one that holds both."""

    @property
    def sentence(self) -> str:
        """Say it for people, with the words quoted."""
        quoted = " and ".join(f"\u201c{at_word(each, _SHOWN)}\u201d" for each in self.said)
        if not self.asks:
            return f"Two sentences contradict each other: {quoted}."
        return f"It seems to ask for both: {self.asks}, in {quoted}."


def contradictions(prompt: str) -> list[Contradiction]:
    """Return what a prompt contradicts itself in: each class once, and each pair of opposite sentences."""
    told = wishes(prompt)
    found = [Contradiction("", pair) for pair in opposites(prompt)]
    found += [*_classes(told), *_languages(told), *_lengths(told)]
    pairs: dict[frozenset[str], Contradiction] = {}
    for each in found:
        pairs.setdefault(frozenset(each.said), each)
    return list(pairs.values())


def _classes(told: Sequence[Wish]) -> Iterator[Contradiction]:
    for each in table()["both"]:
        ones = [wish for wish in told if not wish.conditional and _meant(each, wish)]
        held = [wish for wish in told if each.get("conditions") or not wish.conditional]
        others = [wish for wish in held if asked_in(each["other"], wish)]
        pair = next(((one, other) for one in ones for other in others if not _beside(one, other)), None)
        if pair:
            yield _contradiction(each["asks"], *pair)


def _meant(kind: Mapping[str, Any], wish: Wish) -> bool:
    named = kind.get("unless")
    return asked_in(kind["one"], wish) is not None and not (named and compiled(named).search(wish.text))


def _beside(one: Wish, other: Wish) -> bool:
    """Say whether one sentence names both for different parts of a reply."""
    return one == other and one.parted


def _languages(told: Sequence[Wish]) -> Iterator[Contradiction]:
    wanted = [(wish, name) for wish in told if not wish.conditional and (name := _language(wish))]
    pair = next(((one, other) for one, other in combinations(wanted, 2) if one[1] != other[1]), None)
    if pair:
        yield _contradiction(table()["languages"]["asks"], pair[0][0], pair[1][0])


def _language(wish: Wish) -> str:
    """Return the language that a sentence wants of the reply; "" where it wants none, or several side by side."""
    part = table()["languages"]
    names = "|".join(part["names"].split())
    if len(set(compiled(rf"\b(?:{names})\b").findall(wish.text))) > 1:
        return ""
    found = asked_in(part["spoken"].replace("{names}", names), wish)
    if found:
        name = next(name for name in found.groups() if name).lower()
        return str(part["own"].get(name, name))
    speaks = compiled(r"\b(?:answer|reply|respond|write)\b").search(wish.text)
    return _SAME if speaks and compiled(part["same"]).search(wish.text) else ""


def _lengths(told: Sequence[Wish]) -> Iterator[Contradiction]:
    wanted = [(wish, length) for wish in told if not wish.conditional and (length := length_of(wish))]
    pair = next(((one, other) for one, other in combinations(wanted, 2) if apart(one[1], other[1])), None)
    if pair:
        yield _contradiction(table()["lengths"]["asks"], pair[0][0], pair[1][0])


def _contradiction(asks: str, one: Wish, other: Wish) -> Contradiction:
    return Contradiction(asks, tuple(dict.fromkeys((one.said, other.said))))
