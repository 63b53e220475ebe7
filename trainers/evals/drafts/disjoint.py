"""Which drafts repeat a training row or each other; it drops them and says how many."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from trainers.data.findings import plural
from trainers.data.jsonl import Row
from trainers.data.likeness import canonical, near_pairs
from trainers.evals.drafts.base import QUESTION, Draft


class Disjoint(NamedTuple):
    """What is left of some drafts."""

    drafts: tuple[Draft, ...]
    """Those that repeat nothing, in their order."""
    in_training: int
    """Dropped: equal or nearly equal to a training input."""
    repeated: int
    """Dropped: equal or nearly equal to an earlier draft."""

    @property
    def sentence(self) -> str:
        """Say what was dropped; "" if nothing was."""
        parts = [
            f"{plural(number, 'draft')} {words}"
            for number, words in (
                (self.in_training, "too near to training rows"),
                (self.repeated, "too near to other drafts"),
            )
            if number
        ]
        return f"Dropped: {' and '.join(parts)}." if parts else ""


def disjoint(drafts: Iterable[Draft], train_rows: Sequence[Row]) -> Disjoint:
    """Drop drafts whose input is, exactly or nearly, that of a training row or of an earlier draft."""
    listed = list(drafts)
    taught = [row.prompt.rpartition(QUESTION)[2] for row in train_rows]
    near_training = _near(taught, [draft.question for draft in listed])
    left = [draft for place, draft in enumerate(listed) if place not in near_training]
    again = {pair.later for pair in near_pairs([draft.question for draft in left])}
    return Disjoint(
        tuple(draft for place, draft in enumerate(left) if place not in again), len(near_training), len(again)
    )


def _near(taught: Sequence[str], asked: Sequence[str]) -> set[int]:
    """Return places in `asked` of texts that are, exactly or nearly, in `taught`."""
    known = {canonical(text) for text in taught}
    exact = {place for place, text in enumerate(asked) if canonical(text) in known}
    # near_pairs names the first match alone: a draft that is near an earlier draft may hide one in training.
    unique = sorted(set(range(len(asked))) - exact)
    near = {
        unique[pair.later - len(taught)]
        for pair in near_pairs([*taught, *(asked[place] for place in unique)])
        if pair.earlier < len(taught) <= pair.later
    }
    return exact | near
