"""What people hand in for a plan, checked and tidied; raises UserError for what no plan can be made of."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from knowledge.errors import UserError
from trainers.data.likeness import canonical

TASK_CHARACTERS = 2000
"""Characters of a task that are read and kept."""

MOST_LABELS = 1000
LABEL_CHARACTERS = 80
MOST_FIELDS = 100
_TYPES = {"string", "number", "integer", "boolean", "object", "array", "null"}
_DEPTH = 16
_KEEP = {"\n", "\t"}


def tidy_task(task: str) -> tuple[str, str]:
    """Return the task without control characters, cut to what is read, and what to say of that."""
    text = "".join(sign for sign in task if sign in _KEEP or unicodedata.category(sign)[0] != "C").strip()
    if not any(map(str.isalnum, text)):
        raise UserError(
            "The task is empty.", 'Describe it, for example: "Sort support tickets into billing, returns, other".'
        )
    if len(text) <= TASK_CHARACTERS:
        return text, ""
    return text[:TASK_CHARACTERS].rstrip(), f"I read the first {TASK_CHARACTERS:,} characters of {len(text):,}."


def tidy_labels(labels: Sequence[str], *, apart: bool = False) -> tuple[tuple[str, ...], int]:
    """Return labels without doubles (case and white space don't count) and how many doubles there were.

    With `apart` only the very same spelling is a double.
    """
    cleaned = [
        " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", " ", label).split()) for label in labels
    ]
    named = [label for label in cleaned if label]
    if not named:
        return (), 0
    kept: dict[str, str] = {}
    for label in named:
        kept.setdefault(label if apart else canonical(label), label)
    unique = tuple(kept.values())
    if len(unique) == 1:
        raise UserError("With one label there is nothing to tell apart.", "Name two or more, such as billing,returns.")
    if len(unique) > MOST_LABELS:
        raise UserError(
            f"{len(unique):,} labels are more than I can plan for.", f"Group them: {MOST_LABELS:,} at most."
        )
    if any(len(label) > LABEL_CHARACTERS for label in unique):
        raise UserError(f"A label is longer than {LABEL_CHARACTERS} characters.", "A label is a short name.")
    return unique, len(named) - len(unique)


def check_schema(schema: Any) -> Mapping[str, Any]:
    """Return a JSON Schema of an object; raises UserError where it is none that answers can be checked by."""
    if not isinstance(schema, Mapping):
        raise _no_schema("a JSON Schema is an object")
    _check_node(schema, "the schema", depth=0)
    properties = schema.get("properties")
    if schema.get("type", "object") != "object" or not isinstance(properties, Mapping) or not properties:
        raise _no_schema("it describes no object with properties")
    if len(properties) > MOST_FIELDS:
        raise _no_schema(f"it has {len(properties):,} fields, more than {MOST_FIELDS}")
    missing = [name for name in schema.get("required", ()) if name not in properties]
    if missing:
        raise _no_schema(f"it requires {str(missing[0])[:40]!r}, which is no property")
    return schema


def check_effect(effect: Decimal) -> Decimal:
    """Return a smallest useful effect, as a share; raises UserError where nothing could show it."""
    if not effect.is_finite() or not 0 < effect < 1:
        raise UserError(
            "The smallest useful effect must be above 0 and below 100 points.", "Use 5 for five points, for example."
        )
    return effect


def check_have(have: int | None) -> int | None:
    """Return how many test rows there are; raises UserError for a number that cannot be."""
    if have is not None and not 0 <= have <= 1_000_000:
        raise UserError(f"You can't have {have:,} test rows.", "Give the number of rows that are there.")
    return have


def _check_node(node: Any, where: str, depth: int) -> None:
    if depth > _DEPTH:
        raise _no_schema(f"it is nested more than {_DEPTH} levels deep")
    if isinstance(node, bool):
        return
    if not isinstance(node, Mapping):
        raise _no_schema(f"{where} is not an object")
    _check_words(node, where)
    for name, child in node.get("properties", {}).items():
        _check_node(child, f"the field {str(name)[:40]!r}", depth + 1)
    if "items" in node:
        _check_node(node["items"], f"'items' of {where}", depth + 1)


def _check_words(node: Mapping[str, Any], where: str) -> None:
    """Check the keywords that drafts and metrics go by."""
    kinds = node.get("type", [])
    unknown = [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if str(kind) not in _TYPES]
    if unknown:
        raise _no_schema(f"{where} has the type {str(unknown[0])[:40]!r}, which JSON Schema does not know")
    for key, wanted in (("properties", Mapping), ("required", list), ("enum", list)):
        if key in node and not isinstance(node[key], wanted):
            raise _no_schema(f"{key!r} of {where} is not {'an object' if wanted is Mapping else 'a list'}")
    if not all(isinstance(name, str) for name in node.get("required", ())):
        raise _no_schema(f"'required' of {where} holds something that is no name")


def _no_schema(why: str) -> UserError:
    return UserError(f"That is no schema that answers can be checked by: {why}.", "Mend it, or leave it out.")
