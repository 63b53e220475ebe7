"""Writes a JSON Schema plainer, so that drafts can read it: references inlined, a choice with null as a type."""

from collections.abc import Mapping
from typing import Any, Final

_MOST_NODES: Final = 2_000
"""Nodes that are looked at: references may multiply."""

_CHOICES: Final = ("anyOf", "oneOf")
_HOLDERS: Final = ("$defs", "definitions", "$schema", "$id")


def plain_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema without what generators of schemas put around plain types; what is not plain stays as it is.

    References to definitions of its own are inlined, and `anyOf` of one type and null becomes that type or null. What
    refers to itself keeps that reference, which no draft reads.
    """
    told = _Reader(schema).plain(schema, ())
    return {name: value for name, value in told.items() if name not in _HOLDERS}


class _Reader:
    """Reads one document, up to so many nodes."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self.root, self.left = root, _MOST_NODES

    def plain(self, node: Any, inside: tuple[str, ...]) -> Any:
        """Return a node plainer; `inside` are the references that led to it."""
        self.left -= 1
        if not isinstance(node, Mapping) or self.left < 0:
            return node
        reference = node.get("$ref")
        if isinstance(reference, str) and reference not in inside and (target := self._target(reference)) is not None:
            beside = {name: value for name, value in node.items() if name != "$ref"}
            return self.plain({**target, **beside}, (*inside, reference))
        found = self._without_null(node, inside)
        if isinstance(inner := found.get("properties"), Mapping):
            found["properties"] = {name: self.plain(child, inside) for name, child in inner.items()}
        if "items" in found:
            found["items"] = self.plain(found["items"], inside)
        return found

    def _target(self, reference: str) -> Mapping[str, Any] | None:
        """Return what a reference inside the document names."""
        place: Any = self.root
        for step in reference.removeprefix("#/").split("/") if reference.startswith("#/") else ():
            place = place.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(place, Mapping) else None
        return place if isinstance(place, Mapping) and place is not self.root else None

    def _without_null(self, node: Mapping[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
        """Turn `anyOf` of one other schema and null into that schema with null among its types."""
        name = next((each for each in _CHOICES if isinstance(node.get(each), list)), "")
        parts = node.get(name, []) if name else []
        others = [part for part in parts if not (isinstance(part, Mapping) and part.get("type") == "null")]
        if len(others) != 1 or len(parts) != 2 or not isinstance(others[0], Mapping):
            return dict(node)
        only = dict(self.plain(others[0], inside))
        if isinstance(only.get("enum"), list):
            only["enum"] = [*only["enum"], None]
        if (kinds := only.get("type")) is not None:
            only["type"] = [*(kinds if isinstance(kinds, list) else [kinds]), "null"]
        return {**{key: value for key, value in node.items() if key != name}, **only}
