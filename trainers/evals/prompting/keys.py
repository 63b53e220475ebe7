"""How a system prompt tells the keys of a JSON Schema, those inside objects and lists too; it makes up no values."""

import json
from collections.abc import Mapping
from typing import Any, Final, Literal

from trainers.evals.drafts.fields import fields_of, types_of
from trainers.evals.drafts.schemas import plain_schema

Absence = Literal["null", "left_out", "whole"]
"""What an answer may say of a value that is not there: null for each key, null or no key, or neither."""

_DEEPEST: Final = 4
"""Objects and lists within each other that are told."""

_CHOICES: Final = 20
"""Allowed values of a key that are told."""

_WORDS: Final = {"string": "text", "boolean": "true or false", "integer": "whole number"}


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
    kinds = [kind for kind in types_of(node) if kind != "null"]
    null = " or null" if "null" in types_of(node) or None in node.get("enum", ()) else ""
    if told := _fixed(node):
        return f"{told}{null}"
    if isinstance(node.get("properties"), Mapping) and node["properties"]:
        inner = f"object with {_keys(node, depth - 1)}" if depth else "object"
    elif "array" in kinds:
        items = node.get("items")
        inner = f"list, each {_holds(items, depth - 1)}" if isinstance(items, Mapping) and depth else "list"
    else:
        inner = " or ".join(_WORDS.get(kind, kind) for kind in kinds) or "text"
    return f"{inner}{null}"


def _fixed(node: Mapping[str, Any]) -> str:
    """Name the values of which one is allowed; "" where it is not a few."""
    listed = [node["const"]] if "const" in node else node.get("enum", ())
    values = [each if isinstance(each, str) else json.dumps(each) for each in listed if each is not None]
    if not values or len(values) > _CHOICES:
        return ""
    return f"one of {', '.join(values)}" if len(values) > 1 else f"always {values[0]}"
