"""What a cell of a table means to a spreadsheet, and how rows become named values; it opens no file."""

import re
from collections.abc import Sequence

from trainers.data.formats import detect
from trainers.data.formats.pairs import UNDERSTOOD
from trainers.data.parsing import Refusal

Value = dict[str, object]
# A spreadsheet runs what begins so (OWASP, CSV injection); "- a list" and "-5" are texts that people write.
_FORMULA = re.compile(r"[=@]\S|[+-](?=[A-Za-z(=@])|[\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def is_formula(cell: str) -> bool:
    """Say whether a spreadsheet would run this text."""
    return _FORMULA.match(cell) is not None


def guard(cell: str) -> str:
    """Write a text so that no spreadsheet runs it: with an apostrophe in front, which `unguard` takes away."""
    runs = cell[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{cell}" if runs or _GUARDED.match(cell) else cell


def unguard(cell: str) -> str:
    """Take away the apostrophe that `guard` put in front."""
    return cell[1:] if _GUARDED.match(cell) else cell


class Header:
    """The names of a table's columns, and which shape of rows they make."""

    def __init__(self, names: Sequence[str]) -> None:
        """Take the first row; raises `Refusal` where it does not say what to learn from what."""
        self.names = [name.strip() for name in names]
        used = [name for name in self.names if name]
        if len({name.casefold() for name in used}) != len(used):
            raise Refusal("duplicate_key", "the same name for two columns")
        plain: Value = {name.casefold(): "" for name in used}
        self.kind = detect(plain)
        if self.kind not in ("prompt_completion", "alpaca", "table"):
            raise Refusal("no_columns", f"no names of columns that I know: {UNDERSTOOD}")

    def row(self, cells: Sequence[str]) -> Value:
        """Name the cells of a row; raises `Refusal` for more cells than columns."""
        if len(cells) > len(self.names) and any(cell.strip() for cell in cells[len(self.names) :]):
            raise Refusal("invalid_table", "more cells than the table has columns")
        filled = [*cells, *[""] * (len(self.names) - len(cells))]
        return {name.casefold(): unguard(cell) for name, cell in zip(self.names, filled, strict=False) if name}
