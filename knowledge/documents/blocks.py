"""Lays out Markdown: headings, paragraphs, nested lists, quotes, code and tables, in the order they come."""

import re
from typing import NamedTuple

_SPACE = re.compile(r"[ \t\r\f\v\n]+")
_MARKUP = re.compile(r"^(?=#{1,6}\s|```|~~~|\+{3}$|-{3}$)")
_FENCES = ("```", "~~~")
_DEEPEST = 8
"""Lists and quotes nested deeper are written at this depth."""
_BREAK = "\x00"  # cannot come from a page: control characters were removed


class Block(NamedTuple):
    """Some lines of Markdown."""

    text: str
    item: bool = False
    """Part of a list: no empty line stands between it and the next part."""
    heading: int = 0
    """Level of a heading; 0 for all else."""


class _Table:
    """Rows of cells, each with its blocks."""

    def __init__(self) -> None:
        self.rows: list[list[list[Block]]] = []
        self.layout = False
        """It places parts of a page rather than data."""


class Blocks:
    """Text that comes in pieces, laid out as Markdown."""

    def __init__(self) -> None:
        """Start with an empty page."""
        self._out: list[list[Block]] = [[]]
        """The page; above it one list for each open table cell."""
        self._tables: list[_Table] = []
        self._cells: list[bool] = []
        """For each open table whether a cell is open."""
        self._line: list[str] = []
        self._lists: list[int | None] = []
        """Next number of each open list; None for bullets."""
        self._marker = ""
        self._quotes = 0
        self._heading = 0
        self._pre: str | None = None
        """Language of the open code block."""
        self._main: list[int] = []
        """Where the main part starts and ends."""
        self._generation = 0
        """Grows with each flush, so that a link notices that its line is gone."""

    # Text within a line.

    def write(self, text: str) -> None:
        """Add text; outside code, runs of white space become one blank."""
        self._line.append(text if self._pre is not None else _SPACE.sub(" ", text))

    def put(self, text: str) -> None:
        """Add text as it is."""
        self._line.append(text)

    def line_break(self) -> None:
        """Break the line inside a paragraph; a heading or a cell has one line only."""
        if self._pre is not None:
            self._line.append("\n")
        else:
            self._line.append(" " if self._heading or len(self._out) > 1 else _BREAK)

    def open_code(self) -> None:
        """Start code within a line."""
        if self._pre is None:
            self._line.append("`")

    def close_code(self) -> None:
        """End code within a line; empty code leaves nothing."""
        if self._pre is not None:
            return
        if self._line and self._line[-1] == "`":
            self._line.pop()
        else:
            self._line.append("`")

    def here(self) -> int:
        """Return a place in the line for `take_from`."""
        return (self._generation << 32) + len(self._line)

    def take_from(self, place: int) -> str | None:
        """Remove and return what was written since `place`; None where a block ended in between."""
        generation, start = place >> 32, place & 0xFFFFFFFF
        if generation != self._generation or self._pre is not None:
            return None
        text = "".join(self._line[start:])
        del self._line[start:]
        return text

    def flush(self) -> None:
        """End the paragraph, heading or item line that is open."""
        if self._pre is not None or not self._line:
            return
        text = _SPACE.sub(" ", "".join(self._line))
        self._line.clear()
        self._generation += 1
        lines = [line.strip() for line in text.split(_BREAK)]
        shown = "\n".join(_MARKUP.sub(r"\\", line) for line in lines).strip("\n")
        if not shown.strip("`"):
            return
        if self._heading:
            self._add(f"{'#' * self._heading} {shown}", heading=self._heading)
        else:
            self._add(shown)

    # Blocks.

    def open_heading(self, level: int) -> None:
        """Start a heading."""
        self.flush()
        self._heading = level

    def close_heading(self) -> None:
        """End a heading."""
        self.flush()
        self._heading = 0

    def open_list(self, first: int | None) -> None:
        """Start a list of bullets, or of numbers from `first`."""
        self.flush()
        self._lists.append(first)

    def close_list(self) -> None:
        """End the innermost list."""
        self.flush()
        self._marker = ""
        if self._lists:
            self._lists.pop()

    def open_item(self) -> None:
        """Start a list item."""
        self.flush()
        number = self._lists[-1] if self._lists else None
        if number is None:
            self._marker = "- "
        else:
            self._marker = f"{number}. "
            self._lists[-1] = number + 1

    def close_item(self) -> None:
        """End a list item."""
        self.flush()
        self._marker = ""

    def open_quote(self) -> None:
        """Start a quotation."""
        self.flush()
        self._quotes += 1

    def close_quote(self) -> None:
        """End a quotation."""
        self.flush()
        self._quotes -= 1

    def open_pre(self, language: str) -> None:
        """Start a block of code."""
        self.flush()
        self._pre = language

    def close_pre(self) -> None:
        """End a block of code."""
        if self._pre is None:
            return
        code, language, self._pre = "".join(self._line).strip("\n"), self._pre, None
        self._line.clear()
        self._generation += 1
        if code.strip():
            fence = "~~~" if "```" in code else "```"
            self._add(f"{fence}{language}\n{code}\n{fence}")

    def open_table(self) -> None:
        """Start a table; one inside another shows that the outer one only places things."""
        self.flush()
        if self._tables:
            self._tables[-1].layout = True
        self._tables.append(_Table())
        self._cells.append(False)

    def open_row(self) -> None:
        """Start a row."""
        self.flush()
        if self._tables:
            self.close_cell()
            self._tables[-1].rows.append([])

    def open_cell(self) -> None:
        """Start a cell."""
        self.flush()
        if not self._tables:
            return
        self.close_cell()
        self._out.append([])
        self._cells[-1] = True

    def close_cell(self) -> None:
        """End a cell."""
        self.flush()
        if not self._cells or not self._cells[-1]:
            return
        self._cells[-1] = False
        table = self._tables[-1]
        if not table.rows:
            table.rows.append([])
        table.rows[-1].append(self._out.pop())

    def close_table(self) -> None:
        """End the innermost table; where it only places things, its cells come one after the other."""
        self.close_cell()
        if not self._tables:
            return
        table = self._tables.pop()
        self._cells.pop()
        cells = [cell for row in table.rows for cell in row]
        single = all(len(row) < 2 for row in table.rows)
        if (
            single
            or table.layout
            or any(block.heading or block.text[:3] in _FENCES for cell in cells for block in cell)
        ):
            self._out[-1].extend(block for cell in cells for block in cell)
        else:
            self._add(_rows(table.rows))

    def open_main(self) -> None:
        """Note that the page says where its main part starts."""
        if not self._main and len(self._out) == 1:
            self._main.append(len(self._out[0]))

    def close_main(self) -> None:
        """Note where the main part ends."""
        if len(self._main) == 1 and len(self._out) == 1:
            self._main.append(len(self._out[0]))

    def finish(self) -> tuple[str, str]:
        """Return the page's only first-level heading (else an empty text) and all Markdown."""
        while self._tables:
            self.close_table()
        self.close_pre()
        self.flush()
        blocks = self._out[0]
        if self._main:
            start, end = [*self._main, len(blocks)][:2]
            blocks = blocks[start:end] or blocks
        titles = [block.text[2:] for block in blocks if block.heading == 1]
        return (titles[0] if len(titles) == 1 else ""), _joined(blocks)

    def _add(self, text: str, heading: int = 0) -> None:
        """Write a block with the marks of the lists and quotes around it; cells and headings carry none."""
        if len(self._out) > 1 or heading:
            self._out[-1].append(Block(text, heading=heading))
            return
        in_list = bool(self._lists) or bool(self._marker)
        depth = max(min(len(self._lists), _DEEPEST) - 1, 0)
        indent = "  " * depth
        first = indent + self._marker if in_list else ""
        rest = indent + "  " if in_list else ""
        self._marker = ""
        quote = "> " * min(self._quotes, _DEEPEST)
        lines = text.split("\n")
        laid = "\n".join(f"{quote}{first if number == 0 else rest}{line}" for number, line in enumerate(lines))
        self._out[-1].append(Block(laid, item=in_list))


def _rows(rows: list[list[list[Block]]]) -> str:
    """Return a table; the first row is its head, and short rows are filled up."""
    texts = [[_cell(cell) for cell in row] for row in rows]
    texts = [row for row in texts if any(row)]
    width = max((len(row) for row in texts), default=0)
    if not width:
        return ""
    padded = [row + [""] * (width - len(row)) for row in texts]
    lines = [f"| {' | '.join(row)} |" for row in padded]
    return "\n".join([lines[0], f"|{' --- |' * width}", *lines[1:]])


def _cell(blocks: list[Block]) -> str:
    """Return a cell's blocks on one line; a bar would start a new cell."""
    return " ".join(_SPACE.sub(" ", block.text) for block in blocks).replace("|", "\\|")


def _joined(blocks: list[Block]) -> str:
    parts: list[str] = []
    before: Block | None = None
    for block in blocks:
        if not block.text:
            continue
        if before is not None:
            parts.append("\n" if before.item and block.item else "\n\n")
        parts.append(block.text)
        before = block
    return "".join(parts)
