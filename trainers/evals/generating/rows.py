"""What a drafted training row is, and what came of drafting some; it knows neither how nor where they are kept."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from trainers.data.jsonl import Message


class Piece(NamedTuple):
    """What a recipe says of one row, before it is a row."""

    case: str
    """What it is there for: a case of `coverage`."""
    text: str
    target: str
    why: str
    source: str
    label: str = ""


class TrainingDraft(NamedTuple):
    """One training row that nobody has approved yet."""

    messages: tuple[Message, ...]
    """System prompt (the same in every row), what is asked, and the answer."""
    cell: Mapping[str, str]
    """What it covers, by dimension."""
    why: str
    """Why it helps, in a sentence."""
    provenance: str
    """Where the text comes from."""

    @property
    def input(self) -> str:
        """What is asked."""
        return self.messages[-2].content

    @property
    def target(self) -> str:
        """The answer."""
        return self.messages[-1].content

    def row(self) -> str:
        """Return the row as a line of JSONL in OpenAI's chat format, without a line end."""
        return json.dumps({"messages": [turn._asdict() for turn in self.messages]}, ensure_ascii=False)

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "messages": [turn._asdict() for turn in self.messages],
            "cell": dict(self.cell),
            "why": self.why,
            "provenance": self.provenance,
        }

    def to_review(self) -> dict[str, Any]:
        """Return plain data as reviews take them."""
        turns = [turn._asdict() for turn in self.messages]
        return {
            "messages": turns,
            "kind": self.cell.get("case", "typical"),
            "why": self.why,
            "provenance": self.provenance,
            "cell": dict(self.cell),
        }


class Rejected(NamedTuple):
    """A row that was thrown away."""

    why: str
    text: str

    @property
    def point(self) -> str:
        """Why, without the words of a judge, which may repeat what a row says."""
        return self.why.partition(":")[0]


@dataclass(frozen=True, kw_only=True)
class Generated:
    """What came of drafting."""

    drafts: tuple[TrainingDraft, ...]
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = field(default=())
    """What a person should know, each one sentence."""
    writer: str = ""
    """Name of the language model that wrote them; "" where recipes did."""

    @property
    def marked(self) -> str:
        """Say who wrote them and that they are drafts."""
        number, written = len(self.drafts), sum(draft.provenance.startswith("model ") for draft in self.drafts)
        by = f"written by {self.writer}" if written else "composed by recipes, no language model"
        by += f" ({number - written} by recipes)" if 0 < written < number else ""
        return f"{number:,} draft row{'' if number == 1 else 's'}, {by}. Read each before anything is trained on it."
