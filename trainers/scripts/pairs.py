"""Knows how preference pairs are read for a model: two conversations that differ in their answer; not how they count.

A line is OpenAI's preference format: ``input.messages``, ``preferred_output`` and ``non_preferred_output``.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from trainers.scripts.chat import Message
from trainers.scripts.child import ScriptError

AGAIN = "Correct the line and try again."


class Pair(NamedTuple):
    """One question with two answers, each as a whole conversation; replies before the answer carry no loss."""

    better: list[Message]
    worse: list[Message]


def read_pairs(path: Path) -> list[Pair]:
    """Read JSONL; errors name the line and the reason, never the content."""
    pairs = []
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                pairs.append(_pair(line, f"{path.name}, line {number}"))
    if not pairs:
        raise ScriptError(f"{path.name} holds no pairs.", "Give a JSONL file with one preference pair a line.")
    return pairs


def _pair(line: str, where: str) -> Pair:
    try:
        row = json.loads(line)
        asked = [_muted(message) for message in row["input"]["messages"]]
        better, worse = ([*asked, *row[name]] for name in ("preferred_output", "non_preferred_output"))
    except json.JSONDecodeError:
        raise ScriptError(f"{where}: not valid JSON.", AGAIN) from None
    except (KeyError, TypeError):
        raise ScriptError(f"{where}: no preference pair.", AGAIN) from None
    for conversation in (better, worse):
        _check(conversation, where)
        if len(conversation) != len(asked) + 1 or conversation[-1]["role"] != "assistant":
            raise ScriptError(f"{where}: an answer that is not one message of the assistant.", AGAIN)
    return Pair(better, worse)


def _muted(message: Any) -> Message:
    return {**message, "weight": 0} if message["role"] == "assistant" else message


def _check(messages: list[Any], where: str) -> None:
    for message in messages:
        text = isinstance(message, dict) and isinstance(message.get("content"), str) and message["content"].strip()
        if not text or message.get("role") not in ("system", "user", "assistant"):
            raise ScriptError(f"{where}: a message has a wrong role or no text.", AGAIN)
