"""What a metric is: one mark for each answer and some figures for each arm; it knows no metric in particular."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

from trainers.data.jsonl import Row

NOTHING: Mapping[str, float] = MappingProxyType({})
Unit = Literal["share", "points", "count", "ms", "tokens", "dollars", "index"]
"""How a figure is written: `share` is 0 to 1 and shown in percent, `index` has no unit."""


class Mark(NamedTuple):
    """How one answer did."""

    score: float
    """0 (wrong) to 1 (right): what a verdict compares; 0 or 1 alone where the metric is binary."""
    checks: Mapping[str, float] = NOTHING
    """Further things looked at, 0 to 1, by name: `parsed`, `valid`, `grounded` ..."""
    note: str = ""
    """Why, where a reader of the case could not see it: `price is 12, not 21`. Never a secret, at most a sentence."""


class Figure(NamedTuple):
    """One number about one arm."""

    name: str
    """For people and as a key: `macro-F1`, `schema-valid`."""
    value: float | None
    """None where it cannot be computed."""
    low: float | None = None
    """Ends of its 95% interval, where one is known that holds."""
    high: float | None = None
    unit: Unit = "share"
    better: Literal["higher", "lower", "neither"] = "higher"
    """Which way is good; `neither` only shows that something changed."""


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a metric may need to know about a task, all of it fixed before the answers are seen."""

    labels: tuple[str, ...] = ()
    """The closed set of labels; empty for other tasks."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema (Draft 2020-12) of the targets."""
    train: Sequence[Row] = ()
    """Training rows: what a style is learned from and what may have been memorised."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """A metric's own settings, such as banned phrases."""


class Metric(Protocol):
    """Marks answers; built from a Setup alone."""

    binary: ClassVar[bool]
    """Whether every score is 0 or 1."""
    title: ClassVar[str]
    """What a score of 1 means, after "gets … ": `right`, `exactly right`, `in the brand's voice`."""
    caution: ClassVar[str]
    """What a reader should know before a verdict rests on it alone, in a sentence or two; "" for nothing."""

    def mark(self, row: Row, output: str) -> Mark:
        """Say how one answer did; it never raises, whatever the output holds."""

    def figures(self, rows: Sequence[Row], outputs: Sequence[str | None], marks: Sequence[Mark]) -> tuple[Figure, ...]:
        """Sum an arm up; the three go together, an output of None (no answer) comes with a mark of 0."""
