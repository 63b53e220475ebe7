"""Which fields beside a conversation could say what belongs together, such as a customer; it divides no rows."""

from collections import Counter
from collections.abc import Iterable, Iterator

from knowledge.errors import UserError
from trainers.data.hashes import short_hash
from trainers.data.rules.handover import unread
from trainers.data.source import Chat

_METADATA = ("metadata", "meta")
_MOST_FIELDS, _LONGEST_NAME, _LONGEST_VALUE = 50, 60, 200
_USUAL = 0.9
"""Share of the rows that a field has to be in to be offered."""
_LARGEST = 0.5
"""Share of the rows that its largest group may have: with more there is little to divide."""

Value = dict[str, object]


def group_fields(chats: Iterable[Chat]) -> list[str]:
    """Name the fields by which rows could be kept together: in nearly all rows, and shared by some of them."""
    found: dict[str, Counter[int]] = {}
    rows = 0
    for chat in chats:
        rows += 1
        for name, value in dict(_fields(chat)).items():
            if name in found or len(found) < _MOST_FIELDS:
                found.setdefault(name, Counter())[short_hash(value)] += 1
    return [name for name, counts in found.items() if counts.total() >= _USUAL * rows and _groups(counts)]


def together(rows: Iterable[tuple[int, Chat]], name: str) -> list[list[int]]:
    """Gather the lines of each value of a field, in the row itself or in its metadata; raises UserError without it.

    A table's columns have no case.
    """
    groups: dict[str, list[int]] = {}
    for line, chat in rows:
        tables = (chat.raw, *_nested(chat.raw))
        value = next((table[key] for table in tables for key in (name, name.casefold()) if key in table), None)
        if isinstance(value, str | int):
            groups.setdefault(str(value), []).append(line)
    if not groups:
        raise UserError(f"No row has a key {name[:60]!r}.", "Name the key that says which rows belong together.")
    return [lines for lines in groups.values() if len(lines) > 1]


def _groups(counts: Counter[int]) -> bool:
    return len(counts) < counts.total() and max(counts.values()) <= _LARGEST * counts.total()


def _fields(chat: Chat) -> Iterator[tuple[str, str]]:
    """Yield short values of what stands beside a row's conversation, by name."""
    tables: list[Value] = [{name: chat.raw[name] for name in unread(chat)}, *_nested(chat.raw)]
    for table in tables:
        for name, value in table.items():
            given = isinstance(value, str | int) and not isinstance(value, bool) and value != ""
            short = len(name) <= _LONGEST_NAME and len(str(value)) <= _LONGEST_VALUE
            if given and short and name.strip():
                yield name, str(value)


def _nested(raw: Value) -> list[Value]:
    return [value for name in _METADATA if isinstance(value := raw.get(name), dict)]
