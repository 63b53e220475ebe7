"""Knows what differs between two versions of rows, by counts and line numbers; it never repeats what stands in one."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from trainers.data.findings import name_lines, plural
from trainers.data.jsonl import Message, Row, read_rows
from trainers.data.labels import closed_labels
from trainers.data.showing import may_show
from trainers.tables import Dataset

MOST_LABELS = 8
"""Labels in one table."""


class Difference(NamedTuple):
    """What became of the rows of one file."""

    added: tuple[int, ...]
    """Lines of the newer file that the older has not."""
    removed: tuple[int, ...]
    """Lines of the older file that the newer has not."""
    changed: tuple[int, ...]
    """Lines of the newer file whose question the older answers in another way."""
    same: int

    def to_json(self) -> dict[str, object]:
        """The difference as plain JSON values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in self._asdict().items()}


class Versions(NamedTuple):
    """Two versions side by side."""

    old: Dataset
    new: Dataset
    train: Difference
    test: Difference
    labels: tuple[tuple[str, int, int], ...]
    """Labels with their training rows in each version, where both have labels that may be shown: most changed first."""

    def rows(self) -> list[list[str]]:
        """Return a small table, head first."""
        old, new = self.old, self.new
        return [
            ["", f"v{old.version}", f"v{new.version}"],
            ["Training rows", f"{old.train_rows:,}", f"{new.train_rows:,}"],
            ["Test rows", f"{old.test_rows:,}", f"{new.test_rows:,}"],
            *([f"Label {name}", f"{a:,}", f"{b:,}"] for name, a, b in self.labels[:MOST_LABELS]),
        ]

    def sentences(self) -> list[str]:
        """Say in words what differs."""
        return [f"Training rows: {_told(self.train)}", f"Test rows: {_told(self.test)}"]

    def to_json(self) -> dict[str, object]:
        """The comparison as plain JSON values."""
        sides = {name: {"id": d.id, "version": d.version} for name, d in (("old", self.old), ("new", self.new))}
        return {
            **sides,
            "train": self.train.to_json(),
            "test": self.test.to_json(),
            "labels": [{"label": name, "old": a, "new": b} for name, a, b in self.labels],
        }


def compare(folder: Path, old: Dataset, new: Dataset) -> Versions:
    """Compare the rows of two versions."""
    trains = [read_rows(folder / each.train_path).rows for each in (old, new)]
    tests = [read_rows(folder / each.test_path).rows for each in (old, new)]
    return Versions(old, new, between(*trains), between(*tests), _labels(*trains))


def between(old: Sequence[Row], new: Sequence[Row]) -> Difference:
    """Match rows that are the same word for word, then those that share their question."""
    left = Counter(row[1:] for row in old)  # the conversations: of a pair both
    rest_new, same = list[Row](), 0
    for row in new:
        if left[row[1:]] > 0:
            left[row[1:]] -= 1
            same += 1
        else:
            rest_new.append(row)
    rest_old = list[Row]()
    for row in reversed(old):  # of rows that are there several times, the last ones went
        if left[row[1:]] > 0:
            left[row[1:]] -= 1
            rest_old.append(row)
    asked: dict[tuple[Message, ...], list[Row]] = {}
    for row in reversed(rest_old):
        asked.setdefault(row.messages[:-1], []).append(row)
    changed = []
    for row in rest_new:
        if asked.get(row.messages[:-1]):
            asked[row.messages[:-1]].pop(0)
            changed.append(row.line)
    removed = sorted(row.line for rows in asked.values() for row in rows)
    known = set(changed)
    return Difference(
        tuple(row.line for row in rest_new if row.line not in known), tuple(removed), tuple(changed), same
    )


def _told(found: Difference) -> str:
    parts = [
        f"{plural(len(lines), 'row')} {what} ({name_lines(lines)})"
        for lines, what in ((found.added, "new"), (found.changed, "answered in another way"), (found.removed, "gone"))
        if lines
    ]
    return ", ".join([*parts, f"{found.same:,} the same"]) + "." if parts else f"all {found.same:,} the same."


def _labels(old: Sequence[Row], new: Sequence[Row]) -> tuple[tuple[str, int, int], ...]:
    sets = [closed_labels(rows) for rows in (old, new)]
    if not all(sets):
        return ()
    counts = [Counter(row.target for row in rows) for rows in (old, new)]
    names = sorted(set(counts[0]) | set(counts[1]), key=lambda n: (-abs(counts[1][n] - counts[0][n]), n))
    return tuple((name, counts[0][name], counts[1][name]) for name in names) if may_show(names) else ()
