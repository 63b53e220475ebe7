"""Schemas are checked before anything is judged by them, nothing is fetched, and guesses are cautious."""

import json
import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.errors import UserError
from trainers.data.jsonl import Message, Row
from trainers.evals.metrics import Setup, load
from trainers.evals.metrics.schemas import accepts, check_schema, infer_schema


def rows(values: list[Any]) -> list[Row]:
    return [
        Row(line, (Message("user", "?"), Message("assistant", json.dumps(value))))
        for line, value in enumerate(values, 1)
    ]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "nope"}, "not valid at type"),
        ({"properties": {"a": {"minimum": "1"}}}, "not valid at properties.a.minimum"),
        ({"properties": {"a": {"pattern": "("}}}, "pattern"),
        ({"$ref": "https://example.com/schema.json"}, "fetch nothing"),
        ({"properties": {"a": {"items": {"$ref": "other.json"}}}}, "fetch nothing"),
        ({"properties": {"a": {"$ref": "#/$defs/none"}}}, "does not hold"),
        ({"$ref": "#"}, "without end"),
        ({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"$ref": "#/$defs/a"}}}, "without end"),
        ([], "not a JSON object"),
    ],
)
def test_a_bad_schema_is_refused(schema: Any, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong keywords, patterns, references to elsewhere, nowhere or itself are user errors, and no socket opens."""

    def refuse(*_: object) -> None:
        raise AssertionError("a schema was fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    for use in (check_schema, accepts, lambda schema: load("json_exact", Setup(schema=schema))):
        with pytest.raises(UserError, match=words.replace(".", r"\.")):
            use(schema)


def test_a_good_schema_judges_as_jsonschema_does() -> None:
    """References inside a document work; validity is the reference implementation's."""
    from jsonschema import Draft202012Validator

    schema = {
        "type": "object",
        "properties": {"price": {"$ref": "#/$defs/price"}, "kind": {"enum": ["a", "b"]}},
        "required": ["price"],
        "$defs": {"price": {"type": "number", "minimum": 0}},
        "examples": [{"$ref": "https://example.com"}],
    }
    accepted = accepts(schema)
    for value in ({"price": 1}, {"price": -1}, {}, [], {"price": 1.5, "kind": "c"}, {"price": True}, None):
        assert accepted(value) is Draft202012Validator(schema).is_valid(value)
    assert load("field_f1", Setup(schema=schema)).mark(rows([{"price": 1}])[0], '{"price": -1}').checks["valid"] == 0


def test_a_value_that_cannot_be_judged_is_not_valid() -> None:
    """A number too large to divide and a schema that calls itself on some values alone do not raise."""
    assert accepts({"multipleOf": 0.1})(10**400) is False
    assert accepts({"properties": {"a": {"$ref": "#/properties/a"}}})({"a": 1}) is False


def test_a_schema_is_guessed_cautiously() -> None:
    """Types, keys that all have, and choices that come back; whole numbers may become others, keys may be added."""
    values = [
        {"kind": "ab"[one % 2], "id": f"X{one}", "total": one, "note": None if one % 3 else "n", "tags": ["x", one]}
        | ({"rare": True} if one == 4 else {})
        for one in range(12)
    ]
    schema = infer_schema(rows(values))
    assert schema == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": ["a", "b"]},
            "id": {"type": "string"},
            "total": {"type": "number"},
            "note": {"type": ["null", "string"]},
            "tags": {"type": "array", "items": {"type": ["number", "string"]}},
            "rare": {"type": "boolean"},
        },
        "required": ["kind", "id", "total", "note", "tags"],
    }
    accepted = accepts(schema)
    assert accepted({**values[0], "total": 1.5, "more": 1})
    assert not accepted({**values[0], "kind": "c"})


@pytest.mark.parametrize(
    "values", [[], [{"a": 1}] * 9, [{"a": 1}] * 10 + [[1]], [{"a": 1}] * 10 + ["text"], [1] * 20], ids=str
)
def test_no_schema_is_guessed_from_too_little(values: list[Any]) -> None:
    """Fewer than ten targets, or any that is no object, give none."""
    assert infer_schema(rows(values)) is None


def test_keys_that_are_data_are_not_named() -> None:
    """An object whose keys are names or dates is any object."""
    schema = infer_schema(rows([{f"day {one}-{part}": 1 for part in range(10)} for one in range(12)]))
    assert schema is not None
    assert "properties" not in schema


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), min_size=10, max_size=14))
@settings(max_examples=40, deadline=None)
def test_every_target_fits_the_schema_made_from_it(values: list[Any]) -> None:
    """Whatever objects the targets are, the guess is a schema and all of them are valid."""
    schema = infer_schema(rows(values))
    assert schema is not None
    assert all(map(accepts(schema), values))
