"""Knows where a figure comes from and how old it is; it does not know what the figure says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
"""Where the books lie."""

OLD_AFTER = 60
"""Days after which a price is warned about."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where something stands, and on which day it stood there."""

    name: str
    url: str
    as_of: date
    unverified: bool = False
    """Whether nobody confirmed it: it is used, and that is said."""

    def age(self, today: date) -> int:
        """Return its age in days."""
        return (today - self.as_of).days

    def is_old(self, today: date) -> bool:
        """Say whether it is past its warning."""
        return self.age(today) > OLD_AFTER

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {"name": self.name, "url": self.url, "as_of": self.as_of.isoformat(), "unverified": self.unverified}


@dataclass(frozen=True, kw_only=True)
class Limit:
    """So many tokens at most, and who says so."""

    tokens: int
    source: Source


def read_limit(entry: Mapping[str, int] | None, sources: Mapping[str, Source]) -> Limit | None:
    """Read `{SOURCE = TOKENS}`; None where nothing is said."""
    if entry is None:
        return None
    ((source, tokens),) = entry.items()
    return Limit(tokens=tokens, source=sources[source])


def read_sources(data: Mapping[str, Any]) -> dict[str, Source]:
    """Read the sources of a book by their short names; raises TypeError where one lacks something."""
    return {name: Source(**entry) for name, entry in data.items()}
