"""Knows how the time left of a job is told so that it does not contradict itself; it does not know how it is estimated.

Every backend and every evaluation estimates in its own way, and estimates wobble. What people are told goes down or
stands still within a phase. It goes up only where the estimate has grown by so much that the old figure would mislead.
"""

GROWN = 1.5
"""An estimate of more than so many times what was told last is told, although it is more."""

SLACK = 15.0
"""And of so many seconds more: near the end, half as much again is no news."""


class TimeLeft:
    """The one figure that all messages of a job show."""

    def __init__(self) -> None:
        """Start with nothing told."""
        self._phase = ""
        self._told: float | None = None

    def told(self, phase: str, estimate: float) -> float:
        """Return what to tell for an estimate in seconds."""
        if phase != self._phase:
            self._phase, self._told = phase, None
        if self._told is None or estimate < self._told or estimate > self._told * GROWN + SLACK:
            self._told = estimate
        return self._told
