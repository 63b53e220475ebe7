"""How a JSONL file of chat rows is read, however hostile; it does not judge whether the rows are good for training.

Bytes are split on `\\n` alone, each line is strict UTF-8 and strict JSON. Every rejection is a line number and a
reason, never content.
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from knowledge.errors import UserError
from trainers.data.findings import Finding, block
from trainers.data.formats.chat import from_chat, is_pictured
from trainers.data.formats.preference import from_openai_pair
from trainers.data.formats.whole import DECLARED, told, whole
from trainers.data.limits import ReadLimits, read_limits
from trainers.data.lines import Lines, TooLarge
from trainers.data.notes import Notes
from trainers.data.parsing import Refusal, parse_object
from trainers.data.recognise import HEAD_BYTES, refuse_kind

_MESSAGE_KEYS = frozenset(("role", "content", "weight"))  # weight 0 keeps an answer out of the loss
_TOOL_KEYS = frozenset(("tool_calls", "tool_call_id", "function_call", "name"))
_PAIR_KEYS = ("input", "preferred_output", "non_preferred_output")
_OTHER_SHAPES = (
    (("prompt", "completion"), "prompt and completion"),
    (("instruction", "output"), "instruction and output (Alpaca)"),
    (("conversations",), "conversations (ShareGPT)"),
    (("contents",), "contents (Vertex)"),
    (("chosen", "rejected"), "chosen and rejected (preference pairs)"),
)


class Message(NamedTuple):
    """One turn of a chat row."""

    role: str
    """Who speaks, as written in the file; the linter checks that it is known."""
    content: str
    """What is said, exactly as in the file."""


class Row(NamedTuple):
    """One training or test row: a chat whose last assistant turn is the target."""

    line: int
    """1-based line in its file; in one JSON list its place there."""
    messages: tuple[Message, ...]
    """All turns in order; at least one. In a preference pair: with the better answer."""
    rejected: tuple[Message, ...] = ()
    """In a preference pair: the same conversation with the worse answer; else empty."""
    whole: str = ""
    """Where tools or pictures are in it: the row as it is sent, messages and tools, in JSON; else ""."""

    @property
    def declared(self) -> dict[str, Any]:
        """What the row says of the tools that may be called, under the keys of OpenAI's API."""
        row = json.loads(self.whole) if self.whole else {}
        return {key: row[key] for key in DECLARED if key in row}

    @property
    def billed(self) -> tuple[Message, ...]:
        """All turns as whoever counts tokens reads them: what tools there are stands before them."""
        declared = self.declared
        return (*([Message("system", json.dumps(declared))] if declared else []), *self.messages)

    @property
    def system(self) -> str:
        """The system prompt, or an empty string."""
        return self.messages[0].content if self.messages[0].role == "system" else ""

    @property
    def prompt(self) -> str:
        """All turns before the target except the system prompt, joined by newlines; for a single turn, its text."""
        return "\n".join(turn.content for turn in self.messages[:-1] if turn.role != "system")

    @property
    def target(self) -> str:
        """The answer to learn: the text of the last turn."""
        return self.messages[-1].content


class Reading(NamedTuple):
    """What came of reading one file."""

    rows: list[Row]
    """Rows that could be read, in file order."""
    findings: tuple[Finding, ...]
    """What could not, by line number and reason."""
    sha256: str
    """Hash of the file's bytes in hex; empty if the file was refused before it was read to its end."""


def read_rows(path: Path, limits: ReadLimits | None = None) -> Reading:
    """Read chat rows from a JSONL file; raises `UserError` only if there is no readable file at `path`."""
    limits = limits or read_limits()
    notes = Notes()
    with open_file(path) as file:
        kind = refuse_kind(_peek(file))
        lines = Lines(file, limits)
        rows: list[Row] = []
        try:
            if kind is None:
                rows = list(_rows(lines, limits, notes))
            for _ in lines:  # to the end, for the hash
                pass
        except TooLarge:
            return Reading([], (too_large(limits.file_bytes),), "")
    return Reading(rows, notes.findings() if kind is None else (kind,), lines.sha256)


