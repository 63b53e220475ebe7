"""Makes up plain values for fields that no recipe knows, by type, format and bounds, as examples in the schema.

They mean nothing: a reader of the rows puts real ones in their place. Drafts of test rows invent nothing.
"""

import random
from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any, Final

from trainers.evals.drafts.fields import Deck, fields_of, types_of
from trainers.evals.drafts.schemas import plain_schema
from trainers.evals.generating.patterns import texts_like
from trainers.evals.generating.table import table

_MOST: Final = 1e15
_WIDTH: Final = 28
"""How far numbers go from their one bound."""

_NAMED: Final = 8
"""Keys that one note names."""


def filled(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema in which every field that recipes know nothing of has examples, as far as some surely fit."""
    told = plain_schema(schema)
    return {**told, "properties": _filled(told)}


def fields_note(schema: Mapping[str, Any]) -> str:
    """Say of which fields recipes know too little, and what to do; "" where they know all."""
    unknown, lost = _unknown(plain_schema(schema)), _unknown(filled(schema))
    invented = [key for key in unknown if key not in lost]
    words = f"No recipe knows what stands in {_listed(invented)}: made-up words and numbers stand there. Put real ones "
    words += "in, or give `examples` in the schema."
    nothing = f"Nothing is sure to fit {_listed(lost)}: no draft fills it. Give `examples` in the schema."
    return " ".join([*([words] if invented else []), *([nothing] if lost else [])])


def _unknown(schema: Mapping[str, Any]) -> list[str]:
    deck = Deck(random.Random(0))  # noqa: S311  # a try, no secret
    return [field.key for field in fields_of(schema) if field.draw(deck) is None]


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(keys[:_NAMED]) + (f" and {len(keys) - _NAMED} more" if len(keys) > _NAMED else "")


def _filled(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties of an object, those without a value with examples."""
    unknown = set(_unknown(schema))
    exact = table()["plain"]["exact"]
    return {
        key: _with_examples(node)
        if key in unknown or (isinstance(node, Mapping) and node.get("format") in exact)
        else node
        for key, node in schema["properties"].items()
    }


def _with_examples(node: Any) -> Any:
    """Give a text or a number examples; of lists and objects what is inside them."""
    if not isinstance(node, Mapping) or {"enum", "const", "examples", "default"} & set(node):
        return node
    kinds = types_of(node)
    if "array" in kinds:
        return {**node, "items": _with_examples(node.get("items", {"type": "string"}))}
    if isinstance(node.get("properties"), Mapping):
        return {**node, "properties": _filled(node)}
    values = _plain_values(node, kinds)
    return {**node, "examples": values} if values else node


def _plain_values(node: Mapping[str, Any], kinds: Sequence[str]) -> list[Any]:
    if {"number", "integer"} & set(kinds):
        return list(_numbers(node, whole="number" not in kinds))
    if kinds and "string" not in kinds:
        return []
    if "pattern" in node:
        return list(texts_like(str(node["pattern"])))
    part = table()["plain"]
    return list(part["exact"].get(node.get("format"), ())) or _texts(node, part["words"])


def _numbers(node: Mapping[str, Any], *, whole: bool) -> list[int | float]:
    """Return numbers inside the bounds; without bounds a few of everyday."""
    low, high = _bound(node, "minimum", "exclusiveMinimum", 1), _bound(node, "maximum", "exclusiveMaximum", -1)
    if low is None and high is None:
        return [12, 3, 40, 7] if whole else [12.5, 3, 40.25, 7]
    first = low if low is not None else min(0, high or 0)
    last = high if high is not None else first + _WIDTH
    if not whole and first < last:
        return list(dict.fromkeys([first, round((first + last) / 2, 2), last]))
    return list(dict.fromkeys([ceil(first), (ceil(first) + floor(last)) // 2, floor(last)]))


def _bound(node: Mapping[str, Any], name: str, exclusive: str, inward: int) -> int | float | None:
    """Return a bound that may be taken itself."""
    closed, open_ = (_number(node.get(each)) for each in (name, exclusive))
    return open_ + inward if open_ is not None else closed


def _number(value: Any) -> int | float | None:
    """Return a number that one can work with."""
    number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _MOST
    return value if number else None


def _texts(node: Mapping[str, Any], words: Sequence[str]) -> list[str]:
    """Return words that are as long as they have to be: longer ones are several, shorter ones are cut."""
    least, most = (node.get(name) for name in ("minLength", "maxLength"))
    low = least if isinstance(least, int) else 0
    long = [" ".join([*words[at:], *words[:at]][: 1 + low // 4]) for at in range(len(words))]
    chosen = long if low > min(map(len, words)) else list(words)
    return [text[:most].strip() if isinstance(most, int) else text for text in chosen]
