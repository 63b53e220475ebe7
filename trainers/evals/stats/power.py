"""How many rows show an effect, and which effect so many rows show; it looks at no answers."""

from collections.abc import Callable, Sequence
from math import ceil, sqrt
from statistics import NormalDist

from trainers.evals.stats.rates import LEVEL, check_counts, normal_quantile

POWER = 0.8
MOST_ROWS = 1_000_000
"""Every count of rows ends here: more than anybody labels."""


def rows_needed(discordance: float, difference: float, level: float = LEVEL, power: float = POWER) -> int:
    """Pairs after which a true `difference` is told from none with this power (Connor 1987, McNemar's test).

    `discordance` is the share of rows on which exactly one of the two is right.
    """
    _check(difference, power)
    if abs(difference) > 1:
        raise ValueError("two rates differ by at most 1")
    spread = min(1.0, max(discordance, abs(difference)))
    reach = normal_quantile(level) * sqrt(spread)
    reach += NormalDist().inv_cdf(power) * sqrt(spread - difference * difference)
    return min(MOST_ROWS, max(1, ceil((reach / difference) ** 2)))


def rows_needed_graded(sd: float, difference: float, level: float = LEVEL, power: float = POWER) -> int:
    """Pairs after which a true mean `difference` is told from none with this power (t-test, Guenther 1981).

    `sd` is the standard deviation of the paired differences, in the unit of `difference`. At least 2.
    """
    _check(difference, power)
    if sd < 0:
        raise ValueError("a standard deviation is not negative")
    z = normal_quantile(level)
    rows = ((z + NormalDist().inv_cdf(power)) * sd / difference) ** 2 + z * z / 2  # his correction from normal to t
    return min(MOST_ROWS, max(2, ceil(rows)))


def smallest_detectable(discordance: float, n: int, level: float = LEVEL, power: float = POWER) -> float:
    """Smallest true difference that `n` pairs tell from none with this power; 1.0 if even that is too small."""
    check_counts(n)
    return _smallest(lambda effect: rows_needed(discordance, effect, level, power) <= n, 1.0)


def smallest_detectable_graded(sd: float, n: int, level: float = LEVEL, power: float = POWER) -> float:
    """Smallest true mean difference that `n` pairs tell from none, in the unit of `sd`; infinite for too few rows."""
    check_counts(n)
    top = 10 * sd
    if rows_needed_graded(sd, top or 1.0, level, power) > n:
        return float("inf")
    return _smallest(lambda effect: rows_needed_graded(sd, effect, level, power) <= n, top) if sd else 0.0


def design_effect(sizes: Sequence[int], correlation: float) -> float:
    """By how much rows of one source blow up the variance of a mean: 1 means not at all (Kish 1965).

    `sizes` are the rows of each source, `correlation` is the intra-class correlation of the differences.
    """
    if not sizes or any(size < 1 for size in sizes):
        raise ValueError("each source has at least one row")
    return 1 + (sum(size * size for size in sizes) / sum(sizes) - 1) * correlation


def _smallest(enough: Callable[[float], bool], high: float) -> float:
    low = 0.0
    for _ in range(40):  # halves the range to below 1e-12 of it
        middle = (low + high) / 2
        if enough(middle):
            high = middle
        else:
            low = middle
    return high


def _check(difference: float, power: float) -> None:
    if not abs(difference) > 0:
        raise ValueError("no number of rows proves a difference of 0")
    if not 0 < power < 1:
        raise ValueError("a power lies between 0 and 1")
