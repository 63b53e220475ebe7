"""Facts of a brief are found and looked up by spelling, with their usual variants."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.evals.style.content import facts, kept, numbers

BRIEF = (
    'Tell Anna Schmidt that order 4711, a "Blue Moon" banjo for EUR 1,250.50, ships on 3 March from Northwind. '
    "Page: https://northwind.example/track?id=9, mail help@northwind.example."
)


def test_worked_by_hand() -> None:
    """Ten facts stand in the brief; an answer that loses the price and the mail keeps eight."""
    found = facts(BRIEF)
    assert found.numbers == {"4711", "1250.5", "3"}
    assert found.addresses == {"https://northwind.example/track?id=9", "help@northwind.example"}
    assert found.names == {"anna schmidt", "eur", "march", "northwind"}
    assert found.quotations == {"blue moon"}
    answer = (
        "Hi Anna Schmidt, your Blue Moon (order 4711) leaves Northwind on March 3: EUR 1,205.50. "
        "See https://northwind.example/track?id=9."
    )
    result = kept(BRIEF, answer)
    assert result.missing == ("1250.5", "help@northwind.example")
    assert result.share == pytest.approx(8 / 10)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1,200", "1200"), ("2.50", "2.5"), ("3,5", "3.5"), ("05", "5"), ("1,200.00", "1200"), ("0.50", "0.5")],
)
def test_spellings_of_a_number(one: str, other: str) -> None:
    """Thousands, decimal commas and zeros do not make another number."""
    assert numbers(f"it is {one} now") == numbers(f"it is {other} now")


def test_different_numbers_stay_different() -> None:
    """A digit inside a longer number is not that number, and a list's count is no fact."""
    assert kept("pay 12 euros", "pay 120 euros").share == 0.0
    assert kept("pay 3 euros", "three euros").share == 1.0
    assert facts("1. first\n2. second").numbers == frozenset()
    assert facts("the H100 card").numbers == frozenset()


def test_no_facts_no_share() -> None:
    """A brief without facts asks for nothing."""
    assert kept("write something nice", "something nice").share is None
    assert kept("", "x").share is None


@given(st.text(max_size=300))
def test_a_text_keeps_its_own_facts(text: str) -> None:
    """Whatever a text holds, it keeps what it states; nothing raises."""
    assert kept(text, text).share in (None, 1.0)
    assert kept(text, "").share in (None, 0.0)


@pytest.mark.parametrize("piece", ['"', "A ", "a@", "1,", "www.", "A.b", "e.g. A ", ". "])
def test_hostile_texts_are_read_in_time(piece: str) -> None:
    """100,000 characters made for slow patterns are read within a second."""
    text = piece * (100_000 // len(piece))
    start = time.process_time()
    kept(text, text)
    assert time.process_time() - start < 1.0
