"""Knows models and providers by every name that people use for them; it knows neither prices nor dates."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Any

from knowledge.errors import UserError
from trainers.costs.facts import HERE, Limit, read_limit, read_sources

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

_OTHERWISE = {
    "azure_openai": "azure", "azure_ai": "azure", "vertex_ai": "vertex", "google": "vertex",
    "together_ai": "together", "fireworks_ai": "fireworks", "aws": "bedrock", "amazon": "bedrock",
}  # fmt: skip
"""Other names of providers, such as litellm's."""

KNOWN_TO_MANY = ("gpt-4.1-mini", "gpt-4o", "gemini-3.5-flash-lite", "qwen3-8b", "llama-3.1-8b-instruct", "nova-micro")
"""Models to name where nothing looks like what somebody wrote."""

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
    context: Limit | None = None
    """How many tokens a prompt may have; None where that is unknown."""

    @property
    def is_open(self) -> bool:
        """Whether its weights can be had, so that any GPU trains it."""
        return self.billions is not None


@cache
def models() -> dict[str, Model]:
    """Return every known model by its name."""
    book = tomllib.loads((HERE / "models.toml").read_text("utf-8"), parse_float=Decimal)
    sources = read_sources(book["source"])
    return {entry["name"]: _model(entry, read_limit(entry.get("context"), sources)) for entry in book["model"]}


def find_model(name: str) -> Model:
    """Return a model by any of its names; raises UnknownName.

    A tuned model's name (`ft:BASE:…`, `BASE.ft-…`) and one behind a provider's (`azure/gpt-4o`) lead to the base.
    """
    wanted, known = base_of(name), _by_name()
    found = known.get(wanted) or known.get(_behind(wanted))
    if found is not None:
        return found
    near = _alike(wanted, known)
    what = f"I know no model called {name.strip()[:60]!r}."
    if near:
        raise UnknownName(what, f"Nearest: {', '.join(near)}.")
    raise UnknownName(what, f"None looks like it. I know {', '.join(KNOWN_TO_MANY)}; `luthier prices` lists them all.")


def find_provider(name: str) -> str:
    """Return a provider's name in the books; raises UnknownName with all of them."""
    found = _provider(name)
    if found:
        return found
    near = get_close_matches(_tidy(name), PROVIDERS, n=1, cutoff=0.6)
    meant = f"Nearest: {near[0]}. " if near else ""
    raise UnknownName(
        f"I know no provider called {name.strip()[:60]!r}.", f"{meant}Choose one of {', '.join(PROVIDERS)}."
    )


def provider_in(name: str) -> str:
    """Return the provider that somebody wrote before a model's name, as in `azure/gpt-4o`; "" where there is none."""
    before, slash, _ = base_of(name).partition("/")
    return _provider(before) if slash and base_of(name) not in _by_name() else ""


def base_of(name: str) -> str:
    """Return the base's name in the name of a tuned model: OpenAI's `ft:BASE:org:suffix:id`, Azure's `BASE.ft-id`."""
    tidy = name.strip().lower()
    if tidy.startswith("ft:"):
        return tidy.split(":")[1]
    return tidy.partition(".ft-")[0]


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return up to five known names that look like this one, or all where none does."""
    return _alike(name, known) or sorted(set(known))


def _alike(name: str, known: Iterable[str]) -> list[str]:
    return get_close_matches(name, sorted(set(known)), n=5, cutoff=0.4)


@cache
def _by_name() -> Mapping[str, Model]:
    return {name: model for model in models().values() for name in (model.name, *model.aliases)}


def _behind(name: str) -> str:
    """Return a model's name without the provider before it, or "" where what stands before it is none."""
    before, _, after = name.partition("/")
    return after if _provider(before) else ""


def _provider(name: str) -> str:
    tidy = _tidy(name)
    known = {**{key: key for key in PROVIDERS}, **{_tidy(said): key for key, said in PROVIDERS.items()}, **_OTHERWISE}
    return known.get(tidy, "")


def _tidy(said: str) -> str:
    return said.strip().lower().replace("-", "_").replace(" ", "_")


def _model(entry: dict[str, Any], context: Limit | None) -> Model:
    billions = entry.get("billions")
    active = entry.get("active_billions", billions)
    return Model(
        name=str(entry["name"]),
        maker=str(entry.get("maker", "")),
        billions=None if billions is None else Decimal(str(billions)),
        active_billions=None if active is None else Decimal(str(active)),
        aliases=tuple(str(alias) for alias in entry.get("aliases", ())),
        context=context,
    )
