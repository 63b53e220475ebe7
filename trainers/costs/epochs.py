"""Knows how many passes over the rows to begin with, and why; it knows no prices.

The rule of OpenAI's cookbook (data preparation for chat fine-tuning, read 2026-11-22): three passes; more until 100
rows have gone through, 25 at most; fewer above 25,000. How a provider's own "auto" chooses is not known.
"""

from typing import NamedTuple

USUAL, LEAST_ROWS, MOST_ROWS, MOST_EPOCHS = 3, 100, 25_000, 25


class Recommended(NamedTuple):
    """Passes over the rows, and the reason."""

    epochs: int
    why: str


def recommend(examples: int) -> Recommended:
    """Recommend a number of epochs for so many examples (at least one)."""
    rule = "the rule of OpenAI's cookbook"
    if examples * USUAL < LEAST_ROWS:
        epochs = max(USUAL, min(MOST_EPOCHS, LEAST_ROWS // examples))
        passed = f"{epochs} passes, {epochs * examples} rows in all"
        return Recommended(
            epochs, f"{examples} examples are few: {passed} ({rule}: {LEAST_ROWS} rows, 25 passes at most)"
        )
    if examples * USUAL > MOST_ROWS:
        epochs = max(1, MOST_ROWS // examples)
        passed = "one pass" if epochs == 1 else f"{epochs} passes"
        return Recommended(epochs, f"{examples:,} examples are many: {passed} ({rule}: few over {MOST_ROWS:,} rows)")
    return Recommended(
        USUAL, f"{USUAL} passes are usual for {examples:,} examples ({rule}); 1 to 3 is the common range"
    )
