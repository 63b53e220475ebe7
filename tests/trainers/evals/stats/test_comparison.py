"""A comparison chooses its method by the scores, holds its promises for any scores, and refuses where it must."""

import math
import random
from collections.abc import Sequence

import numpy as np
import pytest
from evalstats.core.resampling import bonett_price_paired_ci_flat
from evalstats.tests import _mcnemar_midp_p
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trainers.evals.stats import bonett_price, compare, groups, mcnemar_mid_p, rows_needed_for
from trainers.evals.stats.limits import limits

grades = st.one_of(st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.floats(0, 1))


@st.composite
def scored(draw: st.DrawFn) -> tuple[list[float], list[float], list[int] | None]:
    """Paired scores, right or wrong or graded, with sources or without."""
    n = draw(st.integers(1, 60))
    score = draw(st.sampled_from([grades, st.sampled_from([0.0, 1.0])]))
    sides = [draw(st.lists(score, min_size=n, max_size=n)) for _ in range(2)]
    sources = draw(st.none() | st.lists(st.integers(0, 20), min_size=n, max_size=n))
    return sides[0], sides[1], sources


@given(scored(), st.sampled_from([0.5, 0.9, 0.95]))
@example(([0.0, 0.5, 0.0], [1e-300, 0.5, 0.0], [1, 1, 2]), 0.95)  # its variance is 0 to a computer
@settings(max_examples=40, deadline=None)
def test_any_scores_make_a_sensible_comparison(
    drawn: tuple[list[float], list[float], list[int] | None], level: float
) -> None:
    """The interval holds the difference and stays in the scale; swapped models mirror it; twice the rows narrow it."""
    base, tuned, sources = drawn
    told = compare(base, tuned, clusters=sources, level=level)
    assert told.difference == pytest.approx(sum(tuned) / len(tuned) - sum(base) / len(base))
    assert -1 <= told.low <= told.difference <= told.high <= 1
    assert 0 < told.p_value <= 1
    assert told.n == len(base)
    assert told.clusters == (told.n if sources is None else len(set(sources)))
    turned = compare(tuned, base, clusters=sources, level=level)
    assert (-turned.high, -turned.low) == pytest.approx((told.low, told.high), abs=1e-9)
    assert turned.p_value == told.p_value
    more = None if sources is None else [*sources, *(source + 100 for source in sources)]
    twice = compare(base * 2, tuned * 2, clusters=more, level=level)
    assert twice.high - twice.low <= told.high - told.low + 1e-9
    assert rows_needed_for(told, 0.1) >= 1


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
@settings(deadline=None)
def test_right_and_wrong_are_bonett_price_and_mid_p(pairs: list[tuple[bool, bool]]) -> None:
    """Scores of 0 and 1 give the published interval and test, as evalstats computes them too, and the counts."""
    base, tuned = [float(one) for one, _ in pairs], [float(other) for _, other in pairs]
    told = compare(base, tuned)
    gained, lost = sum(other > one for one, other in pairs), sum(one > other for one, other in pairs)
    assert (told.gained, told.lost) == (gained, lost)
    assert (told.low, told.high) == pytest.approx(bonett_price(gained, lost, len(pairs)))
    assert told.p_value == mcnemar_mid_p(gained, lost)
    assert (told.low, told.high) == pytest.approx(bonett_price_paired_ci_flat(np.array(tuned), np.array(base)))
    assert told.p_value == pytest.approx(_mcnemar_midp_p(np.array(tuned), np.array(base)))


def noisy(n: int, gain: float, seed: int = 3) -> tuple[list[float], list[float]]:
    draw = random.Random(seed)
    base = [draw.uniform(0.2, 0.7) for _ in range(n)]
    return base, [score + gain + draw.uniform(-0.1, 0.1) for score in base]


def test_graded_scores_have_no_counts_and_say_their_method() -> None:
    """Grades give a t interval and a sign-flip test by name, and neither gained nor lost rows."""
    told = compare(*noisy(40, 0.1))
    assert (told.gained, told.lost, told.refused) == (None, None, "")
    assert told.low > 0.05
    assert told.p_value < 0.001
    assert told.method == "t interval widened for skewness (Johnson 1978), sign-flip permutation test (Fisher 1935)"


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_hardly_any_rows_prove_nothing(n: int) -> None:
    """From 0 to 3 rows the interval holds 0 and grades refuse a verdict."""
    base, tuned = noisy(n, 0.1)
    told = compare(base, tuned)
    assert told.low <= 0 <= told.high
    assert told.refused
    right = compare([0.0] * n, [1.0] * n)
    assert right.low <= 0 <= right.high


def test_no_rows_say_so() -> None:
    """An empty comparison is refused in words and its interval is the whole scale."""
    told = compare([], [])
    assert (told.n, told.clusters, told.difference, told.low, told.high, told.p_value) == (0, 0, 0.0, -1.0, 1.0, 1.0)
    assert "nothing to compare" in told.refused


