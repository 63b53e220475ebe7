"""Knows how many answers of an evaluation are written and how long the rest will take; not what they say."""

import time
from collections.abc import Callable, Mapping

from trainers.scripts.child import Child

WEIGHTS = {"base_few_shot": 5.0, "tfidf": 0.0, "probes_base": 2.0, "probes_tuned": 3.0}
"""An answer takes about this many times a plain one (two cores, shipped example); for the time left only."""

NEWEST = 0.2
"""Share of the newest reading in the pace."""


class Progress:
    """How far all parts together are."""

    def __init__(self, child: Child, planned: Mapping[str, int], clock: Callable[[], float] = time.monotonic) -> None:
        """Take how many answers each part has to write, and a clock in seconds."""
        self._child, self._planned, self._clock = child, dict(planned), clock
        self._done = dict.fromkeys(planned, 0)
        self._part, self._started, self._first = "", clock(), True
        self._pace, self._readings = 0.0, 0

    def begin(self, part: str) -> None:
        """Start a part."""
        self._part, self._started, self._first = part, self._clock(), True

    def finish(self, part: str) -> None:
        """Count a part as done, whether it was answered now or before."""
        self._done[part] = self._planned[part]

    def add(self, rows: int) -> None:
        """Count answers and tell the parent; none are counted as the writing begins.

        The first answers of a part wait for a model to load and warm up: they say nothing about the others, and a time
        left that followed them would be told minutes too long and then fall.
        """
        part, now = self._part, self._clock()
        self._done[part] = min(self._done[part] + rows, self._planned[part])
        if rows and _weight(part) and not self._first:
            self._read((now - self._started) / (rows * _weight(part)))
        self._started, self._first = now, self._first and not rows
        pace = self._pace if self._readings else None
        left = sum((self._planned[p] - self._done[p]) * _weight(p) for p in self._planned)
        self._child.emit(
            "progress",
            phase="evaluating",
            step=sum(self._done.values()),
            steps=sum(self._planned.values()),
            arm=part,
            rows_per_second=round(1 / (pace * _weight(part)), 2) if pace and _weight(part) else None,
            seconds_left=round(left * pace, 1) if pace is not None else None if left else 0.0,
        )

    def _read(self, seconds: float) -> None:
        """Count how long a plain answer took; what was counted long ago fades, so that a slower machine is noticed."""
        self._readings += 1
        self._pace += (seconds - self._pace) * max(1 / self._readings, NEWEST)


def _weight(part: str) -> float:
    return WEIGHTS.get(part, 1.0)
