"""The process that parses an Excel file from a stranger: bytes on its input, lines of JSON on its output.

Run as: python -P -s -m trainers.data.spreadsheets.workbook_child LIMITS < file, with LIMITS as JSON.
It prints [line, [cell, ...], [formula without a value, ...], computed] for each row, and last {"others": sheets}, or
{"what": reason, "next_step": ...}. Exit codes: OUT_OF_MEMORY; anything else but 0 means that the parser broke.
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
from trainers.data.parsing import Refusal
from trainers.data.spreadsheets.cells import Header

_LOOKED_AT = 100  # rows of a sheet in which its head is sought
_FREE = 1_048_576
_AGAIN = "Save the sheet as CSV in UTF-8 and give me that."
_FAULTS = (
    *(zipfile.BadZipFile, zlib.error, LookupError, TypeError, ValueError, AttributeError, RuntimeError, OSError),
    SyntaxError,  # what XML parsers raise
)


def main() -> None:
    """Parse the workbook on standard input."""
    limits = WorkbookLimits(**json.loads(sys.argv[1]))
    documents = shipped().__class__(
        **(asdict(shipped()) | {"seconds": limits.seconds, "memory_bytes": limits.memory_bytes})
    )
    confine(documents)
    try:
        last = _answer(limits)
    except Exception as error:
        if _ran_out(error):
            os._exit(OUT_OF_MEMORY)
        raise
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    _say(last)
    sys.stdout.buffer.flush()


def _answer(limits: WorkbookLimits) -> dict[str, Any]:
    """Print the rows and return what comes last: the number of other sheets, or why there are no more rows."""
    import openpyxl  # before files can no longer be opened freely
    import openpyxl.cell._writer
    import openpyxl.reader.excel  # noqa: F401

    content = sys.stdin.buffer.read()
    sys.addaudithook(refuse_what_no_parser_needs)
    warnings.simplefilter("ignore")
    try:
        rows, others = _read(content, limits)
        said = 0
        for row in rows:
            said += _say(row)
            if said > limits.characters:
                raise Unreadable(f"holds more than {limits.characters // _FREE:,} million characters.", "Split it.")
    except Unreadable as error:
        return {"what": error.what, "next_step": error.next_step}
    except _FAULTS as error:
        if _ran_out(error):
            raise
        return {"what": "is a damaged workbook.", "next_step": _AGAIN}
    return {"others": others}


def _say(value: object) -> int:
    """Print a value on a line of its own and return its characters."""
    text = json.dumps(value, ensure_ascii=False)
    sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace") + b"\n")
    return len(text)


def _ran_out(error: BaseException | None) -> bool:
    """Say whether an error comes from one about memory, however the libraries between have wrapped it."""
    while error is not None:
        said = str(error).casefold()
        if isinstance(error, MemoryError) or "out of memory" in said or "insufficient memory" in said:
            return True
        if isinstance(error, SyntaxError) and "memory" in said:  # the XML parsers' errors are such
            return True
        error = error.__cause__ or error.__context__
    return False


def _read(content: bytes, limits: WorkbookLimits) -> tuple[Iterator[list[Any]], int]:
    """Return the rows of the sheet that is read, and how many other sheets have cells."""
    import openpyxl

    _check(content, limits)
    values, formulas = (
        openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=stored, keep_links=False)
        for stored in (True, False)
    )
    heads = [_head(sheet, limits) for sheet in values.worksheets]
    filled = [place for place, head in enumerate(heads) if head]
    if not filled:
        raise Unreadable("has no sheet with cells.", _AGAIN)
    place = next((each for each in filled if _is_header(heads[each])), filled[0])
    return _rows([book.worksheets[place] for book in (values, formulas)], limits), len(filled) - 1


def _head(sheet: Any, limits: WorkbookLimits) -> list[str]:
    """Return the cells of the first row that has any; an empty list where there is none near the top."""
    for cells in sheet.iter_rows(values_only=True, max_col=limits.columns, max_row=_LOOKED_AT):
        texts = [_text(cell) for cell in cells]
        if any(texts):
            return texts
    return []


def _is_header(cells: list[str]) -> bool:
    try:
        Header(cells)
    except Refusal:
        return False
    return True


def _rows(sheets: list[Any], limits: WorkbookLimits) -> Iterator[list[Any]]:
    """Yield line, texts, columns of unvalued formulas, and whether a cell is computed, of each row of a sheet.

    The sheet comes twice: with the values that are stored, and with the formulas that made them.
    """
    stored, written = (sheet.iter_rows(values_only=True, max_col=limits.columns) for sheet in sheets)
    for line, (cells, sources) in enumerate(zip(stored, written, strict=False), start=1):
        if line > limits.rows:
            raise Unreadable(f"has more than {limits.rows:,} rows.", "Split it.")
        computed = [place for place, source in enumerate(sources) if isinstance(source, str) and source.startswith("=")]
        lost = [place for place in computed if place >= len(cells) or cells[place] is None]
        texts = [_text(cell) for cell in cells]
        if any(len(text) > limits.cell_characters for text in texts):
            most = f"{limits.cell_characters:,} characters, the most that Excel itself can hold"
            raise Unreadable(f"has a cell of more than {most} (row {line:,}).", _AGAIN)
        while texts and not texts[-1]:
            texts.pop()
        yield [line, texts, lost, bool(computed)]


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
