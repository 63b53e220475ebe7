"""Whether a classifier can tell two writers apart who answered the same briefs; it does not say who writes better.

The classifier two-sample test (Lopez-Paz and Oquab 2017, arXiv 1610.06545): logistic regression on hashed character 2-
to 5-grams (tf-idf) and function words, cross-validated with both texts of a brief in the same fold. An AUROC of 0.5
means that it cannot tell them apart. The p-value exchanges the two texts of a brief, which changes nothing if the
writers are alike.
"""

from collections.abc import Callable, Sequence
from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainers.evals.stats import LEVEL, Interval
from trainers.evals.style.limits import function_words, limits
from trainers.evals.style.logistic import fit
from trainers.evals.style.text import piece_hashes, words

Floats = NDArray[np.float64]
_SIZES = range(2, 6)  # characters of a piece


class TwoSample(NamedTuple):
    """How well two writers are told apart."""

    auroc: float
    """Probability that a text of the first looks more like the first than one of the second does; 0.5 is chance."""
    low: float
    """Lower end of its 95% interval."""
    high: float
    """Upper end."""
    p_value: float
    """One-sided p that they are alike, by exchanging the texts of a brief."""
    pairs: int
    """Briefs that both answered."""


def compare(first: Sequence[str], second: Sequence[str], seed: int = 0) -> TwoSample | None:
    """Tell `first[i]` from `second[i]`, two answers to brief i; None for fewer than ten briefs with two texts."""
    chosen = limits("two_sample")
    both = [(one, other) for one, other in zip(first, second, strict=True) if one.strip() and other.strip()]
    if len(both) < chosen["least_pairs"]:
        return None
    draw = np.random.default_rng(seed)
    order = draw.permutation(len(both))[: chosen["most_pairs"]]
    texts = [both[at][0] for at in order] + [both[at][1] for at in order]
    n = len(order)
    exchanged = draw.random((n, chosen["permutations"] + 1)) < 0.5
    exchanged[:, 0] = False
    found = _cross_validated(features(texts), exchanged, chosen["folds"], chosen["penalty"])
    p_value = float((found >= found[0] - 1e-12).mean())
    # Folds share training texts, so the AUROC varies more than that of independent cases: exchanges show by how much.
    excess = float(found[1:].std()) / sqrt(_variance(0.5, n, n))
    low, high = auroc_interval(float(found[0]), n, n, excess=max(1.0, excess))
    return TwoSample(float(found[0]), low, high, p_value, n)


def features(texts: Sequence[str]) -> Floats:
    """Return one row a text: tf-idf of hashed character pieces and shares of function words, each of length 1."""
    chosen = limits("two_sample")
    pieces = np.zeros((len(texts), chosen["buckets"]))
    for row, text in enumerate(texts):
        buckets = piece_hashes(text, _SIZES) % np.uint64(chosen["buckets"])
        pieces[row] = np.bincount(buckets.astype(np.int64), minlength=chosen["buckets"])
    documents = (pieces > 0).sum(axis=0)
    weighted = np.log1p(pieces) * (np.log((1 + len(texts)) / (1 + documents)) + 1)
    places = {word: at for at, word in enumerate(function_words())}
    said = np.zeros((len(texts), len(places)))
    for row, text in enumerate(texts):
        for word in words(text):
            if word in places:
                said[row, places[word]] += 1
    found: Floats = np.hstack([_unit(weighted), _unit(said)]) / np.sqrt(2)
    return found


def auroc(higher: Sequence[float] | Floats, lower: Sequence[float] | Floats) -> float:
    """Probability that one of `higher` exceeds one of `lower`, ties counting half (Mann and Whitney)."""
    left, right = np.asarray(higher, dtype=float), np.asarray(lower, dtype=float)
    order = np.sort(right)
    below, upto = np.searchsorted(order, left, "left"), np.searchsorted(order, left, "right")
    return float((below + upto).mean() / (2 * len(right)))


def auroc_interval(value: float, n: int, m: int, level: float = LEVEL, *, excess: float = 1.0) -> Interval:
    """Interval of an AUROC from `n` and `m` cases (Newcombe 2006, method 5: Hanley and McNeil's variance, inverted).

    `excess` multiplies the standard error where cases are not independent.
    """
    reach = NormalDist().inv_cdf((1 + level) / 2) * excess

    def beyond(end: float) -> bool:
        return abs(end - value) > reach * sqrt(_variance(end, n, m))

    return Interval(_end(value, 0.0, beyond), _end(value, 1.0, beyond))


def _variance(value: float, n: int, m: int) -> float:
    """Variance of an AUROC for exponential scores (Hanley and McNeil 1982; symmetric as in Newcombe)."""
    half = (n + m) / 2 - 1
    return value * (1 - value) * (1 + half * ((1 - value) / (2 - value) + value / (1 + value))) / (n * m)


def _end(inside: float, outside: float, beyond: Callable[[float], bool]) -> float:
    """Halve the way between a value inside and one outside of an interval until its end is found."""
    if not beyond(outside):
        return outside
    for _ in range(50):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if beyond(middle) else (middle, outside)
    return inside


def _cross_validated(rows: Floats, exchanged: NDArray[np.bool_], folds: int, penalty: float) -> Floats:
    """Return the AUROC of each column of `exchanged`; cases are compared within their fold alone."""
    n = len(exchanged)
    kernel = rows @ rows.T
    labels = np.vstack([~exchanged, exchanged]).astype(float)
    wins, cases = np.zeros(exchanged.shape[1]), 0
    for start in range(folds):
        held = np.arange(start, n, folds)
        kept = np.setdiff1d(np.arange(n), held)
        train, test = np.concatenate([kept, kept + n]), np.concatenate([held, held + n])
        weights = fit(kernel[np.ix_(train, train)], labels[train], penalty)
        scores = kernel[np.ix_(test, train)] @ weights
        one, other = scores[: len(held)], scores[len(held) :]
        right = np.where(exchanged[held], other, one)
        wrong = np.where(exchanged[held], one, other)
        gap = right[:, None] - wrong[None]
        wins += (gap > 1e-12).sum(axis=(0, 1)) + 0.5 * (np.abs(gap) <= 1e-12).sum(axis=(0, 1))
        cases += len(held) ** 2
    found: Floats = wins / cases
    return found


def _unit(rows: Floats) -> Floats:
    sizes = np.linalg.norm(rows, axis=1, keepdims=True)
    found: Floats = rows / np.where(sizes > 0, sizes, 1.0)
    return found
