"""Measures the intervals that verdicts rest on: coverage, width, false PASS and power on sets with a known truth.

Run as: python -m bench.intervals [--draws 4000] [--seed 7] [--json]. It calls the product's own functions: counts of
right and wrong pairs go through `bonett_price`, all else through `groups`, whose functions take many sets at once.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from functools import cache
from math import exp, lgamma, log
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.rivals import POSITIVE, Kept, verdict_of
from trainers.evals.rule import SuccessRule
from trainers.evals.stats import bonett_price
from trainers.evals.stats import groups as intervals
from trainers.evals.stats.limits import limits

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]
SIZES = (20, 30, 50, 100, 300)
SOURCES = (4, 10, 30)
CORRELATION = 0.3
"""Intra-class correlation of the clustered sets."""
LARGEST = 5
"""Rows of one source: 1 to 5, equally likely."""
LEVEL = 0.95
RESAMPLES = 1000
PAIRS = ((0.06, 0.02), (0.20, 0.05), (0.30, 0.10), (0.02, 0.02))
EVEN = ((0.05, 0.05), (0.10, 0.10), (0.25, 0.25))
"""More sets without an effect, for false PASS."""
EFFECTS = {0.0: (0.10, 0.10), 0.10: (0.15, 0.05), 0.15: (0.20, 0.05), 0.20: (0.25, 0.05)}
"""Gain and loss of pairs with each true effect."""


class World(NamedTuple):
    """A population of paired differences."""

    name: str
    draw: Draw
    truth: float
    """Its mean."""
    binary: bool = False


class Cell(NamedTuple):
    """What many sets of one kind and size showed; shares of sets."""

    world: str
    n: int
    """Rows, or sources where rows are clustered."""
    refused: float
    """No verdict allowed."""
    coverage: float
    """The interval holds the truth, in whatever set."""
    covered: float | None
    """The same among sets that are not refused; None where all are."""
    width: float
    """Mean width of the interval."""
    too_high: float
    """The interval lies above the truth: under no effect this is low > 0."""
    too_low: float
    """The interval lies below the truth."""
    false_pass: float | None
    """Under no effect: PASS by the verdict rule; None where there is an effect."""
    bootstrap: float | None
    """Coverage of a bare percentile bootstrap; None where not drawn."""
    bca: float | None
    """Coverage of the BCa bootstrap; None where not drawn."""


def pairs(gain: float, loss: float) -> World:
    """Right or wrong answers: a row is gained, lost or neither."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        part = rng.random(shape)
        return np.where(part < gain, 1.0, np.where(part < gain + loss, -1.0, 0.0))

    return World(f"pairs {gain:.2f}/{loss:.2f}", draw, gain - loss, True)


def skewed(sign: int, mean: float) -> World:
    """Differences shaped like beta(2, 8), tail to the right or to the left, moved to a mean."""
    side = "right" if sign > 0 else "left"
    return World(
        f"beta(2,8), tail {side}, mean {mean:.2f}", lambda rng, shape: sign * (rng.beta(2, 8, shape) - 0.2) + mean, mean
    )


def heavy(mean: float) -> World:
    """Differences with heavy tails: Student's t with 3 degrees of freedom, scale 0.1."""
    return World(f"t3, mean {mean:.2f}", lambda rng, shape: 0.1 * rng.standard_t(3, shape) + mean, mean)


