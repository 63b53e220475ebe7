"""How sure a habit's figure is when so many texts were seen: intervals over texts; it does not know what is counted.

Texts, not words, are what was drawn: words of one text resemble each other. An estimate is the jackknife's over texts
(one text left out at a time) with Student's t, on a scale on which such figures are about symmetric. Five texts say
nothing about events that none or few of them hold, so a rate's interval is never narrower than Poisson's exact one
(Garwood 1936), and a share's never narrower than Clopper and Pearson's (1934). bench/voice.py measures that they hold.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainers.evals.style.limits import limits

Vectors = NDArray[np.float64]
Value = Callable[[Sequence[float]], float | None]


class Interval(NamedTuple):
    """A figure and where it may lie."""

    value: float
    low: float
    high: float


class Estimate(NamedTuple):
    """A figure of some texts, on its scale."""

    value: float
    scaled: float
    variance: float
    """Of `scaled`, over draws of so many texts."""
    texts: int
    sums: tuple[float, ...]
    kind: str


def estimate(parts: Vectors, value: Value, kind: str) -> Estimate | None:
    """Return the figure of texts; `parts` has a row for each text, `kind` is as in `Measure`.

    None where it cannot be told: too few texts, or nothing to count in.
    """
    n = len(parts)
    if n < limits("voice")["least_texts"]:
        return None
    sums = parts.sum(axis=0)
    left = [value(sums - row) for row in parts]
    told = value(sums)
    known = [each for each in left if each is not None]
    if told is None or len(known) < n:
        return None
    onto = _SCALES[kind][0]
    scaled = np.array([onto(each) for each in known])
    variance = (n - 1) / n * float(((scaled - scaled.mean()) ** 2).sum())
    if kind == "rate":  # the root of a Poisson count varies by 1/4, however rare
        variance = max(variance, 0.25 * 1000 / float(sums[1]))
    return Estimate(float(told), onto(told), variance, n, tuple(map(float, sums)), kind)


def interval(told: Estimate) -> Interval:
    """Return where the figure of infinitely many such texts lies, at the level of limits.toml."""
    level = float(limits("voice")["level"])
    back = _SCALES[told.kind][1]
    freedom = max(1, told.texts - 2)  # a ratio estimates its denominator as well
    reach = float(_laws().t.ppf(0.5 + level / 2, freedom)) * told.variance**0.5
    low, high = back(told.scaled - reach), back(told.scaled + reach)
    if told.kind in ("rate", "share"):
        exact = _rare if told.kind == "rate" else _share
        least, most = exact(told.sums[0], told.sums[1], (1 - level) / 2)
        low, high = min(low, least), max(high, most)
    return Interval(told.value, min(low, told.value), max(high, told.value))


def p_of_difference(one: Estimate, other: Estimate) -> float:
    """Return the chance of so large a difference if both wrote alike (Welch's test on the scale)."""
    spread = one.variance + other.variance
    if spread <= 0:
        return 1.0 if one.scaled == other.scaled else 0.0
    parts = sum(each.variance**2 / (each.texts - 1) for each in (one, other))
    freedom = spread**2 / parts if parts else 1.0
    return float(2 * _laws().t.sf(abs(one.scaled - other.scaled) / spread**0.5, freedom))


def texts_to_tell(one: Estimate, other: Estimate, now: float, chance: float, most: int) -> int | None:
    """Return from how many texts of the first a difference as large as `now` is sure; None where `most` are too few.

    `now` and `chance` are p-values: the one of today, and the one that counts as sure. Deviations grow as Welch's do.
    """
    lag = _deviations(now) / _deviations(p_of_difference(one, other))
    for number in range(one.texts + 1, most + 1):
        more = one._replace(variance=one.variance * one.texts / number, texts=number)
        if lag * _deviations(p_of_difference(more, other)) >= _deviations(chance):
            return number
    return None


def _deviations(p: float) -> float:
    return float(_laws().norm.isf(min(max(p, 1e-300), 0.999) / 2))


def texts_for(told: Estimate, share: float) -> int:
    """Return about how many texts give an interval of plus or minus `share` of a mean."""
    wanted = float(np.log1p(share)) / 1.96
    return max(told.texts, int(np.ceil(told.variance * told.texts / wanted**2)))


def share_of(yes: int, all_: int) -> Interval:
    """Return a share of texts, 0 to 1, with Clopper and Pearson's interval."""
    low, high = _share(yes, all_, (1 - float(limits("voice")["level"])) / 2)
    return Interval(yes / all_, low / 100, high / 100)


def scale(kind: str) -> Callable[[float], float]:
    """Return the function onto the scale on which figures of a kind are about symmetric."""
    return _SCALES[kind][0]


def _laws() -> Any:
    """Return scipy.stats, whose import takes a second that every command and process of ours would pay."""
    from scipy import stats

    return stats


def _rare(count: float, exposure: float, tail: float) -> tuple[float, float]:
    low = float(_laws().gamma.ppf(tail, count)) if count else 0.0
    return 1000 * low / exposure, 1000 * float(_laws().gamma.ppf(1 - tail, count + 1)) / exposure


def _share(yes: float, all_: float, tail: float) -> tuple[float, float]:
    low = float(_laws().beta.ppf(tail, yes, all_ - yes + 1)) if yes else 0.0
    high = float(_laws().beta.ppf(1 - tail, yes + 1, all_ - yes)) if yes < all_ else 1.0
    return 100 * low, 100 * high


def _logit(percent: float) -> float:
    share = min(max(percent / 100, 1e-3), 1 - 1e-3)
    return float(np.log(share / (1 - share)))


def _percent(odds: float) -> float:
    return float(100 / (1 + np.exp(-min(max(odds, -50.0), 50.0))))


_SCALES: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "level": (float, float),
    "mean": (lambda x: float(np.log(max(x, 1e-9))), lambda x: float(np.exp(min(x, 50.0)))),
    "rate": (lambda x: float(np.sqrt(x)), lambda x: max(0.0, x) ** 2),
    "share": (_logit, _percent),
}
