"""Right and wrong answers of two models to the same rows; it knows nothing of scores between 0 and 1.

`gained` rows only the tuned model gets right, `lost` rows only its rival gets right, out of `n`. The interval of their
difference is Bonett and Price's (2012): it keeps its coverage at n = 20, where Wald's and the percentile bootstrap do
not. Only the standard library is used.
"""

from math import comb, sqrt

from trainers.evals.stats.rates import LEVEL, Interval, check_counts, normal_quantile


def bonett_price(gained: int, lost: int, n: int, level: float = LEVEL) -> Interval:
    """Interval of the paired difference of two rates, between -1 and 1 (adjusted Wald, Bonett and Price 2012)."""
    check_counts(n, gained, lost)
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    centre = up - down
    reach = normal_quantile(level) * sqrt((up + down - centre * centre) / (n + 2))
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


def _at_most(count: int, n: int) -> float:
    """P(X <= count) for n fair coins, in exact integers until the last division."""
    term = ways = 1
    for k in range(count):
        term = term * (n - k) // (k + 1)
        ways += term
    return ways / (1 << n)


def _exactly(count: int, n: int) -> float:
    return comb(n, count) / (1 << n)
