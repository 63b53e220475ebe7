"""A title ends behind a whole word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.data.titles import at_word


@pytest.mark.parametrize(
    ("text", "most", "title"),
    [
        ("Sort tickets", 20, "Sort tickets"),
        ("Sort tickets into queues", 24, "Sort tickets into queues"),
        ("Sort tickets into queues", 23, "Sort tickets into…"),
        ("Sort tickets into queues", 13, "Sort tickets…"),
        ("billing, returns, other", 18, "billing, returns…"),
        ("  odd\n spaces\tin it ", 40, "odd spaces in it"),
        ("x" * 50, 10, "x" * 9 + "…"),
        ("", 10, ""),
    ],
)
def test_a_long_text_is_cut_between_words(text: str, most: int, title: str) -> None:
    """What fits stays; else whole words and an ellipsis, without the comma before it."""
    assert at_word(text, most) == title


@given(st.text(max_size=200), st.integers(2, 100))
def test_no_title_is_too_long(text: str, most: int) -> None:
    """Whatever the text, the title is one line that fits."""
    title = at_word(text, most)
    assert len(title) <= most
    assert "\n" not in title
