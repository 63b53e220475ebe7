"""Opens a file of rows, whatever kind it is, and yields its rows in the chat shape; it does not judge them."""

import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from trainers.data.findings import Finding, Spots, as_rows
from trainers.data.formats import detect, to_chat
from trainers.data.formats.chat import is_pictured
from trainers.data.formats.whole import calls_tools, shown, shows_pictures
from trainers.data.jsonl import Message, Row, each_object, open_file, too_large
from trainers.data.limits import ReadLimits, read_limits, workbook_limits
from trainers.data.lines import Lines, TooLarge
from trainers.data.lists import blame, read_list, starts_of
from trainers.data.notes import Notes
from trainers.data.parsing import Refusal
from trainers.data.recognise import HEAD_BYTES, is_workbook, refuse_kind
from trainers.data.spreadsheets import delimited, workbook

Value = dict[str, object]


class Chat(NamedTuple):
    """One row in the chat shape, beside what stood in the file."""

    row: Row
    """Who says what; tool calls are part of what is said."""
    value: Value
    """The chat shape: `messages`, and `tools` and `rejected` where there are such."""
    raw: Value
    """The row as it stands in the file."""
    kind: str
    """Its format."""


class Source:
    """One file of rows. What its rows are is known while and after they are read."""

    def __init__(
        self,
        path: Path,
        limits: ReadLimits,
        *,
        kind: str | None = None,
        tools: bool = True,
        lists: bool = False,
        refused: Finding | None = None,
    ) -> None:
        """Take the file, a format if somebody named one, and what is allowed.

        `tools`: rows may call tools and have parts; `lists`: the file may be one JSON list of rows; `refused`: why
        it is not to be read at all.
        """
        self.path, self.limits, self._kind, self._tools, self._lists = path, limits, kind, tools, lists
        self.notes = Notes()
        self.container = "jsonl"
        self.kinds: Counter[str] = Counter()
        self.other_kinds: dict[str, Spots] = {}
        self.sha256 = ""
        self.size = 0
        self.marked = False
        self.calls = self.pictures = False
        """Whether a row calls tools or shows pictures, also one that is refused because of them."""
        self.refused = refused

    def __iter__(self) -> Iterator[Chat]:
        """Yield rows; what could not be read is in `findings` afterwards. Raises `UserError` without a file."""
        if self.refused:
            return
        with open_file(self.path) as file:
            if self.path.stat().st_size > self.limits.file_bytes:
                self.notes.whole.append(too_large(self.limits.file_bytes))
                return
            lines = Lines(file, self.limits)
            try:
                for number, value in self._values(file, lines):
                    chat = self._chat(number, value)
                    if chat is not None:
                        yield chat
                for _ in lines:  # to the end, for the hash
                    pass
                self.sha256, self.size, self.marked = lines.sha256, lines.size, lines.marked
            except TooLarge:
                self.size = lines.size
                self.notes.whole.append(too_large(self.limits.file_bytes))

    def findings(self) -> tuple[Finding, ...]:
        """Say what could not be read."""
        return (self.refused,) if self.refused else self.notes.findings()

    def counted(self, findings: Iterable[Finding]) -> list[Finding]:
        """Speak of rows where what is counted are the rows of one JSON list, and of the lines on which they begin."""
        said = list(findings)
        if self.container != "json":
            return said
        starts = starts_of(self.path) if any(finding.lines for finding in said) else ()
        return [replace(finding, message=as_rows(finding.message, starts)) for finding in said]

    @property
    def kind(self) -> str:
        """The commonest format of the rows read so far."""
        return self.kinds.most_common(1)[0][0] if self.kinds else "chat"

    def _values(self, file: BinaryIO, lines: Lines) -> Iterator[tuple[int, Value]]:
        head = file.read(65536)
        file.seek(0, io.SEEK_SET)
        if is_workbook(head, self.path.suffix):
            self.container, self.notes.kind = "xlsx", "a workbook"
            content = file.read(workbook_limits().file_bytes + 1)
            file.seek(0, io.SEEK_SET)
            return workbook.each_row(content, workbook_limits(), self.notes)
        self.refused = refuse_kind(head[:HEAD_BYTES])
        if self.refused and self._lists and self.refused.code == "not_jsonl":
            return enumerate(self._listed(file), start=1)
        if self.refused:
            return iter(())
        delimiter = _delimiter(head, self.path.suffix.lower())
        if delimiter is None:
            return each_object(lines, self.limits, self.notes)
        self.container = "tsv" if delimiter == "\t" else "csv"
        self.notes.kind = "a table of rows"
        return delimited.each_row(lines, delimiter, self.limits, self.notes)

    def _listed(self, file: BinaryIO) -> list[Value]:
        """Return the rows of one JSON list, or of one object; where it is neither, say by line why."""
        content = file.read(read_limits().file_bytes + 1)
        file.seek(0, io.SEEK_SET)
        if len(content) > read_limits().file_bytes:
            return []
        try:
            rows = read_list(content)
        except Refusal as refusal:
            self.refused = blame(content, refusal) or self.refused
            return []
        self.refused, self.container = None, "json"
        return rows

    def _chat(self, number: int, value: Value) -> Chat | None:
        kind = self._kind or detect(value)
        try:
            if kind == "chat" and not self._tools:
                self._refuse_parts(value)
            shape = to_chat(value, kind)
            self._check_size(shape, kind)
        except KeyError:
            self.notes.refuse(number, Refusal("no_messages", "another shape than the format that was named"))
            return None
        except Refusal as refusal:
            self.notes.refuse(number, refusal)
            return None
        assert kind is not None  # noqa: S101  # to_chat refused it
        self.kinds[kind] += 1
        self.other_kinds.setdefault(kind, Spots()).add(number)
        turns: list[Value] = shape["messages"]  # type: ignore[assignment]  # the chat shape
        worse: list[Value] = shape.get("rejected", [])  # type: ignore[assignment]  # the same
        self.calls = self.calls or calls_tools(turns) or calls_tools(worse)
        self.pictures = self.pictures or shows_pictures(turns) or shows_pictures(worse)
        messages = tuple(Message(str(turn["role"]), shown(turn)) for turn in turns)
        return Chat(Row(number, messages), shape, value, kind)

    def _refuse_parts(self, value: Value) -> None:
        """Refuse what a trainer that reads only texts could not read."""
        messages = value.get("messages")
        turns = [item for item in messages if isinstance(item, dict)] if isinstance(messages, list) else []
        other = [turn["content"] for turn in turns if not isinstance(turn.get("content"), str | None)]
        if other:
            self.pictures = self.pictures or any(map(is_pictured, other))
            raise Refusal("not_text", "a message whose content is not text")

    def _check_size(self, shape: Value, kind: str | None) -> None:
        """Refuse a row that would be over the cap of a line once it is written as a chat: nobody could read it again.

        A chat row of JSONL stood on a line that was measured, and one of Vertex gets no longer.
        """
        if self.container == "jsonl" and kind in ("chat", "vertex"):
            return
        if len(json.dumps(shape, ensure_ascii=False).encode("utf-8", "surrogatepass")) > self.limits.line_bytes:
            raise Refusal("line_too_long", f"more than {self.limits.line_bytes // 1024:,} KiB as a row of JSON")


def is_table(head: bytes, suffix: str) -> bool:
    """Say whether a file that begins so and is called so is read as a table."""
    return _delimiter(head, suffix.lower()) is not None


def _delimiter(head: bytes, suffix: str) -> str | None:
    """Return what parts the cells if this is a table, by its first line and its name; None for JSONL."""
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").split(b"\n", 1)[0].rstrip(b"\r")
    if first.lstrip()[:1] in (b"{", b"["):
        return None
    text = first.decode("utf-8", "replace")
    found = delimited.header_of(text)
    if found is not None:
        return found[0]
    if suffix in (".csv", ".tsv"):
        return "\t" if suffix == ".tsv" or text.count("\t") > text.count(",") else ","
    return None
