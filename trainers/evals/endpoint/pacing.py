"""Knows how many calls an endpoint bears and when to wait; it does not send them and knows no real clock.

Additive increase, multiplicative decrease (Chiu and Jain 1989), as TCP does: a window of calls under way grows by one
with each window of answers and is halved by a refusal, once for all refusals of calls that were sent before.
"""

from collections.abc import Callable

from trainers.evals.endpoint.limits import Limits


class Pace:
    """The window and the wait; moments are seconds of any clock that does not go back."""

    def __init__(self, limits: Limits, draw: Callable[[], float]) -> None:
        """Begin with the whole window; `draw` gives numbers from 0 to 1, so that waits of many do not end together."""
        self._limits, self._draw = limits, draw
        self.window = float(limits.concurrency)
        self.until = 0.0
        """Nothing is sent before."""
        self._backoff = limits.first_wait
        self._cut_at: float | None = None
        self._busy_since: float | None = None
        self._silent_since: float | None = None

    def may_send(self, now: float, flying: int) -> bool:
        """Say whether one more call may go out beside those under way."""
        return now >= self.until and flying < int(self.window)

    def answered(self) -> None:
        """Hear of an answer."""
        self.window = min(float(self._limits.concurrency), self.window + 1 / self.window)
        self._backoff, self._busy_since, self._silent_since = self._limits.first_wait, None, None

    def refused(self, now: float, sent: float, told: float | None) -> None:
        """Hear that the endpoint is busy, of a call sent at `sent`, and how long it asks to wait."""
        if self._cut_at is None or sent >= self._cut_at:
            self.window, self._cut_at = max(1.0, self.window / 2), now
            self._wait(now, told)
        elif told is not None:
            self.until = max(self.until, now + told)
        self._busy_since = now if self._busy_since is None else self._busy_since

    def unreachable(self, now: float) -> None:
        """Hear that no connection came about."""
        if now >= self.until:
            self._wait(now, None)
        self._silent_since = now if self._silent_since is None else self._silent_since

    def lost(self, now: float) -> None:
        """Hear that an answer was lost: an endpoint in trouble is given a moment."""
        if now >= self.until:
            self._wait(now, None)

    def out_of_patience(self, now: float) -> bool:
        """Say whether it was busy for too long without any answer, or will be."""
        return self._busy_since is not None and max(now, self.until) - self._busy_since > self._limits.patience

    def gone(self, now: float) -> bool:
        """Say whether it could not be reached for too long."""
        return self._silent_since is not None and now - self._silent_since > self._limits.unreachable

    def _wait(self, now: float, told: float | None) -> None:
        wait = self._backoff * (0.5 + self._draw()) if told is None else told * (1 + 0.05 * self._draw())
        self._backoff = min(self._backoff * 2, self._limits.longest_wait)
        self.until = max(self.until, now + wait)
