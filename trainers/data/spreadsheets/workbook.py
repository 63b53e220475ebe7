"""How an Excel file is read: by a confined child process, since it is a zip of XML from a stranger."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from typing import IO

from knowledge.documents.child import OUT_OF_MEMORY
from knowledge.documents.confined import TOO_MUCH, spooled_confined
from trainers.data.findings import Finding, block, plural, tell
from trainers.data.limits import WorkbookLimits
from trainers.data.notes import Notes
from trainers.data.parsing import Refusal
from trainers.data.spreadsheets.cells import Header, is_formula

Value = dict[str, object]
_AGAIN = "Save the sheet as CSV in UTF-8 and give me that."
_CHILD = "trainers.data.spreadsheets.workbook_child"
_LAST = 4096  # bytes in which the child's last line stands
_BROKEN = ("is damaged, or too much for its parser.", _AGAIN)
_WRONG = {
    OUT_OF_MEMORY: ("needs more memory than I give to one file.", "Split it."),
    TOO_MUCH: ("holds more text than I read of one file.", "Split it."),
}


def each_row(content: bytes, limits: WorkbookLimits, notes: Notes) -> Iterator[tuple[int, Value]]:
    """Yield the line and the named cells of each row under the header; what can't be read goes to the notes."""
    if len(content) > limits.file_bytes:
        notes.whole.append(_unreadable(f"is larger than {limits.file_bytes // 2**20} MiB.", "Split it."))
        return
    arguments = [json.dumps(asdict(limits))]
    try:
        with spooled_confined(_CHILD, arguments, content, limits.seconds, 4 * limits.characters) as (status, output):
            wrong = _WRONG.get(status, _BROKEN) if status else None
            if wrong is None and (wrong := _last(output, notes)) is None:
                yield from _rows(output, notes)
    except subprocess.TimeoutExpired:
        wrong = (f"takes longer than {limits.seconds:,.0f} seconds to read.", "Split it.")
    if wrong is not None:
        notes.whole.append(_unreadable(*wrong))


def _last(output: IO[bytes], notes: Notes) -> tuple[str, str] | None:
    """Read what the child says last: note other sheets, or return why it has no rows; the file stands at its start."""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(0, size - _LAST))
    answer = json.loads(output.read().rstrip(b"\n").rpartition(b"\n")[2])
    output.seek(0)
    if "what" in answer:
        return str(answer["what"]), str(answer["next_step"])
    if answer["others"]:
        message = f"That workbook has {plural(int(answer['others']), 'more sheet')} with cells; one sheet is read."
        notes.whole.append(tell("other_sheets", message))
    return None


def _rows(output: IO[bytes], notes: Notes) -> Iterator[tuple[int, Value]]:
    """Yield the rows that the child has written, a line each; the last line is none."""
    header: Header | None = None
    for raw in output:
        if not raw.startswith(b"["):
            return
        line, cells, lost, computed = json.loads(raw)
        try:
            if header is None:
                header = Header(cells) if any(cells) else None
            elif any(cells) or lost:
                yield line, _named(header, cells, lost, computed, line, notes)
        except Refusal as refusal:
            notes.refuse(line, refusal)
            if header is None:
                return


def _named(header: Header, cells: list[str], lost: list[int], computed: bool, line: int, notes: Notes) -> Value:
    if lost:
        raise Refusal("no_value", "a formula without a stored value")
    if computed or any(is_formula(cell) for cell in cells):
        notes.formulas.add(line)
    return header.row(cells)


def _unreadable(what: str, fix: str) -> Finding:
    return block("unreadable_workbook", (), f"That Excel file {what}", fix)
