"""Marks answers to tasks with a closed set of labels; it does not compare arms.

An answer is right when its first non-empty line is the label, up to case, wrapping and a closing mark. A label in a
sentence (`The label is billing.`, `Label: billing`) is wrong, because whatever reads the answers would not find it; the
check `names_label` counts it, so that a reader sees how much of a gain is form.

Worked example: targets a a a b, answers a a b b. F1 of a is 2*2/(3+2) = 0.8, of b 2*1/(1+2) = 0.667, their mean 0.733.

>>> from trainers.data.jsonl import Message
>>> rows = [Row(line, (Message("user", "?"), Message("assistant", label))) for line, label in enumerate("aaab", 1)]
>>> metric = Classification(Setup(labels=("a", "b")))
>>> marks = [metric.mark(row, output) for row, output in zip(rows, "aabb")]
>>> {figure.name: round(figure.value, 3) for figure in metric.figures(rows, "aabb", marks)[:2]}
{'accuracy': 0.75, 'macro-F1': 0.733}
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from trainers.data.jsonl import Row
from trainers.evals.metrics.base import Figure, Mark, Setup
from trainers.evals.metrics.confusion import Confusion, LabelReader, confusion
from trainers.evals.metrics.limits import limits
from trainers.evals.metrics.rates import checked, full_marks, rate
from trainers.evals.scorers import names_label

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

__all__ = ["Classification", "confusion", "macro_f1"]


class Classification:
    """Right is the label alone on the first line."""

    binary: ClassVar[bool] = True
    title: ClassVar[str] = "right"
    caution: ClassVar[str] = ""

    def __init__(self, setup: Setup) -> None:
        """Take the closed set from `labels`; without it, a row's own target is the only known label."""
        self._known = LabelReader(setup.labels)
        self._seed = int(setup.options.get("seed", 0))

    def mark(self, row: Row, output: str) -> Mark:
        """Score 1 for the right label; checks `in_set` (some known label) and `names_label` (it alone, in a text)."""
        reader = self._known.with_targets((row.target,))
        expected, said = reader.label(row.target), reader.read(output)
        right = said is not None and said == expected
        named = right or (_has_word(row.target) and names_label(output, row.target, reader.labels))
        checks = {"in_set": float(said is not None), "names_label": float(named)}
        return Mark(float(right), checks, "" if said is not None else "not a label of the set")

    def figures(self, rows: Sequence[Row], outputs: Sequence[str | None], marks: Sequence[Mark]) -> tuple[Figure, ...]:
        """Accuracy, macro-F1, share outside the set, share that names the label, then four figures for each label."""
        found = confusion(rows, outputs, self._known.labels)
        outside = sum(row[-1] for row in found.counts)
        return (
            full_marks("accuracy", marks),
            macro_f1(found, self._seed),
            rate("outside the set", outside, found.n, better="lower"),
            checked("names the label", "names_label", marks),
            *_per_label(found),
        )


def macro_f1(found: Confusion, seed: int = 0) -> Figure:
    """Mean F1 of the labels that have test rows, each label alike (scikit-learn's `zero_division=0`).

    Its 95% interval is a bootstrap within labels (2,000 draws, percentiles), given only where every label has enough
    rows and enough mistakes were seen for it to keep its coverage (limits.toml, measured); else low and high are None.
    """
    import numpy as np

    counts = np.array(found.counts, dtype=np.int64).reshape(len(found.labels), len(found.labels) + 1)
    tested = counts.sum(axis=1)
    if not tested.any():
        return Figure("macro-F1", None)
    value = float(_mean_f1(counts[None])[0])
    least = limits("macro_f1")
    if tested[tested > 0].min() < least["rows_per_label"] or found.n - found.right < least["mistakes"]:
        return Figure("macro-F1", value)
    low, high = np.quantile(_mean_f1(_redrawn(counts, int(least["draws"]), seed)), (0.025, 0.975))
    return Figure("macro-F1", value, float(low), float(high))


def _redrawn(counts: "Counts", draws: int, seed: int) -> "Counts":
    """Draw the rows of each label anew with replacement: an array of draws x labels x answers."""
    import numpy as np

    chance = np.random.default_rng(seed)
    sizes = counts.sum(axis=1)
    shares = counts / np.maximum(sizes, 1)[:, None]
    shares[sizes == 0, -1] = 1.0  # no rows, whatever the shares: they only have to sum to 1
    return np.stack([chance.multinomial(n, share, draws) for n, share in zip(sizes, shares, strict=True)], axis=1)


def _mean_f1(counts: "Counts") -> "NDArray[np.float64]":
    """Macro-F1 of each of several confusions, an array of confusions x labels x answers."""
    import numpy as np

    labels = counts.shape[1]
    hits = np.diagonal(counts[:, :, :labels], axis1=1, axis2=2)
    tested, said = counts.sum(axis=2), counts[:, :, :labels].sum(axis=1)
    scores = 2 * hits / np.maximum(tested + said, 1)
    return np.asarray((scores * (tested > 0)).sum(axis=1) / (tested > 0).sum(axis=1), dtype=np.float64)


def _per_label(found: Confusion) -> Iterator[Figure]:
    """Precision, recall, F1 and rows of each label; F1 has no interval, few labels have rows enough for one."""
    said = [sum(column) for column in zip(*found.counts, strict=True)] if found.counts else []
    for place, label in enumerate(found.labels):
        hits, tested = found.counts[place][place], sum(found.counts[place])
        yield rate(f"precision of {label}", hits, said[place])
        yield rate(f"recall of {label}", hits, tested)
        yield Figure(f"F1 of {label}", 2 * hits / (tested + said[place]) if tested + said[place] else None)
        yield Figure(f"rows of {label}", float(tested), unit="count", better="neither")


def _has_word(label: str) -> bool:
    return any(character.isalnum() for character in label)
