"""Classification marks what a reader of labels would accept, and its figures agree with scikit-learn."""

import doctest
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.data.jsonl import Message, Row
from trainers.evals.metrics import Mark, Setup, classification, confusion, load
from trainers.evals.metrics.classification import Classification, macro_f1
from trainers.evals.metrics.confusion import LabelReader, confusion_of
from trainers.evals.scorers import score
from trainers.evals.stats import wilson

LABELS = ("billing", "late delivery", "Returns & swaps", "B-LOC", "1", "Yes", "Überweisung")
MESSY = st.text() | st.sampled_from([*LABELS, '"Billing".', "**1**", "\n", "()", "...", "1.", "`", "B-LOC\nx"])


def row(target: str, line: int = 1) -> Row:
    return Row(line, (Message("user", "?"), Message("assistant", target)))


def mark(output: str, target: str, labels: tuple[str, ...] = LABELS) -> Mark:
    return Classification(Setup(labels=labels)).mark(row(target), output)


@pytest.mark.parametrize("module", [classification, confusion])
def test_the_worked_examples_hold(module: object) -> None:
    """The numbers in the docstrings are what the code gives."""
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("output", "target"),
    [
        ("b-loc", "B-LOC"), ("  B-LOC.\n", "B-LOC"), ("1", "1"), ("1.", "1"), ("**1**", "1"), ("YES!", "Yes"),
        ("“Yes”", "Yes"), ("u\u0308berweisung", "Überweisung"),
        ("\n\n billing\nBecause the card was charged twice.", "billing"), ("returns & SWAPS", "Returns & swaps"),
        ("ＢＩＬＬＩＮＧ", "billing"),
    ],
)  # fmt: skip
def test_a_label_alone_is_right(output: str, target: str) -> None:
    """Case, dress, a full stop, composed letters and an explanation below do not matter."""
    assert mark(output, target) == Mark(1.0, {"in_set": 1.0, "names_label": 1.0})


@pytest.mark.parametrize(
    ("output", "target", "in_set", "named"),
    [
        ("Label: billing", "billing", 0, 1),
        ("billing, because the card was charged twice", "billing", 0, 1),
        ("B-LOC - a place", "B-LOC", 0, 1),
        ("Yes, 1 of them", "Yes", 0, 0),  # two labels
        ("1", "Yes", 1, 0),
        ("11", "1", 0, 0),
        ("LOC", "B-LOC", 0, 0),
        ("refund", "billing", 0, 0),
        ("", "billing", 0, 0),
        (" \n\t", "billing", 0, 0),
        ("I cannot help with that.", "billing", 0, 0),
    ],
)
def test_anything_else_is_wrong(output: str, target: str, in_set: float, named: float) -> None:
    """Other labels, labels in sentences, refusals and silence are wrong; the checks tell them apart."""
    got = mark(output, target)
    assert (got.score, got.checks) == (0, {"in_set": in_set, "names_label": named})


def test_labels_that_differ_only_in_case_are_told_apart() -> None:
    """Where case is all that tells two labels apart it counts, and other labels stay forgiving."""
    labels = ("US", "us", "Other")
    assert [mark(output, "US", labels).score for output in ("US", '"US."', "us", "Us")] == [1, 1, 0, 0]
    assert mark("other", "Other", labels).score == 1


@pytest.mark.parametrize("label", ["*", "...", "!", "()", '"', "+", "-", "[]", "🙂"])
def test_a_label_without_letters_is_not_silence(label: str) -> None:
    """Labels of marks alone are right when given and never when nothing is said."""
    assert mark(label, label, (label, "other")).score == 1
    assert [mark(output, label, (label, "other")).score for output in ("", "_", "other", "?")] == [0, 0, 0, 0]


def test_a_target_outside_the_set_can_still_be_answered() -> None:
    """A label that only test rows have is known once a row asks for it."""
    assert mark("new", "New", ("old",)).score == 1
    assert confusion_of([("New", "new"), ("new", "old")], ("old",)).counts == ((0, 0, 0), (1, 1, 0))


@given(MESSY, st.sampled_from(LABELS))
def test_marks_agree_with_the_scorer(output: str, target: str) -> None:
    """On a set whose labels differ in letters the mark is the scorer's, whatever the text; nothing raises."""
    got = mark(output, target)
    assert got.score == score(output, target, closed=True).right
    assert got.checks["names_label"] >= got.score
    assert got.checks["in_set"] >= got.score


@given(st.lists(st.tuples(MESSY, st.none() | MESSY), max_size=12), st.lists(MESSY, max_size=5))
def test_every_row_is_counted_once(pairs: list[tuple[str, str | None]], labels: list[str]) -> None:
    """Whatever targets, answers and labels are, a confusion holds each row once, and as many right as marks say."""
    found = confusion_of(pairs, labels)
    assert found.n == len(pairs)
    assert found.right + sum(mistake.rows for mistake in found.mistakes()) == found.n


