"""The facts as a JSON schema, for a language model; it repeats what facts.py and facts.toml say of them."""

import ast
import functools
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from knowledge.advice import facts
from knowledge.advice.facts import ALLOWED, IMPRESSIONS, NAMES, NUMBERS
from knowledge.advice.rubric import load_rubric

STATED = tuple(name for name in NAMES if name not in IMPRESSIONS)
"""The facts that a text can state."""

_SPAN = {"type": "string", "description": "Words of the text that show the value, letter by letter."}


@functools.cache
def meanings() -> Mapping[str, str]:
    """Give the sentence that says what each fact means, from the docstring below its field."""
    tree = ast.parse(Path(facts.__file__).read_text("utf-8"))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Facts").body
    found: dict[str, str] = {}
    for field, told in itertools.pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            value = told.value if isinstance(told, ast.Expr) else None
            found[field.target.id] = str(value.value) if isinstance(value, ast.Constant) else ""
    return {name: found[name] for name in NAMES}


@functools.cache
def schema() -> Mapping[str, Any]:
    """Give the schema of an object that maps names of facts to a value and its span; every fact may be left out."""
    return {
        "title": "facts",
        "description": "The facts that the text states, each with the words that show it.",
        "type": "object",
        "properties": {name: _entry(name) for name in STATED},
        "additionalProperties": False,
    }


@functools.cache
def listed() -> str:
    """List every fact with its type and meaning, a line each, for models that are not shown the schema."""
    return "\n".join(f"- {name} ({_kind(name)}): {_told(name)}" for name in STATED)


def _entry(name: str) -> dict[str, Any]:
    return {
        "type": "object",
        "description": _told(name),
        "properties": {"value": _value(name), "span": _SPAN},
        "required": ["value", "span"],
        "additionalProperties": False,
    }


def _value(name: str) -> dict[str, Any]:
    if name in ALLOWED:
        return {"type": "string", "enum": list(ALLOWED[name])}
    return {"type": "integer", "minimum": 0} if name in NUMBERS else {"type": "boolean"}


def _kind(name: str) -> str:
    if name in ALLOWED:
        return "one of " + ", ".join(ALLOWED[name])
    return "whole number" if name in NUMBERS else "true or false"


def _told(name: str) -> str:
    return " ".join([meanings()[name], *_answers(name)])


def _answers(name: str) -> Iterator[str]:
    """Say what each value stands for, in the card's words."""
    said = load_rubric().facts[name].said
    if "number" not in said:
        yield "(" + "; ".join(f"{value}: {words}" for value, words in said.items()) + ")"
