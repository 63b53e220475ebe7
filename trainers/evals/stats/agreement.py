"""How far a judge agrees with people, and a rate freed from the judge's known errors; it asks neither."""

from collections import Counter
from collections.abc import Hashable, Sequence
from math import sqrt
from typing import NamedTuple

from trainers.evals.stats.rates import LEVEL, Interval, check_counts, normal_quantile, wilson


class Kappa(NamedTuple):
    """Agreement beyond chance."""

    kappa: float
    """1 is perfect, 0 what chance alone would give (Cohen 1960); 0 where chance alone explains everything."""
    low: float
    """Lower end of its interval."""
    high: float
    """Upper end of its interval."""
    agreed: float
    """Share of rows with the same label; 0 of no rows."""
    n: int
    """Rows labelled by both."""


class Agreement(NamedTuple):
    """A judge's yes and no against people's."""

    tpr: float | None
    """Share of people's yes that the judge calls yes; None without any."""
    tpr_interval: Interval
    """Wilson's interval."""
    tnr: float | None
    """Share of people's no that the judge calls no; None without any."""
    tnr_interval: Interval
    """Wilson's interval."""
    yes: int
    """Rows that people call yes."""
    no: int
    """Rows that people call no."""
    kappa: Kappa
    """Agreement beyond chance."""


class Corrected(NamedTuple):
    """A rate with the judge's errors taken out."""

    rate: float
    """Between 0 and 1 (Rogan and Gladen 1978)."""
    low: float
    """Lower end of the interval of Lang and Reiczigel (2014), which knows that the judge's errors are estimates."""
    high: float
    """Upper end."""


def agreement(people: Sequence[bool], judge: Sequence[bool], level: float = LEVEL) -> Agreement:
    """Compare a judge's verdicts with people's on the same rows."""
    both = kappa(people, judge, level)
    yes = [told for truth, told in zip(people, judge, strict=True) if truth]
    no = [not told for truth, told in zip(people, judge, strict=True) if not truth]
    return Agreement(
        tpr=sum(yes) / len(yes) if yes else None,
        tpr_interval=wilson(sum(yes), len(yes), level),
        tnr=sum(no) / len(no) if no else None,
        tnr_interval=wilson(sum(no), len(no), level),
        yes=len(yes),
        no=len(no),
        kappa=both,
    )


def kappa(first: Sequence[Hashable], second: Sequence[Hashable], level: float = LEVEL) -> Kappa:
    """Cohen's kappa of two raters of the same rows, any labels.

    The interval is the wider, each side for itself, of Fleiss, Cohen and Everitt's (1969) and of Wilson's interval of
    the raw agreement with chance held fixed: the first is a single point for raters who never disagree.
    """
    if len(first) != len(second):
        raise ValueError("both raters label the same rows")
    n = len(first)
    if n == 0:
        return Kappa(0.0, -1.0, 1.0, 0.0, 0)
    cells = Counter(zip(first, second, strict=True))
    rows, columns = Counter(first), Counter(second)
    same = sum(count for (one, other), count in cells.items() if one == other)
    chance = sum(rows[label] * columns[label] for label in rows) / (n * n)
    if chance == 1:
        return Kappa(0.0, -1.0, 1.0, same / n, n)
    value = (same / n - chance) / (1 - chance)
    reach = normal_quantile(level) * sqrt(_variance(cells, rows, columns, same / n, chance, n))
    low, high = ((share - chance) / (1 - chance) for share in wilson(same, n, level))
    return Kappa(value, max(-1.0, min(low, value - reach)), min(1.0, max(high, value + reach)), same / n, n)


def rogan_gladen(
    positives: int, n: int, *, true_yes: int, yes: int, true_no: int, no: int, level: float = LEVEL
) -> Corrected:
    """Rate of yes among `n` rows, `positives` of which the judge calls yes, corrected for how it errs.

    On labelled rows drawn at random it called `true_yes` of `yes` yes and `true_no` of `no` no. Raises `ValueError`
    for impossible counts, no labels of a kind, or a judge that is no better than chance.
    """
    check_counts(n, positives)
    check_counts(yes, true_yes)
    check_counts(no, true_no)
    if not (n and yes and no):
        raise ValueError("the correction needs judged rows and labels of both kinds")
    skill = true_yes / yes + true_no / no - 1
    z = normal_quantile(level)
    seen, rows = (positives + z * z / 2) / (n + z * z), n + z * z
    tpr, tnr = (true_yes + 1) / (yes + 2), (true_no + 1) / (no + 2)
    if skill <= 0 or tpr + tnr <= 1:
        raise ValueError("a judge that is no better than chance can't be corrected")
    rate = (positives / n + true_no / no - 1) / skill
    centre = (seen + tnr - 1) / (tpr + tnr - 1)
    up, down = tpr * (1 - tpr) / (yes + 2), tnr * (1 - tnr) / (no + 2)
    spread = seen * (1 - seen) / rows + centre**2 * up + (1 - centre) ** 2 * down
    reach = z * sqrt(spread) / (tpr + tnr - 1)
    centre += 2 * z * z * (centre * up - (1 - centre) * down)
    return Corrected(_share(rate), _share(centre - reach), _share(centre + reach))


def _variance(
    cells: Counter[tuple[Hashable, Hashable]],
    rows: Counter[Hashable],
    columns: Counter[Hashable],
    agreed: float,
    chance: float,
    n: int,
) -> float:
    """Variance of kappa, large samples (Fleiss, Cohen and Everitt 1969)."""
    value = (agreed - chance) / (1 - chance)
    total = 0.0
    for (one, other), count in cells.items():
        if one == other:
            total += count / n * (1 - (rows[one] + columns[one]) / n * (1 - value)) ** 2
        else:
            total += (1 - value) ** 2 * count / n * ((columns[one] + rows[other]) / n) ** 2
    total -= (value - chance * (1 - value)) ** 2
    return max(0.0, total) / (n * (1 - chance) ** 2)


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))