def sparse(name: str, up: float, gains: tuple[float, float], down: float, losses: tuple[float, float]) -> World:
    """Graded scores most of which do not change; the others by an amount that is uniform in a range."""

    def draw(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        part = rng.random(shape)
        better, worse = rng.uniform(*gains, shape), rng.uniform(*losses, shape)
        return np.where(part < up, better, np.where(part < up + down, -worse, 0.0))

    truth = up * sum(gains) / 2 - down * sum(losses) / 2
    return World(name, draw, 0.0 if abs(truth) < 1e-12 else truth)


def normal(mean: float) -> World:
    """Graded differences with a standard deviation of 0.3, for power."""
    return World(f"normal, sd 0.30, mean {mean:.2f}", lambda rng, shape: rng.normal(mean, 0.3, shape), mean)


def rows(world: World, n: int, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Sets of rows that stand alone: sums and sizes of groups of one, shape (draws, n)."""
    return world.draw(rng, (draws, n)), np.ones((draws, n))


def clustered(world: World, count: int, draws: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Sets of rows from `count` sources: sums and sizes of sources, shape (draws, count).

    Each row takes its source's value with a chance of √0.3, else one of its own: two rows of a source then correlate
    by exactly 0.3, whatever the population, and each row alone still looks like the population.
    """
    sizes = rng.integers(1, LARGEST + 1, (draws, count))
    shape = (draws, count, LARGEST)
    shared = rng.random(shape) < CORRELATION**0.5
    values = np.where(shared, world.draw(rng, (draws, count, 1)), world.draw(rng, shape))
    return np.where(np.arange(LARGEST) < sizes[..., None], values, 0.0).sum(-1), sizes.astype(float)


def ends(totals: Floats, sizes: Floats, binary: bool) -> tuple[Floats, Floats]:
    """The intervals that `compare` gives, shape (draws,) each."""
    if not binary:
        return intervals.graded(totals, sizes, 1.0, LEVEL)
    if (sizes == 1).all():
        gained, lost = (totals == 1).sum(-1), (totals == -1).sum(-1)
        both = np.array([_pair(int(up), int(down), totals.shape[-1]) for up, down in zip(gained, lost, strict=True)])
        return both[:, 0], both[:, 1]
    low, high = intervals.adjusted(totals, sizes, 1.0, LEVEL)
    return np.maximum(-1.0, low), np.minimum(1.0, high)


def passes(totals: Floats, sizes: Floats, low: Floats, refused: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """PASS by the verdict rule: above 0, at least the useful effect, enough rows, not refused."""
    rule, count = SuccessRule(), sizes.sum(-1)
    useful = totals.sum(-1) >= float(rule.useful_effect) * count - 1e-9
    return (low > 0) & useful & (count >= rule.minimum_rows) & ~refused


def refusals(totals: Floats, sizes: Floats) -> NDArray[np.bool_]:
    """Where `compare` refuses, shape (draws,)."""
    if (sizes == 1).all():
        return np.zeros(len(totals), dtype=bool)
    few = intervals.spread(totals, sizes).degrees < limits().degrees
    return few | (sizes.shape[-1] < limits().clusters)


def measure(world: World, n: int, totals: Floats, sizes: Floats, resample: bool = False) -> Cell:
    """Compare the intervals of many sets with the truth."""
    low, high = ends(totals, sizes, world.binary)
    refused = refusals(totals, sizes)
    holds = (low <= world.truth + 1e-12) & (high >= world.truth - 1e-12)
    bare, bca = bootstraps(totals, world.truth) if resample else (None, None)
    return Cell(
        world=world.name,
        n=n,
        refused=float(refused.mean()),
        coverage=float(holds.mean()),
        covered=None if refused.all() else float(holds[~refused].mean()),
        width=float((high - low).mean()),
        too_high=float((low > world.truth + 1e-12).mean()),
        too_low=float((high < world.truth - 1e-12).mean()),
        false_pass=float(passes(totals, sizes, low, refused).mean()) if world.truth == 0 else None,
        bootstrap=bare,
        bca=bca,
    )


def exact_false_pass(share: float, n: int) -> float:
    """PASS among `n` pairs that gain and lose with the same chance `share`, summed over all counts: no simulation."""
    rule = SuccessRule()
    if n < rule.minimum_rows:
        return 0.0
    total = 0.0
    for gained in range(n + 1):
        for lost in range(n + 1 - gained):
            if gained - lost >= float(rule.useful_effect) * n - 1e-9 and _pair(gained, lost, n)[0] > 0:
                ways = lgamma(n + 1) - lgamma(gained + 1) - lgamma(lost + 1) - lgamma(n - gained - lost + 1)
                total += exp(ways + (gained + lost) * log(share) + (n - gained - lost) * log(1 - 2 * share))
    return total


def bootstraps(values: Floats, truth: float) -> tuple[float, float]:
    """Coverage of the percentile and the BCa bootstrap (Efron 1987) of the mean; no verdict uses them."""
    from scipy.special import ndtr, ndtri

    n = values.shape[-1]
    means = np.sort(values @ _weights(n).T, axis=-1)  # the same resamples for every set, as one seed gives them
    centre = values.mean(-1, keepdims=True)
    below = ((means < centre).mean(-1) + (means <= centre).mean(-1)) / 2
    off = centre - values
    with np.errstate(divide="ignore", invalid="ignore"):
        bias, pull = ndtri(below), -(off**3).sum(-1) / (6 * (off**2).sum(-1) ** 1.5)
        found = []
        for z in ndtri(np.array([0.025, 0.975])):
            place = np.nan_to_num(ndtr(bias + (bias + z) / (1 - pull * (bias + z))), nan=0.5)
            index = np.clip(np.rint(place * (RESAMPLES - 1)).astype(int), 0, RESAMPLES - 1)
            found.append(means[np.arange(len(means)), index])
    bare = np.quantile(means, [0.025, 0.975], axis=-1)
    return _holds(bare[0], bare[1], truth), _holds(found[0], found[1], truth)


def cells(draws: int, seed: int) -> Iterator[Cell]:
    """Measure the whole grid."""
    for world in _worlds():
        for n in SIZES:
            yield measure(world, n, *rows(world, n, draws, np.random.default_rng([seed, n])), resample=True)
    for world in _clustered_worlds():
        for count in SOURCES:
            sets = clustered(world, count, draws, np.random.default_rng([seed, count]))
            yield measure(world._replace(name=f"sources, {world.name}"), count, *sets)


def powers(draws: int, seed: int) -> Iterator[dict[str, Any]]:
    """How often each rule says yes, by true effect; at an effect of 0 that is its false-positive rate."""
    for effect, changes in EFFECTS.items():
        for world in (pairs(*changes), normal(effect)):
            for n in (30, 50, 100, 200):
                totals, sizes = rows(world, n, draws, np.random.default_rng([seed, n]))
                low, _ = ends(totals, sizes, world.binary)
                said = [_theirs(round(float(gain), 12), n) for gain in totals.mean(-1)]
                yield {
                    "world": world.name,
                    "effect": effect,
                    "n": n,
                    "luthier": float(passes(totals, sizes, low, refusals(totals, sizes)).mean()),
                    "finetunecheck": sum(verdict in POSITIVE for verdict in said) / draws,
                    "finetunecheck_excellent": said.count("EXCELLENT") / draws,
                }


def _worlds() -> Iterator[World]:
    yield from (pairs(*each) for each in (*PAIRS, *EVEN))
    for mean in (0.0, 0.10):
        yield from (skewed(1, mean), skewed(-1, mean), heavy(mean))
    yield sparse("mostly unchanged, 0.06/0.02", 0.06, (0.2, 1.0), 0.02, (0.2, 1.0))
    yield sparse("mostly unchanged, 0.10/0.10", 0.10, (0.2, 1.0), 0.10, (0.2, 1.0))
    yield sparse("small gains, rare big losses", 0.30, (0.1, 0.3), 0.075, (0.6, 1.0))


def _clustered_worlds() -> Iterator[World]:
    yield from (pairs(*each) for each in (*PAIRS, *EVEN))
    yield from (skewed(1, 0.0), skewed(-1, 0.0), heavy(0.0))


@cache
def _pair(gained: int, lost: int, n: int) -> tuple[float, float]:
    return bonett_price(gained, lost, n, LEVEL)


@cache
def _theirs(gain: float, n: int) -> str:
    return verdict_of(gain, n, Kept())


@cache
def _weights(n: int) -> Floats:
    """How often each of `n` rows is in each resample, as shares; shape (RESAMPLES, n)."""
    picks = np.random.default_rng(7).integers(0, n, (RESAMPLES, n))
    return np.stack([np.bincount(pick, minlength=n) for pick in picks]) / n


def _holds(low: Floats, high: Floats, truth: float) -> float:
    return float(((low <= truth + 1e-12) & (high >= truth - 1e-12)).mean())


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _print(measured: list[Cell], exact: dict[float, list[float]], power: list[dict[str, Any]]) -> None:
    print("| differences | n or sources | refused | coverage | width | low > truth | high < truth | false PASS", end="")
    print(" | percentile | BCa |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for cell in measured:
        print(
            f"| {cell.world} | {cell.n} | {cell.refused:.0%} | {_percent(cell.coverage)} | {cell.width:.3f} "
            f"| {_percent(cell.too_high)} | {_percent(cell.too_low)} | {_percent(cell.false_pass)} "
            f"| {_percent(cell.bootstrap)} | {_percent(cell.bca)} |"
        )
    print("\nFalse PASS of pairs, exactly (gain = loss):\n\n| gain = loss |" + "".join(f" n = {n} |" for n in SIZES))
    print("|---" * (len(SIZES) + 1) + "|")
    for share, found in exact.items():
        print(f"| {share:.2f} |" + "".join(f" {each:.2%} |" for each in found))
    print("\n| differences | effect | n | Luthier PASS | finetunecheck positive | of these EXCELLENT |")
    print("|---|---|---|---|---|---|")
    for row in power:
        print(
            f"| {row['world']} | {row['effect']:+.2f} | {row['n']} | {row['luthier']:.1%} | {row['finetunecheck']:.1%} "
            f"| {row['finetunecheck_excellent']:.1%} |"
        )


def main() -> None:
    """Measure, print a table or JSON; exit 1 where an allowed verdict rests on coverage under 93%."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--draws", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    begun = time.monotonic()
    measured, power = list(cells(asked.draws, asked.seed)), list(powers(asked.draws, asked.seed))
    exact = {gain: [exact_false_pass(gain, n) for n in SIZES] for gain, _ in (PAIRS[-1], *EVEN, (0.4, 0.4))}
    low = [cell for cell in measured if cell.covered is not None and cell.covered < 0.93]
    spent = round(time.monotonic() - begun, 1)
    if asked.json:
        told = {"draws": asked.draws, "seed": asked.seed, "seconds": spent, "under_93": len(low)}
        print(json.dumps({**told, "cells": [cell._asdict() for cell in measured], "exact": exact, "power": power}))
    else:
        _print(measured, exact, power)
        print(f"\n{asked.draws} draws a cell, seed {asked.seed}, {spent} s; under 93% and not refused: {len(low)}.")
    raise SystemExit(bool(low))


if __name__ == "__main__":
    main()
