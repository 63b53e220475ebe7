"""The simulation measures the product: its many sets at once equal `compare`, and its promises hold on smaller runs."""

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import bootstrap

from bench import intervals, rivals
from trainers.evals.stats import bonett_price, compare

PAIRS = intervals.pairs(0.2, 0.05)
WORLDS = [PAIRS, intervals.skewed(-1, 0.0), intervals.heavy(0.0), intervals.sparse("few", 0.1, (0.2, 1), 0.1, (0.2, 1))]


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
@pytest.mark.parametrize("sources", [None, 4, 10, 30])
def test_many_sets_at_once_are_the_product(world: intervals.World, sources: int | None) -> None:
    """Row by row, `compare` gives the interval and the refusal that the simulation counts."""
    rng = np.random.default_rng(7)
    shape = 30 if sources is None else sources
    totals, sizes = (intervals.rows if sources is None else intervals.clustered)(world, shape, 12, rng)
    low, high = intervals.ends(totals, sizes, world.binary)
    refused = intervals.refusals(totals, sizes)
    for place in range(12):
        told = as_compared(world, totals[place], sizes[place])
        ends = np.clip([low[place], high[place]], -1, 1)  # scores of 0 to 1 differ by at most 1
        assert (told.low, told.high) == pytest.approx(tuple(ends), abs=1e-9)
        assert bool(told.refused) == refused[place] or (told.n < 20 and not world.binary)


def as_compared(world: intervals.World, totals: "np.ndarray", sizes: "np.ndarray"):  # type: ignore[no-untyped-def]  # the product's type
    """Hand one set to `compare`: rows of a source share its sum evenly, or as right and wrong answers."""
    changes, names = [], []
    for name, (total, size) in enumerate(zip(totals, sizes, strict=True)):
        names += [name] * int(size)
        whole = [float(np.sign(total))] * int(abs(total)) + [0.0] * int(size - abs(total))
        changes += whole if world.binary else [float(total / size)] * int(size)
    base = [max(0.0, -change) for change in changes]
    tuned = [max(0.0, change) for change in changes]
    return compare(base, tuned, clusters=names)


@pytest.mark.parametrize("sign", [1, -1])
def test_skewed_scores_keep_their_promise(sign: int) -> None:
    """Tails to either side: at 20 rows a 95% interval holds the truth, and lies above it at most 2.5% of the time."""
    world = intervals.skewed(sign, 0.0)
    cell = intervals.measure(world, 20, *intervals.rows(world, 20, 20_000, np.random.default_rng(1)))
    assert cell.coverage >= 0.95
    assert max(cell.too_high, cell.too_low) <= 0.025 + 0.002  # what chance adds in 20,000 draws
    assert cell.false_pass <= 0.025


@pytest.mark.parametrize("world", [intervals.pairs(0.1, 0.1), intervals.skewed(-1, 0.0)], ids=lambda world: world.name)
def test_clustered_scores_keep_their_promise(world: intervals.World) -> None:
    """With ten sources and an intra-class correlation of 0.3 intervals hold, where blind ones fail."""
    totals, sizes = intervals.clustered(world, 10, 3000, np.random.default_rng(1))
    cell = intervals.measure(world, 10, totals, sizes)
    assert cell.coverage >= 0.95
    assert cell.too_high <= 0.025
    four = intervals.measure(world, 4, *intervals.clustered(world, 4, 100, np.random.default_rng(1)))
    assert four.refused == 1.0


def test_clustered_sets_are_as_alike_as_they_say() -> None:
    """Two rows of one source correlate by 0.3, and each row alone looks like the population."""
    world = intervals.pairs(0.3, 0.1)
    rng = np.random.default_rng(1)
    totals, sizes = intervals.clustered(world, 1, 60_000, rng)
    two, one = totals[sizes == 2], totals[sizes == 1]
    assert one.mean() == pytest.approx(0.2, abs=0.02)
    assert two.var() / one.var() == pytest.approx(2 * 1.3, rel=0.05)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.10, 0.25])
@pytest.mark.parametrize("n", [20, 30, 50, 100, 300])
def test_pairs_without_an_effect_rarely_pass_exactly(share: float, n: int) -> None:
    """Summed over all counts, without any chance: the interval lies above 0 at most 2.5% of the time."""
    assert intervals.exact_false_pass(share, n) <= 0.025


def test_the_exact_sum_is_a_probability() -> None:
    """The weights of all counts add up to 1, and the interval is the product's."""
    n, share = 20, 0.1
    counts = [(up, down) for up in range(n + 1) for down in range(n + 1 - up)]
    weights = [
        np.exp(
            gammaln(n + 1) - gammaln(up + 1) - gammaln(down + 1) - gammaln(n - up - down + 1)
            + (up + down) * np.log(share) + (n - up - down) * np.log(1 - 2 * share)
        )
        for up, down in counts
    ]  # fmt: skip
    assert sum(weights) == pytest.approx(1)
    above = sum(
        weight
        for weight, (up, down) in zip(weights, counts, strict=True)
        if bonett_price(up, down, n).low > 0 and up - down >= 1
    )
    assert intervals.exact_false_pass(share, n) == pytest.approx(above)


def test_the_bootstraps_beside_are_scipy_s() -> None:
    """The bootstraps shown for information cover as often as scipy's own do."""
    world = intervals.skewed(1, 0.0)
    values, _ = intervals.rows(world, 20, 60, np.random.default_rng(1))
    bare, bca = intervals.bootstraps(values, 0.0)
    for method, ours in (("percentile", bare), ("BCa", bca)):
        held = 0
        for row in values:
            told = bootstrap((row,), np.mean, n_resamples=1000, method=method, rng=np.random.default_rng(7))
            held += told.confidence_interval.low <= 0 <= told.confidence_interval.high
        assert ours == pytest.approx(held / 60, abs=0.06)


def test_finetunecheck_reads_the_mean_alone() -> None:
    """Its rule calls any gain good once nothing else was lost, and 10 points excellent, whatever the interval."""
    assert rivals.verdict([0.0] * 30, [1.0] + [0.0] * 29) == "GOOD"
    assert rivals.verdict([0.0] * 30, [1.0] * 3 + [0.0] * 27) == "EXCELLENT"
    assert rivals.verdict([0.0] * 30, [0.0] * 30) == "POOR"
    assert rivals.verdict([0.0] * 19, [1.0] * 19) == "INSUFFICIENT_EVIDENCE"
    assert rivals.verdict([0.0] * 30, [1.0] * 30, rivals.Kept(safety=0.6)) == "HARMFUL"
    assert rivals.verdict([0.0] * 30, [1.0] * 30, rivals.Kept(transfer=-0.06)) == "GOOD_WITH_CONCERNS"
    assert rivals.verdict([0.0] * 30, [1.0] * 30, rivals.Kept(retention=(0.6, 0.9), transfer=-0.3)) == "POOR"
