"""Knows what a million tokens of the language model cost: the operator's word, else the price book; it asks nobody."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from knowledge.errors import UserError
from knowledge.models import DEFAULT_BASE_URL
from trainers.costs.book import Listed, Sheet
from trainers.costs.names import UnknownName, base_of, find_model
from trainers.costs.offers import Shelf
from trainers.costs.units import per_million
from trainers.evals.metrics.operations import TokenPrices
from trainers.policy import dollars

SETTING = "LUTHIER_MODEL_PRICE"
HOW = f"Set {SETTING} to dollars for a million tokens of prompts and of answers: 0.15 0.60; 0 0 for your own server."

_BOOKS = {"api.openai.com": "openai", "api.tokenfactory.nebius.com": "nebius"}
"""Host -> the price book of who answers there; every other host may charge what it likes."""


@dataclass(frozen=True, kw_only=True)
class ChatPrice:
    """What the language model costs."""

    prices: TokenPrices | None
    """None where nobody knows; unknown is never 0."""
    basis: str
    """Where that comes from, for people."""

    @property
    def free(self) -> bool:
        """Whether it is known that nobody is billed."""
        return self.prices is not None and not self.prices.prompt and not self.prices.output

    def to_json(self) -> list[str] | None:
        """Return plain data, money as decimal strings."""
        return None if self.prices is None else [str(self.prices.prompt), str(self.prices.output)]


def unknown_price() -> ChatPrice:
    """Return the price of a model of which nothing is known."""
    return ChatPrice(prices=None, basis="nobody knows what it costs")


def chat_price(model: str, url: str, own: str, shelf: Shelf) -> ChatPrice:
    """Return what the model at an address costs; `own` is the operator's setting. Raises UserError for a wrong one."""
    if own.strip():
        prices = read_chat_prices(own)
        free = not prices.prompt and not prices.output
        if free and _host(url) in _BOOKS:
            raise UserError(f"{SETTING} is 0 0, and {_host(url)} bills its answers.", "Leave it out or set the price.")
        basis = f"your own server ({SETTING}): nobody is billed" if free else f"{_said(prices)}, as set in {SETTING}"
        return ChatPrice(prices=prices, basis=basis)
    sheet = _sheet(model, url, shelf)
    kind = "base" if base_of(model) == model.strip().lower() else "tuned"  # a tuned model has prices of its own
    listed = [sheet.prices.get(f"{kind}_{name}") for name in ("input", "output")] if sheet else []
    known = [found for each in listed if each is not None and (found := _dollars(each)) is not None]
    if len(known) != 2 or sheet is None:
        return ChatPrice(prices=None, basis=f"nobody knows what {model} costs at {_host(url)}")
    prices = TokenPrices(*known)
    days = min(each.source.as_of for each in listed if each is not None)
    return ChatPrice(prices=prices, basis=f"{_said(prices)}, {shelf.books[sheet.provider].name} as of {days}")


def read_chat_prices(text: str) -> TokenPrices:
    """Read `0.15 0.60`: dollars for a million tokens of prompts and of answers. Raises UserError."""
    try:
        amounts = [Decimal(part.removeprefix("$")) for part in text.replace(",", " ").split()]
    except InvalidOperation:
        amounts = []
    if len(amounts) != 2 or not all(amount.is_finite() and amount >= 0 for amount in amounts):
        raise UserError(f"{SETTING} is {text!r}.", HOW)
    return TokenPrices(*amounts)


def _sheet(model: str, url: str, shelf: Shelf) -> Sheet | None:
    book = _BOOKS.get(_host(url))
    try:
        return shelf.books[book].sheet(find_model(model)) if book else None
    except UnknownName:
        return None


def _dollars(listed: Listed) -> Decimal | None:
    """Return dollars for a million tokens, at most; None for another currency."""
    price: Any = listed.price
    cost = per_million(price).cost
    return cost.high if cost.currency == "USD" else None


def _said(prices: TokenPrices) -> str:
    return f"{dollars(prices.prompt)} and {dollars(prices.output)} for a million tokens of prompts and answers"


def _host(url: str) -> str:
    return urlsplit(url or DEFAULT_BASE_URL).hostname or url
