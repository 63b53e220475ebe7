"""What a drafted training row is, and what came of drafting some; it knows neither how nor where they are kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from trainers.data.jsonl import Message

BY_MODEL = "model "
"""How the provenance of a row begins that a language model wrote."""

_NAMED = 8
"""Labels that one sentence names."""

RECIPES = "recipes"
"""Who wrote rows where no language model did."""


def so_far(done: int, wanted: int) -> str:
    """Say how many rows of a run that is not over are there, without a full stop."""
    return f"{done} of {wanted} rows are written" if done else "No row is written yet"


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

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "TrainingDraft":
        """Read what `to_json` gave."""
        turns = tuple(Message(turn["role"], turn["content"]) for turn in told["messages"])
        return cls(turns, told["cell"], told["why"], told["provenance"])

    @property
    def by_model(self) -> bool:
        """Whether a language model wrote it."""
        return self.provenance.startswith(BY_MODEL)

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
    missing: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Cases and labels that were wanted and of which no row is, by dimension."""
    writer: str = ""
    """Name of the language model that was asked for them; "" where none was."""

    @property
    def from_recipes(self) -> int:
        """How many of them recipes composed."""
        return sum(not draft.by_model for draft in self.drafts)

    @property
    def written_by(self) -> str:
        """Who wrote them: the language model that was asked where a row is its own, else recipes."""
        return self.writer if self.writer and self.from_recipes < len(self.drafts) else RECIPES

    @property
    def lacks(self) -> str:
        """Say of which cases and labels there is no row, and what to do; "" where none is missing."""
        cases, labels = (self.missing.get(name, ()) for name in ("case", "label"))
        told = []
        if cases:
            listed = " or ".join(case.replace("_", " ") for case in cases)
            told.append(f"No row for the case {listed}: what is right there is for people to say, so add some.")
        if labels:
            more = f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else ""
            told.append(f"No row is answered {', '.join(labels[:_NAMED])}{more}: ask for more rows, or add some.")
        return " ".join(told)

    @property
    def marked(self) -> str:
        """Say who wrote them and that they are drafts."""
        number, recipes = len(self.drafts), self.from_recipes
        by = f"written by {self.writer}" if recipes < number else "composed by recipes, no language model"
        by += f" ({recipes} by recipes)" if 0 < recipes < number else ""
        return f"{number:,} draft row{'' if number == 1 else 's'}, {by}. Read each before anything is trained on it."
