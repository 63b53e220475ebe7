"""Which example data sets are shipped and where they lie; it does not read them."""

from dataclasses import dataclass
from pathlib import Path

_HOME = Path(__file__).with_name("examples")


@dataclass(frozen=True, kw_only=True)
class Example:
    """A use case that can be trained without bringing rows."""

    name: str
    """Short name, as typed in commands."""
    title: str
    """One line that says what is learned."""
    train: Path
    """JSONL file of training rows."""
    test: Path
    """JSONL file of held-out rows."""
    licence: str
    """SPDX identifier of the rows' licence."""


EXAMPLES: dict[str, Example] = {
    "tickets": Example(
        name="tickets",
        title="Sort support tickets into queues",
        train=_HOME / "tickets" / "train.jsonl",
        test=_HOME / "tickets" / "test.jsonl",
        licence="CC0-1.0",
    ),
}
"""Every shipped example by name."""
