"""Tables are read row by row, Excel files by a confined child; hostile ones get a reason, never a traceback."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from trainers.data.limits import shell_limits, workbook_limits
from trainers.data.lint import lint
from trainers.data.notes import Notes
from trainers.data.source import Source
from trainers.data.spreadsheets import workbook, workbook_child

Make = Callable[[str, bytes], Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def written(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return written


def book(*rows: tuple[object, ...]) -> bytes:
    made, target = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        made.active.append(row)
    made.save(target)
    return target.getvalue()


def read(path: Path) -> tuple[list[tuple[int, str, str]], list[tuple[str, tuple[int, ...]]]]:
    source = Source(path, shell_limits())
    rows = [(chat.row.line, chat.row.prompt, chat.row.target) for chat in source]
    return rows, [(finding.code, finding.lines) for finding in source.findings()]


def test_csv_is_numbered_as_a_spreadsheet_does(make: Make) -> None:
    """Line breaks inside cells count once; the header is row 1; semicolons and a mark at the start are fine."""
    content = '\ufeffprompt;completion\n"two\nlines";"a; b"\nsecond;c\n'.encode()
    assert read(make("rows.csv", content)) == ([(2, "two\nlines", "a; b"), (3, "second", "c")], [])


def test_bad_csv_is_named_row_by_row(make: Make) -> None:
    """Too many cells, bytes that are not UTF-8 and a NUL are refused, formulas are remarked, the rest is read."""
    content = b"question,answer\nq1,a1\nq2,a,b\nq\xe93,a3\nq4\x00,a4\n=1+1,a5\n- a list,a6\n"
    rows, found = read(make("rows.csv", content))
    assert [row[0] for row in rows] == [2, 6, 7]
    assert found == [("invalid_table", (3,)), ("not_utf8", (4,)), ("nul_character", (5,)), ("formula_cell", (6,))]


def test_a_table_without_telling_names_is_refused(make: Make) -> None:
    """Nothing is guessed from columns that are called foo and bar, or twice the same."""
    for head, code in ((b"foo,bar\n", "no_columns"), (b"a,b\n", "no_columns"), (b"prompt,prompt\n", "duplicate_key")):
        assert read(make("rows.csv", head + b"x,y\n")) == ([], [(code, (1,))])


def test_excel_is_read_by_its_values(make: Make) -> None:
    """Texts and numbers come as they are shown; a formula without a value is refused by its row."""
    content = book(("prompt", "completion"), ("How many?", 12), ("Sum?", "=1+1"), (None, None), ("Half?", 0.5))
    rows, found = read(make("rows.xlsx", content))
    assert rows == [(2, "How many?", "12"), (5, "Half?", "0.5")]
    assert found == [("no_value", (3,))]


def repacked(content: bytes, member: str, text: bytes) -> bytes:
    """The workbook with one part replaced."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part.filename, text if part.filename == member else old.read(part))
    return target.getvalue()


GOOD = book(("prompt", "completion"), ("q", "a"))
SHEET = "xl/worksheets/sheet1.xml"
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><worksheet>&b;</worksheet>'
HOSTILE = {
    "a bomb": repacked(GOOD, SHEET, b"<worksheet>" + b" " * 300_000_000 + b"</worksheet>"),
    "entities": repacked(GOOD, SHEET, ENTITIES),
    "a cut file": GOOD[: len(GOOD) // 2],
    "no XML": repacked(GOOD, SHEET, b"\x00\xff" * 100),
    "no sheet": repacked(GOOD, "xl/workbook.xml", b"<workbook/>"),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_workbook_gets_a_reason(make: Make, content: bytes) -> None:
    """Bombs, entities and damage end in one blocking finding."""
    report = lint(make("rows.xlsx", content), limits=shell_limits())
    assert report.blocked
    assert report.findings[0].code in ("unreadable_workbook", "no_columns", "archive")


def shared(cells: int, length: int) -> bytes:
    """A workbook of two columns whose cells all point at one long text."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    texts = "".join(f"<si><t>{text}</t></si>" for text in ("prompt", "completion", "long " * (length // 5)))
    places = [(0, 1), *[(2, 2)] * (cells // 2)]
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="s"><v>{a}</v></c><c r="B{n}" t="s"><v>{b}</v></c></row>'
        for n, (a, b) in enumerate(places, start=1)
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            text = old.read(part).decode()
            if part.filename == SHEET:
                text = f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
            if part.filename == "[Content_Types].xml":
                text = text.replace(
                    "</Types>", f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
                )
            new.writestr(part.filename, text)
        new.writestr("xl/sharedStrings.xml", f'<sst xmlns="{space}">{texts}</sst>')
    return target.getvalue()


def said_of(content: bytes, **limits: float) -> str:
    notes = Notes()
    assert list(workbook.each_row(content, replace(workbook_limits(), **limits), notes)) == []  # type: ignore[arg-type]
    return notes.findings()[0].message


def test_one_text_that_many_cells_share_is_counted_in_each() -> None:
    """A small file with a long text in every cell is refused by what it would become, and not held in memory."""
    assert "more than 32,767 characters" in said_of(shared(200, 200_000))
    assert "holds more than 2 million characters" in said_of(shared(100, 30_000), characters=2 * 2**20)


def test_a_workbook_that_memory_does_not_hold_is_too_large_not_damaged() -> None:
    """However the parser's libraries wrap it, the reason is the memory."""
    assert "more memory" in said_of(shared(4, 60_000_000), memory_bytes=300 * 2**20, ratio=10_000)
    wrapped = ValueError("could not read the sheet")
    wrapped.__context__ = MemoryError()
    assert workbook_child._ran_out(wrapped)
    assert workbook_child._ran_out(SyntaxError("Memory allocation failed : growing buffer"))
    assert not workbook_child._ran_out(ValueError("damaged"))


def test_a_child_that_says_too_much_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read of a parser has a limit of its own."""
    monkeypatch.setattr(workbook, "_CHILD", "this")
    assert "more text than I read" in said_of(GOOD, characters=100)


def test_a_parser_that_takes_too_long_is_ended() -> None:
    """The child has a time limit, and its end is a finding."""
    notes = Notes()
    assert list(workbook.each_row(GOOD, replace(workbook_limits(), seconds=0.01), notes)) == []
    assert "takes longer" in notes.findings()[0].message


def test_locked_files_say_that_they_are_locked(make: Make) -> None:
    """A locked Office file and a locked zip are named as such."""
    office = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le")
    zipped = b"PK\x03\x04\x14\x00\x01\x00" + b"\x00" * 40
    for name, content in (("rows.xlsx", office), ("rows.jsonl", zipped)):
        assert next(finding.code for finding in lint(make(name, content)).findings) == "locked"
