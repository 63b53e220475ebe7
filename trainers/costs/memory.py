"""Knows how much memory training a model of some size takes on one card; it knows no prices."""

import tomllib
from decimal import Decimal
from functools import cache
from typing import Any

from trainers.costs.facts import HERE
from trainers.costs.names import Model


def memory_needed(model: Model) -> tuple[Decimal, Decimal] | None:
    """Return the least and most gigabytes that QLoRA takes, by the next size in the book; None where it has none."""
    if model.billions is None:
        return None
    for size in _book()["size"]:
        if model.billions <= size["billions"]:
            return Decimal(size["gigabytes"][0]), Decimal(size["gigabytes"][1])
    return None


@cache
def _book() -> dict[str, Any]:
    return tomllib.loads((HERE / "gpu_memory.toml").read_text("utf-8"), parse_float=Decimal)
