"""Which limits hold for reading a file and for each training target; it does not know how they are checked."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from knowledge.errors import UserError

_FILE = Path(__file__).with_name("limits.toml")
KEPT = "a data set"
"""A target that is none: what a data set may hold beside texts, for whichever target takes it."""
_SETS = ("roles", "formats", "containers", "pictures")


@dataclass(frozen=True, kw_only=True)
class ReadLimits:
    """How much of a file is read before it is refused, whatever it is for."""

    file_bytes: int
    """Bytes of the whole file."""
    line_bytes: int
    """Bytes of one line."""
    rows: int
    """Rows of the whole file."""
    depth: int
    """Levels of nested brackets in one line."""


@dataclass(frozen=True, kw_only=True)
class WorkbookLimits:
    """What reading one Excel file may cost."""

    file_bytes: int
    """Bytes of the file, which is a zip."""
    expanded_bytes: int
    """What it may unpack to."""
    ratio: int
    """Unpacked to packed bytes, beyond the first mebibyte."""
    entries: int
    """Files inside."""
    rows: int
    """Rows of the sheet."""
    columns: int
    """Columns of the sheet."""
    cell_characters: int
    """Characters of one cell."""
    characters: int
    """Characters of all rows, as they are handed on: one text may be shared by every cell."""
    seconds: float
    """Time that its parser may take."""
    memory_bytes: int
    """Address space that its parser may take."""


@dataclass(frozen=True, kw_only=True)
class TargetLimits:
    """What one training target accepts."""

    target: str
    """Name of the target, such as `local`."""
    least_rows: int
    """Fewer training rows are refused."""
    good_rows: int
    """Fewer training rows get a warning."""
    row_tokens: int
    """Tokens of one row after the chat template."""
    file_bytes: int
    """Bytes of the whole file."""
    rows: int
    """Rows of the whole file."""
    roles: frozenset[str]
    """Who may speak, in the names of the chat format."""
    formats: frozenset[str]
    """Row formats that can be handed over as they are."""
    containers: frozenset[str]
    """Kinds of file that can be handed over as they are."""
    byte_order_mark: bool
    """Whether the file has to begin with one."""
    pictures: frozenset[str]
    """How a question may hold pictures: by `address`, `inside` the row, or not at all."""
    row_pictures: int
    """Pictures of one row."""
    one_format_a_row: bool
    """Whether a row is refused that has keys of two formats, such as messages and a text."""
    vocabulary: str
    """How its tokens are counted: `o200k_base`, the `model`'s own tokenizer, or an `estimate`."""
    source: str
    """Where these figures are from."""
    as_of: str
    """When they were looked up."""

    @property
    def tools(self) -> bool:
        """Whether a row may call tools."""
        return "tool" in self.roles


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))


def _read_limits(section: str) -> ReadLimits:
    table = _tables()[section]
    return ReadLimits(**{name: table[name] for name in ReadLimits.__dataclass_fields__})


@cache
def read_limits() -> ReadLimits:
    """The limits for a file that Luthier keeps: uploads and data sets, which are held in memory."""
    return _read_limits("read")


@cache
def shell_limits() -> ReadLimits:
    """The limits for a file that is only read through, row by row, for whoever sits at this machine."""
    return _read_limits("shell")


@cache
def workbook_limits() -> WorkbookLimits:
    """The limits for an Excel file."""
    table = _tables()["workbook"]
    return WorkbookLimits(**{name: table[name] for name in WorkbookLimits.__dataclass_fields__})


def target_names() -> tuple[str, ...]:
    """Every known target, in order of the alphabet."""
    return tuple(sorted(_tables()["target"]))


def takers(*, tools: bool, pictures: bool) -> list[str]:
    """Name the targets that train on rows with calls of tools, or with pictures, or with both."""
    known = [target_limits(name) for name in target_names()]
    return [each.target for each in known if (each.tools or not tools) and (each.pictures or not pictures)]


@cache
def target_limits(target: str) -> TargetLimits:
    """The limits of a training target; a `UserError` names the known ones if it is not among them."""
    if target != KEPT and target not in _tables()["target"]:
        raise UserError(f"I don't know the target {target[:40]!r}.", f"Use one of: {', '.join(target_names())}.")
    table = _tables()["kept"] if target == KEPT else _tables()["target"][target]
    sets: dict[str, Any] = {name: frozenset(table[name]) for name in _SETS}
    plain = TargetLimits.__dataclass_fields__.keys() - {"target", "as_of", *_SETS}
    return TargetLimits(target=target, as_of=str(table["as_of"]), **sets, **{name: table[name] for name in plain})
