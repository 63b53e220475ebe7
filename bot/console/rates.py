"""Slack's rate limits: calls a minute by method, posts a second by channel. Knows counts, not what is called."""

import math
from collections import deque

from bot.console.clock import Clock
from bot.console.limits import limit
from bot.console.wire import RateLimited

MINUTE = 60.0
GRAIN = 1e-6
"""Seconds that rounding may cost: waiting for exactly Retry-After is always long enough."""


class Rates:
    """What one app has called in one team within the last minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: dict[str, deque[float]] = {}

    def count(self, method: str, tier: str, channel: str) -> None:
        """Count one call. Raises RateLimited where it is one too many; such a call is not counted."""
        if tier != "posts_in_channel":
            self._take([(method, limit(f"rates.{tier}"), MINUTE)])
            return
        # One a second with short bursts: at most a burst within its own number of seconds.
        burst = limit("rates.posts_burst")
        in_channel = (f"{method} {channel}", burst, burst * MINUTE / limit("rates.posts_in_channel"))
        self._take([in_channel, (method, limit("rates.posts_in_workspace"), MINUTE)])

    def _take(self, rules: list[tuple[str, int, float]]) -> None:
        """Count a call under each (name, calls, seconds), or under none where one of them is full."""
        now = self._clock.now()
        waits = [self._wait(now, *rule) for rule in rules]
        if max(waits) > 0:
            raise RateLimited(max(1, math.ceil(max(waits) - GRAIN)))
        for name, _, _ in rules:
            self._calls[name].append(now)

    def _wait(self, now: float, name: str, most: int, seconds: float) -> float:
        """Seconds until one more call is allowed; 0 if it is now."""
        calls = self._calls.setdefault(name, deque())
        while calls and calls[0] <= now - seconds + GRAIN:
            calls.popleft()
        return calls[0] + seconds - now if len(calls) >= most else 0.0
