"""Whether texts fall into two clearly different groups, as those of two writers or two occasions do; it names nobody.

Half of the habits (function words and marks, every second one) divide the texts into two groups; the other half is then
asked how far apart the groups are there, beside random divisions of the same sizes. One novelist's texts lie up to 10
deviations apart, because dialogue and narration differ, and two novelists of one century no farther: such are not told
apart here. Two house styles lie 14 and more apart (bench/voice.py). So 12 is clear, and less says nothing.
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


class Groups(NamedTuple):
    """Two groups of texts."""

    smaller: tuple[int, ...]
    """Places of the texts in the smaller group, from 0."""
    apart: float
    """Standard deviations of random divisions."""
    differs_in: tuple[str, ...]
    """Habits in which the groups differ most, in words."""


def groups(texts: Sequence[str]) -> Groups | None:
    """Return the two groups, or None where there is no clear sign of two, or too few texts."""
    if len(texts) < limits("voice")["group_texts"]:
        return None
    belongs, apart = division(texts)
    if apart < limits("voice")["groups_apart"]:
        return None
    smaller = belongs if belongs.sum() * 2 <= len(texts) else ~belongs
    return Groups(tuple(int(at) for at in np.flatnonzero(smaller)), apart, _differing(texts, smaller))


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


def _features(texts: Sequence[str]) -> Vectors:
    """Return standardised roots of rates of function words and marks, a row for each text."""
    names, marks = function_words(), list(SIGNS.values())
    rows = []
    for text in texts:
        found = words(text)
        counts = [found.count(name) for name in names] + [count(seen(text)) for count in marks]
        counts += [text.count(mark) for mark in ",:"]
        rows.append(np.sqrt(np.array(counts) / max(1, len(found))))
    table = np.array(rows)
    spread = table.std(axis=0)
    kept = table[:, spread > 0]
    return np.asarray((kept - kept.mean(axis=0)) / spread[spread > 0])


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
