"""Knows how to behave like a training run without being one, and says so; it trains nothing and returns no model."""

import time
from dataclasses import dataclass
from pathlib import Path

from trainers.backends.base import Keeper, Order, Trained, Waiting


@dataclass(kw_only=True)
class RehearsalBackend:
    """Walks through the steps of a run: for practice, for tests, and for showing the journey without torch."""

    seconds_per_step: float = 0.2
    """How long a pretended step takes."""
    steps: int = 10
    """How many steps are pretended."""
    name: str = "rehearsal"
    queue: str = "io"

    def advance(self, order: Order, keeper: Keeper) -> Trained | Waiting:
        """Count the steps, keeping the place in the job's folder as a real run keeps checkpoints."""
        order.folder.mkdir(parents=True, exist_ok=True)
        place = order.folder / "rehearsed_steps"
        done = int(place.read_text()) if place.exists() else 0
        for step in range(done + 1, self.steps + 1):
            time.sleep(self.seconds_per_step)
            place.write_text(str(step))
            left = (self.steps - step) * self.seconds_per_step
            note = "Rehearsal: nothing is trained"
            keeper.progress("training", {"step": step, "steps": self.steps, "seconds_left": left, "note": note})
        return Trained(adapter=None, base=None)

    def find(self, order: Order, adapter: Path, keeper: Keeper) -> Trained | Waiting:
        """Find nothing: a rehearsal leaves no model behind."""
        return Trained(adapter=None, base=None)

    def release(self, order: Order, keeper: Keeper) -> Waiting | None:
        """Do nothing: what ran, ran here and has ended."""
        return None
