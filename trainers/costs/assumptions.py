"""Knows what an estimate assumes, each with its reason, and how somebody changes it; it computes nothing."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from trainers.costs.facts import HERE
from trainers.costs.names import find_model, nearest
from trainers.costs.workload import BadFigure, Workload, check, figure

SPREAD = {"given": 10, "exact": 2, "estimated": 30}
"""Percent by which tokens may be off, by how they were counted."""


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """One thing that is assumed."""

    name: str
    label: str
    value: str
    why: str
    changed: bool = False
    """Whether somebody said so, instead of the book."""
    otherwise: str = ""
    """What the book assumes, and why, where nobody says anything."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {"name": self.name, "label": self.label, "value": self.value, "why": self.why, "changed": self.changed}


@dataclass(frozen=True)
class Assumptions:
    """All of them."""

    changes: Mapping[str, str]
    """What somebody said, as typed, by name; checked."""

    @classmethod
    def of(cls, changes: Mapping[str, str]) -> "Assumptions":
        """Take what somebody said; raises BadFigure for what is unknown or makes no sense."""
        return cls({name: _checked(name, text) for name, text in changes.items()})

    def listed(self, workload: Workload) -> Iterator[Assumption]:
        """Yield each with its value and its reason."""
        for name, entry in _book().items():
            yield Assumption(
                name=name,
                label=entry["label"],
                value=self.text(name, workload),
                why="you said so" if name in self.changes else entry["why"],
                changed=name in self.changes,
                otherwise=f"{_unsaid(name, workload)}: {entry['why']}",
            )

    def text(self, name: str, workload: Workload) -> str:
        """Return one as it is written."""
        return self.changes[name] if name in self.changes else _unsaid(name, workload)

    def number(self, name: str, workload: Workload) -> Decimal:
        """Return one as a number."""
        return Decimal(self.text(name, workload))

    def share(self, name: str, workload: Workload) -> Decimal:
        """Return one that is a percentage as a share."""
        return self.number(name, workload) / 100

    def gpu_use(self) -> tuple[Decimal, Decimal, Decimal]:
        """Return the least, usual and greatest share of a card's peak that training reaches."""
        entry = _book()["gpu_use_percent"]
        if "gpu_use_percent" in self.changes:
            said = Decimal(self.changes["gpu_use_percent"]) / 100
            return said, said, said
        return Decimal(entry["low"]) / 100, Decimal(entry["value"]) / 100, Decimal(entry["high"]) / 100


def _unsaid(name: str, workload: Workload) -> str:
    if name == "tokens_spread_percent":
        return str(SPREAD[workload.counted])
    if name == "evaluation_rows" and workload.test_rows is not None:
        return str(workload.test_rows)
    return str(_book()[name]["value"])


@cache
def _book() -> dict[str, dict[str, Any]]:
    return tomllib.loads((HERE / "assumptions.toml").read_text("utf-8"), parse_float=Decimal)


def _checked(name: str, text: str) -> str:
    if name not in _book():
        raise BadFigure(f"I assume nothing called {name[:40]!r}.", f"Nearest: {', '.join(nearest(name, _book()))}.")
    entry, tidy = _book()[name], text.strip()
    if entry.get("model"):
        return find_model(tidy).name
    if "choices" in entry:
        if tidy.lower() not in entry["choices"]:
            raise BadFigure(f"{tidy[:40]!r} is no {entry['label'].lower()}.", f"One of {', '.join(entry['choices'])}.")
        return tidy.lower()
    value = figure(name, tidy, such_as=str(entry["value"]))
    check(name, value, least=entry["least"], most=entry["most"])
    if entry.get("whole") and value != value.to_integral_value():
        raise BadFigure(f"{entry['label']} come in whole numbers, not {tidy[:40]}.", "Write one such as 500.")
    return f"{value.normalize():f}"
