"""How a JSONL file of chat rows is read, however hostile; it does not judge whether the rows are good for training.

Bytes are split on `\\n` alone, each line is strict UTF-8 and strict JSON. Every rejection is a line number and a
reason, never content.
"""

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from knowledge.errors import UserError
from trainers.data.findings import Finding, block, info, lines_have, plural, warn
from trainers.data.limits import ReadLimits, read_limits
from trainers.data.parsing import FIXES, Refusal, parse_object
from trainers.data.recognise import HEAD_BYTES, refuse_kind

_BOM = b"\xef\xbb\xbf"
_NOT_ROWS = frozenset(("invalid_json", "not_an_object", "not_utf8"))  # such a line is no JSONL at all
_MESSAGE_KEYS = frozenset(("role", "content", "weight"))  # weight 0 keeps an earlier answer out of the loss
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
    """1-based line in its file."""
    messages: tuple[Message, ...]
    """All turns in order; at least one."""

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
    data = _read_capped(path, limits.file_bytes)
    if len(data) > limits.file_bytes:
        most = f"{limits.file_bytes // 2**20} MiB"
        message = f"That file is larger than {most}, the most I read."
        return Reading(
            [], (block("file_too_large", (), message, "Split it, or keep the best rows; upload again."),), ""
        )
    digest = hashlib.sha256(data).hexdigest()
    kind = refuse_kind(data[:HEAD_BYTES])
    if kind is not None:
        return Reading([], (kind,), digest)
    rows, notes = _read_lines(data.removeprefix(_BOM), limits)
    return Reading(rows, notes.findings(), digest)


def _read_capped(path: Path, most: int) -> bytes:
    """Read at most one byte more than allowed: a stated size is a claim, and a pipe has none."""
    if not path.is_file():
        raise UserError(f"There is no file at {path}.", "Check the path and try again.")
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except OSError as error:
        raise UserError(f"I can't read {path}: {error.strerror}.", "Check its permissions and try again.") from error


class _Notes:
    """Rejections and remarks of one reading, gathered by reason so that a million bad lines stay one finding."""

    def __init__(self) -> None:
        self.refused: dict[tuple[str, str], list[int]] = {}
        self.places: dict[tuple[str, str], int | None] = {}
        self.ignored: dict[str, list[int]] = {}
        self.blank = 0
        self.too_many_rows = 0

    def refuse(self, line: int, refusal: Refusal) -> None:
        key = (refusal.code, refusal.reason)
        self.places[key] = None if key in self.refused else refusal.place
        self.refused.setdefault(key, []).append(line)

    def findings(self) -> tuple[Finding, ...]:
        return tuple(self._spell())

    def _spell(self) -> Iterator[Finding]:
        for (code, reason), lines in self.refused.items():
            place = self.places[code, reason]
            near = f" (near character {place + 1:,})" if place is not None else ""
            what = f"{lines_have(lines)} {reason}{near}."
            if code in _NOT_ROWS:
                what = f"That file isn't JSONL: {what[0].lower()}{what[1:]}"
            yield block(code, lines, what, FIXES[code])
        for where, lines in self.ignored.items():
            message = f"{lines_have(lines)} keys in a {where} that training ignores."
            yield warn("ignored_key", lines, message, "Remove them, or check that nothing needed is in there.")
        if self.too_many_rows:
            message = f"That file has more than {self.too_many_rows:,} lines, the most I read."
            yield block("too_many_rows", (), message, "Keep the best rows; past some thousands more rarely helps.")
        if self.blank:
            yield info("blank_lines", f"{plural(self.blank, 'blank line')} skipped.")


def _read_lines(data: bytes, limits: ReadLimits) -> tuple[list[Row], _Notes]:
    rows: list[Row] = []
    notes = _Notes()
    if b"\n" not in data and b"}\r{" in data:
        notes.refuse(1, Refusal("invalid_json", "several rows, because the lines end in a bare carriage return"))
        return rows, notes
    for number, raw in enumerate(io.BytesIO(data), start=1):  # BytesIO ends lines at \n alone
        if number > limits.rows:
            notes.too_many_rows = limits.rows
            break
        if not raw.strip(b" \t\r\n"):
            notes.blank += 1
            continue
        try:
            rows.append(_row(number, parse_object(raw.removesuffix(b"\n").removesuffix(b"\r"), limits), notes))
        except Refusal as refusal:
            notes.refuse(number, refusal)
    return rows, notes


def _row(line: int, value: dict[str, object], notes: _Notes) -> Row:
    """Check that a JSON object is a chat row and keep what training uses of it."""
    messages = value.get("messages")
    if not isinstance(messages, list):
        raise Refusal("no_messages", _missing_messages(value))
    if not messages:
        raise Refusal("no_messages", 'an empty "messages" list')
    if len(value) > 1:
        notes.ignored.setdefault("row", []).append(line)
    turns = tuple(_message(item) for item in messages)
    if messages[-1].get("weight") == 0:
        raise Refusal("bad_message", "a last message with weight 0, so there is nothing to learn")
    if any(item.keys() - _MESSAGE_KEYS for item in messages):
        notes.ignored.setdefault("message", []).append(line)
    return Row(line, turns)


def _message(item: object) -> Message:
    if not isinstance(item, dict):
        raise Refusal("bad_message", "a message that is not an object with role and content")
    role, content = item.get("role"), item.get("content")
    if not isinstance(role, str):
        raise Refusal("bad_message", "a message without a role")
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
