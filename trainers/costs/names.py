"""Knows models and providers by every name that people use for them; it knows neither prices nor dates."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType

from knowledge.errors import UserError
from trainers.costs.facts import HERE

PROVIDERS = MappingProxyType(
    {
        "openai": "OpenAI",
        "azure": "Azure OpenAI",
        "vertex": "Vertex AI",
        "together": "Together",
        "fireworks": "Fireworks",
        "nebius": "Nebius Token Factory",
        "tinker": "Tinker",
        "bedrock": "Amazon Bedrock",
        "rented_gpu": "Rented GPU",
        "own_gpu": "Your own GPU",
    }
)
"""Names in commands and books -> names for people; an open model without a maker who trains it goes to the first one
of these, in the order of `TRAINERS_OF_OPEN_MODELS`, that trains it at a known price."""

TRAINERS_OF_OPEN_MODELS = ("tinker", "together", "fireworks", "azure", "nebius", "bedrock")

GPUS = ("rented_gpu", "own_gpu")
"""Providers that train and serve any open model on a card."""


class UnknownName(UserError):
    """Nobody knows that name."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model by its name in the books."""

    name: str
    maker: str = ""
    """Provider who makes it and trains it for others; "" for open models whose makers do not."""
    billions: Decimal | None = None
    """Parameters of an open model."""
    active_billions: Decimal | None = None
    """Those that compute a token: fewer in a mixture of experts."""
    aliases: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether its weights can be had, so that any GPU trains it."""
        return self.billions is not None


@cache
def models() -> dict[str, Model]:
    """Return every known model by its name."""
    listed = tomllib.loads((HERE / "models.toml").read_text("utf-8"), parse_float=Decimal)["model"]
    return {entry["name"]: _model(entry) for entry in listed}


def find_model(name: str) -> Model:
    """Return a model by any of its names, also as a tuned one (`ft:BASE:…`, `BASE.ft-…`); raises UnknownName."""
    wanted = base_of(name)
    for model in models().values():
        if wanted in (model.name, *model.aliases):
            return model
    near = nearest(wanted, [name for model in models().values() for name in (model.name, *model.aliases)])
    raise UnknownName(f"I know no model called {name.strip()[:60]!r}.", f"Nearest: {', '.join(near)}.")


def find_provider(name: str) -> str:
    """Return a provider's name in the books; raises UnknownName."""
    tidy = name.strip().lower().replace("-", "_").replace(" ", "_")
    known = {**{key: key for key in PROVIDERS}, **{_tidy(said): key for key, said in PROVIDERS.items()}}
    if tidy in known:
        return known[tidy]
    near = nearest(tidy, list(PROVIDERS))
    raise UnknownName(f"I know no provider called {name.strip()[:60]!r}.", f"Choose one of {', '.join(near)}.")


def base_of(name: str) -> str:
    """Return the base's name in the name of a tuned model: OpenAI's `ft:BASE:org:suffix:id`, Azure's `BASE.ft-id`."""
    tidy = name.strip().lower()
    if tidy.startswith("ft:"):
        return tidy.split(":")[1]
    return tidy.partition(".ft-")[0]


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return up to five known names that look like this one, or the first five where none does."""
    listed = sorted(set(known))
    return get_close_matches(name, listed, n=5, cutoff=0.4) or listed[:5]


def _tidy(said: str) -> str:
    return said.lower().replace(" ", "_")


def _model(entry: dict[str, object]) -> Model:
    billions = entry.get("billions")
    active = entry.get("active_billions", billions)
    return Model(
        name=str(entry["name"]),
        maker=str(entry.get("maker", "")),
        billions=None if billions is None else Decimal(str(billions)),
        active_billions=None if active is None else Decimal(str(active)),
        aliases=tuple(str(alias) for alias in entry.get("aliases", ())),  # type: ignore[attr-defined]  # a list in TOML
    )
