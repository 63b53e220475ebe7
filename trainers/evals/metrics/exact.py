"""Marks free text for which there is no better metric; it does not know whether other words would do as well.

Worked example: target `Thank you, Ada.`, answers `thank you, ada` (the same but for case and a full stop: score 1) and
`Thank you` (score 0; 2 words shared of 3 + 2, so the overlap is 2*2/5 = 0.8).

>>> from trainers.data.jsonl import Message
>>> row = Row(1, (Message("user", "?"), Message("assistant", "Thank you, Ada.")))
>>> metric = ExactMatch(Setup())
>>> metric.mark(row, "thank you, ada").score, metric.mark(row, "Thank you").score
(1.0, 0.0)
>>> metric.mark(row, "Thank you").checks
{'overlap': 0.8}
"""

from collections.abc import Sequence
from typing import ClassVar

from trainers.data.jsonl import Row
from trainers.evals.metrics.base import Figure, Mark, Setup
from trainers.evals.metrics.confusion import fold
from trainers.evals.metrics.rates import full_marks
from trainers.evals.scorers import token_f1


class ExactMatch:
    """Right is the target, up to case, white space, wrapping and a closing mark (`scorers.normalise`)."""

    binary: ClassVar[bool] = True
    title: ClassVar[str] = "exactly right"
    caution: ClassVar[str] = (
        "The answers are free text, and only an exact match counts as right. Good answers in other words count as "
        "wrong for every arm, so read the cases before you trust the numbers."
    )

    def __init__(self, setup: Setup) -> None:
        """Need nothing of the task."""

    def mark(self, row: Row, output: str) -> Mark:
        """Score 1 for the same text; check `overlap` is the F1 of words, which shows change and not quality."""
        return Mark(float(fold(output) == fold(row.target)), {"overlap": token_f1(output, row.target)})

    def figures(self, rows: Sequence[Row], outputs: Sequence[str | None], marks: Sequence[Mark]) -> tuple[Figure, ...]:
        """Share exactly right, and the mean overlap: for no answer it is 0."""
        overlaps = [mark.checks.get("overlap", 0.0) for mark in marks]
        mean = sum(overlaps) / len(overlaps) if overlaps else None
        return full_marks("exactly right", marks), Figure("mean token F1", mean, better="neither")
