"""The time left is one figure that goes down, whatever the estimates do, and follows a real change of pace."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from handlers.blocks.words import time_left
from trainers.jobs.time_left import GROWN, SLACK, TimeLeft
from trainers.scripts.progress import Progress

PARTS = {"base_plain": 60, "base_few_shot": 140, "tfidf": 60, "tuned": 60, "probes_tuned": 40}
"""Answers of an evaluation, by part."""

TRUE = {"base_plain": 1.0, "base_few_shot": 4.0, "tfidf": 0.0, "tuned": 1.2, "probes_tuned": 2.5}
"""Seconds that an answer really takes at the usual pace: not exactly what the estimate supposes."""

BATCH = 10


class Told:
    """The parent's end: hears events and tells what people would be told, on a simulated clock."""

    def __init__(self) -> None:
        self.now = 0.0
        self.shown: list[tuple[float, float]] = []
        self.left = TimeLeft()

    def emit(self, event: str, **fields: Any) -> None:
        if fields["seconds_left"] is not None:
            self.shown.append((self.now, self.left.told(fields["phase"], fields["seconds_left"])))


def evaluated(noise: Iterator[float], *, load: float = 0.0, slower: float = 1.0) -> Told:
    """Run a whole evaluation: each part loads first, each batch takes its time by chance; from the middle `slower`."""
    told = Told()
    progress = Progress(told, PARTS, clock=lambda: told.now)  # type: ignore[arg-type]  # it only emits
    for place, (part, rows) in enumerate(PARTS.items()):
        progress.begin(part)
        told.now += load
        progress.add(0)
        for _ in range(rows // BATCH):
            told.now += BATCH * TRUE[part] * next(noise) * (slower if place >= 3 else 1.0)
            progress.add(BATCH)
        progress.finish(part)
    return told


@given(st.randoms(use_true_random=False), st.floats(0, 120))
def test_the_time_left_of_an_evaluation_only_falls(chance: Any, load: float) -> None:
    """With loads between the parts, and answers that take a fifth less or more, no figure is above the one before."""
    told = evaluated(iter(lambda: chance.uniform(0.8, 1.2), None), load=load)
    figures = [left for _, left in told.shown]
    assert figures == sorted(figures, reverse=True)
    assert figures[-1] == 0
    assert len(figures) > 20


@given(st.randoms(use_true_random=False))
def test_the_time_left_is_about_right(chance: Any) -> None:
    """From a quarter of the way on, what is told is within a factor of two of what is left, give or take a minute."""
    told = evaluated(iter(lambda: chance.uniform(0.8, 1.2), None))
    late = [(told.now - at, left) for at, left in told.shown if at > told.now / 4]
    assert late
    assert all(true / 2 - 60 <= left <= true * 2 + 60 for true, left in late)


def test_a_machine_that_gets_much_slower_is_told_of_in_few_steps() -> None:
    """Ten times slower from the tuned model on: the figure rises, a few times by much, not with every message."""
    told = evaluated(iter(lambda: 1.0, None), slower=10.0)
    figures = [left for _, left in told.shown]
    rises = [after / max(before, 1e-9) for before, after in pairwise(figures) if after > before]
    assert 1 <= len(rises) <= 4
    assert all(rise > GROWN for rise in rises)


@given(st.lists(st.floats(0, 1e5), min_size=1))
def test_whatever_is_estimated_a_figure_rises_only_by_much(estimates: list[float]) -> None:
    """Any estimates at all: what is told is never above them by more than they are allowed to have grown."""
    left = TimeLeft()
    before = None
    for estimate in estimates:
        told = left.told("evaluating", estimate)
        assert told <= estimate or told == before
        assert estimate <= told * GROWN + SLACK
        assert before is None or told <= before or told > before * GROWN + SLACK
        before = told
    assert left.told("training", 1e6) == 1e6  # another phase is another wait


@given(st.lists(st.floats(0, 1e5), min_size=2))
def test_rounding_keeps_the_order(seconds: list[float]) -> None:
    """What reads "about" never reads as more time for less."""
    rounded = {text: place for place, text in enumerate(dict.fromkeys(map(time_left, sorted(seconds))))}
    assert [rounded[time_left(one)] for one in sorted(seconds)] == sorted(rounded[time_left(one)] for one in seconds)


def test_an_estimate_reads_as_one() -> None:
    """Seconds are told to five, minutes to ten seconds, longer waits to the minute."""
    assert [time_left(s) for s in (0, 43, 109.7, 700, 4000)] == [
        "about 5 s left",
        "about 45 s left",
        "about 1 min 50 s left",
        "about 12 min left",
        "about 1 h 7 min left",
    ]
