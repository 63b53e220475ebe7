"""Whether an answer is right; it does not know who gave it or what follows.

Closed labels: the answer's first line must be the label, up to case, white space, quotation marks and a full stop.
Free text: only an exact match counts as right, which says little about texts that may be worded in many ways; the token
F1 beside it shows *that* answers changed, not that they got better.
"""

import re
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from trainers.data.likeness import canonical

_WORD = re.compile(r"\w+")
WRAPPING = " \t\n\"'`*_“”‘’«»()[]"


class Score(NamedTuple):
    """How one answer did."""

    right: bool
    """The answer is the expected one after normalisation."""
    overlap: float
    """Token F1 with the expected answer, 0 to 1: a detector of change, not of quality."""


def score(output: str, expected: str, *, closed: bool) -> Score:
    """Compare an answer with the expected one; with `closed` labels only the answer's first line counts."""
    said = (output.strip().splitlines() or [""])[0] if closed else output
    return Score(normalise(said) == normalise(expected), token_f1(output, expected))


def normalise(text: str) -> str:
    """Fold case, white space, wrapping quotation marks or emphasis, and a closing mark."""
    return canonical(canonical(text).strip(WRAPPING)).strip(WRAPPING)


def names_label(output: str, expected: str, labels: Collection[str]) -> bool:
    """Say whether an answer names the expected label and no other, in whatever sentence: a milder count."""
    said = f" {' '.join(_WORD.findall(output.casefold()))} "
    named = {label for label in labels if f" {' '.join(_WORD.findall(label.casefold()))} " in said}
    longest = {label for label in named if not any(label != other and label in other for other in named)}
    return {normalise(label) for label in longest} == {normalise(expected)}


def token_f1(output: str, expected: str) -> float:
    """F1 on words, counted with repetition (as SQuAD scores); two empty texts agree."""
    said, wanted = Counter(_WORD.findall(output.casefold())), Counter(_WORD.findall(expected.casefold()))
    if not said or not wanted:
        return float(said == wanted)
    shared = (said & wanted).total()
    return 2 * shared / (said.total() + wanted.total())
