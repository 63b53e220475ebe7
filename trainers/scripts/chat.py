"""Knows how chat rows become tokens and which tokens carry loss; does not know models or training."""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from trainers.scripts.child import ScriptError

Message = dict[str, Any]
T = TypeVar("T")
AGAIN = "Correct the line and try again."
MARK_ONE_TURN = "Give each row messages that alternate and end with an assistant's reply."


class Encoded(NamedTuple):
    """One row as tokens."""

    ids: list[int]
    """Token ids of the whole conversation."""
    trained: list[bool]
    """True where the token is a target: assistant replies and their end-of-turn token."""


def read_rows(path: Path) -> list[list[Message]]:
    """Read JSONL rows ``{"messages": [...]}``; errors name the line and the reason, never the content."""
    rows = read_lines(path, _messages)
    if not rows:
        raise ScriptError(f"{path.name} holds no rows.", "Give a JSONL file with one conversation a line.")
    return rows


def read_lines(path: Path, read: Callable[[Any, str], T]) -> list[T]:
    """Read every line of JSONL that is not blank with `read`, which is told where it stands.

    A byte order mark at the head is no part of a line. What is no JSON raises ScriptError, never with its content.
    """
    found = []
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                where = f"{path.name}, line {number}"
                try:
                    value = json.loads(line)
                except json.JSONDecodeError:
                    raise ScriptError(f"{where}: not valid JSON.", AGAIN) from None
                found.append(read(value, where))
    return found


def check_turns(messages: Sequence[Any], where: str) -> None:
    """Raise ScriptError for a message with a wrong role or no text."""
    for message in messages:
        text = isinstance(message, dict) and isinstance(message.get("content"), str) and message["content"].strip()
        if not text or message.get("role") not in ("system", "user", "assistant"):
            raise ScriptError(f"{where}: a message has a wrong role or no text.", AGAIN)


def sha256(path: Path) -> str:
    """Return the sha256 of a file as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stop_ids(tokenizer: Any, model: Any = None) -> set[int]:
    """Return the ids that end a turn: the tokenizer's and, where given, the model's own."""
    ids = {tokenizer.eos_token_id}
    configured = getattr(getattr(model, "generation_config", None), "eos_token_id", None)
    if configured is not None:
        ids |= set(configured) if isinstance(configured, (list, tuple)) else {configured}
    return {i for i in ids if i is not None}


def prompt_ids(tokenizer: Any, messages: Sequence[Message]) -> list[int]:
    """Return the tokens of a conversation that waits for the assistant."""
    return _tokens(tokenizer, _render(tokenizer, messages, waiting=True))


def encode(tokenizer: Any, messages: Sequence[Message], ends: set[int], row: int) -> Encoded:
    """Return a row's tokens and targets.

    Each reply is tokenised apart from what precedes it, exactly as at inference, where the model continues a prompt.
    ``row`` is its number in the file, counted from 1, for the error.
    """
    ids: list[int] = []
    trained: list[bool] = []
    rendered = ""
    for index, message in enumerate(messages):
        if message["role"] != "assistant" or message.get("weight") == 0:
            continue
        prompt = _render(tokenizer, messages[:index], waiting=True)
        whole = _render(tokenizer, messages[: index + 1], waiting=False)
        if not prompt.startswith(rendered) or not whole.startswith(prompt):
            raise ScriptError(
                f"Row {row}: this model's chat template rewrites earlier turns, so targets cannot be marked.",
                "Split the conversation into rows with one reply each.",
            )
        reply = whole[len(prompt) :].rstrip()
        for text, target in ((prompt[len(rendered) :], False), (reply, True)):
            piece = _tokens(tokenizer, text)
            ids += piece
            trained += [target] * len(piece)
        if ids[-1] not in ends:
            raise ScriptError(
                f"Row {row}: this model's chat template puts no end-of-turn token after a reply.",
                "Choose an instruction-tuned base model.",
            )
        rendered = prompt + reply
    if not any(trained):
        raise ScriptError(f"Row {row} holds no reply to learn from.", MARK_ONE_TURN)
    return Encoded(ids, trained)


def reply_limit(tokenizer: Any, replies: Iterable[str], most: int) -> int:
    """Return how many new tokens suffice for replies like these: a quarter more than the longest, 12 at least."""
    longest = max(len(_tokens(tokenizer, reply)) + 1 for reply in replies)
    return min(most, max(12, int(longest * 1.25) + 4))


def shared_prefix(sequences: Iterable[Sequence[int]]) -> int:
    """Return how many leading tokens all sequences share.

    >>> shared_prefix([[1, 2, 3], [1, 2, 4, 5]])
    2
    """
    length = 0
    for column in zip(*sequences, strict=False):
        if len(set(column)) > 1:
            break
        length += 1
    return length


def _messages(row: Any, where: str) -> list[Message]:
    messages = row.get("messages") if isinstance(row, dict) else None
    if not isinstance(messages, list) or not messages:
        raise ScriptError(f"{where}: no list named messages.", AGAIN)
    check_turns(messages, where)
    if messages[-1]["role"] != "assistant":
        raise ScriptError(f"{where}: the last message is not the assistant's.", MARK_ONE_TURN)
    return messages


def _render(tokenizer: Any, messages: Sequence[Message], *, waiting: bool) -> str:
    plain = [{"role": m["role"], "content": m["content"]} for m in messages]
    return str(tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=waiting))


def _tokens(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
