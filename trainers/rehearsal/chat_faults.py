"""Knows which fault the rehearsal chat endpoint shows next, from a seed; it does not know what was asked."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

CHAT_FAULTS: Final = {
    "busy": "429 with Retry-After of `retry_after` seconds; not charged",
    "overloaded": "503; not charged",
    "error": "500; not charged",
    "drop_before": "the connection breaks before anything is computed; not charged",
    "drop_after": "the answer is computed and charged, and the connection breaks",
    "slow": "the answer comes after `slow_seconds`; charged at once",
    "malformed": "charged, and what comes is no chat completion",
    "other_model": "charged; the answer names another model",
    "no_usage": "charged; the answer does not say how many tokens",
    "unauthorized": "401",
    "quota": "429 that says that the account is spent",
    "too_long": "400 for a prompt that is too long",
    "wants_other": "400 that asks for max_completion_tokens, where max_tokens was sent",
}
"""What may happen to a call."""


@dataclass(kw_only=True)
class ChatFaults:
    """What goes wrong how often, and how long things take; tests change it while it runs."""

    busy: float = 0.0
    overloaded: float = 0.0
    error: float = 0.0
    drop_before: float = 0.0
    drop_after: float = 0.0
    slow: float = 0.0
    malformed: float = 0.0
    other_model: float = 0.0
    no_usage: float = 0.0
    unauthorized: float = 0.0
    quota: float = 0.0
    too_long: float = 0.0
    wants_other: float = 0.0
    script: Sequence[str] = ()
    """Faults of the first calls, "" for none; the shares apply after them."""
    latency: float = 0.0
    """Seconds of every answer."""
    slow_seconds: float = 30.0
    retry_after: float = 1.0
    retry_by_date: bool = False
    """Whether Retry-After is written as an HTTP date."""
    busy_for: float = 0.0
    """Seconds from the first call in which every call is told to come later."""
    per_second: float = 0.0
    """Calls that are taken in any second, 0: all."""
    seed: int = 7
    calls: int = field(default=0, init=False)
    _first: float | None = field(default=None, init=False)
    _taken: list[float] = field(default_factory=list, init=False)

    def choose(self, now: float) -> str:
        """Return the fault of a call at `now` (seconds of any clock), "" for none."""
        count, self.calls = self.calls, self.calls + 1
        self._first = now if self._first is None else self._first
        if now - self._first < self.busy_for or not self._room(now):
            return "busy"
        if count < len(self.script):
            return self.script[count]
        drawn = random.Random(f"{self.seed} {count}").random()  # noqa: S311  # a rehearsal, not a secret
        for fault in CHAT_FAULTS:
            drawn -= getattr(self, fault)
            if drawn < 0:
                return fault
        return ""

    def _room(self, now: float) -> bool:
        if not self.per_second:
            return True
        self._taken = [moment for moment in self._taken if now - moment < 1]
        if len(self._taken) >= self.per_second:
            return False
        self._taken.append(now)
        return True
