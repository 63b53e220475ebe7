"""Turns a file of rows into the exact file that a target wants; it judges no row (`lint` does)."""

import csv
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import IO, NamedTuple

from knowledge.errors import UserError
from trainers.data.findings import Finding, tell
from trainers.data.formats.writers import MARK, WRITERS, line
from trainers.data.limits import ReadLimits, shell_limits
from trainers.data.parsing import Refusal
from trainers.data.source import Chat, Source
from trainers.data.spreadsheets.cells import guard

TABLES = ("csv", "tsv")
DESTINATIONS = (*WRITERS, *TABLES)
"""What a file can be converted to."""


class Converted(NamedTuple):
    """What came of a conversion."""

    rows: int
    """Rows written."""
    findings: tuple[Finding, ...]
    """Lines that could not be read, or have no place in the new format, and why."""
    kinds: dict[str, int]
    """Rows by the format that they had."""


def convert(
    path: Path, out: Path, *, to: str, kind: str | None = None, skip: bool = False, limits: ReadLimits | None = None
) -> Converted:
    """Write the rows of a file as a target wants them, whole or not at all; a file that is there is never overwritten.

    With `skip`, rows that can't be converted are left out; without it they stop the conversion and nothing is written.
    Raises UserError for an unknown target and where `out` exists.
    """
    if to not in DESTINATIONS:
        raise UserError(f"I don't know how to write for {to[:40]!r}.", f"Use one of: {', '.join(DESTINATIONS)}.")
    source = Source(path, limits or shell_limits(), kind=kind, lists=True)
    written = 0
    with new_file(out) as file:
        if to == "azure":
            file.write(MARK)
        for content in _lines(source, to):
            file.write(content)
            written += 1
        findings = source.findings()
        blocked = any(finding.severity == "BLOCK" for finding in findings)
        if (blocked and not skip) or not written:
            file.keep = False
            written = 0
    kinds: Counter[str] = source.kinds
    if "preference" in "".join(kinds) and to in ("csv", "tsv"):
        findings = (*findings, tell("left_out", "A table has no place for the worse answers; they were left out."))
    return Converted(written, findings, dict(kinds))


def converted_bytes(path: Path, *, kind: str | None = None) -> bytes:
    """Return a file's rows as the chat JSONL that is trained on here; lines that are no rows are left out."""
    source = Source(path, shell_limits(), kind=kind, lists=True)
    return b"".join(line({"messages": chat.value["messages"]}) for chat in source)


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


def _lines(source: Source, to: str) -> Iterator[bytes]:
    """Yield what is written for each row; rows without a place in the format go to the source's notes."""
    write = _table_row(to) if to in TABLES else lambda chat: line(WRITERS[to](chat.value))
    head = to in TABLES
    for chat in source:
        try:
            content = write(chat)
        except Refusal as refusal:
            source.notes.refuse(chat.row.line, refusal)
            continue
        if head:
            content = _cells(["system", "prompt", "completion"], to) + content
            head = False
        yield content


def _table_row(to: str) -> Callable[[Chat], bytes]:
    def write(chat: Chat) -> bytes:
        turns = [turn for turn in chat.row.messages if turn.role != "system"]
        if [turn.role for turn in turns] != ["user", "assistant"] or chat.row.messages[0].role not in (
            "system",
            "user",
        ):
            raise Refusal("format_mismatch", "more than one question and one answer, which a table has no place for")
        return _cells([guard(chat.row.system), guard(turns[0].content), guard(turns[1].content)], to)

    return write


def _cells(cells: list[str], to: str) -> bytes:
    text = StringIO()
    csv.writer(text, delimiter="\t" if to == "tsv" else ",", lineterminator="\n", quoting=csv.QUOTE_ALL).writerow(cells)
    return text.getvalue().encode()
