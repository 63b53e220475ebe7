"""Knows how many rows are enough to train on and to prove something with; it reads no rows.

A third of a data set's rows, and at least 20 where there are 30, is held out as its test (`split`).
"""

from typing import Final

from trainers.data.findings import plural
from trainers.data.split import GOOD_TEST, LEAST_TEST, LEAST_TRAIN

TRAINABLE: Final = LEAST_TRAIN + LEAST_TEST
"""Rows without a test file of their own below which nothing is trained, here or at any provider."""

PROVABLE: Final = LEAST_TRAIN + GOOD_TEST
"""Rows without a test file of their own below which no model can pass its test."""


def missing(rows: int) -> int:
    """Return how many rows are missing until a model trained on them can pass; 0 where they are enough."""
    return max(0, PROVABLE - rows)


def few(rows: int) -> str:
    """Say in a line that so many rows are too few, and how many are missing; "" where they are enough."""
    if not missing(rows):
        return ""
    wanted = f"{PROVABLE}: {LEAST_TRAIN} to train on, {GOOD_TEST} to test on"
    if rows >= TRAINABLE:
        return f"{rows} rows can be trained on, but no model can pass before {missing(rows)} more are there ({wanted})."
    are = "is" if rows == 1 else "are"
    least = f"at least {plural(TRAINABLE - rows, 'row')} more, better {missing(rows)} ({wanted})"
    return f"{plural(rows, 'row')} {are} too few to train anywhere: {least}."
