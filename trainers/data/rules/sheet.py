"""What a rule gets to see: rows, test rows, limits and what is derived from them once; it judges nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from trainers.data.jsonl import Message, Row
from trainers.data.labels import closed_labels
from trainers.data.likeness import canonical
from trainers.data.limits import TargetLimits

CountTokens = Callable[[Sequence[Message]], int]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Rows under judgement."""

    rows: Sequence[Row]
    """The rows that could be read, in file order."""
    test: Sequence[Row] | None
    """Rows of the test file; None if none was given."""
    limits: TargetLimits
    """What the training target accepts."""
    count_tokens: CountTokens | None
    """Counts the tokens of a row after the model's chat template; None leaves token rules out."""

    @cached_property
    def labels(self) -> dict[str, int] | None:
        """The closed label set with counts, or None for free text."""
        return closed_labels(self.rows)

    @cached_property
    def tokens(self) -> list[int] | None:
        """Tokens of each row, or None where nobody counts."""
        count = self.count_tokens
        return None if count is None else [count(row.messages) for row in self.rows]

    @cached_property
    def inputs(self) -> list[str]:
        """Folded input of each row: everything before the target except the system prompt."""
        return [canonical(row.prompt) for row in self.rows]

    @cached_property
    def test_inputs(self) -> list[str]:
        """Folded input of each test row."""
        return [canonical(row.prompt) for row in self.test or ()]

    def texts(self) -> Iterator[tuple[int, str]]:
        """Line and whole text of each row."""
        for row in self.rows:
            yield row.line, "\n".join(turn.content for turn in row.messages)
