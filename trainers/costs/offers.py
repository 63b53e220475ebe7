"""Knows who trains which model, at which sheet of prices and in which state; it computes no costs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from trainers.costs.book import Provider, Sheet
from trainers.costs.lifecycle import Line, State, line_of
from trainers.costs.money import Cost, said_cost
from trainers.costs.names import (
    GPUS,
    PROVIDERS,
    TRAINERS_OF_OPEN_MODELS,
    Model,
    UnknownName,
    find_model,
    find_provider,
    models,
    provider_in,
)
from trainers.costs.workload import BadFigure

COMPARABLE = {
    "openai": "gpt-4.1-mini",
    "azure": "gpt-4.1-mini",
    "vertex": "gemini-3.5-flash-lite",
    "together": "qwen3-8b",
    "fireworks": "qwen3-8b",
    "nebius": "llama-3.1-8b-instruct",
    "tinker": "qwen3-8b",
    "bedrock": "nova-micro",
    "rented_gpu": "qwen3-8b",
    "own_gpu": "qwen3-8b",
}
"""Which model stands for a provider beside another model: a small one of each. They are not equally good."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One model at one provider."""

    provider: Provider
    model: Model
    sheet: Sheet
    line: Line

    @property
    def on_card(self) -> bool:
        """Whether it is trained and served on a card that is paid by the hour."""
        return self.provider.key in GPUS

    @property
    def is_own(self) -> bool:
        """Whether it is trained and served on a machine of one's own, where no fee falls due."""
        return self.provider.key == "own_gpu"

    def said(self, cost: Cost | None) -> str:
        """Write a cost of it for people; what is not charged on one's own machine is not called $0."""
        return "no fee" if self.is_own and cost is not None and cost.high == 0 else said_cost(cost)

    @property
    def title(self) -> str:
        """Name of model and provider for people."""
        card = f" ({self.sheet.model})" if self.provider.key == "rented_gpu" else ""
        return f"{self.model.name} on {PROVIDERS[self.provider.key]}{card}"

    def state(self, today: date) -> State:
        """How it stands on a day."""
        return self.line.state(today)


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The price book and the lifecycle book together."""

    books: Mapping[str, Provider]
    lines: tuple[Line, ...]

    def offer(self, model: Model, provider: str, card: str) -> Offer:
        """Return a model at a provider; raises UnknownName where that provider's book does not have it."""
        found = self._sheet(model, provider, card)
        if found is None:
            raise UnknownName(
                f"{PROVIDERS[provider]} does not offer {model.name}, as far as I know.",
                f"Who does: {', '.join(self.providers_of(model)) or 'nobody that I know of'}.",
            )
        line = line_of(provider, model, self.lines)
        return Offer(provider=self.books[provider], model=model, sheet=found, line=line)

    def asked(self, model: str, provider: str) -> tuple[Model, str]:
        """Return the model and the provider that somebody named, the default one where none was named.

        Raises UnknownName, and BadFigure where the model's name (`azure/gpt-4o`) and `provider` contradict.
        """
        found, before = find_model(model), provider_in(model)
        said = find_provider(provider) if provider.strip() else ""
        if said and before and said != before:
            raise BadFigure(
                f"{model.strip()[:60]} names {PROVIDERS[before]} as provider, and {PROVIDERS[said]} was named besides.",
                "Name one.",
            )
        return found, said or before or self.default_provider(found)

    def default_provider(self, model: Model) -> str:
        """Return the model's maker; of an open model, the first trainer at a known price, else your own machine."""
        if model.maker:
            return model.maker
        known = [key for key in TRAINERS_OF_OPEN_MODELS if (sheet := self.books[key].sheet(model)) and sheet.trains]
        return (known or ["own_gpu"])[0]

    def providers_of(self, model: Model) -> list[str]:
        """Name the providers that have a model."""
        return [key for key in self.books if self._sheet(model, key, "rtx-4090") is not None]

    def others(self, model: Model, card: str) -> Iterator[Offer]:
        """Yield one offer of each provider: the same model where there is one, else what stands for it."""
        for key in self.books:
            same = self._sheet(model, key, card) is not None
            yield self.offer(model if same else find_model(COMPARABLE[key]), key, card)

    def _sheet(self, model: Model, provider: str, card: str) -> Sheet | None:
        if provider not in GPUS:
            made_here = Sheet(provider=provider, model=model.name, prices={}) if model.maker == provider else None
            return self.books[provider].sheet(model) or made_here  # its maker has it, at prices that we do not know
        if not model.is_open:
            return None
        cards = self.books[provider].sheets
        return next((sheet for sheet in cards if sheet.model == card or provider == "own_gpu"), None)


def known_models() -> list[str]:
    """Name every model."""
    return list(models())
