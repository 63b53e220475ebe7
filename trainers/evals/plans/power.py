"""How many rows tell a difference from none; it does not know what is compared.

Right and wrong answers: McNemar's test over pairs (Connor 1987). Graded scores: the paired t-test, normal formula with
Guenther's correction (1981), which is within a row of the exact answer. Power is 0.8: four times out of five.
"""

from collections.abc import Sequence
from decimal import Decimal
from math import ceil
from typing import NamedTuple

from knowledge.errors import UserError
from trainers.evals.plans.choices import table
from trainers.evals.stats import (
    rows_needed,
    rows_needed_graded,
    smallest_detectable,
    smallest_detectable_graded,
    wilson,
)


class Spread(NamedTuple):
    """How much two models may differ from row to row, and what that asks for."""

    name: str
    """`low`, `expected` or `high`."""
    value: float
    """Discordance (share of rows on which exactly one is right) or standard deviation of paired differences."""
    rows: int
    """Rows that tell the smallest useful effect from none."""


def spreads(effect: float, *, binary: bool, expected: float | None, level: float, power: float) -> tuple[Spread, ...]:
    """Return the rows needed for a low, an expected and a high spread; `expected` replaces the middle one.

    Raises UserError where `expected` is no share.
    """
    values = _around(expected, binary)
    names = ("low", "expected", "high")
    return tuple(
        Spread(name, value, rows_for(effect, value, binary=binary, level=level, power=power))
        for name, value in zip(names, values, strict=True)
    )


def rows_for(effect: float, spread: float, *, binary: bool, level: float, power: float) -> int:
    """Return rows after which a true difference of `effect` (share) is told from none with this power."""
    return (rows_needed if binary else rows_needed_graded)(spread, effect, level, power)


def detectable(rows: int, spread: float, *, binary: bool, level: float, power: float) -> float:
    """Return the smallest true difference (share) that so many rows tell from none with this power."""
    if binary:
        return smallest_detectable(spread, rows, level, power)
    return min(1.0, smallest_detectable_graded(spread, rows, level, power))


def power_table(*, binary: bool, level: float, power: float) -> list[tuple[float, tuple[int, ...]]]:
    """Return a row per spread: the spread, and the rows needed for gains of 5, 10, 15 and 20 points."""
    return [
        (value, tuple(rows_for(effect, value, binary=binary, level=level, power=power) for effect in effects()))
        for value in _usual(binary)
    ]


def effects() -> tuple[float, ...]:
    """Return the gains (shares) that the table shows."""
    return tuple(table()["power"]["effects"])


def right_needed(target: Decimal, rows: int, level: float) -> int | None:
    """Return how many of `rows` must be right until Wilson's lower bound reaches the target; None if all are too few.

    Below 50 rows the share itself has to reach it, and the report says so.
    """
    if rows < 50:
        return ceil(target * rows)
    for right in range(ceil(target * rows), rows + 1):
        if wilson(right, rows, level).low >= target:
            return right
    return None


def _around(expected: float | None, binary: bool) -> Sequence[float]:
    usual = _usual(binary)
    if expected is None:
        return usual
    if not 0 < expected <= 1:
        raise UserError("The discordance must be above 0 and at most 1.", "It is a share of rows; use 0.25 if unsure.")
    return (expected * usual[0] / usual[1], expected, min(1.0, expected * usual[2] / usual[1]))


def _usual(binary: bool) -> tuple[float, ...]:
    return tuple(table()["power"]["discordance" if binary else "deviation"])
