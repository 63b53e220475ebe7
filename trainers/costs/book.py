"""Knows what each provider charges, read from `*.toml` beside this file; it does not know what that adds up to."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from trainers.costs.facts import HERE, Limit, Source, read_limit, read_sources
from trainers.costs.names import GPUS, PROVIDERS, Model
from trainers.costs.units import (
    PerGigabyteMonth,
    PerHour,
    PerMillionTokens,
    PerThousandTokens,
    PerToken,
    Price,
    read_price,
)

TOKENS = (
    "training",
    "base_input", "base_cached", "base_output", "base_batch_input", "base_batch_cached", "base_batch_output",
    "tuned_input", "tuned_cached", "tuned_output", "tuned_batch_input", "tuned_batch_cached", "tuned_batch_output",
)  # fmt: skip
"""What is priced by the token."""

HOURLY = ("training_hour", "hosting", "evaluation_hosting")
"""What is priced by the hour; a deployment for an evaluation is named where it may be had for less."""

STORED = ("storage",)
"""What is priced by the gigabyte and month."""

FIELDS = (*TOKENS, *HOURLY, *STORED)

_LIKE_BASE = {"tuned_input": "base_input", "tuned_cached": "base_cached", "tuned_output": "base_output"}


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A price as it stands in a book."""

    price: Price[Any]
    source: Source

    def to_json(self, today: date) -> dict[str, Any]:
        """Return plain data, with its age."""
        told = self.source.to_json()
        aged = {"age_days": self.source.age(today), "old": self.source.is_old(today)}
        return {"price": self.price.text, "source": told["name"], "url": told["url"], "as_of": told["as_of"],
                "unverified": told["unverified"], **aged}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """What one provider charges for one model; what is not in `prices` is unknown, and unknown is never 0."""

    provider: str
    model: str
    """Name of the model, or of the card where GPUs are rented."""
    prices: Mapping[str, Listed]
    tokenizer: str = ""
    """Name of the encoding that counts its tokens, where one is at hand."""
    litellm: Mapping[str, str] = field(default_factory=dict)
    """`base` and `tuned`: under which key litellm lists it."""
    memory_gb: Decimal | None = None
    """Memory of a card; None for everything else."""
    longest_row: Limit | None = None
    """How many tokens one training row may have; None where that is unknown."""

    def price(self, name: str) -> Price[Any] | None:
        """Return a price by the name of its field; None where it is unknown."""
        found = self.prices.get(name)
        return None if found is None else found.price

    @property
    def trains(self) -> bool:
        """Whether a price of training is known."""
        return "training" in self.prices or "training_hour" in self.prices


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One book."""

    key: str
    name: str
    places: str
    hosting_terms: str
    sheets: tuple[Sheet, ...]
    tiers: tuple[tuple[Decimal, Decimal, Mapping[str, Listed]], ...] = ()
    base_on_deployment: bool = False
    """Whether the base answers on the deployment of a tuned model, for no more than its hours."""
    left_out: str = ""
    """What it charges besides, or may, that no sum holds."""

    def sheet(self, model: Model) -> Sheet | None:
        """Return what it charges for a model; None where it is not in its book."""
        return next((sheet for sheet in self.sheets if sheet.model == model.name), None)


@cache
def books() -> Mapping[str, Provider]:
    """Return every provider's book by its key, as shipped."""
    return {key: _provider(key) for key in PROVIDERS}


def all_sheets(shelf: Mapping[str, Provider]) -> Iterator[Sheet]:
    """Yield every sheet."""
    for provider in shelf.values():
        yield from provider.sheets


def _provider(key: str) -> Provider:
    data = tomllib.loads((HERE / f"{key}.toml").read_text("utf-8"), parse_float=Decimal)
    sources = read_sources(data.get("source", {}))
    tiers = tuple(
        (Decimal(entry["billions"][0]), Decimal(entry["billions"][1]), _prices(entry, sources))
        for entry in data.get("tier", ())
    )
    named = [*data.get("model", ()), *data.get("card", ())]
    sheets = tuple(_sheet(key, entry, sources, tiers) for entry in named)
    if key == "own_gpu":
        sheets = (_own(sources["own"]),)
    return Provider(
        key=key,
        name=data["name"],
        places=data["places"],
        hosting_terms=data["hosting_terms"],
        sheets=sheets,
        tiers=tiers,
        base_on_deployment=data.get("base_on_deployment", False),
        left_out=data.get("left_out", ""),
    )


def _sheet(provider: str, entry: Mapping[str, Any], sources: Mapping[str, Source], tiers: Any) -> Sheet:
    from trainers.costs.names import models

    prices = _prices(entry, sources)
    model = models().get(entry["name"])
    if model is not None and model.billions is not None:
        within = (priced for above, up_to, priced in tiers if above < model.billions <= up_to)
        prices = {**next(within, {}), **prices}
    if "tuned_like_base" in entry:
        like = sources[entry["tuned_like_base"]]
        same = {name: prices[base].price for name, base in _LIKE_BASE.items() if base in prices}
        prices = {**{name: Listed(price=price, source=like) for name, price in same.items()}, **prices}
    keys = {"base": entry.get("litellm", ""), "tuned": entry.get("litellm_tuned", "")}
    return Sheet(
        provider=provider,
        model=entry["name"],
        prices=prices,
        tokenizer=entry.get("tokenizer", ""),
        litellm={kind: key for kind, key in keys.items() if key},
        memory_gb=Decimal(entry["memory_gb"]) if "memory_gb" in entry else None,
        longest_row=read_limit(entry.get("longest_row"), sources),
    )


def _prices(entry: Mapping[str, Any], sources: Mapping[str, Source]) -> dict[str, Listed]:
    """Read the prices of an entry; raises ValueError for a unit that does not fit its field."""
    found = {}
    for name in FIELDS:
        if name in entry:
            ((source, text),) = entry[name].items()
            found[name] = Listed(price=checked(name, read_price(text)), source=sources[source])
    return found


def checked(name: str, price: Price[Any]) -> Price[Any]:
    """Return a price if its unit fits the field of that name; raises ValueError otherwise."""
    kinds = (PerMillionTokens, PerThousandTokens, PerToken) if name in TOKENS else (PerHour,)
    if not isinstance(price, (PerGigabyteMonth,) if name in STORED else kinds):
        raise ValueError(f"{name} cannot be priced per {price.UNIT}")
    return price


def _own(source: Source) -> Sheet:
    free = Listed(price=read_price("0.00 USD per hour"), source=source)
    tokens = Listed(price=read_price("0.00 USD per 1M tokens"), source=source)
    prices = {"training_hour": free, "hosting": free, "tuned_input": tokens, "tuned_output": tokens}
    return Sheet(provider="own_gpu", model="own", prices={**prices, "base_input": tokens, "base_output": tokens})


def has_card(provider: str) -> bool:
    """Say whether a provider is a card, on which any open model runs."""
    return provider in GPUS
