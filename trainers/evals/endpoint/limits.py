"""Which limits hold for calls to an endpoint, from limits.toml; it does not apply them."""

import tomllib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from knowledge.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How calls to an endpoint are paced and when they end; durations in seconds, meanings in limits.toml."""

    concurrency: int
    timeout: float
    patience: float
    unreachable: float
    grace: float
    first_wait: float
    longest_wait: float
    lost_again: int
    most_lost: int
    most_refused: int
    most_bytes: int

    @classmethod
    def shipped(cls, **other: Any) -> "Limits":
        """Return the shipped limits, with `other` values instead of some; raises UserError for a wild concurrency."""
        known = section("asking")
        most = known["most_concurrency"]
        made = cls(**{field.name: known[field.name] for field in fields(cls)} | other)
        if not 1 <= made.concurrency <= most:
            raise UserError(f"The concurrency is {made.concurrency}.", f"Choose a number from 1 to {most}.")
        return made


@cache
def section(name: str) -> dict[str, Any]:
    """Return the numbers of one section of limits.toml; raises KeyError for a section that is not there."""
    read = tomllib.loads(Path(__file__).with_name("limits.toml").read_text("utf-8"))[name]
    return {key: value for key, value in read.items() if isinstance(value, int | float)}
