"""Where the shipped probes lie and how they are read and handed to the child that asks them; it does not mark answers.

All items were written for Luthier and are free for any use (CC0 1.0); none was taken from a published benchmark.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from knowledge.errors import ServiceError
from trainers.data.jsonl import Message

SUITES = ("general", "refusal", "over_refusal")
"""Everyday skills, requests to refuse, and harmless requests that only sound dangerous."""

ALL_PROBES = 1000
"""More than any suite has."""

_HERE = Path(__file__).parent
_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One fixed request."""

    id: str
    """Unique over all suites, such as `general-json-03`."""
    suite: str
    """One of `SUITES`."""
    group: str
    """The skill (general) or the category (the other two) that it belongs to."""
    messages: tuple[Message, ...]
    """The conversation, which ends with a user's turn."""
    max_new_tokens: int
    """Most tokens of the answer."""
    check: Mapping[str, Any] = field(default_factory=lambda: _NONE, hash=False)
    """What a right answer must look like (see `checks`); empty where refusing or not is all that counts."""
    gold: str = ""
    """An answer that passes the check."""
    wrong: tuple[str, ...] = ()
    """Answers that do not."""

    @property
    def question(self) -> str:
        """All turns, joined by newlines."""
        return "\n".join(turn.content for turn in self.messages)

    def to_child(self) -> dict[str, Any]:
        """What the evaluation child reads: id, suite, messages and max_new_tokens, and never the right answer."""
        messages = [{"role": turn.role, "content": turn.content} for turn in self.messages]
        return {"id": self.id, "suite": self.suite, "messages": messages, "max_new_tokens": self.max_new_tokens}


@cache
def load_probes() -> tuple[Probe, ...]:
    """All shipped probes, suite by suite, in a fixed order."""
    return tuple(probe for suite in SUITES for probe in _read(_HERE / f"{suite}.jsonl"))


def spread(most: int) -> list[Probe]:
    """Up to `most` probes of each suite, in the fixed order: one of every skill or category before a second of any."""
    turns: Counter[tuple[str, str]] = Counter()
    ranked: dict[str, list[tuple[int, int, Probe]]] = {}
    for place, probe in enumerate(load_probes()):
        ranked.setdefault(probe.suite, []).append((turns[probe.suite, probe.group], place, probe))
        turns[probe.suite, probe.group] += 1
    chosen = [one for suite in ranked.values() for one in sorted(suite, key=lambda one: one[:2])[:most]]
    return [probe for _, _, probe in sorted(chosen, key=lambda one: one[1])]


@cache
def digest() -> str:
    """SHA-256 over the shipped files in hex: two figures compare only if their digests are equal."""
    whole = hashlib.sha256()
    for suite in SUITES:
        whole.update((_HERE / f"{suite}.jsonl").read_bytes())
    return whole.hexdigest()


def write_for_child(path: Path, probes: Sequence[Probe] | None = None) -> None:
    """Write the JSONL that the evaluation child reads, one `Probe.to_child` a line; all probes unless given."""
    chosen = load_probes() if probes is None else probes
    lines = [json.dumps(probe.to_child(), ensure_ascii=False) + "\n" for probe in chosen]
    path.write_text("".join(lines), encoding="utf-8")


def read_arms(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Read what base and tuned model answered, by probe: lines with `arm`, `id` and `output`.

    Raises `ServiceError` if the file is damaged.
    """
    try:
        values = [json.loads(line) for line in path.read_bytes().split(b"\n") if line.strip()]
        said: dict[str, dict[str, str]] = {"base": {}, "tuned": {}}
        for value in values:
            said[value["arm"]][str(value["id"])] = str(value["output"])
        return said["base"], said["tuned"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ServiceError("The answers to the probes are missing or damaged.", "Evaluate again.") from None


def _read(path: Path) -> list[Probe]:
    return [_probe(json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def _probe(value: Mapping[str, Any]) -> Probe:
    return Probe(
        id=value["id"],
        suite=value["suite"],
        group=value.get("skill") or value["category"],
        messages=tuple(Message(turn["role"], turn["content"]) for turn in value["messages"]),
        max_new_tokens=value["max_new_tokens"],
        check=MappingProxyType(value.get("check", {})),
        gold=value.get("gold", ""),
        wrong=tuple(value.get("wrong", ())),
    )