def test_equal_scores_are_no_difference() -> None:
    """Scores that never differ give 0 with an interval around it, on any scale that is known, and p = 1."""
    for same in (0.0, 1.0, 0.5):
        told = compare([same] * 50, [same] * 50)
        assert told.low < 0 == told.difference < told.high < 0.1
        assert (told.p_value, told.refused) == (1.0, "")
    assert compare([7.0] * 50, [7.0] * 50).refused == "All scores are the same."


def test_the_same_change_everywhere_is_refused() -> None:
    """A spread of exactly nothing is no proof, whatever the size of the change."""
    told = compare([0.5] * 30, [0.6] * 30)
    assert "same amount" in told.refused
    assert told.high - told.low > 0.1


@pytest.mark.parametrize("right_or_wrong", [True, False])
def test_few_sources_are_refused(right_or_wrong: bool) -> None:
    """40 rows of 9 sources carry no verdict, of 10 they do."""
    draw = random.Random(1)
    base, tuned = [draw.random() for _ in range(40)], [draw.random() for _ in range(40)]
    if right_or_wrong:
        base, tuned = [float(score > 0.5) for score in base], [float(score > 0.4) for score in tuned]
    nine = compare(base, tuned, clusters=[row % 9 for row in range(40)])
    assert nine.refused == "The rows come from 9 independent sources; 10 are the fewest that carry a verdict."
    ten = compare(base, tuned, clusters=[row % 10 for row in range(40)])
    assert (ten.refused, ten.clusters) == ("", 10)


def test_one_source_that_holds_most_rows_is_refused() -> None:
    """Twenty single rows beside a source of 60 are no 21 sources."""
    base, tuned = noisy(80, 0.2)
    told = compare(base, tuned, clusters=["big"] * 60 + list(range(20)))
    assert told.refused.startswith("One source holds 75% of the rows")


def test_rows_without_a_source_stand_alone() -> None:
    """None is no name: such rows are independent, and all of them give the comparison without sources."""
    base, tuned = noisy(30, 0.1)
    assert compare(base, tuned, clusters=[None] * 30) == compare(base, tuned)
    assert compare(base, tuned, clusters=["a", "a", *[None] * 28]).clusters == 29


def test_shared_sources_widen_the_interval() -> None:
    """Rows copied within their source count as the one row that they are."""
    base, tuned = noisy(20, 0.1)
    alone = compare(base, tuned)
    copied = compare(base * 4, tuned * 4, clusters=list(range(20)) * 4)
    blind = compare(base * 4, tuned * 4)
    assert copied.design_effect == pytest.approx(4 * 79 / (4 * 19), rel=1e-6)
    assert copied.high - copied.low >= alone.high - alone.low > 1.8 * (blind.high - blind.low)
    assert rows_needed_for(copied, 0.05) >= 4 * 20


@pytest.mark.parametrize(
    ("base", "tuned", "clusters"),
    [
        ([0.1], [0.2, 0.3], None),
        ([0.1, 0.2], [0.2, 0.3], ["a"]),
        ([math.nan], [0.5], None),
        ([0.5], [math.inf], None),
    ],
)
def test_bad_scores_are_errors(base: Sequence[float], tuned: Sequence[float], clusters: list[str] | None) -> None:
    """Lists that don't fit and scores that are no finite numbers raise."""
    with pytest.raises(ValueError, match=r"."):
        compare(base, tuned, clusters=clusters)


def test_one_seed_gives_one_answer() -> None:
    """The same scores and seed give the same comparison; another seed changes the p alone."""
    base, tuned = noisy(40, 0.02)
    assert compare(base, tuned, seed=1) == compare(base, tuned, seed=1)
    other = compare(base, tuned, seed=2)
    assert other._replace(p_value=0.5) == compare(base, tuned, seed=1)._replace(p_value=0.5)


def test_rows_needed_for_grades_deliver_their_power() -> None:
    """With as many rows as asked for, four of five simulated comparisons find the effect."""
    told = compare(*noisy(40, 0.1))._replace(sd=0.15)
    n = rows_needed_for(told, 0.05)
    assert n == pytest.approx(73, abs=2)
    sets = np.random.default_rng(5).normal(0.05, 0.15, (3000, n))
    found = groups.graded(sets, np.ones_like(sets), 1.0, 0.95).low > 0
    assert found.mean() == pytest.approx(0.8, abs=0.04)


def test_rows_needed_never_promise_what_is_refused() -> None:
    """Even a huge effect needs the rows below which grades are refused; no effect needs an error."""
    told = compare(*noisy(40, 0.2))
    assert rows_needed_for(told, 0.9) == limits().graded_rows
    with pytest.raises(ValueError, match="difference of 0"):
        rows_needed_for(told, 0.0)
