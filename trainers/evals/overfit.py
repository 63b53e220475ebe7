"""Signs that a training learned by heart, learned nothing or narrowed what the model says; none decides a verdict.

Losses are means per target token in nats. Thresholds with their sources are in overfit.toml.
"""

import json
import math
import statistics
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.errors import ServiceError
from trainers.data.findings import plural

_FILE = Path(__file__).with_name("overfit.toml")


class Signal(NamedTuple):
    """One sign, for the report."""

    code: str
    """Stable name in snake_case, such as `early_zero`."""
    sentence: str
    """What was seen and what it may mean, one sentence or two."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known about one training; whatever is missing is not looked at."""

    losses: Sequence[float] = ()
    """Training loss, step by step."""
    epochs: int = 1
    """Times that the rows were seen; the steps are spread evenly over them."""
    held_out_base: float | None = None
    """Loss of the base on the held-out targets."""
    held_out_tuned: float | None = None
    """Loss of the tuned model on the same targets."""
    base_outputs: Sequence[str] = ()
    """Answers of the base to the held-out rows; leave empty for a closed set of labels."""
    tuned_outputs: Sequence[str] = ()
    """Answers of the tuned model to the same rows."""
    memorised: float | None = None
    """Share of the tuned model's answers that repeat a training text."""


def signals(evidence: Evidence) -> tuple[Signal, ...]:
    """Name every sign that the evidence shows; none is good news, or nothing was known."""
    looks = (_not_finite, _early_zero, _flat, _spikes, _held_out, _gap, _distinct, _memorised)
    return tuple(signal for look in looks for signal in look(evidence))


def read_losses(path: Path) -> list[float]:
    """Read losses.jsonl (lines with `step` and `loss`) in order of steps; raises `ServiceError` if it is damaged."""
    try:
        points = [json.loads(line) for line in path.read_bytes().split(b"\n") if line.strip()]
        return [float(point["loss"]) for point in sorted(points, key=lambda point: int(point["step"]))]
    except (OSError, ValueError, KeyError, TypeError):
        raise ServiceError("The training's losses are missing or damaged.", "Train again to have them.") from None


def distinct_2(outputs: Sequence[str], most: int | None = None) -> tuple[float, int]:
    """Share of different pairs of neighbouring words among the first `most`, and how many there were (Li et al. 2016).

    The share falls with the amount of text, so two models compare only at the same `most`.
    """
    found = [pair for output in outputs for pair in pairwise(output.casefold().split())]
    taken = found[:most]
    return (len(set(taken)) / len(taken) if taken else 0.0), len(found)


def _not_finite(evidence: Evidence) -> Iterator[Signal]:
    bad = [step for step, loss in enumerate(evidence.losses, start=1) if not math.isfinite(loss)]
    if bad:
        what = f"The training loss was not a number at {plural(len(bad), 'step')}, first at step {bad[0]:,}."
        yield Signal("not_finite", f"{what} The learning rate is too high, or the precision too low.")


def _early_zero(evidence: Evidence) -> Iterator[Signal]:
    limit = _limits("early_zero")
    first = _finite(evidence.losses[: math.ceil(len(evidence.losses) / max(1, evidence.epochs))])
    if len(first) < limit["least_steps"]:
        return
    end = _mean(first[-_quarter(first) :])
    if end < limit["loss"]:
        what = f"The training loss was down to {end:.2f} before every row had been seen twice"
        yield Signal("early_zero", f"{what}: rows that repeat one another, or inputs that give the answer away.")


def _flat(evidence: Evidence) -> Iterator[Signal]:
    limit, losses = _limits("flat"), _finite(evidence.losses)
    if len(losses) < limit["least_steps"]:
        return
    start, end = _mean(losses[: _quarter(losses)]), _mean(losses[-_quarter(losses) :])
    if start > limit["least_loss"] and end > limit["kept"] * start:
        moved = "rose" if end > start else "barely fell"
        what = f"The training loss {moved}, from {start:.2f} in the first quarter to {end:.2f} in the last"
        yield Signal("flat", f"{what}: the learning rate may be wrong, or the loss lies on the wrong tokens.")


def _spikes(evidence: Evidence) -> Iterator[Signal]:
    limit, losses = _limits("spike"), _finite(evidence.losses)
    window = int(limit["window"])
    found = []
    for place in range(window, len(losses)):
        usual = statistics.median(losses[place - window : place])
        if losses[place] > max(limit["times"] * usual, usual + limit["nats"]):
            found.append((losses[place], place + 1))
    if found:
        worst, step = max(found)
        what = f"The training loss jumped at {plural(len(found), 'step')} (to {worst:.2f} at step {step:,})"
        yield Signal("spike", f"{what}: look at the rows there, or lower the learning rate.")


def _held_out(evidence: Evidence) -> Iterator[Signal]:
    base, tuned = evidence.held_out_base, evidence.held_out_tuned
    if base is not None and tuned is not None and tuned > base:
        what = (
            f"On held-out rows the expected answers are less likely after training (loss {base:.2f}, then {tuned:.2f})"
        )
        yield Signal("held_out_worse", f"{what}: the model was trained too long, or on other rows than these.")


def _gap(evidence: Evidence) -> Iterator[Signal]:
    limit, tuned, losses = _limits("gap"), evidence.held_out_tuned, _finite(evidence.losses)
    if tuned is None or not losses or tuned < limit["least_loss"]:
        return
    trained = _mean(losses[-math.ceil(len(losses) / max(1, evidence.epochs)) :])
    if tuned > limit["ratio"] * trained:
        times = f"{tuned / trained:,.1f} times" if trained > 0 else "far above"
        what = f"Loss on held-out rows ({tuned:.2f}) is {times} that of the last epoch's training rows ({trained:.2f})"
        yield Signal("gap", f"{what}: it knows the training rows by heart. More rows or fewer epochs may help.")


def _distinct(evidence: Evidence) -> Iterator[Signal]:
    limit = _limits("distinct")
    least = min(distinct_2(outputs)[1] for outputs in (evidence.base_outputs, evidence.tuned_outputs))
    if least < limit["least_pairs"]:
        return
    base, tuned = (distinct_2(outputs, least)[0] for outputs in (evidence.base_outputs, evidence.tuned_outputs))
    if tuned < limit["ratio"] * base:
        what = f"The tuned model repeats itself: {tuned:.0%} of its word pairs are different, {base:.0%} of the base's"
        yield Signal("distinct", f"{what}, in as much text. Fewer epochs or more varied rows may help.")


def _memorised(evidence: Evidence) -> Iterator[Signal]:
    share = evidence.memorised
    if share is not None and share > _limits("memorised")["share"]:
        what = f"{share:.0%} of the tuned model's answers to unseen rows repeat a training text"
        yield Signal("memorised", f"{what}: it may answer from memory. Read those answers before you trust the score.")


def _finite(losses: Sequence[float]) -> list[float]:
    return [loss for loss in losses if math.isfinite(loss)]


def _quarter(losses: Sequence[float]) -> int:
    return max(1, len(losses) // 4)


def _mean(losses: Sequence[float]) -> float:
    return sum(losses) / len(losses)


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))


def _limits(name: str) -> Mapping[str, float]:
    section: Mapping[str, float] = _read()[name]
    return section
