"""Agreement, win rates, families and power agree with statsmodels, and keep their coverage where we simulate it."""

import numpy as np
import pytest
from evalstats.core.stats_utils import correct_pvalues
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

from trainers.evals.stats import (
    agreement,
    design_effect,
    holm,
    kappa,
    rogan_gladen,
    rows_needed_graded,
    smallest_detectable_graded,
    win_rate,
)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=2, max_size=60))
@settings(deadline=None)
def test_kappa_is_statsmodels(labels: list[tuple[int, int]]) -> None:
    """Kappa equals statsmodels', and the interval holds its large-sample interval as far as the scale goes."""
    table = np.zeros((3, 3))
    for one, other in labels:
        table[one, other] += 1
    told = kappa([one for one, _ in labels], [other for _, other in labels])
    assert -1 <= told.low <= told.kappa <= told.high <= 1
    if (np.count_nonzero(table.sum(0)), np.count_nonzero(table.sum(1))) == (1, 1):
        return  # chance explains all or nothing
    with np.errstate(invalid="ignore"):  # its largest possible kappa, of labels that one rater never gives
        theirs = cohens_kappa(table)
    assert told.kappa == pytest.approx(theirs.kappa)
    if theirs.var_kappa > 0:
        assert told.low <= max(-1, theirs.kappa_low) + 1e-9
        assert told.high >= min(1, theirs.kappa_upp) - 1e-9


def test_raters_who_always_agree_are_not_certain() -> None:
    """Ten equal labels of two kinds have kappa 1, and an interval that reaches well below it."""
    told = kappa("yynnynynyn", "yynnynynyn")
    assert (told.kappa, told.high) == (1.0, 1.0)
    assert told.low < 0.6
    assert kappa("", "") == (0.0, -1.0, 1.0, 0.0, 0)
    assert kappa("yyy", "yyy") == (0.0, -1.0, 1.0, 1.0, 3)


def test_a_judge_is_compared_with_people() -> None:
    """Rates of people's yes and no that the judge shares come with Wilson's intervals; without a kind there is none."""
    told = agreement([True] * 8 + [False] * 4, [True] * 6 + [False] * 2 + [False] * 3 + [True])
    assert (told.tpr, told.tnr, told.yes, told.no) == (0.75, 0.75, 8, 4)
    assert told.tpr_interval == pytest.approx(proportion_confint(6, 8, method="wilson"))
    assert agreement([True], [True]).tnr is None
    with pytest.raises(ValueError, match="same rows"):
        agreement([True], [True, False])


def test_a_corrected_rate_is_rogan_and_gladen_s_and_keeps_its_coverage() -> None:
    """A known rate is found again, and 95% intervals hold it at least 93% of the time with 40 labels."""
    exact = rogan_gladen(44, 100, true_yes=90, yes=100, true_no=80, no=100)
    assert exact.rate == pytest.approx((0.44 + 0.8 - 1) / 0.7)
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(1000):
        seen = rng.binomial(200, 0.7 * 0.85 + 0.3 * 0.2)
        told = rogan_gladen(seen, 200, true_yes=rng.binomial(25, 0.85), yes=25, true_no=rng.binomial(15, 0.8), no=15)
        held += told.low <= 0.7 <= told.high
    assert held / 1000 >= 0.93


def test_a_judge_without_skill_is_not_corrected() -> None:
    """A judge that guesses, or labels of one kind only, raise."""
    for true_yes, yes, true_no, no in ((5, 10, 5, 10), (5, 5, 0, 0), (1, 10, 2, 10)):
        with pytest.raises(ValueError, match=r"."):
            rogan_gladen(5, 10, true_yes=true_yes, yes=yes, true_no=true_no, no=no)


def test_a_win_rate_splits_ties() -> None:
    """Ties count half in the rate and not in the test; no rows are even."""
    told = win_rate(12, 4, 4)
    assert (told.rate, told.n) == (0.7, 20)
    assert (told.low, told.high) == pytest.approx(proportion_confint(14, 20, method="wilson"))
    assert told.p_value == win_rate(12, 4).p_value == pytest.approx(0.0768, abs=1e-4)
    assert win_rate(0, 0) == (0.5, 0.0, 1.0, 1.0, 0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(deadline=None)
def test_holm_is_evalstats(p_values: list[float]) -> None:
    """Adjusted p-values equal another implementation's."""
    theirs = np.minimum(1, correct_pvalues(np.array(p_values), "holm"))
    assert holm(p_values) == pytest.approx(tuple(theirs))


def test_holm_is_statsmodels() -> None:
    """One list with ties equals statsmodels', which collects garbage at each call and is too slow for many."""
    p_values = [0.04, 0.01, 0.01, 0.2, 0.03, 0.9]
    assert holm(p_values) == pytest.approx(tuple(multipletests(p_values, method="holm")[1]))


@pytest.mark.parametrize(("sd", "effect"), [(0.3, 0.05), (0.3, 0.1), (0.15, 0.05), (0.3, 0.2), (1.0, 0.5)])
def test_rows_for_grades_are_statsmodels(sd: float, effect: float) -> None:
    """The rows of a paired t-test are within one of statsmodels', and the smallest effect leads back to them."""
    rows = rows_needed_graded(sd, effect)
    assert rows == pytest.approx(TTestPower().solve_power(effect / sd, alpha=0.05, power=0.8), abs=1.01)
    assert smallest_detectable_graded(sd, rows) <= effect
    assert smallest_detectable_graded(sd, rows - 1) > effect


def test_edges_of_power() -> None:
    """No spread needs no rows, no rows show nothing, and impossible questions raise."""
    assert rows_needed_graded(0.0, 0.1) == 2
    assert smallest_detectable_graded(0.3, 0) == float("inf")
    assert smallest_detectable_graded(0.0, 50) == 0.0
    assert design_effect([1] * 10, 0.3) == 1.0
    assert design_effect([4] * 10, 0.3) == pytest.approx(1.9)
    for wrong in (
        lambda: rows_needed_graded(-1, 0.1),
        lambda: rows_needed_graded(0.3, 0.1, power=1.0),
        lambda: rows_needed_graded(0.3, float("nan")),
        lambda: design_effect([], 0.3),
        lambda: holm([1.5]),
        lambda: win_rate(-1, 2),
    ):
        with pytest.raises(ValueError, match=r"."):
            wrong()
