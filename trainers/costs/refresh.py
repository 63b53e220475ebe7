"""Compares the price book with litellm's list of prices; it changes nothing, a person decides what is taken over."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import httpx

from knowledge.errors import ServiceError, UserError
from trainers.costs.book import all_sheets
from trainers.costs.lifecycle import line_of
from trainers.costs.money import Cost
from trainers.costs.names import find_model, models
from trainers.costs.offers import Shelf
from trainers.costs.overlay import Change
from trainers.costs.units import PerToken, per_million

LITELLM = "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"
"""Where litellm keeps its list (MIT)."""

MOST_BYTES = 64 * 1024 * 1024
SECONDS = 60.0

FIELDS = {
    "input": "input_cost_per_token",
    "cached": "cache_read_input_token_cost",
    "output": "output_cost_per_token",
    "batch_input": "input_cost_per_token_batches",
    "batch_cached": "cache_read_input_token_cost_batches",
    "batch_output": "output_cost_per_token_batches",
}
"""Our name of a price behind `base_` or `tuned_` -> litellm's, per token in US dollars. It lists no training prices."""

ODD = Decimal(10)
"""A price that moved by more than this factor is a slip of somebody's unit until a person says otherwise."""

_IGNORED = {("ft:gpt-4o-2024-11-20", "cached"), ("ft:gpt-4-0613", "input")}
"""Entries of litellm that say themselves that they are defaults."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One figure that litellm gives otherwise."""

    change: Change
    odd: bool
    """Whether it moved so far that it is not taken over without a person's word."""


def fetch(url: str) -> Mapping[str, Any]:
    """Read litellm's list; raises ServiceError where it cannot be had, UserError where it is something else."""
    try:
        with httpx.Client(timeout=SECONDS, follow_redirects=True) as web, web.stream("GET", url) as answer:
            answer.raise_for_status()
            content = b""
            for block in answer.iter_bytes():
                content += block
                if len(content) > MOST_BYTES:
                    raise UserError(f"{url} gives more than a list of prices.", "Check the address.")
    except (httpx.HTTPError, httpx.InvalidURL) as lost:
        what = f"{url} gave no list of prices ({type(lost).__name__})."
        raise ServiceError(what, "The prices stay as they are; try again later.") from None
    return parsed(content)


def parsed(content: bytes) -> Mapping[str, Any]:
    """Read the list with exact decimals; raises UserError for what is none."""
    try:
        found = json.loads(content, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not any(isinstance(entry, dict) for entry in found.values()):
        raise UserError("That is no list of prices as litellm writes it.", "Nothing was changed.")
    return found


def differences(shelf: Shelf, listed: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what litellm gives otherwise than the books: prices of inference, and days on which bases retire."""
    for sheet in all_sheets(shelf.books):
        for kind, key in sheet.litellm.items():
            entry = listed.get(key)
            if isinstance(entry, dict):
                for name, field in FIELDS.items():
                    if (key, name) not in _IGNORED:
                        yield from _price(sheet.provider, sheet.model, f"{kind}_{name}", entry.get(field), shelf)
        yield from _day(sheet.provider, sheet.model, listed.get(sheet.litellm.get("base", "")), shelf)


def _price(provider: str, model: str, name: str, value: Any, shelf: Shelf) -> Iterator[Difference]:
    if not isinstance(value, Decimal) or not value.is_finite() or value < 0:
        return
    fresh = per_million(PerToken(Cost.exactly(value.normalize(), "USD")))
    sheet = shelf.books[provider].sheet(find_model(model))
    known = None if sheet is None else sheet.price(name)
    if known is None:
        yield Difference(change=_change(provider, model, name, "", _text(fresh.text)), odd=False)
        return
    old = per_million(known)  # type: ignore[arg-type]  # `checked` let only prices of tokens into these fields
    if old.cost != fresh.cost:
        ratio = fresh.cost.expected / old.cost.expected if old.cost.expected else ODD + 1
        odd = not 1 / ODD <= ratio <= ODD
        yield Difference(change=_change(provider, model, name, known.text, _text(fresh.text)), odd=odd)


def _day(provider: str, model: str, entry: Any, shelf: Shelf) -> Iterator[Difference]:
    said = entry.get("deprecation_date") if isinstance(entry, dict) else None
    if not isinstance(said, str) or model not in models() or models()[model].is_open:
        return  # a provider stops serving open weights; tunes of them can go elsewhere
    try:
        day = date.fromisoformat(said)
    except ValueError:
        return
    known = line_of(provider, find_model(model), shelf.lines).base_retires
    if known != day:
        yield Difference(
            change=_change(provider, model, "base_retires", "" if known is None else str(known), str(day)), odd=False
        )


def _change(provider: str, model: str, field: str, old: str, new: str) -> Change:
    return Change(provider=provider, model=model, field=field, old=old, new=new)


def _text(text: str) -> str:
    amount, _, rest = text.partition(" ")
    return f"{Decimal(amount).normalize():f} {rest}"
