"""Knows what the pretended models answer: the tuned one is right, the base mostly not; it does not know HTTP."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BASE, TUNED = "rehearsal-base", "rehearsal-tuned"
"""The models; every other name is unknown."""
NOT_ME = "another-model"
"""Who answers under the fault `other_model`."""


@dataclass(kw_only=True)
class Pretender:
    """The right answers, and how often the base knows them."""

    right: dict[str, Any] = field(default_factory=dict)
    """What the user says last -> the right answer: a text, or a list of calls of tools."""
    base_right: float = 0.3
    """Share of questions that the base gets right; examples in the prompt add 0.2."""
    tuned_right: float = 1.0

    @classmethod
    def from_files(cls, paths: Iterable[Path], **shares: float) -> "Pretender":
        """Read the right answers from rows in OpenAI's chat format."""
        right = {}
        for path in paths:
            for line in path.read_text(encoding="utf-8").splitlines():
                turns = json.loads(line)["messages"]
                right[_asked(turns)] = turns[-1].get("tool_calls") or str(turns[-1]["content"])
        return cls(right=right, **shares)

    def knows(self, messages: Sequence[Mapping[str, Any]]) -> bool:
        """Say whether it was given the right answer."""
        return _asked(messages) in self.right

    def answer(self, model: str, messages: Sequence[Mapping[str, Any]]) -> Any:
        """Return an answer, a text or a list of calls; the same question always gets the same one."""
        asked = _asked(messages)
        if asked not in self.right:
            return "I would say yes."
        share = self.tuned_right if model == TUNED else self.base_right + 0.2 * (len(messages) > 3)
        drawn = int(hashlib.sha256(f"{model} {asked}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
        if drawn < share or share >= 1:
            return self.right[asked]
        return f"I think it may be about something else than {len(asked)} letters can say."


def tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """Count tokens as this endpoint does: three characters each, four for every turn."""
    return sum(-(-len(str(turn.get("content", ""))) // 3) + 4 for turn in messages)


def _asked(turns: Sequence[Mapping[str, Any]]) -> str:
    return next((str(turn["content"]) for turn in reversed(turns) if turn.get("role") == "user"), "")
