"""House rules are plain data, kept or broken by words and counts, and never a pattern."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import UserError
from trainers.evals.style.rules import read_rules


@pytest.mark.parametrize(
    ("given_rules", "text", "kept"),
    [
        ({"banned": ["cheap"]}, "A CHEAP trick", False),
        ({"banned": ["cheap"]}, "cheaper and cheapest", True),
        ({"banned": "don’t worry"}, "Don't   worry.", False),
        ({"required": ["order number"]}, "Your Order\nnumber is 7", True),
        ({"required": ["order number"]}, "Your order", False),
        ({"opens_with": ["Hi", "Hello"]}, "\n hello Anna,\nhi", True),
        ({"opens_with": ["Hi"]}, "Hitherto", False),
        ({"closes_with": ["Play on"]}, "Hi\nPlay on,\nThe crew", True),
        ({"closes_with": ["Play on"]}, "Play on\nmore\nand\nmore", False),
        ({"closes_with": ["the crew"]}, "Yours, the crew!", True),
        ({"max_sentence_words": 3}, "One two three. Four five six.", True),
        ({"max_sentence_words": 3}, "One two three four.", False),
        ({"max_words": 3}, "one two three", True),
        ({"min_words": 3}, "one two", False),
        ({"never": ["exclamations"]}, "Great!", False),
        ({"never": "emoji"}, "Great 🎸", False),
        ({"never": ["emoji", "list_lines"]}, "Great - really", True),
    ],
)
def test_each_kind(given_rules: dict[str, object], text: str, kept: bool) -> None:
    """Every kind of rule is kept and broken by the texts that one would expect."""
    assert all(rule.kept(text) for rule in read_rules(given_rules)) is kept


def test_rules_have_names() -> None:
    """A rule is told in words; each banned phrase is a rule of its own, openings are one together."""
    rules = read_rules({"banned": ["a", "b"], "opens_with": ["Hi", "Hello"], "max_words": 9, "never": ["em_dashes"]})
    assert [rule.name for rule in rules] == [
        'never says "a"', 'never says "b"', 'opens with "Hi" or "Hello"', "at most 9 words", "no em dashes",
    ]  # fmt: skip
    assert read_rules(None) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        "banned: cheap", {"regex": ["(a+)+$"]}, {"banned": []}, {"banned": [""]}, {"banned": [3]},
        {"banned": ["x" * 201]},
        {"max_words": 0}, {"max_words": "9"}, {"max_words": True}, {"never": ["vowels"]}, {"banned": ["x"] * 61},
    ],
)  # fmt: skip
def test_unusable_rules_are_refused(wrong: object) -> None:
    """Unknown kinds, empty phrases, odd counts and a flood of rules are user errors with a next step."""
    with pytest.raises(UserError) as refused:
        read_rules(wrong)
    assert refused.value.next_step


@given(st.text(min_size=1, max_size=40).filter(str.strip), st.text())
def test_any_phrase_and_any_text(phrase: str, text: str) -> None:
    """A phrase that looks like a pattern is a phrase: it is banned if and only if it is not required."""
    banned, required = read_rules({"banned": [phrase], "required": [phrase]})
    assert banned.kept(text) is not required.kept(text)
    for rule in read_rules({"opens_with": [phrase], "closes_with": [phrase]}):
        rule.kept(text)


def test_hostile_phrases_cost_nothing() -> None:
    """A phrase made for catastrophic backtracking, over 100,000 characters, is searched at once."""
    rules = read_rules({"banned": ["(a+)+$", "aaaaab"], "closes_with": ["a" * 200], "max_sentence_words": 9})
    start = time.process_time()
    for rule in rules:
        rule.kept("a" * 100_000)
        rule.kept("a. " * 33_000)
    assert time.process_time() - start < 1.0
