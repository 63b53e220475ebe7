"""Which messages ask us to draft training rows, and which still ask whether to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.advice.row_wish import RowWish, row_wish, train_wish

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
    ("Can you write draft rows for us?", RowWish("", 0)),
    ("where do I get more training data if I only have 12 tickets?", RowWish("", 0)),
    ("draft rows please", RowWish("", 0)),
    ("draft 20 more rows", RowWish("", 20)),
    ("We need 30 more training rows.", RowWish("", 30)),
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
        "what is a training row?",
        "what does Draft rows do?",
        "draft test rows",
        "generate rows of the table",
        "where is my training data stored?",
        "How do I get training data into Luthier?",
        "How can we get more training data, or should we use RAG?",
        "We need training data for our support bot, which quotes a weekly price list",
    ],
)
def test_questions_and_cases_stay_with_the_advice(text: str) -> None:
    """Whoever still decides, or tells of a case, gets advice."""
    assert row_wish(text) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("train on these rows", True),
        ("now train a model with the 12 rows from above", True),
        ("Can we train now?", True),
        ("let's start training", True),
        ("how do I train on these?", False),
        ("should we train on these rows?", False),
        ("Train or RAG?", False),
        ("train rows look odd to me", False),
        ("the training took long", False),
    ],
)
def test_a_wish_to_train_is_an_order_not_a_question(text: str, wanted: bool) -> None:
    """Whoever asks how or whether, or speaks of training, wants words."""
    assert train_wish(text) is wanted


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    """No text raises."""
    row_wish(text)
    train_wish(text)
