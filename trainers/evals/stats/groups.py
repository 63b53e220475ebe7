"""Intervals of a mean difference over groups of rows; it does not know what the scores mean.

Arrays have shape (..., C): the sum of the differences and the number of rows of each of C groups. A row that stands
alone is a group of one, so independent rows need no formulas of their own: with groups of one the variance is s²/n and
the degrees of freedom are n-1. All leading axes are sets of their own, which is how bench/intervals.py draws 4,000.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from trainers.evals.stats.limits import limits

Floats = NDArray[np.float64]


class Spread(NamedTuple):
    """Mean over all rows, with how sure it is; arrays of shape (...)."""

    mean: Floats
    """Mean difference over rows."""
    error: Floats
    """Its standard error, rows of one group taken together."""
    degrees: Floats
    """Effective degrees of freedom; at most C-1, fewer where sizes differ."""
    residuals: Floats
    """Shape (..., C): each group's sum minus what the mean expects of it."""


class Ends(NamedTuple):
    """Both ends of intervals; arrays of shape (...)."""

    low: Floats
    """Lower ends."""
    high: Floats
    """Upper ends."""


def graded(totals: Floats, sizes: Floats, span: Floats | float, level: float) -> Ends:
    """Interval of the mean of graded differences; `span` is the largest difference that the scale allows.

    The wider of a t interval and the same with Johnson's (1978) correction for skewness, each side for itself. The
    skewness is estimated from few rows, so the correction takes it some standard errors further against that side.
    Where hardly a group changed, the wider of this and `adjusted`: unchanged rows say little about the next change.
    """
    alone = bool((sizes == 1).all())
    fewest, margin = (
        (limits().changed, limits().skew_margin)
        if alone
        else (limits().changed_clusters, limits().skew_margin_clusters)
    )
    told = spread(totals, sizes)
    t = stdtrit(told.degrees, (1 + level) / 2)
    left, right = _skew_shifts(told.residuals, t, margin)
    few = (np.abs(totals) > 1e-12 * np.asarray(span)[..., None]).sum(-1) < fewest
    few |= told.error <= 1e-12 * np.asarray(span)
    wide = adjusted(totals, sizes, span, level)
    low, high = told.mean - told.error * (t + left), told.mean + told.error * (t + right)
    return Ends(np.where(few, np.minimum(low, wide.low), low), np.where(few, np.maximum(high, wide.high), high))


def adjusted(totals: Floats, sizes: Floats, span: Floats | float, level: float) -> Ends:
    """Interval with two made-up groups of mean size added, one all gains and one all losses of size `span`.

    Bonett and Price's (2012) adjustment carried over to groups: with groups of one and right or wrong answers it is
    their interval, but for the quantile, which is Student's with the two groups counted in.
    """
    rows, count = sizes.sum(-1), sizes.shape[-1]
    typical = rows / count
    wider = rows + 2 * typical
    mean = totals.sum(-1) / wider
    residuals = totals - mean[..., None] * sizes
    made_up = typical**2 * ((span - mean) ** 2 + (span + mean) ** 2)
    error = np.sqrt((residuals**2).sum(-1) + made_up) / wider
    t = stdtrit(_degrees(sizes / rows[..., None]) + 2, (1 + level) / 2)
    return Ends(mean - t * error, mean + t * error)


def spread(totals: Floats, sizes: Floats) -> Spread:
    """Mean, clustered standard error CR2 and degrees of freedom (Bell and McCaffrey 2002) of each set.

    Needs two groups; the error of one is unknown, and its degrees of freedom are 0.
    """
    rows = sizes.sum(-1)
    mean = totals.sum(-1) / rows
    residuals = totals - mean[..., None] * sizes
    share = sizes / rows[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt((residuals**2 / (1 - share)).sum(-1)) / rows
    return Spread(mean, error, _degrees(share), residuals)


def _degrees(share: Floats) -> Floats:
    """Satterthwaite's degrees of freedom of CR2 for a mean; `share` of all rows in each group, shape (..., C).

    The estimate is a sum of squares of C normal contrasts; their covariance is diag(weight) - outer(root, root).
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # one group holds all rows
        weight = share / (1 - share)
        square = share * weight  # of root
        trace = (weight - square).sum(-1)
        both = (weight**2).sum(-1) - 2 * (weight * square).sum(-1) + square.sum(-1) ** 2
        degrees: Floats = np.nan_to_num(trace**2 / both, nan=0.0, posinf=0.0)
    return degrees


def _skew_shifts(residuals: Floats, t: Floats, margin: float) -> tuple[Floats, Floats]:
    """By how many standard errors each end moves out, never in; shape (...) each."""
    n = residuals.shape[-1]
    if n < 3:
        return np.zeros_like(t), np.zeros_like(t)
    square = (residuals**2).mean(-1)
    raw = (residuals**3).mean(-1) / np.where(square > 0, square, 1.0) ** 1.5
    skew = raw * np.sqrt(n * (n - 1)) / (n - 2)
    doubt = margin * np.sqrt(6 * n * (n - 1) / ((n - 2) * (n + 1) * (n + 3)))
    scale = (1 + 2 * t * t) / (6 * np.sqrt(n))
    return np.maximum(0, (doubt - skew) * scale), np.maximum(0, (doubt + skew) * scale)
