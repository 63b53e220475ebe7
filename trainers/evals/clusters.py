"""Which held-out rows share a source, so that intervals can treat them as one; it does not compute intervals."""

import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from trainers.data.jsonl import Row
from trainers.data.likeness import near_pairs
from trainers.evals.word_runs import common_runs, shared_counts, word_runs

_FILE = Path(__file__).with_name("contamination.toml")


def clusters(rows: Sequence[Row]) -> list[str] | None:
    """Name each row's cluster, such as `row 3`; None if no two rows share a source.

    Rows share a source if their inputs are nearly the same, or hold the same long passage (in the system prompt or in
    any turn). What most rows hold is a template and joins nothing. Linear in the rows.
    """
    parent = list(range(len(rows)))
    joins = [(pair.earlier, pair.later) for pair in near_pairs([row.prompt for row in rows])]
    for one, other in (*joins, *_same_passage(rows)):
        parent[_root(parent, other)] = _root(parent, one)
    roots = [_root(parent, place) for place in range(len(rows))]
    if len(set(roots)) == len(rows):
        return None
    first: dict[int, int] = {}
    for root, row in zip(roots, rows, strict=True):
        first.setdefault(root, row.line)
    return [f"row {first[root]}" for root in roots]


def _same_passage(rows: Sequence[Row]) -> Iterable[tuple[int, int]]:
    words, limit = _limits()["overlap"]["words"], _limits()["cluster"]
    runs = word_runs((f"{row.system}\n{row.prompt}" for row in rows), words)
    templates = common_runs(runs, limit["template"])
    counts = shared_counts([each - templates for each in runs])
    least = limit["passage_words"] - words + 1
    return (pair for pair, count in counts.items() if count >= least)


def _root(parent: list[int], place: int) -> int:
    while parent[place] != place:
        parent[place] = place = parent[parent[place]]
    return place


@cache
def _limits() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))
