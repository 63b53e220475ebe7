"""Turns a file of rows into the exact file that a target wants; a row that the target would refuse is never written."""

import csv
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import IO, NamedTuple

from knowledge.errors import UserError
from trainers.data.counting import CountRow
from trainers.data.findings import Finding, block, plural, tell, warn
from trainers.data.formats import detect
from trainers.data.formats.vertex import rewritten
from trainers.data.formats.writers import MARK, WRITERS, line, texts_only, to_openai
from trainers.data.jsonl import Message, Row
from trainers.data.limits import ReadLimits, TargetLimits, shell_limits, target_limits
from trainers.data.parsing import Refusal
from trainers.data.rules.handover import unread_keys
from trainers.data.rules.view import View
from trainers.data.source import Chat, Source
from trainers.data.spreadsheets.cells import guard
from trainers.data.usable import Usable

TABLES = ("csv", "tsv")
DESTINATIONS = (*WRITERS, *TABLES)
"""What a file can be converted to."""
_JUDGED_AS = {"hf": "together", "csv": "local", "tsv": "local"}
"""Whose roles hold for what is no target of its own; lengths are not judged there."""

Value = dict[str, object]


class Converted(NamedTuple):
    """What came of a conversion."""

    rows: int
    """Rows written."""
    findings: tuple[Finding, ...]
    """Lines that could not be read, used, or kept whole, and why."""
    kinds: dict[str, int]
    """Rows by the format that they had."""


def convert(
    path: Path,
    out: Path,
    *,
    to: str,
    kind: str | None = None,
    skip: bool = False,
    limits: ReadLimits | None = None,
    count: CountRow | None = None,
) -> Converted:
    """Write the rows of a file as a target wants them, whole or not at all; a file that is there is never overwritten.

    What `lint` would block in the new file is not written but named: with `skip` the rest is written, without it
    nothing. `count` counts the target's tokens; without it no row is too long. Raises UserError for an unknown target
    and where `out` exists.
    """
    if to not in DESTINATIONS:
        raise UserError(f"I don't know how to write for {to[:40]!r}.", f"Use one of: {', '.join(DESTINATIONS)}.")
    accepted = target_limits(_JUDGED_AS.get(to, to))
    source = Source(path, limits or shell_limits(), kind=kind, lists=True)
    work = _Work(to, accepted, count if to not in _JUDGED_AS else None)
    with new_file(out) as file:
        if to == "azure":
            file.write(MARK)
        for content in work.lines(source):
            file.write(content)
        findings = tuple(source.counted((*source.findings(), *work.findings())))
        blocked = any(finding.severity == "BLOCK" for finding in findings)
        file.keep = bool(work.written) and not work.too_much and (skip or not blocked)
    kinds: Counter[str] = source.kinds
    return Converted(work.written if file.keep else 0, findings, dict(kinds))


def converted_bytes(path: Path, *, kind: str | None = None) -> bytes:
    """Return a file's rows as the JSONL that is kept here; lines that are no rows are left out.

    Chats become OpenAI's chat rows, preference pairs of whatever format OpenAI's preference rows, both with tools and
    pictures. Raises `Refusal` for what is written in Vertex's own way, which the linter blocks before.
    """
    source = Source(path, shell_limits(), kind=kind, lists=True)
    return b"".join(line(to_openai(chat.value)) for chat in source)


