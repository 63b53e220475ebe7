"""Knows what a row under review holds and how rows add up; it does not know who changes them or where they are kept."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from trainers.data.jsonl import Message, Row
from trainers.data.labels import closed_labels, label_of
from trainers.data.likeness import canonical, near_pairs
from trainers.errors import RowRefused
from trainers.tables import ReviewRow

KINDS: dict[str, tuple[str, ...]] = {
    "test": ("easy", "boundary", "edge", "refusal", "out of scope"),
    "train": ("typical", "boundary", "edge", "refusal", "out of scope"),
}
"""What rows of a purpose are there for; a draft may bring a kind of its own."""

ROLES = ("system", "user", "assistant")

GRID = "coverage"
"""Key of a review's spec under which stands what the rows are to cover: values by dimension."""

APART = ("case", "label")
"""Dimensions that are counted by a row's kind and by its answer, which people change."""

TEMPLATE = "A template, to be rewritten"
"""How the reason of a row begins whose text only names its answer."""

HARD = ("boundary", "edge")
"""Kinds that are there because they are hard."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


class Draft(NamedTuple):
    """One row as somebody proposes it."""

    messages: tuple[Message, ...]
    """All turns; the last one is the assistant's and holds the expected answer, "" where nobody has said it yet."""
    kind: str
    why: str
    """Why it helps, or which failure it would reveal."""
    provenance: str
    """Who or what wrote it."""
    cell: Mapping[str, str] = _NOTHING
    """What it covers, by dimension."""

    @property
    def answered(self) -> bool:
        """Whether the expected answer says something."""
        return bool(self.messages[-1].content.strip())

    def columns(self) -> dict[str, Any]:
        """Return it as columns of `ReviewRow`."""
        return {
            "messages": written(self.messages),
            "kind": self.kind,
            "why": self.why,
            "provenance": self.provenance,
            "cell": json.dumps(dict(self.cell), ensure_ascii=False),
            "answered": self.answered,
        }


class Coverage(NamedTuple):
    """How the rows of a review stand."""

    kept: int
    dropped: int
    left: int
    """Rows that nobody has decided about."""
    unanswered: int
    """Of those, how many lack an expected answer, so that they cannot be kept."""
    kinds: Mapping[str, tuple[int, int]]
    """Per kind: rows kept, and rows that are not dropped."""
    labels: Mapping[str, tuple[int, int]]
    """The same per expected answer, where answers form a closed set; empty for free text."""
    dimensions: Mapping[str, Mapping[str, tuple[int, int]]] = MappingProxyType({})
    """The same per value of every other dimension that rows are to cover and that some of them know."""
    hard: int = 0
    """Rows that are not dropped and are there because they are hard."""
    same_prompt: bool = False
    """Whether all rows that are not dropped have one and the same system prompt."""


def read_draft(value: Mapping[str, Any]) -> Draft:
    """Read a draft from plain data: `messages`, `kind`, `why`, `provenance`. Raises RowRefused where it is no row.

    Without an assistant turn at its end, it gets an empty one.
    """
    turns = value.get("messages")
    if not isinstance(turns, list | tuple) or not all(isinstance(turn, Mapping) for turn in turns):
        raise RowRefused("A drafted row has no list of messages.", "Draft it again.")
    messages = tuple(Message(str(turn.get("role")), str(turn.get("content") or "")) for turn in turns)
    if not messages or messages[-1].role != "assistant":
        messages += (Message("assistant", ""),)
    check(messages)
    texts = [str(value.get(name) or "").strip() for name in ("kind", "why", "provenance")]
    cell = {str(name)[:60]: str(covered)[:60] for name, covered in dict(value.get("cell") or {}).items()}
    return Draft(messages, texts[0].replace("_", " ")[:60] or "other", texts[1], texts[2], cell)


def check(messages: Sequence[Message]) -> None:
    """Raise RowRefused unless these turns ask something and end with the assistant's."""
    roles = [turn.role for turn in messages]
    if set(roles) - set(ROLES) or "system" in roles[1:] or roles[-1:] != ["assistant"]:
        raise RowRefused("A row is a system prompt if any, turns of user and assistant, and the answer.", "")
    if not any(turn.role == "user" and turn.content.strip() for turn in messages):
        raise RowRefused("This row asks nothing.", "Write what a user would say.")


def is_template(row: ReviewRow) -> bool:
    """Say whether a row is a template that nobody has rewritten."""
    return row.why.startswith(TEMPLATE)


