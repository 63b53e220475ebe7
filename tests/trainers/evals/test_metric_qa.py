"""Answers to questions are marked right, grounded, cited and rightly withheld, and an arm is summed up."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.data.jsonl import Message, Row
from trainers.evals.metrics import Figure, Mark, Setup, load
from trainers.evals.metrics.qa import Correct
from trainers.evals.stats import wilson

PASSAGES = "[1] Refunds take 14 days.\n[2] A new bow costs 80 euros at Northwind Strings.\n"
METRIC = Correct(Setup())


def row(question: str, target: str, context: str = PASSAGES) -> Row:
    turns = (Message("system", "Answer from the passages."), Message("user", f"{context}Question: {question}"))
    return Row(1, (*turns, Message("assistant", target)))


REFUND = row("How long do refunds take?", "14 days [1]")
UNKNOWN = row("Who founded the shop?", "The passages don't say.")


def test_a_right_cited_answer() -> None:
    """With the expected fact, from the passage that it cites, everything is 1."""
    mark = METRIC.mark(REFUND, "Refunds take 14 days [1].")
    assert mark.score == 1.0
    assert mark.checks == {
        "abstained": 0.0, "exact": 0.0, "grounded": 1.0, "citation_precision": 1.0, "citation_recall": 1.0,
    }  # fmt: skip
    assert mark.note == ""


def test_an_invented_number_is_wrong_and_ungrounded() -> None:
    """A number that stands nowhere is noted twice: it lacks the right one, and nobody gave it."""
    mark = METRIC.mark(REFUND, "Refunds take 21 days [1].")
    assert mark.score == 0.0
    assert mark.checks["grounded"] == 0.0
    assert mark.checks["citation_precision"] == 0.0
    assert mark.note == "lacks 14; not in what was given: 21"


def test_right_but_not_from_the_passages() -> None:
    """A right answer that adds a name nobody gave is right and not grounded."""
    mark = METRIC.mark(REFUND, "It takes 14 days, says Marta Novak.")
    assert mark.score == 1.0
    assert mark.checks["grounded"] == 0.0
    assert "marta novak" in mark.note


def test_withholding() -> None:
    """Without an answer only saying so is right; with one, saying so is wrong."""
    assert METRIC.mark(UNKNOWN, "I don't know.").score == 1.0
    invented = METRIC.mark(UNKNOWN, "Marta founded it.")
    assert invented.score == 0.0
    assert invented.note.startswith("should have said that there is no answer")
    timid = METRIC.mark(REFUND, "The passages do not mention this.")
    assert timid.score == 0.0
    assert timid.note == "withheld"
    assert "grounded" not in timid.checks


def test_an_arm_by_hand() -> None:
    """Five rows: 3 right of 5; abstentions 2 of 3 right, 2 of 2 found, F1 2*2/(3+2); grounded 1 of 1 looked up."""
    rows = [REFUND, REFUND, UNKNOWN, UNKNOWN, REFUND]
    outputs = ["14 days [1].", "I don't know.", "I don't know.", "The passages don't say.", None]
    marks = [METRIC.mark(asked, text) if text else Mark(0.0) for asked, text in zip(rows, outputs, strict=True)]
    figures = {figure.name: figure for figure in METRIC.figures(rows, outputs, marks)}
    assert figures["correct"] == Figure("correct", 3 / 5, *wilson(3, 5))
    assert figures["abstention precision"] == Figure("abstention precision", 2 / 3, *wilson(2, 3))
    assert figures["abstention recall"] == Figure("abstention recall", 1.0, *wilson(2, 2))
    assert figures["abstention F1"].value == pytest.approx(4 / 5)
    assert figures["grounded"] == Figure("grounded", 1.0, *wilson(1, 1))
    assert figures["citation precision"].value == 1.0
    assert figures["exact match"].value == pytest.approx(1 / 5)  # `14 days` without its mark


def test_without_unanswerable_rows_withholding_is_a_loss() -> None:
    """Where every row has an answer, the share withheld is shown, and lower is better."""
    marks = [METRIC.mark(REFUND, "I don't know."), METRIC.mark(REFUND, "14 days")]
    figures = {figure.name: figure for figure in METRIC.figures([REFUND] * 2, ["", ""], marks)}
    assert figures["withheld"].value == 0.5
    assert figures["withheld"].better == "lower"
    assert "abstention F1" not in figures


def test_no_rows_no_numbers() -> None:
    """An arm without rows has figures without values; the metric is binary and cautions."""
    assert all(figure.value is None for figure in METRIC.figures([], [], []))
    assert load("correct", Setup()).binary
    assert Correct.caution


@given(st.text(max_size=150), st.text(max_size=60), st.text(max_size=150))
def test_any_row_and_answer_are_marked(context: str, target: str, output: str) -> None:
    """Whatever the texts, the score is 0 or 1 and checks stay in range."""
    mark = METRIC.mark(row("?", target, context), output)
    assert mark.score in (0.0, 1.0)
    assert all(0 <= value <= 1 for value in mark.checks.values())
    METRIC.figures([row("?", target, context)], [output], [mark])


@pytest.mark.parametrize("output", ["", "😀" * 99, "字" * 100_000, "14 days [1]. " * 8000, "\ud800", "[1]" * 30_000])
def test_odd_answers_are_marked_in_time(output: str) -> None:
    """Empty, emoji, other scripts and 100,000 characters are marked within two seconds of one core."""
    start = time.process_time()
    assert METRIC.mark(REFUND, output).score in (0.0, 1.0)
    assert time.process_time() - start < 2.0
