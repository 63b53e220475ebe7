"""Reads files of use cases, a JSON object a line; it knows what can be wrong with a line, not what follows."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bot.shell.terminal import fail_usage


class Case(NamedTuple):
    """A line that can be answered."""

    line: int
    """From 1."""
    id: Any
    """As it stands in the file; "line 7" where there is none."""
    use_case: str


class Bad(NamedTuple):
    """A line that cannot."""

    line: int
    what: str


def open_cases(file: Path) -> list[Case | Bad]:
    """Read every line that is not blank; "-" is standard input. Raises typer.Exit where there is no such file."""
    if str(file) == "-":
        return list(read_cases(sys.stdin.buffer.read()))
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise fail_usage(f"{file} cannot be read: {error.strerror}.") from error
    return list(read_cases(raw))


def read_cases(raw: bytes) -> Iterator[Case | Bad]:
    """Read lines one by one; what is wrong with one does not touch the next."""
    for number, line in enumerate(raw.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if line.strip():
            yield _case(number, line)


def _case(number: int, line: bytes) -> Case | Bad:
    try:
        found = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return Bad(number, f"isn't UTF-8 (byte {error.start + 1})")
    except (ValueError, RecursionError) as error:
        told = f" ({error.msg}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        return Bad(number, f"isn't JSON{told}")
    if not isinstance(found, dict):
        return Bad(number, 'isn\'t an object such as {"id": "a1", "use_case": "Sort tickets into 12 queues"}')
    if "use_case" not in found:
        return Bad(number, "has no `use_case`")
    if not isinstance(found["use_case"], str):
        return Bad(number, "has a `use_case` that isn't text")
    named = found.get("id")
    return Case(number, f"line {number}" if named is None else named, found["use_case"])
