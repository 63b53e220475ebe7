"""What can stand in the fields of a JSON Schema: a text for the paper and the value for the answer; no layout."""

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from knowledge.errors import UserError
from trainers.evals.drafts.recipe import Recipe, recipe
from trainers.evals.metrics.schemas import accepts

_MOST_ITEMS = 4
_MOST_DRAWS = 64  # for one list, whatever length a schema asks for
_LEFT_OUT = (True, False, False, False)
"""How often a key that may be left out or null is: about one time in four."""
_SAID = {"title", "description", "default", "examples", "$comment", "format", "deprecated", "readOnly", "writeOnly"}
_LENGTHS, _COUNTS = {"minLength", "maxLength", "pattern"}, {"minItems", "maxItems", "uniqueItems"}
_RANGE = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
_READ = _SAID | _LENGTHS | _RANGE | {"type", "enum", "const"}
_SHAPE = _SAID | _COUNTS | {"type", "items", "properties", "required", "additionalProperties"}
_PLAIN = _SAID | _LENGTHS | _RANGE | _COUNTS | {"type", "items", "properties", "required", "additionalProperties"}
"""Keywords beside which the type alone says whether null is taken."""

_BY_FORMAT = {"date": "date", "email": "email"}
"""Formats that say what a field is, whatever it is called."""


class Value(NamedTuple):
    """One value of a field."""

    text: str
    """As it stands in a paper."""
    answer: Any
    """As it stands in the JSON."""


class Deck:
    """Draws from lists; every item of a list comes once before one comes again."""

    def __init__(self, draw: random.Random) -> None:
        """Take a seeded draw."""
        self._draw = draw
        self._left: dict[str, list[Any]] = {}
        self._fitting: dict[int, tuple[Mapping[str, Any], list[Value], str]] = {}

    def fitting(self, node: Mapping[str, Any], make: Callable[[], list[Value]]) -> Value | None:
        """Draw one of the values that fit a node of a schema, which are looked for at its first draw only."""
        if id(node) not in self._fitting:
            found = make()
            self._fitting[id(node)] = (node, found, repr(found))  # with the node, whose id is then nobody else's
        _, values, key = self._fitting[id(node)]
        return self.choice(values, key) if values else None

    def choice(self, items: Sequence[Any], key: str = "") -> Any:
        """Draw one of `items`; `key` is their `repr`, where that is known."""
        key = key or repr(items)
        if not self._left.get(key):
            self._left[key] = self._draw.sample(items, len(items))
        return self._left[key].pop()


@dataclass(frozen=True, kw_only=True)
class Field:
    """One key of the answer."""

    key: str
    title: str
    """The key in words: `invoice number`."""
    nullable: bool
    optional: bool
    node: Mapping[str, Any]
    known: Recipe | None
    """What the recipes know of such fields; None where they know nothing."""

    @property
    def scalar(self) -> bool:
        """Whether it holds one text or number, which may have decoys and odd spellings."""
        return self.known is not None and "says" in self.known and not _has(self.node, "array", "object", "boolean")

    def draw(self, draw: Deck) -> Value | None:
        """Draw a value; None where nothing is sure to be one that the schema takes."""
        return _draw(self.node, self.known, draw)

    def left_out(self, draw: random.Random | Deck) -> bool:
        """Draw whether a paper says nothing of it: now and then, where its answer may lack or be null."""
        return (self.nullable or self.optional) and bool(draw.choice(_LEFT_OUT))


def fields_of(schema: Mapping[str, Any]) -> list[Field]:
    """Return the fields of an object's schema in its order."""
    required = set(schema.get("required", ()))
    return [
        Field(
            key=key,
            title=_title(key),
            nullable=node is True or (isinstance(node, Mapping) and _nullable(node)),
            optional=key not in required,
            node=node if isinstance(node, Mapping) else {},
            known=_known(_title(key)) or _known(_BY_FORMAT.get(str(_format(node)), "")),
        )
        for key, node in schema["properties"].items()
    ]


def fits(node: Mapping[str, Any], answer: Any) -> bool:
    """Whether a text or number is surely one that the schema takes; a keyword that is not read here makes it unsure."""
    kinds = types_of(node)
    if set(node) - _READ or (kinds and not any(_is(kind, answer) for kind in kinds)):
        return False
    if ("enum" in node and answer not in node["enum"]) or ("const" in node and answer != node["const"]):
        return False
    if isinstance(answer, str):
        long_enough = node.get("minLength", 0) <= len(answer) <= node.get("maxLength", len(answer))
        return bool(long_enough) and ("pattern" not in node or _matches(node["pattern"], answer))
    return _inside(node, answer)


def _matches(pattern: Any, answer: str) -> bool:
    try:
        return re.search(str(pattern), answer) is not None
    except re.error:
        return False


def _inside(node: Mapping[str, Any], answer: Any) -> bool:
    if not node.get("minimum", answer) <= answer <= node.get("maximum", answer):
        return False
    if not node.get("exclusiveMinimum", answer - 1) < answer < node.get("exclusiveMaximum", answer + 1):
        return False
    step = node.get("multipleOf")
    return step is None or bool(step > 0 and float(answer / step).is_integer())


