"""chrF is sacrebleu's, and says of itself that it does not measure quality."""

import time

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from trainers.data.jsonl import Message, Row
from trainers.evals.metrics import Mark, Setup, load
from trainers.evals.metrics.generation import chrf

TEXT = st.text(alphabet=st.characters(codec="utf-8"), max_size=60) | st.text("ab c", max_size=60)
ROW = Row(1, (Message("user", "Say it"), Message("assistant", "the cat sat")))


def test_worked_by_hand() -> None:
    """`abc` beside `abd`: 2 of 3 letters, 1 of 2 pairs, 0 of 1 triple; precision = recall = 7/18, so chrF is 7/18."""
    assert chrf("abc", "abd") == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


def test_recall_weighs_more_by_hand() -> None:
    """`ab` beside `abcd`: precision 1, recall (2/4 + 1/3) / 2 = 5/12; 5 P R / (4 P + R) = 0.4717."""
    assert chrf("ab", "abcd") == pytest.approx(5 * (5 / 12) / (4 + 5 / 12))


@given(TEXT, TEXT)
def test_it_is_sacrebleus(output: str, reference: str) -> None:
    """On any two texts it agrees with sacrebleu to six decimals."""
    wanted = sacrebleu.sentence_chrf(output, [reference]).score / 100
    assert chrf(output, reference) == pytest.approx(wanted, abs=1e-6)


def test_only_change_is_claimed() -> None:
    """The figure calls no direction good, and the caution says why."""
    metric = load("chrf", Setup())
    marks = [metric.mark(ROW, "the cat sat"), metric.mark(ROW, "dog"), Mark(0.0)]
    (figure,) = metric.figures([ROW] * 3, ["the cat sat", "dog", None], marks)
    assert marks[0].score == 1.0
    assert figure.better == "neither"
    assert figure.value == pytest.approx(sum(mark.score for mark in marks) / 3)
    assert "not that they are better" in type(metric).caution  # type: ignore[attr-defined]
    assert metric.figures([], [], [])[0].value is None


@pytest.mark.parametrize("output", ["", " ", "😀", "字" * 100_000, "the cat sat " * 9000, "\ud800"])
def test_odd_answers_are_marked_in_time(output: str) -> None:
    """Empty, emoji, other scripts and 100,000 characters get a score in range within a second."""
    start = time.process_time()
    assert 0 <= load("chrf", Setup()).mark(ROW, output).score < 1
    assert time.process_time() - start < 1.0
