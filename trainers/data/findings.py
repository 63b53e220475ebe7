"""What a finding about training rows is and how it speaks; it does not know how findings are found.

A finding names lines and a reason and never repeats what stands in a row: rows may hold what nobody should see twice.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, overload

Severity = Literal["BLOCK", "WARN", "REPORT"]

ORDER: dict[Severity, int] = {"BLOCK": 0, "WARN": 1, "REPORT": 2}
MOST_LINES = 1000  # a finding lists at most so many lines; its message has the true count
_NUMBER = r"\d+(?:,\d{3})*+(?!,?\d)"
_LINES = re.compile(rf"\b([Ll])ine(s?) ({_NUMBER}(?:, {_NUMBER})*(?: and {_NUMBER}(?! more))?)")
NAMED_LINES = 4  # lines spelled out in a sentence before "and 12 more"


class Spots(Sequence[int]):
    """Line numbers in ascending order: the first `MOST_LINES` and a count of all, so that memory stays bounded."""

    def __init__(self, lines: Iterable[int] = ()) -> None:
        """Take the first lines, ascending."""
        self._first: list[int] = []
        self._last = self._count = 0
        for line in lines:
            self.add(line)

    def add(self, line: int) -> None:
        """Note a line; one that was noted last is not noted again."""
        if line == self._last:
            return
        self._last = line
        self._count += 1
        if len(self._first) < MOST_LINES:
            self._first.append(line)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        """Return noted lines; lines beyond the first `MOST_LINES` are only counted."""
        return self._first[index]

    def __len__(self) -> int:
        """Count all lines, kept or not."""
        return self._count

    def __iter__(self) -> Iterator[int]:
        """Go through the lines that were kept."""
        return iter(self._first)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong, doubtful or worth knowing about a file of rows."""

    code: str
    """Stable name of the rule in snake_case, such as `contradiction`."""
    severity: Severity
    """BLOCK stops training, WARN asks for a look, REPORT only tells."""
    lines: tuple[int, ...] = ()
    """1-based line numbers, ascending, at most `MOST_LINES`; empty when the whole file is meant."""
    message: str
    """What was found and why it matters: plain sentences without content of rows."""
    fix: str = ""
    """What to do next: one sentence; empty for REPORT."""

    def __post_init__(self) -> None:
        """Refuse a severity that no reader knows."""
        if self.severity not in ORDER:
            raise ValueError(f"unknown severity {self.severity!r}")

    def to_json(self) -> dict[str, object]:
        """The finding as plain JSON values."""
        return {
            "code": self.code,
            "severity": self.severity,
            "lines": list(self.lines),
            "message": self.message,
            "fix": self.fix,
        }


def block(code: str, lines: Sequence[int], message: str, fix: str) -> Finding:
    """A finding that stops training."""
    return Finding(code=code, severity="BLOCK", lines=tuple(islice(lines, MOST_LINES)), message=message, fix=fix)


def warn(code: str, lines: Sequence[int], message: str, fix: str) -> Finding:
    """A finding that asks a person to look."""
    return Finding(code=code, severity="WARN", lines=tuple(islice(lines, MOST_LINES)), message=message, fix=fix)


def tell(code: str, message: str) -> Finding:
    """A finding that only tells."""
    return Finding(code=code, severity="REPORT", message=message)


def name_lines(lines: Sequence[int], most: int = NAMED_LINES) -> str:
    """Spell line numbers for a sentence: `line 17`, `lines 3, 9 and 12`, `lines 3, 9, 12, 20 and 41 more`."""
    if len(lines) == 1:
        return f"line {lines[0]:,}"
    named = [f"{line:,}" for line in islice(lines, most)]
    rest = len(lines) - len(named)
    last = f"{rest:,} more" if rest else named.pop()
    return f"lines {', '.join(named)} and {last}"


def lines_have(lines: Sequence[int]) -> str:
    """Open a sentence about lines: `Line 17 has`, `Lines 3 and 9 have`."""
    named = name_lines(lines)
    return f"{named[0].upper()}{named[1:]} {'has' if len(lines) == 1 else 'have'}"


def lines_are(lines: Sequence[int]) -> str:
    """Open a sentence about lines: `Line 17 is`, `Lines 3 and 9 are`."""
    named = name_lines(lines)
    return f"{named[0].upper()}{named[1:]} {'is' if len(lines) == 1 else 'are'}"


def as_rows(text: str, starts: Sequence[int] = ()) -> str:
    """Say rows for lines: what is counted in one JSON list, which may stand on one line.

    With `starts`, the lines on which the rows begin, these are said too.

    >>> as_rows("Lines 3 and 9 have a NUL character; line 4 is empty.")
    'Rows 3 and 9 have a NUL character; row 4 is empty.'
    >>> as_rows("Lines 1, 2 and 1,000 more have it.", [2, 5, 9])
    'Rows 1, 2 (lines 2 and 5) and 1,000 more have it.'
    """
    return _LINES.sub(lambda found: _numbered(found, starts), text)


def _numbered(found: re.Match[str], starts: Sequence[int]) -> str:
    said = f"{'R' if found[1] == 'L' else 'r'}ow{found[2]} {found[3]}"
    rows = [int(number.replace(",", "")) for number in re.findall(_NUMBER, found[3])]
    lines = [starts[row - 1] for row in rows if 0 < row <= len(starts)]
    return f"{said} ({name_lines(lines)})" if lines else said


def plural(count: int, noun: str) -> str:
    """Count a noun: `1 row`, `1,200 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
