"""Knows how preference pairs are read for a model: two conversations that differ in their answer; not how they count.

A line is OpenAI's preference format: ``input.messages``, ``preferred_output`` and ``non_preferred_output``.
"""

from pathlib import Path
from typing import Any, NamedTuple

from trainers.scripts.chat import AGAIN, Message, check_turns, read_lines
from trainers.scripts.child import ScriptError


class Pair(NamedTuple):
    """One question with two answers, each as a whole conversation; replies before the answer carry no loss."""

    better: list[Message]
    worse: list[Message]


def read_pairs(path: Path) -> list[Pair]:
    """Read JSONL; errors name the line and the reason, never the content."""
    pairs = read_lines(path, _pair)
    if not pairs:
        raise ScriptError(f"{path.name} holds no pairs.", "Give a JSONL file with one preference pair a line.")
    return pairs


def _pair(row: Any, where: str) -> Pair:
    try:
        asked = [_muted(message) for message in row["input"]["messages"]]
        better, worse = ([*asked, *row[name]] for name in ("preferred_output", "non_preferred_output"))
    except (KeyError, TypeError):
        raise ScriptError(f"{where}: no preference pair.", AGAIN) from None
    for conversation in (better, worse):
        check_turns(conversation, where)
        if len(conversation) != len(asked) + 1 or conversation[-1]["role"] != "assistant":
            raise ScriptError(f"{where}: an answer that is not one message of the assistant.", AGAIN)
    return Pair(better, worse)


def _muted(message: Any) -> Message:
    return {**message, "weight": 0} if message["role"] == "assistant" else message
