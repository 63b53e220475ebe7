"""Curves and answers that look wrong are named, and usual ones are not."""

import json
import math
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import ServiceError
from trainers.evals.overfit import Evidence, distinct_2, read_losses, signals

DRAW = random.Random(2)
FALLING = [2.5 * math.exp(-step / 30) + 0.3 + DRAW.uniform(-0.1, 0.1) for step in range(120)]
VARIED = [" ".join(f"w{DRAW.randrange(400)}" for _ in range(30)) for _ in range(20)]


def codes(evidence: Evidence) -> list[str]:
    return [signal.code for signal in signals(evidence)]


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (Evidence(), []),
        (Evidence(losses=FALLING, epochs=8), []),
        (Evidence(losses=[2.0, 1.0], epochs=1), []),
        (Evidence(losses=[1.5, 0.2, 0.02, 0.01] + [0.01] * 12, epochs=2), ["early_zero"]),
        (Evidence(losses=[2.3 + 0.01 * (step % 3) for step in range(40)]), ["flat"]),
        (Evidence(losses=[0.02] * 40, epochs=4), ["early_zero"]),  # flat, but nothing was left to learn
        (Evidence(losses=[*FALLING[:60], 5.0, *FALLING[61:]], epochs=8), ["spike"]),
        (Evidence(losses=[*FALLING[:60], math.nan, *FALLING[61:]], epochs=8), ["not_finite"]),
        (Evidence(losses=[math.nan] * 20), ["not_finite"]),
        (Evidence(held_out_base=1.0, held_out_tuned=1.2), ["held_out_worse"]),
        (Evidence(held_out_base=1.0, held_out_tuned=0.5), []),
        (Evidence(losses=FALLING, epochs=8, held_out_base=2.0, held_out_tuned=0.9), ["gap"]),
        (Evidence(losses=FALLING, epochs=8, held_out_base=2.0, held_out_tuned=0.4), []),
        (Evidence(losses=[0.0] * 3, held_out_tuned=0.9), ["gap"]),
        (Evidence(base_outputs=VARIED, tuned_outputs=["the same few words again and again"] * 60), ["distinct"]),
        (Evidence(base_outputs=VARIED, tuned_outputs=VARIED[::-1]), []),
        (Evidence(base_outputs=VARIED, tuned_outputs=["billing"] * 60), []),  # labels have no word pairs
        (Evidence(memorised=0.3), ["memorised"]),
        (Evidence(memorised=0.05), []),
    ],
)
def test_signs_are_named(evidence: Evidence, expected: list[str]) -> None:
    """Each sign is named by its own evidence and by no other."""
    assert codes(evidence) == expected


def test_a_sentence_has_its_figures() -> None:
    """A reader sees the two losses that a sign compares."""
    (signal,) = signals(Evidence(held_out_base=1.0, held_out_tuned=1.25))
    assert "(loss 1.00, then 1.25)" in signal.sentence
    assert all(signal.sentence.endswith(".") for signal in signals(Evidence(losses=[3.0] * 20, memorised=0.5)))


def test_distinct_pairs_compare_at_equal_length() -> None:
    """Twice the same text has half the share of different pairs; cut to equal length it has the same."""
    once, n = distinct_2(VARIED)
    assert distinct_2([*VARIED, *VARIED])[0] == pytest.approx(once / 2)
    assert distinct_2([*VARIED, *VARIED], n)[0] == once


@given(st.lists(st.floats(), max_size=60), st.integers(1, 9), st.none() | st.floats(0, 20))
def test_any_curve_is_read(losses: list[float], epochs: int, held_out: float | None) -> None:
    """Whatever a script wrote, signs are sentences and nothing breaks."""
    found = signals(Evidence(losses=losses, epochs=epochs, held_out_base=held_out, held_out_tuned=held_out))
    assert all(signal.sentence for signal in found)


def test_losses_are_read_in_order_of_steps(tmp_path: Path) -> None:
    """The training script's file is read by step; a damaged one is an error with a next step."""
    path = tmp_path / "losses.jsonl"
    path.write_text("".join(json.dumps({"step": step, "loss": loss}) + "\n" for step, loss in ((2, 1.0), (1, 2.0))))
    assert read_losses(path) == [2.0, 1.0]
    path.write_text("[]\n")
    with pytest.raises(ServiceError):
        read_losses(path)
