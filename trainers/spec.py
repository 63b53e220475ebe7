"""Knows what a fine-tune is: base, method and hyper-parameters, validated; it does not know data, money or machines."""

from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from knowledge.errors import UserError

BETA: Final = 0.1
"""Usual weight of staying near the base: Rafailov et al. 2023, appendix B, and TRL 1.16's `DPOConfig`."""


PREFERENCE_RATE: Final = 1e-4
PREFERENCE_EPOCHS: Final = 3
"""Peak learning rate and passes for preferences: far gentler than for answers, as both answers move."""


class Method(StrEnum):
    """How the weights change."""

    LORA = "lora"
    QLORA = "qlora"
    SUPERVISED = "supervised"
    """As a hosted trainer does it: it does not say how."""
    DPO = "dpo"
    """From pairs of a preferred and another answer."""


@dataclass(frozen=True, kw_only=True)
class Hyperparameters:
    """The knobs of a LoRA run; defaults were chosen by cross-validation on the shipped example's training rows."""

    epochs: int = 8
    """Passes over the training rows."""
    rank: int = 16
    """Rank r of the adapter matrices."""
    alpha: int = 32
    """Scale of the adapter; the update is multiplied by alpha / rank."""
    learning_rate: float = 1e-3
    """Peak learning rate after warm-up."""
    batch_size: int = 8
    """Rows per optimiser step."""
    max_tokens: int = 512
    """Longest row in tokens; a longer one is refused, never cut."""
    seed: int = 7
    """Seed of shuffling and of the adapter's initial weights."""
    learning_rate_multiplier: float | None = None
    """At hosted trainers that take one: by how much their own learning rate is multiplied; None: they choose."""
    beta: float | None = None
    """Of preferences alone: how strongly the tuned model is held to its base; None: whoever trains chooses."""

    def __post_init__(self) -> None:
        """Refuse values that no run could mean."""
        limits = {
            "epochs": (1, 50),
            "rank": (1, 256),
            "alpha": (1, 1024),
            "batch_size": (1, 256),
            "max_tokens": (16, 8192),
        }
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise UserError(f"{name} is {getattr(self, name)}.", f"Choose a value from {low} to {high}.")
        if not 0 < self.learning_rate < 1:
            raise UserError(
                f"learning_rate is {self.learning_rate}.", "Choose a value between 0 and 1, such as 0.0002."
            )
        if self.learning_rate_multiplier is not None and not 0 < self.learning_rate_multiplier <= 100:
            raise UserError("A learning rate multiplier is above 0 and at most 100.", "Choose one such as 0.1.")
        if self.beta is not None and not 0 < self.beta <= 2:
            raise UserError(f"beta is {self.beta}.", f"Choose a value above 0 and up to 2, such as {BETA}.")


@dataclass(frozen=True, kw_only=True)
class TrainingSpec:
    """Everything that decides what a training run produces, apart from the rows."""

    base: str = "smollm2-135m-instruct"
    """Name of the base model in the weights store or at the provider."""
    backend: str = "local"
    """Name in `trainers.backends.BACKENDS`."""
    method: Method = Method.LORA
    """How the weights change."""
    hyperparameters: Hyperparameters = field(default_factory=Hyperparameters)
    """The knobs."""

    def __post_init__(self) -> None:
        """Refuse a knob that the method does not have."""
        if self.hyperparameters.beta is not None and self.method != Method.DPO:
            raise UserError("beta is a knob of preferences alone.", "Leave it out, or train by dpo.")

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` reads back to an equal spec."""
        data = asdict(self)
        for name in ("learning_rate_multiplier", "beta"):  # so that quotes from before them keep their hash
            if data["hyperparameters"][name] is None:
                del data["hyperparameters"][name]
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "TrainingSpec":
        """Read what `to_json` wrote; raises UserError where a value is out of range."""
        knobs = Hyperparameters(**data["hyperparameters"])
        return cls(base=data["base"], backend=data["backend"], method=Method(data["method"]), hyperparameters=knobs)


def usual(method: Method) -> Hyperparameters:
    """Return the knobs that a run on this machine has where nobody chose others."""
    if method != Method.DPO:
        return Hyperparameters()
    return replace(Hyperparameters(), epochs=PREFERENCE_EPOCHS, learning_rate=PREFERENCE_RATE, beta=BETA)
