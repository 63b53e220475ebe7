"""How a share of rows becomes a figure with an interval that holds at any size; it does not know what was counted."""

from collections.abc import Sequence
from typing import Literal

from trainers.evals.metrics.base import Figure, Mark
from trainers.evals.stats import wilson

Better = Literal["higher", "lower", "neither"]


def rate(name: str, hits: int, n: int, better: Better = "higher") -> Figure:
    """Return `hits` of `n` rows with Wilson's interval (1927); no rows give no value."""
    if n == 0:
        return Figure(name, None, better=better)
    low, high = wilson(hits, n)
    return Figure(name, hits / n, low, high, better=better)


def full_marks(name: str, marks: Sequence[Mark]) -> Figure:
    """Return the share of rows with a score of 1."""
    return rate(name, sum(mark.score == 1 for mark in marks), len(marks))


def checked(name: str, check: str, marks: Sequence[Mark], better: Better = "higher") -> Figure:
    """Return the share of all rows whose check is 1; a row without the check (no answer) counts as 0."""
    return rate(name, sum(mark.checks.get(check) == 1 for mark in marks), len(marks), better)
