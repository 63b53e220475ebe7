"""Gives all amounts of one paper one currency, that of its currency field where it has one; it draws no values."""

import json
import re
from collections.abc import Collection, Sequence
from typing import Final

from trainers.evals.drafts.fields import Field, Value

_SIGNS: Final = {"EUR": "€", "USD": "$", "GBP": "£"}
_CODES: Final = {sign: code for code, sign in _SIGNS.items()}
_CODE: Final = re.compile(r"[A-Z]{3}")
_AMOUNT: Final = re.compile(r"([€$£]|\b(?:EUR|USD|GBP)\b)( ?)(?=\d)")

Drawn = tuple[Field, Value | None]


def one_currency(drawn: Sequence[Drawn], put: Collection[str] = ()) -> list[Drawn]:
    """Return what was drawn for the fields of a paper, its amounts in one currency; keys of `put` stay as they are.

    Whose answer is the written text, currency and all, stays too: its schema may allow no other.
    """
    code = _named(drawn) or _first(drawn)
    if not code:
        return list(drawn)
    return [(field, value if field.key in put or value is None else _in(value, code)) for field, value in drawn]


def _named(drawn: Sequence[Drawn]) -> str:
    """Return the code that stands in the paper's currency field; "" where it has none."""
    told = (value.text for field, value in drawn if value and field.title.endswith("currency"))
    return next((text for text in told if _CODE.fullmatch(text)), "")


def _first(drawn: Sequence[Drawn]) -> str:
    found = (_AMOUNT.search(value.text) for _, value in drawn if value)
    return next((_CODES.get(each[1], each[1]) for each in found if each), "")


def _in(value: Value, code: str) -> Value:
    """Write the amounts of a value in a currency: as its sign where it has one and a sign stood there."""
    if _AMOUNT.search(json.dumps(value.answer, ensure_ascii=False)):
        return value
    return value._replace(text=_AMOUNT.sub(lambda found: _spelt(found, code), value.text))


def _spelt(found: re.Match[str], code: str) -> str:
    return _SIGNS[code] if found[1] in _CODES and code in _SIGNS else f"{code} "
