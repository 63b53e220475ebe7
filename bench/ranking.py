"""Scores one ranking against graded answers: recall, nDCG, reciprocal rank, as trec_eval defines them."""

import math
from collections.abc import Mapping, Sequence


def recall(ranked: Sequence[str], right: set[str], k: int) -> float:
    """Return the share of `right` among the first `k`."""
    return len(right & set(ranked[:k])) / len(right)


def ndcg(ranked: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """Return the discounted gain of the first `k` over the best that could be had; the gain is the grade itself."""
    gained = _discounted([grades.get(key, 0) for key in ranked[:k]])
    return gained / _discounted(sorted(grades.values(), reverse=True)[:k])


def reciprocal_rank(ranked: Sequence[str], right: set[str], k: int = 10) -> float:
    """Return 1 over the place of the first of `right` among the first `k`, else 0."""
    return next((1 / place for place, key in enumerate(ranked[:k], start=1) if key in right), 0.0)


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, start=1))
