"""What a drafted test row is; it knows neither how rows are composed nor where they are kept."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, get_args

from trainers.data.jsonl import Message

DraftKind = Literal["easy", "boundary", "edge", "refusal", "out_of_scope"]
"""What a row is there for. refusal: where a model may refuse wrongly, or fail to refuse."""

DRAFT_KINDS: tuple[DraftKind, ...] = get_args(DraftKind)

SHARES: Mapping[DraftKind, float] = {"easy": 0.4, "boundary": 0.2, "edge": 0.2, "refusal": 0.1, "out_of_scope": 0.1}
"""Of the drafts of one plan; a kind that runs dry leaves its share to the others."""


QUESTION = "\n\nQuestion: "
"""What stands between passages and the question about them; passages may be shared by many rows."""


class Draft(NamedTuple):
    """One test row that nobody has approved yet."""

    messages: tuple[Message, ...]
    """System prompt (the same in every row) and what is asked; without the answer."""
    kind: DraftKind
    reveals: str
    """The failure that this row would show, in a sentence."""
    target: str
    """The right answer where it is certain, else "": a person has to write it."""
    provenance: str
    """Where the text comes from: `recipe easy/billing`, `model gpt-4.1, tuple 3`."""
    suggestion: str = ""
    """An answer that somebody proposed and nobody has checked; never used as a target by itself."""

    @property
    def input(self) -> str:
        """What is asked, without the system prompt."""
        return self.messages[-1].content

    @property
    def question(self) -> str:
        """What makes the row different: of passages with a question the question alone, else the input."""
        return self.input.rpartition(QUESTION)[2]

    def row(self) -> str:
        """Return the row as a line of JSONL in OpenAI's chat format, its target last; without a line end."""
        turns = [*self.messages, Message("assistant", self.target)]
        return json.dumps({"messages": [turn._asdict() for turn in turns]}, ensure_ascii=False)

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back to an equal draft."""
        return {**self._asdict(), "messages": [list(message) for message in self.messages]}

    def to_review(self) -> dict[str, Any]:
        """Plain data as reviews take them: the expected answer last, empty where a person has to write it."""
        turns = [turn._asdict() for turn in (*self.messages, Message("assistant", self.target))]
        hint = f" Suggested answer, unchecked: {self.suggestion}" if self.suggestion and not self.target else ""
        return {"messages": turns, "kind": self.kind, "why": self.reveals + hint, "provenance": self.provenance}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Draft":
        """Read what `to_json` wrote."""
        return cls(**{**data, "messages": tuple(Message(*message) for message in data["messages"])})


@dataclass(frozen=True, kw_only=True)
class Drafted:
    """What came of drafting."""

    drafts: tuple[Draft, ...]
    rejected: Mapping[str, int] = field(default_factory=dict)
    """How many were thrown away, by reason."""
    note: str = ""
    """What a person should know: why there are fewer than asked for, why no model wrote them. May be empty."""

    @property
    def waiting(self) -> int:
        """Drafts whose target a person has to write."""
        return sum(not draft.target for draft in self.drafts)

    @property
    def sentence(self) -> str:
        """Say how many there are and how many wait for their target."""
        number, waiting = len(self.drafts), self.waiting
        many = f"{number:,} draft{'' if number == 1 else 's'}"
        if not waiting:
            return f"{many}, each with its target. Read them before you use them."
        wait = "1 waits for its" if waiting == 1 else f"{waiting:,} wait for their"
        return f"{many}: {wait} target."
