"""Knows how many examples of which kind an uploaded file holds; it reads and forgets them."""

import json
from typing import Any, BinaryIO, NamedTuple


class Rows(NamedTuple):
    """What an uploaded file holds."""

    examples: int
    """Rows of one kind; -1 where a line is not one."""
    tokens: int
    """Characters of all messages divided by four."""
    kind: str = "supervised"
    """The method that trains on such rows: supervised or dpo."""


def count_rows(file: BinaryIO) -> Rows:
    """Count the examples of a JSONL file, in OpenAI's chat format or its preference format."""
    examples = letters = 0
    kinds = set()
    try:
        for line in file:
            if line.strip(b"\xef\xbb\xbf \r\n\t"):
                row = json.loads(line.decode("utf-8-sig"))
                kinds.add("dpo" if "preferred_output" in row else "supervised")
                letters += sum(len(message.get("content") or "") for message in _messages(row))
                examples += 1
    except (ValueError, KeyError, TypeError, AttributeError):
        return Rows(-1, 0)
    return Rows(examples, letters // 4, *kinds) if len(kinds) < 2 else Rows(-1, 0)


def _messages(row: dict[str, Any]) -> list[dict[str, Any]]:
    if "preferred_output" in row:
        return [*row["input"]["messages"], *row["preferred_output"], *row["non_preferred_output"]]
    return list(row["messages"])
