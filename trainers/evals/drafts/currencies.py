"""Gives all amounts of one paper one currency, that of its currency field where it has one; it draws no values.

Where the currency is to be missing the amounts lose their signs: else the paper says what the answer does not.
"""

import json
import re
from collections.abc import Collection, Sequence
from typing import Final

from trainers.evals.drafts.fields import Field, Value, fits

_SIGNS: Final = {"EUR": "€", "USD": "$", "GBP": "£"}
_CODES: Final = {"€": "EUR", "$": "USD", "£": "GBP", "euro": "EUR", "dollar": "USD", "pound": "GBP"}
_SAID: Final = re.compile(r"[€$£]|\b(?:euro|dollar|pound)(?=s?\b)|\b(?:EUR|USD|GBP|CHF)\b", re.IGNORECASE)
_AMOUNT: Final = re.compile(r"([€$£]|\b(?:EUR|USD|GBP)\b) ?(?=\d)")

Drawn = tuple[Field, Value | None]


def one_currency(drawn: Sequence[Drawn], odd: Collection[str] = ()) -> list[Drawn]:
    """Return what was drawn for the fields of a paper, its amounts in one currency; keys of `odd` stay as they are.

    Whose answer is the written text, currency and all, stays too: its schema may allow no other.
    """
    named = [value for field, value in drawn if _is_currency(field)]
    code = _named(named[0]) if named else _first(drawn, odd)
    if code is None:
        return list(drawn)
    return [(field, value if field.key in odd or value is None else _in(value, code)) for field, value in drawn]


def currency_beside(fields: Sequence[Field], text: str) -> dict[str, Value] | None:
    """Return what the currency field has to hold beside an amount as it is written; None where it takes no such code.

    Nothing where there is no such field, or the text names no currency.
    """
    field, code = next((each for each in fields if _is_currency(each)), None), code_of(text)
    if field is None or not code:
        return {}
    spelt = next((each for each in (code, code.lower(), _SIGNS.get(code, code)) if fits(field.node, each)), None)
    return None if spelt is None else {field.key: Value(spelt, spelt)}


def without_currency(value: Value) -> Value:
    """Write a value without the currency of its amounts."""
    return _in(value, "")


def code_of(text: str) -> str:
    """Return the code of the currency that a text names first; "" where it names none."""
    found = _SAID.search(text)
    return _CODES.get(found.group().lower(), found.group().upper()) if found else ""


def _is_currency(field: Field) -> bool:
    return field.title.endswith("currency")


def _named(value: Value | None) -> str | None:
    """Return the code of a currency field; "" where it is left out, None where it is none that we know."""
    if value is None:
        return ""
    short = value.text.upper() if len(value.text) == 3 and value.text.isalpha() else ""
    return code_of(value.text) or short or None


def _first(drawn: Sequence[Drawn], odd: Collection[str]) -> str | None:
    ordered = sorted(drawn, key=lambda each: each[0].key not in odd)
    return next((code for _, value in ordered if value and (code := code_of(value.text))), None)


def _in(value: Value, code: str) -> Value:
    """Write the amounts of a value in a currency: as its sign where it has one and a sign stood there."""
    if _AMOUNT.search(json.dumps(value.answer, ensure_ascii=False)):
        return value
    return value._replace(text=_AMOUNT.sub(lambda found: _spelt(found[1], code), value.text))


def _spelt(was: str, code: str) -> str:
    if not code:
        return ""
    return _SIGNS[code] if was in _CODES and code in _SIGNS else f"{code} "