def rows_in(content: bytes) -> list[Row]:
    """Return the rows of bytes that are JSONL; lines that hold none are left out."""
    limits = read_limits()
    return list(_rows(Lines(io.BytesIO(content), limits), limits, Notes()))


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading; raises `UserError` where there is none, or it may not be read."""
    if not path.is_file():
        raise UserError(f"There is no file at {path}.", "Check the path and try again.")
    try:
        return path.open("rb")
    except OSError as error:
        raise UserError(f"I can't read {path}: {error.strerror}.", "Check its permissions and try again.") from error


def too_large(most: int) -> Finding:
    """The finding about a file over its cap."""
    size = f"{most // 2**30} GiB" if most >= 2**30 else f"{most // 2**20} MiB"
    message = f"That file is larger than {size}, the most I read."
    return block("file_too_large", (), message, "Split it, or keep the best rows; upload again.")


def each_object(lines: Lines, limits: ReadLimits, notes: Notes) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the line number and JSON object of each line; lines that hold none go to the notes."""
    for number, raw in lines:
        if number > limits.rows:
            notes.too_many_rows = limits.rows
            return
        if not raw.strip(b" \t\r\n"):
            notes.blank += 1
            continue
        try:
            yield number, parse_object(raw, limits)
        except Refusal as refusal:
            notes.refuse(number, _carriage_return(raw) or refusal)


def _peek(file: BinaryIO) -> bytes:
    head = file.read(HEAD_BYTES)
    file.seek(0, io.SEEK_SET)
    return head


def _carriage_return(raw: bytes) -> Refusal | None:
    """Name what an old Mac's line ends do to a file."""
    if b"}\r{" not in raw:
        return None
    return Refusal("invalid_json", "several rows, because the lines end in a bare carriage return")


def _rows(lines: Lines, limits: ReadLimits, notes: Notes) -> Iterator[Row]:
    for number, value in each_object(lines, limits, notes):
        try:
            row = _row(number, value, notes)
        except Refusal as refusal:
            notes.refuse(number, refusal)
        else:
            yield row


def _row(line: int, value: dict[str, object], notes: Notes) -> Row:
    """Check that a JSON object is a chat row, or a preference pair, and keep what training uses of it."""
    if all(key in value for key in _PAIR_KEYS):
        return _pair(line, value)
    messages = value.get("messages")
    if not isinstance(messages, list):
        raise Refusal("no_messages", _missing_messages(value))
    if not messages:
        raise Refusal("no_messages", 'an empty "messages" list')
    more = _is_more(value, messages)
    if value.keys() - {"messages", *(DECLARED if more else ())}:
        notes.ignore("row", line)
    row = _whole(line, value) if more else Row(line, tuple(_message(item) for item in messages))
    answers = [item for item in messages if item["role"] == "assistant"]
    if answers and all(item.get("weight") == 0 for item in answers):  # as the linter's rule about trained tokens
        raise Refusal("bad_message", "no answer with another weight than 0, so there is nothing to learn")
    if any(item.keys() - _MESSAGE_KEYS - (_TOOL_KEYS if more else frozenset()) for item in messages):
        notes.ignore("message", line)
    return row


def _is_more(value: dict[str, object], messages: list[Any]) -> bool:
    """Say whether a row names or calls tools, or shows pictures."""
    turns = [item for item in messages if isinstance(item, dict)]
    named = bool(value.get("tools") or value.get("functions"))
    called = any(turn.get(key) for turn in turns for key in ("tool_calls", "function_call", "tool_call_id"))
    return named or called or any(is_pictured(turn.get("content")) for turn in turns)


def _whole(line: int, value: dict[str, object]) -> Row:
    """Read a row of more than texts: its turns are told in words, and it is kept whole beside them."""
    chat: dict[str, Any] = from_chat(value)
    return Row(line, tuple(Message(turn["role"], told(turn)) for turn in chat["messages"]), (), whole(chat))


def _pair(line: int, value: dict[str, object]) -> Row:
    """Read OpenAI's preference format, in which we keep pairs of whatever format."""
    chat: dict[str, Any] = from_openai_pair(value)
    asked: dict[str, Any] = value["input"]  # type: ignore[assignment]  # its reader has looked
    better, worse = (
        tuple(Message(str(turn["role"]), told(turn)) for turn in chat[side]) for side in ("messages", "rejected")
    )
    return Row(line, better, (*better[: len(asked["messages"])], *worse), whole(chat))


def _message(item: object) -> Message:
    if not isinstance(item, dict):
        raise Refusal("bad_message", "a message that is not an object with role and content")
    role, content = item.get("role"), item.get("content")
    if not isinstance(role, str):
        raise Refusal("unknown_role", "a message without a role")
    if "content" not in item:
        raise Refusal("bad_message", "a message without content")
    if not isinstance(content, str):
        raise Refusal("not_text", "a message whose content is not text")
    return Message(role, content)


def _missing_messages(value: dict[str, object]) -> str:
    for keys, name in _OTHER_SHAPES:
        if all(key in value for key in keys):
            return f'no "messages" list; it looks like the format with {name}'
    return 'no "messages" list'
