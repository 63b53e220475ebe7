"""The two-sample test is scikit-learn's classifier, a right AUROC, and p-values and intervals that hold."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trainers.evals.voices import brand, briefs, chatty, formal, written
from trainers.evals.style.logistic import fit
from trainers.evals.style.two_sample import auroc, auroc_interval, compare, features

TEST = briefs(60, 7)
OWN = written(brand, TEST, 8)


@pytest.mark.parametrize("penalty", [0.1, 1.0, 10.0])
def test_the_classifier_is_scikit_learns(penalty: float) -> None:
    """Log-odds agree with LogisticRegression(C=1/penalty) without intercept to four decimals, many problems at once."""
    from sklearn.linear_model import LogisticRegression

    draw = np.random.default_rng(3)
    rows = draw.normal(size=(40, 120)) / 10
    labels = (draw.random((40, 3)) < 0.5).astype(float)
    found = rows @ rows.T @ fit(rows @ rows.T, labels, penalty, tolerance=1e-9, most=20_000)
    for column in range(3):
        model = LogisticRegression(C=1 / penalty, fit_intercept=False, tol=1e-10, max_iter=5000)
        model.fit(rows, labels[:, column])
        assert found[:, column] == pytest.approx(model.decision_function(rows), abs=1e-4)


def test_auroc_worked_by_hand() -> None:
    """Of 2 x 3 comparisons 4 are won and 1 is tied: 4.5 / 6."""
    assert auroc([3.0, 2.0], [1.0, 2.0, 2.5]) == pytest.approx(4.5 / 6)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30), st.lists(st.integers(-5, 5), min_size=1, max_size=30))
def test_auroc_is_scikit_learns(higher: list[int], lower: list[int]) -> None:
    """With any ties it is roc_auc_score."""
    from sklearn.metrics import roc_auc_score

    wanted = roc_auc_score([1] * len(higher) + [0] * len(lower), higher + lower)
    assert auroc([float(x) for x in higher], [float(x) for x in lower]) == pytest.approx(wanted)


def test_interval_ends_solve_their_equation() -> None:
    """At each end the observed AUROC lies 1.96 standard errors away, by Hanley and McNeil's variance there."""
    low, high = auroc_interval(0.8, 30, 30)
    for end in (low, high):
        q1, q2 = end / (2 - end), 2 * end**2 / (1 + end)  # the textbook form; equal sizes, so N* - 1 = 29
        variance = (end * (1 - end) + 29 * (q1 - end**2) + 29 * (q2 - end**2)) / 900
        assert abs(0.8 - end) == pytest.approx(1.959964 * math.sqrt(variance), rel=1e-5)
    assert auroc_interval(1.0, 30, 30).high == 1.0
    assert auroc_interval(0.0, 30, 30).low == 0.0
    assert auroc_interval(0.8, 30, 30, excess=2.0).low < low


@pytest.mark.parametrize("true", [0.5, 0.7, 0.9])
def test_the_interval_covers(true: float) -> None:
    """On normal scores with 20 and 20 cases the nominal 95% interval covers at least 93% of 1,000 draws."""
    draw = np.random.default_rng(5)
    shift = math.sqrt(2) * NormalDist().inv_cdf(true)
    inside = 0
    for _ in range(1000):
        low, high = auroc_interval(auroc(draw.normal(shift, 1, 20), draw.normal(0, 1, 20)), 20, 20)
        inside += low <= true <= high
    assert inside / 1000 >= 0.93


def test_other_voices_are_told_from_the_brand() -> None:
    """Two other writers are told apart nearly always; a second brand writer is not."""
    for writer in (formal, chatty):
        found = compare(OWN, written(writer, TEST, 9))
        assert found is not None
        assert found.auroc > 0.95
        assert found.low > 0.8
        assert found.p_value == 1 / 200
    same = compare(OWN, written(brand, TEST, 10))
    assert same is not None
    assert same.low < 0.5 < same.high
    assert same.p_value > 0.05


def test_alike_writers_are_rarely_called_different() -> None:
    """With one writer on both sides p is at most 0.1 in about a tenth of 20 draws."""
    low = 0
    for seed in range(20):
        given_briefs = briefs(20, 1000 + seed)
        found = compare(written(brand, given_briefs, seed, 25), written(brand, given_briefs, 500 + seed, 25), seed)
        assert found is not None
        low += found.p_value <= 0.1
    assert low <= 6  # more than 6 of 20 come up once in 400


def test_the_same_texts_are_not_told_apart() -> None:
    """Answers equal to the brand's texts give exactly chance, p 1."""
    found = compare(OWN, OWN)
    assert found is not None
    assert found.auroc == 0.5
    assert found.p_value == 1.0


def test_a_seed_fixes_the_result() -> None:
    """The same seed gives the same numbers."""
    other = written(formal, TEST, 11)
    assert compare(OWN, other, 3) == compare(OWN, other, 3)


@pytest.mark.parametrize("texts", [[], ["hello"] * 9, [""] * 60, ["  \n"] * 60])
def test_too_few_texts_are_not_compared(texts: list[str]) -> None:
    """Fewer than ten briefs with two texts give no number."""
    assert compare(texts, texts) is None


@pytest.mark.parametrize("text", ["😀", "字", "\ud800", "a" * 50_000, "."])
def test_strange_texts_are_compared(text: str) -> None:
    """Whatever the second writer writes, numbers are finite and it is told from the brand."""
    found = compare(OWN[:12], [text] * 12)
    assert found is not None
    assert 0.9 <= found.auroc <= 1.0
    assert np.isfinite(features([text, ""])).all()
