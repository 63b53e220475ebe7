"""Two models' scores on the same rows, compared by the method that fits them; it does not say who passes.

Right or wrong (all scores 0 or 1) and graded scores, rows that stand alone and rows that share a source: which
interval goes with which is measured by bench/intervals.py and told in docs/statistics.md.
"""

from collections.abc import Hashable, Sequence
from math import ceil, isfinite, sqrt
from statistics import stdev
from typing import TYPE_CHECKING, NamedTuple

from trainers.evals.stats.limits import limits
from trainers.evals.stats.pairs import bonett_price, mcnemar_mid_p
from trainers.evals.stats.power import MOST_ROWS, POWER, rows_needed, rows_needed_graded
from trainers.evals.stats.rates import LEVEL, normal_quantile

if TYPE_CHECKING:  # numpy stays out of the web process until a comparison needs it
    from trainers.evals.stats.groups import Floats

_BINARY = "Bonett and Price's (2012) interval, mid-p McNemar test (Fagerland, Lydersen and Laake 2013)"
_GRADED = "t interval widened for skewness (Johnson 1978), sign-flip permutation test (Fisher 1935)"
_BINARY_GROUPS = "Bonett and Price's (2012) interval over sources, sign-flip test of sources (Fisher 1935)"
_GRADED_GROUPS = (
    "t interval over sources (CR2, Bell and McCaffrey 2002) widened for skewness (Johnson 1978), "
    "sign-flip test of sources (Fisher 1935)"
)


class Comparison(NamedTuple):
    """Tuned minus base on the same rows, in the unit of the scores."""

    difference: float
    """Mean of tuned minus base; 0 of no rows."""
    low: float
    """Lower end of the interval of the true difference; for scores of 0 to 1 it lies from -1 to 1."""
    high: float
    """Upper end."""
    level: float
    """Confidence level of the interval."""
    p_value: float
    """Two-sided p of no difference. For reading beside the interval: a verdict rests on the interval."""
    n: int
    """Rows compared."""
    clusters: int
    """Independent groups of rows; `n` where every row stands alone."""
    method: str
    """Interval and test in words for a report, with authors and years."""
    refused: str
    """Why no verdict may rest on this, as a sentence; empty where one may."""
    gained: int | None
    """Rows that only tuned gets right; None for graded scores."""
    lost: int | None
    """Rows that only base gets right; None for graded scores."""
    sd: float
    """Standard deviation of the paired differences; 0 below two rows."""
    design_effect: float
    """By how much shared sources blow up the variance (Kish 1965), at least 1; 1 where every row stands alone."""


def compare(
    base: Sequence[float],
    tuned: Sequence[float],
    *,
    clusters: Sequence[Hashable | None] | None = None,
    level: float = LEVEL,
    seed: int = 7,
) -> Comparison:
    """Compare paired scores of any bounded scale; True counts as 1.

    `clusters` names the source of each row (document, thread, customer); rows of one name are taken together, and None
    stands alone. `seed` is for the permutation test alone: the interval is exact arithmetic. Raises `ValueError` for
    lists of different lengths, scores that are not finite, or a level outside 0 to 1.
    """
    normal_quantile(level)
    before, after = _scores(base), _scores(tuned)
    if len(before) != len(after) or (clusters is not None and len(clusters) != len(before)):
        raise ValueError("base, tuned and clusters have one entry for each row")
    groups = _groups(clusters, len(before))
    if set(before) | set(after) <= {0.0, 1.0}:
        return _binary(before, after, groups, level, seed)
    return _graded(before, after, groups, level, seed)


def rows_needed_for(comparison: Comparison, effect: float, power: float = POWER) -> int:
    """Rows in total after which a true `effect` is told from none with this power, if spread and sources stay alike.

    An estimate from few rows. Where sources are shared, the new rows have to bring new sources in proportion.
    Raises `ValueError` for an effect of 0.
    """
    n, level = comparison.n, comparison.level
    if comparison.gained is not None and comparison.lost is not None:
        discordance = (comparison.gained + comparison.lost + 2) / (n + 2)  # two made-up pairs, as in the interval
        rows = rows_needed(discordance, max(-1.0, min(1.0, effect)), level, power)
    else:
        spread = comparison.sd or sqrt(2 / (n + 2))
        rows = max(limits().graded_rows, rows_needed_graded(spread, effect, level, power))
    return min(MOST_ROWS, ceil(rows * comparison.design_effect))


