"""Which label an answer gives and which labels are taken for which; it does not judge or draw.

>>> found = confusion_of([("spam", "Spam."), ("spam", "ham"), ("ham", "ham\\n\\nBecause ..."), ("ham", None)],
...                      ("spam", "ham"))
>>> found.counts  # spam: once right, once taken for ham; ham: once right, once without an answer
((1, 1, 0), (0, 1, 1))
>>> found.mistakes()
(Mistake(expected='ham', said=None, rows=1), Mistake(expected='spam', said='ham', rows=1))
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from trainers.data.jsonl import Row
from trainers.evals.scorers import WRAPPING, normalise


class Mistake(NamedTuple):
    """One label taken for another."""

    expected: str
    """The right label."""
    said: str | None
    """The label that was answered; None for no answer or one outside the set."""
    rows: int
    """How many rows."""


class Confusion(NamedTuple):
    """Right labels against answered labels."""

    labels: tuple[str, ...]
    """Known labels as given, then further targets in order of appearance."""
    counts: tuple[tuple[int, ...], ...]
    """Rows: the right label. Columns: the answered label in the same order, last: outside the set or no answer."""

    @property
    def n(self) -> int:
        """All rows."""
        return sum(map(sum, self.counts))

    @property
    def right(self) -> int:
        """Rows answered with the right label."""
        return sum(row[place] for place, row in enumerate(self.counts))

    def mistakes(self) -> tuple[Mistake, ...]:
        """Every pair that was confused at least once, commonest first, then by label."""
        columns = (*self.labels, None)
        found = [
            Mistake(expected, said, count)
            for expected, row in zip(self.labels, self.counts, strict=True)
            for said, count in zip(columns, row, strict=True)
            if count and said != expected
        ]
        return tuple(sorted(found, key=lambda one: (-one.rows, one.expected, one.said or "")))


class LabelReader:
    """Finds the label that an answer gives."""

    def __init__(self, labels: Iterable[str]) -> None:
        """Take the known labels; those that differ only in case, dress or a full stop are then told apart by it."""
        self.labels = tuple(dict.fromkeys(label.strip() for label in labels))
        self._exact = set(self.labels)
        self._folded: dict[str, str | None] = {}
        for label in self.labels:
            self._folded[fold(label)] = None if fold(label) in self._folded else label

    def read(self, output: str | None) -> str | None:
        """Return the label that the first non-empty line of an answer is, or None."""
        said = first_line(output or "")
        return self.label(said) if said else None

    def label(self, text: str) -> str | None:
        """Return the label that a text is, up to case, wrapping and a closing mark; None if it is none or unclear."""
        bare = text.strip().strip(WRAPPING)
        for spelling in (text.strip(), bare, bare.rstrip(".!?… ").strip(WRAPPING)):
            if spelling in self._exact:
                return spelling
        return self._folded.get(fold(text))

    def with_targets(self, targets: Iterable[str]) -> "LabelReader":
        """Return a reader that knows every target too; one that is a known label in another spelling adds nothing."""
        more: dict[str, str] = {}
        for target in targets:
            if self.label(target) is None:
                unclear = fold(target) in self._folded
                more.setdefault(target.strip() if unclear else fold(target), target)
        return LabelReader((*self.labels, *more.values())) if more else self


def confusion(rows: Sequence[Row], outputs: Sequence[str | None], labels: Sequence[str]) -> Confusion:
    """Count how often each label was answered with each; linear in the rows. Both sequences go together."""
    return confusion_of([(row.target, output) for row, output in zip(rows, outputs, strict=True)], labels)


def confusion_of(pairs: Sequence[tuple[str, str | None]], labels: Sequence[str]) -> Confusion:
    """Count pairs of a target and an answer; a target that is no known label becomes one."""
    reader = LabelReader(labels).with_targets(target for target, _ in pairs)
    places: dict[str | None, int] = {label: place for place, label in enumerate(reader.labels)}
    width = len(places)
    counts = [[0] * (width + 1) for _ in range(width)]
    for target, output in pairs:
        counts[places[reader.label(target)]][places.get(reader.read(output), width)] += 1
    return Confusion(reader.labels, tuple(map(tuple, counts)))


def first_line(output: str) -> str:
    """Return the first line of an answer that holds more than white space, or an empty string."""
    return (output.strip().splitlines() or [""])[0].strip()


def fold(text: str) -> str:
    """Normalise a label; one that is all dress and marks, such as `*` or `...`, stays as it is."""
    return normalise(text) or text.strip()