def turns_of(row: ReviewRow) -> tuple[Message, ...]:
    """Return the turns of a row under review."""
    return tuple(Message(turn["role"], turn["content"]) for turn in json.loads(row.messages))


def written(messages: Sequence[Message]) -> str:
    """Write turns as they are kept."""
    return json.dumps([turn._asdict() for turn in messages], ensure_ascii=False)


def jsonl(rows: Sequence[ReviewRow]) -> bytes:
    """Write rows in the format of OpenAI's chat fine-tuning: one object with `messages` a line."""
    lines = (json.dumps({"messages": json.loads(row.messages)}, ensure_ascii=False) + "\n" for row in rows)
    return "".join(lines).encode()


def asked(messages: Sequence[Message]) -> str:
    """Return what a row asks, folded so that the same question in another spelling is the same."""
    return canonical("\n".join(turn.content for turn in messages[:-1] if turn.role != "system"))


def twin(rows: Sequence[ReviewRow], messages: Sequence[Message]) -> int | None:
    """Return the place of a row that asks the same and is not dropped, or None."""
    wanted = asked(messages)
    return next((row.place for row in rows if row.status != "dropped" and asked(turns_of(row)) == wanted), None)


def clashes(rows: Sequence[ReviewRow], labels: Sequence[str] = ()) -> list[tuple[ReviewRow, ReviewRow]]:
    """Return pairs of rows that ask the same or nearly so and have another answer; dropped ones do not count.

    Free answers differ between like inputs as they should: only answers of a closed set can contradict each other.
    """
    alive = [row for row in rows if row.status != "dropped" and row.answered]
    if not labels and not _labels(alive):
        return []
    said = [_answer(row, labels) for row in alive]
    pairs = near_pairs([asked(turns_of(row)) for row in alive])
    return [(alive[one], alive[other]) for one, other in pairs if said[one] != said[other]]


def coverage(
    rows: Sequence[ReviewRow], labels: Sequence[str] = (), grid: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> Coverage:
    """Count rows by status, kind and label; `labels` are answers that are wanted, whether there are rows or not.

    `grid` names the values of each dimension that rows are to cover; a kind that no row has is counted as 0.
    """
    status = Counter(row.status for row in rows)
    alive = [row for row in rows if row.status != "dropped"]
    kinds = [*(case.replace("_", " ") for case in grid.get("case", ())), *(row.kind for row in rows)]
    names = {label: label for label in labels} or _labels(alive)
    answers = [(_answer(row, labels), row.status) for row in alive if names and row.answered]
    return Coverage(
        kept=status["kept"],
        dropped=status["dropped"],
        left=status["draft"],
        unanswered=sum(row.status == "draft" and not row.answered for row in rows),
        kinds=_shares(dict.fromkeys(kinds, ""), [(row.kind, row.status) for row in alive]),
        labels={names[name]: share for name, share in _shares(names, answers).items()},
        dimensions=_dimensions(alive, grid),
        hard=sum(row.kind in HARD for row in alive),
        same_prompt=len({_prompt(row) for row in alive}) == 1 and _prompt(alive[0]) != "",
    )


def _answer(row: ReviewRow, labels: Sequence[str]) -> str:
    """Return a row's answer as one of the labels, else folded so that the same in another spelling is the same."""
    said = turns_of(row)[-1].content
    return label_of(said, labels) or canonical(said)


def _dimensions(rows: Sequence[ReviewRow], grid: Mapping[str, Sequence[str]]) -> dict[str, dict[str, tuple[int, int]]]:
    cells = [(json.loads(row.cell), row.status) for row in rows]
    found = {
        name: _shares(dict.fromkeys(values, ""), [(cell.get(name, ""), status) for cell, status in cells])
        for name, values in grid.items()
        if name not in APART
    }
    return {name: shares for name, shares in found.items() if any(all_ for _, all_ in shares.values())}


def _prompt(row: ReviewRow) -> str:
    first = turns_of(row)[0]
    return first.content if first.role == "system" else ""


def _labels(rows: Sequence[ReviewRow]) -> dict[str, str]:
    """Return answers by their folded spelling where they form a closed set."""
    found = closed_labels([Row(row.place, turns_of(row)) for row in rows if row.answered])
    return {canonical(label): label for label in found or {}}


def _shares(names: Mapping[str, str], seen: Sequence[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    all_, kept = Counter(name for name, _ in seen), Counter(name for name, status in seen if status == "kept")
    return {name: (kept[name], all_[name]) for name in names}
