"""The process that parses an Excel file from a stranger: bytes on its input, rows as JSON on its output.

Run as: python -P -s -m trainers.data.spreadsheets.workbook_child LIMITS < file, with LIMITS as JSON.
It prints {"rows": [[line, [cell, ...], [formula without a value, ...]], ...]} or {"what": reason, "next_step": ...}.
"""

import io
import json
import os
import sys
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from knowledge.documents.child import OUT_OF_MEMORY, confine
from knowledge.documents.child import _refuse as refuse_what_no_parser_needs
from knowledge.documents.drafts import Unreadable
from knowledge.documents.limits import shipped
from trainers.data.limits import WorkbookLimits

_FREE = 1_048_576
_AGAIN = "Save the sheet as CSV in UTF-8 and give me that."
_FAULTS = (zipfile.BadZipFile, zlib.error, LookupError, TypeError, ValueError, AttributeError, RuntimeError, OSError)


def main() -> None:
    """Parse the workbook on standard input."""
    limits = WorkbookLimits(**json.loads(sys.argv[1]))
    documents = shipped().__class__(
        **(asdict(shipped()) | {"seconds": limits.seconds, "memory_bytes": limits.memory_bytes})
    )
    confine(documents)
    import openpyxl  # before files can no longer be opened freely
    import openpyxl.cell._writer
    import openpyxl.reader.excel  # noqa: F401

    content = sys.stdin.buffer.read()
    sys.addaudithook(refuse_what_no_parser_needs)
    warnings.simplefilter("ignore")
    try:
        answer: dict[str, Any] = {"rows": list(_rows(content, limits))}
    except Unreadable as error:
        answer = {"what": error.what, "next_step": error.next_step}
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except _FAULTS as error:
        if type(error).__name__ == "KeyError" or isinstance(error, Exception):
            answer = {"what": "is a damaged workbook.", "next_step": _AGAIN}
    sys.stdout.buffer.write(json.dumps(answer).encode("ascii"))


def _rows(content: bytes, limits: WorkbookLimits) -> Iterator[list[Any]]:
    """Yield line, texts and columns of unvalued formulas of each row of the first sheet with rows."""
    import openpyxl

    _check(content, limits)
    values, formulas = (
        openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=stored, keep_links=False)
        for stored in (True, False)
    )
    if not values.worksheets:
        raise Unreadable("has no sheet with cells.", _AGAIN)
    sheets = (book.worksheets[0] for book in (values, formulas))
    stored, written = (sheet.iter_rows(values_only=True, max_col=limits.columns) for sheet in sheets)
    for line, (cells, sources) in enumerate(zip(stored, written, strict=False), start=1):
        if line > limits.rows:
            raise Unreadable(f"has more than {limits.rows:,} rows.", "Split it.")
        computed = [place for place, source in enumerate(sources) if isinstance(source, str) and source.startswith("=")]
        lost = [place for place in computed if place >= len(cells) or cells[place] is None]
        yield [line, [_text(cell) for cell in cells], lost, bool(computed)]


def _check(content: bytes, limits: WorkbookLimits) -> None:
    """Refuse what would not fit once unpacked, is locked, or declares entities; raises Unreadable."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        expanded = sum(part.file_size for part in parts)
        dense = expanded - _FREE > limits.ratio * len(content)
        if len(parts) > limits.entries or expanded > limits.expanded_bytes or dense:
            raise Unreadable(f"would unpack to {expanded / _FREE:,.0f} MiB, more than rows need.", _AGAIN)
        if any(part.flag_bits & 1 for part in parts):
            raise Unreadable("is locked with a password.", "Remove the password, then give me the file again.")
        for part in parts:
            if part.filename.endswith((".xml", ".rels")):
                with archive.open(part) as file:
                    if b"<!" in file.read(4096).replace(b"<!--", b""):
                        raise Unreadable("declares entities, which no workbook needs.", _AGAIN)


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


if __name__ == "__main__":
    main()
