"""Mends in a JSONL file what can be mended without guessing, and says line by line what it did; it judges no row."""

import json
import re
from array import array
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, NamedTuple

from knowledge.errors import UserError
from trainers.data.converting import new_file
from trainers.data.findings import Spots, as_rows, name_lines, plural
from trainers.data.formats.sharegpt import ROLES
from trainers.data.formats.writers import MARK, line
from trainers.data.jsonl import open_file
from trainers.data.limits import ReadLimits, read_limits, shell_limits
from trainers.data.lines import Lines, TooLarge
from trainers.data.parsing import Refusal, lenient_object, parse_object, parse_value
from trainers.data.recognise import HEAD_BYTES, refuse_kind
from trainers.data.source import is_table

Value = dict[str, object]
MENDABLE = ("jsonl", "json")
"""Kinds of file that can be mended; a table is changed in its own program."""
_WIDE = ((b"\xff\xfe\x00\x00", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# A comma before a closing bracket; strings are matched first, so that what stands inside them is left alone.
_LAST_COMMA = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+")|,(?=[ \t\r\n]*[\]}])', re.DOTALL)
_BLANK_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")
_SAID = {
    "byte_order_mark": "byte order mark {} at the start",
    "line_ends": "Windows line ends made plain",
    "blank_lines": "blank lines dropped",
    "white_space": "white space around rows and roles cut off",
    "roles": "roles spelled as chat models know them",
    "last_commas": "commas after a last item removed",
    "commas_after": "commas between rows, as in a list, removed",
    "answers": "white space behind answers and blank lines before them cut off",
    "control_characters": "raw tabs and line breaks inside texts escaped",
    "joined_rows": "rows that stood on one line parted",
    "spread_list": "a list spread to one row a line",
    "encoding": "UTF-16 or UTF-32 written as UTF-8",
    "duplicates": "rows dropped that repeat an earlier one word for word",
}


class Mended(NamedTuple):
    """What was mended."""

    path: Path
    """The new file."""
    rows: int
    """Rows in it."""
    changes: dict[str, Spots]
    """Lines of the old file by what was done to them."""
    left: int
    """Lines that are as broken as before, copied as they were."""
    from_lines: Sequence[int] = ()
    """The old line of each new one; in one JSON list the old row."""
    noun: str = "line"
    """What is counted in the old file: its lines, or the rows of one JSON list."""

    def to_json(self) -> dict[str, object]:
        """The result as plain JSON values."""
        counts = {name: {"count": len(spots), "lines": list(spots)} for name, spots in self.changes.items()}
        return {"path": str(self.path), "rows": self.rows, "left": self.left, "changes": counts}

    def sentences(self, *, marked: bool) -> list[str]:
        """Say what was done, one sentence a kind."""
        said = []
        for name, spots in self.changes.items():
            what = _SAID[name].format("added" if marked else "removed")
            where = as_rows(name_lines(spots)) if self.noun == "row" else name_lines(spots)
            said.append(f"{plural(len(spots), self.noun)}: {what} ({where}).")
        return said or ["Nothing that can be mended without guessing."]


def mended_name(path: Path) -> Path:
    """Return the name of the mended file, beside the old one."""
    return path.with_name(f"{path.stem}.fixed.jsonl")


def mend(path: Path, *, marked: bool, limits: ReadLimits | None = None) -> Mended:
    """Write a mended copy beside a file, with a byte order mark or without; the file itself is never changed.

    Raises UserError where the copy exists already, and for a file that holds no lines of JSON.
    """
    limits = limits or shell_limits()
    work = _Work(limits)
    out = mended_name(path)
    with open_file(path) as file, new_file(out) as new:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        if marked:
            new.write(MARK)
        if not head.startswith(b"\xff\xfe") and head.startswith(MARK) != marked:
            work.note("byte_order_mark", 1)
        for row in work.rows(head, file, path.suffix):
            new.write(row)
    return Mended(out, len(work.from_lines), work.changes, work.left, work.from_lines, work.noun)


def _too_large() -> UserError:
    return UserError("That file is larger than I read.", "Split it, then mend the parts.")


class _Work:
    """One pass over a file."""

    def __init__(self, limits: ReadLimits) -> None:
        self._limits = limits
        self.changes: dict[str, Spots] = {}
        self._seen: set[bytes] = set()
        self.left = 0
        self.noun = "line"
        self.from_lines = array("Q")

    def note(self, what: str, number: int) -> None:
        """Note what is done to a line."""
        self.changes.setdefault(what, Spots()).add(number)

    def rows(self, head: bytes, file: BinaryIO, suffix: str) -> Iterator[bytes]:
        """Yield the lines of the new file; raises UserError for what holds no rows of JSON."""
        wide = next((name for mark, name in _WIDE if head.startswith(mark)), None)
        kind = refuse_kind(head)
        one_value = kind is not None and kind.code == "not_jsonl" and head.lstrip(MARK + b" \t\r\n")[:1] in (b"[", b"{")
        if wide or one_value:
            content = file.read(read_limits().file_bytes + 1)
            if len(content) > read_limits().file_bytes:
                raise _too_large()
            yield from self._whole(content, wide)
        elif kind is not None:
            raise UserError(kind.message, kind.fix)
        elif is_table(head, suffix):
            raise UserError(
                "That file is a table; I mend rows of JSON only.", "Correct it in its program, or convert it."
            )
        else:
            lines = Lines(file, self._limits)
            try:
                for number, raw in lines:
                    if len(raw) > self._limits.line_bytes:
                        yield from self._copied(number, raw, lines)
                    else:
                        yield from self._line(number, raw, ended=lines.carriage_return)
            except TooLarge:
                raise _too_large() from None

    def _whole(self, content: bytes, wide: str | None) -> Iterator[bytes]:
        """Mend a file that is one value, or is written in wide characters."""
        if wide:
            try:
                content = content.decode(wide).encode()
            except UnicodeError:
                raise UserError("That file is broken UTF-16.", "Save it as UTF-8.") from None
            self.note("encoding", 1)
        content = content.removeprefix(MARK)
        value = _value(content, self._limits)
        if isinstance(value, list):
            self.note("spread_list", 1)
            self.noun = "row"
            for number, item in enumerate(value, start=1):
                yield from self._row(number, item)
        elif isinstance(value, dict):
            yield from self._row(1, value)
        else:
            for number, raw in enumerate(content.removesuffix(b"\n").split(b"\n"), start=1):
                yield from self._line(number, raw.removesuffix(b"\r"), ended=raw.endswith(b"\r"))

    def _copied(self, number: int, raw: bytes, lines: Lines) -> Iterator[bytes]:
        """Copy a line that is too long to be looked at, to its end."""
        self.left += 1
        self.from_lines.append(number)
        last = raw
        yield raw
        for piece in lines.rest():
            last = piece
            yield piece
        if not last.endswith(b"\n"):
            yield b"\n"

    def _line(self, number: int, raw: bytes, *, ended: bool) -> Iterator[bytes]:
        if ended:
            self.note("line_ends", number)
        plain = raw.strip(b" \t\r\n")
        if not plain:
            self.note("blank_lines", number)
            return
        if plain != raw:
            self.note("white_space", number)
        try:
            yield from self._row(number, parse_object(plain, self._limits), plain)
        except Refusal:
            yield from self._broken(number, plain)

    def _broken(self, number: int, raw: bytes) -> Iterator[bytes]:
        """Try what is safe: a last comma, raw control characters, several rows on one line."""
        for what, values in (
            ("last_commas", _without_last_commas(raw, self._limits)),
            ("control_characters", _lenient(raw, self._limits)),
            ("joined_rows", _parted(raw, self._limits)),
            ("commas_after", _without_comma_after(raw, self._limits)),
        ):
            if values:
                self.note(what, number)
                for value in values:
                    yield from self._row(number, value)
                return
        self.left += 1
        self.from_lines.append(number)
        yield raw + b"\n"

    def _row(self, number: int, value: object, raw: bytes | None = None) -> Iterator[bytes]:
        changed = self._spell_roles(number, value) | self._trim_answers(number, value)
        content = line(value) if raw is None or changed else raw + b"\n"  # type: ignore[arg-type]  # any JSON value
        digest = blake2b(json.dumps(value, sort_keys=True).encode(), digest_size=12).digest()
        if digest in self._seen:
            self.note("duplicates", number)
            return
        self._seen.add(digest)
        self.from_lines.append(number)
        yield content

    def _spell_roles(self, number: int, value: object) -> bool:
        """Spell the roles of chat messages in small letters and by their usual names."""
        changed = False
        messages = value.get("messages") if isinstance(value, dict) else None
        for item in messages if isinstance(messages, list) else ():
            role = item.get("role") if isinstance(item, dict) else None
            if isinstance(role, str):
                plain = role.strip().casefold()
                named = ROLES.get(plain, plain if plain in ("tool", "developer", "function") else role)
                if named != role:
                    item["role"] = named
                    self.note("roles", number)
                    changed = True
        return changed

    def _trim_answers(self, number: int, value: object) -> bool:
        """Cut off white space behind what the assistant of a chat says, and blank lines before it.

        How far its first line is indented is part of the answer, as in code.
        """
        changed = False
        messages = value.get("messages") if isinstance(value, dict) else None
        for item in messages if isinstance(messages, list) else ():
            text = item.get("content") if isinstance(item, dict) and item.get("role") == "assistant" else None
            plain = _BLANK_LINES.sub("", text.rstrip()) if isinstance(text, str) else ""
            if plain and plain != text:
                item["content"] = plain
                self.note("answers", number)
                changed = True
        return changed


def _value(content: bytes, limits: ReadLimits) -> object:
    try:
        return parse_value(content, ReadLimits(**(vars(limits) | {"line_bytes": limits.file_bytes})))
    except Refusal:
        return None


def _without_last_commas(raw: bytes, limits: ReadLimits) -> list[Value]:
    try:
        return [parse_object(_LAST_COMMA.sub(lambda found: found[1] or b"", raw), limits)]
    except Refusal:
        return []


def _without_comma_after(raw: bytes, limits: ReadLimits) -> list[Value]:
    """Read a row that ends in a comma, as one copied out of a list does."""
    try:
        return [parse_object(raw.removesuffix(b",").rstrip(), limits)] if raw.endswith(b"},") else []
    except Refusal:
        return []


def _lenient(raw: bytes, limits: ReadLimits) -> list[Value]:
    """Read texts with raw tabs in them; written again they are escaped, and must then be strict."""
    try:
        return [parse_object(json.dumps(lenient_object(raw)).encode(), limits)]
    except (ValueError, RecursionError, Refusal):
        return []


def _parted(raw: bytes, limits: ReadLimits) -> list[Value]:
    """Part objects that stand on one line with nothing between them but white space and commas."""
    values: list[Value] = []
    for piece in re.split(rb"(?<=\})[ \t\r,]*(?=\{\"messages\")", raw):
        try:
            values.append(parse_object(piece, limits))
        except Refusal:
            return []
    return values if len(values) > 1 else []
