"""Whether held-out rows were in training; it does not know how anybody answered."""

from collections.abc import Sequence

from trainers.data.findings import name_lines, plural
from trainers.data.jsonl import Row
from trainers.data.likeness import canonical, near_pairs


def contamination(rows: Sequence[Row], train: Sequence[Row] | None) -> str:
    """Say in one sentence how many held-out inputs are, exactly or nearly, training inputs."""
    if train is None:
        return "Not checked whether test rows were in training: the training rows were not at hand."
    taught = [canonical(row.prompt) for row in train]
    asked = [canonical(row.prompt) for row in rows]
    known = set(taught)
    exact = [row.line for row, text in zip(rows, asked, strict=True) if text in known]
    near = [
        rows[pair.later - len(taught)].line
        for pair in near_pairs([*taught, *asked])
        if pair.earlier < len(taught) <= pair.later and asked[pair.later - len(taught)] not in known
    ]
    if not exact and not near:
        return f"No test row was in training: none of {len(rows):,} equals or nearly repeats a training input."
    parts = [
        f"{plural(len(lines), 'test row')} {words} ({name_lines(lines)})"
        for lines, words in ((exact, "in training too"), (near, "nearly repeating a training input"))
        if lines
    ]
    return f"Doubtful: {' and '.join(parts)}; the score may measure memory."
