"""Knows how long a run on this machine takes, from its own past runs or from dated figures; it knows no prices."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

SPREAD = 0.3
"""How far a run may lie from this machine's own median before the quote was wrong: other work shares the cores."""


class PastRun(NamedTuple):
    """What an earlier run on this machine took."""

    trained_tokens: int
    training_seconds: float
    test_rows: int
    evaluation_seconds: float


class LocalEstimate(NamedTuple):
    """Wall time in minutes as (low, high), and where the figures come from."""

    training: tuple[float, float]
    evaluation: tuple[float, float]
    basis: str


def estimate(base: str, tokens: int, test_rows: int, past: Sequence[PastRun]) -> LocalEstimate:
    """Estimate training on `tokens` tokens (all epochs) and evaluating `test_rows` rows with every arm.

    Raises KeyError for a base without figures.
    """
    if past:
        return _from_own_runs(tokens, test_rows, past)
    book = tomllib.loads((Path(__file__).parent / "local.toml").read_text())[base]
    slow, fast = book["train_tokens_per_second"]
    quick_row, slow_row = book["evaluation_seconds_per_row"]
    quick_start, slow_start = book["fixed_seconds"]
    return LocalEstimate(
        training=((tokens / fast + quick_start) / 60, (tokens / slow + slow_start) / 60),
        evaluation=((test_rows * quick_row + quick_start) / 60, (test_rows * slow_row + slow_start) / 60),
        basis=f"from figures of {book['as_of']} ({book['source']}); after the first run, from this machine's own",
    )


def _from_own_runs(tokens: int, test_rows: int, past: Sequence[PastRun]) -> LocalEstimate:
    per_token = sorted(run.training_seconds / max(run.trained_tokens, 1) for run in past)[len(past) // 2]
    per_row = sorted(run.evaluation_seconds / max(run.test_rows, 1) for run in past)[len(past) // 2]
    training, evaluation = tokens * per_token / 60, test_rows * per_row / 60
    return LocalEstimate(
        training=(training * (1 - SPREAD), training * (1 + SPREAD)),
        evaluation=(evaluation * (1 - SPREAD), evaluation * (1 + SPREAD)),
        basis=f"from {len(past)} earlier run{'s' if len(past) > 1 else ''} on this machine",
    )
