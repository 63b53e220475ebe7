"""Marks free texts by the characters that they share with a reference, a sign of change; it does not judge quality."""

from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import ClassVar

from trainers.data.jsonl import Row
from trainers.evals.metrics.base import Figure, Mark, Setup
from trainers.evals.style.text import seen

_ORDER = 6  # longest run of characters that is compared
_BETA = 2  # recall weighs so many times as much as precision


class ChrF:
    """How much an answer shares with the reference, as chrF2 (Popovic 2015) from 0 to 1."""

    binary: ClassVar[bool] = False
    title: ClassVar[str] = "the reference's wording"
    caution: ClassVar[str] = "chrF says that answers changed towards the references, not that they are better."

    def __init__(self, setup: Setup) -> None:
        """Take the task; nothing is learned from it."""
        del setup

    def mark(self, row: Row, output: str) -> Mark:
        """Mark one answer; of very long texts the first 20,000 characters are compared."""
        return Mark(chrf(output, row.target))

    def figures(self, rows: Sequence[Row], outputs: Sequence[str | None], marks: Sequence[Mark]) -> tuple[Figure, ...]:
        """Sum up an arm: the mean over the rows, in which more is neither good nor bad."""
        del rows, outputs
        value = fmean(mark.score for mark in marks) if marks else None
        return (Figure("chrF", value, unit="index", better="neither"),)


class Judged(ChrF):
    """Texts that a judge compares: the verdict rests on what it prefers, and chrF only shows that answers changed."""

    caution: ClassVar[str] = (
        "The verdict rests on what a language model prefers; the scores beside it say only how near the wording comes "
        "to the references."
    )


def chrf(output: str, reference: str) -> float:
    """Return chrF2 of one text, 0 to 1, as sacrebleu's sentence_chrf / 100 (white space left out, no smoothing)."""
    said, wanted = ("".join(seen(text).split()) for text in (output, reference))
    sizes = range(1, min(_ORDER, len(said), len(wanted)) + 1)
    if not sizes:
        return 0.0
    shared = [(_runs(said, size) & _runs(wanted, size)).total() for size in sizes]
    precision = fmean(both / (len(said) - size + 1) for both, size in zip(shared, sizes, strict=True))
    recall = fmean(both / (len(wanted) - size + 1) for both, size in zip(shared, sizes, strict=True))
    if not precision + recall:
        return 0.0
    return (1 + _BETA**2) * precision * recall / (_BETA**2 * precision + recall)


def _runs(text: str, size: int) -> Counter[str]:
    return Counter(text[at : at + size] for at in range(len(text) - size + 1))
