"""How a system prompt tells the keys of a schema, and what its examples show of them."""

import json
from typing import Any

import pytest

from trainers.evals.plan import make_plan
from trainers.evals.plans.choices import kind_named
from trainers.evals.prompting.checks import check_prompt
from trainers.evals.prompting.compose import compose_prompt
from trainers.evals.prompting.keys import absence_of, keys_of

ORDER: dict[str, Any] = {
    "type": "object",
    "required": ["vendor", "currency", "lines", "paid", "chassis"],
    "properties": {
        "vendor": {"$ref": "#/$defs/party"},
        "currency": {"enum": ["EUR", "USD", None]},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["item", "price"],
                "properties": {"item": {"type": "string"}, "price": {"type": "number"}},
            },
        },
        "paid": {"type": "boolean"},
        "chassis": {"type": "string"},
        "note": {"const": "none"},
    },
    "$defs": {
        "party": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "rank": {"type": ["integer", "null"]}},
        }
    },
}


def test_keys_are_told_with_what_they_hold() -> None:
    """References, choices, lists, null and keys that may be missing, also inside objects."""
    assert keys_of(ORDER) == (
        "vendor (object with name (text), rank (whole number or null; may be missing)), "
        "currency (one of EUR, USD or null), lines (list, each object with item (text), price (number)), "
        "paid (true or false), chassis (text), note (always none; may be missing)"
    )


def test_what_refers_to_itself_ends() -> None:
    """A tree is told some levels deep."""
    tree: dict[str, Any] = {"type": "object", "properties": {"name": {"type": "string"}}}
    tree["properties"]["children"] = {"type": "array", "items": {"$ref": "#/$defs/tree"}}
    tree["$defs"] = {"tree": {k: v for k, v in tree.items() if k != "$defs"}}
    assert len(keys_of(tree)) < 2000


@pytest.mark.parametrize(
    ("node", "holds", "absence"),
    [
        ({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]}, "text or number or null", "null"),
        ({}, "anything", "null"),
        (True, "anything", "null"),
        ({"const": None}, "null", "null"),
        ({"type": "null"}, "null", "null"),
        ({"allOf": [{"type": ["string", "null"]}]}, "anything", "null"),
        ({"type": ["integer", "string"]}, "whole number or text", "whole"),
        ({"type": ["string", "null"], "enum": ["a"]}, "always a", "whole"),
        ({"enum": ["a", None]}, "one of a or null", "null"),
        ({"type": "array", "items": True}, "list", "whole"),
        ({"type": "object"}, "object", "whole"),
        ({"type": "string", "pattern": "^[A-Z]{2}$"}, "text that matches ^[A-Z]{2}$", "whole"),
        ({"type": ["string", "null"], "format": "email"}, "text in the format email or null", "null"),
    ],
)
def test_odd_nodes_are_told_as_the_validator_takes_them(node: Any, holds: str, absence: str) -> None:
    """Whether a key may be null is the validator's to say."""
    answers = {"type": "object", "properties": {"a": node}, "required": ["a"]}
    assert keys_of(answers) == f"a ({holds})"
    assert absence_of(answers) == absence


def schema(kind: Any, *, required: bool = True) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"total": {"type": kind}},
        "required": ["total"] if required else [],
    }


@pytest.mark.parametrize(
    ("answers", "absence", "says", "never"),
    [
        (schema(["number", "null"]), "null", "return all keys with null", "leave the key out"),
        (schema("number", required=False), "left_out", "leave the key out where it may be missing", "all keys with"),
        (schema("number"), "whole", "never guess one", "null"),
    ],
)
def test_null_is_asked_for_where_a_key_takes_it(answers: dict[str, Any], absence: str, says: str, never: str) -> None:
    """What a reply does without a value follows from the schema; one that leaves no way is told to a person."""
    made = compose_prompt(make_plan("Extract the total from mails", schema=answers), seed=7)
    assert absence_of(answers) == absence
    assert says in made.text
    assert never not in made.text
    assert any("Better let such keys be null" in note for note in made.notes) == (absence == "whole")


@pytest.mark.parametrize("seed", range(3))
def test_the_first_example_shows_every_key(seed: int) -> None:
    """Keys that no recipe knows hold made-up words."""
    made = compose_prompt(make_plan("Extract data from invoices", schema=ORDER), seed=seed)
    assert len(made.examples) == 3
    assert set(json.loads(made.examples[0].reply)) >= {"vendor", "currency", "lines", "paid", "chassis"}


def test_a_prompt_that_contradicts_itself_is_not_praised_for_consistency() -> None:
    """One finding of consistency is missing, and none says that it is all right."""
    found = [each for each in check_prompt("Be brief. Explain in great detail.") if each.aspect == "consistency"]
    assert found
    assert not any(each.ok for each in found)


@pytest.mark.parametrize(("name", "kind"), [("voice", "style"), ("Documents", "qa"), ("format", "generation")])
def test_kinds_of_rows_name_kinds_of_tasks(name: str, kind: str) -> None:
    """One thing has one name in all commands."""
    assert kind_named(name) == kind


@pytest.mark.parametrize("kind", ["qa", "classification"])
def test_a_schema_beside_another_kind_is_no_reason_to_fail(kind: str) -> None:
    """Replies of other kinds are text."""
    plan = make_plan("Sort questions into a, b from our handbook", schema=ORDER, kind=kind)
    assert compose_prompt(plan, seed=7).text
