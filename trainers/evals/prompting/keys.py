"""How a system prompt tells the keys of a JSON Schema, those inside objects and lists too; it makes up no values."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from trainers.evals.drafts.fields import fields_of, types_of
from trainers.evals.drafts.schemas import plain_schema

Absence = Literal["null", "left_out", "whole"]
"""What an answer may say of a value that is not there: null for each key, null or no key, or neither."""

_DEEPEST: Final = 4
"""Objects and lists within each other that are told."""

_CHOICES: Final = 20
"""Allowed values of a key that are told."""

_LONGEST: Final = 60
"""Characters of a pattern that is told."""

_WORDS: Final = {"string": "text", "boolean": "true or false", "integer": "whole number", "array": "list"}


def keys_of(schema: Mapping[str, Any]) -> str:
    """Return the keys with what each holds: `vendor (object with name (text)), currency (one of EUR, USD)`."""
    return _keys(plain_schema(schema), _DEEPEST)


def absence_of(schema: Mapping[str, Any]) -> Absence:
    """Return what the keys of an answer allow where a text does not say a value."""
    fields = fields_of(plain_schema(schema))
    if all(field.nullable for field in fields):
        return "null"
    return "left_out" if any(field.nullable or field.optional for field in fields) else "whole"


def _keys(node: Mapping[str, Any], depth: int) -> str:
    return ", ".join(
        f"{field.key} ({_holds(field.node, depth)}{'; may be missing' if field.optional else ''})"
        for field in fields_of(node)
    )


def _holds(node: Mapping[str, Any], depth: int) -> str:
    """Say what a key holds, in a few words."""
    told = [_fixed(node)] if _fixed(node) else list(_kinds(node, depth))
    allowed = _allowed(node)
    null = ["null"] if None in allowed or ("null" in types_of(node) and not allowed) else []
    return " or ".join(dict.fromkeys([*told, *null])) or "anything"


def _kinds(node: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Yield what a key may hold by its types, or by the schemas of which one holds."""
    kinds, properties, items = types_of(node), node.get("properties"), node.get("items")
    for each in _choices(node) if not kinds and depth else ():
        yield _holds(each, depth - 1)
    if isinstance(properties, Mapping) and properties:
        yield f"object with {_keys(node, depth - 1)}" if depth else "object"
    for kind in kinds:
        if kind == "array" and isinstance(items, Mapping) and depth:
            yield f"list, each {_holds(items, depth - 1)}"
        elif kind != "null" and not (kind == "object" and properties):
            yield f"{_WORDS.get(kind, kind)}{_form(node) if kind == 'string' else ''}"


def _form(node: Mapping[str, Any]) -> str:
    """Tell how a text is written, where the schema says so in a few signs."""
    pattern, kind = node.get("pattern"), node.get("format")
    if isinstance(pattern, str) and len(pattern) <= _LONGEST:
        return f" that matches {pattern}"
    return f" in the format {kind}" if isinstance(kind, str) and kind != "date" else ""


def _choices(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = node.get("anyOf") or node.get("oneOf")
    return [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []


def _allowed(node: Mapping[str, Any]) -> list[Any]:
    """Return the values of which a key holds one; none where it is free."""
    listed = [node["const"]] if "const" in node else node.get("enum")
    return listed if isinstance(listed, list) else []


def _fixed(node: Mapping[str, Any]) -> str:
    """Name the values of which one is allowed; "" where it is not a few."""
    values = [each if isinstance(each, str) else json.dumps(each) for each in _allowed(node) if each is not None]
    if not values or len(values) > _CHOICES:
        return ""
    return f"one of {', '.join(values)}" if len(_allowed(node)) > 1 else f"always {values[0]}"
