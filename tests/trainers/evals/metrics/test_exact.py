"""Free text without a better metric counts as right only when it is the target."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.data.jsonl import Message, Row
from trainers.evals.metrics import Mark, Setup, exact, load
from trainers.evals.scorers import score


def row(target: str) -> Row:
    return Row(1, (Message("user", "?"), Message("assistant", target)))


METRIC = load("exact_match", Setup())


def test_the_worked_example_holds() -> None:
    """The numbers in the docstring are what the code gives."""
    assert doctest.testmod(exact).failed == 0


@given(st.text(), st.text(min_size=1))
def test_marks_are_the_scorers(output: str, target: str) -> None:
    """Any two texts get the scorer's mark, except that texts of marks alone are not all the same."""
    mark, plain = METRIC.mark(row(target), output), score(output, target, closed=False)
    assert mark.score in ((plain.right,) if target.isalnum() else (0, plain.right))
    assert mark.checks["overlap"] == plain.overlap
    assert METRIC.mark(row(target), target).score == 1


@pytest.mark.parametrize(("output", "target"), [("", "*"), ("_", "*"), ("yes\nno", "yes"), ("", "no")])
def test_what_is_not_the_target_is_wrong(output: str, target: str) -> None:
    """Silence is not a mark, and further lines count."""
    assert METRIC.mark(row(target), output).score == 0


def test_figures() -> None:
    """Shares are over all rows, missing answers included; no row has no figures."""
    rows = [row("yes")] * 4
    marks = [METRIC.mark(rows[0], "yes"), METRIC.mark(rows[0], "no"), Mark(0.0), METRIC.mark(rows[0], "Yes.")]
    share, overlap = METRIC.figures(rows, ["yes", "no", None, "Yes."], marks)
    assert (share.value, overlap.value, overlap.better) == (0.5, 0.5, "neither")
    assert [figure.value for figure in METRIC.figures([], [], [])] == [None, None]
