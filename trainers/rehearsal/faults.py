"""Knows which fault the rehearsal provider shows next, from a seed; it does not know what the calls mean."""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

CALLS: Final = (
    "upload", "start", "cancel", "pause", "resume", "delete", "deploy", "undeploy", "read", "chat", "webhook",
)  # fmt: skip
"""What faults are chosen for: POST files, jobs, cancel, pause and resume, DELETE files, PUT and DELETE deployments, any
GET, POST chat completions, and what we send to webhooks."""

FAULTS: Final = {
    "drop_before": "the connection breaks and nothing is kept",
    "drop_after": "it is kept and the connection breaks",
    "error_before": "500 and nothing is kept",
    "error_after": "it is kept and the answer is 500",
    "slow": "it is kept at once and the answer comes after `slow_seconds`",
    "late": "it is kept after `late_seconds`, and then answered",
    "busy": "429 with Retry-After of `retry_after` seconds; nothing is kept",
    "unauthorized": "401",
    "forbidden": "403 with OpenAI's code training_not_available",
    "missing": "404",
    "conflict": "409",
    "unavailable": "503",
    "odd_status": "a job says that its status is one that nobody knows",
    "invalid": "the job is taken and fails at validating_files: a line is no example",
    "moderated": "the job is taken and fails at validating_files: moderation blocked the file",
    "dies": "the job is taken and fails while running",
    "forged": "a webhook is signed with another secret",
    "replayed": "a webhook is sent twice, byte for byte",
    "stale": "a webhook is dated an hour back",
    "lost": "a webhook is never sent",
}
"""What may happen to a call, and what that means."""


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What goes wrong how often, and how long things take."""

    rates: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Call -> fault -> share of calls, 0 to 1."""
    script: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Call -> faults of its first calls, "" for none; the rates apply after them."""
    slow_seconds: float = 30.0
    late_seconds: float = 2.0
    retry_after: float = 1.0
    list_lag: float = 0.0
    """Seconds for which lists do not show what was just made."""
    metadata: Literal["kept", "dropped", "ignored"] = "kept"
    """`dropped`: jobs come back without theirs, and no filter finds one; `ignored`: besides, lists are not filtered."""
    seed: int = 7
    _seen: Counter[str] = field(default_factory=Counter, init=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse a call or fault that nobody knows: a misspelt one would never happen."""
        named = {fault for faults in (*self.rates.values(), *self.script.values()) for fault in faults} - {""}
        unknown = ({*self.rates, *self.script} - set(CALLS)) | (named - set(FAULTS))
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}; calls: {CALLS}; faults: {tuple(FAULTS)}")

    @classmethod
    def from_json(cls, text: str, seed: int) -> "Faults":
        """Read `{"start": {"drop_after": 0.02}, "script": {"upload": ["error_after"]}, "list_lag": 2}`."""
        data: dict[str, Any] = json.loads(text or "{}")
        rates: dict[str, Any] = {call: data.pop(call) for call in CALLS if call in data}
        return cls(rates=rates, seed=seed, **data)

    def choose(self, call: str, about: str) -> str:
        """Return the fault of this call, "" for none; the n-th call `about` something always gets the same one."""
        count = self._seen[call]
        self._seen[call] += 1
        scripted = self.script.get(call, ())
        if count < len(scripted):
            return scripted[count]
        again = self._seen[f"{call} {about}"]
        self._seen[f"{call} {about}"] += 1
        drawn = random.Random(f"{self.seed} {call} {about} {again}").random()  # noqa: S311  # a rehearsal, not a secret
        for fault, rate in self.rates.get(call, {}).items():
            drawn -= rate
            if drawn < 0:
                return fault
        return ""
