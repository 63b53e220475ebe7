"""Intervals of a single rate; it does not compare two."""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

LEVEL = 0.95


class Interval(NamedTuple):
    """A confidence interval."""

    low: float
    """Lower end."""
    high: float
    """Upper end."""


def wilson(successes: float, n: int, level: float = LEVEL) -> Interval:
    """Interval of a rate, between 0 and 1 (Wilson 1927); no rows say nothing: 0 to 1.

    Half successes (ties that are split) are allowed; they make the interval a little wider than it need be.
    """
    check_counts(n, successes)
    if n == 0:
        return Interval(0.0, 1.0)
    z = normal_quantile(level)
    rate = successes / n
    scale = 1 + z * z / n
    centre = (rate + z * z / (2 * n)) / scale
    reach = z / scale * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - reach)
    high = 1.0 if successes == n else min(1.0, centre + reach)
    return Interval(low, high)


def normal_quantile(level: float) -> float:
    """Two-sided quantile of the normal distribution: 1.96 at 0.95."""
    if not 0 < level < 1:
        raise ValueError("a level lies between 0 and 1")
    return NormalDist().inv_cdf((1 + level) / 2)


def check_counts(n: int, *parts: float) -> None:
    """Raise `ValueError` for counts that no set of `n` rows can have."""
    if n < 0 or any(part < 0 for part in parts) or sum(parts) > n:
        raise ValueError("counts are not negative and their sum is at most n")
