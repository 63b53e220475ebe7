"""Answers count as right when a careful reader of labels would say so, and not otherwise."""

import pytest

from trainers.evals.scorers import names_label, normalise, score, token_f1

LABELS = ("billing", "late delivery", "delivery", "Returns & swaps")


@pytest.mark.parametrize(
    "output", ["billing", " Billing.\n", '"billing"', "**Billing**", "`billing`.", "billing\n\nBecause …"]
)
def test_a_label_is_right_whatever_its_dress(output: str) -> None:
    """Case, quotation marks, emphasis, a full stop and an explanation below do not make a label wrong."""
    assert score(output, "billing", closed=True).right


@pytest.mark.parametrize(
    "output", ["", "  ", "The label is billing.", "billing or returns", "bill", "delivery", "\n\n"]
)
def test_anything_else_is_wrong(output: str) -> None:
    """A sentence around the label, two labels, another one or nothing are wrong answers."""
    assert not score(output, "billing", closed=True).right


def test_free_text_is_compared_whole() -> None:
    """Without closed labels all lines count, and overlap says how much changed."""
    assert not score("yes\nno", "yes", closed=False).right
    assert score("Yes.", "yes", closed=False).right
    assert score("the cat sat", "the cat ran", closed=False).overlap == pytest.approx(2 / 3)


def test_token_f1_counts_repetition() -> None:
    """F1 on words as SQuAD's; nothing equals nothing only."""
    assert token_f1("a a b", "a b b") == pytest.approx(2 / 3)
    assert (token_f1("", ""), token_f1("", "a"), token_f1("a", "")) == (1, 0, 0)


@pytest.mark.parametrize(
    ("output", "expected", "named"),
    [
        ("The ticket is about billing.", "billing", True),
        ("billing, not delivery", "billing", False),
        ("This is a late delivery!", "late delivery", True),
        ("This is a late delivery!", "delivery", False),
        ("It belongs to returns & swaps", "Returns & swaps", True),
        ("rebilling", "billing", False),
        ("", "billing", False),
    ],
)
def test_the_milder_count_wants_one_label_by_name(output: str, expected: str, named: bool) -> None:
    """In a sentence the right label must be named as a word, and no other label; a longer label hides a shorter."""
    assert names_label(output, expected, LABELS) is named


def test_normalising_twice_changes_nothing() -> None:
    """Normalisation is idempotent on awkward wrappings."""
    for text in ('"Hi."', "'**Hi!**'.", "(«Hi»)", "...", '"'):
        assert normalise(normalise(text)) == normalise(text)