def test_figures_agree_with_scikit_learn() -> None:
    """Accuracy, macro-F1, precision, recall, F1 and rows per label are scikit-learn's; shares have Wilson's ends."""
    from sklearn.metrics import f1_score, precision_recall_fscore_support

    draw = random.Random(3)
    labels = ("a", "b", "c", "never asked")
    truth = [draw.choice("aaabbc") for _ in range(200)]
    said = [draw.choice([target, target, "a", "c", "never asked", "nonsense", None]) for target in truth]
    rows = [row(target, line) for line, target in enumerate(truth, 1)]
    metric = load("accuracy", Setup(labels=labels))
    marks = [Mark(0.0) if output is None else metric.mark(one, output) for one, output in zip(rows, said, strict=True)]
    figures = {figure.name: figure for figure in metric.figures(rows, said, marks)}
    plain = [output or "none" for output in said]
    assert figures["macro-F1"].value == pytest.approx(
        f1_score(truth, plain, labels=["a", "b", "c"], average="macro", zero_division=0)
    )
    four = precision_recall_fscore_support(truth, plain, labels=labels, zero_division=0)
    for kind, values in zip(("precision", "recall", "F1", "rows"), four, strict=True):
        for label, value in zip(labels, values, strict=True):
            assert (figures[f"{kind} of {label}"].value or 0) == pytest.approx(value)
    right = sum(one == two for one, two in zip(truth, plain, strict=True))
    assert figures["accuracy"][1:4] == (right / 200, *wilson(right, 200))
    outside = plain.count("nonsense") + plain.count("none")
    assert figures["outside the set"].value == outside / 200
    assert figures["macro-F1"].low is not None
    assert figures["macro-F1"].low < figures["macro-F1"].value < figures["macro-F1"].high  # type: ignore[operator]


def test_an_interval_of_macro_f1_needs_rows_and_mistakes() -> None:
    """All right, few rows of a label or few mistakes: the value alone; no row: not even that."""
    assert macro_f1(confusion_of([], ("a",)))[1:4] == (None, None, None)
    assert macro_f1(confusion_of([("a", "a"), ("b", "b")] * 50, ()))[1:4] == (1.0, None, None)
    assert macro_f1(confusion_of([("a", "b")] * 100 + [("b", "b")] * 10, ()))[2] is None
    assert macro_f1(confusion_of([("a", "b"), ("b", "b")] * 50, ()))[2] is not None


def test_a_base_that_refuses_everything_has_figures() -> None:
    """Answers that are all the same refusal give zeros, not errors."""
    rows = [row(label, line) for line, label in enumerate(LABELS * 3, 1)]
    metric = Classification(Setup(labels=LABELS))
    outputs = ["I'm sorry, but I can't help with that."] * len(rows)
    marks = [metric.mark(one, output) for one, output in zip(rows, outputs, strict=True)]
    figures = {figure.name: figure.value for figure in metric.figures(rows, outputs, marks)}
    assert (figures["accuracy"], figures["macro-F1"], figures["outside the set"]) == (0, 0, 1)
    assert figures["precision of billing"] is None  # never said


def test_a_reader_without_labels_reads_nothing() -> None:
    """No labels, no answer and no row are legal everywhere."""
    assert LabelReader(()).read("a") is None
    assert Classification(Setup()).mark(row("a"), "A").score == 1
    assert Classification(Setup()).figures([], [], [])[0].value is None


@pytest.mark.slow  # 1,000 bootstraps in each of 12 cells: minutes
@pytest.mark.parametrize("labels", [2, 5, 12])
@pytest.mark.parametrize("accuracy", [0.6, 0.8, 0.9, 0.95])
def test_the_interval_of_macro_f1_keeps_its_coverage(labels: int, accuracy: float) -> None:
    """At the fewest rows for which an interval is given, it covers the true macro-F1 in at least 92% of them.

    92: a nominal 95% less what 1,000 draws leave to chance; measured 93.5 to 96.2. A cell where fewer than half of the
    draws get an interval says nothing: those that do are then picked for their many mistakes.
    """
    import numpy as np

    from trainers.evals.metrics.confusion import Confusion

    chance = np.random.default_rng(labels)
    names = tuple(map(str, range(labels)))
    shares = np.full((labels, labels + 1), (1 - accuracy) / 2 / labels)
    shares[:, 0] += (1 - accuracy) / 2  # mistakes lean to one label
    shares[np.arange(labels), np.arange(labels)] = accuracy
    shares /= shares.sum(axis=1, keepdims=True)
    sizes = [30 * 4] + [30] * (labels - 1)
    scaled = tuple(tuple(round(n * share * 10**9) for share in row) for n, row in zip(sizes, shares, strict=True))
    truth = macro_f1(Confusion(names, scaled)).value
    assert truth is not None
    covered = given_ = 0
    for _ in range(1000):
        drawn = tuple(tuple(chance.multinomial(n, row).tolist()) for n, row in zip(sizes, shares, strict=True))
        figure = macro_f1(Confusion(names, drawn))
        if figure.low is not None and figure.high is not None:
            given_ += 1
            covered += figure.low <= truth <= figure.high
    assert given_ < 500 or covered / given_ >= 0.92
