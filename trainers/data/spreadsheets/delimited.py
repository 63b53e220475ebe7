"""How CSV and TSV are read: strict UTF-8, row by row, numbered as a spreadsheet does; it knows no columns."""

import csv
import itertools
from collections.abc import Iterator

from trainers.data.limits import ReadLimits
from trainers.data.lines import Lines
from trainers.data.notes import Notes
from trainers.data.parsing import Refusal
from trainers.data.spreadsheets.cells import Header, is_formula

Value = dict[str, object]
DELIMITERS = (",", ";", "\t", "|")


def header_of(line: str) -> tuple[str, Header] | None:
    """Return the delimiter and the columns if a line is the head of a table of rows, else None."""
    for delimiter in DELIMITERS:
        if delimiter not in line:
            continue
        try:
            return delimiter, Header(next(csv.reader([line], delimiter=delimiter, strict=True)))
        except (Refusal, csv.Error, StopIteration):
            continue
    return None


def each_row(lines: Lines, delimiter: str, limits: ReadLimits, notes: Notes) -> Iterator[tuple[int, Value]]:
    """Yield the number and the named cells of each row under the header; what can't be read goes to the notes."""
    csv.field_size_limit(limits.line_bytes)
    text = _Text(lines, limits)
    header: Header | None = None
    for start, cells in _each_record(text, delimiter, notes):
        if start > limits.rows + 1:
            notes.too_many_rows = limits.rows
            return
        try:
            text.check()
            if header is None:
                header = Header(cells)
            elif any(cells):
                yield start, _named(header, cells, start, notes)
            else:
                notes.blank += 1
        except Refusal as refusal:
            notes.refuse(start, refusal)
            if header is None:
                return


def _each_record(text: "_Text", delimiter: str, notes: Notes) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with its number, as a spreadsheet numbers rows; a broken one goes to the notes."""
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    for number in itertools.count(1):
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error:
            reason = "a quotation mark in the wrong place, or none at a cell's end"
            notes.refuse(number, Refusal("invalid_table", reason))


def _named(header: Header, cells: list[str], line: int, notes: Notes) -> Value:
    if any("\x00" in cell for cell in cells):
        raise Refusal("nul_character", "a NUL character")
    if any(is_formula(cell) for cell in cells):
        notes.formulas.add(line)
    return header.row(cells)


class _Text:
    """The lines of a file as text for the csv module; it remembers what was wrong with those of the current row."""

    def __init__(self, lines: Lines, limits: ReadLimits) -> None:
        self._lines, self._each, self._limits = lines, iter(lines), limits
        self._as_written = False  # whether line breaks inside cells are kept: not where all lines end as on Windows
        self._wrong: Refusal | None = None
        self.number = 0

    def __iter__(self) -> "_Text":
        return self

    def __next__(self) -> str:
        self.number, raw = next(self._each)
        if self.number == 1:
            self._as_written = not self._lines.carriage_return
        end = "\r\n" if self._as_written and self._lines.carriage_return else "\n"
        if len(raw) > self._limits.line_bytes:
            self._wrong = Refusal("line_too_long", f"more than {self._limits.line_bytes // 1024:,} KiB")
            return "\n"
        try:
            return raw.decode("utf-8", "strict") + end
        except UnicodeDecodeError as error:
            self._wrong = Refusal("not_utf8", "bytes that are not UTF-8", error.start)
            return raw.decode("utf-8", "replace") + end

    def check(self) -> None:
        """Refuse a row with a line that could not be read, and forget it."""
        wrong, self._wrong = self._wrong, None
        if wrong is not None:
            raise wrong
