"""What a plan proposes for each kind of task, as choices.toml has it; it does not read tasks."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from knowledge.errors import UserError
from trainers.evals.guardrails import Guardrail, fitting, guardrails

Kind = Literal["classification", "extraction", "style", "qa", "generation", "refusal"]
"""What a task asks for."""

_ALSO: Mapping[str, Kind] = {"voice": "style", "documents": "qa", "format": "generation"}
"""What rows of a kind are called."""

KINDS: tuple[Kind, ...] = get_args(Kind)


class Choice(NamedTuple):
    """How tasks of one kind are judged."""

    metric: str
    """A name in `trainers.evals.metrics.METRICS`."""
    binary: bool
    """Whether each answer is right or wrong, rather than graded."""
    why: str
    secondary: tuple[str, ...]
    guardrails: tuple[Guardrail, ...]


@cache
def table() -> Mapping[str, Any]:
    """Return choices.toml as it is."""
    return tomllib.loads(Path(__file__).with_name("choices.toml").read_text("utf-8"))


def choice(kind: Kind) -> Choice:
    """Return what is proposed for a kind of task."""
    found = table()["kind"][kind]
    return Choice(
        metric=found["metric"],
        binary=found["binary"],
        why=found["why"],
        secondary=tuple(found["secondary"]),
        guardrails=fitting(guardrails(found["guardrails"]), found["metric"]),
    )


def reason(rail: Guardrail) -> str:
    """Say why something must not get worse; "" for a guardrail that choices.toml no longer knows."""
    return str(table()["why"].get(rail.name, ""))


def comparison(kind: Kind) -> str:
    """Say who is compared with whom."""
    words = table()["comparison"]
    return str(words["words"].format(cheap=words["cheap"] if kind == "classification" else ""))


def kind_named(name: str) -> Kind:
    """Return the kind of this name; raises UserError for one that nobody knows."""
    wanted, also = name.strip().lower(), {kind: rows for rows, kind in _ALSO.items()}
    for kind in KINDS:
        if kind == _ALSO.get(wanted, wanted):
            return kind
    known = ", ".join(f"{kind} ({also[kind]})" if kind in also else kind for kind in KINDS)
    raise UserError(f"I don't know the kind of task {name[:40]!r}.", f"Use one of {known}.")
