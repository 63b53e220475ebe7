"""How a JSON Schema is checked, applied and guessed from targets; it does not fetch anything and scores nothing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from knowledge.errors import UserError
from trainers.data.jsonl import Row
from trainers.data.titles import at_word
from trainers.evals.metrics.json_answers import read_json
from trainers.evals.metrics.limits import limits

if TYPE_CHECKING:
    from collections.abc import Callable

_SHOWN, _NAMED = 80, 8  # characters of what a schema says, and values of it, in one sentence
_FIX = "Write it as JSON Schema, Draft 2020-12, in one document."
_DATA = frozenset(("const", "enum", "default", "examples"))
_PROBES: tuple[Any, ...] = ({}, [], "", 0, None)


def check_schema(schema: Mapping[str, Any]) -> None:
    """Raise UserError for what is no JSON Schema (Draft 2020-12), refers to another document, or to itself for ever."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    if not isinstance(schema, Mapping):
        raise UserError("The schema is not a JSON object.", _FIX)
    try:
        Draft202012Validator.check_schema(dict(schema))
    except SchemaError as error:
        where = ".".join(map(str, error.absolute_path)) or "its top level"
        raise UserError(f"The schema is not valid at {where[:80]}: {error.message[:200]}.", _FIX) from None
    except RecursionError:
        raise UserError("The schema is nested too deeply.", _FIX) from None
    _check_references(schema)


def accepts(schema: Mapping[str, Any]) -> "Callable[[Any], bool]":
    """Return a function that says whether a JSON value is valid; nothing is fetched, and it never raises.

    Raises UserError for a schema that `check_schema` refuses. A value that cannot be judged (a number too large to
    divide, a schema that calls itself without end) is not valid.
    """
    from referencing.exceptions import Unresolvable

    check_schema(schema)
    validator = _validator(schema)

    def accepted(value: Any) -> bool:
        try:
            return bool(validator.is_valid(value))
        except (RecursionError, OverflowError, Unresolvable):
            return False

    return accepted


def broken_rule(schema: Mapping[str, Any], value: Any) -> str:
    """Say which field breaks which rule of a schema, as a sentence; "" where none does or it can't be judged.

    What stands in the value is never repeated: it may be long or personal.
    """
    from jsonschema.exceptions import best_match
    from referencing.exceptions import Unresolvable

    check_schema(schema)
    try:
        found = best_match(_validator(schema).iter_errors(value))
    except (RecursionError, OverflowError, Unresolvable):
        return ""
    if found is None:
        return ""
    path = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in found.absolute_path)
    where = at_word(path.removeprefix("."), _SHOWN) or "the object"
    return _rule(where, str(found.validator), found.validator_value, found.instance)


def infer_schema(rows: Sequence[Row]) -> dict[str, Any] | None:
    """Guess a schema from training targets: None unless all are JSON objects and there are enough of them.

    It is cautious: types seen (whole numbers count as numbers), keys that every target has are required, further keys
    stay allowed, and a text is an enumeration only where few values repeat often (limits.toml). Every target that it
    was made from is valid.
    """
    values = [read_json(row.target) for row in rows]
    if len(values) < limits("infer_schema")["rows"]:
        return None
    if not all(found.strict and isinstance(found.value, dict) for found in values):
        return None
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_shape([found.value for found in values])}


def _rule(where: str, rule: str, wanted: Any, given: Any) -> str:
    """Put one rule into words; rules without words of their own are named."""
    if rule == "required":
        lacking = [str(key) for key in wanted if key not in given]
        return f"{where} lacks {_listed(lacking)}."
    if rule == "additionalProperties":
        return f"{where} has a key that the schema does not name: take it out."
    words = {
        "enum": f"must be one of {_listed(wanted) if isinstance(wanted, list) else wanted}",
        "const": f"must be {_listed([wanted])}",
        "pattern": f"must match the pattern {at_word(str(wanted), _SHOWN)}",
        "type": f"must be of the type {' or '.join(wanted) if isinstance(wanted, list) else wanted}",
    }
    plain = f"{rule} {wanted}" if isinstance(wanted, str | int | float) else rule
    return f"{where} {words.get(rule, f'breaks the rule {at_word(plain, _SHOWN)}')}."


def _listed(values: Sequence[Any]) -> str:
    named = [at_word("null" if each is None else str(each), _SHOWN) for each in values[:_NAMED]]
    return ", ".join(named) + (f" and {len(values) - _NAMED} more" if len(values) > _NAMED else "")


def _validator(schema: Mapping[str, Any]) -> Any:
    """Return a validator that knows this schema alone."""
    from jsonschema import Draft202012Validator
    from referencing.jsonschema import EMPTY_REGISTRY

    return Draft202012Validator(dict(schema), registry=EMPTY_REGISTRY)  # without a registry jsonschema would fetch


def _check_references(schema: Mapping[str, Any]) -> None:
    """Refuse references to elsewhere, to nowhere, and those that a small value already follows without end."""
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012, EMPTY_REGISTRY

    targets = list(_references(schema))
    outside = next((target for target in targets if not target.startswith("#")), None)
    if outside is not None:
        raise UserError(f"The schema refers to {outside[:80]!r}, and I fetch nothing from elsewhere.", _FIX)
    validator, resolver = (
        _validator(schema),
        EMPTY_REGISTRY.resolver_with_root(DRAFT202012.create_resource(dict(schema))),
    )
    try:
        for target in targets:
            resolver.lookup(target)
        for value in _PROBES:
            validator.is_valid(value)
    except Unresolvable as error:
        raise UserError(f"The schema refers to {str(error.ref)[:80]!r}, which it does not hold.", _FIX) from None
    except RecursionError:
        raise UserError("The schema refers to itself without end.", _FIX) from None


def _references(schema: Any) -> Iterator[str]:
    """Yield every reference in a schema, without recursion; constants and examples are data."""
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            yield from (value[key] for key in ("$ref", "$dynamicRef") if isinstance(value.get(key), str))
            waiting.extend(item for key, item in value.items() if key not in _DATA)
        elif isinstance(value, list):
            waiting.extend(value)


def _shape(values: list[Any]) -> dict[str, Any]:
    """Describe the values that stand at one place."""
    kinds = sorted({_kind(value) for value in values})
    shape: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds} if kinds else {}
    objects = [value for value in values if isinstance(value, dict)]
    keys = Counter(key for value in objects for key in value)
    if keys and len(keys) <= limits("infer_schema")["most_keys"]:
        shape["properties"] = {key: _shape([value[key] for value in objects if key in value]) for key in keys}
        shape["required"] = [key for key, count in keys.items() if count == len(objects)]
    items = [item for value in values if isinstance(value, list) for item in value]
    if items:
        shape["items"] = _shape(items)
    return _with_choices(shape, values) if kinds == ["string"] else shape


def _with_choices(shape: dict[str, Any], texts: list[str]) -> dict[str, Any]:
    """Add the values of a text as an enumeration where they are few and each came back often."""
    bounds, counts = limits("infer_schema"), Counter(texts)
    if len(counts) <= bounds["most_choices"] and min(counts.values()) >= bounds["repeats_of_a_choice"]:
        return {**shape, "enum": sorted(counts)}
    return shape


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "null" if value is None else "object" if isinstance(value, dict) else "array"
