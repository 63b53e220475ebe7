"""Knows in what the places that speak OpenAI's fine-tuning API differ, and writes a job as each wants it; no HTTP."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from knowledge.errors import UserError
from trainers.spec import Hyperparameters, Method, TrainingSpec

_FILE: Final = Path(__file__).with_name("hosted.toml")

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
"""What Azure wants a file of rows to begin with."""


@dataclass(frozen=True, kw_only=True)
class Traits:
    """One place that trains."""

    key: str
    """Its name as a backend."""
    title: str
    """Its name for people."""
    url: str
    """Where it is unless a setting says otherwise; "" where only a setting can say."""
    target: str
    """By which limits rows for it are linted."""
    source: str
    as_of: date
    methods: tuple[str, ...]
    """supervised, dpo."""
    byte_order_mark: bool
    longest_suffix: int
    suffix_letters: str
    """A pattern of the letters that a suffix may have."""
    dpo_models: tuple[str, ...] = ()
    """Bases that it trains on preferences; empty: it does not say which."""
    multiplier: tuple[float, float] | None = None
    """Range of learning_rate_multiplier; None: the provider chooses the rate."""
    lora: bool = False
    """Whether a job carries rank, alpha and learning rate of a LoRA run."""
    tells_of_bases: bool = False
    """Whether GET /models/{id} knows bases."""
    counts_pairs: bool = False
    """Whether it says which tokens of preference pairs it bills."""
    validates: bool = False
    """Whether held-out rows go with a job, for a validation loss."""
    pauses: bool = False
    webhooks: bool = False
    deploys: bool = False
    """Whether a tuned model answers only while a deployment of it stands."""
    sku: str = ""
    """How such a deployment is billed."""
    deployment_hours: int = 0
    """How long it may stand after an evaluation last asked for it."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """What it wants to read in a job beside OpenAI's fields."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Name in our books -> name that its API takes."""
    serves: bool = True
    """Whether tuned models answer there."""
    pretends: bool = False
    """Whether nothing is trained there, which every message then says."""

    @property
    def lives(self) -> timedelta:
        """How long a deployment may stand after it was last asked for."""
        return timedelta(hours=self.deployment_hours)

    @property
    def without_loss(self) -> str:
        """Say that it takes no held-out rows; "" where it takes some."""
        said = f"{self.title} takes no held-out rows, so it tells no loss on them; they are asked for the test alone."
        return "" if self.validates else said

    def model(self, base: str) -> str:
        """Return the name by which the API knows a base."""
        return self.models.get(base, base)

    def job(self, spec: TrainingSpec, file: str, suffix: str, validation: str = "") -> dict[str, Any]:
        """Return the body of POST /fine_tuning/jobs, without metadata. Raises UserError as `check` does."""
        self.check(spec)
        method = as_api(spec.method)
        return {
            "model": self.model(spec.base),
            "training_file": file,
            **({"validation_file": validation} if validation else {}),
            "seed": spec.hyperparameters.seed,
            "method": {"type": method, method: {"hyperparameters": self._knobs(spec.hyperparameters)}},
            **({"suffix": self.suffix(suffix)} if self.suffix(suffix) else {}),
            **self.body,
        }

    def why_not(self, base: str, method: Method) -> str:
        """Say why it does not train a base by a method; "" where it does, as far as it says."""
        name = as_api(method)
        if name not in self.methods:
            return f"{self.title} does not train {_ON[name]}."
        known = {self.model(each) for each in self.dpo_models}
        if name == "dpo" and known and self.model(base) not in known:
            return f"{self.title} does not train {base} {_ON[name]}, only {' and '.join(self.dpo_models)}."
        return ""

    def check(self, spec: TrainingSpec) -> None:
        """Raise UserError for a method or a knob that this place does not take."""
        why = self.why_not(spec.base, spec.method)
        if why:
            raise UserError(why, "Choose another base or place (`train --base` compares), or rows of another kind.")
        wanted = spec.hyperparameters.learning_rate_multiplier
        if wanted is None:
            return
        if self.multiplier is None:
            raise UserError(f"{self.title} takes no learning rate multiplier.", "Leave it out.")
        low, high = self.multiplier
        if not low <= wanted <= high:
            what = f"{self.title} takes a learning rate multiplier from {low:g} to {high:g}, not {wanted:g}."
            raise UserError(what, "Choose one of these, or leave it out: then it chooses.")

    def suffix(self, name: str) -> str:
        """Return a name as this place takes it as a suffix: what it does not take becomes a dash."""
        letters = re.sub(rf"(?!{self.suffix_letters}).", "-", name.strip(), flags=re.DOTALL)
        return re.sub("-+", "-", letters)[: self.longest_suffix].strip("-")

    def _knobs(self, knobs: Hyperparameters) -> dict[str, Any]:
        chosen: dict[str, Any] = {"n_epochs": knobs.epochs}
        if knobs.learning_rate_multiplier is not None:
            chosen["learning_rate_multiplier"] = knobs.learning_rate_multiplier
        if knobs.beta is not None:
            chosen["beta"] = knobs.beta
        if self.lora:
            chosen |= {"lora": True, "lora_r": knobs.rank, "lora_alpha": knobs.alpha, "batch_size": knobs.batch_size}
            chosen["learning_rate"] = knobs.learning_rate
        return chosen


_ON: Final = {"supervised": "on rows with one answer each", "dpo": "on preference pairs (DPO)"}
"""Method -> on what it trains, for people."""


def as_api(method: Method) -> str:
    """Name a method as OpenAI's API does: how the weights change there is the provider's own affair."""
    return "dpo" if method == Method.DPO else "supervised"


@cache
def all_traits() -> Mapping[str, Traits]:
    """Return every place by its key."""
    data = tomllib.loads(_FILE.read_text("utf-8"))
    return {key: _read(key, entry) for key, entry in data.items()}


def traits_of(key: str) -> Traits:
    """Return one place; raises KeyError for a backend of another kind."""
    return all_traits()[key]


def _read(key: str, entry: Mapping[str, Any]) -> Traits:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
    return Traits(key=key, **fields)
