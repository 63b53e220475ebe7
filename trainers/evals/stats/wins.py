"""Wins, losses and ties of one answer against another; it does not know who judged them."""

from typing import NamedTuple

from trainers.evals.stats.pairs import mcnemar_exact
from trainers.evals.stats.rates import LEVEL, check_counts, wilson


class WinRate(NamedTuple):
    """How often the tuned answer is preferred."""

    rate: float
    """Wins plus half the ties, over all rows; 0.5 means even (and of no rows)."""
    low: float
    """Lower end of Wilson's interval."""
    high: float
    """Upper end of Wilson's interval."""
    p_value: float
    """Sign test of wins against losses, without ties."""
    n: int
    """Rows, ties included."""


def win_rate(wins: int, losses: int, ties: int = 0, level: float = LEVEL) -> WinRate:
    """Rate of wins with ties split in halves (Wilson 1927), and the sign test without them."""
    n = wins + losses + ties
    check_counts(n, wins, losses, ties)
    low, high = wilson(wins + ties / 2, n, level)
    return WinRate((wins + ties / 2) / n if n else 0.5, low, high, sign_test(wins, losses), n)


def sign_test(wins: int, losses: int) -> float:
    """Two-sided p that wins and losses are equally likely; ties are left out by the caller (Conover 1999)."""
    return mcnemar_exact(wins, losses)