class NewFile:
    """A file that appears under its name once it is whole, and only if it was kept."""

    def __init__(self, out: Path) -> None:
        """Take the name; raises UserError where something has it already."""
        if out.exists() or out.is_symlink():
            raise UserError(f"There is a file {out} already.", "Move it away, or name another with --out.")
        self._out, self.keep = out, True
        handle, name = tempfile.mkstemp(dir=_folder(out), prefix=f".{out.name}.")
        self._file: IO[bytes] = os.fdopen(handle, "wb")
        self._beside = Path(name)

    def write(self, content: bytes) -> None:
        """Append bytes."""
        self._file.write(content)

    def __enter__(self) -> "NewFile":
        """Return the file."""
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Give the file its name, or remove it."""
        self._file.close()
        try:
            if kind is None and self.keep:
                self._beside.chmod(0o644)
                os.link(self._beside, self._out)  # unlike a rename, this never replaces a file that came meanwhile
        except FileExistsError as error:
            raise UserError(f"There is a file {self._out} already.", "Move it away, or name another.") from error
        finally:
            self._beside.unlink(missing_ok=True)


def new_file(out: Path) -> NewFile:
    """Open a file that is not there yet."""
    return NewFile(out)


def _folder(out: Path) -> Path:
    if not out.parent.is_dir():
        raise UserError(f"There is no folder {out.parent}.", "Make it, or name another file with --out.")
    return out.parent


class _Work:
    """One pass over a file: what is written, and what is not."""

    def __init__(self, to: str, accepted: TargetLimits, count: CountRow | None) -> None:
        self._to, self._accepted, self._own = to, accepted, to not in _JUDGED_AS
        self._write: Callable[[Value], Value] = _as_table if to in TABLES else WRITERS[to]
        self._usable = Usable(accepted, count)
        self.written = self._size = self._stripped = self._worse = 0

    @property
    def too_much(self) -> bool:
        """Whether the target takes no file so large."""
        return self._own and (self._size > self._accepted.file_bytes or self.written > self._accepted.rows)

    def lines(self, source: Source) -> Iterator[bytes]:
        """Yield what is written for each row; rows that can't be used go to the notes of the source or of this."""
        for chat in source:
            try:
                content = self._line(_renamed(chat, self._accepted.roles), source.limits.line_bytes)
            except Refusal as refusal:
                source.notes.refuse(chat.row.line, refusal)
                continue
            if content is None:
                continue
            if self._to in TABLES and not self.written:
                content = _cells(["system", "prompt", "completion"], self._to) + content
            self.written += 1
            self._size += len(content)
            self._stripped += unread_keys(chat)
            self._worse += "rejected" in chat.value and self._to in TABLES
            yield content

    def findings(self) -> Iterator[Finding]:
        """Say which rows can't be used, and what was left out or is still missing."""
        yield from self._usable.findings()
        if self.too_much:
            most = f"{self._accepted.rows:,} rows and {self._accepted.file_bytes / 1e6:,.0f} MB"
            what = f"The new file would have {plural(self.written, 'row')} and {self._size / 1e6:,.0f} MB"
            message = f"{what}; {self._to} takes {most} at most."
            yield block("file_over_limit", (), message, "Split it, or keep the best rows.")
        if self._own and 0 < self.written < self._accepted.least_rows:
            message = f"{plural(self.written, 'row')}; {self._to} trains on {self._accepted.least_rows} or more."
            yield warn("few_rows", (), message, "Add rows before you hand the file over; as a test file it may do.")
        if self._stripped:
            message = f"{plural(self._stripped, 'row')} had keys beside the conversation, which were left out."
            yield tell("left_out", message)
        if self._worse:
            yield tell("left_out", "A table has no place for the worse answers; they were left out.")

    def _line(self, chat: Chat, most: int) -> bytes | None:
        """Return the bytes of a row, None where it can't be used; raises `Refusal` where it has no place."""
        written = rewritten(chat.raw) if (self._to, chat.kind) == ("vertex", "vertex") else self._write(chat.value)
        if not self._usable.takes(View(chat._replace(raw=written, kind=detect(written) or "table"))):
            return None
        if self._to in TABLES:
            return _cells([guard(str(cell)) for cell in written.values()], self._to)
        content = line(written)
        if len(content) > most:
            raise Refusal("line_too_long", f"more than {most // 1024:,} KiB once it is written")
        return content


def _renamed(chat: Chat, roles: frozenset[str]) -> Chat:
    """Call the developer's prompt a system prompt where only that is known: both say the same to a model."""
    if "developer" in roles or all(turn.role != "developer" for turn in chat.row.messages):
        return chat
    turns: list[Value] = chat.value["messages"]  # type: ignore[assignment]  # the chat shape
    named = [turn | {"role": "system"} if turn["role"] == "developer" else turn for turn in turns]
    said = (Message("system" if turn.role == "developer" else turn.role, turn.content) for turn in chat.row.messages)
    return chat._replace(row=Row(chat.row.line, tuple(said)), value=chat.value | {"messages": named})


def _as_table(chat: Value) -> Value:
    """Return the cells of a row by column; raises `Refusal` where it is more than a question and an answer."""
    turns: list[Value] = texts_only(chat)["messages"]  # type: ignore[assignment]  # the chat shape
    system = [turn for turn in turns[:1] if turn["role"] == "system"]
    rest = turns[len(system) :]
    if [turn["role"] for turn in rest] != ["user", "assistant"]:
        raise Refusal("format_mismatch", "more than one question and one answer, which a table has no place for")
    if any(turn.get("name") for turn in turns):
        raise Refusal("format_mismatch", "a speaker's name, which a table has no place for")
    asked, answered = (turn["content"] for turn in rest)
    return {"system": system[0]["content"] if system else "", "prompt": asked, "completion": answered}


def _cells(cells: list[str], to: str) -> bytes:
    text = StringIO()
    csv.writer(text, delimiter="\t" if to == "tsv" else ",", lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(cells)
    return text.getvalue().encode()
