"""Whether the targets of rows form a closed set of labels, and which; it does not judge their balance."""

from collections import Counter
from collections.abc import Sequence

from trainers.data.jsonl import Row
from trainers.data.likeness import canonical

MOST_LABELS = 50
MOST_CHARACTERS = 40
MOST_WORDS = 5
ROWS_PER_LABEL = 2  # on average; free text hardly ever repeats itself


def closed_labels(rows: Sequence[Row]) -> dict[str, int] | None:
    """Count the labels if all targets are short and few, most frequent first; None for free text or no rows.

    Spellings that differ only in case, white space or a full stop count as one label under their commonest spelling.
    """
    spellings = label_spellings(rows)
    if not 0 < len(spellings) <= min(MOST_LABELS, len(rows) // ROWS_PER_LABEL):
        return None
    if any(not label or len(label) > MOST_CHARACTERS or len(label.split()) > MOST_WORDS for label in spellings):
        return None
    counts = Counter({spelled.most_common(1)[0][0]: spelled.total() for spelled in spellings.values()})
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def label_spellings(rows: Sequence[Row]) -> dict[str, Counter[str]]:
    """Map each folded target to how often each of its spellings stands in the file."""
    seen: dict[str, Counter[str]] = {}
    for row in rows:
        seen.setdefault(canonical(row.target), Counter())[row.target.strip()] += 1
    return seen


def label_of(said: str, labels: Sequence[str]) -> str:
    """Return the label that an answer is: the one that is spelled so, else the only one that differs in case or marks.

    "" where it is none, or where several are as near.
    """
    if said.strip() in labels:
        return said.strip()
    near = [label for label in labels if canonical(label) == canonical(said)]
    return near[0] if len(near) == 1 else ""
