"""What a system prompt consists of; it knows neither who wrote it nor what is wrong with it."""

from dataclasses import dataclass
from typing import Any, NamedTuple


class Example(NamedTuple):
    """A user message with its ideal reply."""

    user: str
    reply: str
    why: str
    """What the example teaches, in a sentence."""
    ready: bool
    """Whether the reply can be used; otherwise it says what a person has to write."""


@dataclass(frozen=True, kw_only=True)
class SystemPrompt:
    """A prompt in its four parts, with examples."""

    role: str
    output_format: tuple[str, ...]
    edge_cases: tuple[str, ...]
    consistency: tuple[str, ...]
    examples: tuple[Example, ...]
    notes: tuple[str, ...] = ()
    """What a person should decide or know, each one sentence."""
    writer: str = ""
    """Name of the language model that wrote it; "" where it is our template, filled."""

    @property
    def text(self) -> str:
        """The prompt itself, to be used word for word in every row and in production."""
        parts = [
            self.role,
            _listed("Output format:", self.output_format),
            _listed("Special cases:", self.edge_cases),
            _listed("Always:", self.consistency),
        ]
        return "\n\n".join(part for part in parts if part)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "prompt": self.text,
            "role": self.role,
            "output_format": list(self.output_format),
            "edge_cases": list(self.edge_cases),
            "consistency": list(self.consistency),
            "examples": [each._asdict() for each in self.examples],
            "notes": list(self.notes),
            "written_by": self.writer or "template",
        }


def _listed(title: str, lines: tuple[str, ...]) -> str:
    return "\n".join([title, *(f"- {line}" for line in lines)]) if lines else ""
