"""Every row format that Luthier reads, told apart by a row's keys, and turned into one chat shape.

The chat shape is OpenAI's: `messages` of role and content, with `tools` where tools are called, and `rejected`, the
messages of the worse answer, in a preference pair.
"""

from collections.abc import Callable, Mapping

from trainers.data.formats.chat import from_chat
from trainers.data.formats.pairs import from_alpaca, from_prompt, from_table
from trainers.data.formats.preference import from_openai_pair, from_pair
from trainers.data.formats.sharegpt import from_sharegpt
from trainers.data.formats.vertex import from_vertex
from trainers.data.parsing import Refusal

Value = dict[str, object]

READERS: Mapping[str, Callable[[Value], Value]] = {
    "chat": from_chat,
    "openai_preference": from_openai_pair,
    "preference": from_pair,
    "vertex": from_vertex,
    "sharegpt": from_sharegpt,
    "alpaca": from_alpaca,
    "prompt_completion": from_prompt,
    "table": from_table,
}
"""Turns a row of each format into the chat shape; raises `Refusal` where it cannot."""

NAMES: Mapping[str, str] = {
    "chat": "OpenAI's chat format (messages)",
    "openai_preference": "OpenAI's preference format (input, preferred_output, non_preferred_output)",
    "preference": "preference pairs (prompt, chosen, rejected)",
    "vertex": "Vertex's format (contents)",
    "sharegpt": "ShareGPT's format (conversations)",
    "alpaca": "Alpaca's format (instruction, input, output)",
    "prompt_completion": "prompt and completion",
    "table": "a table with a column for the question and one for the answer",
}
"""What each format is called in a sentence."""

_KEYS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("chat", ("messages",)),
    ("openai_preference", ("preferred_output", "non_preferred_output")),
    ("preference", ("chosen", "rejected")),
    ("vertex", ("contents",)),
    ("sharegpt", ("conversations",)),
    ("sharegpt", ("conversation",)),
    ("prompt_completion", ("prompt", "completion")),
    ("alpaca", ("instruction", "output")),
)


def detect(value: Value) -> str | None:
    """Name the format of a row by its keys; None if it is none that is known."""
    for name, keys in _KEYS:
        if all(key in value for key in keys):
            return name
    return "table" if from_table.fits(value) else None


def to_chat(value: Value, kind: str | None) -> Value:
    """Return a row in the chat shape; raises `Refusal` where it is no row of this kind."""
    if kind is None:
        raise _unknown(value)
    return READERS[kind](value)


_HALVES: tuple[tuple[str, str, str, str], ...] = (
    ("instruction", "output", "empty_target", "an instruction without its output"),
    ("prompt", "completion", "empty_target", "a prompt without its completion"),
    ("chosen", "rejected", "no_messages", "a preference pair without its worse answer"),
    ("rejected", "chosen", "no_messages", "a preference pair without its better answer"),
    ("preferred_output", "non_preferred_output", "no_messages", "a preference pair without its worse answer"),
    ("non_preferred_output", "preferred_output", "no_messages", "a preference pair without its better answer"),
)
"""A key that a format begins with, the one that is missing beside it, and what that is called."""


def _unknown(value: Value) -> Refusal:
    """Name what is missing in a row that is half of a known format."""
    for there, missing, code, reason in reversed(_HALVES):
        if there in value and missing not in value:
            return Refusal(code, reason)
    return Refusal("no_messages", 'no "messages" list, and no other shape of rows that I know')
