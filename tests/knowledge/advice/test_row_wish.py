"""Which messages ask us to draft training rows, and which still ask whether to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.advice.row_wish import RowWish, row_wish

CASES = [
    ("Draft training rows: answer product questions from our handbook",
     RowWish("Answer product questions from our handbook", 0)),
    ("please generate 10 training rows to sort support mails into billing, returns, other",
     RowWish("Sort support mails into billing, returns, other", 10)),
    ("can you write me some training examples?", RowWish("", 0)),
    ("Hi! Could you create 30 good fine-tuning examples for mails in our voice?", RowWish("Mails in our voice", 30)),
    ("We have 400 examples. Make training data for sorting mails into a and b",
     RowWish("Sorting mails into a and b", 0)),
    ("I'd like you to draft a training set", RowWish("", 0)),
    ("generate data for training", RowWish("", 0)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wish"), CASES)
def test_a_request_says_task_and_number(text: str, wish: RowWish) -> None:
    """The task is what follows the wish, the number is the wish's own."""
    assert row_wish(text) == wish


@pytest.mark.parametrize(
    "text",
    [
        "should we generate training data or use RAG?",
        "how many training examples do we need?",
        "Generate training data or use RAG?",
        "Can you generate training data for us, or is RAG better?",
        "Can you draft training rows or should we just prompt?",
        "Is it worth it to write training examples?",
        "How do I write training rows?",
        "Generating training data takes us weeks; we have 300 tickets",
        "Write release notes in our voice",
        "We want to generate training data for our support bot, which quotes a weekly price list",
        "What are training rows?",
        "generate training data?",
    ],
)
def test_questions_and_cases_stay_with_the_advice(text: str) -> None:
    """Whoever still decides, or tells of a case, gets advice."""
    assert row_wish(text) is None


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    """No text raises."""
    row_wish(text)
