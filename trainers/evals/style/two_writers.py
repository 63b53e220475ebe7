"""Whether texts fall into two clearly different groups, as those of two writers or two occasions do; it names nobody.

Half of the habits (function words and marks, every second one) divide the texts into two groups; the other half is then
asked how far apart the groups are there, beside random divisions of the same sizes. One novelist's texts lie up to 10
deviations apart, because dialogue and narration differ, and two novelists of one century no farther: such are not told
apart here. Two house styles lie 14 and more apart (bench/voice.py). So 12 is clear, and less says nothing.

That takes 16 texts. Fewer are told apart only by their order, where those of one writer stand before the other's: of
shuffled orders few part the texts as far. One writer's texts are taken for two in about `order_level` of all sets,
whatever is counted, as the order says nothing then.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainers.evals.style.limits import function_words, limits
from trainers.evals.style.measures import measures
from trainers.evals.style.profile import SIGNS
from trainers.evals.style.text import seen, words

Vectors = NDArray[np.float64]

_DIVISIONS = 199
_SMALLEST = 0.2  # share of texts of the smaller group
_ROUNDS = 50  # of 2-means, which settles in a few
_ORDERS = 999
_SIDE = 3  # texts before and after a change
_MOST = 100  # texts whose order is looked at, evenly drawn from more
_AT_ONCE = 2_000_000  # distances that are held in memory


class Groups(NamedTuple):
    """Two groups of texts."""

    smaller: tuple[int, ...]
    """Places of the texts in the smaller group, from 0."""
    apart: float
    """Standard deviations of random divisions; 0 where the order told."""
    differs_in: tuple[str, ...]
    """Habits in which the groups differ most, in words."""
    chance: float | None = None
    """Share of shuffled orders that part the texts as far; None where the order was not needed."""


def groups(texts: Sequence[str]) -> Groups | None:
    """Return the two groups, or None where there is no clear sign of two, or too few texts."""
    if len(texts) < limits("voice")["group_texts"]:
        return _in_order(texts)
    belongs, apart = division(texts)
    if apart < limits("voice")["groups_apart"]:
        return _in_order(texts)
    smaller = belongs if belongs.sum() * 2 <= len(texts) else ~belongs
    return Groups(tuple(int(at) for at in np.flatnonzero(smaller)), apart, _differing(texts, smaller))


def _in_order(texts: Sequence[str]) -> Groups | None:
    if len(texts) < limits("voice")["order_texts"]:
        return None
    before, chance = change(texts)
    if chance > limits("voice")["order_level"]:
        return None
    later = np.arange(len(texts)) >= before
    smaller = later if later.sum() * 2 <= len(texts) else ~later
    return Groups(tuple(int(at) for at in np.flatnonzero(smaller)), 0.0, _differing(texts, smaller), chance)


def change(texts: Sequence[str]) -> tuple[int, float]:
    """Return how many texts stand before the greatest change in the writing, and how often an order parts as far.

    The distance of two groups is Szekely and Rizzo's energy distance of cosines (2004).
    """
    step = -(-len(texts) // _MOST)
    table = _features(texts[::step], least=2)
    scaled = table / np.maximum(1e-9, np.linalg.norm(table, axis=1, keepdims=True))
    gaps = 1 - scaled @ scaled.T
    np.fill_diagonal(gaps, 0.0)
    random = np.random.default_rng(7)  # the same texts always give the same answer
    told = _partings(gaps, np.arange(len(gaps))[None])[0]
    orders = np.array([random.permutation(len(gaps)) for _ in range(_ORDERS)])
    parts = np.array_split(orders, max(1, _ORDERS * gaps.size // _AT_ONCE))
    as_far = sum(int((_partings(gaps, part).max(axis=1) >= told.max() - 1e-12).sum()) for part in parts)
    return (int(told.argmax()) + _SIDE) * step, (1 + as_far) / (1 + _ORDERS)


def _partings(gaps: Vectors, orders: NDArray[np.int64]) -> Vectors:
    """Return how far each order is parted at each place, a row for an order."""
    number = len(gaps)
    sums = gaps[orders[:, :, None], orders[:, None, :]].cumsum(axis=1).cumsum(axis=2)
    size = np.arange(_SIDE, number - _SIDE + 1)
    first = sums[:, size - 1, size - 1]
    across = sums[:, size - 1, -1] - first
    second = sums[:, -1, -1][:, None] - first - 2 * across
    rest = number - size
    energy = 2 * across / (size * rest) - first / size**2 - second / rest**2
    return np.asarray(energy * size * rest / number)


def division(texts: Sequence[str]) -> tuple[NDArray[np.bool_], float]:
    """Return which texts belong to the second group, and how far apart the groups are; 0 without two fair groups."""
    table = _features(texts)
    first, second = table[:, 0::2], table[:, 1::2]
    belongs = _halves(first)
    if not _SMALLEST * len(texts) <= belongs.sum() <= (1 - _SMALLEST) * len(texts):
        return belongs, 0.0
    random = np.random.default_rng(7)  # the same texts always give the same answer
    by_chance = [_gap(second[random.permutation(len(second))], belongs) for _ in range(_DIVISIONS)]
    return belongs, float((_gap(second, belongs) - np.mean(by_chance)) / max(1e-9, float(np.std(by_chance))))


def _features(texts: Sequence[str], least: int = 1) -> Vectors:
    """Return standardised roots of rates of function words and marks that `least` texts hold, a row for each text."""
    names, marks = function_words(), list(SIGNS.values())
    rows = []
    for text in texts:
        found = words(text)
        counts = [found.count(name) for name in names] + [count(seen(text)) for count in marks]
        counts += [text.count(mark) for mark in ",:"]
        rows.append(np.sqrt(np.array(counts) / max(1, len(found))))
    table = np.array(rows)
    spread = table.std(axis=0)
    held = (spread > 0) & ((table > 0).sum(axis=0) >= least)
    return np.asarray((table[:, held] - table[:, held].mean(axis=0)) / spread[held])


def _halves(table: Vectors) -> NDArray[np.bool_]:
    """Divide rows in two by 2-means, begun along the direction in which they vary most."""
    _, _, axes = np.linalg.svd(table, full_matrices=False)
    belongs = np.asarray(table @ axes[0] > 0)
    for _ in range(_ROUNDS):
        if belongs.all() or not belongs.any():
            return belongs
        near, far = (((table - table[which].mean(axis=0)) ** 2).sum(axis=1) for which in (belongs, ~belongs))
        again = np.asarray(near < far)
        if bool((again == belongs).all()):
            return belongs
        belongs = again
    return belongs


def _gap(table: Vectors, belongs: NDArray[np.bool_]) -> float:
    return float(((table[belongs].mean(axis=0) - table[~belongs].mean(axis=0)) ** 2).sum())


def _differing(texts: Sequence[str], smaller: NDArray[np.bool_]) -> tuple[str, ...]:
    """Name the habits that differ most between the groups."""
    gaps = []
    for measure in measures().values():
        parts = np.array([measure.parts(text) for text in texts])
        one, other = (measure.value(parts[which].sum(axis=0)) for which in (smaller, ~smaller))
        if one is not None and other is not None and one + other > 0:
            gaps.append((abs(one - other) / (one + other), measure.name))
    return tuple(name for _, name in sorted(gaps, reverse=True)[:3])
