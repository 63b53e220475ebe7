"""Statistics that hold for small paired sets; they do not decide what follows from them.

What needs numpy or scipy loads them when it is called. docs/statistics.md says which method is used where, and why.
"""

from trainers.evals.stats.agreement import Agreement, Corrected, Kappa, agreement, kappa, rogan_gladen
from trainers.evals.stats.comparison import Comparison, compare, rows_needed_for
from trainers.evals.stats.families import holm
from trainers.evals.stats.median import median
from trainers.evals.stats.pairs import bonett_price, mcnemar_exact, mcnemar_mid_p
from trainers.evals.stats.power import (
    design_effect,
    rows_needed,
    rows_needed_graded,
    smallest_detectable,
    smallest_detectable_graded,
)
from trainers.evals.stats.rates import LEVEL, Interval, wilson
from trainers.evals.stats.wins import WinRate, sign_test, win_rate

__all__ = [
    "LEVEL",
    "Agreement",
    "Comparison",
    "Corrected",
    "Interval",
    "Kappa",
    "WinRate",
    "agreement",
    "bonett_price",
    "compare",
    "design_effect",
    "holm",
    "kappa",
    "mcnemar_exact",
    "mcnemar_mid_p",
    "median",
    "rogan_gladen",
    "rows_needed",
    "rows_needed_for",
    "rows_needed_graded",
    "sign_test",
    "smallest_detectable",
    "smallest_detectable_graded",
    "wilson",
    "win_rate",
]
