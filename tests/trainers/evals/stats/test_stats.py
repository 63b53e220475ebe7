"""Our statistics agree with scipy and statsmodels, and hold their promises at small n."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, norm
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from trainers.evals.stats import (
    bonett_price,
    mcnemar_exact,
    mcnemar_mid_p,
    median,
    rows_needed,
    sign_test,
    smallest_detectable,
    wilson,
)

levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int, int]:
    n = draw(st.integers(1, 400))
    gained = draw(st.integers(0, n))
    return gained, draw(st.integers(0, n - gained)), n


@given(counts(), levels)
def test_wilson_is_statsmodels(drawn: tuple[int, int, int], level: float) -> None:
    """Wilson's interval equals statsmodels' for every count and level."""
    successes, _, n = drawn
    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    ours = wilson(successes, n, level)
    assert ours.low == pytest.approx(low, abs=1e-9)
    assert ours.high == pytest.approx(high, abs=1e-9)


@given(counts(), levels)
def test_bonett_price_is_the_published_formula(drawn: tuple[int, int, int], level: float) -> None:
    """The interval equals the formula of the paper, written out anew with scipy's quantile."""
    gained, lost, n = drawn
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    reach = norm.ppf(1 - (1 - level) / 2) * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    ours = bonett_price(gained, lost, n, level)
    assert ours.low == pytest.approx(max(-1, up - down - reach), abs=1e-9)
    assert ours.high == pytest.approx(min(1, up - down + reach), abs=1e-9)
    turned = bonett_price(lost, gained, n, level)
    assert (-turned.high, -turned.low) == pytest.approx(ours)


@given(st.integers(0, 200), st.integers(0, 200))
def test_mcnemar_is_statsmodels_and_scipy(gained: int, lost: int) -> None:
    """The exact p equals statsmodels' and scipy's, as the sign test does; mid-p is less by one point probability."""
    if gained + lost == 0:
        assert mcnemar_exact(0, 0) == mcnemar_mid_p(0, 0) == 1.0
        return
    exact = mcnemar([[0, gained], [lost, 0]], exact=True).pvalue
    assert mcnemar_exact(gained, lost) == pytest.approx(exact, abs=1e-12)
    assert sign_test(gained, lost) == pytest.approx(binomtest(gained, gained + lost).pvalue, abs=1e-9)
    if gained != lost:
        mid = exact - binom.pmf(min(gained, lost), gained + lost, 0.5)
        assert mcnemar_mid_p(gained, lost) == pytest.approx(mid, abs=1e-9)
    else:
        assert mcnemar_mid_p(gained, lost) == 1.0


@pytest.mark.parametrize(("wins", "n"), [(9, 10), (15, 20), (21, 30), (27, 40), (33, 50), (61, 100), (115, 200)])
def test_the_sign_test_turns_significant_where_tables_say(wins: int, n: int) -> None:
    """9 of 10, 15 of 20, ... 115 of 200 are the smallest significant counts at 5%."""
    assert sign_test(wins, n - wins) < 0.05 <= sign_test(wins - 1, n - wins + 1)


def draws(gain: float, loss: float, n: int, times: int) -> list[tuple[int, int]]:
    """Simulate the counts of gained and lost rows."""
    draw = random.Random(20)
    found = []
    for _ in range(times):
        parts = [draw.random() for _ in range(n)]
        found.append((sum(part < gain for part in parts), sum(gain <= part < gain + loss for part in parts)))
    return found


@pytest.mark.parametrize(
    ("gain", "loss", "n", "exact", "mid"),
    [
        (0.15, 0.05, 30, 0.10, 0.17),
        (0.15, 0.05, 100, 0.53, 0.60),
        (0.20, 0.05, 50, 0.46, 0.56),
        (0.25, 0.05, 30, 0.39, 0.51),
        (0.30, 0.10, 50, 0.54, 0.62),
        (0.40, 0.05, 30, 0.83, 0.89),
        (0.10, 0.02, 50, 0.20, 0.32),
    ],
)
def test_power_is_as_tabulated(gain: float, loss: float, n: int, exact: float, mid: float) -> None:
    """Over 2,000 simulated tests both forms of McNemar's test find an effect as often as published tables say."""
    found = draws(gain, loss, n, 2000)
    assert sum(mcnemar_exact(*pair) < 0.05 for pair in found) / 2000 == pytest.approx(exact, abs=0.04)
    assert sum(mcnemar_mid_p(*pair) < 0.05 for pair in found) / 2000 == pytest.approx(mid, abs=0.04)


@pytest.mark.parametrize(
    ("gain", "loss", "n", "coverage"),
    [
        (0.06, 0.02, 20, 0.999),
        (0.20, 0.05, 20, 0.98),
        (0.06, 0.02, 50, 0.98),
        (0.30, 0.10, 50, 0.95),
        (0.02, 0.02, 50, 0.99),
    ],
)
def test_the_paired_interval_covers_the_truth(gain: float, loss: float, n: int, coverage: float) -> None:
    """A nominal 95% interval holds the true difference at least 94% of the time at n = 20 and 50, near the table."""
    found = draws(gain, loss, n, 2000)
    intervals = [bonett_price(gained, lost, n) for gained, lost in found]
    held = sum(interval.low <= gain - loss <= interval.high for interval in intervals) / 2000
    assert held >= 0.94
    assert held == pytest.approx(coverage, abs=0.02)


@pytest.mark.parametrize(("rate", "n", "coverage"), [(0.97, 20, 0.98), (0.9, 50, 0.97)])
def test_wilson_covers_the_truth(rate: float, n: int, coverage: float) -> None:
    """Wilson's interval keeps its level near 1, where Wald's falls to 46%; exactly, by summing over all counts."""
    held = sum(binom.pmf(k, n, rate) for k in range(n + 1) if wilson(k, n).low <= rate <= wilson(k, n).high)
    assert held == pytest.approx(coverage, abs=0.01)


@pytest.mark.parametrize(
    ("discordance", "n", "effect"),
    [
        (0.25, 30, 0.249),
        (0.25, 50, 0.195),
        (0.25, 100, 0.139),
        (0.25, 200, 0.099),
        (0.15, 50, 0.150),
        (0.15, 200, 0.076),
    ],
)
def test_the_smallest_detectable_effect_is_as_tabulated(discordance: float, n: int, effect: float) -> None:
    """The effect that n pairs can show with 80% power matches another implementation's table."""
    assert smallest_detectable(discordance, n) == pytest.approx(effect, abs=0.004)


def test_rows_needed_deliver_their_power() -> None:
    """With as many rows as asked for, four of five simulated tests find the effect."""
    n = rows_needed(0.25, 0.15)
    found = draws(0.20, 0.05, n, 2000)
    assert sum(mcnemar_mid_p(*pair) < 0.05 for pair in found) / 2000 == pytest.approx(0.8, abs=0.04)


def test_nothing_and_nonsense() -> None:
    """No rows say nothing; impossible counts and levels are refused; the median of none is none."""
    assert wilson(0, 0) == (0, 1)
    assert bonett_price(0, 0, 0) == (-1, 1)
    assert (median([]), median([3, 1]), median([5, 1, 3])) == (None, 2, 3)
    for wrong in (
        lambda: wilson(3, 2),
        lambda: bonett_price(2, 2, 3),
        lambda: wilson(1, 2, 1.0),
        lambda: rows_needed(0.1, 0),
    ):
        with pytest.raises(ValueError, match=r"."):
            wrong()