def _binary(before: list[float], after: list[float], groups: list[int], level: float, seed: int) -> Comparison:
    n, count = len(before), len(set(groups))
    changes = [new - old for old, new in zip(before, after, strict=True)]
    gained, lost = changes.count(1.0), changes.count(-1.0)
    if count == n:
        low, high = bonett_price(gained, lost, n, level)
        return _told(changes, (low, high), level, mcnemar_mid_p(gained, lost), n, _BINARY, (gained, lost))
    from trainers.evals.stats import groups as intervals
    from trainers.evals.stats.flips import sign_flip

    totals, sizes = _sums(changes, groups)
    ends = intervals.adjusted(totals, sizes, 1.0, level)
    low, high = max(-1.0, float(ends.low)), min(1.0, float(ends.high))
    p_value, refused = sign_flip(totals.tolist(), seed), _few_sources(totals, sizes)
    told = _told(changes, (low, high), level, p_value, count, _BINARY_GROUPS, (gained, lost), refused)
    return told._replace(design_effect=_blown_up(totals, sizes, told.sd))


def _graded(before: list[float], after: list[float], groups: list[int], level: float, seed: int) -> Comparison:
    from trainers.evals.stats import groups as intervals
    from trainers.evals.stats.flips import sign_flip

    n, count = len(before), len(set(groups))
    lowest, highest = min(*before, *after), max(*before, *after)
    unit = lowest >= 0 and highest <= 1
    span = 1.0 if unit else highest - lowest
    noise = 1e-12 * span  # what is left of 0.1 + 0.2 - 0.3
    changes = [0.0 if abs(new - old) <= noise else new - old for old, new in zip(before, after, strict=True)]
    totals, sizes = _sums(changes, groups)
    if span == 0:
        return _told(changes, (0.0, 0.0), level, 1.0, count, _GRADED, None, "All scores are the same.")
    ends = (intervals.graded if count > 1 else intervals.adjusted)(totals, sizes, span, level)
    low, high = float(ends.low), float(ends.high)
    if unit:
        low, high = max(-1.0, low), min(1.0, high)
    p_value, refused = sign_flip(totals.tolist(), seed), _few_rows(changes, span)
    if count == n:
        return _told(changes, (low, high), level, p_value, n, _GRADED, None, refused)
    refused = _few_sources(totals, sizes) or refused
    told = _told(changes, (low, high), level, p_value, count, _GRADED_GROUPS, None, refused)
    return told._replace(design_effect=_blown_up(totals, sizes, told.sd))


def _told(
    changes: list[float],
    ends: tuple[float, float],
    level: float,
    p_value: float,
    count: int,
    method: str,
    counts: tuple[int, int] | None,
    refused: str = "",
) -> Comparison:
    n = len(changes)
    difference = sum(changes) / n if n else 0.0
    return Comparison(
        difference=difference,
        low=min(ends[0], difference),  # the adjusted interval is drawn towards 0, at low levels past the difference
        high=max(ends[1], difference),
        level=level,
        p_value=p_value,
        n=n,
        clusters=count,
        method=method,
        refused=refused if n else "No row was scored for both, so there is nothing to compare.",
        gained=counts[0] if counts else None,
        lost=counts[1] if counts else None,
        sd=stdev(changes) if n > 1 else 0.0,
        design_effect=1.0,
    )


def _scores(values: Sequence[float]) -> list[float]:
    scores = [float(value) for value in values]
    if not all(isfinite(score) for score in scores):
        raise ValueError("a score is a finite number")
    return scores


def _groups(clusters: Sequence[Hashable | None] | None, n: int) -> list[int]:
    """Number each row's group from 0; a row without a name gets a group of its own."""
    if clusters is None:
        return list(range(n))
    known: dict[Hashable, int] = {}
    return [known.setdefault((row,) if name is None else (name, ""), len(known)) for row, name in enumerate(clusters)]


def _sums(changes: list[float], groups: list[int]) -> "tuple[Floats, Floats]":
    """Sum of the changes and number of rows of each group."""
    import numpy as np

    sizes = np.bincount(groups).astype(np.float64)
    return np.bincount(groups, weights=changes).astype(np.float64), sizes


def _few_rows(changes: list[float], span: float) -> str:
    fewest = limits().graded_rows
    if len(changes) < fewest:
        return f"Graded scores of {len(changes)} of the {fewest} rows that are needed: their spread can't be known."
    if changes[0] != 0 and max(changes) - min(changes) <= 1e-12 * span:
        return "Every row changed by exactly the same amount, so there is no spread to judge by."
    return ""


def _few_sources(totals: "Floats", sizes: "Floats") -> str:
    from trainers.evals.stats.groups import spread

    count, fewest = len(sizes), limits().clusters
    if count < fewest:
        sources = "source" if count == 1 else "sources"
        return f"The rows come from {count} independent {sources}; {fewest} are the fewest that carry a verdict."
    if float(spread(totals, sizes).degrees) < limits().degrees:
        share = float(sizes.max() / sizes.sum())
        return f"One source holds {share:.0%} of the rows, so the others are too few to carry a verdict."
    return ""


def _blown_up(totals: "Floats", sizes: "Floats", sd: float) -> float:
    """Variance of the mean with sources over the variance without, at least 1."""
    from trainers.evals.stats.groups import spread

    if len(sizes) < 2 or sd == 0:
        return 1.0
    return max(1.0, (float(spread(totals, sizes).error) / sd) ** 2 * float(sizes.sum()))
