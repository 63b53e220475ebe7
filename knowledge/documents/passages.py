"""Reads passages, one JSON object a line; it keeps their ids exactly and names the line of every fault."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from knowledge.documents.characters import has_text, one_line, tidy, visible
from knowledge.documents.drafts import Unreadable
from knowledge.documents.limits import Limits
from knowledge.sources import Page

_EXAMPLE = 'Each line is an object such as {"id": "1", "title": "Refunds", "text": "You have 30 days."}.'
_LONGEST_ID = 500
_TITLE = 80
"""Length of a title made of a passage's first words."""


def read_passages(text: str, limits: Limits, today: date) -> tuple[tuple[Page, ...], tuple[str, ...]]:
    """Return one page for each passage and what was left out; raise Unreadable with the line of the first fault."""
    pages: list[Page] = []
    lines: dict[str, int] = {}
    empty: list[int] = []
    for number, line in _lines(text, limits):
        fields = _fields(line, number)
        key = _key(fields, number)
        if key in lines:
            raise _fault(number, f"has the id of line {lines[key]:,}", "Give each passage its own id.")
        lines[key] = number
        page = _page(key, _words(fields, "title", number), _words(fields, "text", number), today)
        if page is None:
            empty.append(number)
        else:
            pages.append(page)
    return tuple(pages), _notes(empty)


def _lines(text: str, limits: Limits) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that is not blank; only a line feed ends a line, as JSONL has it."""
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > limits.line_bytes:
            raise _fault(
                number, f"is longer than {limits.line_bytes:,} characters", "Cut the passage into shorter ones."
            )
        if line.strip():
            yield number, line


def _fields(line: str, number: int) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except json.JSONDecodeError as error:
        raise _fault(number, f"is not valid JSON ({error.msg}, column {error.colno})", _EXAMPLE) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets in thousands
        raise _fault(number, "holds a number or brackets that I can't read", _EXAMPLE) from error
    if not isinstance(fields, dict):
        raise _fault(number, "is not an object", _EXAMPLE)
    return fields


def _key(fields: dict[str, Any], number: int) -> str:
    key = fields.get("id")
    if isinstance(key, int) and not isinstance(key, bool):
        key = str(key)
    if not isinstance(key, str) or not key.strip():
        raise _fault(number, "has no id", _EXAMPLE)
    if len(key) > _LONGEST_ID or visible(key) != key or "\n" in key:
        # The id is given back exactly, so it cannot be cleaned.
        raise _fault(number, "has an id that is too long or holds control characters", "Use letters and digits.")
    return key


def _words(fields: dict[str, Any], name: str, number: int) -> str:
    value = fields.get(name)
    if value is None and name == "title":
        return ""
    if not isinstance(value, str):
        raise _fault(number, f"has no {name} in quotes", _EXAMPLE)
    return value


def _page(key: str, title: str, text: str, today: date) -> Page | None:
    """Return the passage as a page; None where it holds no words, because nobody could find it."""
    heading, body = one_line(title), tidy(text)
    if not has_text(body):
        body = heading
    if not has_text(body):
        return None
    return Page(slug=key, title=heading or one_line(body, _TITLE), updated=today, body=body)


def _notes(empty: list[int]) -> tuple[str, ...]:
    if not empty:
        return ()
    which = ", ".join(f"{number:,}" for number in empty[:5]) + (" …" if len(empty) > 5 else "")
    return (f"{len(empty):,} {'passage has' if len(empty) == 1 else 'passages have'} no words (line {which}).",)


def _fault(number: int, what: str, step: str) -> Unreadable:
    return Unreadable(f"can't be read: line {number:,} {what}.", step)
