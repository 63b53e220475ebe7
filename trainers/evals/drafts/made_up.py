"""Makes up plain values for fields that no recipe knows, by type, format and bounds, as examples in the schema.

They mean nothing: a reader of the rows puts real ones in their place. Drafts of test rows invent nothing.
"""

import random
from collections.abc import Mapping, Sequence
from math import ceil, floor
from typing import Any, Final

from trainers.evals.drafts.fields import Deck, Value, fields_of, fitted, types_of
from trainers.evals.drafts.patterns import texts_like
from trainers.evals.drafts.recipe import recipe
from trainers.evals.drafts.schemas import plain_schema
from trainers.evals.drafts.varied_values import MANY, exact, spelt, varied

_MOST: Final = 1e15
_WIDTH: Final = 28
"""How far numbers go from their one bound."""

_USUAL: Final = (1, 400)
"""Numbers of fields that nobody knows and that have no bounds."""

_CENT: Final = 0.01
_FINEST: Final = 1e-6

_NAMED: Final = 8
"""Keys that one note names."""


def filled(schema: Mapping[str, Any], seed: int = 0) -> dict[str, Any]:
    """Return a schema in which texts and numbers have made-up examples, many and seeded, as far as some surely fit.

    What recipes know keeps its spellings; words that they know and that nothing varies stay theirs.
    """
    told = plain_schema(schema)
    return {**told, "properties": _filled(told, random.Random(seed))}  # noqa: S311  # no secret


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


def _filled(schema: Mapping[str, Any], draw: random.Random) -> dict[str, Any]:
    """Return the properties of an object with examples."""
    known = {field.key: (field.known or {}).get("values", ()) for field in fields_of(schema)}
    return {key: _with_examples(node, known[key], draw) for key, node in schema["properties"].items()}


def _with_examples(node: Any, known: Sequence[Any], draw: random.Random) -> Any:
    """Give a text or a number examples; of lists and objects what is inside them."""
    if not isinstance(node, Mapping) or {"enum", "const", "examples", "default"} & set(node):
        return node
    kinds = types_of(node)
    if "array" in kinds:
        return {**node, "items": _with_examples(node.get("items", {"type": "string"}), known, draw)}
    if isinstance(node.get("properties"), Mapping):
        return {**node, "properties": _filled(node, draw)}
    values = _values(node, kinds, known, draw)
    return {**node, "examples": values} if values else node


def _values(node: Mapping[str, Any], kinds: Sequence[str], known: Sequence[Any], draw: random.Random) -> list[Any]:
    """Return values that surely fit; none where those of a recipe are to stay."""
    if {"number", "integer"} & set(kinds):
        return _fitting(node, _spelt_numbers(node, known, draw, whole="number" not in kinds))
    if kinds and "string" not in kinds:
        return []
    if told := exact(node.get("format"), draw):
        return _fitting(node, [Value(text, text) for text in told])
    if made := _fitting(node, varied(known, draw)):
        return made
    if _fitting(node, [Value(*each) for each in known]):
        return []
    words = draw.sample(recipe("made_up")["words"], len(recipe("made_up")["words"]))
    if "pattern" in node:
        texts = texts_like(str(node["pattern"]), draw.randrange(10_000))
    else:
        texts = _texts(node, [*words, *(" ".join(draw.sample(words, 2)) for _ in words)])
    return _fitting(node, [Value(text, text) for text in texts])


def _fitting(node: Mapping[str, Any], values: Sequence[Value]) -> list[Value]:
    found = [fit for value in values if (fit := fitted(node, value))]
    return list(dict.fromkeys(found))


def _spelt_numbers(node: Mapping[str, Any], known: Sequence[Any], draw: random.Random, *, whole: bool) -> list[Value]:
    texts = [text for text, answer in known if _number(answer) is not None]
    usual = [answer for _, answer in known if _number(answer) is not None] or _USUAL
    return [spelt(number, texts, draw) for number in _numbers(node, usual, draw, whole=whole)]


def _numbers(
    node: Mapping[str, Any], usual: Sequence[int | float], draw: random.Random, *, whole: bool
) -> list[int | float]:
    """Return numbers all over the range that is allowed; where a bound is missing, as far as is usual."""
    low, high = _bound(node, "minimum", "exclusiveMinimum"), _bound(node, "maximum", "exclusiveMaximum")
    first = low if low is not None else min(min(usual), high if high is not None else min(usual))
    last = high if high is not None else max(max(usual), first + _WIDTH)
    fine = 1 if whole else min(_CENT, (last - first) / _WIDTH)  # a range of less than a few cents has steps of its own
    step = _number(node.get("multipleOf")) or fine
    least, most = (ceil(first / step), floor(last / step)) if step > _FINEST else (1, 0)
    drawn = [draw.randint(least, most) * step for _ in range(2 * MANY)] if least <= most else [first, last]
    tidy = [round(number, 9) for number in drawn]
    return [int(number) if float(number).is_integer() else number for number in tidy]


def _bound(node: Mapping[str, Any], name: str, exclusive: str) -> int | float | None:
    """Return the tighter of two bounds; what an exclusive one leaves out, whoever asks sorts out."""
    found = [each for each in (_number(node.get(name)), _number(node.get(exclusive))) if each is not None]
    return (max if "inimum" in name else min)(found) if found else None


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
