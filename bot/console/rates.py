"""Slack's rate limits: calls a minute by method, posts a second by channel. Knows counts, not what is called."""

from collections import deque

from bot.console.clock import Clock
from bot.console.limits import limit
from bot.console.wire import RateLimited

MINUTE = 60.0


class Rates:
    """What one app has called in one team within the last minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls: dict[str, deque[float]] = {}

    def count(self, method: str, tier: str, channel: str) -> None:
        """Count one call. Raises RateLimited where it is one too many; such a call is not counted."""
        if tier == "posts_in_channel":
            # One a second with short bursts: at most a burst within its own number of seconds.
            burst = limit("rates.posts_burst")
            self._take(f"{method} {channel}", burst, burst * MINUTE / limit("rates.posts_in_channel"))
            tier = "posts_in_workspace"
        self._take(method, limit(f"rates.{tier}"), MINUTE)

    def _take(self, key: str, most: int, seconds: float) -> None:
        now = self._clock.now()
        calls = self._calls.setdefault(key, deque())
        while calls and calls[0] <= now - seconds:
            calls.popleft()
        if len(calls) >= most:
            raise RateLimited(max(1, round(calls[0] + seconds - now + 0.499)))
        calls.append(now)
