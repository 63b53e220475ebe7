"""Knows how to train with LoRA on this machine, in a child process; only the child knows torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from knowledge import weights
from trainers.backends.base import Keeper, Listener, Order, Trained, Waiting
from trainers.backends.child import Event, run_script
from trainers.spec import BETA, Method

BASES = {"smollm2-135m-instruct": "smollm2-135m-instruct-q4"}
"""Name of a base -> its entry in the weights store."""


@dataclass(kw_only=True)
class LocalBackend:
    """LoRA on this machine's CPU or GPU."""

    cache: Path
    """Where weights are kept, shared by all data folders."""
    env: Mapping[str, str]
    """The environment of children: no secrets in it."""
    threads: int
    """CPU threads a child may use."""
    missing_tools: Callable[[], str]
    """Says what the training packages still lack (an installation under way, with its progress), or ""."""
    name: str = "local"
    queue: str = "cpu"

    def advance(self, order: Order, keeper: Keeper) -> Trained | Waiting:
        """Install nothing, fetch weights once, train from the newest checkpoint to the end."""
        lacking = self.missing_tools()
        if lacking:
            return Waiting(again_in=timedelta(seconds=3), note=lacking)
        base = self.base(order.spec.base, order.folder, keeper)
        done = run_script(
            "dpo_lora" if order.spec.method == Method.DPO else "sft_lora",
            self._config(order, base),
            folder=order.folder / "train",
            env=self.env,
            keeper=keeper,
            hear=_tell(keeper),
        )
        return Trained(
            adapter=order.folder / "train" / "adapter",
            base=base,
            trained_tokens=int(done["trained_tokens"]),
            seconds=float(done["seconds"]),
        )

    def find(self, order: Order, adapter: Path, keeper: Keeper) -> Trained | Waiting:
        """Return the adapter beside the weights of its base."""
        lacking = self.missing_tools()
        if lacking:
            return Waiting(again_in=timedelta(seconds=3), note=lacking)
        return Trained(adapter=adapter, base=self.base(order.spec.base, order.folder, keeper))

    def release(self, order: Order, keeper: Keeper) -> Waiting | None:
        """Do nothing: what ran, ran here and has ended."""
        return None

    def base(self, name: str, folder: Path, keeper: Listener) -> Path:
        """Return the folder of a base's weights as safetensors, made once from the store's file."""
        ready = self.cache / "models" / name
        if not (ready / "model.safetensors").exists():
            keeper.progress("preparing", {"note": "Fetching the base model's weights"})
            source = weights.ensure(BASES[name], self.cache)
            keeper.progress("preparing", {"note": "Unpacking the base model's weights, once"})
            config = {"gguf": str(source), "out": str(ready)}
            run_script("dequantise", config, folder=folder / "weights", env=self.env, keeper=keeper, hear=_tell(keeper))
        return ready

    def _config(self, order: Order, base: Path) -> dict[str, Any]:
        knobs = order.spec.hyperparameters
        return {
            "base": str(base),
            "rows": str(order.train),
            "out": str(order.folder / "train"),
            "threads": self.threads,
            "epochs": knobs.epochs,
            "rank": knobs.rank,
            "alpha": knobs.alpha,
            "learning_rate": knobs.learning_rate,
            "batch_size": knobs.batch_size,
            "max_tokens": knobs.max_tokens,
            "seed": knobs.seed,
            "checkpoint_every": 5,
            "warmup_ratio": 0.1,
            **({"beta": knobs.beta or BETA} if order.spec.method == Method.DPO else {}),
        }


def _tell(keeper: Listener) -> Callable[[Event], None]:
    def hear(event: Event) -> None:
        if event.get("event") == "progress":
            keeper.progress(str(event.get("phase", "preparing")), event)

    return hear
