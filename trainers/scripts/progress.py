"""Knows how many answers of an evaluation are written and how long the rest will take; not what they say."""

import time
from collections.abc import Mapping

from trainers.scripts.child import Child

WEIGHTS = {"base_few_shot": 5.0, "tfidf": 0.0, "probes_base": 2.0, "probes_tuned": 3.0}
"""An answer takes about this many times a plain one (two cores, shipped example); for the time left only."""


class Progress:
    """How far all parts together are."""

    def __init__(self, child: Child, planned: Mapping[str, int]) -> None:
        """Take how many answers each part has to write."""
        self._child, self._planned = child, dict(planned)
        self._done = dict.fromkeys(planned, 0)
        self._part, self._started, self._work, self._seconds = "", time.monotonic(), 0.0, 0.0

    def begin(self, part: str) -> None:
        """Start a part."""
        self._part, self._started = part, time.monotonic()

    def finish(self, part: str) -> None:
        """Count a part as done, whether it was answered now or before."""
        self._done[part] = self._planned[part]

    def add(self, rows: int) -> None:
        """Count answers and tell the parent."""
        part, now = self._part, time.monotonic()
        self._done[part] += rows
        self._seconds += now - self._started
        self._started = now
        self._work += rows * _weight(part)
        left = sum(max(0, self._planned[p] - self._done[p]) * _weight(p) for p in self._planned)
        pace = self._seconds / self._work if self._work else 0.0
        self._child.emit(
            "progress",
            phase="evaluating",
            step=min(sum(self._done.values()), sum(self._planned.values())),
            steps=sum(self._planned.values()),
            arm=part,
            rows_per_second=round(1 / (pace * _weight(part)), 2) if pace and _weight(part) else 0.0,
            seconds_left=round(left * pace, 1),
        )


def _weight(part: str) -> float:
    return WEIGHTS.get(part, 1.0)
