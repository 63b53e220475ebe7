"""Time and fresh ids: message timestamps that never repeat, random ids. Knows nothing of what they name."""

import secrets
import string
from collections.abc import Callable

Now = Callable[[], float]
"""Seconds since 1970, UTC."""

ALPHABET = string.ascii_uppercase + string.digits


class Clock:
    """Mints what Slack makes from time and chance."""

    def __init__(self, now: Now, last_ts: str = "") -> None:
        self.now = now
        """The source of time."""
        self._last = last_ts

    def ts(self) -> str:
        """A new message ts, `seconds.micros`, later than every one before."""
        ts = f"{self.now():.6f}"
        if ts <= self._last:
            seconds, micros = self._last.split(".")
            ts = f"{int(seconds) + (int(micros) + 1) // 1_000_000}.{(int(micros) + 1) % 1_000_000:06d}"
        self._last = ts
        return ts

    def id(self, prefix: str) -> str:
        """A new id such as `F0A1B2C3D4E`."""
        return prefix + "0" + "".join(secrets.choice(ALPHABET) for _ in range(9))

    def hash(self) -> str:
        """A new view hash, `seconds.random`."""
        return f"{int(self.now())}.{secrets.token_hex(4)}"

    def trigger(self) -> str:
        """A new trigger id in Slack's three-part form."""
        return f"{int(self.now() * 1000)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"


def short_id() -> str:
    """A block_id or action_id as Slack makes one where the app gave none."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(5))