def _draw(node: Mapping[str, Any], known: Recipe | None, draw: Deck) -> Value | None:
    """Draw a value of which it is sure that the schema takes it."""
    if _has(node, "array", "object"):
        if set(node) - _SHAPE:
            return None
        return _list(node, known, draw) if _has(node, "array") else _object(node, draw)
    values = _said(node) or [Value(text, answer) for text, answer in (known or {}).get("values", ())]
    if "const" in node or "enum" in node:
        fixed = node.get("enum", [node.get("const")])
        values = [Value(str(each), each) for each in fixed if isinstance(each, str | int | float)]
    if _has(node, "boolean") or any(isinstance(value.answer, bool) for value in values):
        chosen = draw.choice((True, False))
        return Value("yes" if chosen else "no", chosen) if set(node) <= _SAID | {"type"} else None
    return draw.fitting(node, lambda: [fit for each in values if each.text.strip() and (fit := fitted(node, each))])


def _said(node: Mapping[str, Any]) -> list[Value]:
    """Return what a schema itself gives as examples of a text or a number."""
    listed = node.get("examples")
    given = [*(listed if isinstance(listed, list) else []), node.get("default")]
    return [
        each if isinstance(each, Value) else Value(str(each), each)
        for each in given
        if isinstance(each, Value) or (isinstance(each, str | int | float) and not isinstance(each, bool))
    ]


def fitted(node: Mapping[str, Any], value: Value) -> Value | None:
    """Give a value the type that is asked for: whole numbers for integers, the written text for strings."""
    if fits(node, value.answer):
        return value
    if isinstance(value.answer, int | float) and fits(node, value.text):
        return Value(value.text, value.text)
    return None


def _list(node: Mapping[str, Any], known: Recipe | None, draw: Deck) -> Value | None:
    items = node.get("items")
    inner = items if isinstance(items, Mapping) else {}
    if set(inner) <= _SAID:
        inner = {"type": "string"}
    least, most = node.get("minItems", 1), node.get("maxItems", _MOST_ITEMS)
    if not (isinstance(least, int) and isinstance(most, int)):
        return None
    low, high = max(least, 1), min(most, max(least, _MOST_ITEMS))
    if low > high:
        return None
    count = draw.choice(range(low, high + 1))
    drawn = [value for _ in range(min(2 * count + 4, _MOST_DRAWS)) if (value := _draw(inner, known, draw))]
    values = list({value.text: value for value in drawn}.values())[:count]
    if len(values) < low:
        return None
    glue = "\n  - " if _has(inner, "object") else ", "
    text = glue.join(value.text for value in values)
    return Value(f"{glue}{text}" if glue != ", " else text, [value.answer for value in values])


def _object(node: Mapping[str, Any], draw: Deck) -> Value | None:
    if not set(node.get("required", ())) <= set(node.get("properties", ())):
        return None
    fields = fields_of({"properties": {}, **node})
    full = [(field, field.draw(draw)) for field in fields]
    told = [(field, None if field.left_out(draw) else value) for field, value in full]
    drawn = told if any(value for _, value in told) else full
    if any(value is None for field, value in drawn if not field.optional and not field.nullable):
        return None
    text = ", ".join(f"{field.title} {value.text}" for field, value in drawn if value)
    answer = {field.key: value.answer if value else None for field, value in drawn if value or field.nullable}
    return Value(text, answer) if text else None


def _format(node: Any) -> Any:
    return node.get("format") if isinstance(node, Mapping) else None


def _known(title: str) -> Recipe | None:
    """Find what the recipes know: by the whole title, else by its last words."""
    table: Sequence[Recipe] = recipe("extraction")["field"]
    words = title.split()
    for start in range(len(words)):
        tail = " ".join(words[start:])
        found = next((known for known in table if tail in known["words"]), None)
        if found:
            return found
    return None


def _title(key: str) -> str:
    spaced = "".join(
        f" {sign}" if sign.isupper() and key[at - 1 : at].islower() else sign for at, sign in enumerate(key)
    )
    return " ".join(spaced.replace("_", " ").replace("-", " ").lower().split()) or key


def types_of(node: Mapping[str, Any]) -> list[str]:
    """Return the types that a schema names."""
    kinds = node.get("type", [])
    return list(kinds) if isinstance(kinds, list) else [str(kinds)]


def _has(node: Mapping[str, Any], *kinds: str) -> bool:
    return bool(set(kinds) & set(types_of(node))) or ("object" in kinds and "properties" in node)


def _nullable(node: Mapping[str, Any]) -> bool:
    """Say whether a key may be null: by its type, else as the validator says, for a choice or a missing type."""
    if set(node) <= _PLAIN and "type" in node:
        return "null" in types_of(node)
    return _takes_null(json.dumps(node, default=str, sort_keys=True))


@lru_cache(maxsize=512)
def _takes_null(node: str) -> bool:
    """Ask the validator; what it cannot judge by itself, such as a reference to what is around it, takes none."""
    try:
        return accepts(json.loads(node))(None)
    except UserError:
        return False


def _is(kind: str, answer: Any) -> bool:
    number = isinstance(answer, int | float) and not isinstance(answer, bool)
    return {
        "string": isinstance(answer, str),
        "number": number,
        "integer": number and float(answer).is_integer(),
        "boolean": isinstance(answer, bool),
        "null": answer is None,
    }.get(kind, False)
