"""Which metric suits a task, from its rows alone; it does not judge answers, and people may choose another.

In this order, the same rows always giving the same choice:
0. half of the targets call tools -> `tool_calls`.
1. every target is a JSON object or list -> `json_exact`, with a schema guessed from the training targets. Also where
   few different objects come back: an answer may write the same object in another way. Numbers, texts in quotes and
   true or false are JSON too, but alone they are labels.
2. the targets are a closed set -> `accuracy`. A set is closed by `closed_labels` (at most 50 short labels, each twice
   on average), or, for larger published sets, with up to 500 short labels that come five times on average. Several
   labels in one target (`a, b`) are one label of the set, and only that combination in that order is right.
3. half of the targets have at most five words -> `exact_match`.
4. other texts -> `chrf`.
"""

from collections.abc import Sequence
from typing import Any

from trainers.data.formats.whole import calls_in
from trainers.data.jsonl import Row
from trainers.data.labels import MOST_CHARACTERS, MOST_WORDS, closed_labels, label_spellings
from trainers.evals.metrics.base import Setup
from trainers.evals.metrics.json_answers import read_json
from trainers.evals.metrics.limits import limits
from trainers.evals.metrics.schemas import infer_schema
from trainers.evals.stats import median


def suggest(train_rows: Sequence[Row], test_rows: Sequence[Row]) -> tuple[str, Setup]:
    """Return the name of a metric (`METRICS`) and its setup; linear in the rows. Without a row: `exact_match`."""
    rows = [*train_rows, *test_rows]
    train = tuple(train_rows)
    if rows and sum(bool(row.whole and calls_in(row.target)) for row in rows) * 2 >= len(rows):
        return "tool_calls", Setup(train=train)
    if rows and all(_is_document(row.target) for row in rows):
        return "json_exact", Setup(schema=infer_schema(train), train=train)
    labels = closed_labels(rows) or _many_labels(rows)
    if labels:
        return "accuracy", Setup(labels=tuple(labels), train=train)
    words = median([len(row.target.split()) for row in rows]) or 0
    return ("exact_match" if words <= MOST_WORDS else "chrf"), Setup(train=train)


def _is_document(target: str) -> bool:
    if not target.lstrip().startswith(("{", "[")):
        return False
    found: Any = read_json(target)
    return bool(found.strict) and isinstance(found.value, dict | list)


def _many_labels(rows: Sequence[Row]) -> dict[str, int] | None:
    """Count the labels of a set larger than `closed_labels` takes; None for free text."""
    bounds, spellings = limits("choose"), label_spellings(rows)
    if not 0 < len(spellings) <= min(bounds["most_labels"], len(rows) // bounds["rows_per_label"]):
        return None
    if any(not label or len(label) > MOST_CHARACTERS or len(label.split()) > MOST_WORDS for label in spellings):
        return None
    counts = {spelled.most_common(1)[0][0]: spelled.total() for spelled in spellings.values()}
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
