"""Knows what every place that trains has in common; it does not know any of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from trainers.spec import TrainingSpec

Progress = Callable[[str, Mapping[str, Any]], None]
"""Takes the phase and its numbers (step, steps, loss, tokens_per_second, seconds_left, note …)."""


class Interrupted(Exception):  # a wish, not an error
    """The work in hand has to end at its next checkpoint; raised by `Keeper.keep` and by nothing else."""


class WorkerLeaving(Interrupted):
    """This worker has to go; another one continues."""


class StopRequested(Interrupted):
    """Somebody asked this job to stop."""

    def __init__(self, who: str) -> None:
        """Take the user who asked."""
        super().__init__(who)
        self.who = who


class Keeper(Protocol):
    """What a backend may ask of the job that it works for."""

    def keep(self) -> None:
        """Show a sign of life. Raises Interrupted or LeaseLost; call it at least every few seconds."""

    def progress(self, phase: str, numbers: Mapping[str, Any]) -> None:
        """Say how far the work is; calls `keep`."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be trained, and where its files lie."""

    job_id: str
    """Unique; also the submission id at a provider."""
    spec: TrainingSpec
    """Base, method and hyper-parameters."""
    train: Path
    """JSONL of training rows."""
    folder: Path
    """The job's own folder; it survives a restart, so checkpoints in it are found again."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The training is done."""

    adapter: Path | None
    """Folder of the adapter; None where nothing was trained (the rehearsal)."""
    base: Path | None
    """Folder of the base model's weights."""
    trained_tokens: int = 0
    """Tokens that went through the model, all epochs."""
    seconds: float = 0.0
    """Wall time of the training alone."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Nothing can be done now; ask again later, holding no worker meanwhile."""

    again_in: timedelta
    """When to ask again."""
    note: str
    """What is being waited for, one short sentence for people."""


class Backend(Protocol):
    """A place that trains."""

    name: str
    """Its name in commands and settings."""
    queue: str
    """Which worker advances its jobs: io, cpu or gpu."""

    def advance(self, order: Order, keeper: Keeper) -> Trained | Waiting:
        """Bring the training forward and return how it stands.

        Idempotent: called again after a crash it continues where the files say it was.
        Raises ChildFailed or ServiceError where it cannot go on, Interrupted and LeaseLost as `keeper` raised them.
        """

    def find(self, order: Order, adapter: Path, keeper: Keeper) -> Trained | Waiting:
        """Make an adapter that exists already ready to be evaluated; raises as `advance` does."""
