"""How an Excel file is read: by a confined child process, since it is a zip of XML from a stranger."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from knowledge.documents.child import OUT_OF_MEMORY
from knowledge.documents.confined import run_confined
from trainers.data.findings import Finding, block, plural, tell
from trainers.data.limits import WorkbookLimits
from trainers.data.notes import Notes
from trainers.data.parsing import Refusal
from trainers.data.spreadsheets.cells import Header, is_formula

Value = dict[str, object]
_AGAIN = "Save the sheet as CSV in UTF-8 and give me that."


def each_row(content: bytes, limits: WorkbookLimits, notes: Notes) -> Iterator[tuple[int, Value]]:
    """Yield the line and the named cells of each row under the header; what can't be read goes to the notes."""
    answer = _ask_child(content, limits)
    if isinstance(answer, Finding):
        notes.whole.append(answer)
        return
    rows, others = answer
    if others:
        message = f"That workbook has {plural(others, 'more sheet')} with cells; one sheet is read."
        notes.whole.append(tell("other_sheets", message))
    header: Header | None = None
    for line, cells, lost, computed in rows:
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


def _ask_child(content: bytes, limits: WorkbookLimits) -> tuple[list[list[Any]], int] | Finding:
    """Return the child's rows and the number of other sheets with cells, or why there are no rows."""
    if len(content) > limits.file_bytes:
        return _unreadable(f"is larger than {limits.file_bytes // 2**20} MiB.", "Split it.")
    try:
        done = run_confined(
            "trainers.data.spreadsheets.workbook_child", [json.dumps(asdict(limits))], content, limits.seconds
        )
    except subprocess.TimeoutExpired:
        return _unreadable(f"takes longer than {limits.seconds:,.0f} seconds to read.", "Split it.")
    if done.returncode == OUT_OF_MEMORY:
        return _unreadable("needs more memory than I give to one file.", "Split it.")
    if done.returncode:
        return _unreadable("is damaged, or too much for its parser.", _AGAIN)
    answer = json.loads(done.stdout)
    if "what" in answer:
        return _unreadable(str(answer["what"]), str(answer["next_step"]))
    return answer["rows"], int(answer["others"])


def _unreadable(what: str, fix: str) -> Finding:
    return block("unreadable_workbook", (), f"That Excel file {what}", fix)
