"""What the fields of a JSON value are and when two are the same; it does not score an answer.

A field is a path with a value: `{"total": 12, "items": [{"sku": "A"}]}` has `total` = 12 and `items[].sku` = "A".
Numbers compare by value (1 is 1.0, without tolerance; true is no number). Texts compare after Unicode NFC, with white
space trimmed and its runs made one blank; case counts, because `usd` may not be `USD` to the program that reads it,
unless `fold_case` is given. A text is never a number: "12" is not 12. null is a value; an empty list or object is one
field. Arrays are multisets of their fields: neither order nor which fields stand together in one element counts.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Any

Path = tuple[str, ...]
Value = tuple[str, Any]
Fields = Counter[tuple[Path, Value]]

ELEMENT = "\0"
"""Stands in a path for any place in an array; no key holds this character (`trainers.data.parsing` refuses it)."""
_NULL: Value = ("null", None)
_EMPTY = frozenset((("object", None), ("array", None)))


def fields(value: Any, *, fold_case: bool = False) -> Fields:
    """Count the fields of a JSON value of at most `read_limits().depth` levels.

    >>> sorted(spell(path) for path, _ in fields({"total": 12, "items": [{"sku": "A"}, {"sku": "B"}]}))
    ['items[].sku', 'items[].sku', 'total']
    """
    return Counter(_walk(value, (), fold_case))


def same(one: Any, other: Any, *, fold_case: bool = False) -> bool:
    """Say whether two JSON values are equal as values: keys in any order, arrays in theirs."""
    return _frozen(one, fold_case) == _frozen(other, fold_case)


def claims(found: Fields) -> Counter[Path]:
    """Count the paths that hold something: neither null nor an empty list or object."""
    paths: Counter[Path] = Counter()
    for (path, value), count in found.items():
        if value != _NULL and value not in _EMPTY:
            paths[path] += count
    return paths


def paths(found: Fields) -> Counter[Path]:
    """Count the paths whatever they hold."""
    counted: Counter[Path] = Counter()
    for (path, _), count in found.items():
        counted[path] += count
    return counted


def spell(path: Path) -> str:
    """Write a path for people: `items[].sku`; the value as a whole is `$`."""
    return ".".join(path).replace(f".{ELEMENT}", ELEMENT).replace(ELEMENT, "[]") or "$"


def _walk(value: Any, path: Path, fold_case: bool) -> Iterator[tuple[Path, Value]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _walk(item, (*path, key), fold_case)
    elif isinstance(value, list) and value:
        for item in value:
            yield from _walk(item, (*path, ELEMENT), fold_case)
    else:
        yield path, _leaf(value, fold_case)


def _leaf(value: Any, fold_case: bool) -> Value:
    """Return kind and normalised value of what holds no further value."""
    if isinstance(value, str):
        text = " ".join(unicodedata.normalize("NFC", value).split())
        return "text", text.casefold() if fold_case else text
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, int | float):
        return "number", value
    if value is None:
        return _NULL
    return ("object", None) if isinstance(value, dict) else ("array", None)


def _frozen(value: Any, fold_case: bool) -> Value:
    """Return a form in which equal values are equal: Python alone would take true for 1."""
    if isinstance(value, dict) and value:
        return "object", frozenset((key, _frozen(item, fold_case)) for key, item in value.items())
    if isinstance(value, list) and value:
        return "array", tuple(_frozen(item, fold_case) for item in value)
    return _leaf(value, fold_case)
