"""Knows that an endpoint trains nothing and leaves nothing behind; `trainers.evals.endpoint` knows how it answers."""

from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import UserError
from trainers.backends.base import Keeper, Order, Trained, Waiting


@dataclass(kw_only=True)
class EndpointBackend:
    """Models that are served already, by somebody."""

    name: str = "endpoint"
    queue: str = "io"

    def advance(self, order: Order, keeper: Keeper) -> Trained | Waiting:
        """Refuse: an endpoint only answers."""
        raise UserError("An endpoint answers, it trains nothing.", "Judge its models with `luthier evaluate --url`.")

    def find(self, order: Order, adapter: Path, keeper: Keeper) -> Trained | Waiting:
        """Refuse: an adapter on this machine cannot be asked at an endpoint."""
        raise UserError("An endpoint takes no adapter from here.", "Name its models with `luthier evaluate --url`.")

    def release(self, order: Order, keeper: Keeper) -> Waiting | None:
        """Do nothing: calls end with the worker that made them."""
        return None
