"""Rules about answers that are JSON, and tool calls: those that fail the schema which the prompt or the others show."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from trainers.data.findings import Finding, Spots, lines_have, warn
from trainers.data.limits import read_limits
from trainers.data.parsing import Refusal, parse_value
from trainers.data.rules.view import View

MOSTLY = 0.8  # share of answers that are JSON objects from which all should be
USUAL = 0.9  # share of these objects with a key, or a type under it, from which all should have it
_MOST_SHAPES = 2000
_LEAST = 5  # JSON answers; fewer show no shape
_TYPES = {dict: "object", list: "list", str: "text", bool: "truth", int: "number", float: "number", type(None): "null"}

Shape = tuple[tuple[str, str], ...]


class Answers:
    """Warns about answers that are no JSON where the others are, lack a key, or break a schema that is given."""

    def __init__(self) -> None:
        """Start without a row."""
        self._rows = self._objects = 0
        self._plain, self._broken, self._calls = Spots(), Spots(), Spots()
        self._shapes: dict[Shape, Spots] = {}

    def see(self, view: View) -> None:
        """Take a row's answer into account."""
        calls = [call for turn in _taught(view) for call in _calls(turn)]
        if not all(_call_fits(call, view.value.get("tools")) for call in calls):
            self._calls.add(view.line)
        last = view.value["messages"][-1]
        if next(_calls(last), None):
            return
        self._rows += 1
        value = _json(last["content"])
        if not isinstance(value, dict):
            self._plain.add(view.line)
            return
        self._objects += 1
        if not _fits(value, _schema_in(view.row.system)):
            self._broken.add(view.line)
        shape = tuple(sorted((key, _TYPES.get(type(part), "text")) for key, part in value.items()))
        if shape in self._shapes or len(self._shapes) < _MOST_SHAPES:
            self._shapes.setdefault(shape, Spots()).add(view.line)

    def findings(self) -> Iterator[Finding]:
        """Say which answers stand out."""
        lines: set[int] = set(self._broken) | set(self._calls)
        if self._objects >= _LEAST and self._objects >= MOSTLY * self._rows:
            lines |= set(self._plain) | set(self._odd_shapes())
        if lines:
            named = sorted(lines)
            message = (
                f"{lines_have(named)} an answer that is not in the shape that is asked for or that the others have."
            )
            fix = "Correct the answer, or drop the row: what reads the answers would fail on such a one."
            yield warn("schema_invalid_target", named, message, fix)

    def _odd_shapes(self) -> Iterator[int]:
        """Yield lines of objects that lack a usual key, have an unusual type, or a key that hardly any other has."""
        keys: Counter[str] = Counter()
        types: Counter[tuple[str, str]] = Counter()
        for shape, spots in self._shapes.items():
            for key, kind in shape:
                keys[key] += len(spots)
                types[key, kind] += len(spots)
        needed = {key for key, count in keys.items() if count >= USUAL * self._objects}
        usual = {key: kind for (key, kind), count in types.items() if kind != "null" and count >= USUAL * keys[key]}
        closed = len(needed) == len([key for key, count in keys.items() if count > max(1, 0.05 * self._objects)])
        for shape, spots in self._shapes.items():
            wrong_type = any(usual.get(key, kind) != kind and kind != "null" for key, kind in shape)
            strange = closed and any(key not in needed for key, _ in shape)
            if needed - {key for key, _ in shape} or wrong_type or strange:
                yield from spots


def _json(text: str) -> object:
    """Return the value of a text that is JSON; None for other texts."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return parse_value(text.encode("utf-8", "surrogatepass"), read_limits())
    except Refusal:
        return None


def _taught(view: View) -> Iterator[Mapping[str, Any]]:
    """Yield the turns that are trained on: all of the assistant's but those with a weight of 0."""
    for turn in view.value["messages"]:
        if turn["role"] == "assistant" and turn.get("weight") != 0:
            yield turn


def _calls(turn: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the functions that a turn calls, also in OpenAI's old form."""
    yield from (call["function"] for call in turn.get("tool_calls", ()))
    called = turn.get("function_call")
    if isinstance(called, dict) and isinstance(called.get("name"), str) and isinstance(called.get("arguments"), str):
        yield called


def _call_fits(function: Mapping[str, Any], tools: object) -> bool:
    """Say whether a call names a declared tool with arguments that are JSON and fit the tool's parameters."""
    arguments = _json(function["arguments"] or "{}")
    if not isinstance(arguments, dict):
        return False
    declared = [tool.get("function") for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    known = [tool for tool in declared if isinstance(tool, dict)]
    if not known:
        return True
    named = [tool for tool in known if tool.get("name") == function["name"]]
    return bool(named) and _fits(arguments, json.dumps(named[0].get("parameters") or {}))


def _fits(value: object, schema: str) -> bool:
    validator = _validator(schema)
    return validator is None or bool(validator.is_valid(value))


@lru_cache(maxsize=64)
def _validator(schema: str) -> Any:
    """Return what checks a schema; None without one, and for what is no schema or refers to other places."""
    import jsonschema

    if not schema or '"$ref"' in schema or '"pattern"' in schema:
        return None
    try:
        value = json.loads(schema)
        kind = jsonschema.validators.validator_for(value, default=jsonschema.Draft202012Validator)
        kind.check_schema(value)
    except (ValueError, TypeError, jsonschema.exceptions.SchemaError):
        return None
    return kind(value)


@lru_cache(maxsize=64)
def _schema_in(prompt: str) -> str:
    """Return the JSON Schema that stands in a prompt; empty if there is none."""
    decoder = json.JSONDecoder()
    start = prompt.find("{")
    while 0 <= start < 20_000:
        try:
            value, _ = decoder.raw_decode(prompt, start)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict) and isinstance(value.get("properties"), dict):
            return json.dumps(value)
        start = prompt.find("{", start + 1)
    return ""
