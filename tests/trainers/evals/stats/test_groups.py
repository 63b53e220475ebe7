"""Intervals over groups of rows agree with scipy, statsmodels, evalstats and the matrices that define them."""

import numpy as np
import pytest
from evalstats.core.resampling import bonett_price_paired_ci_multirun_cluster, t_interval_ci_1d
from evalstats.tests import _paired_signflip_pvalue
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import stdtrit
from scipy.stats import norm, permutation_test, skew
from statsmodels.regression.linear_model import OLS

from trainers.evals.stats import groups
from trainers.evals.stats.flips import sign_flip


def drawn(n: int, seed: int = 1) -> "np.ndarray":
    return np.random.default_rng(seed).beta(2, 8, n) - 0.1


@pytest.mark.parametrize("n", [20, 35, 200])
def test_rows_that_stand_alone_are_student_s_t(n: int) -> None:
    """Groups of one have the error s/√n and n-1 degrees; the interval holds scipy's and evalstats' t interval."""
    values = drawn(n)
    told = groups.spread(values, np.ones(n))
    assert told.error == pytest.approx(values.std(ddof=1) / n**0.5)
    assert told.degrees == pytest.approx(n - 1)
    low, high = t_interval_ci_1d(values, 0.05)
    ours = groups.graded(values, np.ones(n), 1.0, 0.95)
    assert ours.low <= low
    assert ours.high >= high


def test_the_correction_is_johnson_s_with_doubt_to_spare() -> None:
    """Both ends move by t, scipy's bias-free skewness and one and a half of its standard errors, written out anew."""
    values = drawn(40)
    t = stdtrit(39, 0.975)
    error, skewness = values.std(ddof=1) / 40**0.5, skew(values, bias=False)
    doubt = 1.5 * (6 * 40 * 39 / (38 * 41 * 43)) ** 0.5
    scale = (1 + 2 * t**2) / (6 * 40**0.5)
    low, high = groups.graded(values, np.ones(40), 1.0, 0.95)
    assert low == pytest.approx(values.mean() - error * (t + max(0, (doubt - skewness) * scale)))
    assert high == pytest.approx(values.mean() + error * (t + max(0, (doubt + skewness) * scale)))


@given(st.lists(st.integers(1, 6), min_size=2, max_size=25), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_the_clustered_error_is_the_matrix_form(sizes: list[int], seed: int) -> None:
    """CR2 and its degrees of freedom equal Bell and McCaffrey's definition, written with whole matrices."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    values = drawn(len(labels), seed)
    n = len(labels)
    hat = np.full((n, n), 1 / n)
    left = np.eye(n) - hat
    error, columns = 0.0, []
    for group in range(len(sizes)):
        mine = labels == group
        block = left[np.ix_(mine, mine)]
        share, vectors = np.linalg.eigh(block)
        root = vectors @ np.diag(share**-0.5) @ vectors.T
        weights = root @ np.ones(mine.sum()) / n
        error += float(weights @ (values - values.mean())[mine]) ** 2
        columns.append(left[:, mine] @ weights)
    product = np.array(columns) @ np.array(columns).T
    told = groups.spread(np.bincount(labels, weights=values), np.array(sizes, dtype=float))
    assert told.error == pytest.approx(error**0.5)
    assert told.degrees == pytest.approx(np.trace(product) ** 2 / np.trace(product @ product))


def test_equal_sources_are_statsmodels() -> None:
    """With sources of equal size the error is statsmodels' clustered one and the degrees are C-1."""
    labels = np.repeat(np.arange(12), 4)
    values = drawn(48)
    fit = OLS(values, np.ones(48)).fit(cov_type="cluster", cov_kwds={"groups": labels})
    told = groups.spread(np.bincount(labels, weights=values), np.full(12, 4.0))
    assert told.error == pytest.approx(fit.bse[0])
    assert told.degrees == pytest.approx(11)


def test_the_adjusted_interval_of_equal_sources_is_evalstats() -> None:
    """Right or wrong answers in sources of equal size give evalstats' clustered Bonett-Price, but for the quantile."""
    rng = np.random.default_rng(4)
    base, tuned = rng.integers(0, 2, (15, 3)), rng.integers(0, 2, (15, 3))
    low, high = bonett_price_paired_ci_multirun_cluster(tuned, base)
    ours = groups.adjusted((tuned - base).sum(1).astype(float), np.full(15, 3.0), 1.0, 0.95)
    assert ours.low + ours.high == pytest.approx(low + high)
    assert (ours.high - ours.low) / stdtrit(16, 0.975) == pytest.approx((high - low) / norm.ppf(0.975))


def test_few_changes_widen_the_interval() -> None:
    """Where nearly all rows stay the same, three equal gains prove nothing."""
    changes = np.array([0.5] * 3 + [0.0] * 27)
    low, high = groups.graded(changes, np.ones(30), 1.0, 0.95)
    assert low < 0 < 0.15 < high


@given(st.lists(st.sampled_from([-0.5, -0.25, 0.0, 0.25, 0.5, 1.0]), min_size=2, max_size=10))
@settings(max_examples=40, deadline=None)
def test_a_small_sign_flip_test_is_scipy_s_exact_one(changes: list[float]) -> None:
    """All patterns of at most 13 changes give scipy's exact permutation p."""
    exact = permutation_test(
        (changes,), lambda sample, axis: np.sum(sample, axis=axis), permutation_type="samples", n_resamples=np.inf,
        vectorized=True,
    )  # fmt: skip
    assert sign_flip(changes, seed=7) == pytest.approx(min(1.0, exact.pvalue))


def test_a_large_sign_flip_test_is_near_evalstats_and_scipy() -> None:
    """With 60 changes the sampled p is within chance of two others'."""
    changes = np.random.default_rng(2).normal(0.02, 0.1, 60)
    ours = sign_flip(changes.tolist(), seed=7)
    theirs = _paired_signflip_pvalue(changes, statistic="mean", n_samples=9999, rng=np.random.default_rng(1))
    assert ours == pytest.approx(theirs, abs=0.02)
    sampled = permutation_test(
        (changes,), lambda sample, axis: np.mean(sample, axis=axis), permutation_type="samples", n_resamples=9999,
        vectorized=True, rng=np.random.default_rng(3),
    )  # fmt: skip
    assert ours == pytest.approx(sampled.pvalue, abs=0.02)
