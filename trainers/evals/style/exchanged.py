"""How often sets of texts differ as much by chance: texts are exchanged between two; it does not know what is counted.

If both sets were written alike, every division of their texts was as likely as the one at hand, whatever the figure's
distribution (Fisher 1935, Pitman 1937). Student's t needs a spread that few texts do not show: five texts without a
long sentence have none. Besag and Clifford (1991) end the divisions early where a difference is plainly chance.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainers.evals.style.intervals import Estimate, Value, Vectors, scale

_DIVISIONS: Final = 4_999  # thirty habits corrected by Holm can reach .006
_AT_ONCE: Final = 250  # divisions that are drawn at a time
_ENOUGH: Final = 40  # divisions as far apart after which a difference is plainly chance


class Pair(NamedTuple):
    """One habit in two sets of texts."""

    one: Vectors
    """Parts of the first set, a row for each text."""
    other: Vectors
    value: Value
    gap: float
    """How far the sets are apart on the habit's scale."""
    kind: str


def pair(one: Vectors, other: Vectors, value: Value, told: Sequence[Estimate]) -> Pair:
    """Return a habit of two sets with the figures `told` of each."""
    return Pair(one, other, value, abs(told[0].scaled - told[1].scaled), told[0].kind)


def chances(pairs: Mapping[str, Pair]) -> dict[str, float]:
    """Return for each habit the share of random divisions of all texts that are at least as far apart.

    Every habit counts the same texts, so that a division is drawn once for all.
    """
    if not pairs:
        return {}
    as_far, looked = dict.fromkeys(pairs, 0), dict.fromkeys(pairs, 0)
    some = next(iter(pairs.values()))
    for chosen in _divisions(len(some.one), len(some.other)):
        going = [key for key in pairs if as_far[key] < _ENOUGH]
        if not going:
            break
        for key in going:
            as_far[key] += _as_far(pairs[key], chosen)
            looked[key] += len(chosen)
    return {key: (1 + as_far[key]) / (1 + looked[key]) for key in pairs}


def _divisions(one: int, other: int) -> Iterator[NDArray[np.bool_]]:
    """Yield random divisions, a row each; True belongs to the first set."""
    random = np.random.default_rng(7)  # the same texts always give the same answer
    first = np.arange(one + other) < one
    for at in range(0, _DIVISIONS, _AT_ONCE):
        yield random.permuted(np.tile(first, (min(_AT_ONCE, _DIVISIONS - at), 1)), axis=1)


def _as_far(habit: Pair, chosen: NDArray[np.bool_]) -> int:
    """Count the divisions as far apart; one in which the habit cannot be told counts as such."""
    parts = np.vstack([habit.one, habit.other])
    first = chosen.astype(np.float64) @ parts
    second = parts.sum(axis=0) - first
    onto, found = scale(habit.kind), 0
    for left, right in zip(first.tolist(), second.tolist(), strict=True):
        one, other = habit.value(left), habit.value(right)
        found += one is None or other is None or abs(onto(one) - onto(other)) >= habit.gap - 1e-12
    return found
