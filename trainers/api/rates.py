"""Knows how many requests each key made lately, in this process; it does not know what they were."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Rates:
    """Buckets that fill by the minute: a key may spend a burst at once and then its even share."""

    clock: Callable[[], float] = time.monotonic
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Key id -> requests left, and when that was."""

    def wait(self, key_id: str, per_minute: int) -> float:
        """Take one request; returns 0, or the seconds after which it would have been taken."""
        now, full = self.clock(), float(per_minute)
        left, since = self._left.get(key_id, (full, now))
        left = min(full, left + (now - since) * per_minute / 60)
        if left < 1:
            self._left[key_id] = (left, now)
            return (1 - left) * 60 / per_minute
        self._left[key_id] = (left - 1, now)
        return 0.0
