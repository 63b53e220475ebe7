"""Which limits hold for reading a file and for each training target; it does not know how they are checked."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from knowledge.errors import UserError

_FILE = Path(__file__).with_name("limits.toml")


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


@cache
def read_limits() -> ReadLimits:
    """The limits for reading any file."""
    section = tomllib.loads(_FILE.read_text("utf-8"))["read"]
    return ReadLimits(**{name: section[name] for name in ("file_bytes", "line_bytes", "rows", "depth")})


@cache
def target_limits(target: str) -> TargetLimits:
    """The limits of a training target; a `UserError` names the known ones if it is not among them."""
    targets = tomllib.loads(_FILE.read_text("utf-8"))["target"]
    if target not in targets:
        raise UserError(f"I don't know the target {target!r}.", f"Use one of: {', '.join(sorted(targets))}.")
    section = targets[target]
    figures = {name: section[name] for name in ("least_rows", "good_rows", "row_tokens")}
    return TargetLimits(target=target, **figures)
