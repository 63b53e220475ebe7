"""How one file of rows becomes training rows and held-out test rows; it does not read or judge them."""

import random
from collections.abc import Sequence
from typing import NamedTuple

from knowledge.errors import UserError
from trainers.data.findings import plural
from trainers.data.jsonl import Row
from trainers.data.labels import closed_labels
from trainers.data.likeness import canonical, folded

LEAST_TRAIN = 10  # rows; fewer cannot be trained on
LEAST_TEST = 5  # rows; fewer say nothing at all
GOOD_TEST = 20  # rows; fewer can never prove success
_DRAWS = 20  # a draw of few large bundles may leave too little on one side; the next may not


class Split(NamedTuple):
    """Two parts of one file, each in file order; no input is in both."""

    train: tuple[Row, ...]
    """Rows to learn from."""
    test: tuple[Row, ...]
    """Rows held out for the evaluation."""


def split(rows: Sequence[Row], *, test_fraction: float, seed: int, together: Sequence[Sequence[int]] = ()) -> Split:
    """Hold out about `test_fraction` of the rows, the same ones for the same seed.

    Rows with the same folded input stay together, and so do the lines of each group in `together`; labels keep their
    shares, and at least 20 rows are held out where 10 remain to train on. Raises `UserError` if there are fewer than 15
    rows, or too few different inputs.
    """
    if not 0 < test_fraction < 1:
        raise ValueError("test_fraction lies between 0 and 1")
    wanted = min(max(round(len(rows) * test_fraction), GOOD_TEST), len(rows) - LEAST_TRAIN)
    if wanted < LEAST_TEST:
        raise UserError(
            f"{plural(len(rows), 'row')} can't be divided into rows to train on and rows to test on.",
            f"Add rows until there are at least {LEAST_TRAIN + GOOD_TEST} with different inputs, or add a test file.",
        )
    strata = _strata(rows, together)
    draw = random.Random(seed)  # noqa: S311  # a fair draw, no secret
    for _ in range(_DRAWS):
        held_out = _hold_out(strata, wanted / len(rows), draw)
        if LEAST_TEST <= len(held_out) <= len(rows) - LEAST_TRAIN:
            test = tuple(row for row in rows if row.line in held_out)
            return Split(tuple(row for row in rows if row.line not in held_out), test)
    raise _too_joined([len(group) for groups in strata for group in groups])


def _too_joined(sizes: Sequence[int]) -> UserError:
    """Say that rows which have to stay together leave nothing to divide: their number is not what is wrong."""
    return UserError(
        f"{plural(sum(sizes), 'row')} form only {plural(len(sizes), 'bundle')} that have to stay together (the same "
        f"input, nearly the same, or one group), the largest of {plural(max(sizes), 'row')}. I found no way to leave "
        f"{LEAST_TRAIN} rows to train on and {LEAST_TEST} to test on.",
        "Add rows with different inputs or from other groups, or add a test file.",
    )


def _strata(rows: Sequence[Row], together: Sequence[Sequence[int]] = ()) -> list[list[list[int]]]:
    """Gather line numbers by input and group, and these groups by label; free text is one stratum."""
    labelled = closed_labels(rows) is not None
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(folded(row.prompt), []).append(row)
    strata: dict[str, list[list[int]]] = {}
    for group in _joined(list(groups.values()), together):
        label = canonical(group[0].target) if labelled else ""
        strata.setdefault(label, []).append([row.line for row in group])
    return [strata[label] for label in sorted(strata)]


def _joined(groups: list[list[Row]], together: Sequence[Sequence[int]]) -> list[list[Row]]:
    """Join groups that share a line of what has to stay together."""
    if not together:
        return groups
    home = {row.line: place for place, group in enumerate(groups) for row in group}
    parent = list(range(len(groups)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for lines in together:
        places = sorted({root(home[line]) for line in lines if line in home})
        for place in places[1:]:
            parent[root(place)] = root(places[0])
    joined: dict[int, list[Row]] = {}
    for place, group in enumerate(groups):
        joined.setdefault(root(place), []).extend(group)
    return list(joined.values())


def _hold_out(strata: list[list[list[int]]], fraction: float, draw: random.Random) -> set[int]:
    """Draw groups from each stratum until its share is reached; what rounding leaves over goes to the next stratum.

    A group of more than twice what is still owed stays in training, so that one large group does not end the draw.
    """
    held_out: set[int] = set()
    owed = 0.0
    for groups in strata:
        shuffled = draw.sample(groups, len(groups))
        owed += fraction * sum(len(group) for group in groups)
        for group in shuffled:
            if owed < len(group) / 2:
                continue
            held_out.update(group)
            owed -= len(group)
    return held_out
