"""Statistics that hold for small sets of right and wrong answers; it does not decide what follows from them.

Binary pairs: `gained` rows only the tuned model gets right, `lost` rows only its rival gets right, out of `n`.
The interval of their difference is Bonett and Price's (2012), rates get Wilson's (1927): both keep their coverage at
n = 20, where Wald's and the percentile bootstrap do not. Only the standard library is used.
"""

from collections.abc import Sequence
from math import ceil, comb, sqrt
from statistics import NormalDist
from typing import NamedTuple

LEVEL = 0.95
POWER = 0.8
_MOST_ROWS = 1_000_000


class Interval(NamedTuple):
    """A confidence interval."""

    low: float
    """Lower end."""
    high: float
    """Upper end."""


def wilson(successes: int, n: int, level: float = LEVEL) -> Interval:
    """Interval of a rate, between 0 and 1 (Wilson 1927); no rows say nothing: 0 to 1."""
    _check_counts(n, successes)
    if n == 0:
        return Interval(0.0, 1.0)
    z = _z(level)
    rate = successes / n
    scale = 1 + z * z / n
    centre = (rate + z * z / (2 * n)) / scale
    reach = z / scale * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else max(0.0, centre - reach)
    high = 1.0 if successes == n else min(1.0, centre + reach)
    return Interval(low, high)


def bonett_price(gained: int, lost: int, n: int, level: float = LEVEL) -> Interval:
    """Interval of the paired difference of two rates, between -1 and 1 (adjusted Wald, Bonett and Price 2012)."""
    _check_counts(n, gained, lost)
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    centre = up - down
    reach = _z(level) * sqrt((up + down - centre * centre) / (n + 2))
    return Interval(max(-1.0, centre - reach), min(1.0, centre + reach))


def mcnemar_exact(gained: int, lost: int) -> float:
    """Two-sided p of no difference, from the discordant pairs alone (binomial)."""
    return min(1.0, 2 * _at_most(min(gained, lost), gained + lost))


def mcnemar_mid_p(gained: int, lost: int) -> float:
    """Two-sided mid-p of no difference (Fagerland, Lydersen and Laake 2013): less timid than the exact test."""
    fewer, discordant = min(gained, lost), gained + lost
    if gained == lost:
        return 1.0
    return min(1.0, 2 * _at_most(fewer, discordant) - _exactly(fewer, discordant))


def sign_test(wins: int, losses: int) -> float:
    """Two-sided p that wins and losses are equally likely; ties are left out by the caller (Conover 1999)."""
    return mcnemar_exact(wins, losses)


def rows_needed(discordance: float, difference: float, level: float = LEVEL, power: float = POWER) -> int:
    """Pairs after which a true `difference` is told from none with this power (Connor 1987, McNemar's test).

    `discordance` is the share of rows on which exactly one of the two is right.
    """
    if not 0 < abs(difference) <= 1:
        raise ValueError("no number of rows proves a difference of 0")
    spread = min(1.0, max(discordance, abs(difference)))
    reach = _z(level) * sqrt(spread) + NormalDist().inv_cdf(power) * sqrt(spread - difference * difference)
    return min(_MOST_ROWS, max(1, ceil((reach / difference) ** 2)))


def smallest_detectable(discordance: float, n: int, level: float = LEVEL, power: float = POWER) -> float:
    """Smallest true difference that `n` pairs tell from none with this power; 1.0 if even that is too small."""
    _check_counts(n)
    low, high = 0.0, 1.0
    for _ in range(40):  # halves the range to below 1e-12
        middle = (low + high) / 2
        if rows_needed(discordance, middle, level, power) <= n:
            high = middle
        else:
            low = middle
    return high


def median(values: Sequence[float]) -> float | None:
    """Middle value, or None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _z(level: float) -> float:
    """Two-sided quantile of the normal distribution: 1.96 at 0.95."""
    if not 0 < level < 1:
        raise ValueError("a level lies between 0 and 1")
    return NormalDist().inv_cdf((1 + level) / 2)


def _at_most(count: int, n: int) -> float:
    """P(X <= count) for n fair coins, in exact integers until the last division."""
    ways: int = sum(comb(n, k) for k in range(count + 1))
    return ways / (1 << n)


def _exactly(count: int, n: int) -> float:
    return comb(n, count) / (1 << n)


def _check_counts(n: int, *parts: int) -> None:
    if n < 0 or any(part < 0 for part in parts) or sum(parts) > n:
        raise ValueError("counts are not negative and their sum is at most n")
